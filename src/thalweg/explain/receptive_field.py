"""The receptive field: which places of a row one unit of a layer can see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import cast

from thalweg.checks import is_whole, require
from thalweg.errors import ArgumentError, ShapeError
from thalweg.explain.rows import require_layer
from thalweg.formulas.augmentation import Augment
from thalweg.formulas.branches import Branching
from thalweg.formulas.chain import describe, label
from thalweg.formulas.convolution import Conv
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Dense, Dropout, Layer
from thalweg.formulas.normalization import BatchNorm, LayerNorm, RMSNorm
from thalweg.formulas.places import Window
from thalweg.formulas.pooling import Flatten, GlobalMax, GlobalMean, Pool
from thalweg.formulas.positions import Positions
from thalweg.formulas.preparation import Rescale, Reshape
from thalweg.formulas.transformer import FeedForward
from thalweg.model.record import NetworkRecord
from thalweg.program.types import Dtype, Shape

OF_ONE_PLACE = (
    *(Augment, BatchNorm, Dense, Dropout, FeedForward, LayerNorm, Positions, Rescale),
    RMSNorm,
)
OF_ALL_PLACES = (Flatten, GlobalMax, GlobalMean)


@dataclass(frozen=True)
class ReceptiveField:
    """What a unit sees: `size` places of a row, from place · `stride` + `offset` on.

    Arguments:
        size: along each axis of places, in pixels of an image.
        stride: how far the field moves from a unit to its neighbor; 0 where units have
            no places, as behind `Flatten`.
        offset: where the field of the first unit starts; below zero, in padding.
        reach: the first place of a row that can be seen, and the one behind the last.

    Example:
        >>> from thalweg.explain.receptive_field import ReceptiveField
        >>> field = ReceptiveField((5, 5), (2, 2), (-1, -1), ((0, 8), (0, 8)))
        >>> field.at(0, 3)
        (slice(0, 4, None), slice(5, 8, None))
    """

    size: Shape
    stride: Shape
    offset: tuple[int, ...]
    reach: tuple[tuple[int, int], ...]

    def at(self, *place: int) -> tuple[slice, ...]:
        """The part of a row that the unit at a place sees, without padding.

        Arguments:
            place: of the unit, a number for each axis; none where units have no place.

        Raises:
            ArgumentError: there aren't as many numbers as axes.
        """
        axes = len(self.size) if any(self.stride) else 0
        numbers = "none" if axes == 0 else f"{axes} whole numbers, 0 or more"
        fits = len(place) == axes and all(is_whole(n) and n >= 0 for n in place)
        require(fits, "the place of a unit", numbers, place)
        starts = [
            offset + stride * number
            for offset, stride, number in zip(
                self.offset, self.stride, place or self.stride, strict=True
            )
        ]
        return tuple(
            slice(max(start, first), min(start + size, end))
            for start, size, (first, end) in zip(
                starts, self.size, self.reach, strict=True
            )
        )

    def of_windows(self, windows: Sequence[Window], counts: Shape) -> ReceptiveField:
        """What a unit sees through a window of units that have this field each.

        Arguments:
            windows: along each axis.
            counts: of those units along each axis; where they end, padding begins.
        """
        each = list(zip(self.size, self.stride, self.offset, windows, strict=True))
        ends = [
            o + (n - 1) * s + k for (k, s, o, _), n in zip(each, counts, strict=True)
        ]
        reach = zip(self.reach, self.offset, ends, strict=True)
        return replace(
            self,
            reach=tuple((max(a, o), min(b, end)) for (a, b), o, end in reach),
            size=tuple(k + (w.size - 1) * w.dilation * s for k, s, _, w in each),
            stride=tuple(s * w.stride for _, s, _, w in each),
            offset=tuple(o - w.before * s for _, s, o, w in each),
        )

    def of_all(self, counts: Shape) -> ReceptiveField:
        """What a unit sees through all units, of which each axis has so many."""
        whole = self.of_windows([Window(count, 0) for count in counts], counts)
        return replace(whole, stride=(0,) * len(counts))

    def beside(self, other: ReceptiveField) -> ReceptiveField:
        """What a unit sees through one unit with this field and one with another.

        Raises:
            ShapeError: their units don't lie side by side.
        """
        if self.stride != other.stride:
            raise ShapeError(
                "branches must move over a row alike for what a unit sees of both, "
                f"got strides of {self.stride} and {other.stride}"
            )
        starts = tuple(map(min, self.offset, other.offset))
        ends = [
            max(o + k, p + m)
            for o, k, p, m in zip(
                self.offset, self.size, other.offset, other.size, strict=True
            )
        ]
        size = tuple(end - start for start, end in zip(starts, ends, strict=True))
        both = zip(self.reach, other.reach, strict=True)
        reach = tuple((min(a, c), max(b, d)) for (a, b), (c, d) in both)
        return replace(self, size=size, offset=starts, reach=reach)


def receptive_field(network: NetworkRecord, layer: int) -> ReceptiveField:
    """Which places of a row a unit of a layer can see, by all windows before it.

    r ← r + (k − 1) d s,  o ← o − p s,  s ← s · t, from r = s = 1 and o = 0, for every
    layer of windows of size k, dilation d and stride t, with p places set before x

    Arguments:
        network: initialized, fitted or loaded; of rows (places…, channels), or with a
            `Reshape` that makes such of them, whose places are meant then.
        layer: its number, 1 for the first.

    Returns:
        The field's size r, stride s and offset o along each axis.

    Raises:
        NotFittedError: the network has no parameters yet.
        ArgumentError: there is no such layer; or what a layer sees isn't known, as it
            is a user's own; or a `ConvTranspose` or `Attention`, whose units see
            unequally much.
        ShapeError: rows have no places.

    Example:
        >>> import thalweg as tw
        >>> from thalweg.explain.receptive_field import receptive_field
        >>> layers = [tw.Conv(4, 3), tw.MaxPool(2), tw.Conv(8, 3)]
        >>> field = receptive_field(tw.Network(layers).initialize((12, 12, 1)), 3)
        >>> field.size, field.stride, field.offset
        ((8, 8), (2, 2), (0, 0))

    Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional neural
    networks", 2019.
    """
    given = network.shapes.outputs
    require_layer(network.layers, layer)
    seen = network.layers[:layer]
    field = through(seen, given, pixels_of(given[0]), network.dtype)
    if not field.size:
        raise ShapeError(
            "a receptive field is of rows with places, (rows, places…, channels), got "
            f"rows of shape {given[0]}"
        )
    return field


def pixels_of(shape: Shape) -> ReceptiveField:
    """Each place of a row, which sees itself."""
    places = shape[:-1]
    ones = (1,) * len(places)
    reach = tuple((0, count) for count in places)
    return ReceptiveField(ones, ones, (0,) * len(places), reach)


def through(
    layers: Sequence[Layer],
    given: Sequence[Shape],
    field: ReceptiveField,
    dtype: Dtype,
) -> ReceptiveField:
    """What the last of layers sees, if what they are given sees a field.

    Arguments:
        layers: one after the other.
        given: the shape of a row before the first and after each.
        field: of a unit of what they are given.
        dtype: of the network.
    """
    for number, (layer, shape) in enumerate(zip(layers, given, strict=False), 1):
        if any(field.stride) or not field.size:  # else all units see all already
            field = seen_by(layer, shape, field, dtype, label(number, layer))
    return field


def seen_by(
    layer: Layer, shape: Shape, field: ReceptiveField, dtype: Dtype, where: str
) -> ReceptiveField:
    """What a unit of a layer sees through what it is given."""
    if isinstance(layer, Conv | Pool):
        return field.of_windows(layer.windows_along(shape), shape[:-1])
    if isinstance(layer, OF_ALL_PLACES):
        return field.of_all(shape[:-1])
    if isinstance(layer, Branching) and not isinstance(layer, Inputs):
        inside = layer.shapes(shape, dtype)
        seen = [
            through(chain, inside[place].outputs, field, dtype)
            for place, chain in layer.chains().items()
        ]
        return reduce(ReceptiveField.beside, seen)
    if isinstance(layer, OF_ONE_PLACE):
        return field
    if isinstance(layer, Reshape) and all(size == 1 for size in field.size):
        return pixels_of(cast(Shape, layer.shape))
    raise ArgumentError(
        f"{where}: what a unit of {describe(layer)} sees isn't known, nor of any layer "
        "behind it; a receptive field is known of convolutions, pooling, and layers "
        "that look at one place or at all"
    )
