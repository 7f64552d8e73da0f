"""What a search does with a table: what there is to choose, and folds of its rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, DataError
from thalweg.kinds.encoded_rows import EncodedRows
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.search.share import validation_share
from thalweg.search.space import Choice, Space, batch_sizes, learning_rates
from thalweg.tables.encode import Encoder
from thalweg.tables.splitting.split import RowNumbers, Split
from thalweg.tables.splitting.splitters import Shares
from thalweg.tables.table import Table
from thalweg.tabular.learn import fitted_to_loss
from thalweg.tabular.own import ReadTable, own_part
from thalweg.tabular.prepare import weighted
from thalweg.tabular.prepared import LEARNED, Prepared
from thalweg.tabular.settings import Settings
from thalweg.words import counted


def space(base: Settings, parts: Prepared) -> Space:
    """What there is to choose for a table.

    Layers of 32 to 256 units, one to three of them, of one width or each half as wide
    as the one before; four activations; the learning rate over two decades; the usual
    batch size, half, double or four times it; dropout; and L2's rate.

    Arguments:
        base: the settings that hold where nothing is chosen.
        parts: the table.
    """
    return {
        "width": Choice((32, 64, 128, 256)),
        "depth": Choice((1, 2, 3)),
        "narrowing": Choice((1, 2)),
        "activation": Choice(("silu", "relu", "gelu", "tanh")),
        "learning_rate": learning_rates(base),
        "batch_size": batch_sizes(base, len(parts.training.X)),
        "dropout": Choice((0.0, 0.0, 0.0, 0.1, 0.2, 0.4)),
        "l2": Choice((0.0, 0.0, 0.00001, 0.0001, 0.001)),
    }


def folds(
    found: ReadTable, prepared: Prepared, settings: Settings, count: int
) -> list[Prepared]:
    """The table for each fold, whose rows stand where those of the test stood.

    The other rows are split as `train` does it: some to learn from, some to choose the
    epoch, unless there is a table for that. So a fold's score is that of the whole
    procedure on rows it never saw. What is learned from training rows, such as means
    and categories, is learned anew for each. The rows of the test are in none of them.

    Arguments:
        found: the table, and those of one's own.
        prepared: what the table is, and which rows are for the test.
        settings: loss, weights and seed.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds, or more than half as many as rows.
        DataError: a cell can't be used.
    """
    require_whole("folds", count, least=2)
    table, parts = found.table, prepared.split
    rows = parts.training
    if prepared.own.validation is None:
        rows = np.union1d(rows, parts.validation)
    if 2 * count > len(rows):
        raise ArgumentError(
            f"folds must have two rows or more, got {count} folds of "
            f"{counted(len(rows), 'row')}"
        )
    classes = classes_of(table, prepared, rows)
    shares = prepared.own.shares(settings)
    share = validation_share(shares, len(rows), count)
    drawn = Shares(share, 0.0, settings.seed)
    place = np.empty(table.rows, np.int64)
    place[rows] = np.arange(len(rows))
    splits: list[Split] = []
    try:
        for rest, fold in prepared.splitter.folds(rows, classes, count, settings.seed):
            own = None if classes is None else classes[place[rest]]
            parts = prepared.splitter.parts(rest, own, drawn)
            splits.append(replace(parts, test=fold))
    except DataError as error:
        raise DataError(f"{table.name}, {count} folds: {error}") from None
    return [fold_of(table, prepared, settings, each) for each in splits]


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
