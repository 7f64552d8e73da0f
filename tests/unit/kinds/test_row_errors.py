"""The metrics of classes against scikit-learn, on any choice of rows and in parts."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from thalweg.kinds.row_errors import ClassErrors, NumberErrors, class_errors
from thalweg.kinds.scores import both_columns, number_scores

random = np.random.default_rng(0)


def probabilities(rows: int, classes: int) -> Any:
    raw = random.uniform(0.01, 1, (rows, classes))
    return raw / raw.sum(axis=1, keepdims=True)


def errors_of(outputs: Any, truth: Any, weights: Any, positive: int = 1) -> ClassErrors:
    counting = np.ones(len(truth)) if weights is None else weights
    classes = max(outputs.shape[1], 2)
    return class_errors([outputs], truth, counting, classes, positive)


def class_scores(outputs: Any, truth: Any, weights: Any, positive: int = 1) -> Any:
    return errors_of(outputs, truth, weights, positive).every_metric


@pytest.mark.parametrize("weighted", [False, True])
def test_class_scores_are_scikit_learn_s(weighted: bool) -> None:
    truth = random.integers(0, 3, 50)
    outputs = probabilities(50, 3)
    weights = random.uniform(0.1, 2, 50) if weighted else None
    predicted = outputs.argmax(axis=1)
    found = class_scores(outputs, truth, weights)
    recall = metrics.balanced_accuracy_score(truth, predicted, sample_weight=weights)
    log_loss = metrics.log_loss(truth, outputs, sample_weight=weights)
    accuracy = metrics.accuracy_score(truth, predicted, sample_weight=weights)
    assert found["accuracy"] == pytest.approx(accuracy)
    assert found["balanced_accuracy"] == pytest.approx(recall)
    assert found["log_loss"] == pytest.approx(log_loss)
    f1 = metrics.f1_score(truth, predicted, average="macro", sample_weight=weights)
    assert found["f1"] == pytest.approx(f1)


def test_one_output_is_the_second_of_two_classes() -> None:
    second = probabilities(20, 2)[:, 1:]
    truth = random.integers(0, 2, 20)
    both = np.hstack([1 - second, second])
    assert class_scores(second, truth, None) == class_scores(both, truth, None)
    assert both_columns(second).sum(axis=1) == pytest.approx(np.ones(20))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("positive", [0, 1])
def test_two_classes_are_ranked_as_scikit_learn_does(
    positive: int, weighted: bool
) -> None:
    second = random.integers(0, 8, (60, 1)) / 8  # with ties
    truth = random.integers(0, 2, 60)
    weights = random.integers(0, 3, 60).astype(float) if weighted else None
    found = class_scores(second, truth, weights, positive)
    of_class = truth == positive
    said = second[:, 0] if positive else 1 - second[:, 0]
    area = metrics.roc_auc_score(of_class, said, sample_weight=weights)
    mean = metrics.average_precision_score(of_class, said, sample_weight=weights)
    assert found["roc_auc"] == pytest.approx(area)
    assert found["average_precision"] == pytest.approx(mean)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.0])])
def test_rows_of_one_class_have_no_ranking(weights: Any) -> None:
    truth = np.array([1, 1, 1 if weights is None else 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = class_scores(probabilities(3, 2), truth, weights)
    assert math.isnan(found["roc_auc"])
    assert math.isnan(found["average_precision"])


def test_three_classes_have_no_ranking() -> None:
    found = class_scores(probabilities(9, 3), np.arange(9) % 3, None)
    assert [*found] == ["accuracy", "balanced_accuracy", "f1", "log_loss"]


def test_classes_that_arent_there_dont_count_in_balanced_accuracy() -> None:
    outputs = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    assert class_scores(outputs, np.array([0, 1]), None)["balanced_accuracy"] == 1


def test_a_probability_of_zero_costs_much_but_not_everything() -> None:
    certain = np.array([[1.0, 0.0]])
    assert 80 < class_scores(certain, np.array([1]), None)["log_loss"] < 100


@pytest.mark.parametrize("classes", [2, 3, 20])
@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_drawn_rows_are_those_of_these_rows_alone(
    classes: int, weighted: bool
) -> None:
    outputs = probabilities(60, classes)
    if classes == 2:  # rows of the same probability are ranked alike
        outputs = np.round(outputs * 8) / 8
    truth = random.integers(0, classes, 60).astype(np.int32)
    weights = random.random(60) + 0.1 if weighted else np.ones(60)
    errors = errors_of(outputs, truth, weights)
    for rows in (np.arange(60), random.integers(0, 60, 60), np.array([5])):
        wanted = class_scores(outputs[rows], truth[rows], weights[rows])
        assert errors.metrics(rows) == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_of_drawn_rows_are_those_of_these_rows_alone(weighted: bool) -> None:
    truth = random.normal(size=50)
    said = truth + random.normal(size=50)
    weights = random.random(50) + 0.1 if weighted else np.ones(50)
    errors = NumberErrors(truth, said, weights)
    for rows in (np.arange(50), random.integers(0, 50, 50), np.array([5])):
        wanted = number_scores(said[rows], truth[rows], weights[rows])
        assert errors.metrics(rows) == pytest.approx(wanted)


@pytest.mark.parametrize("classes", [2, 5])
def test_parts_say_the_same_as_the_whole(classes: int) -> None:
    outputs = probabilities(60, classes)
    truth = random.integers(0, classes, 60)
    parts = np.split(outputs, [1, 20, 20])
    found = class_errors(parts, truth, np.ones(60), classes)
    whole = errors_of(outputs, truth, None)
    assert found.every_metric == whole.every_metric
    assert (found.of_predicted == outputs.max(axis=1)).all()
    assert (found.of_truth == outputs[np.arange(60), truth]).all()
