"""Metrics against scikit-learn and the formulas; what a network has to beat."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression

from thalweg.data import scores
from thalweg.data.scores import (
    both_columns,
    class_scores,
    constant_outputs,
    finite,
    linear_outputs,
    number_scores,
)

random = np.random.default_rng(0)


def rows_of(data: Any) -> tuple[Any, Any]:
    return data.data, data.target


def probabilities(rows: int, classes: int) -> Any:
    raw = random.uniform(0.01, 1, (rows, classes))
    return raw / raw.sum(axis=1, keepdims=True)


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


def test_number_scores_are_the_textbook_s() -> None:
    truth, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    found = number_scores(predicted, truth, None)
    assert found["rmse"] == pytest.approx(np.sqrt((0.25 + 0 + 1) / 3))
    assert found["mae"] == pytest.approx(0.5)
    mean = truth.mean()
    assert found["r2"] == pytest.approx(1 - 1.25 / ((truth - mean) ** 2).sum())


def test_a_weight_of_two_counts_like_two_rows() -> None:
    truth, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.5, 3.0])
    twice = np.array([0, 1, 1, 2])
    assert number_scores(predicted, truth, np.array([1.0, 2.0, 1.0])) == pytest.approx(
        number_scores(predicted[twice], truth[twice], None)
    )


def test_a_single_row_has_scores() -> None:
    one = np.array([1.0])
    assert number_scores(one, one, None) == {"rmse": 0.0, "mae": 0.0, "r2": 0.0}


def test_what_json_cant_hold_is_none() -> None:
    found = finite({"a": float("nan"), "b": float("-inf"), "c": 0.25})
    assert found == {"a": None, "b": None, "c": 0.25}


# What a network has to beat -----------------------------------------------------------


@given(st.lists(st.integers(0, 3), min_size=1), st.floats(0.05, 0.95))
def test_no_other_constant_guess_has_a_lower_loss(y: list[int], part: float) -> None:
    truth = np.array(y)
    best = constant_outputs(truth, None, 4, 1)
    other = (1 - part) * best + part * 0.25
    chosen = np.zeros(len(y), int)
    loss = [-np.log(g[chosen, truth]).mean() for g in (best, other)]
    assert loss[0] <= loss[1] + 1e-12


def test_the_constant_guess_of_a_number_is_the_weighted_mean() -> None:
    guess = constant_outputs(np.array([1.0, 4.0]), np.array([2.0, 1.0]), 0, 3)
    assert guess.tolist() == [[2.0], [2.0], [2.0]]


def test_the_linear_model_is_logistic_regression() -> None:
    X, y = rows_of(load_iris())
    model = LogisticRegression(max_iter=1000).fit(X, y)
    found = linear_outputs(X, y, None, 3, 0, X)
    assert found == pytest.approx(model.predict_proba(X))


def test_the_linear_model_beats_the_constant_guess_on_numbers() -> None:
    X, y = rows_of(load_diabetes())
    linear = linear_outputs(X, y, None, 0, 0, X)
    constant = constant_outputs(y, None, 0, len(X))
    assert ((linear[:, 0] - y) ** 2).mean() < ((constant[:, 0] - y) ** 2).mean()


def test_category_numbers_are_spread_out_for_the_linear_model() -> None:
    codes = np.tile(np.arange(4), 25)
    X = np.column_stack([np.zeros(100), codes]).astype(np.float32)
    y = np.array([0, 1, 0, 1])[codes]  # no line through the numbers tells these apart
    unseen = np.array([[0, 9]], np.float32)
    outputs = linear_outputs(X, y, None, 2, 1, np.vstack([X, unseen]))
    assert (outputs[:-1].argmax(axis=1) == y).all()
    assert outputs[-1] == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_class_without_training_rows_gets_no_probability() -> None:
    X = random.normal(size=(20, 2))
    outputs = linear_outputs(X, np.tile([0, 2], 10), None, 3, 0, X)
    assert (outputs[:, 1] == 0).all()


def test_a_single_class_in_training_is_certain() -> None:
    X = random.normal(size=(20, 2))
    outputs = linear_outputs(X, np.ones(20, int), None, 2, 0, X[:3])
    assert outputs.tolist() == [[0, 1]] * 3


def test_a_linear_model_that_doesnt_settle_warns_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scores, "LINEAR_ITERATIONS", 1)
    X, y = rows_of(load_iris())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        linear_outputs(X, y, None, 3, 0, X)
    assert not caught


def test_very_large_tables_are_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "LINEAR_ROWS", 10)
    kept = scores.rows_for_linear(1000)
    assert len(set(kept)) == 10
    assert kept.max() < 1000
    assert (kept == scores.rows_for_linear(1000)).all()
    assert (scores.rows_for_linear(10) == np.arange(10)).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_predictions_that_are_not_finite_are_seen(bad: float) -> None:
    """scikit-learn refuses them, though a network can give them."""
    predicted, truth = np.array([1.0, bad, 2.0]), np.array([1.0, 2.0, 3.0])
    for weights in (None, np.array([1.0, 2.0, 3.0])):
        found = number_scores(predicted, truth, weights)
        expected = abs(bad)
        assert str([*found.values()]) == str([expected, expected, -expected])
