from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.metrics import log_loss, mean_pinball_loss, mean_poisson_deviance

from thalweg.backends.numpy.calls import gradient, value_and_gradient
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.activations import sigmoid, softmax
from thalweg.formulas.losses import (
    LOSSES,
    Loss,
    binary_cross_entropy,
    cross_entropy,
    huber,
    mean_absolute_error,
    mean_squared_error,
    poisson,
    quantile,
)
from thalweg.program import ops

generator = np.random.default_rng(0)
# Predictions and targets that suit every loss: rows of probabilities.
PREDICTIONS = generator.dirichlet([1.0, 2.0, 3.0], 8)
TARGETS = np.eye(3)[generator.integers(0, 3, 8)]

every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
OF_VALUES = [loss for loss in LOSSES.values() if loss is not cross_entropy]
every_loss_of_values = pytest.mark.parametrize(
    "loss", OF_VALUES, ids=[loss.name for loss in OF_VALUES]
)


@every_loss
def test_a_weight_counts_as_so_many_rows(loss: Loss) -> None:
    weights = np.array([1, 0, 2, 1, 3, 0, 1, 2])
    repeated = np.repeat(np.arange(8), weights)
    assert_allclose(
        loss(PREDICTIONS, TARGETS, weights),
        loss(PREDICTIONS[repeated], TARGETS[repeated]),
        rtol=1e-13,
    )


@every_loss
def test_the_scale_of_weights_does_not_matter(loss: Loss) -> None:
    weights = generator.uniform(0.1, 1, 8)
    assert_allclose(
        loss(PREDICTIONS, TARGETS, weights),
        loss(PREDICTIONS, TARGETS, 7 * weights),
        rtol=1e-13,
    )


@every_loss
def test_the_loss_is_the_mean_of_rows(loss: Loss) -> None:
    rows = loss.per_row(PREDICTIONS, TARGETS)
    assert rows.shape == (8,)
    assert_allclose(loss(PREDICTIONS, TARGETS), rows.mean(), rtol=1e-13)


@every_loss
def test_the_gradient_is_the_slope(loss: Loss) -> None:
    direction, h = generator.normal(size=PREDICTIONS.shape), 1e-6
    ahead = loss(PREDICTIONS + h * direction, TARGETS)
    behind = loss(PREDICTIONS - h * direction, TARGETS)
    slope = gradient(loss)(PREDICTIONS, TARGETS)
    assert_allclose((slope * direction).sum(), (ahead - behind) / (2 * h), rtol=1e-5)


@every_loss
def test_float32_stays_float32(loss: Loss) -> None:
    predictions = PREDICTIONS.astype(np.float32)
    assert loss(predictions, TARGETS, np.ones(8)).dtype == np.float32


@pytest.mark.parametrize(
    "loss",
    [mean_squared_error, mean_absolute_error, huber, quantile, binary_cross_entropy],
    ids=lambda loss: loss.name,
)
@pytest.mark.parametrize("columns", [1, 3])
def test_perfect_predictions_cost_nothing(loss: Loss, columns: int) -> None:
    targets = TARGETS[:, :columns]
    assert loss(targets, targets) == 0


def test_perfect_classes_cost_nothing() -> None:
    assert cross_entropy(TARGETS, TARGETS) == 0
    assert cross_entropy(TARGETS, TARGETS.argmax(axis=1)) == 0


@every_loss_of_values
def test_column_and_vector_targets_are_the_same(loss: Loss) -> None:
    column, targets = PREDICTIONS[:, :1], TARGETS[:, 0]
    expected = loss(column, targets[:, None])
    assert loss(column, targets) == expected
    assert loss(column[:, 0], targets) == expected
    assert loss(column[:, 0], targets[:, None]) == expected
    assert loss(column[:, 0].tolist(), targets.tolist()) == expected


@every_loss
@pytest.mark.parametrize(
    ("predictions", "targets"),
    [
        ((8, 3), (8, 1)),
        ((8, 3), (8,)),
        ((8, 1), (8, 3)),
        ((8, 1), (7,)),
        ((8, 3), (3, 8)),
        ((8, 3), ()),
    ],
)
def test_shapes_that_do_not_fit_are_named(
    loss: Loss, predictions: tuple[int, ...], targets: tuple[int, ...]
) -> None:
    with pytest.raises(ShapeError) as caught:
        loss(np.full(predictions, 0.5), np.full(targets, 0.5))
    assert str(predictions) in str(caught.value)
    assert str(targets) in str(caught.value)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_row_has_the_mean_of_its_positions(loss: Loss) -> None:
    predictions = np.random.default_rng(2).uniform(0.1, 0.9, (4, 3, 2, 5))
    targets = np.random.default_rng(3).uniform(0, 1, predictions.shape)
    found = loss.per_row(predictions, targets)
    apart = loss.per_row(predictions.reshape(-1, 5), targets.reshape(-1, 5))
    assert_allclose(found, apart.reshape(4, 6).mean(axis=1))


def test_a_single_number_is_no_prediction() -> None:
    with pytest.raises(ShapeError, match=r"\(rows, …, outputs\), got \(\)"):
        mean_squared_error(1.0, 1.0)


def test_weights_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(
        ShapeError, match=r"one number a row, shape \(8,\), got \(8, 1\)"
    ):
        mean_squared_error(PREDICTIONS, TARGETS, np.ones((8, 1)))


# Classes -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_class_numbers_are_one_hot_rows(dtype: Any) -> None:
    numbers = TARGETS.argmax(axis=1).astype(dtype)
    for loss in (cross_entropy, cross_entropy.with_parameters(label_smoothing=0.2)):
        expected = loss(PREDICTIONS, TARGETS)
        assert_allclose(loss(PREDICTIONS, numbers), expected, rtol=1e-15)


def test_cross_entropy_is_what_scikit_learn_says() -> None:
    numbers, weights = TARGETS.argmax(axis=1), generator.uniform(size=8)
    expected = log_loss(numbers, PREDICTIONS, sample_weight=weights, labels=[0, 1, 2])
    assert_allclose(cross_entropy(PREDICTIONS, numbers, weights), expected, rtol=1e-12)


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_class_number_that_no_output_has_is_refused(wrong: int) -> None:
    with pytest.raises(ArgumentError, match=rf"in 0\.\.2 for 3 outputs, got {wrong}"):
        cross_entropy(PREDICTIONS[:2], np.array([1, wrong]))


def test_class_numbers_for_a_loss_of_numbers_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(8, 3\), got \(8,\)"):
        mean_squared_error(PREDICTIONS, np.zeros(8, int))


def test_cross_entropy_of_one_output_is_refused() -> None:
    with pytest.raises(ShapeError, match="binary_cross_entropy"):
        cross_entropy(PREDICTIONS[:, :1], np.zeros(8, int))


def test_two_classes_are_a_yes_and_a_no() -> None:
    yes = PREDICTIONS[:, 0]
    both = np.stack([1 - yes, yes], axis=1)
    numbers = TARGETS[:, 0].astype(int)
    assert_allclose(
        cross_entropy(both, numbers), binary_cross_entropy(yes, numbers), rtol=1e-14
    )


def test_smoothing_mixes_in_the_loss_of_a_uniform_guess() -> None:
    smoothed = cross_entropy.with_parameters(label_smoothing=0.3)
    even = np.full_like(TARGETS, 1 / 3)
    mixed = 0.7 * cross_entropy(PREDICTIONS, TARGETS)
    mixed += 0.3 * cross_entropy(PREDICTIONS, even)
    assert_allclose(smoothed(PREDICTIONS, TARGETS), mixed, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_is_safe_at_any_logit(dtype: Any) -> None:
    z = np.array([[1000, -1000, 0], [-1000, 1000, 0]], dtype)
    classes = np.array([1, 1])
    value, slope = value_and_gradient(lambda z, y: cross_entropy(softmax(z), y))(
        z, classes
    )
    assert value == 1000
    assert_allclose(slope, [[0.5, -0.5, 0], [0, 0, 0]], atol=1e-30)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_is_safe_at_any_logit(dtype: Any) -> None:
    z = np.array([[1000], [-1000], [1000], [-1000]], dtype)
    answers = np.array([0, 1, 1, 0])
    value, slope = value_and_gradient(lambda z, y: binary_cross_entropy(sigmoid(z), y))(
        z, answers
    )
    assert value == 500
    assert_allclose(slope, [[0.25], [-0.25], [0], [0]], atol=1e-30)


# Numbers -----------------------------------------------------------------------------


@given(st.floats(0.05, 0.95))
def test_the_quantile_is_the_best_constant_guess(share: float) -> None:
    targets = np.sort(generator.normal(size=101))
    loss = quantile.with_parameters(quantile=share)
    costs = [float(loss(np.full(101, guess), targets)) for guess in targets]
    below = (targets <= targets[np.argmin(costs)]).mean()
    assert abs(below - share) <= 1 / 101


def test_quantile_is_what_scikit_learn_says() -> None:
    predictions, targets = generator.normal(size=(2, 30))
    ours = quantile.with_parameters(quantile=0.8)(predictions, targets)
    assert_allclose(
        ours, mean_pinball_loss(targets, predictions, alpha=0.8), rtol=1e-13
    )


def test_poisson_differs_from_half_the_deviance_by_what_targets_alone_say() -> None:
    counts = generator.poisson(3, 50) + 1.0
    rates, others = generator.uniform(0.5, 6, (2, 50))
    ours = poisson(rates, counts) - poisson(others, counts)
    deviance = mean_poisson_deviance(counts, rates) - mean_poisson_deviance(
        counts, others
    )
    assert_allclose(ours, deviance / 2, rtol=1e-10)


def test_poisson_is_smallest_at_the_target() -> None:
    assert_allclose(gradient(poisson)(np.array([2.5]), np.array([2.5])), 0, atol=1e-16)


def test_huber_joins_its_halves_smoothly() -> None:
    loss = huber.with_parameters(delta=1.5)
    zero = np.array([0.0])
    for error in (1.5 - 1e-9, 1.5 + 1e-9):
        assert_allclose(loss(np.array([error]), zero), 1.125, rtol=1e-8)
        assert_allclose(gradient(loss)(np.array([error]), zero), 1.5, rtol=1e-8)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            huber.with_parameters(delta=0),
            "delta must be a number greater than 0, got 0",
        ),
        (
            quantile.with_parameters(quantile=1),
            "quantile must be between 0 and 1, got 1",
        ),
        (
            cross_entropy.with_parameters(label_smoothing=1),
            r"label_smoothing must be in \[0, 1\), got 1",
        ),
    ],
)
def test_parameters_out_of_range(loss: Loss, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        loss(PREDICTIONS, TARGETS)


# A user's own ------------------------------------------------------------------------


def test_ones_own_loss_of_rows() -> None:
    def fourth_power(predictions: Any, targets: Any) -> Any:
        return ops.mean((predictions - targets) ** 4, axis=-1)

    loss = Loss.of(fourth_power)
    assert loss.name == "fourth_power"
    weights = np.arange(8)
    rows = ((PREDICTIONS - TARGETS) ** 4).mean(axis=1)
    expected = (weights * rows).sum() / weights.sum()
    assert_allclose(loss(PREDICTIONS, TARGETS, weights), expected, rtol=1e-14)


def test_ones_own_loss_gets_class_numbers_as_rows() -> None:
    def textbook(predictions: Any, targets: Any) -> Any:
        return -ops.sum(targets * ops.log(predictions), axis=-1)

    numbers = TARGETS.argmax(axis=1)
    ours = Loss.of(textbook)(PREDICTIONS, numbers)
    assert_allclose(ours, cross_entropy(PREDICTIONS, numbers), rtol=1e-14)


def test_ones_own_loss_that_gives_a_scalar() -> None:
    def overall(predictions: Any, targets: Any) -> Any:
        return ops.mean((predictions - targets) ** 2)

    ours = Loss.of(overall)
    expected = mean_squared_error(PREDICTIONS, TARGETS)
    assert_allclose(ours(PREDICTIONS, TARGETS), expected, rtol=1e-14)
    assert ours.per_row(PREDICTIONS, TARGETS).shape == (8,)


def test_ones_own_loss_of_a_wrong_shape_is_told_what_to_do() -> None:
    def forgetful(predictions: Any, targets: Any) -> Any:
        return (predictions - targets) ** 2

    with pytest.raises(ShapeError, match=r"shape \(8,\), or a scalar, got \(8, 3\)"):
        Loss.of(forgetful)(PREDICTIONS, TARGETS)


def test_with_parameters_leaves_the_original_alone() -> None:
    changed = huber.with_parameters(delta=2.0)
    assert changed.parameters == (("delta", 2.0),)
    assert huber.parameters == ()
    assert changed.with_parameters(delta=3.0) == huber.with_parameters(delta=3.0)
    assert Loss.of(changed) is changed
