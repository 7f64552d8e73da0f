from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.backends.numpy.calls import gradient
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.activations import sigmoid
from thalweg.formulas.layers import (
    Columns,
    Dense,
    Dropout,
    Layer,
    Parameter,
)
from thalweg.formulas.normalization import BatchNorm
from thalweg.formulas.perceptron import Perceptron, perceptron

generator = np.random.default_rng(0)
X = generator.normal(size=(6, 4))


class NumPyRandom:
    """Random numbers as the training loop's, from NumPy."""

    def __init__(self, seed: int = 0) -> None:
        self.generator = np.random.default_rng(seed)

    def uniform(self, shape: tuple[int, ...], /) -> Any:
        return self.generator.uniform(size=shape)


def initialized(layer: Layer, input_shape: tuple[int, ...]) -> SimpleNamespace:
    kept = {**layer.parameters(input_shape), **layer.state(input_shape)}
    return SimpleNamespace(
        **{
            name: p.initializer(p.shape, p.fan_in, p.fan_out, generator)
            for name, p in kept.items()
        }
    )


# Dense -------------------------------------------------------------------------------


def test_dense_is_the_activation_of_weighted_sums() -> None:
    layer = Dense(3, sigmoid)
    p = initialized(layer, (4,))
    p.bias += [1.0, -1.0, 0.5]
    expected = 1 / (1 + np.exp(-(X @ p.weights + p.bias)))
    assert_allclose(layer.forward(X, p), expected, rtol=1e-14)


def test_an_activation_by_name_by_object_and_ones_own_are_the_same() -> None:
    p = initialized(Dense(3), (4,))

    def own(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    by_name = Dense(3, "sigmoid").forward(X, p)
    assert_array_equal(by_name, Dense(3, sigmoid).forward(X, p))
    assert_allclose(by_name, Dense(3, own).forward(X, p), rtol=1e-14)


def test_dense_without_a_bias_has_none() -> None:
    layer = Dense(3, bias=False)
    assert list(layer.parameters((4,))) == ["weights"]
    p = initialized(layer, (4,))
    assert_array_equal(layer.forward(X, p), X @ p.weights)


def test_weights_are_penalized_and_biases_are_not() -> None:
    parameters = Dense(3).parameters((4,))
    assert parameters["weights"].penalized
    assert not parameters["bias"].penalized


@pytest.mark.parametrize(
    ("activation", "initializer", "expected"),
    [
        ("relu", None, "he_uniform"),
        ("gelu", None, "he_uniform"),
        ("selu", None, "lecun_normal"),
        ("tanh", None, "glorot_uniform"),
        (np.tanh, None, "glorot_uniform"),
        ("relu", "zeros", "zeros"),
    ],
)
def test_the_activation_chooses_the_initializer_unless_told(
    activation: Any, initializer: Any, expected: str
) -> None:
    layer = Dense(3, activation, initializer=initializer)
    assert layer.parameters((4,))["weights"].initializer.name == expected


@pytest.mark.parametrize("layer", [Perceptron(), Columns(((0, 1, None),))])
def test_x_that_is_no_table_is_refused(layer: Layer) -> None:
    name = type(layer).__name__
    expected = (
        rf"{name} must be given x of shape \(rows, features\), got \(rows, 5, 4\)"
    )
    with pytest.raises(ShapeError, match=expected):
        layer.parameters((5, 4))
    with pytest.raises(ShapeError, match=expected):
        layer.forward(np.zeros((2, 5, 4)), SimpleNamespace())
    with pytest.raises(ShapeError, match=r"got \(rows,\)"):
        layer.forward(np.zeros(2), SimpleNamespace())


def test_dense_works_on_the_last_axis() -> None:
    x = np.arange(24.0).reshape(2, 4, 3)
    p = SimpleNamespace(weights=np.ones((3, 2)), bias=np.zeros(2))
    assert Dense(2).parameters((4, 3))["weights"].shape == (3, 2)
    expected = np.repeat(x.sum(axis=-1, keepdims=True), 2, axis=-1)
    assert_array_equal(Dense(2).forward(x, p), expected)
    with pytest.raises(ShapeError, match=r"\(rows, …, features\), got \(rows,\)"):
        Dense(2).parameters(())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units must be a whole number, 1 or more, got 0"),
        ({"units": 2.5}, "units must be a whole number, 1 or more, got 2.5"),
        ({"units": 2, "activation": "rleu"}, "did you mean 'relu'"),
        ({"units": 2, "initializer": "glorot"}, "no initializer 'glorot'"),
    ],
)
def test_dense_arguments_that_cannot_be(arguments: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Dense(**arguments)


def test_layers_with_the_same_fields_are_equal() -> None:
    assert Dense(3, "relu") == Dense(3, "relu")
    assert hash(Dense(3, sigmoid)) == hash(Dense(3, sigmoid))
    assert Dense(3, "relu") != Dense(3, "tanh")


@pytest.mark.parametrize(
    ("shape", "fans"),
    [((5, 2), (5, 2)), ((3, 5, 2), (15, 6)), ((4,), (4, 4)), ((), (1, 1))],
)
def test_fans(shape: tuple[int, ...], fans: tuple[int, int]) -> None:
    parameter = Parameter(shape, Dense(1).parameters((1,))["bias"].initializer)
    assert (parameter.fan_in, parameter.fan_out) == fans


# Perceptron --------------------------------------------------------------------------


def test_the_perceptron_of_the_textbook() -> None:
    # g(1 + 3 x₁ − 2 x₂) at (−1, 2)
    z = perceptron([-1.0, 2.0], [3.0, -2.0], 1.0, "identity")
    assert z == -6
    assert perceptron([-1.0, 2.0], [3.0, -2.0], 1.0) == sigmoid(-6.0)
    assert perceptron([-1.0, 2.0], [3.0, -2.0], 1.0, "step") == 0


def test_the_layer_is_the_function_on_rows() -> None:
    layer = Perceptron("tanh")
    p = initialized(layer, (4,))
    p.bias += 0.3
    outputs = layer.forward(X, p)
    assert outputs.shape == (6, 1)
    rows = [perceptron(row, p.weights[:, 0], 0.3, "tanh") for row in X]
    assert_allclose(outputs[:, 0], rows, rtol=1e-14)


def test_a_perceptron_is_a_dense_layer_of_one_unit() -> None:
    layer = Perceptron("tanh")
    assert layer.parameters((4,)) == Dense(1, "tanh").parameters((4,))


# Dropout -----------------------------------------------------------------------------


def test_dropout_leaves_prediction_alone() -> None:
    assert Dropout(0.9).forward(X, SimpleNamespace()) is X


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
def test_dropout_switches_off_its_part_and_keeps_the_mean(rate: float) -> None:
    x = np.full((400, 250), 3.0)
    y, state = Dropout(rate).training_forward(x, SimpleNamespace(), NumPyRandom())
    assert state == {}
    assert set(np.unique(y.round(9))) <= {0.0, round(3 / (1 - rate), 9)}
    # Five standard deviations of the mean of 100,000 switches.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / x.size)
    assert abs((y == 0).mean() - rate) <= tolerance
    assert abs(y.mean() / 3 - 1) <= tolerance / (1 - rate)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4), (2, 2, 3, 2)])
def test_dropout_draws_for_every_number_of_any_rank(shape: tuple[int, ...]) -> None:
    x = 1 + np.arange(500.0 * np.prod(shape)).reshape(500, *shape)
    y, _ = Dropout(0.25).training_forward(x, SimpleNamespace(), NumPyRandom(1))
    kept = np.random.default_rng(1).uniform(size=x.shape) >= 0.25
    assert_array_equal(y, np.where(kept, x / 0.75, 0))
    off = (y == 0).mean(axis=0)
    assert_allclose(off, 0.25, atol=0.08)  # at every position of a row


def test_what_dropout_switches_off_gets_no_gradient() -> None:
    def total(x: Any) -> Any:
        random: Any = SimpleNamespace(
            uniform=lambda _: np.array([[0.1, 0.7, 0.5, 0.49]])
        )
        return Dropout(0.5).training_forward(x, SimpleNamespace(), random)[0]

    assert_array_equal(gradient(total)(np.ones((1, 4))), [[0, 2, 2, 0]])


# Columns -----------------------------------------------------------------------------


def test_columns_go_through_their_layers() -> None:
    layer = Columns(
        ((0, 2, None), (3, 4, tw.Embedding(7, 2)), (1, 3, Dense(3, "tanh")))
    )
    parameters = layer.parameters((4,))
    assert {name: p.shape for name, p in parameters.items()} == {
        "part2_table": (7, 2),
        "part3_weights": (2, 3),
        "part3_bias": (3,),
    }
    p = initialized(layer, (4,))
    x = np.concatenate([X[:, :3], [[0], [6], [2], [2], [1], [0]]], axis=1)
    y = layer.forward(x, p)
    assert_array_equal(y[:, :2], x[:, :2])
    assert_array_equal(y[:, 2:4], p.part2_table[x[:, 3].astype(int)])
    assert_allclose(y[:, 4:], np.tanh(x[:, 1:3] @ p.part3_weights), rtol=1e-14)


def test_columns_pass_on_what_changes_in_training() -> None:
    layer = Columns(((0, 1, None), (1, 4, BatchNorm()), (0, 4, Dropout(0.5))))
    assert list(layer.state((4,))) == ["part2_running_mean", "part2_running_variance"]
    p = initialized(layer, (4,))
    y, state = layer.training_forward(X, p, NumPyRandom())
    assert list(state) == ["part2_running_mean", "part2_running_variance"]
    assert_allclose(state["part2_running_mean"], 0.1 * X[:, 1:].mean(axis=0))
    assert_allclose(y[:, 1:4].mean(axis=0), 0, atol=1e-14)
    assert (y[:, 4:] == 0).any()


@pytest.mark.parametrize("layer", [None, Dense(2)])
def test_columns_that_x_does_not_have_are_refused(layer: Layer | None) -> None:
    wide = Columns(((0, 5, layer),))
    with pytest.raises(ShapeError, match="up to 5, got x of 4 features"):
        wide.parameters((4,))
    with pytest.raises(ShapeError, match="up to 5, got x of 4 features"):
        wide.forward(X, SimpleNamespace())


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), "parts must be one or more"),
        (((-1, 2, None),), "start must be a whole number, 0 or more, got -1"),
        (((2, 2, None),), "stop must be a whole number, 3 or more, got 2"),
        (((0, 2, "dense"),), "layer must be a layer or None, got 'dense'"),
    ],
)
def test_parts_that_cannot_be(parts: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Columns(parts)


# A user's own ------------------------------------------------------------------------


def test_ones_own_layer_needs_forward_alone() -> None:
    @dataclass(frozen=True)
    class Double(Layer):
        def forward(self, x: Any, p: Any) -> Any:
            return 2 * x

    p = initialized(Double(), (4,))
    assert vars(p) == {}
    y, state = Double().training_forward(X, p, NumPyRandom())
    assert_array_equal(y, 2 * X)
    assert state == {}
