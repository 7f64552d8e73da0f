"""The rows of a table as sequences: those with one id, each in its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.errors import DataError
from thalweg.series.order import cell
from thalweg.tables.schema import Column
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.table import Table
from thalweg.words import counted, shown

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Sequences:
    """The rows of a table that belong together, in order.

    Arguments:
        names: the id of each sequence, as a text, in the order of their first rows.
        rows: row numbers of the table, sequence after sequence.
        starts: where each starts among them, and where the last ends.
    """

    names: pl.Series
    rows: RowNumbers
    starts: Indices

    def __len__(self) -> int:
        return len(self.names)

    @property
    def lengths(self) -> Indices:
        """How many rows each has."""
        return np.diff(self.starts)

    def of(self, sequence: int) -> RowNumbers:
        """The rows of one, in their order."""
        return self.rows[self.starts[sequence] : self.starts[sequence + 1]]

    def rows_of(self, chosen: Indices) -> RowNumbers:
        """The rows of some sequences, one after the other."""
        return np.concatenate([self.of(int(each)) for each in chosen])

    def arrays(self, X: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What stands in each one's rows, arrays (times, …) of different lengths.

        Arguments:
            X: something of each row of the table.
        """
        return [X[self.of(each)] for each in range(len(self))]


def in_sequences(table: Table, groups: pl.Series, order: Column | None) -> Sequences:
    """Rows with the same id, each in order of a column, or as they stand.

    Arguments:
        table: the rows.
        groups: each row's id, a text; null where it is missing.
        order: dates, times or numbers.

    Raises:
        DataError: an id is missing, or a place in the order, or it is there twice.

    >>> table = Table.of("g", pl.DataFrame({"id": [2, 1, 2], "t": [1.0, 0, 0]}))
    >>> ids, order = pl.Series(["2", "1", "2"]), Column("t", "number", "")
    >>> found = in_sequences(table, ids, order)
    >>> [found.of(each).tolist() for each in range(2)]
    [[2, 0], [1]]
    """
    missing = groups.is_null()
    if missing.any():
        row = int(missing.arg_max() or 0)
        raise DataError(
            f"{table.name}, {table.where(row)}: each row must say of which sequence it "
            f"is, but {counted(int(missing.sum()), 'row')} don't"
        )
    names = groups.unique(maintain_order=True)
    numbers = groups.replace_strict(names, np.arange(len(names))).to_numpy()
    places = np.arange(table.rows) if order is None else ranks(table, order)
    rows = np.lexsort((places, numbers)).astype(np.int64)
    if order is not None:
        require_different(table, order.name, names, numbers[rows], places[rows], rows)
    counts = np.bincount(numbers, minlength=len(names))
    return Sequences(names, rows, np.concatenate([[0], np.cumsum(counts)]))


def ranks(table: Table, order: Column) -> Indices:
    """The place of each row by a column.

    Raises:
        DataError: a cell is missing.
    """
    moments = order.form.understood(table.column(order.name))
    missing = moments.is_null()
    if missing.any():
        row = int(missing.arg_max() or 0)
        raise DataError(
            f"{table.place(row, order.name)}: the order must be known in every row, "
            f"but is missing in {counted(int(missing.sum()), 'row')}"
        )
    return moments.rank("dense").to_numpy().astype(np.int64)


def require_different(
    table: Table,
    name: str,
    names: pl.Series,
    numbers: Indices,
    places: Indices,
    rows: RowNumbers,
) -> None:
    """No two rows of a sequence stand at one place.

    Raises:
        DataError: two do; names both, and the sequence.
    """
    same = (numbers[1:] == numbers[:-1]) & (places[1:] == places[:-1])
    if not same.any():
        return
    at = int(same.argmax())
    first, second = sorted((int(rows[at]), int(rows[at + 1])))
    raise DataError(
        f"{table.place(second, name)}: must be there once in a sequence, but "
        f"{cell(table, name, second)} is in {table.where(first)} of the sequence "
        f"{shown(names[int(numbers[at])])}, too"
    )


def first_rows(table: Table, target: str, sequences: Sequences) -> RowNumbers:
    """A row of each sequence that says its target, which all others say as well.

    Raises:
        DataError: a sequence has two targets; names the first that has.
    """
    cells = table.column(target).cast(pl.String)
    first = sequences.rows[sequences.starts[:-1]]
    wanted = cells.gather(first)
    repeated = wanted.gather(np.repeat(np.arange(len(sequences)), sequences.lengths))
    other = (cells.gather(sequences.rows).ne_missing(repeated)).to_numpy()
    if other.any():
        at = int(other.argmax())
        number = int(np.searchsorted(sequences.starts, at, side="right")) - 1
        row = int(sequences.rows[at])
        raise DataError(
            f"{table.place(row, target)}: a sequence must have one target, but "
            f"{shown(sequences.names[number])} has {shown(wanted[number])} in "
            f"{table.where(int(first[number]))} and {shown(cells[row])} here"
        )
    return first
