"""y with the values that it was given with, where a detour by float64 would round."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.program.types import NumpyArray, require_unmasked

WHOLE_DTYPES = ("int64", "uint64")
MISSING = ("NoneType", "NAType", "NaTType")
"""The types of None, and of what stands for it in pandas."""

COARSE = 1e-6
"""Numbers whose rounding is a larger part of their deviation can't be learned."""


def unrounded(y: Any) -> Any:
    """y as an array of the same values: labels, codes and identifiers stay exact.

    scikit-learn makes pandas' columns of whole numbers float64, as NumPy does lists of
    large ones, and texts of numbers beside texts. Here whole numbers are int64, uint64,
    or Python's own where they have more than 64 bits; decimals are Python's.

    Arguments:
        y: an array, a list, a range, or a column or frame of pandas, polars or pyarrow.
            Anything else comes back as it is, for scikit-learn to say what it thinks.

    Raises:
        ArgumentError: a value is missing, or masked.

    Example:
        >>> unrounded([2**53 + 1, -1, 2**64 - 1]).tolist()
        [9007199254740993, -1, 18446744073709551615]
        >>> unrounded([2**63, 2**63 + 1]).dtype
        dtype('uint64')
    """
    require_unmasked(y, "y")
    if isinstance(y, np.ndarray):
        return narrowed(cast("NumpyArray", y))
    if isinstance(y, list | tuple | range):
        return narrowed(of_list(cast("Sequence[Any]", y)))
    if not hasattr(y, "__array__"):
        return y
    array = of_column(y)
    require_none_missing(array)
    return narrowed(array)


def of_list(values: Sequence[Any]) -> NumpyArray:
    """An array of a list's values; of objects if NumPy would make others of them."""
    try:
        array: NumpyArray = np.asarray(values)
    except ValueError:  # rows of several lengths
        return np.array(values, object)
    if array.ndim != 1 or array.dtype.kind not in "fU":
        return array
    if array.size and all(isinstance(value, int | np.integer) for value in values):
        return np.array(values, object)  # large ones, of which NumPy makes floats
    # Python compares whole numbers with floats exactly.
    kind = str if array.dtype.kind == "U" else int | float | np.number
    pairs = zip(values, array.tolist(), strict=True)
    same = all(isinstance(a, kind) and (a == b or a != a) for a, b in pairs)
    return array if same else np.array(values, object)


def of_column(y: Any) -> NumpyArray:
    """An array of the cells of a column or a frame."""
    try:
        return np.asarray(y)
    except Exception:
        if not hasattr(y, "to_list"):
            raise
        return np.array(y.to_list(), object)  # as polars' numbers of 128 bits


def narrowed(array: NumpyArray) -> NumpyArray:
    """Python's objects as NumPy has them, if it has them exactly.

    Raises:
        ArgumentError: one is missing.
    """
    if array.dtype.kind == "T":  # NumPy's texts of any length, which few tools know
        return array.astype(object)
    if array.dtype.kind != "O":
        return array
    require_none_missing(array)
    values: list[Any] = array.ravel().tolist()
    kinds = set(map(type, values))
    if kinds and kinds <= {bool, np.bool_}:
        return array.astype(np.bool_)
    if kinds and bool not in kinds:
        if all(issubclass(kind, int | np.integer) for kind in kinds):
            return whole_numbers(array, min(values), max(values))
        if all(issubclass(kind, float | np.floating) for kind in kinds):
            return array.astype(np.float64)
    return array


def whole_numbers(array: NumpyArray, least: int, most: int) -> NumpyArray:
    """Whole numbers in the first of NumPy's dtypes that holds them all, if one does."""
    for dtype in WHOLE_DTYPES:
        limits = np.iinfo(dtype)
        if limits.min <= least and most <= limits.max:
            return array.astype(dtype)
    return array


def require_none_missing(array: NumpyArray) -> None:
    """There is a value in each row.

    Raises:
        ArgumentError: None, NaN, or pandas' own stand for one.
    """
    if array.dtype.kind == "f":
        missing = np.isnan(array)
    elif array.dtype.kind == "O":
        cells: list[Any] = array.ravel().tolist()
        missing = np.reshape([is_missing(cell) for cell in cells], array.shape)
    else:
        return
    for place in np.argwhere(missing)[:1].tolist():
        raise ArgumentError(
            f"y must not be missing, got {array[tuple(place)]} at row {place[0]}; "
            "leave such rows out, or if it is a class, write its name as a text"
        )


def is_missing(value: Any) -> bool:
    """Whether it stands for a missing value."""
    if isinstance(value, float | Decimal):
        return value != value
    return type(value).__name__ in MISSING


def as_numbers(y: NumpyArray) -> NumpyArray:
    """y in float64, which rounds whole numbers from 2⁵³ on.

    Raises:
        ArgumentError: it holds none, or too large ones.
    """
    try:
        return np.asarray(y, np.float64)
    except OverflowError:
        raise ArgumentError(
            f"y must hold numbers of at most {np.finfo(np.float64).max:g}"
        ) from None


def require_distinct(y: NumpyArray) -> None:
    """Numbers that float64 can tell apart, as far as that shows in their deviation.

    Raises:
        ArgumentError: they are so large and so near to each other that it can't, as
            identifiers are.
    """
    if y.dtype.kind not in "iuO" or not y.size:
        return
    rounded = as_numbers(y)
    steps = np.spacing(np.abs(rounded).max(axis=0))
    with np.errstate(over="ignore"):
        if (steps <= COARSE * rounded.std(axis=0)).all():
            return
    given, known = y.ravel().tolist(), rounded.ravel().tolist()
    for value, number in zip(given, known, strict=True):
        if value != number:
            raise ArgumentError(
                f"y must hold numbers that float64 can tell apart, got {value}; take "
                "off what they share, or NetworkClassifier if they are names"
            )
