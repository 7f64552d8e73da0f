"""A network as one safe file, and back.

Layers of thalweg's own are written by name and fields; what a person wrote is written
as its traced program. Loading imports nothing, evaluates nothing, and checks every
shape, program and size before it is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.errors import ModelFileError, ThalwegError
from thalweg.formulas.layers import Embedding, Layer
from thalweg.formulas.losses import LOSSES, Loss, probabilities
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.program.extent import kept_bytes, peak_bytes
from thalweg.program.ir import Program
from thalweg.program.serialize import MOST_COMPUTED_A_ROW, ROW_COUNTS
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import FLOATS, ArrayType, Dtype, NumpyArray
from thalweg.training.arguments import row_shape
from thalweg.training.columnar import pack
from thalweg.training.epochs import OF_METRICS, SECONDS, Epochs
from thalweg.training.history import History
from thalweg.training.memory import Memory, empty_memory, parts_of
from thalweg.training.modeldocument import LONG_LISTS, TIMES
from thalweg.training.modelfile import Content, write_model
from thalweg.training.network import Network
from thalweg.training.plain import from_plain, plain_data
from thalweg.training.stack import (
    Shapes,
    StepRandom,
    shapes_of,
    training_predictions_of,
)
from thalweg.training.step import require_matrix_output, types_of
from thalweg.training.traced import (
    RANDOM_INPUTS,
    SavedProgram,
    TracedLayer,
    TracedLoss,
    can_train,
    parameter_data,
    parameters_from,
    traced_layer,
    traced_loss,
)

Data = dict[str, Any]
Tensors = dict[str, NumpyArray]
PARAMETER = "parameters/"
HISTORY = "history"
FIGURES = {"epoch", "training_loss", "validation_loss", "learning_rate", *OF_METRICS}
AT_ONCE = 2**16  # epochs that are looked at together
DESCRIPTION = ("network", "loss")  # with a program's instructions
MOST_BYTES_A_ROW = 2**27  # of values that are there together
MOST_GIVEN_A_ROW = 2**21
LAYER_LIMIT = 512  # bounds the time that tracing them takes
PARTS_A_LAYER = 8  # embeddings, and ranges of columns, take so much less


def save(network: Network, path: str | Path) -> None:
    """Write a network to a file, whole or not at all.

    Raises:
        NotFittedError: the network has no parameters yet.
        ProgramError: a person's own formula depends on the number of rows in a way that
            can't be saved.
        FileError: the file can't be written.
    """
    document, tensors = network_data(network)
    write_model(path, *as_written({"kind": "network", **document}, tensors))


# To data ------------------------------------------------------------------------------


def unfilled(network: Network, inputs: int, dtype: Dtype = "float32") -> Network:
    """A network of these layers whose arrays have their sizes, but no numbers yet.

    Arguments:
        network: whose layers they are.
        inputs: how many numbers a row has.
        dtype: of the network.
    """
    same = Network(network.layers)
    shapes = shapes_of(network.layers, (inputs,), dtype)
    same.take(shapes, empty_memory(shapes, dtype), dtype)
    return same

def as_written(document: Data, tensors: Tensors) -> tuple[Tensors, Data]:
    """Tensors and a document as `write_model` takes them.

    What grows with a table becomes arrays; what lies where in memory does not, so that
    it is known before an array is read.

    Raises:
        ArgumentError: the document isn't plain JSON.
        ModelFileError: a list is longer than a reader would take.
    """
    needed = [TIMES, *document.get("required_features", [])]
    rest = {name: each for name, each in document.items() if name not in DESCRIPTION}
    packed, arrays = pack(rest)
    if arrays:
        needed.append(LONG_LISTS)
    features = {"required_features": needed}
    return {**tensors, **arrays}, {**document, **packed, **features}


def network_data(network: Network) -> tuple[Data, Tensors]:
    """The network as plain data, and its arrays by name."""
    shapes = network.shapes
    tensors = {
        PARAMETER + name: array
        for name, array in {**network.parameters, **network.state}.items()
    }
    layers = [
        layer_data(layer, f"{number}", shapes.outputs[number - 1], network, tensors)
        for number, layer in enumerate(network.layers, 1)
    ]
    require_layer_count(layers)
    require_small_rows(shapes)
    document: Data = {
        "network": {
            "input_shape": list(shapes.outputs[0]),
            "dtype": network.dtype,
            "layers": layers,
        },
        "loss": loss_data(network, tensors),
        "optimizer": plain_data(network.optimizer),
        "penalty": plain_data(network.penalty),
        "history": history_data(network.history, tensors),
    }
    return document, tensors


def layer_data(
    layer: Layer,
    name: str,
    input_shape: tuple[int, ...],
    network: Network,
    tensors: Tensors,
) -> Data:
    """A layer by its name and fields; a person's own by its programs."""
    plain = plain_data(layer)
    if plain is not None:
        return plain
    traced = (
        layer
        if isinstance(layer, TracedLayer)
        else traced_layer(layer, input_shape, network.dtype)
    )
    data: Data = {
        "type": "traced",
        "name": traced.name,
        "parameters": parameter_data(traced.declared),
        "state": parameter_data(traced.kept),
        "prediction": program_data(traced.prediction, f"{name}.prediction", tensors),
    }
    if traced.training is not None:
        data["training"] = program_data(traced.training, f"{name}.training", tensors)
    return data


def program_data(program: SavedProgram, name: str, tensors: Tensors) -> Data:
    """A program's data, with its constants among the file's tensors."""
    tensors |= {
        f"constants/{name}.{key}": array for key, array in program.constants.items()
    }
    return program.data


def loss_data(network: Network, tensors: Tensors) -> Data | None:
    """The loss by its name, or a person's own by its program."""
    loss = network.loss
    if loss is None:
        return None
    known = LOSSES.get(loss.name)
    if known is not None and known.function is loss.function:
        return {"name": loss.name, "parameters": dict(loss.parameters)}
    traced = loss.function
    if not isinstance(traced, TracedLoss):
        traced = traced_loss(loss, network.shapes.outputs[-1][0], network.dtype)
    return {"name": loss.name, "program": program_data(traced.program, "loss", tensors)}


def history_data(history: History, tensors: Tensors, *beside: float) -> Data:
    """The history as plain data, with the figures of all epochs in two arrays.

    Arguments:
        history: to be described.
        tensors: where the arrays go.
        beside: seconds of something else, which follow those of the epochs.
    """
    epochs = history.epochs
    names = [name for name in epochs.names if name != SECONDS]
    tensors[HISTORY] = epochs.array(names)
    tensors[TIMES] = np.append(epochs.array([SECONDS])[:, 0], beside)
    return {
        "best_epoch": history.best_epoch,
        "stopped_because": history.stopped_because,
        "settings": history.settings,
        "columns": names,
    }


# From data ----------------------------------------------------------------------------


def network_from(content: Content) -> Network:
    """A network from what a file holds, whose arrays are filled by the way.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    try:
        return decode_network(content)
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


def decode_network(content: Content) -> Network:
    """The network, its parameters, loss and history."""
    document, tensors = content.document, content.tensors
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
    network = Network(layers)
    shapes = shapes_of(layers, row_shape(described["input_shape"]), dtype)
    require_small_rows(shapes)
    own = sum(array.nbytes for array in tensors.values())
    require_little_kept(layers, own)
    network.take(shapes, placed(content, shapes, dtype), dtype)
    content.fill()
    network.loss = decode_loss(document["loss"], tensors)
    network.optimizer = from_plain(document["optimizer"], Optimizer)
    network.penalty = from_plain(document["penalty"], Penalty)
    network.history = decode_history(document["history"], tensors)
    require_trainable(network)
    return network


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
    memory = empty_memory(shapes, dtype)
    values = {**parts_of(memory.parameters, shapes), **memory.state}
    for name, array in values.items():
        content.place(PARAMETER + name, array)
    return memory


def require_small_rows(shapes: Shapes) -> None:
    """What layers without parameters of their own make of a row has bounded size."""
    given = math.prod(shapes.outputs[-1])
    own = sum(math.prod(p.shape) for p in shapes.parameters.values())
    if given > max(MOST_GIVEN_A_ROW, own):
        raise ModelFileError(
            f"a network may give {MOST_GIVEN_A_ROW:,} numbers for a row, or as many as "
            f"it has parameters, got {given:,}"
        )
    size = sum(map(math.prod, shapes.outputs))
    if size > MOST_COMPUTED_A_ROW:
        raise ModelFileError(
            f"all layers together may give {MOST_COMPUTED_A_ROW:,} numbers for a row, "
            f"got {size:,}"
        )


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


def require_trainable(network: Network) -> None:
    """What training and scoring need is traced once, so that it can't fail later."""
    shapes, dtype = network.shapes, network.dtype
    types = types_of({**shapes.parameters, **shapes.state}, dtype)
    types["X"] = ArrayType((ROW_COUNTS[0], *shapes.outputs[0]), dtype)
    types |= RANDOM_INPUTS
    layers = [each for each in network.layers if can_train(each)]
    if len(layers) == len(network.layers):
        trace(lambda a: outputs_in_training(network, a), types)
    if network.loss is not None:
        trace_loss(network.loss, require_matrix_output(shapes), dtype)


def outputs_in_training(network: Network, arrays: dict[str, Tracer]) -> Data:
    """Outputs and new state of a training step, without its loss."""
    random = StepRandom(arrays["seed"], arrays["step"], network.dtype)
    y, state = training_predictions_of(network.layers, arrays["X"], arrays, random)
    return {"y": y, **state}


def trace_loss(loss: Loss, outputs: int, dtype: Dtype) -> Program:
    """The loss of rows as a program."""
    type = ArrayType((ROW_COUNTS[0], outputs), dtype)
    return trace(
        lambda a: {"losses": loss.per_row(a["predictions"], a["targets"])},
        {"predictions": type, "targets": type},
    )


def require_layer_count(described: Any) -> None:
    """Neither more layers than can be read in time are written, nor are they read."""
    count = -(-parts_in(described) // PARTS_A_LAYER)
    if count > LAYER_LIMIT:
        raise ModelFileError(
            f"there may be {LAYER_LIMIT:,} layers, of which embeddings and parts of "
            f"Columns count as an eighth, got {count:,}"
        )


def parts_in(data: Any) -> int:
    """How much a list of layers, with those inside others, takes to be traced."""
    if isinstance(data, list):
        return sum(map(parts_in, cast(list[Any], data)))
    if not isinstance(data, dict):
        return 0
    described = cast(Data, data)
    parts = described.get("parts")
    ranges = len(cast(list[Any], parts)) if isinstance(parts, list) else 0
    own = 0
    if "type" in described:
        own = 1 if described["type"] == Embedding.__name__ else PARTS_A_LAYER
    return own + ranges + parts_in(parts) + parts_in(described.get("object"))


def decode_layer(data: Data, name: str, tensors: Tensors) -> Layer:
    """A layer from its name and fields, or from its programs."""
    kind = data["type"]
    if kind != "traced":
        return from_plain(data, Layer)
    training = data.get("training")
    return TracedLayer(
        str(data["name"]),
        parameters_from(data["parameters"]),
        parameters_from(data["state"]),
        decode_program(data["prediction"], f"{name}.prediction", tensors),
        None
        if training is None
        else decode_program(training, f"{name}.training", tensors),
    )


def decode_program(data: Data, name: str, tensors: Tensors) -> SavedProgram:
    """A program with its constants, checked for a number of rows."""
    prefix = f"constants/{name}."
    constants = {
        k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
    }
    return require_little_memory(SavedProgram(data, constants))


def require_little_memory(program: SavedProgram) -> SavedProgram:
    """The program, if for a row it needs bounded memory beside its own arrays."""
    program.at(ROW_COUNTS[0])
    one = program.at(1)
    own = sum(type.nbytes for type in one.inputs.values())
    own += sum(array.nbytes for array in program.constants.values())
    needed = peak_bytes(one)
    if needed > max(MOST_BYTES_A_ROW, own):
        raise ModelFileError(
            f"a program may need {MOST_BYTES_A_ROW:,} bytes for a row, or as many as "
            f"its own arrays have, this one needs {needed:,}"
        )
    return program


def require_little_kept(layers: Sequence[Layer], own: int) -> None:
    """What all layers compute once, and keep for every row, has bounded size."""
    kept = sum(
        kept_bytes(layer.prediction.at(1), layer.prediction.at(2))
        for layer in layers
        if isinstance(layer, TracedLayer)
    )
    if kept > max(MOST_BYTES_A_ROW, own):
        raise ModelFileError(
            f"all layers together may compute {MOST_BYTES_A_ROW:,} bytes whatever the "
            f"rows, or as many as their own arrays have, these compute {kept:,}"
        )


def decode_history(data: Data, tensors: Tensors) -> History:
    """The history, from its description and the arrays of its figures."""
    names, figures = [str(name) for name in data["columns"]], tensors[HISTORY]
    if figures.dtype != np.float64 or figures.shape != (len(figures), len(names)):
        raise ModelFileError(
            f"{HISTORY} must be float64 with {len(names)} columns, "
            f"got {figures.dtype} of {figures.shape}"
        )
    if SECONDS in names:  # as it was written once, among the others
        if names.pop() != SECONDS:
            raise ModelFileError(f"{HISTORY} must have {SECONDS} last")
        figures, seconds = figures[:, :-1], figures[:, -1]
    else:
        seconds = seconds_in(tensors)[: len(figures)]
    return History.described(data, epochs_of(names, figures, seconds))


def seconds_in(tensors: Tensors) -> NumpyArray:
    """How long each epoch took, and what stands behind that."""
    seconds = tensors[TIMES]
    if seconds.dtype != np.float64 or seconds.ndim != 1:
        raise ModelFileError(f"{TIMES} must be a vector of float64")
    return seconds


def epochs_of(names: list[str], figures: NumpyArray, seconds: NumpyArray) -> Epochs:
    """The records of these figures, which count from 1.

    A validation loss that is NaN in every epoch stands for none.
    """
    known = [name for name in names if name.partition(".")[0] in FIGURES]
    if len({*names}) < len(names) or known != names or len(seconds) != len(figures):
        raise ModelFileError(f"{HISTORY} can't have the columns {names}")
    if not len(figures):
        return Epochs()
    columns = dict(zip(names, figures.T, strict=True))
    if not counts_from_one(columns["epoch"]):
        raise ModelFileError(f"{HISTORY} must count its epochs from 1")
    for each in (columns["training_loss"], columns["learning_rate"], seconds):
        if np.isnan(each).any():
            raise ModelFileError(f"{HISTORY} must have every loss, rate and duration")
    if np.isnan(columns.get("validation_loss", 0.0)).all():
        names = ["" if name == "validation_loss" else name for name in names]
    return Epochs.of(names, figures, seconds)


def counts_from_one(numbers: NumpyArray) -> bool:
    """Whether they are 1, 2, 3, …; a part at a time, as they may be many."""
    return all(
        np.array_equal(part, np.arange(start + 1, start + 1 + len(part)))
        for start in range(0, len(numbers), AT_ONCE)
        if len(part := numbers[start : start + AT_ONCE])
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
