"""Recurrent layers are nodes of ONNX; what only looks like one stays a loop."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thalweg as tw
from support.exported import outputs
from thalweg.exports.onnx_file import onnx_model
from thalweg.kinds.pipeline import Pipeline

random = np.random.default_rng(0)
RECURRENT = ("RNN", "LSTM", "GRU", "Loop")


def model(network: tw.Network) -> Any:
    return onnx_model(onnx, Pipeline.of_network(network))


def operators(graph: Any) -> dict[str, int]:
    """How many nodes there are for what goes through times."""
    found = Counter(node.op_type for node in graph.graph.node)
    return {name: found[name] for name in RECURRENT if found[name]}


def initialized(layers: Any, shape: tuple[int, ...], **options: Any) -> tw.Network:
    network = tw.Network(layers).initialize(shape, **options)
    drawn = {n: random.normal(size=a.shape) for n, a in network.parameters.items()}
    network.set_parameters(drawn)
    return network


def assert_agrees(network: tw.Network, rows: int = 3) -> dict[str, int]:
    graph = model(network)
    X = random.normal(size=(rows, *network.shapes.outputs[0])).astype(network.dtype)
    (found,) = outputs(graph.SerializeToString(), {"X": X})
    wanted = network.predict(X)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    return operators(graph)


def assert_agrees_on_lengths(network: tw.Network) -> dict[str, int]:
    """Whatever lies behind a row's last time."""
    network.takes_lengths = True
    graph, (times, features) = model(network), network.shapes.outputs[0]
    X = random.normal(size=(4, times, features)).astype("float32")
    lengths = random.integers(1, times + 1, 4).astype("int32")
    (found,) = outputs(graph.SerializeToString(), {"X": X, "lengths": lengths})
    wanted = network.predict([x[:n] for x, n in zip(X, lengths, strict=True)])
    for one, other in zip(found, wanted, strict=True):
        there = one[: len(other)] if other.ndim > 1 else one
        np.testing.assert_allclose(there, other, rtol=1e-5, atol=1e-5)
    return operators(graph)


# Any layer ----------------------------------------------------------------------------

Recurring = tw.Recurrent | tw.Bidirectional


@st.composite
def layers(draw: Any) -> Recurring:
    activation, units = (
        draw(st.sampled_from(["tanh", "relu", "sigmoid"])),
        draw(st.integers(1, 5)),
    )
    cells = (tw.RNN(units, activation), tw.LSTM(units), tw.GRU(units))
    sequences, way = draw(st.booleans()), draw(st.integers(0, 2))
    one = tw.Recurrent(draw(st.sampled_from(cells)), way == 1, sequences)
    return tw.Bidirectional(one) if way == 2 else one


FEW = settings(
    suppress_health_check=[HealthCheck.too_slow], max_examples=12, deadline=None
)


@FEW
@given(layers(), st.integers(1, 6), st.integers(1, 4), st.sampled_from([1, 3]))
def test_a_layer_is_a_node(
    layer: Recurring, times: int, features: int, rows: int
) -> None:
    found = assert_agrees(initialized([layer], (times, features)), rows)
    assert found == {type(layer.own_cell).__name__: 1}


@pytest.mark.parametrize("layer", [tw.LSTM(2), tw.Bidirectional(tw.GRU(2)), tw.RNN(2)])
def test_there_may_be_no_rows(layer: tw.Layer) -> None:
    graph = model(initialized([layer], (5, 3))).SerializeToString()
    (found,) = outputs(graph, {"X": np.zeros((0, 5, 3), "float32")})
    assert found.shape == (0, 5, 4 if isinstance(layer, tw.Bidirectional) else 2)


@FEW
@given(layers(), st.integers(1, 6), st.integers(1, 4))
def test_it_takes_lengths(layer: Recurring, times: int, features: int) -> None:
    found = assert_agrees_on_lengths(initialized([layer], (times, features)))
    assert found == {type(layer.own_cell).__name__: 1}


# Networks -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Within(tw.Layer):
    """A user's layer, in which there is one of thalweg's."""

    factor: float

    def parameters(self, input_shape: Any) -> Any:
        return tw.LSTM(3).parameters(input_shape)

    def forward(self, x: Any, p: Any) -> Any:
        if self.factor != 1:
            p = Scaled(p, self.factor)
        return tw.tanh(tw.LSTM(3).forward(x * 2, p)) * self.factor


@dataclass(frozen=True)
class Scaled:
    p: Any
    factor: float

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.p, name)
        return found * self.factor if name == "weights" else found


@dataclass(frozen=True)
class Peculiar(tw.LSTM):
    """One line is another: the memory is shown as it is."""

    def step(self, x: Any, state: Any, p: Any) -> Any:
        h, c = state
        i, f, g, o = tw.split(x @ p.weights + h @ p.recurrent + p.bias, 4)
        c = tw.sigmoid(f) * c + tw.sigmoid(i) * tw.tanh(g)
        return tw.sigmoid(o) * c, c


SOME = {
    "one behind the other": (
        [tw.Bidirectional(tw.LSTM(3)), tw.GRU(2), tw.Dense(2, "softmax")],
        {"LSTM": 1, "GRU": 1},
    ),
    "around and behind": (
        [tw.Residual([tw.GRU(3)]), tw.LayerNorm(), tw.RNN(2), tw.Last()],
        {"RNN": 1, "GRU": 1},
    ),
    "behind windows": (
        [tw.Conv(4, 2), tw.LSTM(3), tw.Flatten(), tw.Dense(1)],
        {"LSTM": 1},
    ),
    "within a user's": ([Within(1.0)], {"LSTM": 1}),
    "of other parameters": ([Within(0.5)], {"Loop": 1}),
    "of another activation": ([tw.RNN(3, "softplus")], {"Loop": 1}),
    "with another line": ([Peculiar(3)], {"Loop": 1}),
}
every_network = pytest.mark.parametrize("name", SOME)


@every_network
def test_what_is_and_what_is_not(name: str) -> None:
    stack, meant = SOME[name]
    assert assert_agrees(initialized(stack, (5, 3))) == meant


@pytest.mark.parametrize("name", ["around and behind", "with another line"])
def test_with_lengths(name: str) -> None:
    stack, meant = SOME[name]
    assert assert_agrees_on_lengths(initialized(stack, (5, 3))) == meant


def test_windows_before_it_leave_fewer_times() -> None:
    network = initialized([tw.Conv(4, 2, 2), tw.LSTM(3)], (8, 3))
    network.takes_lengths = True
    X = [random.normal(size=(n, 3)).astype("float32") for n in (8, 3, 5, 2)]
    given = np.stack([np.pad(x, ((0, 8 - len(x)), (0, 0))) for x in X])
    graph = model(network)
    lengths = np.array([8, 3, 5, 2], "int32")
    (found,) = outputs(graph.SerializeToString(), {"X": given, "lengths": lengths})
    for one, other in zip(found, network.predict(X), strict=True):
        np.testing.assert_allclose(one[: len(other)], other, rtol=1e-5, atol=1e-5)
    assert operators(graph) == {"LSTM": 1}


def test_what_no_runtime_computes_is_a_loop() -> None:
    network = initialized([tw.LSTM(3)], (5, 2), dtype="float64")
    assert assert_agrees(network) == {"Loop": 1}


def test_weights_keep_their_names(tmp_path: Path) -> None:
    network = initialized([tw.Bidirectional(tw.GRU(2))], (4, 3))
    network.save(tmp_path / "network.thalweg")
    loaded: Any = tw.load(tmp_path / "network.thalweg")
    graph = model(loaded).graph
    (node,) = (each for each in graph.node if each.op_type == "GRU")
    assert list(node.input)[1:] == ["1.weights", "1.recurrent", "1.bias"]
    assert {each.name: list(each.dims) for each in graph.initializer}.items() >= {
        "1.weights": [2, 6, 3],
        "1.recurrent": [2, 6, 2],
        "1.bias": [2, 12],
    }.items()
