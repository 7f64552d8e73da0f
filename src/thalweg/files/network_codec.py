"""A network as one safe file, and back.

Layers of thalweg's own are written by name and fields; what the user wrote is written
as its traced program. Loading imports nothing, evaluates nothing, and checks every
shape, program and size before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import thalweg.defaults as defaults
from thalweg.errors import ModelFileError, ThalwegError
from thalweg.files.bounds import (
    require_layer_count,
    require_little_kept,
    require_printable,
    require_small_rows,
    with_escapes,
    words_in,
)
from thalweg.files.columnar import LISTS
from thalweg.files.document import (
    BACKWARDS,
    BRANCHES,
    BYTES,
    CONTRACTIONS,
    CONVOLUTIONS,
    EMBEDDINGS,
    FROZEN,
    LENGTHS,
    LONG_LISTS,
    LOOPS,
    PREPARATION,
    RECURRENCE,
    TIMES,
    TRANSFORMERS,
)
from thalweg.files.history_codec import decode_history, history_data
from thalweg.files.layer_codec import (
    TRACED_CELL,
    decode_layer,
    decode_program,
    layer_data,
    program_data,
)
from thalweg.files.modelfile import Content, write_model
from thalweg.files.registry import from_plain, plain_data
from thalweg.formulas.chain import Shapes, shapes_of
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import LOSSES, Loss, probabilities
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.model.memory import Memory, empty_memory, parts_of
from thalweg.model.record import AnyNetwork, NetworkRecord
from thalweg.model.stack import RANDOM_INPUTS, StepRandom, training_predictions_of
from thalweg.model.step import require_outputs, types_of
from thalweg.model.traced import (
    TracedLoss,
    can_train,
    traced_loss,
)
from thalweg.program.ir import Program
from thalweg.program.serialize import SLICE_BACKWARDS, TYPICAL_ROWS
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import FLOATS, ArrayType, Dtype, NumpyArray, Shape
from thalweg.training.arguments import row_shape

Data = dict[str, Any]
Tensors = dict[str, NumpyArray]
PARAMETER = "parameters/"
INPUTS = "inputs"  # the dtype of a network's inputs, where they are bytes
TAKES_LENGTHS = "lengths"  # true where rows have lengths of their own
NEEDED: Mapping[str, tuple[str, ...]] = {
    BRANCHES: ("Frozen", "Inputs", "Parallel", "Residual", "TransformerBlock"),
    LOOPS: ("scan",),
    CONTRACTIONS: ("contract",),
    BACKWARDS: (f"slice {SLICE_BACKWARDS}",),
    CONVOLUTIONS: (
        *("Conv", "ConvTranspose", "MaxPool", "MeanPool", "GlobalMax", "GlobalMean"),
        *("Flatten", "windows", "add_windows"),
    ),
    FROZEN: ("Frozen",),
    EMBEDDINGS: ("Embedding 2",),
    PREPARATION: ("Augment", "Rescale", "Reshape"),
    RECURRENCE: (
        *("Bidirectional", "GRU", "LSTM", "Last", "Recurrent", "RNN", TRACED_CELL),
        "initializer orthogonal",
    ),
    TRANSFORMERS: (
        *("Attention", "FeedForward", "Positions", "RMSNorm", "TransformerBlock"),
    ),
}
"""What a reader must know of a file with such layers or primitives, since 0.4.0."""
Make: TypeAlias = Callable[[Sequence[Layer]], AnyNetwork]


def save(network: NetworkRecord, path: str | Path) -> None:
    """Write a network to a file, whole or not at all.

    Raises:
        NotFittedError: the network has no parameters yet.
        ProgramError: a user's own formula depends on the number of rows in a way that
            can't be saved.
        FileError: the file can't be written.
    """
    document, tensors = network_data(network)
    write_model(path, *as_written({"kind": "network", **document}, tensors))


# To data ------------------------------------------------------------------------------


def unfilled(
    network: AnyNetwork, shape: Shape, dtype: Dtype = defaults.DTYPE
) -> AnyNetwork:
    """A network of these layers whose arrays have their sizes, but no numbers yet.

    Arguments:
        network: whose layers they are.
        shape: of a row.
        dtype: of the network.
    """
    same = type(network)(network.layers)
    shapes = shapes_of(network.layers, shape, dtype)
    same.take(shapes, empty_memory(shapes, dtype), dtype)
    return same


def as_written(document: Data, tensors: Tensors) -> tuple[Tensors, Data]:
    """Tensors and a document as `write_model` takes them, with what a reader must know.

    Lists that grow with a table were packed before. All else stays in the document, so
    that it is known where arrays lie in memory before one is read.
    """
    needed = [*document.get("required_features", [])]
    words = words_in([document.get("network"), document.get("loss")])
    needed += [feature for feature, own in NEEDED.items() if words.intersection(own)]
    if INPUTS in (document.get("network") or {}):
        needed.append(BYTES)
    if TAKES_LENGTHS in (document.get("network") or {}):
        needed.append(LENGTHS)
    if any(name.startswith(LISTS) for name in tensors):
        needed.append(LONG_LISTS)
    needed.append(TIMES)
    return tensors, {**document, "required_features": needed}


def network_data(network: NetworkRecord) -> tuple[Data, Tensors]:
    """The network as plain data, and its arrays by name."""
    shapes = network.shapes
    tensors = {
        PARAMETER + name: array
        for name, array in {**network.parameters, **network.state}.items()
    }
    layers = [
        layer_data(layer, f"{number}", given, network.dtype, tensors)
        for number, (layer, given) in enumerate(
            zip(network.layers, shapes.outputs, strict=False), 1
        )
    ]
    require_layer_count(layers)
    require_small_rows(network.layers, shapes, network.dtype)
    document: Data = {
        "network": {
            "input_shape": list(shapes.outputs[0]),
            "dtype": network.dtype,
            **inputs_data(network),
            **({TAKES_LENGTHS: True} if network.takes_lengths else {}),
            "layers": layers,
        },
        "loss": loss_data(network, tensors),
        "optimizer": plain_data(network.optimizer),
        "penalty": plain_data(network.penalty),
        "history": history_data(network.history, tensors),
    }
    return with_escapes(document), tensors


def inputs_data(network: NetworkRecord) -> Data:
    """The dtype of the rows that a network was fitted on, if it isn't its own."""
    usual = network.input_dtype == network.dtype
    return {} if usual else {INPUTS: network.input_dtype}


def loss_data(network: NetworkRecord, tensors: Tensors) -> Data | None:
    """The loss by its name, or a user's own by its program."""
    loss = network.loss
    if loss is None:
        return None
    known = LOSSES.get(loss.name)
    if known is not None and known.function is loss.function:
        return {"name": loss.name, "parameters": dict(loss.parameters)}
    traced = loss.function
    if not isinstance(traced, TracedLoss):
        traced = traced_loss(loss, network.shapes.outputs[-1], network.dtype)
    return {"name": loss.name, "program": program_data(traced.program, "loss", tensors)}


# From data ----------------------------------------------------------------------------


def network_from(content: Content, make: Make[AnyNetwork]) -> AnyNetwork:
    """A network from what a file holds, whose arrays are filled by the way.

    Arguments:
        content: of the file.
        make: a network of layers.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    try:
        return decode_network(content, make)
    except ThalwegError as error:
        raise ModelFileError(f"{content.name}: {error}") from error
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise ModelFileError(
            f"{content.name}: the network's description is damaged: {error!r}"
        ) from None


def decode_network(content: Content, make: Make[AnyNetwork]) -> AnyNetwork:
    """The network, its parameters, loss and history."""
    document, tensors = content.document, content.tensors
    require_printable(document)
    described = document["network"]
    dtype = described["dtype"]
    if dtype not in FLOATS:
        raise ModelFileError(
            f"a network's dtype must be float32 or float64, got {dtype!r}"
        )
    require_layer_count(described["layers"])
    layers = [
        decode_layer(data, f"{number}", tensors)
        for number, data in enumerate(described["layers"], 1)
    ]
    network = make(layers)
    shapes = shapes_of(layers, row_shape(described["input_shape"]), dtype)
    require_small_rows(layers, shapes, dtype)
    own = sum(array.nbytes for array in tensors.values())
    require_little_kept(layers, own)
    network.take(shapes, placed(content, shapes, dtype), dtype)
    network.input_dtype = decode_inputs(described, dtype)
    network.takes_lengths = decode_lengths(described)
    content.fill()
    network.loss = decode_loss(document["loss"], tensors)
    network.optimizer = from_plain(document["optimizer"], Optimizer)
    network.penalty = from_plain(document["penalty"], Penalty)
    network.history = decode_history(document["history"], tensors)
    require_trainable(network)
    return network


def decode_inputs(described: Data, dtype: Dtype) -> Dtype:
    """The dtype of a network's inputs: its own, or uint8."""
    if INPUTS not in described:
        return dtype
    if described[INPUTS] != "uint8":
        raise ModelFileError(
            f"a network's inputs must be uint8, or of its dtype and not told, got "
            f"{described[INPUTS]!r}"
        )
    return "uint8"


def decode_lengths(described: Data) -> bool:
    """Whether a network's rows have lengths of their own."""
    told = described.get(TAKES_LENGTHS, False)
    if TAKES_LENGTHS in described and told is not True:
        raise ModelFileError(
            f"a network's lengths must be true, or not told, got {told!r}"
        )
    return told


def placed(content: Content, shapes: Shapes, dtype: Dtype) -> Memory:
    """The memory of the network, into which its tensors are going to be read."""
    require_values(
        {
            name.removeprefix(PARAMETER): array
            for name, array in content.tensors.items()
            if name.startswith(PARAMETER)
        },
        types_of({**shapes.parameters, **shapes.state}, dtype),
    )
    content.make_room(PARAMETER + n for n in (*shapes.parameters, *shapes.state))
    memory = empty_memory(shapes, dtype)
    values = {**parts_of(memory.parameters, shapes), **memory.state}
    for name, array in values.items():
        content.place(PARAMETER + name, array)
    return memory


def require_values(values: Tensors, types: Mapping[str, ArrayType]) -> None:
    """The file has every parameter in its type, and no other."""
    if values.keys() != types.keys():
        odd = sorted(values.keys() ^ types.keys())
        raise ModelFileError(f"parameters that are missing, or too many: {odd[:8]}")
    for name, type in types.items():
        array = values[name]
        if (array.shape, array.dtype.name) != (type.shape, type.dtype):
            raise ModelFileError(
                f"parameter {name} must be {type}, got {array.dtype} of {array.shape}"
            )


def require_trainable(network: NetworkRecord) -> None:
    """What training and scoring need is traced once, so that it can't fail later."""
    shapes, dtype = network.shapes, network.dtype
    types = types_of({**shapes.parameters, **shapes.state}, dtype)
    types["X"] = ArrayType((TYPICAL_ROWS, *shapes.outputs[0]), dtype)
    types |= RANDOM_INPUTS
    layers = [each for each in network.layers if can_train(each)]
    if len(layers) == len(network.layers):
        trace(lambda a: outputs_in_training(network, a), types)
    if network.loss is not None:
        trace_loss(network.loss, require_outputs(shapes), dtype)


def outputs_in_training(network: NetworkRecord, arrays: dict[str, Tracer]) -> Data:
    """Outputs and new state of a training step, without its loss."""
    random = StepRandom(arrays["seed"], arrays["step"], network.dtype)
    y, state = training_predictions_of(network.layers, arrays["X"], arrays, random)
    return {"y": y, **state}


def trace_loss(loss: Loss, outputs: Shape, dtype: Dtype) -> Program:
    """The loss of rows as a program."""
    type = ArrayType((TYPICAL_ROWS, *outputs), dtype)
    return trace(
        lambda a: {"losses": loss.per_row(a["predictions"], a["targets"])},
        {"predictions": type, "targets": type},
    )


def decode_loss(data: Data | None, tensors: Tensors) -> Loss | None:
    """A loss by its name, or from its program."""
    if data is None:
        return None
    if "program" in data:
        program = decode_program(data["program"], "loss", tensors)
        traced = TracedLoss(str(data["name"]), program)
        return Loss(traced.name, traced, probabilities)
    parameters = cast(dict[str, float], data["parameters"])
    return Loss.of(str(data["name"])).with_parameters(**parameters)
