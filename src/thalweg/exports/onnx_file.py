"""A trained network as a file of ONNX."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.exports.entrances import entrance
from thalweg.exports.graph import LEARNED, ROWS, Graph, Node, Port, Subgraph
from thalweg.exports.labels import known_labels
from thalweg.exports.traced import network_answers, whole_network
from thalweg.exports.translation import translate
from thalweg.files.atomic import write_atomically
from thalweg.files.document import with_envelope
from thalweg.kinds.pipeline import Pipeline
from thalweg.model.step import LENGTHS
from thalweg.program.sizes import names_in
from thalweg.program.types import NumpyArray, Shape

FORMAT = "1"
OPSET, LEARNED_OPSET, IR = 18, 3, 8
"""Of 2022; runtimes from ONNX Runtime 1.14 on read them."""

LARGEST = 2**31 - 1
PREDICTION = "prediction"
"""The answer whose numbers may stand for labels."""


def write_onnx(pipeline: Pipeline, path: str | Path) -> None:
    """Write a network, with what happens before and behind it, as a file of ONNX.

    Raises:
        ArgumentError: the extra ``onnx`` isn't installed, 2 GiB are exceeded, or the
            classes are neither texts, numbers nor booleans.
        ProgramError: a user's own formula can't be written for any number of rows.
        FileError: the file can't be written.
    """
    model = onnx_model(imported(), pipeline)
    write_atomically(path, model.SerializeToString(deterministic=True))


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


def onnx_model(onnx: Any, pipeline: Pipeline) -> Any:
    """What goes in, the network, and what comes out, as one graph."""
    way_in = entrance(pipeline.inputs)
    inputs = way_in.ports()
    network, answers = pipeline.network, pipeline.answers
    computed = network_answers(answers, network)
    graph = Graph(taken={*computed.program.outputs, *(port.name for port in inputs)})
    graph.rows = graph.add("Shape", inputs[0].name, start=0, end=1)
    given = {"X": way_in.features(graph, network.dtype)}
    if network.takes_lengths:
        given[LENGTHS] = LENGTHS
    outputs = translate(graph, whole_network(network), given)["predictions"]
    found = translate(graph, computed, {"outputs": outputs, "x": given["X"]})
    types: dict[str, tuple[str, Shape]] = {
        name: (type.dtype, type.shape)
        for name, type in computed.program.output_types().items()
    }
    if answers.labels is not None:
        labels = known_labels(answers.labels)
        words = graph.constant(labels, named="classes")
        found[PREDICTION] = graph.add("Gather", words, found[PREDICTION], axis=0)
        types[PREDICTION] = (element_name(labels), types[PREDICTION][1])
    finish(graph, found)
    results = [
        Port(name, dtype, sizes(shape)) for name, (dtype, shape) in types.items()
    ]
    about = as_texts({**pipeline.about, **way_in.about()})
    return made(onnx, graph, inputs, results, about)


def element_name(array: NumpyArray) -> str:
    """The dtype of an array as a port has it."""
    return "string" if array.dtype == object else array.dtype.name


def sizes(shape: Shape) -> tuple[int | str, ...]:
    """A shape as a port has it."""
    return tuple(ROWS if names_in(size) else size for size in shape)


def as_texts(about: Mapping[str, Any]) -> dict[str, str]:
    """What is known about a model, as the file has it: texts, or JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in about.items()
    }


def finish(graph: Graph, outputs: Mapping[str, str]) -> None:
    """Give the outputs their names."""
    for name, value in outputs.items():
        graph.nodes.append(Node("Identity", (value,), (name,), {}, ""))


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
    main = made_graph(onnx, "thalweg", graph.nodes, inputs, outputs)
    main.initializer.extend(
        made_constant(onnx, name, array) for name, array in graph.constants.items()
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


def made_graph(
    onnx: Any,
    name: str,
    nodes: Sequence[Node],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
) -> Any:
    """A graph without its constants, as the file has it."""
    return onnx.helper.make_graph(
        [made_node(onnx, node) for node in nodes],
        name,
        [made_port(onnx, port) for port in inputs],
        [made_port(onnx, port) for port in outputs],
    )


def made_node(onnx: Any, node: Node) -> Any:
    """A node as the file has it."""
    name = node.outputs[0]
    attributes = dict(node.attributes)
    for key, value in attributes.items():
        if isinstance(value, Subgraph):
            ports = value.inputs, value.outputs
            attributes[key] = made_graph(onnx, name, value.graph.nodes, *ports)
    if node.operator == "Cast":
        attributes["to"] = element(onnx, attributes["to"])
    return onnx.helper.make_node(
        node.operator,
        list(node.inputs),
        list(node.outputs),
        name=name,
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
