"""The layers of a network that a page shows as columns of units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from thalweg.backends.numpy.calls import compile, gradient
from thalweg.errors import ArgumentError
from thalweg.formulas.activations import Activation, activation
from thalweg.formulas.chain import describe
from thalweg.formulas.layers import Dense, Dropout
from thalweg.formulas.perceptron import Perceptron
from thalweg.model.memory import parts_of
from thalweg.network import Network
from thalweg.program import ops
from thalweg.program.types import NumpyArray
from thalweg.recording.plane import BOUNDED

CURVE = np.linspace(-4, 4, 161)
"""The sums z at which an activation's curve is drawn."""


@dataclass(frozen=True)
class Column:
    """A dense layer, whose units are drawn one below the other.

    Arguments:
        number: of the layer, 1 for the first.
        layer: itself.
        inputs: how many numbers each unit sees.
        units: how many there are.
        places: where its parameters begin in the vector of all, by name.
        dropout: the rate of the `Dropout` right behind it; 0 without one.
    """

    number: int
    layer: Dense | Perceptron
    inputs: int
    units: int
    places: dict[str, int]
    dropout: float

    @property
    def is_bounded(self) -> bool:
        """Whether its units give −1 to 1 at most."""
        return self.layer.activation in BOUNDED

    @property
    def activation(self) -> str:
        """The name of its activation."""
        chosen = self.layer.activation
        return chosen if isinstance(chosen, str) else chosen.__name__

    def slope(self, z: NumpyArray) -> NumpyArray:
        """The slope φ′(z) of its activation; NaN of softmax, whose units share one."""
        if self.activation == "softmax":
            return np.full_like(z, np.nan)
        return slope_of(self.layer.activation)(z)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for the document of a recording."""
        units, bias = self.units, self.places.get("bias")
        return {
            "number": self.number,
            "text": describe(self.layer),
            "kind": type(self.layer).__name__,
            "inputs": self.inputs,
            "units": units,
            "activation": self.activation,
            "weights": {
                "start": self.places["weights"],
                "shape": [self.inputs, units],
            },
            "bias": None if bias is None else {"start": bias, "shape": [units]},
            "dropout": self.dropout,
        }


def columns_of(network: Network) -> list[Column]:
    """The layers that are shown, first to last.

    Raises:
        ArgumentError: the network isn't one of dense layers.
    """
    layers = network.layers
    places = parameter_places(network)
    columns: list[Column] = []
    for number, (layer, behind) in enumerate(
        zip(layers, [*layers[1:], None], strict=True), 1
    ):
        if isinstance(layer, Dense | Perceptron):
            own = places[number]
            dropout = behind.rate if isinstance(behind, Dropout) else 0.0
            before, after = network.shapes.outputs[number - 1 : number + 1]
            columns.append(Column(number, layer, before[-1], after[-1], own, dropout))
        elif not isinstance(layer, Dropout):
            raise ArgumentError(
                "a recording must be of a network of Dense and Dropout layers, got "
                f"{describe(layer)} as layer {number}"
            )
    if not columns or columns[-1].number != len(layers):
        raise ArgumentError(
            "a recording must be of a network whose last layer is a Dense"
        )
    return columns


def parameter_places(network: Network) -> dict[int, dict[str, int]]:
    """Of each layer where its parameters begin in the vector of all, by own name."""
    flat = np.arange(network.memory.parameters.size)
    found: dict[int, dict[str, int]] = {}
    for name, part in parts_of(flat, network.shapes).items():
        number, _, own = name.partition(".")
        found.setdefault(int(number), {})[own] = int(part.reshape(-1)[0])
    return found


def curves_of(columns: list[Column]) -> dict[str, NumpyArray]:
    """The curve of each activation: z, a, and the slope ∂a/∂z, shape (3, points).

    Softmax has none: what a unit gives depends on the z of all others.
    """
    curves: dict[str, NumpyArray] = {}
    for column in columns:
        if column.activation != "softmax":
            a = activation(column.layer.activation)(CURVE)
            curve = np.stack([CURVE, a, column.slope(CURVE)]).astype(np.float32)
            curves[f"activation.{column.activation}"] = curve
    return curves


@lru_cache(maxsize=32)
def slope_of(chosen: str | Activation) -> Callable[..., Any]:
    """The slope of an activation at every z, compiled once for each shape of z."""
    formula = activation(chosen)

    def total(z: ops.Array) -> ops.Array:
        return ops.sum(formula(z))

    return compile(gradient(total))
