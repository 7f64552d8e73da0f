from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.calls import compile, gradient
from thalweg.errors import ArgumentError
from thalweg.formulas.clipping import clip_by_global_norm
from thalweg.formulas.penalties import L1, L2, Penalties, penalty

W = np.array([[1.5, -2.0], [0.0, 0.25]])
vectors = arrays(np.float64, st.integers(1, 9), elements=st.floats(-1e3, 1e3))


def test_penalties_are_sums_over_all_weights() -> None:
    assert L1(0.2)(W) == pytest.approx(0.2 * 3.75)
    assert L2(0.2)(W) == pytest.approx(0.2 * (2.25 + 4 + 0.0625))


def test_l1_pulls_with_one_strength_and_l2_in_proportion() -> None:
    assert_allclose(gradient(L1(0.2))(W), 0.2 * np.sign(W))
    assert_allclose(gradient(L2(0.2))(W), 0.4 * W)


def test_penalties_add_up() -> None:
    both = L1(0.1) + L2(0.2)
    assert both(W) == pytest.approx(L1(0.1)(W) + L2(0.2)(W))
    assert (both + L1(0.1))(W) == pytest.approx(L1(0.2)(W) + L2(0.2)(W))
    assert penalty([L1(0.1), L2(0.2)]) == both


def test_no_penalty_costs_nothing() -> None:
    assert penalty(None)(W) == 0
    assert penalty(L1(0.3)) == L1(0.3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: L1(-0.1), "rate must be a number, 0 or more, got -0.1"),
        (lambda: L2("big"), "rate must be a number, 0 or more, got 'big'"),  # pyright: ignore
        (lambda: penalty([0.1]), "penalty must be L1, L2 or a Penalty, got 0.1"),  # pyright: ignore
        (lambda: penalty(0.1), "penalty must be L1, L2 or a Penalty, got 0.1"),  # pyright: ignore
        (lambda: Penalties((L1,)), "penalty must be L1, L2 or a Penalty"),  # pyright: ignore
    ],
)
def test_what_is_no_penalty_is_refused(build: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        build()


@given(vectors, st.floats(1e-3, 1e3))
def test_a_clipped_gradient_is_short_enough_and_points_the_same_way(
    g: Any, max_norm: float
) -> None:
    clipped = clip_by_global_norm(g, max_norm)
    assert np.linalg.norm(clipped) <= max_norm * (1 + 1e-12)
    assert_allclose(clipped * np.linalg.norm(g), g * np.linalg.norm(clipped), atol=1e-6)


@given(vectors)
def test_a_short_gradient_stays_as_it_is(g: Any) -> None:
    assert_array_equal(clip_by_global_norm(g, 1e4), g)


def test_clipping_is_recorded_as_it_computes() -> None:
    g = np.array([3.0, 4.0], np.float32)
    clipped = compile(lambda g: clip_by_global_norm(g, 1.0))(g)
    assert clipped.dtype == np.float32
    assert_allclose(clipped, [0.6, 0.8], rtol=1e-6)


def test_a_gradient_of_nan_stays_nan() -> None:
    assert np.isnan(clip_by_global_norm(np.array([1.0, np.nan]), 1.0)).all()


def test_a_norm_that_cannot_be() -> None:
    with pytest.raises(
        ArgumentError, match=r"max_norm must be .* greater than 0, got 0"
    ):
        clip_by_global_norm(W, 0)
