"""Infer from the target whether to tell classes apart or to predict a number."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.tables.counting import name_classes
from thalweg.tables.declared import way
from thalweg.tables.schema import Column
from thalweg.tables.strict import require_keys, text
from thalweg.tables.table import Table
from thalweg.words import counted, shown

TaskKind = Literal["classes", "number"]
TASKS: tuple[TaskKind, ...] = get_args(TaskKind)

MOST_CLASSES = 1_000
"""Of more texts a target is classes only if a user says so: each costs its part."""


@dataclass(frozen=True)
class Task:
    """What is to be predicted, and why that.

    >>> Task("number", "the target has 842 different numbers").line()
    'number: the target has 842 different numbers'
    """

    kind: TaskKind
    reason: str

    def line(self) -> str:
        """The task in one line, as the user reads it."""
        return f"{self.kind}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON."""
        return {"kind": self.kind, "reason": self.reason}

    @classmethod
    def from_dict(cls, data: object) -> "Task":
        """The task that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "a task", "kind", "reason")
        kind = text(found["kind"], "a task's kind")
        if kind not in TASKS:
            raise ModelFileError(f"a task's kind must be one of {TASKS}, got {kind!r}")
        return cls(kind, text(found["reason"], "a task's reason"))


def infer_task(
    table: Table, target: Column, asked: str | None = None, declared: str = ""
) -> Task:
    """Whether the target is classes or a number.

    Texts and booleans are classes. Numbers are a number, but for two kinds of whole
    numbers that are how classes are written: just two of them, and those that count
    from 0 or 1 without a gap, up to ten.

    Args:
        table: the rows.
        target: the target's column, as `infer` found it.
        asked: "classes" or "number" overrides what is inferred.
        declared: "number" where the user says that the column is one.

    Raises:
        ArgumentError: something else was asked.
        DataError: the target can't be predicted: it has one value, or as many classes
            as rows, or it holds texts and a number was asked.

    >>> rings = Table.of("shells", pl.DataFrame({"rings": [4, 9, 7, 15, 12]}))
    >>> infer_task(rings, Column("rings", "number", "")).line()
    'number: the target is 5 different whole numbers from 4 to 15'
    """
    if asked is not None and asked not in TASKS:
        raise ArgumentError(
            f"task must be classes or number, got {asked!r}{nearest(asked, TASKS)}"
        )
    cells = _usable(table, target)
    values = target.form.understood(cells).drop_nulls()
    if (
        values.n_unique() == 1
        and target.form.labels(cells).drop_nulls().n_unique() == 1
    ):
        raise DataError(
            f"{table.name}, column {target.name!r}: a target must have at least two "
            f"different values, but each of its cells is {shown(values[0])}"
        )
    task = _by_values(values) if asked is None else Task(asked, "as asked")
    if asked is None and declared == "number":
        task = Task("number", "as declared")
    meant = asked == "classes" or declared == "category"
    _check(table, target, cells, task, meant)
    return task


def _usable(table: Table, target: Column) -> pl.Series:
    if target.kind in ("ignored", "date", "time"):
        raise DataError(
            f"{table.name}, column {target.name!r}: a target must be numbers, texts or "
            f"booleans, but {_unfit(target)}"
        )
    return table.column(target.name)


def _unfit(target: Column) -> str:
    return target.reason if target.kind == "ignored" else f"it is a {target.kind}"


def _by_values(values: pl.Series) -> Task:
    different = values.n_unique()
    if values.dtype == pl.String:
        return Task("classes", f"the target is {counted(different, 'different text')}")
    numbers = np.unique(values.to_numpy())
    if (numbers != np.round(numbers)).any():
        return Task("number", f"the target is {different:,} different numbers")
    span = f"from {numbers[0]:.0f} to {numbers[-1]:.0f}"
    if not name_classes(numbers):
        reason = f"the target is {different:,} different whole numbers {span}"
        return Task("number", reason)
    if different == 2:
        return Task("classes", "the target is two whole numbers")
    return Task("classes", f"the target counts {span} without a gap")


def _check(
    table: Table, target: Column, cells: pl.Series, task: Task, meant: bool
) -> None:
    where = f"{table.name}, column {target.name!r}"
    if task.kind == "number":
        if target.kind != "number":
            raise DataError(
                f"{where}: to predict a number the target must be numbers, "
                f"but it holds texts such as {shown(cells.drop_nulls()[0])}"
            )
        return
    labels = target.form.labels(cells).drop_nulls()
    classes = labels.n_unique()
    if classes > max(2, len(labels) // 2):
        raise DataError(
            f"{where}: a class must have two rows or more on average, but there are "
            f"{classes:,} different values in {counted(len(labels), 'row')}"
        )
    if classes > MOST_CLASSES and not meant:
        raise DataError(
            f"{where}: more than {MOST_CLASSES:,} classes are told apart only if that "
            f"is meant, but there are {classes:,} different values in "
            f"{counted(len(labels), 'row')}; if it is: "
            f"{way(table, 'category', target.name)}"
        )
