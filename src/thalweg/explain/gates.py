"""Gates: what a cell keeps, takes and shows at each time of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.explain.inside import Inside, seen_inside, the_one
from thalweg.formulas.activations import sigmoid, tanh
from thalweg.formulas.chain import describe
from thalweg.formulas.layers import Namespace, Prefixed
from thalweg.formulas.recurrence import (
    GRU,
    LSTM,
    Bidirectional,
    Cell,
    Recurring,
    states_of,
)
from thalweg.model.record import NetworkRecord
from thalweg.program import ops
from thalweg.program.composed import split
from thalweg.program.types import NumpyArray

Gates = Callable[[ops.Array, ops.Array, Namespace], list[ops.Array]]


def of_lstm(x: ops.Array, h: ops.Array, p: Namespace) -> list[ops.Array]:
    """σ, σ, tanh and σ of x W + h U + b."""
    i, f, g, o = split(x @ p.weights + p.bias + h @ p.recurrent, 4, axis=-1)
    return [sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)]


def of_gru(x: ops.Array, h: ops.Array, p: Namespace) -> list[ops.Array]:
    """σ and σ of x W + b + h U, and tanh of what is new."""
    x_r, x_z, x_n = split(x @ p.weights + p.bias, 3, axis=-1)
    h_r, h_z, h_n = split(h @ p.recurrent, 3, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    return [r, z, tanh(x_n + r * (h_n + p.recurrent_bias))]


GATES: Mapping[type[Cell], tuple[tuple[str, ...], Gates]] = {
    LSTM: (("i", "f", "g", "o"), of_lstm),
    GRU: (("r", "z", "n"), of_gru),
}
"""The gates of the cells that have some, by the letters of their formulas."""


def gates(
    network: NetworkRecord, X: NumpyArray, layer: int | str
) -> dict[str, NumpyArray]:
    """The gates of an LSTM or a GRU after each time, as in prediction.

    Arguments:
        network: initialized, fitted or loaded.
        X: rows in the network's shape and dtype.
        layer: the number of the layer that is recurrent or has one inside, 1 for the
            first; or its place, as the names of its parameters begin.

    Returns:
        An array (rows, times, units) for each gate by its letter in the cell's formula:
        i, f, g, o of an LSTM, r, z, n of a GRU; of both directions ``forward.i``,
        ``backward.i`` and so on.

    Raises:
        NotFittedError: the network has no parameters yet.
        ArgumentError: there is no such layer, or not one cell with gates in it.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.gates import gates
        >>> network = tw.Network([tw.LSTM(3)]).initialize((5, 2))
        >>> found = gates(network, np.zeros((1, 5, 2), "float32"), 1)
        >>> {name: array.shape for name, array in found.items()}
        {'i': (1, 5, 3), 'f': (1, 5, 3), 'g': (1, 5, 3), 'o': (1, 5, 3)}
        >>> print(found["f"][0, 0].round(2))  # it keeps at first
        [0.73 0.73 0.73]

    Source: Karpathy, Johnson and Fei-Fei, "Visualizing and understanding recurrent
    networks", 2015.
    """
    place, recurring = the_one(network, layer, Recurring, "recurrent layer")
    assert isinstance(recurring, Recurring)
    letters, formula = gates_of(recurring.own_cell)
    ways = directions(recurring)

    def every(inside: Inside) -> ops.Array:
        found: list[ops.Array] = []
        for name, reverse in ways.items():
            p = Prefixed(inside.p, name)
            h = states_of(recurring.own_cell, inside.x, p, reverse)[0]
            found += formula(inside.x, before(h, reverse), p)
        return ops.concatenate(found, axis=-1)

    values = seen_inside(network, X, place, every, "gates")
    names = [name + letter for name in ways for letter in letters]
    return dict(zip(names, np.split(values, len(names), axis=-1), strict=True))


def directions(layer: Recurring) -> dict[str, bool]:
    """What names begin with in each direction, and whether it goes backwards."""
    if isinstance(layer, Bidirectional):
        return {"forward.": False, "backward.": True}
    return {"": layer.in_direction().reverse}


def before(h: ops.Array, reverse: bool) -> ops.Array:
    """Of the states after each time those before it: the first one is zero."""
    if reverse:
        return ops.concatenate([h[:, 1:], ops.zeros_like(h[:, :1])], axis=1)
    return ops.concatenate([ops.zeros_like(h[:, :1]), h[:, :-1]], axis=1)


def gates_of(cell: Cell) -> tuple[tuple[str, ...], Gates]:
    """The letters and the formula of a cell's gates.

    Raises:
        ArgumentError: it has none that are known.
    """
    if type(cell) not in GATES:
        known = " or ".join(kind.__name__ for kind in GATES)
        raise ArgumentError(f"the gates are known of an {known}, got {describe(cell)}")
    return GATES[type(cell)]
