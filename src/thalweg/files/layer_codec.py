"""Layers as plain data, and back.

Those of thalweg's own are written by name and fields; what a user wrote, inside other
layers too, is written as its traced program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from thalweg.errors import ModelFileError
from thalweg.files.bounds import require_little_memory
from thalweg.files.registry import from_plain, plain_data
from thalweg.formulas.branches import Branching
from thalweg.formulas.layers import Layer
from thalweg.formulas.recurrence import Cell, Recurring
from thalweg.model.traced import (
    SavedProgram,
    TracedCell,
    TracedLayer,
    parameter_data,
    parameters_from,
    traced_cell,
    traced_layer,
)
from thalweg.program.serialize import whole
from thalweg.program.types import Dtype, NumpyArray, Shape

Data = dict[str, Any]
Tensors = dict[str, NumpyArray]
TRACED = "traced"
TRIED_ROWS = (3, 8)  # two numbers, by which rows are told from sizes
TRACED_CELL = "traced cell"


# To data ------------------------------------------------------------------------------


def layer_data(
    layer: Layer, name: str, input_shape: Shape, dtype: Dtype, tensors: Tensors
) -> Data:
    """A layer by its name and fields; a user's own by its programs.

    Arguments:
        layer: of a network.
        name: its number; the tensors of its programs' constants are named by it.
        input_shape: of a row that it is given.
        dtype: of the network.
        tensors: gets those constants.
    """
    plain = plain_data(layer)
    if plain is not None:
        return plain
    inside = (f"{name}.{number}" for number in count(1))

    def own(each: Any) -> Data | None:
        is_traced = isinstance(each, TracedLayer | TracedCell)
        return own_data(each, next(inside), tensors) if is_traced else None

    traced = with_traced(layer, input_shape, dtype)
    if isinstance(traced, TracedLayer | TracedCell):
        return own_data(traced, name, tensors)
    data = plain_data(traced, own)
    assert data is not None
    return data


def with_traced(layer: Layer, input_shape: Shape, dtype: Dtype) -> Layer:
    """A layer with what a user wrote as its programs.

    Raises:
        ProgramError: a formula depends on the number of rows in a way that isn't
            linear.
    """
    if plain_data(layer) is not None or isinstance(layer, TracedLayer | TracedCell):
        return layer
    if isinstance(layer, Recurring):
        return layer.with_cell(cell_with_traced(layer.own_cell, input_shape, dtype))
    if not isinstance(layer, Branching):
        return traced_layer(layer, input_shape, dtype)
    shapes = layer.shapes(input_shape, dtype)
    chains = {
        place: tuple(
            with_traced(each, given, dtype)
            for each, given in zip(chain, shapes[place].outputs, strict=False)
        )
        for place, chain in layer.chains().items()
    }
    return layer.with_chains(chains)


def cell_with_traced(cell: Cell, input_shape: Shape, dtype: Dtype) -> Cell:
    """A cell of thalweg's own, or a user's own as its program.

    Raises:
        ProgramError: its step depends on the number of rows in a way that isn't linear.
    """
    if plain_data(cell) is not None or isinstance(cell, TracedCell):
        return cell
    return traced_cell(cell, input_shape, dtype)


def own_data(own: TracedLayer | TracedCell, name: str, tensors: Tensors) -> Data:
    """The programs of a layer or of a cell."""
    if isinstance(own, TracedLayer):
        return traced_data(own, name, tensors)
    return traced_cell_data(own, name, tensors)


def traced_cell_data(traced: TracedCell, name: str, tensors: Tensors) -> Data:
    """A cell's program; one inside a layer says how its constants are named."""
    data: Data = {
        "type": TRACED_CELL,
        "name": traced.name,
        "parameters": parameter_data(traced.declared),
        "states": {key: list(shape) for key, shape in traced.carried.items()},
        "prediction": program_data(traced.prediction, f"{name}.prediction", tensors),
    }
    if "." in name:
        data["place"] = name
    return data


def traced_data(traced: TracedLayer, name: str, tensors: Tensors) -> Data:
    """A layer's programs; one inside another says how its constants are named."""
    data: Data = {
        "type": TRACED,
        "name": traced.name,
        "parameters": parameter_data(traced.declared),
        "state": parameter_data(traced.kept),
        "prediction": program_data(traced.prediction, f"{name}.prediction", tensors),
    }
    if "." in name:
        data["place"] = name
    if traced.training is not None:
        data["training"] = program_data(traced.training, f"{name}.training", tensors)
    return data


def program_data(program: SavedProgram, name: str, tensors: Tensors) -> Data:
    """A program's data, with its constants among the file's tensors."""
    tensors |= {
        f"constants/{name}.{key}": array for key, array in program.constants.items()
    }
    return program.data


# From data ----------------------------------------------------------------------------


def decode_layer(data: Data, name: str, tensors: Tensors) -> Layer:
    """A layer from its name and fields, or from its programs."""
    if data["type"] in OWN:
        return OWN[data["type"]](data, name, tensors)

    def inside(data: Data) -> Layer:
        place = data["place"]
        if not isinstance(place, str):
            raise ModelFileError(f"a layer's place must be a text, got {place!r}")
        return OWN[data["type"]](data, place, tensors)

    return from_plain(data, Layer, dict.fromkeys(OWN, inside))


def decode_traced(data: Data, name: str, tensors: Tensors) -> TracedLayer:
    """A layer from its programs."""
    prediction = decode_program(data["prediction"], f"{name}.prediction", tensors)
    training = data.get("training")
    if training is not None:
        training = decode_program(training, f"{name}.training", tensors)
        require_one_result(name, prediction, training)
    return TracedLayer(
        str(data["name"]),
        parameters_from(data["parameters"]),
        parameters_from(data["state"]),
        prediction,
        training,
    )


def require_one_result(
    name: str, prediction: SavedProgram, training: SavedProgram
) -> None:
    """A layer gives in training what it gives in prediction, but for its numbers.

    Raises:
        ModelFileError: the types of y differ.
    """
    for rows in TRIED_ROWS:
        must, got = (
            program.at(rows).output_types().get("y")
            for program in (prediction, training)
        )
        if got != must:
            raise ModelFileError(
                f"{name}.training must give y of type {must} as prediction does, "
                f"got {got}"
            )


def decode_traced_cell(data: Data, name: str, tensors: Tensors) -> TracedCell:
    """A cell from its program."""
    return TracedCell(
        str(data["name"]),
        parameters_from(data["parameters"]),
        {
            str(key): tuple(whole(size) for size in shape)
            for key, shape in data["states"].items()
        },
        decode_program(data["prediction"], f"{name}.prediction", tensors),
    )


OWN: Mapping[str, Callable[[Data, str, Tensors], TracedLayer | TracedCell]] = {
    TRACED: decode_traced,
    TRACED_CELL: decode_traced_cell,
}
"""What a user wrote, by the type that a file says."""


def decode_program(data: Data, name: str, tensors: Tensors) -> SavedProgram:
    """A program with its constants, checked for a number of rows."""
    prefix = f"constants/{name}."
    constants = {
        k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
    }
    return require_little_memory(SavedProgram(data, constants))
