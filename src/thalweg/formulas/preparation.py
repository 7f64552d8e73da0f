"""Layers that prepare what a network is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from thalweg.checks import is_number, is_whole, require
from thalweg.errors import ShapeError
from thalweg.formulas.layers import Layer, Namespace, Shape
from thalweg.program import ops

PerChannel: TypeAlias = float | Sequence[float]


@dataclass(frozen=True)
class Rescale(Layer):
    """Brings numbers to a scale that a network learns well on.

    y = x · scale + offset

    Nothing of it is learned: images of bytes become 0 to 1 by ``Rescale(1 / 255)``.

    Arguments:
        scale: a number, or one for each channel.
        offset: a number, or one for each channel.

    Returns:
        When applied to x of shape (rows, …, channels), an array of that shape.

    Raises:
        ArgumentError: an argument isn't made of finite numbers.
        ShapeError: there is a number for each channel, but x has other channels.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> pixels = np.array([[0, 51, 255]], np.uint8)
        >>> tw.Rescale(1 / 255).forward(pixels, None).tolist()
        [[0.0, 0.2, 1.0]]

    Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998.
    """

    scale: PerChannel
    offset: PerChannel = 0.0

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            object.__setattr__(self, name, per_channel(name, getattr(self, name)))

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x · scale + offset."""
        for name in ("scale", "offset"):
            require_channels(name, getattr(self, name), x)
        return x * self.scale + self.offset


@dataclass(frozen=True)
class Reshape(Layer):
    """The numbers of a row with other axes.

    y = x, in the order of its axes

    Images without an axis of channels, or written as columns, get what a convolution
    needs: ``Reshape((28, 28, 1))``.

    Arguments:
        shape: of a row, one size or several.

    Returns:
        When applied to x of shape (rows, …), an array (rows, shape…).

    Raises:
        ArgumentError: shape isn't made of whole numbers of 1 or more.
        ShapeError: a row of x has not as many numbers as the shape.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.Reshape((2, 3)).forward(np.array([[1, 2, 3, 4, 5, 6]]), None).tolist()
        [[[1, 2, 3], [4, 5, 6]]]

    Source: Abadi et al., "TensorFlow: a system for large-scale machine learning", 2016.
    """

    shape: int | Sequence[int]

    def __post_init__(self) -> None:
        given: Any = self.shape
        several = isinstance(given, Sequence)
        sizes = tuple(cast(Sequence[Any], given)) if several else (given,)
        fits = len(sizes) > 0 and all(is_whole(n) and n >= 1 for n in sizes)
        require(fits, "shape", "whole numbers of 1 or more", given)
        object.__setattr__(self, "shape", tuple(map(int, sizes)))

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x, in the order of its axes."""
        shape = cast(Shape, self.shape)
        if math.prod(x.shape[1:]) != math.prod(shape):
            raise ShapeError(
                f"Reshape must be given x with {math.prod(shape)} numbers a row for "
                f"{shape}, got {math.prod(x.shape[1:])} of {tuple(x.shape[1:])}"
            )
        return ops.reshape(x, (x.shape[0], *shape))


def per_channel(name: str, given: Any) -> float | tuple[float, ...]:
    """A number, or a tuple of them."""
    if is_number(given):
        return float(given)
    known = isinstance(given, Sequence | np.ndarray)
    several = list(cast(Sequence[Any], given)) if known else []
    fits = len(several) > 0 and all(map(is_number, several))
    require(fits, name, "a number, or one for each channel", cast(object, given))
    return tuple(map(float, several))


def require_channels(name: str, numbers: PerChannel, x: ops.Array) -> None:
    """Where there is a number for each channel, x has so many."""
    if isinstance(numbers, tuple) and x.shape[-1] != len(numbers):
        raise ShapeError(
            f"Rescale must be given x with as many channels as {name} has numbers, "
            f"{len(numbers)}, got {x.shape[-1]}"
        )
