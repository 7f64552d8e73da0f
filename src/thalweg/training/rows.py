"""A person's arrays as rows: checked, converted once, split and shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program.types import ArrayType, Dtype, NumpyArray

LEAST_ROWS = 2


@dataclass(frozen=True)
class Rows:
    """Inputs, targets and weights of the same rows.

    Arguments:
        X: floating-point inputs, shape (rows, …).
        y: class numbers (rows,) of int32, or numbers (rows,) or (rows, outputs).
        weights: one number a row, or None.
    """

    X: NumpyArray
    y: NumpyArray
    weights: NumpyArray | None = None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, indices: NumpyArray) -> Rows:
        """Some of the rows, as a copy."""
        weights = None if self.weights is None else self.weights[indices]
        return Rows(self.X[indices], self.y[indices], weights)

    def types(self, rows: int) -> dict[str, ArrayType]:
        """The types of a batch's arrays."""
        arrays = {"X": self.X, "y": self.y}
        if self.weights is not None:
            arrays["sample_weight"] = self.weights
        return {
            name: ArrayType((rows, *a.shape[1:]), a.dtype.name)  # pyright: ignore[reportArgumentType]
            for name, a in arrays.items()
        }

    def arrays(self) -> dict[str, NumpyArray]:
        """The arrays under the names that a step's program has for them."""
        named = {"X": self.X, "y": self.y}
        return (
            named if self.weights is None else {**named, "sample_weight": self.weights}
        )


def rows_from(X: Any, y: Any, sample_weight: Any, dtype: Dtype, name: str = "") -> Rows:
    """Check a person's arrays, and convert them once.

    Raises:
        DtypeError: they don't hold numbers.
        ShapeError: they don't have the same number of rows.
        ArgumentError: a cell is NaN or infinite, or a weight is negative.
    """
    inputs = inputs_from(X, dtype, f"{name}X")
    targets = targets_from(y, dtype, f"{name}y")
    if targets.ndim not in (1, 2) or len(targets) != len(inputs):
        raise ShapeError(
            f"{name}y must have shape ({len(inputs)},) or ({len(inputs)}, outputs), "
            f"a row for every row of {name}X, got {targets.shape}"
        )
    weights = weights_from(sample_weight, len(inputs), dtype, f"{name}sample_weight")
    return Rows(inputs, targets, weights)


def inputs_from(X: Any, dtype: Dtype, name: str = "X") -> NumpyArray:
    """Inputs as a contiguous floating-point array of at least two axes, all finite."""
    array = numbers_from(X, name)
    if array.ndim < 2:
        raise ShapeError(
            f"{name} must have rows and columns, shape (rows, features), "
            f"got {array.shape}"
        )
    if not len(array):
        raise ShapeError(f"{name} must have at least one row, got {array.shape}")
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype)
    require_finite(converted, name, dtype)
    return converted


def targets_from(y: Any, dtype: Dtype, name: str) -> NumpyArray:
    """Targets as class numbers of int32, or finite floating-point numbers."""
    array = numbers_from(y, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind in "biu":
        wide = array.astype(np.int64)
        if wide.size and abs(wide).max() >= 2**31:
            return np.ascontiguousarray(array, dtype)
        return np.ascontiguousarray(array, np.int32)
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype)
    require_finite(converted, name, dtype)
    return converted


def weights_from(
    sample_weight: Any, rows: int, dtype: Dtype, name: str
) -> NumpyArray | None:
    """Weights of at least 0, not all of them 0; None stays None."""
    if sample_weight is None:
        return None
    weights = np.ascontiguousarray(numbers_from(sample_weight, name), dtype)
    if weights.shape != (rows,):
        raise ShapeError(f"{name} must have shape ({rows},), got {weights.shape}")
    require_finite(weights, name, dtype)
    if (weights < 0).any() or not (weights > 0).any():
        raise ArgumentError(f"{name} must be 0 or more, and not 0 everywhere")
    return weights


def numbers_from(values: Any, name: str) -> NumpyArray:
    """Anything that NumPy can read as an array of numbers."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        with suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{name} must hold numbers, got {array.dtype}: text becomes numbers by "
            "`thalweg train`, or by class numbers 0, 1, 2, …"
        )
    return array


def require_finite(array: NumpyArray, name: str, dtype: Dtype) -> None:
    """Name the first cell that is NaN or infinite."""
    if np.isfinite(array).all():
        return
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
    raise ArgumentError(
        f"{name} must be finite in {dtype}, got {array[place]} at "
        + ", ".join(
            f"{axis} {i}"
            for axis, i in zip(("row", "column", "axis"), place, strict=False)
        )
    )


# Splitting and shuffling --------------------------------------------------------------


def hold_out(rows: Rows, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Training and validation rows, the classes in the same shares in both.

    Written out here because importing scikit-learn takes longer than training a small
    network.

    Raises:
        ArgumentError: the fraction isn't between 0 and 1, or leaves a side empty.
    """
    if not 0 < fraction < 1:
        raise ArgumentError(
            "validation must be a fraction between 0 and 1, (X, y), or None, "
            f"got {fraction}"
        )
    count = round(len(rows) * fraction)
    if count < 1 or count >= len(rows):
        raise ArgumentError(
            f"validation={fraction} of {len(rows)} rows leaves {len(rows) - count} to "
            f"train and {count} to validate; give validation=(X, y) or validation=None"
        )
    generator = np.random.Generator(np.random.Philox(key=[seed, 2**32]))
    order = generator.permutation(len(rows))
    if rows.y.ndim == 1 and rows.y.dtype.kind == "i":
        order = order[stratified_order(rows.y[order])]
    return rows.take(np.sort(order[count:])), rows.take(np.sort(order[:count]))


def stratified_order(classes: NumpyArray) -> NumpyArray:
    """An order of which every beginning has the classes in about their shares.

    The i-th of n rows of a class comes at the place (i + 1/2) / n of the whole.
    """
    place = np.empty(len(classes))
    for each in np.unique(classes):
        mine = np.flatnonzero(classes == each)
        place[mine] = (np.arange(len(mine)) + 0.5) / len(mine)
    return np.argsort(place, kind="stable")


def shuffled_batches(
    rows: int, batch_size: int, seed: int, epoch: int
) -> Iterator[NumpyArray]:
    """The row numbers of every batch of an epoch; the last may be smaller."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 2**33 + epoch]))
    order = generator.permutation(rows)
    for start in range(0, rows, batch_size):
        yield order[start : start + batch_size]
