"""From a table to the arrays that training takes, in one call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.data.class_weights import class_factors
from thalweg.data.deciding import Deciding, deciding_metric
from thalweg.data.declared import declared_by
from thalweg.data.encode import Encoder
from thalweg.data.infer import infer
from thalweg.data.report import Report
from thalweg.data.schema import Schema
from thalweg.data.settings import Settings
from thalweg.data.split import Split, split
from thalweg.data.table import Table
from thalweg.data.tails import tail_hint
from thalweg.data.targets import (
    ClassTargets,
    NumberTargets,
    fit_targets,
    row_weights,
    rows_with_target,
)
from thalweg.data.task import Task, infer_task
from thalweg.data.words import counted
from thalweg.errors import ArgumentError, DataError

Rows: TypeAlias = NDArray[np.int64]

USUAL = Settings()


@dataclass(frozen=True)
class Part:
    """Some rows as arrays.

    Args:
        X: shape (rows, features), float32.
        y: shape (rows,): class numbers, int32, or standardized numbers, float32.
        weights: shape (rows,), float32; None where all rows count alike.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    weights: NDArray[np.float32] | None

    def at(self, rows: Rows) -> "Part":
        """Some of the rows, by their positions."""
        weights = None if self.weights is None else self.weights[rows]
        return Part(self.X[rows], self.y[rows], weights)


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
        notes: what a person should know: rows without a target, classes too small, a
            target with a heavy tail.
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

    @property
    def deciding(self) -> Deciding:
        """The metric by which models of the table are compared."""
        test = self.test
        y = np.concatenate([self.training.y, self.validation.y, test.y])
        counting = test.y if test.weights is None else test.y[test.weights > 0]
        return deciding_metric(self.targets, y, counting)


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
    scale = settings.target_scale
    targets = fit_targets(table, schema.target, found, rows, parts.training, scale)
    encoded = encoder.transform(table)

    def part(chosen: Rows) -> Part:
        y = targets.encode(table, chosen)
        return Part(encoded.X[chosen], y, row_weights(table, settings.weights, chosen))

    given, learned = settings.class_weight, (parts.training, parts.validation)
    training, validation = weighted_by_class(given, targets, *map(part, learned))
    return Prepared(
        found,
        schema,
        encoder,
        targets,
        training,
        validation,
        part(parts.test),
        parts,
        encoded.report,
        (
            *_left_out(table, target, rows),
            *parts.notes,
            *_tail(table, targets, parts.training, settings),
        ),
    )


def weighted_by_class(
    given: Sequence[str], targets: ClassTargets | NumberTargets, *parts: Part
) -> Sequence[Part]:
    """Rows that also count what their class does.

    Args:
        given: the setting class_weight.
        targets: the classes.
        parts: the training rows, by which classes are balanced, and others.

    Raises:
        ArgumentError: a number is predicted, there is no such class, or all rows of a
            part would count 0.
    """
    if not given:
        return parts
    if not isinstance(targets, ClassTargets):
        raise ArgumentError(
            f"class_weight is for classes, but {targets.name!r} is predicted as a "
            "number; task classes takes each number for a class"
        )
    factors = class_factors(given, targets, parts[0].y, parts[0].weights)
    found: list[Part] = []
    for part in parts:
        own = 1.0 if part.weights is None else part.weights
        weights = (own * factors[part.y]).astype(np.float32)
        if not weights.any():
            raise ArgumentError(
                "class_weight must leave rows to learn from and rows to choose the "
                "epoch, but those of every class that is there would count 0"
            )
        found.append(replace(part, weights=weights))
    return found


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


def _tail(
    table: Table, targets: ClassTargets | NumberTargets, rows: Rows, settings: Settings
) -> tuple[str, ...]:
    if isinstance(targets, ClassTargets):
        return ()
    return tail_hint(table, targets.name, targets.numbers(table, rows), settings)


def _left_out(table: Table, target: str, rows: Rows) -> tuple[str, ...]:
    missing = table.rows - len(rows)
    if not missing:
        return ()
    return (f"{counted(missing, 'row')} left out, as {target!r} is missing there",)
