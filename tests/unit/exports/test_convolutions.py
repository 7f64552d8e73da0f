"""Convolutions and pools are nodes of ONNX, and lines of NumPy, that give the same."""

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
from support.exported import asked_of_python, outputs
from thalweg.exports import onnx_inputs
from thalweg.exports.onnx_file import onnx_model
from thalweg.kinds.pipeline import Pipeline

random = np.random.default_rng(0)


def model(network: tw.Network) -> Any:
    return onnx_model(onnx, Pipeline.of_network(network))


def operators(graph: Any) -> Counter[str]:
    return Counter(node.op_type for node in graph.graph.node)


def initialized(layers: Any, shape: tuple[int, ...], **options: Any) -> tw.Network:
    network = tw.Network(layers).initialize(shape, **options)
    drawn = {n: random.normal(size=a.shape) for n, a in network.parameters.items()}
    network.set_parameters(drawn)
    return network


def assert_agrees(network: tw.Network, rows: int = 3, close: float = 1e-5) -> Any:
    graph = model(network)
    X = random.normal(size=(rows, *network.shapes.outputs[0])).astype(network.dtype)
    (found,) = outputs(graph.SerializeToString(), {"X": X})
    wanted = network.predict(X)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(
        found, wanted, rtol=close, atol=close * np.abs(wanted).max(initial=1)
    )
    return graph


# Any shape ----------------------------------------------------------------------------


def an_axis(draw: Any, rank: int, most: int) -> tuple[int, ...]:
    """A whole number for each axis, 1 or more."""
    return tuple(draw(st.integers(1, most)) for _ in range(rank))


@st.composite
def convolutions(draw: Any) -> tuple[tw.Layer, tuple[int, ...]]:
    rank = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    sizes, dilations = an_axis(draw, rank, 3), an_axis(draw, rank, 2)
    paddings = ["valid", "same", "reflect", *["causal"] * (rank == 1)]
    reach = max(k * d for k, d in zip(sizes, dilations, strict=True))
    shape = tuple(draw(st.integers(reach + 1, reach + 4)) for _ in range(rank))
    layer = tw.Conv(
        groups * draw(st.integers(1, 3)),
        sizes,
        stride=an_axis(draw, rank, 3),
        padding=draw(st.sampled_from(paddings)),
        dilation=dilations,
        groups=groups,
        activation=draw(st.sampled_from(["identity", "relu", "gelu"])),
        bias=draw(st.booleans()),
    )
    return layer, (*shape, groups * draw(st.integers(1, 2)))


@st.composite
def pools(draw: Any) -> tuple[tw.Layer, tuple[int, ...]]:
    rank = draw(st.integers(1, 3))
    kind = draw(st.sampled_from([tw.MaxPool, tw.MeanPool]))
    sizes, strides = an_axis(draw, rank, 3), an_axis(draw, rank, 3)
    padding = draw(st.sampled_from(["valid", "same"]))
    shape = tuple(draw(st.integers(3, 7)) for _ in range(rank))
    return kind(sizes, strides, padding), (*shape, draw(st.integers(1, 3)))


@st.composite
def transposed(draw: Any) -> tuple[tw.Layer, tuple[int, ...]]:
    rank = draw(st.integers(1, 3))
    strides = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    sizes = tuple(n + draw(st.integers(0, 2)) for n in strides)
    padding = draw(st.sampled_from(["valid", "same"]))
    shape = tuple(draw(st.integers(1, 4)) for _ in range(rank))
    bias, filters = draw(st.booleans()), draw(st.integers(1, 3))
    layer = tw.ConvTranspose(filters, sizes, strides, padding, bias=bias)
    return layer, (*shape, draw(st.integers(1, 3)))


SLOW = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@SLOW
@given(each=convolutions())
def test_a_convolution_is_a_node(each: tuple[tw.Layer, tuple[int, ...]]) -> None:
    layer, shape = each
    found = operators(assert_agrees(initialized([layer], shape)))
    assert isinstance(layer, tw.Conv)
    if layer.groups == 1 or layer.bias:  # else an activation comes before the groups
        assert (found["Conv"], found["Gather"], found["Einsum"]) == (1, 0, 0)
        assert found["Transpose"] == 2


@SLOW
@given(each=pools())
def test_a_pool_is_a_node(each: tuple[tw.Layer, tuple[int, ...]]) -> None:
    found = operators(assert_agrees(initialized([each[0]], each[1])))
    assert isinstance(each[0], tw.MaxPool | tw.MeanPool)
    if np.prod(each[0].size) > 1:
        assert found["MaxPool"] + found["AveragePool"] == 1
        assert found["Gather"] == 0


@SLOW
@given(each=transposed())
def test_a_transposed_convolution_is_a_node(
    each: tuple[tw.Layer, tuple[int, ...]],
) -> None:
    found = operators(assert_agrees(initialized([each[0]], each[1])))
    assert (found["ConvTranspose"], found["Gather"]) == (1, 0)
    assert found["Transpose"] == 2


# Networks -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Own(tw.Layer):
    """Windows of a user's own."""

    formula: Any

    def forward(self, x: Any, p: Any) -> Any:
        return self.formula(x)


@dataclass(frozen=True)
class Normalized(tw.Conv):
    """A convolution whose weights are computed."""

    def forward(self, x: Any, p: Any) -> Any:
        weights = p.weights / tw.sqrt(tw.sum(p.weights**2))
        z = tw.contract(tw.windows(x, (1, 2), (3, 3)), weights, summed=3)
        return z * tw.sigmoid(z) + z


LENET: list[tw.Layer] = [
    *(tw.Conv(6, 5, padding="same", activation="relu"), tw.MaxPool(2)),
    *(tw.Conv(16, 5, activation="tanh"), tw.MeanPool(2), tw.Flatten()),
    tw.Dense(10, "softmax"),
]
NETWORKS: dict[str, tuple[list[tw.Layer], tuple[int, ...], dict[str, int]]] = {
    "LeNet": (LENET, (28, 28, 1), {"Conv": 2, "Transpose": 2, "Gather": 0}),
    "residual": (
        [
            tw.Conv(4, 3, padding="same"),
            tw.Residual([tw.BatchNorm(), tw.Conv(4, 3, padding="same")]),
            tw.Parallel([[tw.Conv(2, 1, activation="elu")], [tw.Conv(3, 1)]]),
            *(tw.GlobalMean(), tw.Dense(2)),
        ],
        (6, 7, 2),
        {"Conv": 4, "Transpose": 1, "Gather": 0},
    ),
    "an autoencoder": (
        [
            tw.Conv(4, 3, 2, "same", activation="relu"),
            tw.ConvTranspose(3, 3, 2, "same", "sigmoid"),
            tw.Conv(1, 3, padding="reflect"),
        ],
        (8, 6, 1),
        {"Conv": 2, "ConvTranspose": 1, "Transpose": 2, "Pad": 2},
    ),
    "norms": (
        [tw.Conv(4, 3), tw.LayerNorm(), tw.GlobalMax(), tw.Dense(2)],
        (6, 6, 3),
        {"Conv": 1, "Transpose": 1},
    ),
    "dense at each place": (
        [tw.Conv(4, 3), tw.Dense(3, "relu"), tw.Conv(2, 3)],
        (7, 7, 3),
        {"Conv": 2, "MatMul": 1, "Transpose": 4},
    ),
    "weights that are computed": (
        [Normalized(3, 3, bias=False), tw.Flatten()],
        (5, 5, 2),
        {"Conv": 1, "Gather": 0},
    ),
    "windows of another axis": (
        [Own(lambda x: tw.max(tw.windows(x, 2, 2), axis=3))],
        (4, 5),
        {"MaxPool": 0, "Gather": 1},
    ),
    "slices and pads": (
        [
            tw.Conv(3, 3, padding="same"),
            Own(lambda x: tw.concatenate([x[:, ::-1, 1:], x[:, :, :0:-2]], axis=2)),
            tw.Conv(2, 2),
        ],
        (6, 6, 2),
        {"Conv": 2, "Transpose": 2},
    ),
    "a number for each place": (
        [
            *(tw.Conv(3, 3, bias=False), tw.MaxPool(1)),
            Own(lambda x: tw.tanh(x + np.ones((4, 4, 1))) + x.shape[1] * x),
        ],
        (6, 6, 2),
        {"Conv": 1},
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_transposes_are_at_the_ends(name: str) -> None:
    layers, shape, wanted = NETWORKS[name]
    network = initialized(layers, shape)
    found = operators(assert_agrees(network))
    assert {each: found[each] for each in wanted} == wanted
    for rows in (1, 7):
        assert_agrees(network, rows)


def test_runtimes_have_no_nodes_for_float64() -> None:
    network = initialized(LENET, (28, 28, 1), dtype="float64")
    found = operators(assert_agrees(network, close=1e-10))
    assert found["Conv"] == 0


def test_weights_stand_in_a_file_once() -> None:
    network = initialized([tw.Conv(8, 3), tw.Flatten()], (6, 6, 4))
    sizes = [sum(each.dims) for each in model(network).graph.initializer if each.dims]
    names = [each.name for each in model(network).graph.initializer]
    assert names.count("1.weights") == 1
    assert len([n for n in sizes if n >= 8]) == 2  # weights and bias


def test_images_of_bytes_are_cast_within_the_graph(tmp_path: Path) -> None:
    X = random.integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)
    layers = [tw.Rescale(1 / 255), tw.Conv(4, 3, activation="relu"), tw.MaxPool(2)]
    network = tw.Network([*layers, tw.Flatten(), tw.Dense(3, "softmax")])
    network.fit(X, random.integers(0, 3, 20), epochs=1, validation=None)
    graph = model(network)
    assert graph.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    found = operators(graph)
    assert (found["Cast"], found["Conv"], found["Gather"]) == (1, 1, 0)
    given = onnx_inputs(network, X)
    (got,) = outputs(graph.SerializeToString(), given)
    np.testing.assert_allclose(got, network.predict(X), rtol=1e-5, atol=1e-6)
    tw.export(network, tmp_path / "network.py")
    assert "sliding_window_view" in (tmp_path / "network.py").read_text()
    got = asked_of_python(tmp_path / "network.py", X)["predict"]
    np.testing.assert_allclose(got, network.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_python_computes_the_same(name: str, tmp_path: Path) -> None:
    layers, shape, _ = NETWORKS[name]
    network = initialized(layers, shape)
    X = random.normal(size=(3, *shape)).astype(np.float32)
    tw.export(network, tmp_path / "network.py")
    found = asked_of_python(tmp_path / "network.py", X)["predict"]
    wanted = network.predict(X)
    np.testing.assert_allclose(
        found, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max()
    )
