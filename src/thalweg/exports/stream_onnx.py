"""A network at one time as a file of ONNX: what it keeps goes in and comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thalweg.exports.graph import ROWS, Graph, Port
from thalweg.exports.onnx_file import as_texts, finish, imported, made, sizes
from thalweg.exports.traced import one_time
from thalweg.exports.translation import translate
from thalweg.files.atomic import write_atomically
from thalweg.model.stream import Going
from thalweg.program.types import ArrayType
from thalweg.training.streams import Stream


def write_onnx_stream(stream: Stream, path: str | Path) -> None:
    """Write one time of a network as a file of ONNX.

    Raises:
        ArgumentError: the extra ``onnx`` isn't installed, or 2 GiB are exceeded.
        ProgramError: a user's own formula can't be written for any number of rows.
        FileError: the file can't be written.
    """
    model = onnx_model(imported(), stream)
    write_atomically(path, model.SerializeToString(deterministic=True))


def onnx_model(onnx: Any, stream: Stream) -> Any:
    """One time as a graph: X and what was kept, predictions and what is kept."""
    traced = one_time(stream)
    types = traced.program.inputs
    inputs = [port(n, t) for n, t in types.items() if n not in traced.values]
    results = traced.program.output_types()
    names = [each.name for each in inputs]
    graph = Graph(taken={*results, *names})
    graph.rows = graph.add("Shape", "X", start=0, end=1)
    found = translate(graph, traced, dict(zip(names, names, strict=True)))
    finish(graph, found)
    outputs = [port(name, type) for name, type in results.items()]
    return made(onnx, graph, inputs, outputs, as_texts(about(stream.going)))


def port(name: str, type: ArrayType) -> Port:
    """An input or output."""
    return Port(name, type.dtype, sizes(type.shape))


def about(going: Going) -> dict[str, Any]:
    """What a reader of the file may want to know."""
    room = {} if going.is_endless else {"times": str(going.times)}
    return {"rows": ROWS, **room}
