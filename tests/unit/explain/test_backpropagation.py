"""What backpropagation gives is what finite differences, and a step of SGD, say."""

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import NotFittedError, ShapeError
from thalweg.formulas.activations import activation

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(30, 4))
IMAGES = RANDOM.normal(size=(12, 6, 6, 1))
BINARY = (X[:, 0] > 0).astype(int)
CLASSES = np.digitize(X[:, 0], [-0.5, 0.5])
NUMBERS = X @ [1.0, -2.0, 0.5, 0.0]
SOFTMAX, SIGMOID = tw.Dense(3, "softmax"), tw.Dense(1, "sigmoid")

CASES: dict[str, tuple[list[Any], Any, Any, dict[str, Any]]] = {
    "sigmoid": ([tw.Dense(5, "tanh"), tw.Dropout(0.3), SIGMOID], X, BINARY, {}),
    "softmax": ([tw.Dense(5, "gelu"), SOFTMAX], X, CLASSES, {}),
    "numbers": ([tw.Dense(5, "silu"), tw.Dense(1)], X, NUMBERS, {}),
    "two numbers": ([tw.Dense(2)], X, X[:, :2], {"loss": "huber"}),
    "a perceptron": ([tw.Perceptron("sigmoid")], X, BINARY, {}),
    "an own activation": (
        [tw.Dense(4, lambda z: tw.tanh(z) * z), tw.Dense(1)],
        *(X, NUMBERS, {}),
    ),
    "a standing mean": ([tw.Dense(4), tw.BatchNorm(), SIGMOID], X, BINARY, {}),
    "images": (
        [tw.Conv(2, 3, activation="tanh"), tw.Flatten(), SOFTMAX],
        *(IMAGES, CLASSES[:12], {}),
    ),
    "groups, which end in a transposition": (
        [
            tw.Conv(4, 3, activation="silu", bias=False),
            tw.Conv(4, 3, activation="tanh", bias=False, groups=2),
            tw.ConvTranspose(2, 3, activation="relu", bias=False),
            tw.Flatten(),
            SOFTMAX,
        ],
        *(IMAGES, CLASSES[:12], {}),
    ),
}


def fitted(name: str, dtype: Any, **more: Any) -> tuple[tw.Network, Any, Any]:
    layers, X, y, how = CASES[name]
    network = tw.Network(layers)
    options: dict[str, Any] = {"epochs": 2, "validation": None, **how, **more}
    network.fit(X, y, dtype=dtype, **options)
    return network, X, y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_finite_differences(name: str, dtype: str) -> None:
    network, X, y = fitted(name, dtype)
    for rows in (slice(3, 4), slice(None)):
        found = network.backpropagation(X[rows], y[rows])
        slopes = network.finite_differences(X[rows], y[rows])
        exact = 1e-8 if dtype == "float64" else 2e-6
        np.testing.assert_allclose(found.gradient, slopes, rtol=1e-6, atol=exact)
        assert found.gradient.dtype == found.losses.dtype == dtype
        by_name = [each.ravel() for each in found.gradients.values()]
        np.testing.assert_array_equal(np.concatenate(by_name), found.gradient)
        assert found.gradients.keys() == network.parameters.keys()
        loss = network.evaluate(X[rows], y[rows])["loss"]
        assert found.losses.mean() == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_layers_are_what_prediction_goes_through(name: str) -> None:
    network, X, y = fitted(name, "float32")
    found, outputs = network.backpropagation(X, y), network.outputs(X)
    assert len(outputs) == len(network.layers)
    np.testing.assert_array_equal(outputs[-1], network.predict(X))
    for number, layer in found.layers.items():
        np.testing.assert_array_equal(layer.a, outputs[number - 1])
        assert layer.z.shape == layer.a.shape == layer.delta.shape
        np.testing.assert_array_equal(
            outputs[number - 1], network.feature_maps(X, number)
        )


def losses_from(network: tw.Network, number: int, z: Any, y: Any) -> Any:
    """Rows' losses where the sums of a layer are z, by NumPy."""
    x = activation(network.layers[number - 1].activation)(z)  # pyright: ignore
    values = {**network.parameters, **network.state}
    for behind, layer in enumerate(network.layers[number:], number + 1):
        own = {n[2:]: a for n, a in values.items() if n[0] == str(behind)}
        x = layer.forward(x, SimpleNamespace(**own))  # pyright: ignore
    assert network.loss is not None
    return network.loss.per_row(x, y)


@pytest.mark.parametrize("name", CASES)
def test_delta_is_how_a_rows_own_loss_moves_with_its_sums(name: str) -> None:
    network, X, y = fitted(name, "float64")
    y = y if y.ndim > 1 or y.dtype.kind == "i" else y[:, None]
    found = network.backpropagation(X, y)
    for number, layer in found.layers.items():
        step = 1e-6 * np.random.default_rng(1).normal(size=layer.z.shape)
        above = losses_from(network, number, layer.z + step, y)
        below = losses_from(network, number, layer.z - step, y)
        expected = (layer.delta * step).reshape(len(X), -1).sum(axis=1)
        np.testing.assert_allclose((above - below) / 2, expected, atol=1e-14, rtol=1e-6)
        assert np.abs(layer.delta).max() > 1e-3


@pytest.mark.parametrize("name", ["sigmoid", "softmax"])
def test_delta_of_probabilities_is_the_prediction_less_the_truth(name: str) -> None:
    network, X, y = fitted(name, "float64")
    truth = np.eye(3)[y] if name == "softmax" else y[:, None]
    delta = network.backpropagation(X, y).layers[len(network.layers)].delta
    np.testing.assert_allclose(delta, network.predict(X) - truth, atol=1e-12)


def test_deltas_follow_the_chain_rule_as_it_is_printed() -> None:
    network, X, y = fitted("sigmoid", "float64")
    found, weights = network.backpropagation(X, y), network.parameters["3.weights"]
    first, last = found.layers[1], found.layers[3]
    expected = last.delta @ weights.T * (1 - first.a**2)
    np.testing.assert_allclose(first.delta, expected, atol=1e-12)
    by_weights = X.T @ first.delta / len(X)
    np.testing.assert_allclose(found.gradients["1.weights"], by_weights, atol=1e-12)


def test_a_step_of_gradient_descent_takes_this_gradient() -> None:
    layers = [tw.Dense(5, "tanh"), SOFTMAX]
    network = tw.Network(layers)
    how: dict[str, Any] = {"optimizer": tw.SGD(0.5), "validation": None}
    network.fit(X, CLASSES, epochs=3, batch_size="all", dtype="float64", **how)
    before = network.memory.parameters.copy()
    gradient = network.backpropagation(X, CLASSES).gradient
    network.fit(X, CLASSES, epochs=1, batch_size="all", warm_start=True,
                dtype="float64", early_stopping=None, **how)  # fmt: skip
    after = network.memory.parameters
    np.testing.assert_allclose(after, before - 0.5 * gradient, atol=1e-14)


def test_many_rows_are_taken_in_parts() -> None:
    network, _, _ = fitted("sigmoid", "float64")
    many, y = np.tile(X, (200, 1)), np.tile(BINARY, 200)
    whole, once = network.backpropagation(many, y), network.backpropagation(X, BINARY)
    np.testing.assert_allclose(whole.gradient, once.gradient, atol=1e-12)
    assert len(whole.losses) == len(whole.layers[1].delta) == 6000


def test_an_own_formula_is_traced_once_for_a_network() -> None:
    calls: list[int] = []

    def own(z: Any) -> Any:
        calls.append(1)
        return tw.tanh(z)

    network = tw.Network([tw.Dense(3, own), tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=1, validation=None)

    def look(rows: int) -> None:
        network.outputs(X[:rows])
        network.feature_maps(X[:rows], 1)
        network.backpropagation(X[:rows], NUMBERS[:rows])
        network.finite_differences(X[:rows], NUMBERS[:rows])

    look(1)
    traced = len(calls)
    for rows in (1, 7, 30):
        look(rows)
    assert len(calls) == traced
    copied = copy.deepcopy(network)
    gradient = network.backpropagation(X, NUMBERS).gradient
    network.set_parameters({"2.bias": [9.0]})
    assert (copied.backpropagation(X, NUMBERS).gradient == gradient).all()


def test_a_layer_of_ones_own_is_passed_through() -> None:
    class Doubled(tw.Dense):
        def forward(self, x: Any, p: Any) -> Any:
            return 2 * super().forward(x, p)

    network = tw.Network([Doubled(3, "tanh"), tw.Dense(1)])
    network.fit(X, NUMBERS, epochs=1, validation=None, dtype="float64")
    found = network.backpropagation(X, NUMBERS)
    assert list(found.layers) == [2]
    slopes = network.finite_differences(X, NUMBERS)
    np.testing.assert_allclose(found.gradient, slopes, atol=1e-8)


def test_nothing_is_changed() -> None:
    network, X, y = fitted("a standing mean", "float32")
    before = {**network.parameters, **network.state}
    network.backpropagation(X, y)
    network.finite_differences(X, y)
    for name, array in {**network.parameters, **network.state}.items():
        np.testing.assert_array_equal(array, before[name])


def test_what_is_missing_is_told() -> None:
    network = tw.Network([tw.Dense(1)])
    with pytest.raises(NotFittedError, match="no parameters"):
        network.outputs(X)
    network.initialize(4)
    with pytest.raises(NotFittedError, match="it has no loss"):
        network.backpropagation(X, NUMBERS)
    with pytest.raises(ShapeError, match="as in training"):
        network.outputs(X[:, :3])
