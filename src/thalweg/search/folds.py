"""Folds: a table without its test rows, cut so that every row is scored once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.encode import Encoder
from thalweg.data.learn import fitted_to_loss
from thalweg.data.prepare import Part, Prepared, weighted_by_class
from thalweg.data.settings import Settings
from thalweg.data.splitters import Shares
from thalweg.data.table import Table
from thalweg.data.targets import ClassTargets, fit_targets, row_weights
from thalweg.data.words import counted
from thalweg.errors import ArgumentError
from thalweg.formulas.names import require_whole

Rows = NDArray[np.int64]
LEAST_SHARE, LEAST_ROWS = 0.1, 50  # that choose the epoch, where there are enough


def folds_of(
    table: Table, prepared: Prepared, settings: Settings, count: int
) -> list[Prepared]:
    """The table for each fold, whose rows stand where those of the test stood.

    The other rows are split as `train` does it: some to learn from, some to choose the
    epoch. So a fold's score is that of the whole procedure on rows it never saw.
    What is learned from training rows, such as means and categories, is learned anew
    for each. The rows of the test are in none of them.

    Arguments:
        table: the cells.
        prepared: what the table is, and which rows are for the test.
        settings: loss, weights and seed.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds, or more than half as many as rows.
        DataError: a cell can't be used.
    """
    require_whole("folds", count, least=2)
    parts = prepared.split
    rows = np.union1d(parts.training, parts.validation)
    if 2 * count > len(rows):
        raise ArgumentError(
            f"folds must have two rows or more, got {count} folds of "
            f"{counted(len(rows), 'row')}"
        )
    classes = classes_of(table, prepared, rows)
    share = validation_share(settings, len(rows), count)
    shares = Shares(share, 0.0, settings.seed)
    place = np.empty(table.rows, np.int64)
    place[rows] = np.arange(len(rows))
    folds: list[Prepared] = []
    for rest, fold in prepared.splitter.folds(rows, classes, count, settings.seed):
        own = None if classes is None else classes[place[rest]]
        parts = prepared.splitter.parts(rest, own, shares)
        chosen = (parts.training, parts.validation, fold)
        folds.append(fold_of(table, prepared, settings, rows, *chosen))
    return folds


def validation_share(settings: Settings, rows: int, count: int) -> float:
    """How much of what a fold leaves chooses the epoch.

    As little as leaves nearly as many rows to learn from as the last training has: what
    is best for a few rows needn't be for many. But not so few that chance chooses.
    """
    usual = settings.validation / (1 - settings.test)
    rest = (count - 1) / count
    alike = 1 - (1 - usual) / rest
    return min(max(alike, LEAST_SHARE, LEAST_ROWS / (rest * rows)), usual)


def classes_of(table: Table, prepared: Prepared, rows: Rows) -> NDArray[Any] | None:
    """The class numbers of rows; None where a number is predicted."""
    if isinstance(prepared.targets, ClassTargets):
        return prepared.targets.encode(table, rows)
    return None


def fold_of(
    table: Table,
    prepared: Prepared,
    settings: Settings,
    rows: Rows,
    training: Rows,
    validation: Rows,
    scored: Rows,
) -> Prepared:
    """The table encoded by its training rows; of all rows there are the classes."""
    encoder = Encoder.fit(prepared.schema, table, training)
    target, scale = prepared.schema.target, settings.target_scale
    targets = fit_targets(table, target, prepared.task, rows, training, scale)
    X = encoder.transform(table).X

    def part(chosen: Rows) -> Part:
        y = targets.encode(table, chosen)
        return Part(X[chosen], y, row_weights(table, prepared.schema, chosen))

    # What scores a fold chooses the settings, as what validates chooses the epoch.
    parts = map(part, (training, validation, scored))
    learned = weighted_by_class(settings.class_weight, targets, *parts)
    fold = replace(
        prepared,
        encoder=encoder,
        targets=targets,
        training=learned[0],
        validation=learned[1],
        test=learned[2],
    )
    return fitted_to_loss(table, fold, settings)
