"""The user's arrays as rows: checked, converted once, split and shuffled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from thalweg.checks import is_number, require
from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program.types import (
    ArrayType,
    Dtype,
    NumpyArray,
    Shape,
    require_unmasked,
)

CHECKED_ROWS = 65_536  # looked at a time for NaN and infinity, which bounds the memory
GATHERED_ROWS = 4096  # gathered at a time, for many small batches at once


@dataclass(frozen=True)
class Rows:
    """Inputs, targets and weights of the same rows.

    Arguments:
        X: inputs, shape (rows, …): floating-point numbers, or uint8.
        y: class numbers (rows,) of int32, or numbers (rows,) or (rows, outputs).
        weights: one number a row, or None.
        numbers: which rows of these arrays they are; None for all.
        lengths: how many times each row has; None where each has all of them.
    """

    X: NumpyArray
    y: NumpyArray
    weights: NumpyArray | None = None
    numbers: NumpyArray | None = None
    lengths: NumpyArray | None = None

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
        return Rows(X, self.targets, self.own_weights, None, self.own_lengths)

    def within(self, times: int, behind: int | None) -> Rows:
        """The same rows without the times behind, and without a copy of them.

        Arguments:
            times: how many of the inputs stay.
            behind: how many of the targets; None where these have none.
        """
        has_times = behind is not None and self.y.ndim > 1
        y = self.y[:, :behind] if has_times else self.y
        return replace(self, X=self.X[:, :times], y=y)

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
    def own_lengths(self) -> NumpyArray | None:
        """The lengths of these rows alone."""
        if self.lengths is None or self.numbers is None:
            return self.lengths
        return self.lengths[self.numbers]

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
        more = {"sample_weight": self.weights, "lengths": self.lengths}
        given = {name: array for name, array in more.items() if array is not None}
        return {"X": self.X, "y": self.y, **given}


def rows_from(
    X: Any,
    y: Any,
    sample_weight: Any,
    dtype: Dtype,
    name: str = "",
    lengths: NumpyArray | None = None,
) -> Rows:
    """Check the user's arrays, and convert them once.

    Raises:
        DtypeError: they don't hold numbers.
        ShapeError: they don't have the same number of rows.
        ArgumentError: a cell is NaN or infinite, or a weight is negative.
    """
    inputs = inputs_from(X, dtype, f"{name}X")
    targets = targets_from(y, dtype, f"{name}y")
    fits = targets.ndim > 0 and targets.size > 0
    if not fits or len(targets) != len(inputs):
        raise ShapeError(
            f"{name}y must have shape ({len(inputs)},) or ({len(inputs)}, …, outputs), "
            f"a row for every row of {name}X, got {targets.shape}"
        )
    require_learnable(targets, y, f"{name}y", dtype)
    weights = weights_from(sample_weight, len(inputs), dtype, f"{name}sample_weight")
    return Rows(inputs, targets, weights, None, lengths)


def at_positions(rows: Rows, outputs: Shape) -> Rows:
    """Rows whose targets have the positions that a network gives outputs at.

    Of shape (rows, 1) they could be one number a row as well as one at one position,
    which only the network's outputs tell.

    Arguments:
        rows: with targets as they were read.
        outputs: the shape of what the network gives for a row.
    """
    positions = outputs[:-1]
    if not positions or rows.y.ndim > 1 or math.prod(positions) != 1:
        return rows
    return replace(rows, y=rows.y.reshape(len(rows.y), *positions))


def inputs_from(X: Any, dtype: Dtype, name: str = "X") -> NumpyArray:
    """Inputs as an array of at least two axes, each row in one piece, all finite.

    Their dtype is the one that is asked for; but bytes stay bytes. Rows may share
    memory, as windows of a series do.
    """
    given = table_from(X, name)
    own = input_dtype_of(given, dtype)
    with np.errstate(over="ignore"):
        converted = whole_rows(given, own)
    require_finite(converted, name, given=given)
    return converted


def whole_rows(given: NumpyArray, dtype: Dtype) -> NumpyArray:
    """The array in a dtype, each row in one piece.

    Rows that lie over one another, such as windows of a text or a series, stay views: a
    copy could be as many times as large as a row is long.
    """
    if given.dtype == dtype and rows_overlap(given):
        return given
    return np.ascontiguousarray(given, dtype)


def rows_overlap(array: NumpyArray) -> bool:
    """Whether rows in one piece each begin before the last one has ended.

    >>> windows = np.lib.stride_tricks.sliding_window_view(np.arange(9), 4)
    >>> rows_overlap(windows), rows_overlap(windows[::4])
    (True, False)
    """
    if len(array) < 2 or not array[0].flags.c_contiguous or not array.flags.aligned:
        return False
    return 0 < array.strides[0] < array[0].nbytes


def input_dtype_of(given: NumpyArray, dtype: Dtype) -> Dtype:
    """The dtype in which a program reads inputs: a network's own, or uint8.

    >>> input_dtype_of(np.zeros(3, np.uint8), "float32")
    'uint8'
    >>> input_dtype_of(np.zeros(3, np.int64), "float32")
    'float32'
    """
    return "uint8" if given.dtype == np.uint8 else dtype


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
        if array.size and max(-int(array.min()), int(array.max())) >= 2**31:
            return np.ascontiguousarray(array, dtype)
        return whole_rows(array, "int32")
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, dtype)
    require_finite(converted, name, given=array)
    return converted


def largest_target(dtype: Dtype, rows: int) -> float:
    """The largest number that can be learned in a dtype, with so many rows.

    The squares of its errors must have a sum. With 65,536 rows or more it's 3.6e16 in
    float32, and with fewer it's more.

    >>> f"{largest_target('float32', 100):.1e}"
    '9.2e+17'
    """
    summed = min(max(rows, 1), CHECKED_ROWS)
    return float(np.sqrt(np.finfo(dtype).max / summed) / 2)


def require_learnable(
    targets: NumpyArray,
    given: Any,
    name: str,
    dtype: Dtype,
    counting: NumpyArray | slice = slice(None),
) -> None:
    """Numbers whose errors have squares in a dtype; names the first that hasn't.

    Arguments:
        targets: what is to be learned, class numbers or numbers.
        given: what it was made of.
        name: what an error calls it.
        dtype: of the network.
        counting: the rows that are learned from.

    Raises:
        ArgumentError: one is too large to be learned.
    """
    if targets.dtype.kind != "f":
        return
    most = largest_target(dtype, len(targets))
    wrong = np.zeros(targets.shape, np.bool_)
    wrong[counting] = ~(np.abs(targets[counting]) <= most)
    if not wrong.any():
        return
    place = np.argwhere(wrong)[0].tolist()
    raise ArgumentError(
        f"{name} must be at most {most:.2g} in size to be learned in "
        f"{dtype}, got {cell_at(given, place)} at {place_of(place)}"
    )


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
    require_balance(weights, dtype, name)
    return np.ascontiguousarray(weights / weights.max(), dtype)


def outweighing(weights: NumpyArray, dtype: Dtype) -> int | None:
    """The row beside which most others count nothing in a dtype; None mostly.

    Weights of any size are weights, as only their ratios matter, and a few may be so
    small that they are lost. But where most are, one of them is too large.

    >>> outweighing(np.array([1.0, 1e39, 1.0]), "float32")
    1
    """
    counting = weights > 0
    with np.errstate(under="ignore"):
        lost = counting & (weights < weights.max(initial=0) * np.finfo(dtype).tiny)
    return int(weights.argmax()) if 2 * lost.sum() > counting.sum() else None


def require_balance(weights: NumpyArray, dtype: Dtype, name: str) -> None:
    """No weight leaves most others none.

    Raises:
        ArgumentError: one does; names its row.
    """
    row = outweighing(weights, dtype)
    if row is not None:
        raise ArgumentError(
            f"{name} must leave most other rows a weight in {dtype}, whose smallest "
            f"number is {np.finfo(dtype).tiny:.2g}, got {weights[row]:g} at row {row}"
        )


def numbers_from(values: Any, name: str) -> NumpyArray:
    """Anything that NumPy can read as an array of numbers, none of them masked."""
    require_unmasked(values, name)
    try:
        array = np.asarray(values)
    except ValueError:
        raise ShapeError(f"{name} must have rows of the same length") from None
    except (TypeError, RuntimeError) as error:  # such as a tensor with a gradient
        raise DtypeError(f"{name} must be an array for NumPy: {error}") from error
    if array.dtype.kind == "O":
        with suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{name} must hold numbers, got {array.dtype}: text becomes numbers by "
            "`thalweg train`, or by class numbers 0, 1, 2, …"
        )
    return array


def require_finite(
    array: NumpyArray, name: str, first_row: int = 0, given: NumpyArray | None = None
) -> None:
    """Name the first cell that is NaN or infinite.

    Arguments:
        array: the numbers in the dtype that they must be finite in.
        name: what an error calls them.
        first_row: at which they start.
        given: as the user gave them, before they were converted.
    """
    if array.dtype.kind != "f":
        return
    for start in range(0, len(array), CHECKED_ROWS):
        part = array[start : start + CHECKED_ROWS]
        if not np.isfinite(part).all():
            whole = array if given is None else given
            raise_not_finite(part, name, first_row + start, whole[start:])


def raise_not_finite(
    array: NumpyArray, name: str, first_row: int, given: NumpyArray
) -> NoReturn:
    """The error for the first cell that is NaN or infinite."""
    place = np.argwhere(~np.isfinite(array))[0].tolist()
    raise ArgumentError(
        f"{name} must be finite in {array.dtype}, got {cell_at(given, place)} at "
        f"{place_of([first_row + place[0], *place[1:]])}"
    )


def cell_at(given: Any, place: Sequence[int]) -> str:
    """A number as the user gave it; y may have had more axes, or fewer.

    >>> cell_at(np.array([[1e39]]), [0])
    '1e+39'
    """
    cells = np.asarray(given)
    found = cells[(*place, *[0] * cells.ndim)[: cells.ndim]]
    return f"{found:g}" if cells.dtype.kind == "f" else str(found)


def place_of(place: Sequence[int]) -> str:
    """Where in an array, in words.

    >>> place_of([3, 0])
    'row 3, column 0'
    """
    axes = zip(("row", "column", "axis"), place, strict=False)
    return ", ".join(f"{axis} {number}" for axis, number in axes)


# Splitting, and batches ---------------------------------------------------------------


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
    """What tells the classes apart, one number a row; one-hot rows by their place.

    Rows with a target at each position have no class of their own.
    """
    if targets.ndim > 2:
        return np.zeros(len(targets))
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
