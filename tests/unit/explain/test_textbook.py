"""Gradients as books print them are those that run, and read as books print them."""

from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.backends.numpy.interpret import interpret
from thalweg.explain.subprograms import last_layer_and_loss
from thalweg.explain.textbook import textbook
from thalweg.program.types import ArrayType

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 3))
TIMES = RANDOM.normal(size=(12, 5, 3))
SMOOTHED = tw.cross_entropy.with_parameters(label_smoothing=0.1)


def surprise(predictions: Any, targets: Any) -> Any:
    return -tw.sum(targets * tw.log(predictions), axis=-1)


CASES: dict[str, tuple[tw.Layer, Any, Any, Any, str]] = {
    "softmax": (
        *(tw.Dense(3, "softmax"), X, np.arange(12) % 3, None),
        "(y - targets) / 12",
    ),
    "smoothed": (
        *(tw.Dense(3, "softmax"), X, np.arange(12) % 3, SMOOTHED),
        "(y - smoothed) / 12",
    ),
    "softmax of times": (
        *(tw.Dense(4, "softmax"), TIMES, np.arange(60).reshape(12, 5) % 4, None),
        "(y - targets) / 60",
    ),
    "sigmoid": (tw.Dense(1, "sigmoid"), X, X[:, 0] > 0, None, "(y - targets) / 12"),
    "perceptron": (tw.Perceptron(), X, X[:, 0] > 0, None, "(y - targets) / 12"),
    "sigmoids": (tw.Dense(2, "sigmoid"), X, 1.0 * (X[:, :2] > 0), None,
                 "(y - targets) / 24"),
    "a loss of one's own": (
        *(tw.Dense(3, "softmax"), X, np.arange(12) % 3, surprise),
        "",  # nothing is known of its targets
    ),
    "no probabilities": (tw.Dense(1, "tanh"), X, X[:, 0], None, ""),
}  # fmt: skip


def fitted(name: str, dtype: Any = "float64") -> tw.Network:
    layer, X, y, loss, _ = CASES[name]
    network = tw.Network([layer])
    how: dict[str, Any] = {"epochs": 1, "validation": None, "loss": loss}
    network.fit(X, y, batch_size="all", dtype=dtype, **how)
    return network


def values_for(type: ArrayType, name: str) -> Any:
    """Inputs far out, and targets that are one-hot or spread, and add up to 1."""
    if type.dtype in ("uint32", "int32"):
        return np.ones(type.shape, type.dtype)
    numbers = 5 * RANDOM.normal(size=type.shape)
    if name != "targets":
        return numbers
    spread = RANDOM.dirichlet(np.ones(type.shape[-1] + 1), type.shape[:-1])[..., 1:]
    if type.shape[-1] > 2:
        spread /= spread.sum(axis=-1, keepdims=True)
    spread[0] = np.eye(type.shape[-1])[0]
    return spread


@pytest.mark.parametrize("name", CASES)
def test_what_is_printed_equals_what_runs(name: str) -> None:
    network = fitted(name)
    assert network.loss is not None
    both = last_layer_and_loss(network.loss, network).both
    adding_up = ["targets"] if network.loss.name == "cross_entropy" else []
    printed = textbook(both, adding_up)
    inputs = {n: values_for(type, n) for n, type in both.inputs.items()}
    runs, shown = interpret(both, inputs), interpret(printed, inputs)
    assert runs.keys() == shown.keys()
    for output, array in runs.items():
        np.testing.assert_allclose(shown[output], array, rtol=1e-6, atol=1e-8)
        assert shown[output].dtype == array.dtype


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_it_reads_as_books_print_it(name: str, dtype: str) -> None:
    text = fitted(name, dtype).explain()
    text = text[text.index("Together with") : text.index("\n\nOptimizer")]
    backward, _, as_it_runs = text.partition("  as it runs")
    expected = CASES[name][-1]
    assert f" dz = {expected}" in backward
    assert (" y = " in backward) == bool(expected)
    assert ("dz = " in as_it_runs) == bool(expected)
    if expected:
        assert expected not in as_it_runs
        assert "dweights" not in as_it_runs  # what is the same isn't said twice
        assert "dweights" in backward


def test_targets_of_which_nothing_is_known_keep_their_sum() -> None:
    network = fitted("softmax")
    assert network.loss is not None
    both = last_layer_and_loss(network.loss, network).both
    inputs = {n: values_for(type, n) for n, type in both.inputs.items()}
    inputs["targets"] = 3 * RANDOM.uniform(size=(12, 3))
    runs, shown = interpret(both, inputs), interpret(textbook(both), inputs)
    np.testing.assert_allclose(shown["gradient.z"], runs["gradient.z"], atol=1e-12)
    wrong = interpret(textbook(both, ["targets"]), inputs)
    assert np.abs(wrong["gradient.z"] - runs["gradient.z"]).max() > 0.1
