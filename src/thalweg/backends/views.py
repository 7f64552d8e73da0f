"""Views: other strides over the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.backends.layout import Location, contiguous
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ITEMSIZE, ArrayType

Runs = tuple[int, ...]


def view_of(
    location: Location,
    opcode: str,
    attributes: Mapping[str, Any],
    rows: int | None = None,
) -> Location | None:
    """The location that a view has; None where its elements must be copied.

    NumPy's own rules decide, on an array of the same strides that is never read.
    """
    ghost = np.lib.stride_tricks.as_strided(
        np.empty(1, location.type.dtype), location.type.shape, location.strides
    )
    if opcode == "reshape":
        try:
            view = np.reshape(ghost, attributes["shape"], copy=False)
        except ValueError:
            return None
    else:
        view = PRIMITIVES[opcode].meaning(ghost, **attributes)
    type = ArrayType(tuple(view.shape), location.type.dtype)
    if not view.size:  # an empty slice's start may lie behind the buffer
        return contiguous(location.buffer, location.offset, type, rows)
    moved = view.__array_interface__["data"][0] - ghost.__array_interface__["data"][0]
    offset = location.offset + moved
    steps = zip(view.shape, view.strides, strict=True)
    strides = tuple(abs(step) if n == 1 else step for n, step in steps)
    return Location(location.buffer, offset, strides, type, rows)


def merged(place: Location, runs: Runs) -> Location | None:
    """The place where each run of axes is one axis; None where strides don't allow it.

    Rows must be the first axis of their run.

    >>> place = contiguous("x", 0, ArrayType((3, 2, 2, 2), "float64"))
    >>> found = merged(place, (2, 2))
    >>> found.type.shape, found.strides
    ((6, 4), (32, 8))
    """
    sizes: list[int] = []
    strides: list[int] = []
    rows, start = None, 0
    for number, count in enumerate(runs):
        stop = start + count
        if place.rows is not None and start <= place.rows < stop:
            if place.rows != start:
                return None
            rows = number
        run = merged_axes(place.type.shape[start:stop], place.strides[start:stop])
        if run is None:
            return None
        sizes.append(run[0])
        strides.append(ITEMSIZE[place.type.dtype] if run[1] is None else run[1])
        start = stop
    type = ArrayType(tuple(sizes), place.type.dtype)
    return Location(place.buffer, place.offset, tuple(strides), type, rows)


def merged_axes(
    shape: Sequence[int], strides: Sequence[int]
) -> tuple[int, int | None] | None:
    """The size and the stride of axes as one; no stride where none is stepped along."""
    size, stride = 1, None
    if 0 in shape:
        return 0, None
    for n, step in zip(reversed(shape), reversed(strides), strict=True):
        if n == 1:
            continue
        if stride is not None and step != size * stride:
            return None
        size, stride = size * n, step if stride is None else stride
    return size, stride


def runs_of_product(
    attributes: Mapping[str, Any], x: ArrayType, y: ArrayType
) -> tuple[Runs, Runs, Runs]:
    """The axes of a contraction's factors and result that are those of matrices."""
    batch, summed = attributes["batch"], attributes["summed"]
    free, others = (len(type.shape) - batch - summed for type in (x, y))
    shared = (1,) * batch
    return (*shared, free, summed), (*shared, summed, others), (*shared, free, others)


def are_apart(attributes: Mapping[str, Any]) -> bool:
    """Whether no two windows have an element in common."""
    sizes, spacing = attributes["sizes"], attributes["spacing"]
    spans = [(size - 1) * apart + 1 for size, apart in zip(sizes, spacing, strict=True)]
    steps = attributes["steps"]
    return all(span <= step for span, step in zip(spans, steps, strict=True))


def has_adjacent_columns(place: Location, runs: Runs) -> bool:
    """Whether the columns of a right factor lie side by side, so that vectors fit."""
    matrix = merged(place, runs)
    assert matrix is not None
    columns = matrix.type.shape[-1]
    return columns <= 1 or matrix.strides[-1] == ITEMSIZE[place.type.dtype]


def can_be_gathered(place: Location, attributes: Mapping[str, Any]) -> bool:
    """Whether a contraction's left factor can be read where its axes aren't one each.

    Its rows or its sums are then brought together a part at a time.
    """
    free, summed = len(place.strides) - attributes["summed"], attributes["summed"]
    is_one = free > 0 and summed > 0 and not attributes["batch"]
    return is_one and place.rows in (None, 0, free)


def permuted(place: Location, order: Sequence[int]) -> Location:
    """The place with its axes in another order."""
    return Location(
        place.buffer,
        place.offset,
        tuple(place.strides[axis] for axis in order),
        ArrayType(tuple(place.type.shape[axis] for axis in order), place.type.dtype),
        None if place.rows is None else [*order].index(place.rows),
    )


def copying_order(place: Location, runs: Collection[Runs]) -> Sequence[int]:
    """The order of axes in which a factor's copy lies, so that it's a matrix.

    Of two runs either may come last; it is the one whose elements are nearest in what
    is copied, as the channels of an image's windows.

    >>> columns = contiguous("x", 0, ArrayType((4, 2, 3), "float64"))
    >>> turned = permuted(columns, (1, 2, 0))
    >>> copying_order(turned, [(2, 1)]), copying_order(columns, [(1, 2)])
    ((2, 0, 1), (0, 1, 2))
    """
    every = tuple(range(len(place.strides)))
    if len(runs) != 1:
        return every
    ((*shared, first, last),) = runs
    start = len(shared)
    middle = start + first
    if not first or not last or place.strides[middle - 1] >= place.strides[-1]:
        return every
    return (*every[:start], *every[middle:], *every[start:middle])
