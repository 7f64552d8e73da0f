"""From a table to the arrays that training takes, in one call."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError, DataError
from thalweg.kinds.encoded_rows import DTYPE, EncodedRows
from thalweg.kinds.targets import (
    ClassTargets,
    NumberTargets,
    fit_targets,
    rows_with_target,
)
from thalweg.kinds.task import Task, infer_task
from thalweg.tables.declared import declared_by
from thalweg.tables.encode import Encoder
from thalweg.tables.infer import infer
from thalweg.tables.schema import Schema
from thalweg.tables.splitting.split import RowNumbers, Split, require_rows
from thalweg.tables.splitting.splitters import Shares, Splitter
from thalweg.tables.table import Table
from thalweg.tabular.class_factors import class_factors
from thalweg.tabular.hints import hints
from thalweg.tabular.own import NO_OWN, Own, left_out, own_part, shared_with
from thalweg.tabular.prepared import LEARNED, Prepared
from thalweg.tabular.settings import Settings
from thalweg.tabular.split_columns import splitter_for
from thalweg.tabular.tails import tail_hint
from thalweg.training.rows import outweighing
from thalweg.words import counted, shown

USUAL = Settings()


def prepare(
    table: Table, target: str, settings: Settings = USUAL, own: Own = NO_OWN
) -> Prepared:
    """Infer, split and encode a table; statistics are those of the training rows.

    Args:
        table: what `read` gave.
        target: the name of the column to be predicted; rows where it is missing are
            left out.
        settings: what its columns are for, and how its rows are split.
        own: tables to validate and to test on, instead of some of its rows.

    Raises:
        ArgumentError: a column's name or a share can't be right.
        DataError: a cell can't be used; the message names line and column.

    >>> from thalweg.tables.read import read
    >>> penguins = prepare(read("examples/penguins.csv"), target="species")
    >>> penguins.task.line()
    'classes: the target is 3 different texts'
    >>> penguins.training.X.shape
    (206, 17)
    """
    own.require_time(settings)
    declared = declared_by(settings, table)
    given = settings.ignore, settings.weights, declared, settings.group, settings.time
    schema = infer(table, target, *given)
    form = schema.target.form
    rows = rows_with_target(table, target, form)
    found = infer_task(table, schema.target, settings.task, declared.of(target).kind)
    splitter = splitter_for(table, schema, rows, settings, declared)
    drawn = own.shares(settings)
    shares = Shares(drawn["validation"], drawn["test"], settings.seed)
    parts = _split(table, schema, found, rows, splitter, shares)
    encoder = Encoder.fit(schema, table, parts.training)
    scale = settings.target_scale
    targets = fit_targets(table, schema.target, found, rows, parts.training, scale)
    encoded = encoder.transform(table)
    arrays = {
        name: EncodedRows.of(table, encoded.X, targets, schema, chosen)
        for name, chosen in parts.each().items()
    }
    prepared = Prepared(
        task=found,
        table=table,
        schema=schema,
        encoder=encoder,
        targets=targets,
        **arrays,
        split=parts,
        splitter=splitter,
        own=own,
        report=encoded.report,
        notes=(
            *left_out(table, target, rows),
            *parts.notes,
            *_tail(table, targets, parts.training, settings),
        ),
    )
    prepared.require_learnable(table)
    found = hints(table, prepared)
    prepared = weighted(_with_own(prepared, table, settings), settings.class_weight)
    return replace(prepared, notes=(*prepared.notes, *found))


def weighted(
    prepared: Prepared, given: Sequence[str], parts: Sequence[str] = LEARNED
) -> Prepared:
    """With rows that also count what their class does.

    Args:
        prepared: the rows; classes are balanced by those to learn from.
        given: the setting class_weight.
        parts: which rows count so.

    Raises:
        ArgumentError: a number is predicted, there is no such class, or all rows of a
            part would count 0.
    """
    targets, training = prepared.targets, prepared.training
    if not given:
        return prepared
    if not isinstance(targets, ClassTargets):
        raise ArgumentError(
            f"class_weight is for classes, but {targets.name!r} is predicted as a "
            "number; task classes takes each number for a class"
        )
    factors = class_factors(given, targets, training.y, training.weights)
    found: dict[str, Any] = {}
    for name in parts:
        part: EncodedRows = getattr(prepared, name)
        own = 1.0 if part.weights is None else part.weights
        with np.errstate(over="ignore"):
            weights = own * factors[part.y]
        at = outweighing(weights, DTYPE)
        if at is not None:
            label = shown(targets.labels[int(part.y[at])])
            raise ArgumentError(
                f"class_weight must leave most rows a weight in {DTYPE}, but those of "
                f"{label} would count {weights[at]:g}"
            )
        if not weights.any():
            raise ArgumentError(
                "class_weight must leave rows to learn from and rows to choose the "
                "epoch, but those of every class that is there would count 0"
            )
        found[name] = replace(part, weights=weights)
    return replace(prepared, **found)


def _split(
    table: Table,
    schema: Schema,
    task: Task,
    rows: RowNumbers,
    splitter: Splitter,
    shares: Shares,
) -> Split:
    """Which rows of the table each part is."""
    classes = None
    if task.kind == "classes":
        classes = ClassTargets.fit(table, schema.target, rows).truth(table, rows)
    try:
        require_rows(len(rows))
        if shares.parts == 1:
            return Split(rows, rows[:0], rows[:0], ())
        return splitter.parts(rows, classes, shares)
    except DataError as error:
        raise DataError(f"{table.name}: {error}") from None


def _with_own(prepared: Prepared, table: Table, settings: Settings) -> Prepared:
    """With the parts that are tables of one's own."""
    encoder, targets = prepared.encoder, prepared.targets
    for name, own in prepared.own.tables.items():
        found = own_part(own, encoder, targets)
        if name in LEARNED:
            found.part.require_learnable(own, prepared.schema, found.rows)
        purpose = {"validation": "validated", "test": "tested"}[name]
        count = counted(len(found.rows), "row")
        said = f"{purpose} on {own.name}, {count}"
        shared = shared_with(table, own, encoder, settings)
        prepared = replace(
            prepared,
            **{name: found.part},
            split=replace(prepared.split, **{name: found.rows}),
            notes=(*prepared.notes, said, *found.notes, *shared),
        )
    return prepared


def _tail(
    table: Table,
    targets: ClassTargets | NumberTargets,
    rows: RowNumbers,
    settings: Settings,
) -> tuple[str, ...]:
    if isinstance(targets, ClassTargets):
        return ()
    return tail_hint(table, targets.name, targets.truth(table, rows), settings)
