"""What a reader gives: named columns, and where each row came from."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl
from polars import selectors

from thalweg.data.files import File
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

UNCLEAN = rf"^\s|\s$|^({'|'.join(map(re.escape, MISSING_TEXTS))})$"
"""What texts match that aren't stripped, or mean "missing"."""

DAY = {"d": 1, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
YEARS = (-719_162, 2_932_896)
"""The first and the last day of the years 1 to 9999, counted from 1970."""

FIRST_ROWS = 1000
"""Rows that tell whether a column repeats its texts."""


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
        file: what the whole table was read from; None for a frame.
    """

    name: str
    frame: pl.DataFrame
    lines: Lines | None = None
    before: int = 0
    file: File | None = None

    @classmethod
    def of(
        cls,
        name: str,
        frame: pl.DataFrame,
        lines: Lines | None = None,
        before: int = 0,
        file: File | None = None,
    ) -> "Table":
        """A table of a frame whose texts are still as they were written."""
        if frame.height == 0:
            raise DataError(f"{name}: there must be at least one row below the header")
        frame = frame.with_columns(selectors.decimal().cast(pl.Float64))
        clean = cleaned(frame).with_columns(_float_or_null())
        table = cls(name, clean, lines, before, file)
        for column in clean.select(selectors.date(), selectors.datetime()):
            _require_years(table, column)
        return table

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.frame.height

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.frame.columns

    def listed_columns(self, most: int = 8) -> str:
        """The names for a message, with advice if a text was read as one column."""
        alone = self.lines is not None and len(self.columns) == 1
        advice = (
            "; if its rows have more cells, give separator=CHARACTER or skip_rows=N"
        )
        return listed(self.columns, most) + advice * alone

    def column(self, name: str) -> pl.Series:
        """The cells of a column, found by its name, without the name.

        polars takes a name such as ``^a.*$`` for a pattern, wherever a series has it.

        Raises:
            DataError: there is none of this name.
        """
        if name not in self.frame.columns:
            raise DataError(
                f"{self.name}: there must be a column {name!r}"
                f"{nearest(name, self.columns)}; it has {self.listed_columns()}"
            )
        return self.frame[name].alias("")

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


def cleaned(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its texts stripped, and null where they mean "missing".

    >>> cleaned(pl.DataFrame({"n": [1, 2, 3], "c": ["a ", "?", "a "]}))["c"].to_list()
    ['a', None, 'a']
    """
    texts = [column for column in frame if column.dtype == pl.String]
    # Mostly texts are clean, and where they repeat that is found sooner.
    repeated = selectors.by_name([c.name for c in texts if _repeats(c)])
    found = frame.select(repeated.unique().str.contains(UNCLEAN).any())
    clean = {column.name for column in found if not column[0]}
    # By a selector: `pl.col` takes some names for patterns.
    dirty = [column.name for column in texts if column.name not in clean]
    return frame.with_columns(_stripped(selectors.by_name(dirty))) if dirty else frame


def _repeats(column: pl.Series) -> bool:
    """Whether the first rows hold few different texts."""
    first = column.head(FIRST_ROWS)
    return 2 * first.n_unique() <= len(first)


def unclean(texts: pl.Series) -> bool:
    """Whether a text isn't stripped, or means "missing".

    >>> unclean(pl.Series(["a", "b c"])), unclean(pl.Series(["a", "?"]))
    (False, True)
    """
    return bool(texts.str.contains(UNCLEAN).any())


def _stripped(texts: pl.Expr) -> pl.Expr:
    """Texts without the space around them; those that mean "missing" are null."""
    cells = texts.str.strip_chars()
    return pl.when(cells.is_in(MISSING_TEXTS)).then(None).otherwise(cells).name.keep()


def _float_or_null() -> pl.Expr:
    """Numbers, null where they are NaN."""
    return selectors.float().fill_nan(None)


def _require_years(table: Table, column: pl.Series) -> None:
    """The dates are in years that have four digits.

    Files can hold others, with which polars can't compute.

    Raises:
        DataError: one isn't; the message names its row.
    """
    unit = getattr(column.dtype, "time_unit", "d")
    numbers = column.to_physical() // DAY[unit]
    outside = ~numbers.is_between(*YEARS).fill_null(True)
    if outside.any():
        place = table.place(int(outside.arg_max() or 0), column.name)
        raise DataError(f"{place}: a date must be in the years 1 to 9999, but isn't")
