"""What was new, missing or not understood in a table's cells."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from thalweg.data.encodings import Encoding, Floats
from thalweg.data.kinds import Kind
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
        features: Floats,
    ) -> "ColumnReport":
        """Compare cells with what an encoding saw in its training rows.

        Args:
            table: says where cells stand.
            encoding: what was learned.
            column: the cells as they are in the table.
            cells: the same, as `understood` gave them.
            features: what the encoding made of them.
        """
        unseen = column.is_not_null() & pl.Series(encoding.unseen(features))
        unreadable = column.is_not_null() & (cells.is_null() | _infinite(cells))
        missing = column.null_count()
        return cls(
            encoding.name,
            encoding.kind,
            missing,
            missing > 0 and not encoding.missing,
            int(unseen.sum()),
            _first(table, column, unseen),
            int(unreadable.sum()),
            _first(table, column, unreadable),
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


def _infinite(cells: pl.Series) -> pl.Series:
    if cells.dtype.is_float():
        return cells.is_infinite().fill_null(False)
    return pl.repeat(False, len(cells), eager=True)


def _first(table: Table, column: pl.Series, mask: pl.Series) -> str:
    if not mask.any():
        return ""
    row = int(mask.arg_max() or 0)
    return f"first {shown(column[row])} in {table.where(row)}"
