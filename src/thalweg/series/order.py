"""The rows of a table in order of time; an error where they are not evenly spaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from thalweg.errors import DataError
from thalweg.series.steps import Step, usual_step
from thalweg.tables.schema import Column
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.table import Table
from thalweg.words import counted, shown

FEWEST_TIMES = 3
"""Of fewer times it isn't known whether they are evenly spaced."""


@dataclass(frozen=True)
class Order:
    """The rows of a table in order of time.

    Arguments:
        column: that of the times.
        rows: row numbers of the table, the earliest first.
        moments: the times in that order.
        step: how far each is from the one before.
        notes: what the user should know.
    """

    column: Column
    rows: RowNumbers
    moments: pl.Series
    step: Step
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def cells(self, table: Table) -> pl.Series:
        """The times as the table has them."""
        return table.column(self.column.name).gather(self.rows)


def in_order(table: Table, column: Column, step: Step | None = None) -> Order:
    """The rows in order of a column, each time there once, and a step after the last.

    Arguments:
        table: the rows, in any order.
        column: dates, times of day or numbers.
        step: that of the table trained on; None takes the one that is most frequent.

    Raises:
        DataError: a time is missing, is there twice, or doesn't come a step after the
            one before; the message names the first.

    >>> from thalweg.tables.forms import USUAL
    >>> table = Table.of("days", pl.DataFrame({"day": ["2024-01-02", "2024-01-01",
    ...     "2024-01-03"]}))
    >>> found = in_order(table, Column("day", "date", "", USUAL["date"]))
    >>> found.rows.tolist(), str(found.step)
    ([1, 0, 2], '1 day')
    """
    name = column.name
    moments = column.form.understood(table.column(name))
    require_known(table, name, moments)
    rows = moments.arg_sort().to_numpy().astype(np.int64)
    ordered = moments.gather(rows)
    require_different(table, name, ordered, rows)
    if step is None:
        if len(rows) < FEWEST_TIMES:
            raise DataError(
                f"{table.name}: a series must have at least {FEWEST_TIMES} rows, got "
                f"{len(rows)}"
            )
        step = usual_step(ordered)
    require_even(table, name, ordered, rows, step)
    unsorted = not bool((np.diff(rows) > 0).all())
    notes = (f"rows are put in order of {name!r}",) if unsorted else ()
    return Order(column, rows, ordered, step, notes)


def require_known(table: Table, name: str, moments: pl.Series) -> None:
    """Every row has a time.

    Raises:
        DataError: one hasn't.
    """
    missing = moments.is_null()
    if missing.any():
        row = int(missing.arg_max() or 0)
        raise DataError(
            f"{table.place(row, name)}: the time must be known in every row, but is "
            f"missing in {counted(int(missing.sum()), 'row')}"
        )


def require_different(
    table: Table, name: str, ordered: pl.Series, rows: RowNumbers
) -> None:
    """Each time is there once.

    Raises:
        DataError: one isn't; names both rows.
    """
    same = (ordered[1:] == ordered[:-1]).to_numpy()
    if not same.any():
        return
    at = int(same.argmax())
    first, second = sorted((int(rows[at]), int(rows[at + 1])))
    others = int(same.sum()) - 1
    more = f", and {counted(others, 'other row')} repeat a time" if others else ""
    raise DataError(
        f"{table.place(second, name)}: each time must be there once, but "
        f"{cell(table, name, second)} is in {table.where(first)}, too{more}; a table "
        "of several series can't be forecast at once: keep the rows of one"
    )


def require_even(
    table: Table, name: str, ordered: pl.Series, rows: RowNumbers, step: Step
) -> None:
    """Each time comes a step after the one before.

    Raises:
        DataError: one doesn't; names the first.
    """
    gaps = step.gaps(ordered)
    if not gaps.any():
        return
    at = int(gaps.argmax())
    before, after = int(rows[at]), int(rows[at + 1])
    others = int(gaps.sum()) - 1
    more = f"; so it is in {counted(others, 'other place')}" if others else ""
    should = step.after(ordered[at : at + 1], 1)[0]
    raise DataError(
        f"{table.place(after, name)}: each time must come {step} after the one before, "
        f"but after {cell(table, name, before)} ({table.where(before)}) should come "
        f"{moment_text(should)} and comes {cell(table, name, after)}{more}; fill the "
        "gaps with rows, or keep the rows after the last"
    )


def cell(table: Table, name: str, row: int) -> str:
    """A time as the table has it."""
    found = table.column(name)[row]
    return found if isinstance(found, str) else shown(found)


def moment_text(moment: object) -> str:
    """A time in words.

    >>> moment_text(2.0)
    '2'
    """
    return f"{moment:g}" if isinstance(moment, float) else str(moment)
