from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.calls import gradient
from thalweg.errors import ArgumentError
from thalweg.formulas.activations import (
    ACTIVATIONS,
    activation,
    elu,
    gelu,
    leaky_relu,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    step,
    tanh,
)

# Away from the kinks at 0, where a difference says nothing.
POINTS = np.array([-7.3, -2.1, -0.6, -0.01, 0.02, 0.9, 3.4, 8.8])
vectors = arrays(np.float64, st.integers(1, 9), elements=st.floats(-30, 30))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_is_the_slope(name: str) -> None:
    function, h = activation(name), 1e-5
    if name == "softmax":  # its sum is always 1, so a part of it is differentiated
        function = lambda z: softmax(z)[2]  # noqa: E731
        slopes = [
            (function(POINTS + h * e) - function(POINTS - h * e)) for e in np.eye(8)
        ]
        slope = np.array(slopes) / (2 * h)
    else:
        slope = (function(POINTS + h) - function(POINTS - h)) / (2 * h)
    assert_allclose(gradient(function)(POINTS), slope, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_derivatives_are_finite_far_out(name: str, dtype: Any) -> None:
    z = np.array([-1000, -100, -20, 0, 20, 100, 1000], dtype)
    value, slope = activation(name)(z), gradient(activation(name))(z)
    assert value.dtype == slope.dtype == dtype
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax", "step"}))
def test_nan_stays_nan(name: str) -> None:
    assert np.isnan(activation(name)(np.array([0.0, np.nan]))).tolist() == [False, True]


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_number_in_number_out(name: str) -> None:
    assert type(activation(name)(0.5)) is float
    assert activation(name)(np.full((2, 3), 0.5)).shape == (2, 3)


@pytest.mark.parametrize(
    ("function", "left", "right"),
    [
        (step, 0, 1),
        (sigmoid, 0, 1),
        (tanh, -1, 1),
        (relu, 0, 1000),
        (leaky_relu, -10, 1000),
        (elu, -1, 1000),
        (selu, -1.7580993408473766, 1050.7009873554805),
        (gelu, 0, 1000),
        (silu, 0, 1000),
        (mish, 0, 1000),
        (softplus, 0, 1000),
    ],
)
def test_far_out_each_is_what_it_settles_at(
    function: Any, left: float, right: float
) -> None:
    z = np.array([-1000.0, 1000.0], np.float32)
    assert_allclose(function(z), [left, right], rtol=1e-6)


@given(vectors)
def test_sigmoid_of_minus_z_is_the_rest(z: Any) -> None:
    assert_allclose(sigmoid(-z), 1 - sigmoid(z), rtol=0, atol=1e-15)


@given(vectors)
def test_tanh_is_a_stretched_sigmoid(z: Any) -> None:
    assert_allclose(tanh(z), 2 * sigmoid(2 * z) - 1, atol=1e-14)


@given(vectors)
def test_softplus_of_z_and_minus_z_differ_by_z(z: Any) -> None:
    assert_allclose(softplus(z) - softplus(-z), z, atol=1e-13)


@given(vectors)
def test_the_slope_of_softplus_is_sigmoid(z: Any) -> None:
    assert_allclose(gradient(softplus)(z), sigmoid(z), rtol=1e-13)


@given(vectors, st.floats(-100, 100))
def test_softmax_sums_to_one_and_ignores_a_shift(z: Any, shift: float) -> None:
    assert_allclose(softmax(z).sum(), 1, rtol=1e-13)
    assert_allclose(softmax(z + shift), softmax(z), rtol=1e-10, atol=1e-300)


def test_softmax_of_two_is_the_sigmoid_of_their_difference() -> None:
    z = np.array([[1.0, 3.5], [-2.0, -7.0]])
    assert_allclose(softmax(z)[:, 0], sigmoid(z[:, 0] - z[:, 1]), rtol=1e-14)


def test_softmax_along_another_axis() -> None:
    z = np.array([[1.0, 3.5], [-2.0, -7.0]])
    assert_allclose(softmax(z, axis=0), softmax(z.T).T, rtol=1e-15)


@given(vectors)
def test_gelu_and_silu_leave_z_between_both_sides(z: Any) -> None:
    for function in (gelu, silu):
        assert_allclose(function(z) - function(-z), z, atol=1e-13)


def test_step_has_no_slope_anywhere() -> None:
    assert_array_equal(gradient(step)(np.array([-1.0, 0.0, 2.0])), [0, 0, 0])


def test_slopes_at_the_kink() -> None:
    assert gradient(relu)(0.0) == 0
    assert gradient(leaky_relu)(0.0) == 0.01
    assert gradient(elu)(0.0) == 1


def test_parameters_change_the_left_side() -> None:
    assert leaky_relu(-3.0, slope=0.2) == pytest.approx(-0.6)
    assert elu(-1000.0, alpha=0.3) == pytest.approx(-0.3)


def test_parameters_out_of_range() -> None:
    with pytest.raises(ArgumentError, match=r"slope must be .* greater than 0, got -1"):
        leaky_relu(0.0, slope=-1)
    with pytest.raises(ArgumentError, match=r"alpha must be .* greater than 0, got 0"):
        elu(0.0, alpha=0)


def test_a_function_is_an_activation_as_it_is() -> None:
    assert activation(abs) is abs
