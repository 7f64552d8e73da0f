"""Split rows into those to train on, to stop by, and to test on."""

from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import require_fraction, require_whole
from thalweg.errors import ArgumentError, DataError
from thalweg.tables.splitting.shares import chosen_share
from thalweg.words import counted

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
        notes: what the user should know about how they were drawn.
    """

    training: Rows
    validation: Rows
    test: Rows
    notes: tuple[str, ...]

    def each(self) -> dict[str, Rows]:
        """The rows of each part, by its name."""
        return {
            "training": self.training,
            "validation": self.validation,
            "test": self.test,
        }

    def of(self, rows: Rows) -> "Split":
        """The same parts of other rows, by their places among these."""
        training, validation, test = self.training, self.validation, self.test
        return Split(rows[training], rows[validation], rows[test], self.notes)

    def with_copies(self, numbers: Rows) -> "Split":
        """The places of all rows, of which each has the part of its number."""
        validated = np.isin(numbers, self.validation)
        tested = np.isin(numbers, self.test)
        trained = np.flatnonzero(~(validated | tested))
        validation, test = np.flatnonzero(validated), np.flatnonzero(tested)
        return Split(trained, validation, test, self.notes)

    def lines(self) -> list[str]:
        """The sizes of the parts and the notes, as the user reads them."""
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
    sizes: Rows | None = None,
) -> Split:
    """Draw the rows of each part at random; of each class the same share.

    A class with fewer rows than there are parts is only trained on.

    Args:
        rows: how many rows there are.
        classes: the class number of each, shape (rows,), or None for a number.
        validation: the share of rows to validate on.
        test: the share of rows to test on.
        seed: the same seed draws the same rows.
        sizes: for how many each row stands, shape (rows,); None for itself alone.

    Raises:
        ArgumentError: a share isn't in [0, 1), or nothing would be left to train on.
        DataError: there are fewer than 10 rows.

    >>> parts = split(100, seed=1)
    >>> len(parts.training), len(parts.validation), len(parts.test)
    (60, 20, 20)
    """
    check_shares(validation, test)
    require_whole("seed", seed, 0)
    total = rows if sizes is None else int(sizes.sum())
    require_rows(total)
    wanted = [size_of(share, total) for share in (test, validation)]
    kept, notes = _only_trained(rows, classes, wanted)
    draw = Draw(classes, sizes, seed, notes)
    shared = np.flatnonzero(~kept)
    shared, tested = draw.drawn(shared, wanted[0])
    shared, validated = draw.drawn(shared, wanted[1])
    training = np.union1d(shared, np.flatnonzero(kept))
    return Split(training, validated, tested, tuple(notes))


def check_shares(validation: float, test: float) -> None:
    """Each is a share, and together they leave something.

    Raises:
        ArgumentError: they aren't, or don't.
    """
    require_fraction("validation", validation)
    require_fraction("test", test)
    if validation + test >= 1:
        raise ArgumentError(
            "validation and test together must leave rows to train on, "
            f"got {validation} + {test}"
        )


def require_rows(rows: int) -> None:
    """There are so many rows that a part of them means something.

    Raises:
        DataError: there aren't.
    """
    if rows < LEAST_ROWS:
        raise DataError(
            f"there must be at least {LEAST_ROWS} rows with a target, got {rows}"
        )


def size_of(share: float, rows: int) -> int:
    """How many rows a share is: at least one of any."""
    return max(1, round(share * rows)) if share else 0


def fold_numbers(classes: NDArray[Any], count: int, seed: int) -> NDArray[Any]:
    """The fold of every row: each class is dealt out like cards, in random order.

    >>> numbers = fold_numbers(np.array([0, 0, 1, 1, 0, 0]), 2, seed=0)
    >>> sorted(numbers[2:4].tolist())
    [0, 1]
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, 2**32 + 1]))
    order = generator.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    numbers = np.empty(len(classes), np.int64)
    numbers[order] = np.arange(len(classes)) % count
    return numbers


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


@dataclass(frozen=True)
class Draw:
    """How rows are drawn.

    Args:
        classes: the class number of each, or None.
        sizes: for how many each stands, or None.
        seed: of the draw.
        notes: where it is said if classes couldn't count.
    """

    classes: NDArray[np.integer[Any]] | None
    sizes: Rows | None
    seed: int
    notes: list[str]

    def drawn(self, rows: Rows, size: int) -> tuple[Rows, Rows]:
        """The rows that stay, and as many drawn as asked, both in order."""
        if size == 0:
            return rows, rows[:0]
        strata = None if self.classes is None else self.classes[rows]
        if strata is not None and not _can_share(strata, size):
            strata = None
            self.notes.append(
                f"{size:,} rows drawn with no regard to classes, as some are small"
            )
        if self.sizes is not None:
            chosen = _chosen(strata, self.sizes[rows], size, self.seed)
            return rows[~chosen], rows[chosen]
        from sklearn.model_selection import (
            train_test_split,  # pyright: ignore[reportUnknownVariableType]
        )

        stay, drawn = cast(
            list[Rows],
            train_test_split(
                rows, test_size=size, random_state=self.seed, stratify=strata
            ),
        )
        return np.sort(stay), np.sort(drawn)


def _chosen(
    strata: NDArray[np.integer[Any]] | None, sizes: Rows, size: int, seed: int
) -> NDArray[np.bool_]:
    """Which of the rows are drawn, so that they stand for about as many as asked."""
    same = np.zeros(len(sizes), np.int64)
    fraction = size / int(sizes.sum())
    weights = sizes.astype(np.float64)
    chosen = chosen_share(same if strata is None else strata, weights, fraction, seed)
    if not chosen.any():
        chosen[sizes.argmin()] = True
    return chosen


def _can_share(strata: NDArray[np.integer[Any]], size: int) -> bool:
    """Whether each class can have a row both among those drawn and those that stay."""
    counts = np.unique_counts(strata).counts
    return bool(counts.min() >= 2 and len(counts) <= min(size, len(strata) - size))
