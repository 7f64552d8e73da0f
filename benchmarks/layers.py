"""What a network is made of, as plain data: each framework builds its own from it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Dense:
    units: int
    activation: str = "identity"


@dataclass(frozen=True)
class Conv:
    """Windows of `size` with stride 1; padding is valid or same."""

    filters: int
    size: Shape
    activation: str = "identity"
    padding: str = "valid"


@dataclass(frozen=True)
class BatchNorm:
    """By the batch's statistics, ε = 1e-5, then an activation."""

    activation: str = "identity"


@dataclass(frozen=True)
class MaxPool:
    """Windows side by side, of one size along each axis of places."""

    size: int


@dataclass(frozen=True)
class GlobalMean:
    pass


@dataclass(frozen=True)
class Flatten:
    pass


@dataclass(frozen=True)
class Dropout:
    rate: float


Layer: TypeAlias = Dense | Conv | BatchNorm | MaxPool | GlobalMean | Flatten | Dropout
Learned = (Dense, Conv, BatchNorm)  # each has weights and a bias, or what stands there


def output_shape(layer: Layer, shape: Shape) -> Shape:
    """Of a row, channels last."""
    match layer:
        case Dense(units):
            return (units,)
        case Conv(filters, size, _, "valid"):
            return (*(n - k + 1 for n, k in zip(shape, size, strict=False)), filters)
        case Conv(filters):
            return (*shape[:-1], filters)
        case MaxPool(size):
            return (*(n // size for n in shape[:-1]), shape[-1])
        case GlobalMean():
            return shape[-1:]
        case Flatten():
            return (math.prod(shape),)
        case _:
            return shape


def weights_shape(layer: Layer, shape: Shape) -> Shape:
    """Of a learning layer's weights, thalweg's and Keras' way: outputs last."""
    match layer:
        case Dense(units):
            return (*shape, units)
        case Conv(filters, size):
            return (*size, shape[-1], filters)
        case _:
            return shape[-1:]


def learns(layer: Layer) -> bool:
    """Whether it has parameters."""
    return isinstance(layer, Learned)


@dataclass(frozen=True)
class Network:
    """Layers, and the shape of the rows that they are given."""

    shape: Shape
    layers: tuple[Layer, ...]

    @property
    def walked(self) -> Iterator[tuple[Layer, Shape]]:
        """Each layer, and the shape of the row that it is given."""
        shape = self.shape
        for layer in self.layers:
            yield layer, shape
            shape = output_shape(layer, shape)

    @property
    def sizes(self) -> list[int]:
        """Features, units of each dense layer, outputs."""
        units = [layer.units for layer in self.layers if isinstance(layer, Dense)]
        return [math.prod(self.shape), *units]

    @property
    def activation(self) -> str:
        """Of hidden dense layers."""
        return next(la.activation for la in self.layers if isinstance(la, Dense))

    @property
    def products(self) -> list[int]:
        """Multiplications of each dense layer and convolution, for a row."""
        return [
            math.prod(output_shape(layer, given)[:-1])
            * math.prod(weights_shape(layer, given))
            for layer, given in self.walked
            if isinstance(layer, Dense | Conv)
        ]

    @property
    def parameters(self) -> int:
        """How many weights and biases there are."""
        shapes = [weights_shape(*each) for each in self.walked if learns(each[0])]
        return sum(math.prod(shape) + shape[-1] for shape in shapes)

    @property
    def has_windows(self) -> bool:
        """Whether there are convolutions."""
        return any(isinstance(layer, Conv) for layer in self.layers)

    @property
    def without_dropout(self) -> Network:
        """The same, with losses that can be compared."""
        kept = [layer for layer in self.layers if not isinstance(layer, Dropout)]
        return Network(self.shape, tuple(kept))

    def __str__(self) -> str:
        """Such as 20-64-64-2, or 28×28×1-6-16-120-84-10."""
        widths = [
            weights_shape(*each)[-1]
            for each in self.walked
            if isinstance(each[0], Dense | Conv)
        ]
        return "-".join(["×".join(map(str, self.shape)), *map(str, widths)])
