"""A network at one time after the other, in ONNX and in Python."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from support.cells import NormedLSTM
from support.exported import assert_near, run_python, session
from support.streams import FEATURES, TIMES, drawn, series, streamed

NETWORKS: dict[str, tuple[list[tw.Layer], tuple[int, ...]]] = {
    "lstm": ([tw.LSTM(6), tw.Dense(3, "softmax")], (TIMES, FEATURES)),
    "own cell": ([NormedLSTM(5), tw.GRU(3)], (TIMES, FEATURES)),
    "last": ([tw.GRU(3), tw.Last(), tw.Dense(2)], (TIMES, FEATURES)),
    "nothing kept": ([tw.Dense(3)], (TIMES, FEATURES)),
    "classes": ([tw.Embedding(9, 4), tw.RNN(3), tw.Dense(9, "softmax")], (TIMES,)),
    "transformer": (
        [
            tw.Positions(),
            tw.TransformerBlock(2, 8, causal=True, positions="rotary"),
            tw.Conv(3, 3, padding="causal"),
            tw.Residual(tw.GRU(3)),
        ],
        (TIMES, FEATURES),
    ),
    "sine": (
        [tw.Positions("sine"), tw.Attention(2, causal=True)],
        (TIMES, FEATURES),
    ),
}
every_network = pytest.mark.parametrize("name", NETWORKS)
DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}


def network_and_rows(name: str, rows: int) -> tuple[tw.Network, Any]:
    layers, shape = NETWORKS[name]
    X = series(rows, shape)
    return drawn(layers, shape), X if len(shape) > 1 else np.abs(X * 5).astype(int) % 9


class OfGraph:
    """The stream of a graph: what it gives is what it takes the next time."""

    def __init__(self, path: Path, rows: int) -> None:
        self.session = session(path)
        self.names = [each.name for each in self.session.get_outputs()]
        self.kept = {
            each.name: np.zeros(
                [rows if size == "rows" else size for size in each.shape],
                DTYPES.get(each.type, "int32"),
            )
            for each in self.session.get_inputs()
            if each.name != "X"
        }

    def __call__(self, x: Any) -> Any:
        inputs = {**self.kept, "X": np.ascontiguousarray(x, np.float32)}
        found = self.session.run(None, inputs)
        given = dict(zip(self.names, map(np.asarray, found), strict=True))
        predictions = given.pop("predictions")
        for name, array in given.items():
            short = name.removeprefix("new.")
            self.kept["time" if short == "time" else f"kept.{short}"] = array
        return predictions


@every_network
def test_a_graph_streams_alike(name: str, tmp_path: Path) -> None:
    for rows in (1, 3):
        network, X = network_and_rows(name, rows)
        tw.export(network.stream(), tmp_path / "stream.onnx")
        found = streamed(OfGraph(tmp_path / "stream.onnx", rows), X)
        assert_near(found, streamed(network.stream(rows), X))


@every_network
def test_a_file_of_python_streams_alike(name: str, tmp_path: Path) -> None:
    path = tmp_path / "stream.py"
    for rows in (1, 3):
        network, X = network_and_rows(name, rows)
        tw.export(network.stream(), path)
        stream = runpy.run_path(str(path))["Stream"](rows)
        meant = streamed(network.stream(rows), X)
        assert_near(streamed(stream, X), meant)
        stream.reset()
        assert_near(streamed(stream, X), meant)


def test_a_file_of_python_is_a_program(tmp_path: Path) -> None:
    network, X = network_and_rows("lstm", 1)
    tw.export(network.stream(), tmp_path / "stream.py")
    np.savetxt(tmp_path / "series.csv", X[0], delimiter=",")
    printed = run_python(tmp_path / "stream.py", tmp_path / "series.csv")
    assert_near(np.array(printed, float), network.predict(X)[0])


def test_its_names_and_shapes(tmp_path: Path) -> None:
    network, _ = network_and_rows("transformer", 1)
    tw.export(network.stream(), tmp_path / "stream.onnx")
    graph = session(tmp_path / "stream.onnx")
    assert {each.name: each.shape for each in graph.get_inputs()} == {
        "X": ["rows", FEATURES],
        "kept.2.1.2.keys": ["rows", 2, TIMES, 2],
        "kept.2.1.2.values": ["rows", 2, TIMES, 2],
        "kept.3.inputs": ["rows", 2, FEATURES],
        "kept.4.1.h": ["rows", 3],
        "time": [],
    }
    assert [each.name for each in graph.get_outputs()] == [
        "predictions",
        "new.2.1.2.keys",
        "new.2.1.2.values",
        "new.3.inputs",
        "new.4.1.h",
        "new.time",
    ]


def test_what_a_stream_computes_is_written(tmp_path: Path) -> None:
    network, X = network_and_rows("last", 1)
    stream = network.stream()
    network.fit(series(9), np.ones((9, 2)), epochs=1, validation=None)
    tw.export(stream, tmp_path / "stream.py")
    python = runpy.run_path(str(tmp_path / "stream.py"))["Stream"]()
    assert_near(streamed(python, X), streamed(stream, X))


def test_there_is_room_for_so_many_times(tmp_path: Path) -> None:
    network, X = network_and_rows("sine", 1)
    stream = network.stream()
    tw.export(stream, tmp_path / "stream.py")
    tw.export(stream, tmp_path / "stream.onnx")
    python = runpy.run_path(str(tmp_path / "stream.py"))["Stream"]()
    for each in (python, OfGraph(tmp_path / "stream.onnx", 1)):
        streamed(each, X)
        with pytest.raises(Exception, match=r"room for 7 times|out of data bounds"):
            each(X[:, 0])


def test_python_refuses_what_it_cannot_take(tmp_path: Path) -> None:
    network, X = network_and_rows("lstm", 2)
    tw.export(network.stream(), tmp_path / "stream.py")
    stream = runpy.run_path(str(tmp_path / "stream.py"))["Stream"](1)
    for wrong, text in (
        (X[:, 0], "1 rows, got 2"),
        (X[:1, 0, :2], r"shape \(rows, 4\)"),
        (np.full((1, FEATURES), np.nan), "finite"),
    ):
        with pytest.raises(ValueError, match=text):
            stream(wrong)
