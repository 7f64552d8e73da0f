"""What was new, missing or not understood in a table's cells."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import polars as pl

from thalweg.data.encodings import Encoding, Mask
from thalweg.data.forms import Form, Kind
from thalweg.data.table import Table
from thalweg.data.words import counted, listed, shown


@dataclass(frozen=True)
class ColumnReport:
    """What was found in one column.

    Args:
        name: the column's name.
        kind: what its cells were in training.
        missing: how many cells are missing.
        newly_missing: whether none was missing in the training rows.
        unseen: how many cells hold a category that the training rows didn't, or too
            seldom to learn from.
        first_unseen: the first of them and where it stands.
        unreadable: how many cells can't be read as what the column is; they count as
            missing.
        first_unreadable: the first of them and where it stands.
    """

    name: str
    kind: Kind
    missing: int
    newly_missing: bool
    unseen: int
    first_unseen: str
    unreadable: int
    first_unreadable: str

    @classmethod
    def of(
        cls,
        table: Table,
        encoding: Encoding,
        column: pl.Series,
        cells: pl.Series,
        unseen: Mask | None,
    ) -> "ColumnReport":
        """Compare cells with what an encoding saw in its training rows.

        Args:
            table: says where cells stand.
            encoding: what was learned.
            column: the cells as they are in the table.
            cells: the same, as the encoding's form understands them.
            unseen: which of them hold a category that was not learned, if any does.
        """
        new = None if unseen is None else pl.Series(unseen)
        unreadable = _unreadable(column, cells, encoding.form)
        unknown = None if unreadable is None else unreadable & cells.is_null()
        missing = cells.null_count() - _count(unknown)
        return cls(
            encoding.name,
            encoding.kind,
            missing,
            missing > 0 and not encoding.missing,
            _count(new),
            _first(table, column, new),
            _count(unreadable),
            _first(table, column, unreadable),
        )

    def joined(self, later: "ColumnReport") -> "ColumnReport":
        """The report on this part of a table and a later one."""
        return replace(
            self,
            missing=self.missing + later.missing,
            newly_missing=self.newly_missing or later.newly_missing,
            unseen=self.unseen + later.unseen,
            first_unseen=self.first_unseen or later.first_unseen,
            unreadable=self.unreadable + later.unreadable,
            first_unreadable=self.first_unreadable or later.first_unreadable,
        )

    def lines(self) -> Iterator[str]:
        """What a person should know, a sentence each; none if there is nothing."""
        if self.newly_missing:
            cells = counted(self.missing, "cell")
            yield f"{self.name}: {cells} missing, though none was in training"
        if self.unseen:
            cells = counted(self.unseen, "cell")
            what = "a category new or rare in training"
            yield f"{self.name}: {cells} with {what}, {self.first_unseen}"
        if self.unreadable:
            cells = counted(self.unreadable, "cell")
            what = f"not a {self.kind}, taken as missing"
            yield f"{self.name}: {cells} {what}, {self.first_unreadable}"


@dataclass(frozen=True)
class Report:
    """What was found in the cells of all columns.

    Args:
        rows: how many rows there are.
        columns: one report a column.
        extra: the names of columns that the training table didn't have.
    """

    rows: int
    columns: tuple[ColumnReport, ...]
    extra: tuple[str, ...]

    def joined(self, later: "Report") -> "Report":
        """The report on this part of a table and a later one."""
        pairs = zip(self.columns, later.columns, strict=True)
        columns = tuple(first.joined(second) for first, second in pairs)
        return Report(self.rows + later.rows, columns, self.extra)

    def lines(self) -> list[str]:
        """What a person should know, a sentence each; none if all is as expected."""
        lines = [line for column in self.columns for line in column.lines()]
        if self.extra:
            lines.append(
                f"not used, as training had no such column: {listed(self.extra)}"
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return asdict(self)


def _unreadable(column: pl.Series, cells: pl.Series, form: Form) -> pl.Series | None:
    """Which cells aren't missing, but can't be used; None where all can."""
    infinite = None
    # A sum is found sooner than an infinity, and isn't finite if a number isn't.
    if cells.dtype.is_float() and not math.isfinite(cells.sum()):
        infinite = cells.is_infinite().fill_null(False)
    if infinite is None and cells.null_count() == column.null_count():
        return None
    unknown = cells.is_null() & ~form.absent(column)
    return unknown if infinite is None else unknown | infinite


def _count(mask: pl.Series | None) -> int:
    return 0 if mask is None else int(mask.sum())


def _first(table: Table, column: pl.Series, mask: pl.Series | None) -> str:
    if mask is None or not mask.any():
        return ""
    row = int(mask.arg_max() or 0)
    return f"first {shown(column[row])} in {table.where(row)}"
