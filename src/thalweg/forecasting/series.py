"""A table in order of time, before anything is learned of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, DataError
from thalweg.forecasting.settings import ForecastSettings
from thalweg.kinds.targets import NumberTargets
from thalweg.kinds.task import infer_task
from thalweg.series.order import Order, in_order
from thalweg.series.steps import rows_of
from thalweg.tables.declared import declared_by
from thalweg.tables.infer import infer
from thalweg.tables.scales import Scale
from thalweg.tables.schema import Column, Schema
from thalweg.tables.table import Table
from thalweg.tabular.split_columns import ordered_column
from thalweg.words import counted

WITHOUT_SCALE = Scale(0.0, 1.0)
"""Of targets that are read before their statistics are known."""


@dataclass(frozen=True)
class Series:
    """A table in order of time, before anything is learned of it.

    Args:
        table: the cells.
        schema: what each column is, and why.
        order: the rows that count, in order of time.
        cells: the target at each time, NaN where it is missing.
        known: the columns that are known of times ahead.
        history: the rows that a forecast looks at.
        ahead: how many times it is of.
        notes: what was found.
    """

    table: Table
    schema: Schema
    order: Order
    cells: NDArray[np.float64]
    known: tuple[str, ...]
    history: int
    ahead: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.order)

    def until(self, time: int) -> Series:
        """The series as if it had ended there: its first times, so many."""
        rows, moments = self.order.rows[:time], self.order.moments[:time]
        order = replace(self.order, rows=rows, moments=moments)
        return replace(self, order=order, cells=self.cells[:time])


def series_of(table: Table, target: str, settings: ForecastSettings) -> Series:
    """Put in order, and infer.

    Raises:
        ArgumentError: a column's name or a length can't be right.
        DataError: a cell can't be used, or times aren't evenly spaced.
    """
    assert settings.time is not None
    declared = declared_by(settings, table)
    schema = infer(table, target, settings.ignore, None, declared, None, settings.time)
    column = ordered_column(table, schema, settings.time, declared)
    known = known_ahead(table, schema, settings)
    infer_task(table, schema.target, "number", declared.of(target).kind)
    every = in_order(table, column)
    order, cells, notes = with_target(table, schema.target, every)
    return Series(
        table,
        schema,
        order,
        cells,
        known,
        rows_of("history", settings.history, order.step),
        rows_of("ahead", settings.ahead, order.step),
        (*every.notes, *notes),
    )


def known_ahead(
    table: Table, schema: Schema, settings: ForecastSettings
) -> tuple[str, ...]:
    """The columns that are known of times ahead.

    Raises:
        ArgumentError: there is no such column, it is the target or the time, or it is
            set aside.
    """
    columns = {each.name: each for each in schema.columns}
    for name in settings.known_ahead:
        if name in (schema.target.name, settings.time):
            what = "the target" if name == schema.target.name else "the time"
            raise ArgumentError(f"known_ahead must be other columns than {what}")
        if name not in columns:
            raise ArgumentError(
                f"known_ahead must name columns of {table.name}, got {name!r}"
                f"{nearest(name, table.columns)}; it has {table.listed_columns()}"
            )
        if columns[name].kind == "ignored":
            raise ArgumentError(
                f"known_ahead must be columns that are used, but {name!r} is set "
                f"aside: {columns[name].reason}"
            )
    return tuple(dict.fromkeys(settings.known_ahead))


# The target ---------------------------------------------------------------------------


def with_target(
    table: Table, target: Column, order: Order
) -> tuple[Order, NDArray[np.float64], list[str]]:
    """The times from the first to the last whose target is known.

    Args:
        table: the cells.
        target: the column to forecast.
        order: all rows.

    Returns:
        Those rows; their target, NaN where missing in between; and notes on both.

    Raises:
        DataError: a target can't be read, or none is known.
    """
    column = table.column(target.name).gather(order.rows)
    absent = target.form.absent(column).to_numpy()
    present = np.flatnonzero(~absent)
    if not len(present):
        raise DataError(
            f"{table.name}, column {target.name!r}: a target must have values, but "
            "every cell is missing"
        )
    first, last = int(present[0]), int(present[-1]) + 1
    kept = replace(
        order, rows=order.rows[first:last], moments=order.moments[first:last]
    )
    cells = np.full(last - first, np.nan)
    inner = present - first
    readable = NumberTargets(target.name, WITHOUT_SCALE, target.form)
    cells[inner] = readable.truth(table, kept.rows[inner])
    notes = list(said_of_missing(target.name, first, len(order) - last, cells))
    return kept, cells, notes


def said_of_missing(
    target: str, before: int, after: int, cells: NDArray[np.float64]
) -> Iterator[str]:
    """Notes on rows without a target, at the ends and in between."""
    for count, where in ((before, "first"), (after, "last")):
        if count:
            yield (
                f"the {where} {counted(count, 'row')} left out, as {target!r} is "
                "missing there"
            )
    between = int(np.isnan(cells).sum())
    if between:
        yield (
            f"{target!r} is missing in {counted(between, 'row')}: a history has the "
            "last known value there, and no forecast of such a row is learned or scored"
        )
