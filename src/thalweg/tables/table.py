"""What a reader gives: named columns, and where each row came from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import polars as pl
from polars import selectors

from thalweg.cached import cached_property
from thalweg.checks import nearest
from thalweg.errors import DataError
from thalweg.tables.room import require_room
from thalweg.tables.source import File
from thalweg.words import listed

Lines: TypeAlias = Callable[[int], int]
"""From a row of a table, counted from 0, to its line in the file, from 1."""

UNCLEAN = r"^\s|\s$|^$"
"""What texts match that aren't stripped, or are empty."""

DAY = {"d": 1, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
YEARS = (-719_162, 2_932_896)
"""The first and the last day of the years 1 to 9999, counted from 1970."""

WORK, CELL = 6, 16
"""What work on a table takes, in times of its size; and what points to a text."""

FIRST_ROWS = 1000
"""Rows that tell whether a column repeats its texts."""


@dataclass(frozen=True)
class Table:
    """Rows and named columns, with what is needed to say where a cell stands.

    Cells of text are stripped, and null where nothing is left. What else says that
    nothing is known is a matter of each column's form.

    Args:
        name: the file's name, or "the table" for a frame.
        frame: the cells; every column of a CSV is text.
        lines: gives the line of the file on which a row starts; None where rows are
            counted.
        before: how many rows of the file come before these.
        typed: whether columns have types of their own, as in a frame or in Parquet, so
            that a missing cell is told from a text, and texts are meant to be texts.
        kept: what was made of the cells, by its type, for who asks for it again.
        file: what the whole table was read from; None for a frame.
    """

    name: str
    frame: pl.DataFrame
    lines: Lines | None = None
    before: int = 0
    typed: bool = False
    kept: dict[type, Any] = field(default_factory=dict[type, Any], compare=False)
    file: File | None = None

    @classmethod
    def of(
        cls,
        name: str,
        frame: pl.DataFrame,
        lines: Lines | None = None,
        before: int = 0,
        typed: bool = False,
        file: File | None = None,
    ) -> "Table":
        """A table of a frame whose texts are still as they were written."""
        if frame.height == 0:
            raise DataError(f"{name}: there must be at least one row below the header")
        require_room(WORK * size_of(frame), f"work on {name}")
        clean = cleaned(frame).with_columns(_float_or_null())
        table = cls(name, clean, lines, before, typed, file=file)
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
        found = self._by_name.get(name)
        if found is None:
            raise DataError(
                f"{self.name}: there must be a column {name!r}"
                f"{nearest(name, self.columns)}; it has {self.listed_columns()}"
            )
        return found

    def select(self, names: Sequence[str]) -> pl.DataFrame:
        """Some columns by their names, whatever polars takes these for."""
        return pl.DataFrame([self._named[name] for name in names])

    @cached_property
    def _named(self) -> dict[str, pl.Series]:
        return {column.name: column for column in self.frame.get_columns()}

    @cached_property
    def _by_name(self) -> dict[str, pl.Series]:
        """The columns without their names; in a wide table a search takes long."""
        return {column.name: column.alias("") for column in self.frame.get_columns()}

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


def size_of(frame: pl.DataFrame) -> int:
    """What a frame takes in memory, about; polars leaves out where its texts are."""
    return int(frame.estimated_size()) + CELL * frame.height * frame.width


def cleaned(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its texts stripped, and null where nothing is left of them.

    >>> cleaned(pl.DataFrame({"n": [1, 2, 3], "c": ["a ", " ", "?"]}))["c"].to_list()
    ['a', None, '?']
    """
    texts = [column for column in frame if column.dtype == pl.String]
    # Mostly texts are clean, and where they are few or repeat that is found sooner.
    if frame.height <= FIRST_ROWS:
        if not texts or not unclean(one_below_another(texts)):
            return frame
        found = frame.select(selectors.string().str.contains(UNCLEAN).any())
    else:
        repeated = selectors.by_name([c.name for c in texts if _repeats(c)])
        found = frame.select(repeated.unique().str.contains(UNCLEAN).any())
    clean = {column.name for column in found if not column[0]}
    # By a selector: `pl.col` takes some names for patterns.
    dirty = [column.name for column in texts if column.name not in clean]
    return frame.with_columns(_stripped(selectors.by_name(dirty))) if dirty else frame


def one_below_another(columns: Sequence[pl.Series]) -> pl.Series:
    """The cells of columns of one type as one, of which polars is asked once.

    >>> one_below_another([pl.Series("a", [1, 2]), pl.Series("b", [3, None])]).to_list()
    [1, 2, 3, None]
    """
    # Some names are patterns to polars.
    return pl.concat(columns, rechunk=True).alias("")


def _repeats(column: pl.Series) -> bool:
    """Whether the first rows hold few different texts."""
    first = column.head(FIRST_ROWS)
    return 2 * first.n_unique() <= len(first)


def unclean(texts: pl.Series) -> bool:
    """Whether a text isn't stripped, or is empty.

    >>> unclean(pl.Series(["a", "b c"])), unclean(pl.Series(["a", ""]))
    (False, True)
    """
    return bool(texts.str.contains(UNCLEAN).any())


def _stripped(texts: pl.Expr) -> pl.Expr:
    """Texts without the space around them; null where nothing is left."""
    cells = texts.str.strip_chars()
    return pl.when(cells != "").then(cells).name.keep()


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
