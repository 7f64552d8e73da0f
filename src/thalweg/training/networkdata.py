"""A network as one safe file, and back.

Layers of thalweg's own are written by name and fields; what a person wrote is written
as its traced program. Loading imports nothing, evaluates nothing, and checks every
shape, program and size before it is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.errors import ModelFileError, ThalwegError
from thalweg.formulas.layers import Embedding, Layer
from thalweg.formulas.losses import LOSSES, Loss, probabilities
from thalweg.formulas.optimizers import Optimizer
from thalweg.formulas.penalties import Penalty
from thalweg.program.ir import Program
from thalweg.program.serialize import MOST_COMPUTED_A_ROW, ROW_COUNTS
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import FLOATS, ArrayType, Dtype, NumpyArray
from thalweg.training.arguments import row_shape
from thalweg.training.history import History
from thalweg.training.memory import memory_of
from thalweg.training.modelfile import write_model
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
    write_model(path, tensors, {"kind": "network", **document})


# To data ------------------------------------------------------------------------------


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


def history_data(history: History, tensors: Tensors) -> Data:
    """The history as plain data, with the figures of all epochs in one array.

    A document is small by rule; how many epochs there were is not.
    """
    data = history.to_dict()
    records = [flat(record) for record in data.pop("epochs")]
    data["columns"] = list(records[0]) if records else []
    figures = [[np.nan if v is None else v for v in r.values()] for r in records]
    tensors[HISTORY] = np.array(figures, np.float64).reshape(
        len(records), len(data["columns"])
    )
    return data


def flat(record: Data, prefix: str = "") -> Data:
    """A record's figures; those of metrics are named as in `validation_metrics.r2`."""
    figures: Data = {}
    for name, value in record.items():
        if isinstance(value, dict):
            figures |= flat(cast(Data, value), f"{name}.")
        else:
            figures[prefix + name] = value
    return figures


# From data ----------------------------------------------------------------------------


def network_from(document: Mapping[str, Any], tensors: Tensors, path: str) -> Network:
    """A network from a file's data.

    Raises:
        ModelFileError: a part is missing or doesn't fit the others.
    """
    try:
        return decode_network(document, tensors)
    except ThalwegError as error:
        raise ModelFileError(f"{path}: {error}") from error
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
            f"{path}: the network's description is damaged: {error!r}"
        ) from None


def decode_network(document: Mapping[str, Any], tensors: Tensors) -> Network:
    """The network, its parameters, loss and history."""
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
    values = {
        name.removeprefix(PARAMETER): array
        for name, array in tensors.items()
        if name.startswith(PARAMETER)
    }
    require_values(values, types_of({**shapes.parameters, **shapes.state}, dtype))
    network.take(shapes, memory_of(values, shapes, dtype), dtype)
    network.loss = decode_loss(document["loss"], tensors)
    network.optimizer = from_plain(document["optimizer"], Optimizer)
    network.penalty = from_plain(document["penalty"], Penalty)
    network.history = decode_history(document["history"], tensors)
    require_trainable(network)
    return network


def require_small_rows(shapes: Shapes) -> None:
    """What layers without parameters of their own make of a row has bounded size."""
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
    program = SavedProgram(data, constants)
    program.at(ROW_COUNTS[0])
    return program


def decode_history(data: Data, tensors: Tensors) -> History:
    """The history, from its description and the array of its figures."""
    columns, figures = [str(name) for name in data["columns"]], tensors[HISTORY]
    if figures.dtype != np.float64 or figures.shape != (len(figures), len(columns)):
        raise ModelFileError(
            f"{HISTORY} must be float64 with {len(columns)} columns, "
            f"got {figures.dtype} of {figures.shape}"
        )
    epochs = [record_of(columns, row) for row in figures.tolist()]
    return History.from_dict({**data, "epochs": epochs})


def record_of(columns: list[str], row: list[float]) -> Data:
    """One epoch's record as plain data; NaN stands for what there wasn't."""
    record: Data = {"training_metrics": {}, "validation_metrics": {}}
    for name, value in zip(columns, row, strict=True):
        group, _, metric = name.partition(".")
        place = record[group] if metric else record
        place[metric or group] = None if math.isnan(value) else value
    return record


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
