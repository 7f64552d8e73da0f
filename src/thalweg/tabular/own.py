"""A user's own tables to validate and to test on.

They are encoded by what the table trained on taught; nothing is learned of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from thalweg.errors import ArgumentError, DataError
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.own import PARTS, Sources
from thalweg.kinds.targets import ClassTargets, NumberTargets, rows_with_target
from thalweg.tables.dialect import Dialect
from thalweg.tables.encode import Encoder
from thalweg.tables.read import read
from thalweg.tables.splitting.copies import numbered_copies
from thalweg.tables.splitting.split import RowNumbers
from thalweg.tables.table import Table
from thalweg.tabular.settings import Settings
from thalweg.tabular.split_columns import groups_of, have_few_values
from thalweg.words import counted, listed


@dataclass(frozen=True)
class Own:
    """The tables.

    Args:
        validation: rows that choose the epoch; None where they are drawn.
        test: rows to be scored once; None where they are drawn.
    """

    validation: Table | None = None
    test: Table | None = None

    @classmethod
    def read(cls, sources: Sources, dialect: Dialect) -> Own:
        """The tables of files and frames, whose text is written as the other's is.

        Raises:
            FileError, DataError: one can't be read.
        """
        return cls(**{part: read(source, dialect) for part, source in sources.items()})

    @property
    def tables(self) -> dict[str, Table]:
        """Those that are there, by their part."""
        every = {"validation": self.validation, "test": self.test}
        return {part: table for part, table in every.items() if table is not None}

    def shares(self, settings: Settings) -> dict[str, float]:
        """Which share of the other table is drawn for each part."""
        there = self.tables
        return {
            part: 0.0 if part in there else getattr(settings, part) for part in PARTS
        }

    def require_time(self, settings: Settings) -> None:
        """Where rows are ordered by time, some are left to be cut.

        Raises:
            ArgumentError: none are.
        """
        if settings.time is not None and len(self.tables) == len(PARTS):
            raise ArgumentError(
                "time must be left out with validation_data and test_data, as no rows "
                f"are left to split by it, got {settings.time!r}"
            )


NO_OWN = Own()


@dataclass(frozen=True)
class ReadTable:
    """A table to learn from, and those of one's own beside it.

    Args:
        table: as it was read.
        own: to validate and to test on.
    """

    table: Table
    own: Own = NO_OWN

    @property
    def name(self) -> str:
        """What the table is called."""
        return self.table.name

    @property
    def path(self) -> Path | None:
        """Its file; None for a frame and a pipe."""
        return file_of(self.table)

    @property
    def own_paths(self) -> dict[str, Path | None]:
        """The files of the others, by their part."""
        return {part: file_of(table) for part, table in self.own.tables.items()}


def file_of(table: Table) -> Path | None:
    """Where a table was read; None for a frame and a pipe."""
    return table.file and table.file.path


@dataclass(frozen=True)
class OwnPart:
    """One of the tables, ready.

    Args:
        part: its rows with a target, as arrays.
        rows: their positions in it.
        notes: what the user should know.
    """

    part: EncodedRows
    rows: RowNumbers
    notes: tuple[str, ...]


def own_part(
    table: Table, encoder: Encoder, targets: ClassTargets | NumberTargets
) -> OwnPart:
    """A table encoded by what another taught.

    Raises:
        DataError: it lacks a column, most cells of one can't be read, or it has a class
            that the other doesn't.
    """
    encoded = encoder.transform(table)
    encoded.report.require_readable("set the column aside: --ignore (ignore=)")
    rows = rows_with_target(table, targets.name, targets.form)
    require_known_classes(table, targets, rows)
    part = EncodedRows.of(table, encoded.X, targets, encoder.schema, rows)
    found = [f"{table.name}: {line}" for line in encoded.report.lines()]
    return OwnPart(part, rows, (*left_out(table, targets.name, rows), *found))


def left_out(table: Table, target: str, rows: RowNumbers) -> tuple[str, ...]:
    """A note on the rows without a target."""
    missing = table.rows - len(rows)
    if not missing:
        return ()
    return (f"{counted(missing, 'row')} left out, as {target!r} is missing there",)


def require_known_classes(
    table: Table, targets: ClassTargets | NumberTargets, rows: RowNumbers
) -> None:
    """The table has no class that the one trained on doesn't have.

    Raises:
        DataError: it has; counts the rows and names some classes.
    """
    if not isinstance(targets, ClassTargets):
        return
    cells = table.column(targets.name).gather(rows)
    known = targets.form.labels(cells).is_in(list(targets.keys)).fill_null(False)
    if known.all():
        return
    new = cells.filter(~known)
    names = [str(cell) for cell in new.unique(maintain_order=True)]
    row = int(rows[int((~known).arg_max() or 0)])
    raise DataError(
        f"{table.place(row, targets.name)}: a class must be one that the table trained "
        f"on has, {listed(targets.labels)}, but {counted(len(new), 'row')} hold "
        f"{listed(names)}"
    )


def shared_with(
    table: Table, own: Table, encoder: Encoder, settings: Settings
) -> tuple[str, ...]:
    """A note where a table has groups of the other, or else copies of its rows."""
    if settings.group is None:
        return _shared_rows(table, own, encoder)
    if settings.group not in own.columns:
        return ()
    known, other = (groups_of(each, settings.group) for each in (table, own))
    of_own = other.drop_nulls().unique()
    shared = int(of_own.is_in(known.drop_nulls().unique().implode()).sum())
    if not shared:
        return ()
    groups = counted(len(of_own), "group")
    return (f"{shared:,} of {groups} of {own.name} are in {table.name}, too",)


def _shared_rows(table: Table, own: Table, encoder: Encoder) -> tuple[str, ...]:
    names = [*(each.name for each in encoder.encodings), encoder.schema.target.name]
    cells, others = table.select(names), own.select(names)
    if cells.schema != others.schema:
        return ()
    joined = Table(table.name, pl.concat([cells, others]))
    numbers = numbered_copies(joined, names, np.arange(joined.rows))
    every = np.arange(joined.rows)
    if numbers is None or have_few_values(joined, encoder.schema, every):
        return ()
    shared = int(np.isin(numbers[table.rows :], numbers[: table.rows]).sum())
    if not shared:
        return ()
    return (f"{counted(shared, 'row')} of {own.name} are in {table.name}, too",)
