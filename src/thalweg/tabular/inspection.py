"""What each column of a table would be taken for, why, and how to change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, DataError
from thalweg.kinds.task import infer_task
from thalweg.printable import printable
from thalweg.tables.declared import Declared, declared_by, way
from thalweg.tables.infer import infer_column, infer_feature
from thalweg.tables.read import read
from thalweg.tables.schema import Column
from thalweg.tables.table import Table
from thalweg.tabular.settings import Settings
from thalweg.words import listed

ERROR = "error"


@dataclass(frozen=True)
class Inspected:
    """A column as it would be taken.

    Arguments:
        name: the column's.
        kind: number, category, boolean, date, time, ignored, or error.
        reason: why; of an error, what is wrong and what decides.
        form: how its cells are written, as JSON.
        change: what takes it for something else.
    """

    name: str
    kind: str
    reason: str
    form: dict[str, Any]
    change: str

    def to_dict(self) -> dict[str, Any]:
        """The column as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "reason": self.reason,
            "form": self.form,
            "change": self.change,
        }


@dataclass(frozen=True)
class Inspection:
    """What a table would be taken for.

    Arguments:
        table: its name.
        rows: how many there are.
        columns: all but the target, in their order.
        target: the column to predict, if it was named.
        task: whether classes are told apart or a number predicted; nothing without a
            target.
    """

    table: str
    rows: int
    columns: tuple[Inspected, ...]
    target: Inspected | None = None
    task: str = ""

    @property
    def errors(self) -> tuple[Inspected, ...]:
        """The columns that would end training before it starts."""
        every = (*self.columns, *([self.target] if self.target else []))
        return tuple(column for column in every if column.kind == ERROR)

    def to_dict(self) -> dict[str, Any]:
        """The inspection as JSON."""
        return {
            "table": self.table,
            "rows": self.rows,
            "target": self.target and {**self.target.to_dict(), "task": self.task},
            "columns": [column.to_dict() for column in self.columns],
        }

    def __str__(self) -> str:
        shown = [*([self.target] if self.target else []), *self.columns]
        lines = (f"{each.name}: {each.kind}, {each.reason}" for each in shown)
        return "\n".join(map(printable, lines))


def inspect_table(source: Any, target: str | None, settings: Settings) -> Inspection:
    """Look at every column, without training.

    Arguments:
        source: a file's path, or a frame of pandas, polars or pyarrow.
        target: the column to predict, if it is known.
        settings: what is declared.

    Raises:
        FileError, DataError: the table can't be read.
        ArgumentError: there is no column of a name that was given.
    """
    table = read(source, settings.dialect)
    said = declared_by(settings, table)
    for name in (*settings.ignore, *([target] if target is not None else [])):
        if name not in table.columns:
            raise ArgumentError(
                f"{'target' if name == target else 'ignore'} must name a column of "
                f"{table.name}, got {name!r}{nearest(name, table.columns)}; it has "
                f"{listed(table.columns)}"
            )
    columns = tuple(
        _feature(table, name, said, name in settings.ignore)
        for name in table.columns
        if name != target
    )
    if target is None:
        return Inspection(table.name, table.rows, columns)
    found, task = _target(table, target, said, settings)
    return Inspection(table.name, table.rows, columns, found, task)


def _feature(table: Table, name: str, said: Declared, ignored: bool) -> Inspected:
    if ignored:
        return _inspected(table, Column(name, "ignored", "as asked"))
    try:
        return _inspected(table, infer_feature(table, name, said.of(name)))
    except DataError as error:
        return Inspected(name, ERROR, str(error), {}, "")


def _target(
    table: Table, name: str, said: Declared, settings: Settings
) -> tuple[Inspected, str]:
    try:
        column = infer_column(table, name, said.of(name))
        task = infer_task(table, column, settings.task, said.of(name).kind)
    except DataError as error:
        return Inspected(name, ERROR, str(error), {}, ""), ""
    other = "classes" if task.kind == "number" else "number"
    change = way(table, "task", other) if column.kind == "number" else ""
    data = column.form.to_dict()
    return Inspected(name, column.kind, column.reason, data, change), task.line()


def _inspected(table: Table, column: Column) -> Inspected:
    return Inspected(
        column.name,
        column.kind,
        column.reason,
        column.form.to_dict(),
        _change(table, column),
    )


def _change(table: Table, column: Column) -> str:
    """What takes a column for something else; nothing where nothing would."""
    kinds = {"number": ["category"], "category": [], "boolean": ["category"]}
    others = kinds.get(column.kind, ["category"])
    if column.kind == "ignored":
        texts = column.reason.startswith("identifier") or "fewer than" in column.reason
        return way(table, "category", column.name) if texts else ""
    if column.kind == "category" and "are numbers" in column.reason:
        others = ["number"]
    return " or ".join(way(table, each, column.name) for each in (*others, "ignore"))
