"""A trained network as a file of ONNX."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.data.model import TableModel
from thalweg.data.targets import NumberTargets
from thalweg.errors import ArgumentError
from thalweg.exports.columns import RawColumn, encoded_columns, raw_column
from thalweg.exports.graph import LEARNED, Graph, Node
from thalweg.exports.operations import translate
from thalweg.exports.traced import whole_network
from thalweg.program.types import NumpyArray
from thalweg.training.atomic import write_atomically
from thalweg.training.modeldocument import with_envelope
from thalweg.training.network import Network

FORMAT = "1"
OPSET, LEARNED_OPSET, IR = 18, 3, 8
"""Of 2022; runtimes from ONNX Runtime 1.14 on read them."""

LARGEST = 2**31 - 1
PREDICTION, PROBABILITIES, PREDICTIONS = "prediction", "probabilities", "predictions"
ROWS = "rows"


@dataclass(frozen=True)
class Port:
    """An input or output of the graph: its name, dtype and shape; text is a size."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


def write_onnx(model: Network | TableModel, path: str | Path) -> None:
    """Write a network, or a table's model, as a file of ONNX.

    Raises:
        ArgumentError: the extra ``onnx`` isn't installed, or 2 GiB are exceeded.
        ProgramError: a person's own formula can't be written for any number of rows.
        FileError: the file can't be written.
    """
    onnx = imported()
    if isinstance(model, Network):
        made = network_graph(onnx, model)
    else:
        made = table_graph(onnx, model)
    write_atomically(path, made.SerializeToString(deterministic=True))


def imported() -> Any:
    """The package onnx.

    Raises:
        ArgumentError: it isn't installed.
    """
    try:
        return import_module("onnx")
    except ImportError:
        raise ArgumentError(
            "to write ONNX, the package onnx must be installed: "
            "pip install 'thalweg[onnx]'"
        ) from None


# What is written ----------------------------------------------------------------------


def network_graph(onnx: Any, network: Network) -> Any:
    """A network by itself: X in, predictions out."""
    graph = Graph(taken={"X", PREDICTIONS})
    shapes, dtype = network.shapes, network.dtype
    graph.rows = graph.add("Shape", "X", start=0, end=1)
    outputs = translate(graph, whole_network(network), {"X": "X"})
    finish(graph, {PREDICTIONS: outputs["predictions"]})
    inputs = [Port("X", dtype, (ROWS, *shapes.outputs[0]))]
    results = [Port(PREDICTIONS, dtype, (ROWS, *shapes.outputs[-1]))]
    return made(onnx, graph, inputs, results, {"kind": "network"})


def table_graph(onnx: Any, model: TableModel) -> Any:
    """A table's model: raw columns in; a prediction, and probabilities of classes."""
    raw = [raw_column(encoding) for encoding in model.encoder.encodings]
    graph = Graph(taken={PREDICTION, PROBABILITIES, *(each.input for each in raw)})
    graph.rows = graph.add("Shape", raw[0].input, start=0, end=1)
    features = encoded_columns(graph, model.encoder)
    given = {"X": graph.add("Cast", features, to=model.network.dtype)}
    found = translate(graph, whole_network(model.network), given)["predictions"]
    finish(graph, answers(graph, model, found))
    inputs = [Port(each.input, each.dtype, (ROWS,)) for each in raw]
    return made(onnx, graph, inputs, output_ports(model), metadata(model, raw))


def answers(graph: Graph, model: TableModel, found: str) -> dict[str, str]:
    """What the network gives, in the words and units of the table."""
    targets = model.targets
    if isinstance(targets, NumberTargets):
        wide = graph.add("Cast", found, to="float64")
        flat = graph.add("Reshape", wide, graph.integers(-1))
        scaled = graph.add(
            "Mul", flat, graph.constant(np.asarray(targets.scale.deviation))
        )
        mean = graph.constant(np.asarray(targets.scale.mean))
        return {PREDICTION: graph.add("Add", scaled, mean)}
    if model.network.shapes.outputs[-1] == (1,):
        one = graph.constant(np.asarray(1, model.network.dtype))
        found = graph.add("Concat", graph.add("Sub", one, found), found, axis=1)
    number = graph.add("ArgMax", found, axis=1, keepdims=0)
    labels = graph.constant(np.array(targets.labels, object), named="classes")
    return {
        PREDICTION: graph.add("Gather", labels, number, axis=0),
        PROBABILITIES: found,
    }


def output_ports(model: TableModel) -> list[Port]:
    """The outputs of a table's graph."""
    targets = model.targets
    if isinstance(targets, NumberTargets):
        return [Port(PREDICTION, "float64", (ROWS,))]
    shape = (ROWS, len(targets.labels))
    return [
        Port(PREDICTION, "string", (ROWS,)),
        Port(PROBABILITIES, model.network.dtype, shape),
    ]


def metadata(model: TableModel, raw: Sequence[RawColumn]) -> dict[str, str]:
    """What a reader of the file may want to know."""
    columns = [{"input": r.input, "column": r.column, "kind": r.kind} for r in raw]
    found: dict[str, Any] = {
        "kind": "table",
        "target": model.target,
        "task": model.task.kind,
        "columns": columns,
        "features": model.encoder.features,
    }
    if not isinstance(model.targets, NumberTargets):
        found["classes"] = model.targets.labels
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in found.items()
    }


def finish(graph: Graph, outputs: Mapping[str, str]) -> None:
    """Give the outputs their names."""
    for name, value in outputs.items():
        graph.nodes.append(Node("Identity", (value,), name, {}, ""))


# The file -----------------------------------------------------------------------------


def made(
    onnx: Any,
    graph: Graph,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    properties: Mapping[str, str],
) -> Any:
    """The model, checked."""
    helper = onnx.helper
    size = sum(array.nbytes for array in graph.constants.values())
    if size > LARGEST:
        raise ArgumentError(
            f"a file of ONNX holds at most {LARGEST:,} bytes, the network has {size:,}"
        )
    main = helper.make_graph(
        [made_node(onnx, node) for node in graph.nodes],
        "thalweg",
        [made_port(onnx, port) for port in inputs],
        [made_port(onnx, port) for port in outputs],
        [made_constant(onnx, name, array) for name, array in graph.constants.items()],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    if any(node.domain == LEARNED for node in graph.nodes):
        opsets.append(helper.make_opsetid(LEARNED, LEARNED_OPSET))
    model = helper.make_model(
        main,
        opset_imports=opsets,
        ir_version=IR,
        producer_name="thalweg",
        producer_version=with_envelope({}, "")["writer"],
    )
    helper.set_model_props(model, {"format": FORMAT, **properties})
    onnx.checker.check_model(model, full_check=True)
    return model


def made_node(onnx: Any, node: Node) -> Any:
    """A node as the file has it."""
    attributes = dict(node.attributes)
    if node.operator == "Cast":
        attributes["to"] = element(onnx, attributes["to"])
    return onnx.helper.make_node(
        node.operator,
        list(node.inputs),
        [node.output],
        name=node.output,
        domain=node.domain,
        **attributes,
    )


def made_port(onnx: Any, port: Port) -> Any:
    """An input or output as the file has it."""
    return onnx.helper.make_tensor_value_info(
        port.name, element(onnx, port.dtype), list(port.shape)
    )


def made_constant(onnx: Any, name: str, array: NumpyArray) -> Any:
    """An array as the file has it."""
    return onnx.numpy_helper.from_array(np.asarray(array, order="C"), name)


def element(onnx: Any, dtype: str) -> int:
    """The number that ONNX gives a dtype."""
    if dtype == "string":
        return onnx.TensorProto.STRING
    return onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
