"""The columns that a split goes by: a group, the time, or all, where rows repeat."""

from __future__ import annotations

import numpy as np
import polars as pl

from thalweg.errors import DataError
from thalweg.tables.declared import NOTHING, Declared, OfColumn, way
from thalweg.tables.forms import is_unusable
from thalweg.tables.infer import category_form, infer_column
from thalweg.tables.schema import Column, Schema
from thalweg.tables.splitting.copies import numbered_copies, repeat_by_nature
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.splitting.splitters import (
    ByCopies,
    ByGroup,
    ByRow,
    ByTime,
    Splitter,
)
from thalweg.tables.table import Table
from thalweg.tabular.settings import Settings
from thalweg.words import counted

ORDERED = ("number", "date", "time")
"""Kinds of columns that have an order."""


def splitter_for(
    table: Table,
    schema: Schema,
    rows: RowNumbers,
    settings: Settings,
    declared: Declared,
) -> Splitter:
    """What the rows of a table are split by.

    Arguments:
        table: the cells.
        schema: what its columns are.
        rows: positions of the rows with a target.
        settings: which column says what belongs together, or what comes after what.
        declared: what the user says of columns.

    Raises:
        DataError: that column can't be used.
    """
    if settings.group is not None:
        return by_group(table, settings.group, rows, declared)
    if settings.time is not None:
        return by_time(table, schema, settings.time, rows, declared)
    return by_copies(table, schema, rows)


def by_group(table: Table, name: str, rows: RowNumbers, declared: Declared) -> ByGroup:
    """Groups by a column; a row in which it is missing is a group of its own.

    >>> import polars as pl
    >>> table = Table.of("t", pl.DataFrame({"who": ["Ann", None, "Bea", "Ann", None]}))
    >>> by_group(table, "who", np.arange(5), Declared()).numbers.tolist()
    [0, 2, 1, 0, 3]
    """
    texts = groups_of(table, name, declared.of(name))
    known = texts.unique(maintain_order=True).drop_nulls()
    places = texts.replace_strict(known, np.arange(len(known)), default=None)
    alone = places.is_null().to_numpy()
    numbers = places.fill_null(0).to_numpy().astype(np.int64)
    numbers[alone] = len(known) + np.arange(alone.sum())
    count = int(alone[rows].sum())
    note = f"{counted(count, 'row')} without {name!r}: each is a group of its own"
    return ByGroup(name, numbers, (note,) if count else ())


def groups_of(table: Table, name: str, said: OfColumn = NOTHING) -> pl.Series:
    """Each row's group as a text; null where it is missing.

    Raises:
        DataError: the column's cells can't be texts.
    """
    column = table.column(name)
    if is_unusable(column.dtype):
        raise DataError(
            f"{table.name}, column {name!r}: a group can't be a cell of type "
            f"{column.dtype}"
        )
    return category_form(table, name, said).understood(column)


def by_time(
    table: Table, schema: Schema, name: str, rows: RowNumbers, declared: Declared
) -> ByTime:
    """The order of rows by a column of dates, times or numbers.

    Raises:
        DataError: it has no order, or a moment is missing.
    """
    column = ordered_column(table, schema, name, declared)
    cells = table.column(name)
    moments = column.form.understood(cells)
    missing = moments.gather(rows).is_null()
    if missing.any():
        row = int(rows[int(missing.arg_max() or 0)])
        raise DataError(
            f"{table.place(row, name)}: the time must be known in every row, but is "
            f"missing in {counted(int(missing.sum()), 'row')}"
        )
    ranks = moments.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    return ByTime(name, ranks, cells)


def ordered_column(
    table: Table, schema: Schema, name: str, declared: Declared
) -> Column:
    """What the column of time is.

    Raises:
        DataError: it has no order; the message says how to declare one.
    """
    known = {column.name: column for column in schema.features}
    found = known.get(name) or infer_column(table, name, declared.of(name))
    if found.kind in ORDERED:
        return found
    date, number = (way(table, kind, name) for kind in ("date", "number"))
    raise DataError(
        f"{table.name}, column {name!r}: the time must be dates, times or numbers, but "
        f"is {found.line().partition(': ')[2]}; if it is one of them, {date} or "
        f"{number} says so"
    )


def by_copies(table: Table, schema: Schema, rows: RowNumbers) -> Splitter:
    """Copies, by all columns that the network sees and the target."""
    names = [column.name for column in (*schema.features, schema.target)]
    copies = numbered_copies(table, names, rows) if schema.features else None
    if copies is None:
        return ByRow()
    said = f"{repeating(repeats(copies))} others"
    if have_few_values(table, schema, rows):
        why = "as rows of few values do; each is drawn by itself"
        return ByRow((f"{said}, {why}",))
    numbers = np.full(table.rows, -1, np.int64)
    numbers[rows] = copies
    return ByCopies(numbers, (f"{said}; copies stay on one side of the split",))


def have_few_values(table: Table, schema: Schema, rows: RowNumbers) -> bool:
    """Whether rows repeat by nature: what is a category repeats, for one."""
    features = schema.features
    if len(features) == 1 and features[0].kind == "category":
        return True
    return repeat_by_nature(table.select([each.name for each in features])[rows])


def repeats(numbers: RowNumbers) -> int:
    """How many rows are the same as one before, by numbers from 0 on without a gap."""
    return len(numbers) - int(numbers.max()) - 1


def repeating(rows: int) -> str:
    """So many rows, and the verb."""
    return f"{counted(rows, 'row')} {'repeats' if rows == 1 else 'repeat'}"
