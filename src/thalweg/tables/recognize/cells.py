"""The cells of a column of texts, each different one once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import polars as pl

from thalweg.cached import cached_property
from thalweg.errors import DataError
from thalweg.tables.declared import NOTHING, OfColumn, way
from thalweg.tables.forms import Form, is_text
from thalweg.words import counted, shown

if TYPE_CHECKING:
    from thalweg.tables.table import Table

MOST_SHOWN = 3


@dataclass(frozen=True)
class Cells:
    """A column's cells.

    Arguments:
        table: where they stand.
        name: the column's.
        column: the cells.
        said: what the user says of the column.
    """

    table: Table
    name: str
    column: pl.Series
    said: OfColumn = NOTHING

    @classmethod
    def of(cls, table: Table, name: str, said: OfColumn = NOTHING) -> Cells:
        """Those of a table's column.

        Raises:
            DataError: there is none of this name.
        """
        return cls(table, name, table.column(name), said)

    @cached_property
    def counts(self) -> pl.DataFrame:
        """Each different text (``text``) and how many cells hold it (``count``).

        None where the column isn't text.
        """
        if not is_text(self.column.dtype):
            return pl.DataFrame(schema={"text": pl.String, "count": pl.UInt32})
        counts = self.column.drop_nulls().rename("text").value_counts()
        return counts.with_columns(pl.col("text").cast(pl.String))

    @property
    def texts(self) -> pl.Series:
        """The different texts."""
        return self.counts["text"]

    @property
    def rows(self) -> pl.Series:
        """How many cells hold each."""
        return self.counts["count"]

    def known(self, form: Form) -> Cells:
        """The cells that aren't missing, if they are written in a form."""
        absent = form.absent(self.texts)
        if not absent.any():
            return self
        kept = self.counts.filter(~absent)
        found = Cells(self.table, self.name, self.column, self.said)
        found.__dict__["counts"] = kept  # a cached property's own place
        return found

    def number_of(self, texts: pl.Series) -> int:
        """How many cells hold the texts that a mask tells."""
        return int(self.rows.filter(texts).sum())

    def total(self) -> int:
        """How many cells there are."""
        return int(self.rows.sum())

    def read_by(self, form: Form) -> pl.Series:
        """Which of the texts a form reads."""
        return form.understood(self.texts).is_not_null()

    def place(self, text: str) -> str:
        """Where a text stands first."""
        row = int((self.column.cast(pl.String) == text).arg_max() or 0)
        return self.table.place(row, self.name)

    def first(self, texts: pl.Series) -> str:
        """Of the texts that a mask tells the one that stands first in the column."""
        wanted = self.texts.filter(texts)
        found = self.column.cast(pl.String).is_in(wanted.to_list()).fill_null(False)
        return str(self.column[int(found.arg_max() or 0)])

    def refuse_others(self, what: str, others: pl.Series) -> NoReturn:
        """An error where most cells are something, and some aren't.

        Raises:
            DataError: names the first of the others, some more, and what decides.
        """
        first = self.first(others)
        cells = self.number_of(others)
        most = self.total() - cells
        raise DataError(
            f"{self.place(first)}: must be {what} like {most:,} other cells of this "
            f"column, but is {shown(first)}{self._more(first, others, cells)}; "
            f"{self.ways(first)}"
        )

    def refuse_either(self, text: str, readings: Sequence[str]) -> NoReturn:
        """An error where a text may mean two things.

        Args:
            text: one of those that do.
            readings: what it may mean, each with what declares it.

        Raises:
            DataError: shows both.
        """
        raise DataError(
            f"{self.place(text)}: {shown(text)} may be {' or '.join(readings)}, and no "
            "cell of the column decides; declare which"
        )

    def _more(self, first: str, others: pl.Series, cells: int) -> str:
        texts = self.counts.filter(others).sort("count", descending=True)["text"]
        more = [shown(text) for text in texts if text != first][: MOST_SHOWN - 1]
        if cells == 1:
            return ""
        also = f", also {' and '.join(more)}" if more else ""
        return f" ({counted(cells, 'cell')} aren't{also})"

    def ways(self, text: str) -> str:
        """How a user decides about a text that isn't what the others are."""
        missing = way(self.table, "missing", self.name, text)
        category = way(self.table, "category", self.name)
        ignored = way(self.table, "ignore", self.name)
        return (
            f"{missing} takes it as missing, {category} all cells as texts, and "
            f"{ignored} leaves the column out"
        )
