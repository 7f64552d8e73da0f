"""A person's arrays as rows: checked, converted once, split and shuffled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.formulas.names import is_number, require
from thalweg.program.types import ArrayType, Dtype, NumpyArray, require_unmasked

CHECKED_ROWS = 65_536  # looked at a time for NaN and infinity, which bounds the memory
GATHERED_ROWS = 4096  # gathered at a time, for many small batches at once


@dataclass(frozen=True)
class Rows:
    """Inputs, targets and weights of the same rows.

    Arguments:
        X: floating-point inputs, shape (rows, …).
        y: class numbers (rows,) of int32, or numbers (rows,) or (rows, outputs).
        weights: one number a row, or None.
        numbers: which rows of these arrays they are; None for all.
    """

    X: NumpyArray
    y: NumpyArray
    weights: NumpyArray | None = None
    numbers: NumpyArray | None = None

    def __len__(self) -> int:
        return len(self.X if self.numbers is None else self.numbers)

    def take(self, indices: NumpyArray) -> Rows:
        """Some of the rows, by their numbers or by a mask, without a copy of them."""
        every = np.arange(len(self.X)) if self.numbers is None else self.numbers
        return replace(self, numbers=every[indices])

    def copied(self) -> Rows:
        """The same rows in arrays that hold no others."""
        if self.numbers is None:
            return self
        X = self.X[self.numbers]
        return Rows(X, self.targets, self.own_weights)

    @property
    def targets(self) -> NumpyArray:
        """The targets of these rows alone."""
        return self.y if self.numbers is None else self.y[self.numbers]

    @property
    def own_weights(self) -> NumpyArray | None:
        """The weights of these rows alone."""
        if self.weights is None or self.numbers is None:
            return self.weights
        return self.weights[self.numbers]

    @property
    def total_weight(self) -> float:
        """The sum of the weights, each 1 unless told."""
        weights = self.own_weights
        return len(self) if weights is None else float(weights.sum(dtype=np.float64))

    def types(self, rows: int) -> dict[str, ArrayType]:
        """The types of a batch's arrays."""
        return {
            name: ArrayType((rows, *a.shape[1:]), a.dtype.name)  # pyright: ignore[reportArgumentType]
            for name, a in self.arrays().items()
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
    fits = targets.ndim in (1, 2) and targets.size > 0
    if not fits or len(targets) != len(inputs):
        raise ShapeError(
            f"{name}y must have shape ({len(inputs)},) or ({len(inputs)}, outputs), "
            f"a row for every row of {name}X, got {targets.shape}"
        )
    weights = weights_from(sample_weight, len(inputs), dtype, f"{name}sample_weight")
    return Rows(inputs, targets, weights)


def inputs_from(X: Any, dtype: Dtype, name: str = "X") -> NumpyArray:
    """Inputs as a contiguous floating-point array of at least two axes, all finite."""
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(table_from(X, name), dtype)
    require_finite(converted, name)
    return converted


def table_from(X: Any, name: str = "X") -> NumpyArray:
    """Inputs as they are: numbers of at least two axes, none of them empty."""
    array = numbers_from(X, name)
    if array.ndim < 2:
        raise ShapeError(
            f"{name} must have rows and columns, shape (rows, features), "
            f"got {array.shape}"
        )
    if not array.size:
        raise ShapeError(
            f"{name} must have at least one row and one column, got {array.shape}"
        )
    return array


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
    require_finite(converted, name)
    return converted


def weights_from(
    sample_weight: Any, rows: int, dtype: Dtype, name: str
) -> NumpyArray | None:
    """Weights from 0 to 1, of which only the ratios matter; None stays None."""
    if sample_weight is None:
        return None
    weights = numbers_from(sample_weight, name).astype(np.float64)
    if weights.shape != (rows,):
        raise ShapeError(f"{name} must have shape ({rows},), got {weights.shape}")
    require_finite(weights, name)
    for row in np.flatnonzero(weights < 0)[:1]:
        raise ArgumentError(
            f"{name} must be 0 or more, got {weights[row]} at row {row}"
        )
    if not weights.any():
        raise ArgumentError(f"{name} must not be 0 everywhere")
    return np.ascontiguousarray(weights / weights.max(), dtype)


def numbers_from(values: Any, name: str) -> NumpyArray:
    """Anything that NumPy can read as an array of numbers, none of them masked."""
    require_unmasked(values, name)
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeError(f"{name} must have rows of the same length") from None
    if array.dtype.kind == "O":
        with suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{name} must hold numbers, got {array.dtype}: text becomes numbers by "
            "`thalweg train`, or by class numbers 0, 1, 2, …"
        )
    return array


def require_finite(array: NumpyArray, name: str, first_row: int = 0) -> None:
    """Name the first cell that is NaN or infinite; the array starts at that row."""
    for start in range(0, len(array), CHECKED_ROWS):
        part = array[start : start + CHECKED_ROWS]
        if not np.isfinite(part).all():
            raise_not_finite(part, name, first_row + start)


def raise_not_finite(array: NumpyArray, name: str, first_row: int) -> NoReturn:
    """The error for the first cell that is NaN or infinite."""
    place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
    numbers = [first_row + place[0], *place[1:]]
    axes = zip(("row", "column", "axis"), numbers, strict=False)
    raise ArgumentError(
        f"{name} must be finite in {array.dtype}, got {array[tuple(place)]} at "
        + ", ".join(f"{axis} {i}" for axis, i in axes)
    )


# Splitting and shuffling --------------------------------------------------------------


def hold_out(rows: Rows, fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Training and validation rows, the classes in the same shares in both.

    Written out here because importing scikit-learn takes longer than training a small
    network.

    Raises:
        ArgumentError: the fraction isn't between 0 and 1, or leaves a side empty.
    """
    fits = is_number(fraction) and 0 < fraction < 1
    must = "a fraction between 0 and 1, (X, y), (X, y, sample_weight) or None"
    require(fits, "validation", must, fraction)
    count = round(len(rows) * fraction)
    if not 0 < count < len(rows):
        raise ArgumentError(
            f"validation={fraction} of {len(rows)} rows leaves {len(rows) - count} to "
            f"train and {count} to validate; give validation=(X, y) or validation=None"
        )
    generator = np.random.Generator(np.random.Philox(key=[seed, 2**32]))
    order = generator.permutation(len(rows))
    chosen = np.empty(len(rows), np.bool_)
    chosen[order] = stratified(classes_of(rows.targets[order]), count)
    parts = rows.take(~chosen), rows.take(chosen)
    for part, purpose in zip(parts, ("train", "validate"), strict=True):
        if not part.total_weight:
            raise ArgumentError(
                f"validation={fraction} leaves only rows of weight 0 to {purpose}; "
                "give validation=(X, y, sample_weight), or leave those rows out"
            )
    training, held_out = parts
    return training, held_out.copied()


def classes_of(targets: NumpyArray) -> NumpyArray:
    """What tells the classes apart, one number a row; one-hot rows by their place."""
    return targets if targets.ndim == 1 else targets.argmax(axis=1)


def stratified(classes: NumpyArray, count: int) -> NumpyArray:
    """Which rows to choose so that each class gets its share, to within a row.

    The rows come in random order: the first of a class are chosen, and the rows that
    are left after rounding down go to the classes that lack most, the earliest first.
    """
    _, first, number, sizes = np.unique(
        classes, return_index=True, return_inverse=True, return_counts=True
    )
    chosen, remainder = np.divmod(sizes * count, len(classes))
    neediest = np.lexsort((first, -remainder))
    chosen[neediest[: count - chosen.sum()]] += 1
    grouped = np.argsort(number, kind="stable")
    rank = np.empty_like(grouped)
    rank[grouped] = np.arange(len(classes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rank < chosen[number]


def shuffled_order(rows: int, seed: int, epoch: int) -> NumpyArray:
    """Row numbers in another random order every epoch."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 2**33 + epoch]))
    return generator.permutation(rows)


def batches(
    rows: Rows, order: NumpyArray, batch_size: int
) -> Iterator[dict[str, NumpyArray]]:
    """The arrays of every batch in an order of rows; the last may be smaller.

    Rows are gathered for many batches at once, which costs less than one by one.
    """
    block = batch_size * max(GATHERED_ROWS // batch_size, 1)
    for start in range(0, len(order), block):
        chosen = order[start : start + block]
        gathered = {
            name: array.take(chosen, axis=0) for name, array in rows.arrays().items()
        }
        for first in range(0, len(chosen), batch_size):
            last = first + batch_size
            yield {name: array[first:last] for name, array in gathered.items()}
