"""The operators RNN, LSTM and GRU, which have times before rows.

Source: Open Neural Network Exchange, operators of opset 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.exports.graph import Graph
from thalweg.exports.layouts import Values
from thalweg.exports.recurrences import ACTIVATIONS, Recurrence
from thalweg.formulas.recurrence import GRU, LSTM, RNN, Cell
from thalweg.program.types import NumpyArray

GATES: Mapping[type[Cell], tuple[int, ...]] = {
    RNN: (0,),
    LSTM: (0, 3, 1, 2),  # i, o, f, g
    GRU: (1, 0, 2),  # z, r, n
}
"""Which of a cell's gates ONNX has first, second and so on."""
PLACES = {
    "forward": ("",),
    "reverse": ("",),
    "bidirectional": ("forward.", "backward."),
}
"""What stands before the names of parameters, for each direction."""


def add_recurrence(values: Values, value: int, found: Recurrence) -> None:
    """The operator for a recurrent layer, between what brings times before rows, and
    rows before times again.
    """
    graph, shape = values.graph, values.shape(value)
    rows = graph.size(shape[0])
    every, last = graph.several(
        type(found.cell).__name__,
        *sequences(values, found, rows),
        count=2,
        hidden_size=found.cell.units,
        direction=found.direction,
        **attributes_of(found),
    )
    if found.layer.has_times:
        given, axis, order = every, 2, (2, 0, 1, 3)
    else:
        given, axis, order = last, 1, (1, 0, 2)
    used = graph.add("Slice", given, graph.integers(0), rows, graph.integers(axis))
    turned = graph.add("Transpose", used, perm=order)
    values.last[value] = graph.add(
        "Reshape", turned, graph.new_shape(shape), allowzero=1
    )


def attributes_of(found: Recurrence) -> dict[str, Any]:
    """What else the operator must be told of its cell."""
    if isinstance(found.cell, GRU):
        return {"linear_before_reset": 1}
    if isinstance(found.cell, RNN):
        own = ACTIVATIONS[str(found.cell.activation)]
        return {"activations": [own for _ in PLACES[found.direction]]}
    return {}


# What goes in -------------------------------------------------------------------------


def sequences(values: Values, found: Recurrence, rows: str) -> list[str]:
    """x, the parameters and lengths, as the operator takes them."""
    graph = values.graph
    missing = graph.add("Sub", graph.integers(1), rows)
    missing = graph.add("Max", missing, graph.integers(0))
    x = graph.add("Transpose", values[found.x], perm=(1, 0, 2))
    given = [with_rows(graph, x, missing, (0, 1, 0)), *parameters(values, found)]
    if found.lengths is not None:
        given.append(with_rows(graph, values[found.lengths], missing, (1,)))
    return given


def with_rows(graph: Graph, value: str, missing: str, along: tuple[int, ...]) -> str:
    """A value with so many more rows of zeros.

    There must be one row at least: runtimes end the process where there is none.

    Arguments:
        graph: where nodes are added.
        value: the value.
        missing: how many rows.
        along: 1 for the axis of rows, 0 for others.
    """
    behind = graph.add("Mul", missing, graph.integers(*along))
    before = graph.integers(*(0 for _ in along))
    return graph.add("Pad", value, graph.add("Concat", before, behind, axis=0))


def parameters(values: Values, found: Recurrence) -> list[str]:
    """Weights, recurrent weights and biases; both directions in one array."""
    traced = values.traced
    known = {
        name: traced.program.name(number) for name, number in found.parameters.items()
    }
    arrays = {name: traced.values[full] for name, full in known.items()}
    first, *_ = places = PLACES[found.direction]
    each = [arranged(found.cell, arrays, place) for place in places]
    return [
        values.graph.constant(
            np.stack([own[name] for own in each]),
            named=known[first + name].replace(first, ""),
        )
        for name in ("weights", "recurrent", "bias")
    ]


def arranged(
    cell: Cell, arrays: Mapping[str, NumpyArray], place: str
) -> dict[str, NumpyArray]:
    """The parameters of one direction.

    Returns:
        Weights (gates·units, features), recurrent weights (gates·units, units), and the
        biases of both in a row, (2·gates·units,).
    """
    found = {
        name: in_order(cell, arrays[place + name])
        for name in ("weights", "recurrent", "bias")
    }
    second = np.zeros_like(found["bias"])
    if isinstance(cell, GRU):  # d is that of its last gate
        second[-cell.units :] = arrays[place + "recurrent_bias"]
    return {**found, "bias": np.concatenate([found["bias"], second])}


def in_order(cell: Cell, array: NumpyArray) -> NumpyArray:
    """An array with the cell's gates along its first axis, in the operator's order."""
    order = GATES[type(cell)]
    gates = np.split(array, len(order), axis=-1)
    return np.concatenate([gates[number].T for number in order])
