"""What a table is split by: its rows, copies of them, groups, or the time.

Each knows how to draw the parts of one training, and folds for a search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import DataError
from thalweg.tables.splitting.groups import chosen_groups
from thalweg.tables.splitting.split import (
    RowNumbers,
    Split,
    check_shares,
    fold_numbers,
    size_of,
    split,
)
from thalweg.words import counted, shown

if TYPE_CHECKING:
    import polars as pl

Classes: TypeAlias = NDArray[np.integer[Any]]
Fold: TypeAlias = tuple[RowNumbers, RowNumbers]


@dataclass(frozen=True)
class Shares:
    """How much of the rows is for what, and the seed of the draw.

    Arguments:
        validation: the share of rows that choose the epoch.
        test: the share of rows that are scored once, at the end.
        seed: the same seed draws the same rows.
    """

    validation: float
    test: float
    seed: int

    @property
    def parts(self) -> int:
        """How many parts there will be."""
        return 1 + (self.validation > 0) + (self.test > 0)


class Splitter(ABC):
    """Splits rows of a table; positions in, positions out."""

    @abstractmethod
    def parts(self, rows: RowNumbers, classes: Classes | None, shares: Shares) -> Split:
        """Draw the rows of each part.

        Arguments:
            rows: positions of the rows to split, in order.
            classes: the class number of each, or None for a number.
            shares: how many are for what.

        Raises:
            ArgumentError: a share isn't in [0, 1), or none would be left to train on.
            DataError: there are too few rows, or groups of them.
        """

    @abstractmethod
    def folds(
        self, rows: RowNumbers, classes: Classes | None, count: int, seed: int
    ) -> list[Fold]:
        """The rows to train on and those to score, for each fold.

        Arguments:
            rows: positions of the rows, in order.
            classes: the class number of each, or None for a number.
            count: how many folds.
            seed: of the draw.
        """


@dataclass(frozen=True)
class ByRow(Splitter):
    """Each row is drawn by itself.

    Arguments:
        notes: why, where that needs to be said.
    """

    notes: tuple[str, ...] = ()

    def parts(self, rows: RowNumbers, classes: Classes | None, shares: Shares) -> Split:
        """Draw the rows of each part; of each class the same share."""
        found = split(
            len(rows), classes, shares.validation, shares.test, shares.seed
        ).of(rows)
        return replace(found, notes=(*self.notes, *found.notes))

    def folds(
        self, rows: RowNumbers, classes: Classes | None, count: int, seed: int
    ) -> list[Fold]:
        """Folds in which each row is scored once."""
        strata = np.zeros(len(rows), np.int32) if classes is None else classes
        return _folds(rows, fold_numbers(strata, count, seed), count)


@dataclass(frozen=True)
class ByCopies(Splitter):
    """Exact copies stay on one side.

    Arguments:
        numbers: for each row of the table a number, the same for copies.
        notes: how many there are.
    """

    numbers: RowNumbers
    notes: tuple[str, ...]

    def parts(self, rows: RowNumbers, classes: Classes | None, shares: Shares) -> Split:
        """Draw rows with their copies; of each class the same share."""
        first, units, sizes = self._units(rows)
        found = split(
            len(first),
            None if classes is None else classes[first],
            *(shares.validation, shares.test, shares.seed),
            sizes=sizes,
        )
        whole = found.with_copies(units).of(rows)
        return replace(whole, notes=(*self.notes, *whole.notes))

    def folds(
        self, rows: RowNumbers, classes: Classes | None, count: int, seed: int
    ) -> list[Fold]:
        """Folds in which each row is scored once, with its copies."""
        first, units, _ = self._units(rows)
        strata = np.zeros(len(rows), np.int32) if classes is None else classes
        numbers = fold_numbers(strata[first], count, seed)[units]
        return _folds(rows, numbers, count)

    def _units(self, rows: RowNumbers) -> tuple[RowNumbers, RowNumbers, RowNumbers]:
        """Where each different row stands first, which one a row is, and how often."""
        _, first, units, sizes = np.unique(
            self.numbers[rows],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        return first, units, sizes


@dataclass(frozen=True)
class ByGroup(Splitter):
    """Rows of a group stay on one side.

    Arguments:
        name: the column with each row's group.
        numbers: the number of the group of each row of the table.
        notes: what was found in the column.
    """

    name: str
    numbers: RowNumbers
    notes: tuple[str, ...] = ()

    def parts(self, rows: RowNumbers, classes: Classes | None, shares: Shares) -> Split:
        """Draw whole groups, so that shares of the rows come near those asked for."""
        check_shares(shares.validation, shares.test)
        self._require(len(np.unique(self.numbers[rows])), shares.parts, "part")
        strata = np.zeros(len(rows), np.int64) if classes is None else classes
        seed, left = shares.seed, np.arange(len(rows))
        left, test = self._drawn(
            rows, strata, left, shares.test, seed, shares.parts - 1
        )
        left, validation = self._drawn(rows, strata, left, shares.validation, seed, 1)
        found = Split(left, validation, test, ()).of(rows)
        never = _never_trained(rows, found.training, classes)
        return replace(found, notes=(*self.notes, self._sizes(found), *never))

    def _drawn(
        self,
        rows: RowNumbers,
        strata: Classes,
        left: RowNumbers,
        share: float,
        seed: int,
        stay: int,
    ) -> tuple[RowNumbers, RowNumbers]:
        """Places of the rows that stay among those left, and of those drawn."""
        if not share:
            return left, left[:0]
        groups = self.numbers[rows[left]]
        fraction = min(share * len(rows) / len(left), 0.9)
        asked = groups, strata[left], None, fraction, seed
        drawn = chosen_groups(*asked, complete=True, stay=stay)
        if drawn is None:  # each group has a class that no other has
            drawn = chosen_groups(*asked, complete=False, stay=stay)
        assert drawn is not None
        return left[~drawn], left[drawn]

    def folds(
        self, rows: RowNumbers, classes: Classes | None, count: int, seed: int
    ) -> list[Fold]:
        """Folds in which each group is scored once."""
        from sklearn.model_selection import StratifiedGroupKFold

        groups = self.numbers[rows]
        self._require(len(np.unique(groups)), count, "fold")
        strata = np.zeros(len(rows), np.int64) if classes is None else classes
        dealt = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        numbers = np.empty(len(rows), np.int64)
        parts: Any = dealt.split(rows, _frequent(strata, count), groups)  # pyright: ignore[reportUnknownMemberType]
        for number, (_, scored) in enumerate(cast("Iterable[Fold]", parts)):
            numbers[scored] = number
        return _folds(rows, numbers, count)

    def _require(self, found: int, needed: int, what: str) -> None:
        if found < needed:
            raise DataError(
                f"column {self.name!r}: there must be {needed} groups or more, one for "
                f"each {what}, got {found}"
            )

    def _sizes(self, parts: Split) -> str:
        train, validate, test = (
            len(np.unique(self.numbers[part]))
            for part in (parts.training, parts.validation, parts.test)
        )
        groups = counted(train, "group")
        return (
            f"rows of one {self.name!r} stay together: {groups} to train on, "
            f"{validate:,} to validate, {test:,} to test"
        )


@dataclass(frozen=True)
class ByTime(Splitter):
    """The last rows are tested on, and those before them validated on.

    Arguments:
        name: the column with each row's moment.
        ranks: the place of each row's moment among all, in the table's order.
        cells: the moments as the table has them.
    """

    name: str
    ranks: RowNumbers
    cells: pl.Series

    def parts(self, rows: RowNumbers, classes: Classes | None, shares: Shares) -> Split:
        """Cut the rows in their order; those of one moment stay on one side."""
        check_shares(shares.validation, shares.test)
        order = rows[np.argsort(self.ranks[rows], kind="stable")]
        count = len(rows)
        test, validation = (
            size_of(shares.test, count),
            size_of(shares.validation, count),
        )
        wanted = [count - test - validation] * (validation > 0) + [count - test] * (
            test > 0
        )
        cuts = self._cuts(order, wanted)
        ends = [*cuts, count, count][:2] if validation else [*cuts, count][:1] * 2
        pieces = np.split(order, ends)
        notes = (*self._said(pieces), *_never_trained(rows, pieces[0], classes))
        training, validating, testing = map(np.sort, pieces)
        return Split(training, validating, testing, notes)

    def folds(
        self, rows: RowNumbers, classes: Classes | None, count: int, seed: int
    ) -> list[Fold]:
        """Folds one after the other, each trained on all rows before it."""
        order = rows[np.argsort(self.ranks[rows], kind="stable")]
        ends = [len(rows) * part // (count + 1) for part in range(1, count + 1)]
        cuts = [*self._cuts(order, ends), len(rows)]
        return [
            (np.sort(order[:start]), np.sort(order[start:end]))
            for start, end in pairwise(cuts)
        ]

    def _cuts(self, order: RowNumbers, wanted: list[int]) -> list[int]:
        """The places nearest to those wanted at which the moment changes."""
        free = 1 + np.flatnonzero(np.diff(self.ranks[order]))
        if len(free) < len(wanted):
            raise DataError(
                f"column {self.name!r}: there must be {len(wanted) + 1} different "
                f"moments or more, one for each part, got {len(free) + 1}"
            )
        cuts: list[int] = []
        for later in reversed(range(len(wanted))):
            usable = free[later:]  # so many must be left for the cuts before it
            usable = usable[usable < (cuts[0] if cuts else len(order))]
            cuts.insert(0, int(usable[np.abs(usable - wanted[later]).argmin()]))
        return cuts

    def _said(self, pieces: list[RowNumbers]) -> list[str]:
        """Which rows are tested and validated on."""
        _, validation, test = pieces
        lines: list[str] = []
        if len(test):
            last = counted(len(test), "row")
            lines.append(f"tested on the last {last}, from {self._moment(test)} on")
        if len(validation):
            before = "before" if len(test) else "at the end"
            count = counted(len(validation), "row")
            start = self._moment(validation)
            lines.append(f"validated on the {count} {before}, from {start} on")
        return lines

    def _moment(self, rows: RowNumbers) -> str:
        """The first moment of some rows in their order."""
        cell = self.cells[int(rows[0])]
        return cell if isinstance(cell, str) else shown(cell)


def _never_trained(
    rows: RowNumbers, training: RowNumbers, classes: Classes | None
) -> list[str]:
    """A note where training rows lack a class."""
    if classes is None:
        return []
    learned = np.unique(classes[np.isin(rows, training)])
    later = len(np.setdiff1d(classes, learned))
    if not later:
        return []
    return [f"{counted(later, 'class', 'classes')} without a row to train on"]


def _folds(rows: RowNumbers, numbers: RowNumbers, count: int) -> list[Fold]:
    return [(rows[numbers != each], rows[numbers == each]) for each in range(count)]


def _frequent(strata: Classes, count: int) -> Classes:
    """The classes; one number for all of those too small to be in every fold."""
    counts = np.bincount(strata)
    return np.where(counts[strata] < count, int(counts.argmax()), strata)
