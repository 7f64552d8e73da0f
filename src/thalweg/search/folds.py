"""Folds: a table without its test rows, cut so that every row is scored once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, DataError
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.tables.encode import Encoder
from thalweg.tables.splitting.split import RowNumbers, Split
from thalweg.tables.splitting.splitters import Shares
from thalweg.tables.table import Table
from thalweg.tabular.learn import fitted_to_loss
from thalweg.tabular.own import NO_OWN, Own, own_part
from thalweg.tabular.prepare import weighted
from thalweg.tabular.prepared import LEARNED, Prepared
from thalweg.tabular.settings import Settings
from thalweg.words import counted

LEAST_SHARE, LEAST_ROWS = 0.1, 50  # that choose the epoch, where there are enough


def folds_of(
    table: Table, prepared: Prepared, settings: Settings, count: int
) -> list[Prepared]:
    """The table for each fold, whose rows stand where those of the test stood.

    The other rows are split as `train` does it: some to learn from, some to choose the
    epoch, unless there is a table for that. So a fold's score is that of the whole
    procedure on rows it never saw. What is learned from training rows, such as means
    and categories, is learned anew for each. The rows of the test are in none of them.

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
    drawn = prepared.own.validation is None
    rows = np.union1d(parts.training, parts.validation) if drawn else parts.training
    if 2 * count > len(rows):
        raise ArgumentError(
            f"folds must have two rows or more, got {count} folds of "
            f"{counted(len(rows), 'row')}"
        )
    classes = classes_of(table, prepared, rows)
    share = validation_share(settings, len(rows), count, prepared.own)
    shares = Shares(share, 0.0, settings.seed)
    place = np.empty(table.rows, np.int64)
    place[rows] = np.arange(len(rows))
    splits: list[Split] = []
    try:
        for rest, fold in prepared.splitter.folds(rows, classes, count, settings.seed):
            own = None if classes is None else classes[place[rest]]
            parts = prepared.splitter.parts(rest, own, shares)
            splits.append(replace(parts, test=fold))
    except DataError as error:
        raise DataError(f"{table.name}, {count} folds: {error}") from None
    return [fold_of(table, prepared, settings, each) for each in splits]


def validation_share(
    settings: Settings, rows: int, count: int, own: Own = NO_OWN
) -> float:
    """How much of what a fold leaves chooses the epoch.

    As little as leaves nearly as many rows to learn from as the last training has: what
    is best for a few rows needn't be for many. But not so few that chance chooses.
    """
    shares = own.shares(settings)
    usual = shares["validation"] / (1 - shares["test"])
    rest = (count - 1) / count
    alike = 1 - (1 - usual) / rest
    return min(max(alike, LEAST_SHARE, LEAST_ROWS / (rest * rows)), usual)


def classes_of(
    table: Table, prepared: Prepared, rows: RowNumbers
) -> NDArray[Any] | None:
    """The class numbers of rows; None where a number is predicted."""
    if isinstance(prepared.targets, ClassTargets):
        return prepared.targets.truth(table, rows)
    return None


def fold_of(
    table: Table, prepared: Prepared, settings: Settings, split: Split
) -> Prepared:
    """The table encoded by a fold's training rows; of classes there are the same."""
    encoder = Encoder.fit(prepared.schema, table, split.training)
    targets = prepared.targets
    if isinstance(targets, NumberTargets):
        target, log = prepared.schema.target, targets.log
        targets = NumberTargets.fit(table, target, split.training, log)
    X = encoder.transform(table).X
    parts = {
        name: EncodedRows.of(table, X, targets, prepared.schema, rows)
        for name, rows in split.each().items()
    }
    if prepared.own.validation is not None:
        parts["validation"] = own_part(prepared.own.validation, encoder, targets).part
    fold = replace(prepared, encoder=encoder, targets=targets, **parts)
    fold = weighted(fold, settings.class_weight, (*LEARNED, "test"))
    fold = fitted_to_loss(table, fold, settings)
    fold.require_learnable(table, (*LEARNED, "test"))
    return fold
