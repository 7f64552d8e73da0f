"""Layers that make few numbers of many: poolings, and `Flatten`.

x has the shape (rows, places…, channels), with one, two or three axes of places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np

from thalweg.checks import look_up
from thalweg.errors import ShapeError
from thalweg.formulas.layers import Layer, Namespace, Shape
from thalweg.formulas.lengths import (
    Lengths,
    in_place_of_padding,
    lengths_of,
    windows_within,
)
from thalweg.formulas.places import (
    WHOLE,
    PerAxis,
    Window,
    Windowed,
    count_of,
    padded,
    padding_of,
    per_axis,
    places_of,
    rank_of,
    require_per_axis,
)
from thalweg.program import ops
from thalweg.program.types import NumpyArray

MOST_COUNTED = 2**21  # places whose windows differ, which a formula holds as numbers


@dataclass(frozen=True)
class Pool(Windowed):
    """What poolings share: their windows, side by side unless told."""

    size: PerAxis
    stride: PerAxis | None = None
    padding: str = "valid"

    knows_lengths = True

    def lengths_behind(
        self, lengths: Lengths, input_shape: Shape, output_shape: Shape
    ) -> Lengths:
        """As many as there are windows of times that a row has.

        Raises:
            ShapeError: windows reach over the end of a row.
        """
        require_valid(self, self.padding == "valid")
        sizes, strides = self._each(input_shape)
        return windows_within(lengths, sizes[0], strides[0])

    def __post_init__(self) -> None:
        require_per_axis("size", self.size)
        if self.stride is not None:
            require_per_axis("stride", self.stride)
        look_up("padding", self.padding, WHOLE)

    def windows(self, around: ops.Array) -> tuple[ops.Array, tuple[int, ...]]:
        """The windows of x with what is set around it, and their own axes."""
        sizes, strides = self._each(tuple(around.shape[1:]))
        rank = len(sizes)
        seen = ops.windows(around, tuple(range(1, rank + 1)), sizes, strides)
        return seen, tuple(range(rank + 1, 2 * rank + 1))

    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """The padded row, and its windows."""
        sizes, strides = self._each(input_shape)
        amounts = self.amounts(input_shape)
        wide = [n + sum(each) for n, each in zip(input_shape, amounts, strict=False)]
        each = zip(wide, sizes, strides, strict=True)
        places = (count_of(n, size, stride) for n, size, stride in each)
        channels = input_shape[-1:]
        return [(*wide, *channels), (*places, *sizes, *channels)]

    def windows_along(self, input_shape: Shape) -> list[Window]:
        """How windows lie along each axis of places."""
        each = zip(*self._each(input_shape), self.amounts(input_shape), strict=True)
        return [Window(k, s, before=before) for k, s, (before, _) in each]

    def amounts(self, input_shape: Shape) -> list[tuple[int, int]]:
        """How many places are set before and behind those along each axis."""
        each = zip(input_shape, *self._each(input_shape), strict=False)
        return [padding_of(n, k, s, 1, self.padding) for n, k, s in each]

    def _each(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """Size and stride along each axis of places."""
        rank = rank_of(self, input_shape)
        sizes = per_axis("size", self.size, rank)
        given = self.stride
        return sizes, sizes if given is None else per_axis("stride", given, rank)


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest number of each window, for each channel.

    y[i] = maxⱼ x[i·s + j]

    Arguments:
        size: of a window, one number for all axes or one for each.
        stride: s, from a window to the next; None for windows side by side.
        padding: ``valid`` takes the windows that fit; ``same`` also those that reach
            over an edge, so that there are ⌈n / s⌉ of n. Of these, what exists counts.

    Returns:
        When applied to x of shape (rows, places…, channels), an array with a place for
        each window.

    Raises:
        ArgumentError: an argument is out of its range.
        ShapeError: x has no places, or a window doesn't fit into them.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([[[1.0], [4.0], [2.0], [3.0]]])
        >>> tw.MaxPool(2).forward(x, None)[0, :, 0].tolist()
        [4.0, 3.0]

    Source: Riesenhuber and Poggio, "Hierarchical models of object recognition in
    cortex", 1999.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """maxⱼ x[i·s + j]."""
        for axis, (before, behind) in enumerate(self.amounts(tuple(x.shape[1:])), 1):
            x = with_edges_repeated(x, axis, before, behind)
        return ops.max(*self.windows(x))


@dataclass(frozen=True)
class MeanPool(Pool):
    """The mean of each window, for each channel.

    y[i] = 1/k Σⱼ x[i·s + j]

    Arguments:
        size: of a window, one number for all axes or one for each.
        stride: s, from a window to the next; None for windows side by side.
        padding: ``valid`` takes the windows that fit; ``same`` also those that reach
            over an edge, so that there are ⌈n / s⌉ of n. Of these, what exists counts.

    Returns:
        When applied to x of shape (rows, places…, channels), an array with a place for
        each window.

    Raises:
        ArgumentError: an argument is out of its range.
        ShapeError: x has no places, a window doesn't fit into them, or with padding
            there are more than 2²¹ windows.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([[[1.0], [4.0], [2.0], [3.0]]])
        >>> tw.MeanPool(2).forward(x, None)[0, :, 0].tolist()
        [2.5, 2.5]

    Source: LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel, "Handwritten
    digit recognition with a back-propagation network", 1990.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """1/k Σⱼ x[i·s + j]."""
        if not any(map(any, self.amounts(tuple(x.shape[1:])))):
            return ops.mean(*self.windows(x))
        sizes, strides = self._each(tuple(x.shape[1:]))
        around = padded(x, sizes, strides, (1,) * len(sizes), self.padding)
        counts = self._counts(tuple(x.shape[1:]))
        return ops.sum(*self.windows(around)) / counts[..., None]

    def _counts(self, input_shape: Shape) -> NumpyArray:
        """How many elements of each window there are."""
        windows = self.windows_along(input_shape)
        given = [
            (n, -(-n // w.stride), w)
            for n, w in zip(input_shape, windows, strict=False)
        ]
        places = math.prod(count for _, count, _ in given)
        if places > MOST_COUNTED:
            raise ShapeError(
                f"MeanPool with padding='same' may give {MOST_COUNTED:,} places, got "
                f"{places:,}"
            )
        along: list[NumpyArray] = []
        for n, count, window in given:
            starts = np.arange(count) * window.stride - window.before
            along.append(np.minimum(starts + window.size, n) - np.maximum(starts, 0))
        return reduce(np.multiply.outer, along)


def with_edges_repeated(x: ops.Array, axis: int, before: int, behind: int) -> ops.Array:
    """x with its first and last places again beyond them, which no maximum notices."""

    def edge(at: int, count: int) -> list[ops.Array]:
        place = x[(slice(None),) * axis + (slice(at, at + 1),)]
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        return [ops.broadcast_to(place, shape)] if count else []

    parts = [*edge(0, before), x, *edge(x.shape[axis] - 1, behind)]
    return ops.concatenate(parts, axis) if len(parts) > 1 else x


@dataclass(frozen=True)
class GlobalMax(Layer):
    """The largest number of all places, for each channel.

    y = maxᵢ x[i]

    Returns:
        When applied to x of shape (rows, places…, channels), an array (rows, channels).

    Raises:
        ShapeError: x has no places.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.GlobalMax().forward(np.array([[[1.0, 5.0], [4.0, 2.0]]]), None).tolist()
        [[4.0, 5.0]]

    Source: Oquab, Bottou, Laptev and Sivic, "Is object localization for free?", 2015.
    """

    knows_lengths = True

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """maxᵢ x[i]."""
        return ops.max(in_place_of_padding(x, p, -math.inf), places_of(self, x))


@dataclass(frozen=True)
class GlobalMean(Layer):
    """The mean of all places, for each channel.

    y = 1/n Σᵢ x[i]

    Returns:
        When applied to x of shape (rows, places…, channels), an array (rows, channels).

    Raises:
        ShapeError: x has no places.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.GlobalMean().forward(np.array([[[1.0, 5.0], [4.0, 2.0]]]), None).tolist()
        [[2.5, 3.5]]

    Source: Lin, Chen and Yan, "Network in network", 2014.
    """

    knows_lengths = True

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """1/n Σᵢ x[i]."""
        places, lengths = places_of(self, x), lengths_of(p)
        if lengths is None:
            return ops.mean(x, places)
        others = math.prod(x.shape[2:-1])
        count = ops.reshape(ops.cast(lengths, x.dtype.name), (x.shape[0], 1)) * others
        # The reciprocal, as a mean over a known number of places has it: same bits.
        return ops.sum(in_place_of_padding(x, p, 0.0), places) * (1 / count)


def require_valid(layer: Layer, fits: bool) -> None:
    """Windows of rows whose lengths differ end where the row does.

    Raises:
        ShapeError: they don't.
    """
    if not fits:
        raise ShapeError(
            f"{type(layer).__name__} must have padding='valid' where rows have lengths "
            "of their own: how windows lie would depend on the longest row"
        )


@dataclass(frozen=True)
class Flatten(Layer):
    """All numbers of a row side by side.

    y = x, in the order of its axes

    Returns:
        When applied to x of shape (rows, …), an array (rows, numbers).

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.Flatten().forward(np.array([[[1.0, 5.0], [4.0, 2.0]]]), None).tolist()
        [[1.0, 5.0, 4.0, 2.0]]

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
    document recognition", 1998.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x, in the order of its axes."""
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))
