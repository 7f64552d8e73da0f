from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.calls import gradient
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.layers import Layer
from thalweg.formulas.normalization import BatchNorm, LayerNorm, RMSNorm

generator = np.random.default_rng(0)
X = generator.normal(5, 3, (40, 4))
UNUSED: Any = None


def plain(features: int) -> SimpleNamespace:
    return SimpleNamespace(
        scale=np.ones(features),
        shift=np.zeros(features),
        running_mean=np.zeros(features),
        running_variance=np.ones(features),
    )


@given(st.floats(-100, 100), st.floats(0.5, 100))
def test_batches_get_mean_0_and_variance_1(shift: float, scale: float) -> None:
    y, _ = BatchNorm().training_forward(shift + scale * X, plain(4), UNUSED)
    assert_allclose(y.mean(axis=0), 0, atol=1e-10)
    assert_allclose(y.var(axis=0), 1, rtol=1e-4)


@given(st.floats(-100, 100), st.floats(0.5, 100))
def test_rows_get_mean_0_and_variance_1(shift: float, scale: float) -> None:
    y = LayerNorm().forward(shift + scale * X, plain(4))
    assert_allclose(y.mean(axis=1), 0, atol=1e-10)
    assert_allclose(y.var(axis=1), 1, rtol=1e-2)


def test_running_statistics_come_to_those_of_the_data() -> None:
    p = plain(4)
    for _ in range(200):
        _, state = BatchNorm().training_forward(X, p, UNUSED)
        p = SimpleNamespace(**{**vars(p), **state})
    assert_allclose(p.running_mean, X.mean(axis=0), rtol=1e-6)
    assert_allclose(p.running_variance, X.var(axis=0, ddof=1), rtol=1e-6)


def test_prediction_uses_running_statistics_row_by_row() -> None:
    p = plain(4)
    p.running_mean, p.running_variance = X.mean(axis=0), X.var(axis=0)
    whole = BatchNorm().forward(X, p)
    assert_array_equal(whole[7:8], BatchNorm().forward(X[7:8], p))
    assert_allclose(whole.std(axis=0), 1, rtol=1e-4)


def test_a_batch_of_one_row_is_treated_as_in_prediction() -> None:
    p = plain(4)
    p.running_mean, p.running_variance = X.mean(axis=0), X.var(axis=0)
    y, state = BatchNorm().training_forward(X[:1], p, UNUSED)
    assert_array_equal(y, BatchNorm().forward(X[:1], p))
    assert state == {}


def test_with_more_axes_all_but_the_last_are_rows() -> None:
    y, state = BatchNorm().training_forward(X.reshape(8, 5, 4), plain(4), UNUSED)
    flat, flat_state = BatchNorm().training_forward(X, plain(4), UNUSED)
    assert_allclose(y.reshape(40, 4), flat, rtol=1e-12)
    assert_allclose(state["running_variance"], flat_state["running_variance"])


@pytest.mark.parametrize("shape", [(9,), (8, 5), (4, 3, 6), (2, 3, 2, 4)])
def test_norms_of_any_rank_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    x = generator.normal(2, 3, (*shape, 4))
    rows = tuple(range(len(shape)))
    y, state = BatchNorm(0.2).training_forward(x, plain(4), UNUSED)
    mean, variance = x.mean(rows), x.var(rows)
    assert_allclose(y, (x - mean) / np.sqrt(variance + 1e-5), rtol=1e-10)
    assert_allclose(state["running_mean"], 0.2 * mean)
    assert_allclose(state["running_variance"], 0.8 + 0.2 * x.var(rows, ddof=1))
    y = LayerNorm().forward(x, plain(4))
    own = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
    assert_allclose(y, (x - x.mean(-1, keepdims=True)) / own, rtol=1e-10)
    y = RMSNorm(0.1).forward(x, plain(4))
    assert_allclose(y, x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 0.1), rtol=1e-10)


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm()])
def test_scale_and_shift_are_those_of_features(layer: Layer) -> None:
    parameters = layer.parameters((5, 4))
    assert {name: p.shape for name, p in parameters.items()} == {
        "scale": (4,),
        "shift": (4,),
    }
    p = plain(4)
    normal, _ = layer.training_forward(X, p, UNUSED)
    p.scale, p.shift = np.arange(4.0), np.arange(4.0) - 1
    y, _ = layer.training_forward(X, p, UNUSED)
    assert_allclose(y, p.scale * normal + p.shift, rtol=1e-12)


def test_a_root_mean_square_is_scaled_and_not_shifted() -> None:
    assert {n: p.shape for n, p in RMSNorm().parameters((5, 4)).items()} == {
        "scale": (4,)
    }
    p = plain(4)
    normal = RMSNorm().forward(X, p)
    assert_allclose(np.mean(normal**2, axis=1), 1, rtol=1e-4)
    assert_allclose(RMSNorm().forward(7 * X, p), normal, rtol=1e-4)
    p.scale = np.arange(4.0)
    assert_allclose(RMSNorm().forward(X, p), p.scale * normal, rtol=1e-12)


def test_what_does_not_fit_a_root_mean_square_is_refused() -> None:
    with pytest.raises(ArgumentError, match="epsilon must be a number greater than 0"):
        RMSNorm(0)
    with pytest.raises(ShapeError, match=r"x of shape \(rows, …, features\)"):
        RMSNorm().parameters(())


@pytest.mark.parametrize("layer", [BatchNorm(), LayerNorm(), RMSNorm()])
def test_the_gradient_goes_through_mean_and_variance(layer: Layer) -> None:
    weigh, direction = generator.normal(size=(2, *X.shape))

    def formula(x: Any) -> Any:
        return layer.training_forward(x, plain(4), UNUSED)[0] * weigh

    h = 1e-5
    rise = formula(X + h * direction).sum() - formula(X - h * direction).sum()
    slope = (gradient(formula)(X) * direction).sum()
    assert_allclose(slope, rise / (2 * h), rtol=1e-7)


@pytest.mark.parametrize("momentum", [0, 1.1, -0.1])
def test_momentum_out_of_range(momentum: float) -> None:
    with pytest.raises(ArgumentError, match=r"momentum must be in \(0, 1\]"):
        BatchNorm(momentum=momentum)
