"""Split rows into those to train on, to stop by, and to test on."""

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.data.words import counted
from thalweg.errors import ArgumentError, DataError
from thalweg.formulas.names import require_fraction, require_whole

Rows: TypeAlias = NDArray[np.int64]

LEAST_ROWS = 10
"""With fewer rows than this no part would mean anything."""


@dataclass(frozen=True)
class Split:
    """Which rows are for what; positions from 0, each in one part alone.

    Args:
        training: rows to learn from.
        validation: rows that choose the epoch.
        test: rows to be scored once, at the end.
        notes: what a person should know about how they were drawn.
    """

    training: Rows
    validation: Rows
    test: Rows
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """The sizes of the parts and the notes, as a person reads them."""
        parts = (
            f"{len(self.training):,} rows to train on, {len(self.validation):,} to "
            f"validate, {len(self.test):,} to test"
        )
        return [parts, *self.notes]


def split(
    rows: int,
    classes: NDArray[np.integer[Any]] | None = None,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Split:
    """Draw the rows of each part at random; of each class the same share.

    A class with fewer rows than there are parts is only trained on.

    Args:
        rows: how many rows there are.
        classes: the class number of each, shape (rows,), or None for a number.
        validation: the share of rows to validate on.
        test: the share of rows to test on.
        seed: the same seed draws the same rows.

    Raises:
        ArgumentError: a share isn't in [0, 1), or nothing would be left to train on.
        DataError: there are fewer than 10 rows.

    >>> parts = split(100, seed=1)
    >>> len(parts.training), len(parts.validation), len(parts.test)
    (60, 20, 20)
    """
    require_fraction("validation", validation)
    require_fraction("test", test)
    require_whole("seed", seed, 0)
    if validation + test >= 1:
        raise ArgumentError(
            "validation and test together must leave rows to train on, "
            f"got {validation} + {test}"
        )
    if rows < LEAST_ROWS:
        raise DataError(
            f"there must be at least {LEAST_ROWS} rows with a target, got {rows}"
        )
    sizes = [_size(share, rows) for share in (test, validation)]
    kept, notes = _only_trained(rows, classes, sizes)
    shared = np.flatnonzero(~kept)
    shared, tested = _draw(shared, classes, sizes[0], seed, notes)
    shared, validated = _draw(shared, classes, sizes[1], seed, notes)
    training = np.union1d(shared, np.flatnonzero(kept))
    return Split(training, validated, tested, tuple(notes))


def _size(share: float, rows: int) -> int:
    return max(1, round(share * rows)) if share else 0


def _only_trained(
    rows: int, classes: NDArray[np.integer[Any]] | None, sizes: list[int]
) -> tuple[NDArray[np.bool_], list[str]]:
    """Which rows are of classes with fewer rows than parts, unless most are."""
    nothing = np.zeros(rows, np.bool_)
    if classes is None:
        return nothing, []
    parts = 1 + sum(size > 0 for size in sizes)
    counts = np.bincount(classes)
    kept = counts[classes] < parts
    if not kept.any() or rows - kept.sum() <= 2 * sum(sizes):
        return nothing, []
    small = counted(len(np.unique(classes[kept])), "class", "classes")
    return kept, [f"{small} with fewer than {parts} rows: trained on, never tested"]


def _draw(
    rows: Rows,
    classes: NDArray[np.integer[Any]] | None,
    size: int,
    seed: int,
    notes: list[str],
) -> tuple[Rows, Rows]:
    """The rows that stay, and as many drawn as asked, both in order."""
    if size == 0:
        return rows, rows[:0]
    strata = None if classes is None else classes[rows]
    if strata is not None and not _can_share(strata, size):
        strata = None
        notes.append(
            f"{size:,} rows drawn with no regard to classes, as some are small"
        )
    from sklearn.model_selection import (
        train_test_split,  # pyright: ignore[reportUnknownVariableType]
    )

    stay, drawn = cast(
        list[Rows],
        train_test_split(rows, test_size=size, random_state=seed, stratify=strata),
    )
    return np.sort(stay), np.sort(drawn)


def _can_share(strata: NDArray[np.integer[Any]], size: int) -> bool:
    """Whether each class can have a row both among those drawn and those that stay."""
    counts = np.unique_counts(strata).counts
    return bool(counts.min() >= 2 and len(counts) <= min(size, len(strata) - size))
