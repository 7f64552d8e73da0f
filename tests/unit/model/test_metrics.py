from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import (
    accuracy_score,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)

from thalweg.formulas.losses import Loss
from thalweg.model.metrics import (
    Accuracy,
    BinaryAccuracy,
    Metric,
    SquaredError,
    metric_for,
)

generator = np.random.default_rng(0)


def figures(
    loss: str | Any, predictions: Any, targets: Any, weights: Any = None
) -> dict[str, float]:
    """The metric's figures, computed on arrays in two batches."""
    predictions, targets = np.asarray(predictions, float), np.asarray(targets)
    metric = metric_for(Loss.of(loss), predictions.shape[1:], targets, weights)
    total = weight = 0.0
    for rows in (slice(3), slice(3, None)):
        each = np.asarray(metric.per_row(predictions[rows], targets[rows]))
        w = np.ones(len(targets))[rows] if weights is None else weights[rows]
        total = total + np.tensordot(w, each, 1)
        weight += w.sum()
    return metric.figures(np.asarray(total / weight))


WEIGHTS = [None, generator.uniform(0, 2, 40)]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("one_hot", [False, True])
def test_accuracy_of_classes_is_scikit_learns(one_hot: bool, weights: Any) -> None:
    predictions = generator.dirichlet([1, 1, 1], 40)
    classes = generator.integers(0, 3, 40)
    targets = np.eye(3)[classes] if one_hot else classes
    expected = accuracy_score(classes, predictions.argmax(1), sample_weight=weights)
    assert figures("cross_entropy", predictions, targets, weights) == {
        "accuracy": pytest.approx(expected, rel=1e-12)
    }


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("one_hot", [False, True])
def test_positions_have_accuracy_and_perplexity(one_hot: bool, weights: Any) -> None:
    predictions = generator.dirichlet([1, 1, 1, 1], (40, 5))
    classes = generator.integers(0, 4, (40, 5))
    targets = np.eye(4)[classes] if one_hot else classes
    true = np.take_along_axis(predictions, classes[..., np.newaxis], -1)[..., 0]
    w = np.ones(40) if weights is None else weights
    right = np.average(predictions.argmax(-1) == classes, weights=np.tile(w, (5, 1)).T)
    surprise = np.average(-np.log(true), weights=np.tile(w, (5, 1)).T)
    assert figures("cross_entropy", predictions, targets, weights) == {
        "accuracy": pytest.approx(right, rel=1e-12),
        "perplexity": pytest.approx(np.exp(surprise), rel=1e-12),
    }


def test_positions_beyond_a_length_count_nothing() -> None:
    predictions, lengths = generator.dirichlet([1, 1, 1], (2, 4)), np.array([3, 1])
    classes = generator.integers(0, 3, (2, 4))
    metric = metric_for(Loss.of("cross_entropy"), (4, 3), classes, None, lengths)
    found = np.asarray(metric.per_row(predictions, classes, lengths))
    for row, length in enumerate(lengths.tolist()):
        given, true = predictions[row, :length], classes[row, :length]
        surprise = -np.log(given[np.arange(length), true]).mean()
        wanted = [(given.argmax(-1) == true).mean(), surprise]
        assert found[row].tolist() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_accuracy_of_yes_and_no_is_scikit_learns(outputs: int, weights: Any) -> None:
    """With several outputs a row is right if all of them are."""
    predictions = generator.uniform(size=(40, outputs))
    yes = (predictions + generator.normal(0, 0.2, (40, outputs)) > 0.5).astype(int)
    expected = accuracy_score(yes, predictions > 0.5, sample_weight=weights)
    for targets in (yes, yes.astype(float), yes[:, 0] if outputs == 1 else yes):
        found = figures("binary_cross_entropy", predictions, targets, weights)
        assert found == {"accuracy": pytest.approx(expected, rel=1e-12)}


def test_soft_targets_count_from_a_half() -> None:
    found = figures("binary_cross_entropy", [[0.9]] * 4, [0.7, 0.51, 0.4, 0.0])
    assert found == {"accuracy": 0.5}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("outputs", [1, 2])
def test_rmse_and_r2_are_scikit_learns(outputs: int, weights: Any) -> None:
    targets = generator.normal(5, 2, (40, outputs)) * [1, 10][:outputs]
    predictions = targets + generator.normal(size=(40, outputs))
    found = figures("mean_squared_error", predictions, targets, weights)
    mse = mean_squared_error(targets, predictions, sample_weight=weights)
    assert_allclose(found["rmse"], np.sqrt(mse), rtol=1e-12)
    assert_allclose(
        found["r2"], r2_score(targets, predictions, sample_weight=weights), rtol=1e-12
    )
    if outputs == 1:
        rmse = root_mean_squared_error(targets, predictions, sample_weight=weights)
        assert_allclose(found["rmse"], rmse, rtol=1e-12)


@given(st.floats(-1e6, 1e6), st.integers(4, 30))
def test_r2_of_equal_targets_is_all_or_nothing(value: float, rows: int) -> None:
    targets = np.full(rows, value)
    right = figures("huber", targets[:, None], targets)
    wrong = figures("huber", targets[:, None] + 1, targets)
    assert (right["r2"], wrong["r2"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "metric"),
    [
        ("cross_entropy", 3, [0, 1, 2], Accuracy),
        ("cross_entropy", 3, np.eye(3), Accuracy),
        ("binary_cross_entropy", 1, [0.0, 1.0], BinaryAccuracy),
        ("mean_squared_error", 1, [0, 1, 2], SquaredError),
        ("poisson", 1, [0.5, 1.0], SquaredError),
        (lambda p, t: p, 3, [0, 1, 2], Accuracy),
        (lambda p, t: p, 1, [0, 1, 2], SquaredError),
        (lambda p, t: p, 3, np.ones((2, 3)), SquaredError),
    ],
)
def test_the_metric_goes_with_loss_and_targets(
    loss: Any, outputs: int, targets: Any, metric: type[Metric]
) -> None:
    chosen = metric_for(Loss.of(loss), (outputs,), np.asarray(targets), None)
    assert type(chosen) is metric
