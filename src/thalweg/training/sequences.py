"""Rows of different lengths as one array, and how many times each has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.formulas.chain import Shapes, lengths_through
from thalweg.formulas.layers import Layer
from thalweg.formulas.lengths import is_there
from thalweg.model.lengths import require_lengths_known, require_times_left
from thalweg.program.types import Dtype, NumpyArray, Shape
from thalweg.training.rows import Rows, numbers_from, rows_from


def are_sequences(X: Any, row_shape: Shape | None = None) -> bool:
    """Whether it is a list of arrays, each a row of as many times as it has.

    Arguments:
        X: what may be one.
        row_shape: of the rows that are no sequences; None for that of the first.

    >>> are_sequences([np.ones((3, 2)), np.ones((5, 2))])
    True
    >>> are_sequences(np.ones((3, 2))), are_sequences([[1, 2], [3]])
    (False, False)
    """
    if not isinstance(X, list | tuple) or not X:
        return False
    rows = cast(Sequence[Any], X)
    shapes: list[Any] = [getattr(row, "shape", None) for row in rows]
    if not all(isinstance(shape, tuple) and len(shape) > 0 for shape in shapes):  # pyright: ignore[reportUnknownArgumentType]
        return False
    usual = shapes[0] if row_shape is None else row_shape
    return any(shape != usual for shape in shapes)


def times_in(X: Any) -> int:
    """How many times the longest row of some sequences has; 0 of anything else."""
    return max(map(len, X)) if are_sequences(X) else 0


def padded(
    X: Any, lengths: Any, name: str = "X", least: int = 0
) -> tuple[NumpyArray, NumpyArray]:
    """Rows as one array whose times behind a row's end are 0, and their lengths.

    Arguments:
        X: a list of arrays (times, …); or an array (rows, times, …).
        lengths: how many times each row has, (rows,); None for a list.
        name: what errors call X.
        least: how many times there are at least.

    Raises:
        ShapeError: rows differ in more than their length, or there isn't a length for
            each.
        ArgumentError: a length isn't one of the times.
    """
    if lengths is None:
        return together(X, name, least)
    if are_sequences(X):
        raise ArgumentError(
            f"lengths must be left out where {name} is a list of arrays: each has its "
            "own"
        )
    array = numbers_from(X, name)
    if array.ndim < 2:
        raise ShapeError(
            f"{name} must be of shape (rows, times, …) where there are lengths, got "
            f"{array.shape}"
        )
    counts = lengths_from(lengths, array.shape, name)
    return without_padding(with_times(array, least), counts), counts


def together(
    rows: Sequence[Any], name: str, least: int
) -> tuple[NumpyArray, NumpyArray]:
    """Arrays of different lengths, each with zeros behind it.

    >>> together([np.array([1, 2]), np.array([3])], "X", 3)[0].tolist()
    [[1, 2, 0], [3, 0, 0]]
    """
    arrays = [numbers_from(row, f"{name}[{k}]") for k, row in enumerate(rows)]
    first = arrays[0].shape[1:]
    for number, array in enumerate(arrays):
        if array.shape[1:] != first or not len(array):
            wanted = ", ".join(["times", *map(str, first)])
            raise ShapeError(
                f"{name}[{number}] must have shape ({wanted}{'' if first else ','}), "
                f"one time or more, got {array.shape}"
            )
    counts = np.array([len(array) for array in arrays], np.int32)
    times = max(int(counts.max()), least)
    result = np.zeros((len(arrays), times, *first), np.result_type(*arrays))
    for row, array in zip(result, arrays, strict=True):
        row[: len(array)] = array
    return result, counts


def lengths_from(lengths: Any, shape: tuple[int, ...], name: str) -> NumpyArray:
    """A whole number for each row, of the times that there are.

    Raises:
        ShapeError, DtypeError, ArgumentError: it isn't.
    """
    given = numbers_from(lengths, "lengths")
    if given.shape != shape[:1]:
        raise ShapeError(
            f"lengths must have shape ({shape[0]},), one for each row of {name}, got "
            f"{given.shape}"
        )
    if given.dtype.kind == "f" and not np.equal(given, np.floor(given)).all():
        raise DtypeError("lengths must be whole numbers of times")
    for row in np.flatnonzero((given < 1) | (given > shape[1]))[:1]:
        raise ArgumentError(
            f"lengths must be from 1 to the {shape[1]} times of {name}, got "
            f"{given[row]:g} at row {row}"
        )
    return given.astype(np.int32)


def with_times(array: NumpyArray, least: int) -> NumpyArray:
    """The array with at least so many times, zeros behind its own."""
    missing = max(least - array.shape[1], 0)
    if not missing:
        return array
    return np.pad(array, [(0, 0), (0, missing), *[(0, 0)] * (array.ndim - 2)])


def without_padding(array: NumpyArray, lengths: NumpyArray) -> NumpyArray:
    """The array with zeros behind the end of each row, whatever was there."""
    there: Any = is_there(array, lengths)
    return np.where(there, array, np.zeros((), array.dtype))


def cut(array: NumpyArray, lengths: NumpyArray) -> list[NumpyArray]:
    """What is there of each row of an array (rows, times, …)."""
    return [row[:n] for row, n in zip(array, lengths, strict=True)]


def by_times(lengths: NumpyArray, times: int) -> Iterator[tuple[int, list[int]]]:
    """Room for each row, so many times or a multiple of them, and the rows that get it.

    How much follows from a row's own length, so that it is computed alike alone and
    among longer ones.

    >>> list(by_times(np.array([3, 9, 20, 5]), 8))
    [(8, [0, 3]), (16, [1]), (32, [2])]
    """
    room = {int(n): times << (-(-int(n) // times) - 1).bit_length() for n in lengths}
    for each in sorted(set(room.values())):
        yield each, [row for row, n in enumerate(lengths) if room[int(n)] == each]


# Rows with targets --------------------------------------------------------------------


def rows_of_lengths(
    layers: Sequence[Layer],
    shapes: Shapes,
    X: NumpyArray,
    lengths: NumpyArray,
    y: Any,
    sample_weight: Any,
    dtype: Dtype,
    name: str = "",
) -> Rows:
    """Rows of different lengths with their targets, checked and converted.

    Where the last layer gives something at each time, a row weighs as much as it has
    times, so that all times count alike.

    Arguments:
        layers, shapes, dtype: of the network.
        X, lengths: as `padded` gives them.
        y: targets as `fit` takes them; of each time a list of arrays, or an array.
        sample_weight: one number a row, or None.
        name: what stands before the names in errors.

    Raises:
        ShapeError: a layer would take padding for data, no time of a row is left, or
            targets have other lengths.
    """
    behind = lengths_of_outputs(layers, shapes, lengths, dtype, f"{name}X")
    if behind is not None:
        y = targets_along(y, behind, shapes.outputs[-1], f"{name}y")
    rows = rows_from(X, y, sample_weight, dtype, name, lengths)
    if behind is None:
        return rows
    weights = behind if rows.weights is None else rows.weights * behind
    return replace(rows, weights=np.asarray(weights / weights.max(), dtype))


def lengths_of_outputs(
    layers: Sequence[Layer],
    shapes: Shapes,
    lengths: NumpyArray | None,
    dtype: Dtype,
    name: str = "X",
) -> NumpyArray | None:
    """How many times the last layer gives of each row; None if none.

    Raises:
        ShapeError: a layer would take padding for data, or no time of a row is left.
    """
    if lengths is None:
        return None
    require_lengths_known(layers, shapes.outputs, dtype)
    behind = lengths_through(layers, shapes.outputs, lengths)
    require_times_left(behind, name)
    return behind


def targets_along(y: Any, lengths: NumpyArray, outputs: Shape, name: str) -> NumpyArray:
    """Targets for each time, as many as the network gives.

    Raises:
        ShapeError: there are others.
    """
    times = outputs[0]
    if not are_sequences(y):
        array = numbers_from(y, name)
        fits = array.ndim > 1 and lengths.max() <= array.shape[1] <= times
        if len(array) != len(lengths) or not fits:
            raise ShapeError(
                f"{name} must have a target for each time, shape ({len(lengths)}, "
                f"{times}, …), or be a list of arrays, got shape {array.shape}"
            )
        return without_padding(with_times(array, times), lengths)
    array, counts = together(y, name, times)
    if len(counts) != len(lengths):
        raise ShapeError(f"{name} must have {len(lengths)} rows, got {len(counts)}")
    for row in np.flatnonzero(counts != lengths)[:1]:
        raise ShapeError(
            f"{name}[{row}] must have {lengths[row]} times, as many as the network "
            f"gives of that row, got {counts[row]}"
        )
    return array
