"""The parts of estimators by themselves: scales, splits, weights, temperature."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

import thalweg as tw
from thalweg.errors import ArgumentError, ShapeError
from thalweg.estimators.calibration import fitted_temperature, with_temperature
from thalweg.estimators.choices import Begin, layers_of
from thalweg.estimators.intervals import (
    Conformal,
    Pinballs,
    checked_levels,
    in_order,
)
from thalweg.estimators.scaling import BLOCK_CELLS, Scaling
from thalweg.estimators.splitting import fraction_for, held_out
from thalweg.estimators.weighting import class_factors, label_factors
from thalweg.formulas.layers import Columns, Dense, Dropout
from thalweg.formulas.losses import quantile

random = np.random.default_rng(0)

# Scales -------------------------------------------------------------------------------


def test_scaling_is_that_of_repeated_rows() -> None:
    X = random.normal(5, [1, 100, 1e-3], (20, 3))
    counts = random.integers(1, 5, 20)
    weighted, repeated = (
        Scaling.fit(X, counts.astype(float)),
        Scaling.fit(X.repeat(counts, 0)),
    )
    assert weighted.mean == pytest.approx(repeated.mean, rel=1e-12)
    assert weighted.deviation == pytest.approx(repeated.deviation, rel=1e-12)


@pytest.mark.parametrize("dense", [True, False])
def test_scaling_in_many_blocks_is_numpys(dense: bool) -> None:
    X = random.normal(size=(1000, 2 * BLOCK_CELLS // 1000)) ** 2
    X[X < 1] = 0
    scaling = Scaling.fit(X if dense else sparse.csr_array(X))
    expected = (X - X.mean(axis=0)) / X.std(axis=0)
    given_X = X if dense else sparse.csr_array(X)
    assert np.allclose(scaling(given_X, "float64"), expected, rtol=0, atol=1e-10)
    assert abs(scaling(given_X, "float32", 2.0)).max() == 2


def test_a_constant_column_keeps_its_unit_and_codes_their_numbers() -> None:
    X = np.array([[0.1, 3.0], [0.1, 20.0], [0.1, 99.0]])
    scaling = Scaling.fit(X).without([1])
    assert scaling.deviation.tolist() == [1, 1]
    assert scaling(X, "float64", 10.0)[:, 1].tolist() == [3, 20, 99]


def test_huge_numbers_do_not_overflow() -> None:
    scaling = Scaling.fit(np.array([[1e300], [-1e300], [1e308]]))
    assert np.isfinite([scaling.mean, scaling.deviation]).all()


# Splits -------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 3), min_size=30, max_size=120),
    st.floats(0.1, 0.5),
    st.integers(0, 9),
)
def test_each_class_gives_its_share_to_within_a_row(
    classes: list[int], fraction: float, seed: int
) -> None:
    strata = np.array(classes)
    chosen = held_out(strata, None, fraction, seed)
    for each in np.unique(strata):
        share = chosen[strata == each].sum()
        assert abs(share - fraction * (strata == each).sum()) <= 0.5 + 1e-9


def test_the_share_is_one_of_weight() -> None:
    weights = np.where(np.arange(2000) % 2, 9.0, 1.0)
    strata = np.arange(2000) % 2
    chosen = held_out(strata, weights, 0.2, 0)
    for each in (0, 1):
        held = weights[chosen & (strata == each)].sum()
        assert held == pytest.approx(0.2 * weights[strata == each].sum(), rel=0.01)
    uneven = random.exponential(size=2000) ** 2
    chosen = held_out(np.zeros(2000, int), uneven, 0.2, 0)
    assert uneven[chosen].sum() == pytest.approx(0.2 * uneven.sum(), rel=0.02)
    assert chosen.sum() != 400


def test_classes_of_a_row_each_are_split_all_the_same() -> None:
    assert held_out(np.arange(100), None, 0.2, 0).sum() == 20


def test_few_rows_are_held_out_only_where_they_are_needed() -> None:
    assert fraction_for(0.2, 64, needed=False) is None
    assert fraction_for(0.2, 65, needed=False) == 0.2
    assert fraction_for(0.2, 10, needed=True) == 0.2
    with pytest.raises(ArgumentError, match="validation must be a fraction"):
        fraction_for(None, 1000, needed=True)
    with pytest.raises(ArgumentError, match="validation must be a fraction"):
        fraction_for(2, 1000, needed=False)
    with pytest.raises(ArgumentError, match="leaves 2 to train and 0 to validate"):
        held_out(np.zeros(2, int), None, 0.1, 0)


# Weights ------------------------------------------------------------------------------


@pytest.mark.parametrize("given_weight", ["balanced", {"b": 3.0}, {"a": 0.5, "c": 2}])
def test_class_weights_are_scikit_learns(given_weight: Any) -> None:
    y = np.array(list("aabbbbcccccc"))
    labels, numbers = np.unique(y, return_inverse=True)
    full = given_weight
    if isinstance(given_weight, dict):
        full = dict.fromkeys("abc", 1.0) | given_weight
    expected = compute_class_weight(full, classes=labels, y=y)
    assert class_factors(given_weight, numbers, labels, None) == pytest.approx(expected)


def test_balanced_counts_weights_as_rows() -> None:
    labels, numbers = np.array([0, 1]), np.array([0, 0, 1])
    weighted = class_factors("balanced", numbers, labels, np.array([1.0, 2.0, 1.0]))
    repeated = class_factors("balanced", numbers[[0, 1, 1, 2]], labels, None)
    assert weighted == pytest.approx(repeated)


def test_weights_of_labels_are_scikit_learns() -> None:
    labels = random.integers(0, 2, (50, 3))
    factors = label_factors("balanced", labels, None)
    assert factors is not None
    rows = np.where(labels > 0, factors[:, 1], factors[:, 0]).prod(axis=1)
    assert rows == pytest.approx(compute_sample_weight("balanced", labels))


def test_wrong_class_weights_are_refused() -> None:
    labels, numbers = np.array(["a", "b"]), np.array([0, 1])
    for wrong in ("balancd", 3, {"z": 1.0}, {"a": -1.0}, {"a": "x"}):
        with pytest.raises(ArgumentError, match="class_weight must be"):
            class_factors(wrong, numbers, labels, None)
    with pytest.raises(ArgumentError, match="list of 2 dicts"):
        label_factors([{}], np.eye(2), None)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.floats(0.5, 9), min_size=1),
    st.lists(st.sampled_from("abcd"), min_size=1),
)
def test_classes_that_a_fold_lacks_may_be_named_where_scikit_learn_allows_it(
    weights: dict[str, float], fold: list[str]
) -> None:
    labels, numbers = np.unique(fold, return_inverse=True)
    try:
        expected = compute_class_weight(weights, classes=labels, y=np.array(fold))
    except ValueError:
        with pytest.raises(ArgumentError, match="class_weight must be of classes"):
            class_factors(weights, numbers, labels, None, complete=False)
    else:
        found = class_factors(weights, numbers, labels, None, complete=False)
        assert found == pytest.approx(expected)


def test_a_misspelled_class_is_found_and_a_better_one_named() -> None:
    labels, numbers = np.array(["ham", "spam"]), np.array([0, 1])
    with pytest.raises(ArgumentError, match="got 'spm': did you mean 'spam'"):
        class_factors({"spm": 5, "ham": 1}, numbers, labels, None, complete=False)
    with pytest.raises(ArgumentError, match="got 'eggs'; a class that y lacks can be"):
        class_factors({"eggs": 5, "ham": 1}, numbers, labels, None, complete=False)
    with pytest.raises(ArgumentError, match="must be of classes"):
        class_factors({"eggs": 5, "ham": 1, "spam": 2}, numbers, labels, None)
    with pytest.raises(ArgumentError, match="0 or more"):
        class_factors(dict.fromkeys(["ham", "spam", "eggs"], -1), numbers, labels, None)
    with pytest.raises(ArgumentError, match=r"must be of classes \[0, 1\]"):
        label_factors([{0: 1, 1: 2, 2: 3}] * 2, np.eye(2), None)


# Temperature --------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_the_temperature_that_made_probabilities_is_found(temperature: float) -> None:
    z = random.normal(0, 2, (20_000, 3))
    honest = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) < random.random((len(z), 1))).sum(axis=1).clip(0, 2)
    sharpened = with_temperature(honest, 1 / temperature)
    found = fitted_temperature(sharpened, truth, None)
    assert found == pytest.approx(temperature, rel=0.06)
    assert with_temperature(sharpened, temperature) == pytest.approx(honest)


def test_weights_count_in_the_temperature() -> None:
    probabilities = np.array([[0.9, 0.1]] * 2000)
    truth = np.arange(2000) % 2
    mostly_right = fitted_temperature(probabilities, truth, np.where(truth, 1.0, 9.0))
    assert mostly_right == pytest.approx(1, abs=0.002)
    assert fitted_temperature(probabilities, truth, np.ones(2000)) > 40


@pytest.mark.parametrize("rows", [1, 9, 40])
def test_right_in_every_row_is_as_sure_as_one_unknown_row_more_allows(
    rows: int,
) -> None:
    # Of n + 1 rows, n are right and one is half right: n + 1/2 of n + 1.
    sure = np.array([[0.1, 0.7, 0.2]] * rows)
    truth = np.ones(rows, np.int64)
    sure = with_temperature(sure, fitted_temperature(sure, truth, None))
    assert sure[0, 1] < 1
    binary = np.array([[0.3, 0.7]] * rows)
    found = with_temperature(binary, fitted_temperature(binary, truth, None))
    assert found[0, 1] == pytest.approx((rows + 0.5) / (rows + 1))


def test_certain_probabilities_stay_finite() -> None:
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.isfinite(with_temperature(certain, 50.0)).all()
    assert np.isfinite(fitted_temperature(certain, np.array([0, 0]), None))


# Intervals ----------------------------------------------------------------------------


def test_pinballs_are_the_mean_of_quantile_losses() -> None:
    levels = (0.1, 0.5, 0.9)
    predictions, y = random.normal(size=(9, 3)), random.normal(size=9)
    targets = np.repeat(y[:, None], 3, axis=1)
    each = [
        quantile.with_parameters(quantile=q).per_row(predictions[:, [i]], y)
        for i, q in enumerate(levels)
    ]
    found = Pinballs(levels)(predictions, targets)
    assert found == pytest.approx(np.mean(each, axis=0))


@pytest.mark.parametrize("count", range(1, 10))
def test_levels_in_order_are_numpys(count: int) -> None:
    levels = random.normal(size=(count, 200))
    assert (np.array(in_order(list(levels))) == np.sort(levels, axis=0)).all()


def test_levels_are_sorted_and_hold_the_median() -> None:
    assert checked_levels((0.9, 0.1)) == (0.1, 0.5, 0.9)
    for wrong in ((), (0.0,), (1,), "x", 0.5, ("a",)):
        with pytest.raises(ArgumentError, match="quantiles must be levels"):
            checked_levels(wrong)


def conformal(rows: int, weights: Any = None) -> Conformal:
    counted = np.ones(rows) if weights is None else weights / weights.mean()
    errors = np.arange(1.0, rows + 1)
    return Conformal((0.5,), np.zeros((rows, 1, 1)), errors[:, None], counted)


def test_the_margin_is_the_order_statistic_of_conformal_prediction() -> None:
    # With 19 rows, 90% of 20 is 18: the second largest error.
    ends = conformal(19).interval(np.zeros((1, 1, 1)), 0.9)
    assert ends.ravel().tolist() == [-18, 18]


def test_too_high_a_coverage_for_the_rows_is_refused() -> None:
    with pytest.raises(ArgumentError, match="needs 19 validation rows or more, there"):
        conformal(18).interval(np.zeros((1, 1, 1)), 0.95)
    conformal(19).interval(np.zeros((1, 1, 1)), 0.95)
    for wrong in (0, 1, 90, "x"):
        with pytest.raises(ArgumentError, match="coverage must be between"):
            conformal(50).interval(np.zeros((1, 1, 1)), wrong)  # pyright: ignore


def test_weights_count_as_rows_in_the_margin() -> None:
    weights = np.where(np.arange(100) < 50, 1.0, 3.0)
    weighted = conformal(100, weights).interval(np.zeros((1, 1, 1)), 0.5)
    repeated = np.sort(np.arange(1.0, 101).repeat(weights.astype(int)))
    assert weighted[0, 0, 1] == pytest.approx(np.quantile(repeated, 0.5), abs=2)


# Choices ------------------------------------------------------------------------------


LAST = Dense(2, "softmax")


def hidden(layers: Any, activation: Any, dropout: float = 0.0, row: Any = (5,)) -> Any:
    """All layers but the last."""
    begin = Begin([], row, "float64")
    *others, last = layers_of(layers, activation, dropout, LAST, begin)
    assert last == LAST
    return others


def test_layers_may_be_units_and_layers_with_an_activation_each() -> None:
    found = hidden((8, Dropout(0.5), 4), ("relu", "tanh"))
    assert found == [Dense(8, "relu"), Dropout(0.5), Dense(4, "tanh")]
    assert hidden([3], "relu", 0.1) == [Dense(3, "relu"), Dropout(0.1)]
    assert hidden((), "relu", 0.1) == []
    begin = Begin([Columns(((0, 2, None),))], (5,), "float32")
    assert layers_of((3,), "relu", 0.0, LAST, begin)[0] == begin.layers[0]


def test_units_see_all_numbers_of_a_row() -> None:
    conv, flat, image = tw.Conv(2, 3), tw.Flatten(), (6, 6, 1)
    assert hidden([], "relu", row=image) == [flat]
    assert hidden([8], "relu", row=image) == [flat, Dense(8, "relu")]
    assert hidden([conv, 8], "relu", row=image) == [conv, flat, Dense(8, "relu")]
    assert hidden([conv, Dense(3)], "relu", row=image) == [conv, Dense(3), flat]
    assert hidden([conv, flat], "relu", row=image) == [conv, flat]
    assert hidden([conv, tw.GlobalMax()], "relu", row=image)[2:] == []
    reshape, vectors = tw.Reshape((5, 1)), tw.Embedding(3, 2)
    assert hidden([reshape, 8], "relu") == [reshape, flat, Dense(8, "relu")]
    assert hidden([vectors, 8], "relu") == [vectors, flat, Dense(8, "relu")]
    with pytest.raises(ShapeError, match=r"layer 1, Conv.*got \(rows, 5\)"):
        hidden([conv, 8], "relu")


def test_wrong_layers_are_refused() -> None:
    for wrong in (8, "8", (0,), (2.5,), ("a",)):
        with pytest.raises(ArgumentError, match="layers must be a list of units"):
            hidden(wrong, "relu")
    with pytest.raises(ArgumentError, match="one activation, or 2 for 2 layers"):
        hidden((8, 4), ("relu",))
