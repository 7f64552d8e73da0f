"""Rows that stay on one side of a split: those of a group, and copies of each other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.estimators.features import is_table
from thalweg.estimators.rows import taken
from thalweg.estimators.scaling import blocks
from thalweg.estimators.sequences import Sequences, keys_of
from thalweg.estimators.unrounded import is_missing, of_column
from thalweg.program.types import NumpyArray

DIFFERENT_SHARE = 0.5
"""Where fewer rows than this share differ, they repeat because there are few values."""

VALUE_SHARE = 0.05
"""A row that is this share of all is a usual value, and new rows will repeat it."""

FEW = 5
"""So many copies may be there by mistake, however few rows there are."""


def numbered(keys: Iterable[Hashable]) -> NumpyArray:
    """Equal keys as equal numbers, counted from 0 as they come.

    Example:
        >>> numbered(["b", "a", "b"]).tolist()
        [0, 1, 0]
    """
    places: dict[Hashable, int] = {}
    found = [places.setdefault(key, len(places)) for key in keys]
    return np.array(found, np.int64)


def group_numbers(groups: Any, rows: int) -> NumpyArray:
    """The number of each row's group.

    Arguments:
        groups: a list, an array, or a column of pandas, polars or pyarrow, of anything
            that is equal in rows of one group and can be hashed.
        rows: how many there must be.

    Returns:
        Shape (rows,).

    Raises:
        ArgumentError: they aren't as many, or a row has none.

    Example:
        >>> group_numbers(["Ann", "Bea", "Ann"], rows=3).tolist()
        [0, 1, 0]
    """
    values = listed_groups(groups)
    if len(values) != rows:
        raise ArgumentError(
            f"groups must be as many as the rows, {rows}, got {len(values)}"
        )
    for row, value in enumerate(values):
        if is_missing(value):
            raise ArgumentError(
                f"groups must not be missing, got {value} at row {row}; a row that "
                "belongs to no other can have a group of its own"
            )
    try:
        return numbered(values)
    except TypeError:
        raise ArgumentError(
            "groups must hold values that can be hashed, such as texts or whole numbers"
        ) from None


def listed_groups(groups: Any) -> list[Any]:
    """One value a row, as Python has it."""
    if isinstance(groups, list | tuple):
        return list(cast("Sequence[Any]", groups))
    array = of_column(groups) if hasattr(groups, "__array__") else np.empty(())
    if array.ndim != 1:
        what = f"shape {array.shape}" if array.ndim else repr(groups)
        raise ArgumentError(f"groups must hold one value a row, got {what}")
    return cast("list[Any]", array.tolist())


def copies(X: Any, y: NumpyArray, rows: NumpyArray) -> NumpyArray | None:
    """A number for each of some rows, the same for exact copies; None without any.

    Those that repeat because there are few values aren't counted as copies.

    Arguments:
        X: an array, a sparse array or a table.
        y: the targets as numbers, which a copy shares.
        rows: which rows.

    Returns:
        Shape (rows,), or None.

    Example:
        >>> X = np.arange(50).reshape(-1, 1) // 2
        >>> y, rows = np.zeros(50), np.arange(50)
        >>> copies(X, y, rows)[:6].tolist()
        [0, 0, 1, 1, 2, 2]
        >>> copies(X // 2, y, rows) is None
        True
    """
    targets = y.reshape(len(y), -1)
    numbers = numbered(zip(row_keys(X, rows), row_keys(targets, rows), strict=True))
    return kept_together(numbers)


def row_keys(X: Any, rows: NumpyArray) -> Iterator[int]:
    """What is equal of equal rows, and in 64 bits hardly ever of others."""
    if is_table(X):
        yield from X.frame[rows].hash_rows()
        return
    if isinstance(X, Sequences):
        yield from keys_of(X[rows])
        return
    for _, block in blocks(taken(X, rows)):
        for row in np.ascontiguousarray(block + 0.0):  # so that -0 is 0
            yield hash(row.tobytes())


def kept_together(numbers: NumpyArray) -> NumpyArray | None:
    """Numbers of rows, the same for copies that are to stay together; None without any.

    Rows of few values repeat by nature, and new rows will repeat them: those that are
    more than a twentieth of all, and than five, count as rows of their own, and so do
    all where less than half differ.

    Arguments:
        numbers: the same for copies, from 0 on without a gap, shape (rows,).

    Returns:
        Shape (rows,), from 0 on without a gap, or None.

    Example:
        >>> kept_together(np.arange(50) // 2)[:6].tolist()
        [0, 0, 1, 1, 2, 2]
        >>> kept_together(np.arange(50) // 4) is None
        True
    """
    counts = np.bincount(numbers)
    if len(counts) == len(numbers) or len(counts) < DIFFERENT_SHARE * len(numbers):
        return None
    usual = (counts > max(VALUE_SHARE * len(numbers), FEW))[numbers]
    apart = np.where(usual, len(counts) + np.arange(len(numbers)), numbers)
    return np.unique(apart, return_inverse=True)[1]
