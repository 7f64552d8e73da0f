"""What a reader gives: named columns, and where each row came from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
from polars import selectors

from thalweg.data.kinds import Kind
from thalweg.data.words import listed
from thalweg.errors import DataError
from thalweg.formulas.names import nearest

Lines: TypeAlias = Callable[[int], int]
"""From a row of a table, counted from 0, to its line in the file, from 1."""

MISSING_TEXTS = (
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>"),
    *("NaN", "nan", "NAN", "null", "NULL", "None", "?"),
)
"""What a cell of text holds when its value is missing, after stripping."""


@dataclass(frozen=True)
class Table:
    """Rows and named columns, with what is needed to say where a cell stands.

    Cells of text are stripped, and those that say that nothing is known
    (`MISSING_TEXTS`) are null.

    Args:
        name: the file's name, or "the table" for a frame.
        frame: the cells; every column of a CSV is text.
        lines: gives the line of the file on which a row starts; None where rows are
            counted.
        before: how many rows of the file come before these.
    """

    name: str
    frame: pl.DataFrame
    lines: Lines | None = None
    before: int = 0

    @classmethod
    def of(
        cls, name: str, frame: pl.DataFrame, lines: Lines | None = None, before: int = 0
    ) -> "Table":
        """A table of a frame whose texts are still as they were written."""
        if frame.height == 0:
            raise DataError(f"{name}: there must be at least one row below the header")
        frame = frame.with_columns(selectors.decimal().cast(pl.Float64))
        clean = frame.with_columns(_stripped(), _float_or_null())
        return cls(name, clean, lines, before)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.frame.columns

    def column(self, name: str) -> pl.Series:
        """A column by name.

        Raises:
            DataError: there is none of this name.
        """
        if name not in self.frame.columns:
            raise DataError(
                f"{self.name}: there must be a column {name!r}"
                f"{nearest(name, self.columns)}; it has {listed(self.columns)}"
            )
        return self.frame[name]

    def place(self, row: int, column: str) -> str:
        """Where a cell stands, for the start of a message.

        >>> Table("the table", pl.DataFrame({"a": [1]})).place(0, "a")
        "the table, row 1, column 'a'"
        """
        return f"{self.name}, {self.where(row)}, column {column!r}"

    def where(self, row: int) -> str:
        """The row, counted from 1, or the line of the file that it starts on."""
        if self.lines is None:
            return f"row {self.before + row + 1}"
        return f"line {self.lines(row)}"


def cleaned(column: pl.Series, kind: Kind) -> pl.Series:
    """A column's cells as `Table.of` has them; fast where texts are often the same.

    >>> cleaned(pl.Series(["a ", "?", "a "]), "category").to_list()
    ['a', None, 'a']
    """
    if column.dtype != pl.String:
        return column
    if kind in ("category", "boolean"):
        texts = column.unique()
        if pl.select(_stripped_text(pl.lit(texts))).to_series().equals(texts):
            return column
    return pl.select(_stripped_text(pl.lit(column))).to_series().alias(column.name)


def _stripped() -> pl.Expr:
    """All texts so."""
    return _stripped_text(pl.col(pl.String)).name.keep()


def _stripped_text(texts: pl.Expr) -> pl.Expr:
    """Texts without the space around them; those that mean "missing" are null."""
    cells = texts.str.strip_chars()
    return pl.when(cells.is_in(MISSING_TEXTS)).then(None).otherwise(cells)


def _float_or_null() -> pl.Expr:
    """Numbers, null where they are NaN."""
    return selectors.float().fill_nan(None)
