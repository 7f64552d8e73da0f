"""Numbers along each axis: what stands between the brackets of ``x[…]``, or sizes."""

from __future__ import annotations

import operator
from typing import Any, cast

from thalweg.checks import is_whole
from thalweg.errors import ArgumentError, ShapeError
from thalweg.program.sizes import Size, as_size
from thalweg.program.trace import location
from thalweg.program.types import Shape


def with_ellipsis_spelled_out(keys: list[Any], shape: Shape) -> list[Any]:
    """The keys with a full slice for every axis that they leave out."""
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if used > len(shape):
        raise ShapeError(f"{used} indices for an array of shape {shape}{location()}")
    rest = [slice(None)] * (len(shape) - used)
    at = next((i for i, k in enumerate(keys) if k is Ellipsis), len(keys))
    return keys[:at] + rest + keys[at + 1 :]


def bounds(key: Any, size: int) -> tuple[int, int, int]:
    """Start, stop and step of one whole number or slice along an axis."""
    if isinstance(key, slice):
        if key.step == 0:  # pyright: ignore[reportUnknownMemberType]
            raise ShapeError(f"a slice's step must not be 0{location()}")
        start, stop, step = slice_bounds(key, size)  # pyright: ignore[reportUnknownArgumentType]
        if step < 0:
            return (start, stop, step) if stop < start else (0, 0, 1)
        return start, stop if stop >= start else start, step
    if not hasattr(key, "__index__") or isinstance(key, bool):
        raise ShapeError(
            f"an index must be a whole number or a slice, got {key!r}{location()}"
        )
    if not -size <= key < size:
        raise ShapeError(f"index {key} lies outside an axis of size {size}{location()}")
    position = operator.index(key)
    position = position if position >= 0 else size + position
    return position, position + 1, 1


def slice_bounds(key: Any, size: int) -> tuple[int, int, int]:
    """Start, stop and step of a slice, as Python has them, of any size.

    Backwards to the first element the stop is −1, which stands before it.
    """
    parts = size, key.start, key.stop
    if not any(isinstance(each, Size) for each in parts):
        return key.indices(size)

    step = 1 if key.step is None else operator.index(key.step)
    first, stop = (0, size) if step > 0 else (size - 1, -1)
    last = stop if step > 0 else first

    def place(given: Any, missing: int) -> int:
        if given is None:
            return missing
        counted = as_size(given)
        counted = counted if counted >= 0 else size + counted
        return counted if counted <= last else last

    return place(key.start, first), place(key.stop, stop), step


def whole_numbers(name: str, given: Any, count: int) -> tuple[int, ...]:
    """Several numbers as they are; a single one for each of so many axes.

    Raises:
        ArgumentError: one isn't whole.
    """
    several = isinstance(given, tuple | list)
    each = tuple(cast(tuple[Any, ...], given)) if several else (given,) * count
    if not all(map(is_whole, each)):
        raise ArgumentError(
            f"{name} must be a whole number, or one for each axis, got {given!r}"
            f"{location()}"
        )
    return tuple(map(int, each))
