"""From a table to the arrays that training takes, in one call."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.data.declared import declared_by
from thalweg.data.encode import Encoder
from thalweg.data.hints import hints
from thalweg.data.infer import infer
from thalweg.data.report import Report
from thalweg.data.schema import Schema
from thalweg.data.settings import Settings
from thalweg.data.split import Split, split
from thalweg.data.table import Table
from thalweg.data.targets import (
    ClassTargets,
    NumberTargets,
    fit_targets,
    row_weights,
    rows_with_target,
)
from thalweg.data.task import Task, infer_task
from thalweg.data.words import counted
from thalweg.errors import DataError

Rows: TypeAlias = NDArray[np.int64]

USUAL = Settings()


@dataclass(frozen=True)
class Part:
    """Some rows as arrays.

    Args:
        X: shape (rows, features), float32.
        y: shape (rows,): class numbers, int32, or standardized numbers, float32.
        weights: shape (rows,), float32.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Prepared:
    """A table ready to be trained on.

    Args:
        task: what is to be predicted, and why that.
        schema: what each column is, and why.
        encoder: how columns become features.
        targets: how the target becomes what is learned.
        training: rows to learn from.
        validation: rows that choose the epoch.
        test: rows to be scored once.
        split: which rows of the table each part is.
        report: what was found in the cells.
        notes: what a person should know: rows without a target, classes too small.
    """

    task: Task
    schema: Schema
    encoder: Encoder
    targets: ClassTargets | NumberTargets
    training: Part
    validation: Part
    test: Part
    split: Split
    report: Report
    notes: tuple[str, ...]


def prepare(table: Table, target: str, settings: Settings = USUAL) -> Prepared:
    """Infer, split and encode a table; statistics are those of the training rows.

    Args:
        table: what `read` gave.
        target: the name of the column to be predicted; rows where it is missing are
            left out.
        settings: what its columns are for, and how its rows are split.

    Raises:
        ArgumentError: a column's name or a share can't be right.
        DataError: a cell can't be used; the message names line and column.

    >>> from thalweg.data.read import read
    >>> penguins = prepare(read("examples/penguins.csv"), target="species")
    >>> penguins.task.line()
    'classes: the target is 3 different texts'
    >>> penguins.training.X.shape
    (206, 17)
    """
    declared = declared_by(settings, table)
    schema = infer(table, target, settings.ignore, settings.weights, declared)
    form = schema.target.form
    rows = rows_with_target(table, target, form)
    found = infer_task(table, schema.target, settings.task, declared.of(target).kind)
    parts = _split(table, schema, found, rows, settings)
    encoder = Encoder.fit(schema, table, parts.training)
    targets = fit_targets(table, schema.target, found, rows, parts.training)
    encoded = encoder.transform(table)

    def part(chosen: Rows) -> Part:
        y = targets.encode(table, chosen)
        return Part(encoded.X[chosen], y, row_weights(table, settings.weights, chosen))

    prepared = Prepared(
        found,
        schema,
        encoder,
        targets,
        part(parts.training),
        part(parts.validation),
        part(parts.test),
        parts,
        encoded.report,
        (*_left_out(table, target, rows), *parts.notes),
    )
    return replace(prepared, notes=(*prepared.notes, *hints(table, prepared)))


def _split(
    table: Table, schema: Schema, task: Task, rows: Rows, settings: Settings
) -> Split:
    """Which rows of the table each part is."""
    classes = None
    if task.kind == "classes":
        classes = ClassTargets.fit(table, schema.target, rows).encode(table, rows)
    shares = settings.validation, settings.test
    try:
        parts = split(len(rows), classes, *shares, settings.seed)
    except DataError as error:
        raise DataError(f"{table.name}: {error}") from None
    return Split(
        rows[parts.training], rows[parts.validation], rows[parts.test], parts.notes
    )


def _left_out(table: Table, target: str, rows: Rows) -> tuple[str, ...]:
    missing = table.rows - len(rows)
    if not missing:
        return ()
    return (f"{counted(missing, 'row')} left out, as {target!r} is missing there",)
