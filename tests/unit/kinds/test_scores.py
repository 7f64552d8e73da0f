"""Metrics against exact arithmetic; what a network has to beat."""

import math
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LogisticRegression

from thalweg.kinds import scores
from thalweg.kinds.scores import (
    constant_outputs,
    finite,
    linear_outputs,
    number_scores,
    repeated,
)

random = np.random.default_rng(0)


def rows_of(data: Any) -> tuple[Any, Any]:
    return data.data, data.target


def linear(X: Any, y: Any, classes: int, codes: int, asked: Any) -> Any:
    return np.vstack([*linear_outputs(X, y, None, classes, codes, asked)])


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


# Any number of float64, those near its limits more often than they'd be drawn.
LARGEST = np.finfo(float).max.item()
TINY = Fraction(1, 10**320)
anything = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 5e-324, 1e-310, 1e39, -1e200, LARGEST, -LARGEST]),
)
weighty = st.one_of(st.floats(0, LARGEST), st.sampled_from([0.0, 5e-324, LARGEST]))


@settings(max_examples=500)
@given(st.lists(st.tuples(anything, anything, weighty), min_size=2, max_size=12))
def test_number_scores_of_any_numbers_are_those_of_exact_arithmetic(
    rows: list[tuple[float, float, float]],
) -> None:
    largest = max(weight for _, _, weight in rows)
    # A weight so small beside another can't be told from 0.
    rows = [(p, t, w if w > largest / 1e250 else 0.0) for p, t, w in rows]
    assume(largest > 1e-290)
    predicted, truth, weights = map(np.array, zip(*rows, strict=True))
    found = number_scores(predicted, truth, weights)
    exact = [tuple(map(Fraction, row)) for row in rows]

    def averaged(of: Callable[[Fraction, Fraction], Fraction]) -> Fraction:
        total = sum((w for _, _, w in exact), Fraction())
        return sum((w * of(p, t) for p, t, w in exact), Fraction()) / total

    mean = averaged(lambda _, t: t)
    squared = averaged(lambda p, t: (p - t) ** 2)
    spread = averaged(lambda _, t: (t - mean) ** 2)
    assert near(found["mae"], averaged(lambda p, t: abs(p - t)))
    assert near(found["rmse"], root(squared))
    # What rounding leaves of equal numbers isn't a spread.
    if spread > mean**2 / 10**16:
        unexplained = squared / spread
        assert near(found["r2"], 1 - unexplained, max(unexplained, Fraction(1)) / 10**8)


def root(square: Fraction) -> Fraction:
    """Its square root, to sixteen digits and more."""
    digits = 10**340
    return Fraction(math.isqrt(int(square * digits**2)), digits)


def near(found: float, wanted: Fraction, tolerance: Fraction = TINY) -> bool:
    """To eight digits; infinite, or nearly so, beyond float64."""
    if abs(wanted) > Fraction(LARGEST) * (1 - Fraction(1, 10**8)):
        return abs(found) > LARGEST * (1 - 1e-8) and (found > 0) == (wanted > 0)
    difference = abs(Fraction(found) - wanted)
    return difference <= max(abs(wanted) / 10**8, tolerance)


@pytest.mark.parametrize("weighted", [False, True])
def test_number_scores_are_scikit_learn_s(weighted: bool) -> None:
    truth, predicted = random.normal(size=(2, 50))
    weights = random.random(50) if weighted else None
    known = truth, predicted
    assert number_scores(predicted, truth, weights) == pytest.approx(
        {
            "rmse": metrics.root_mean_squared_error(*known, sample_weight=weights),
            "mae": metrics.mean_absolute_error(*known, sample_weight=weights),
            "r2": metrics.r2_score(*known, sample_weight=weights),
        }
    )


def test_rows_of_no_weight_may_be_anything() -> None:
    truth, predicted = np.array([1.0, 2.0, 1e308]), np.array([1.0, 3.0, math.inf])
    weights = np.array([1.0, 1.0, 0.0])
    found = number_scores(predicted, truth, weights)
    assert found == pytest.approx({"rmse": 0.5**0.5, "mae": 0.5, "r2": -1.0})


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
    best = constant_outputs(truth, None, 4)
    other = (1 - part) * best + part * 0.25
    chosen = np.zeros(len(y), int)
    loss = [-np.log(g[chosen, truth]).mean() for g in (best, other)]
    assert loss[0] <= loss[1] + 1e-12


def test_the_constant_guess_of_a_number_is_the_weighted_mean() -> None:
    guess = constant_outputs(np.array([1.0, 4.0]), np.array([2.0, 1.0]), 0)
    assert np.vstack([*repeated(guess, 3)]).tolist() == [[2.0], [2.0], [2.0]]


def test_the_linear_model_is_logistic_regression() -> None:
    X, y = rows_of(load_iris())
    model = LogisticRegression(max_iter=1000).fit(X, y)
    found = linear(X, y, 3, 0, X)
    assert found == pytest.approx(model.predict_proba(X))


def test_the_linear_model_beats_the_constant_guess_on_numbers() -> None:
    X, y = rows_of(load_diabetes())
    constant = constant_outputs(y, None, 0)
    assert ((linear(X, y, 0, 0, X)[:, 0] - y) ** 2).mean() < (
        (constant[0] - y) ** 2
    ).mean()


def test_category_numbers_are_spread_out_for_the_linear_model() -> None:
    codes = np.tile(np.arange(4), 25)
    X = np.column_stack([np.zeros(100), codes]).astype(np.float32)
    y = np.array([0, 1, 0, 1])[codes]  # no line through the numbers tells these apart
    unseen = np.array([[0, 9]], np.float32)
    outputs = linear(X, y, 2, 1, np.vstack([X, unseen]))
    assert (outputs[:-1].argmax(axis=1) == y).all()
    assert outputs[-1] == pytest.approx([0.5, 0.5], abs=0.05)


def test_a_class_without_training_rows_gets_no_probability() -> None:
    X = random.normal(size=(20, 2))
    outputs = linear(X, np.tile([0, 2], 10), 3, 0, X)
    assert (outputs[:, 1] == 0).all()


def test_a_single_class_in_training_is_certain() -> None:
    X = random.normal(size=(20, 2))
    outputs = linear(X, np.ones(20, int), 2, 0, X[:3])
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
