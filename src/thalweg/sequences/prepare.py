"""From a table to sequences of the parts that training takes, in one call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, DataError
from thalweg.kinds.encoded_rows import EncodedRows, learned
from thalweg.kinds.last_layer import require_fitting
from thalweg.kinds.parts import Parts
from thalweg.kinds.targets import ClassTargets, fit_targets
from thalweg.kinds.task import Task, infer_task
from thalweg.sequences.settings import SequenceSettings
from thalweg.series.sequences import Sequences, first_rows, in_sequences
from thalweg.tables.cell_report import Report
from thalweg.tables.declared import declared_by
from thalweg.tables.encode import Encoder
from thalweg.tables.infer import infer
from thalweg.tables.schema import Column, Schema
from thalweg.tables.splitting.split import Split, split
from thalweg.tables.table import Table
from thalweg.tabular.split_columns import groups_of, ordered_column
from thalweg.words import counted


@dataclass(frozen=True)
class PreparedSequences(Parts):
    """Sequences ready to be learned; a row of each part is a sequence.

    Args:
        table: the cells.
        schema: what each column is, and why.
        encoder: how columns become numbers.
        id: the column whose same cells are one sequence.
        order: that by which the rows of one are ordered, if any.
        sequences: the rows of each.
        split: which sequences each part is.
        report: what was found in the cells.
    """

    table: Table
    schema: Schema
    encoder: Encoder
    id: str
    order: Column | None
    sequences: Sequences
    split: Split
    report: Report


def prepare(table: Table, target: str, settings: SequenceSettings) -> PreparedSequences:
    """Group rows, put them in order, infer, split by sequences, and encode.

    Args:
        table: what `read` gave.
        target: the name of the column to be predicted, the same in all rows of one.
        settings: which rows are one sequence, and in which order.

    Raises:
        ArgumentError: a column's name can't be right.
        DataError: a cell can't be used, a sequence has two targets, or there are too
            few sequences; the message names line and column.
    """
    given = grouped(table, target, settings)
    try:
        parts = split(
            len(given.usable),
            given.classes,
            settings.validation,
            settings.test,
            settings.seed,
        ).of(given.usable)
    except DataError as error:
        said_so = str(error).replace("rows", "sequences")
        raise DataError(f"{table.name}: {said_so}") from None
    return learned_from(given, parts, settings)


@dataclass(frozen=True)
class Grouped:
    """Sequences of a table, before anything is learned of them.

    Args:
        table: the cells.
        schema: what each column is, and why.
        task: what is to be predicted, and why that.
        order: the column by which the rows of one are ordered, if any.
        sequences: the rows of each.
        rows: the first row of each, which has its target.
        usable: those with a target.
        classes: the class number of each of these; None where a number is predicted.
        notes: what was found.
    """

    table: Table
    schema: Schema
    task: Task
    order: Column | None
    sequences: Sequences
    rows: NDArray[np.int64]
    usable: NDArray[np.int64]
    classes: NDArray[Any] | None
    notes: tuple[str, ...]


def grouped(table: Table, target: str, settings: SequenceSettings) -> Grouped:
    """Group rows, put them in order, and infer.

    Raises:
        ArgumentError: a column's name can't be right.
        DataError: a cell can't be used, or a sequence has two targets.
    """
    assert settings.sequence is not None
    if target in (settings.sequence, settings.order):
        raise ArgumentError(f"target must be another column than {target!r}, in use")
    require_columns(table, settings)
    declared = declared_by(settings, table)
    given = settings.ignore, None, declared, settings.sequence, settings.order
    schema = infer(table, target, *given)
    order = None
    if settings.order is not None:
        order = ordered_column(table, schema, settings.order, declared)
    schema = with_reasons(schema, settings)
    said = declared.of(settings.sequence)
    sequences = in_sequences(table, groups_of(table, settings.sequence, said), order)
    rows = first_rows(table, target, sequences)
    absent = schema.target.form.absent(table.column(target).gather(rows)).to_numpy()
    if absent.all():
        raise DataError(f"{table.name}, column {target!r}: every cell is missing")
    usable = np.flatnonzero(~absent)
    task = infer_task(table, schema.target, settings.task, declared.of(target).kind)
    classes = None
    if task.kind == "classes":
        known = ClassTargets.fit(table, schema.target, rows[usable])
        classes = known.truth(table, rows[usable])
    left = len(sequences) - len(usable)
    notes: list[str] = []
    if order is None:
        notes.append("the rows of a sequence are taken as they stand")
    if left:
        count = counted(left, "sequence")
        notes.append(f"{count} left out, as {target!r} is missing there")
    known = task, order, sequences, rows, usable, classes
    return Grouped(table, schema, *known, tuple(notes))


def learned_from(
    given: Grouped, parts: Split, settings: SequenceSettings
) -> PreparedSequences:
    """Encode; statistics are of training sequences alone.

    Args:
        given: all sequences.
        parts: which of them each part is.
        settings: the loss.

    Raises:
        ArgumentError: the loss doesn't go with the task.
        DataError: a cell can't be used.
    """
    assert settings.sequence is not None
    table, task, rows = given.table, given.task, given.rows
    training = given.sequences.rows_of(parts.training)
    encoder = Encoder.fit(given.schema, table, training)
    schema, encoder = without_many(given.schema, encoder, table, training)
    targets = fit_targets(
        table, schema.target, task, rows[given.usable], rows[parts.training]
    )
    require_fitting(settings.loss, targets, task)
    encoded = encoder.transform(table)
    arrays = given.sequences.arrays(encoded.X)
    every: dict[str, EncodedRows] = {}
    for name, chosen in parts.each().items():
        truth = targets.truth(table, rows[chosen])
        X: Any = [arrays[each] for each in chosen]
        every[name] = EncodedRows(X, truth, learned(truth, targets), None)
    return PreparedSequences(
        task,
        targets,
        **every,
        notes=(*given.notes, *parts.notes),
        table=table,
        schema=schema,
        encoder=encoder,
        id=settings.sequence,
        order=given.order,
        sequences=given.sequences,
        split=parts,
        report=encoded.report,
    )


def require_columns(table: Table, settings: SequenceSettings) -> None:
    """What makes rows a sequence are columns of the table.

    Raises:
        ArgumentError: one isn't; suggests the nearest.
    """
    for use in ("sequence", "order"):
        name = getattr(settings, use)
        if name is not None and name not in table.columns:
            raise ArgumentError(
                f"{use} must name a column of {table.name}, got {name!r}"
                f"{nearest(name, table.columns)}; it has {table.listed_columns()}"
            )


def with_reasons(schema: Schema, settings: SequenceSettings) -> Schema:
    """The schema with the ids and the order set aside."""
    reasons = {
        settings.sequence: "rows with one of its cells are a sequence",
        settings.order: "the rows of a sequence are in its order",
    }
    return replace(
        schema,
        columns=tuple(
            Column(each.name, "ignored", reasons[each.name])
            if each.name in reasons
            else each
            for each in schema.columns
        ),
    )


def without_many(
    schema: Schema, encoder: Encoder, table: Table, rows: NDArray[np.int64]
) -> tuple[Schema, Encoder]:
    """Without columns of so many categories that each would need an embedding."""
    many = {each.name: each.categories for each in encoder.embedded}
    if not many:
        return schema, encoder
    why = "categories, more than a sequence can use yet"
    columns = tuple(
        Column(each.name, "ignored", f"{many[each.name]:,} {why}")
        if each.name in many
        else each
        for each in schema.columns
    )
    schema = replace(schema, columns=columns)
    return schema, Encoder.fit(schema, table, rows)
