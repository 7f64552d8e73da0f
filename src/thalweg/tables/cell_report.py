"""What was new, missing or not understood in a table's cells."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.encodings import Encoding, Mask
from thalweg.tables.forms import Form, Kind
from thalweg.tables.table import Table
from thalweg.words import counted, listed, shown

MORE = 2
"""How many unreadable cells are shown beside the first."""


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
        more_unreadable: some others and where they stand.
    """

    name: str
    kind: Kind
    missing: int
    newly_missing: bool
    unseen: int
    first_unseen: str
    unreadable: int
    first_unreadable: str
    more_unreadable: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        table: Table,
        encoding: Encoding,
        column: pl.Series,
        cells: pl.Series,
        unseen: Mask | None,
        unreadable: pl.Series | None,
    ) -> "ColumnReport":
        """Compare cells with what an encoding saw in its training rows.

        Args:
            table: says where cells stand.
            encoding: what was learned.
            column: the cells as they are in the table.
            cells: the same, as the encoding's form understands them.
            unseen: which of them hold a category that was not learned, if any does.
            unreadable: which of them can't be read, if any can't.
        """
        new = None if unseen is None else pl.Series(unseen)
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
            _more(table, column, unreadable),
        )

    @classmethod
    def of_plain(cls, encoding: Encoding, missing: int) -> "ColumnReport":
        """That of a column in which each cell is a number, or missing.

        Args:
            encoding: what was learned.
            missing: how many cells are.
        """
        new = missing > 0 and not encoding.missing
        return cls(encoding.name, encoding.kind, missing, new, 0, "", 0, "")

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
            more_unreadable=self._joined_examples(later),
        )

    def _joined_examples(self, later: "ColumnReport") -> tuple[str, ...]:
        first = later.first_unreadable.removeprefix("first ")
        new = (first,) if self.first_unreadable and first else ()
        return (*self.more_unreadable, *new, *later.more_unreadable)[:MORE]

    def require_readable(self, rows: int, place: str, way: str) -> None:
        """Cells here and there may be unreadable, but not more than half of a column.

        Args:
            rows: how many there are.
            place: the table's name.
            way: how to go on nevertheless.

        Raises:
            DataError: more than half of the cells that aren't missing are; shows some.
        """
        present = rows - self.missing
        if 2 * self.unreadable <= present:
            return
        examples = [self.first_unreadable.removeprefix("first "), *self.more_unreadable]
        raise DataError(
            f"{place}, column {self.name!r}: must hold a {self.kind} in each cell, "
            f"as in training, but {self.unreadable:,} of {present:,} can't be read as "
            f"one: {', '.join(examples)}; write them as there, or {way}"
        )

    def lines(self) -> Iterator[str]:
        """What the user should know, a sentence each; none if there is nothing."""
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
        table: the table's name.
        marks: for each row the names of the columns whose cells can't be read, null
            where all can; None where all can in every row.
    """

    rows: int
    columns: tuple[ColumnReport, ...]
    extra: tuple[str, ...]
    table: str = ""
    marks: pl.Series | None = field(default=None, compare=False)

    def every_mark(self) -> pl.Series:
        """The marks, shape (rows,)."""
        if self.marks is not None:
            return self.marks
        return pl.repeat(None, self.rows, dtype=pl.String, eager=True)

    def require_readable(self, way: str) -> None:
        """No column is unreadable in more than half of its cells.

        Args:
            way: how to go on nevertheless, for the message.

        Raises:
            DataError: one is; names the column and some cells.
        """
        for column in self.columns:
            column.require_readable(self.rows, self.table, way)

    def joined(self, later: "Report") -> "Report":
        """The report on this part of a table and a later one."""
        pairs = zip(self.columns, later.columns, strict=True)
        columns = tuple(first.joined(second) for first, second in pairs)
        rows = self.rows + later.rows
        return replace(self, rows=rows, columns=columns, marks=None)

    def lines(self) -> list[str]:
        """What the user should know, a sentence each; none if all is as expected."""
        lines = [line for column in self.columns for line in column.lines()]
        if self.extra:
            lines.append(
                f"not used, as training had no such column: {listed(self.extra)}"
            )
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON, without the marks of rows."""
        data = asdict(replace(self, marks=None))
        del data["marks"]
        return data


def unreadable_cells(
    column: pl.Series, cells: pl.Series, form: Form
) -> pl.Series | None:
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


def marked(masks: Mapping[str, pl.Series]) -> pl.Series | None:
    """For each row the names of the columns that a mask tells; None without masks.

    >>> masks = {"a": pl.Series([True, False]), "b": pl.Series([True, False])}
    >>> marked(masks).to_list()
    ['a, b', None]
    """
    if not masks:
        return None
    named = [
        pl.when(mask).then(pl.lit(name)).otherwise(None) for name, mask in masks.items()
    ]
    joined = pl.concat_str(named, separator=", ", ignore_nulls=True)
    return pl.select(pl.when(joined != "").then(joined)).to_series().alias("")


def _more(table: Table, column: pl.Series, mask: pl.Series | None) -> tuple[str, ...]:
    if mask is None:
        return ()
    rows = mask.arg_true()[1 : 1 + MORE]
    return tuple(f"{shown(column[row])} in {table.where(row)}" for row in rows)


def _first(table: Table, column: pl.Series, mask: pl.Series | None) -> str:
    if mask is None or not mask.any():
        return ""
    row = int(mask.arg_max() or 0)
    return f"first {shown(column[row])} in {table.where(row)}"
