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
from thalweg.data.split import split
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
    strata = np.zeros(len(rows), np.int32) if classes is None else classes
    numbers = fold_numbers(strata, count, settings.seed)
    share = validation_share(settings, len(rows), count)
    folds: list[Prepared] = []
    for number in range(count):
        fold, rest = numbers == number, numbers != number
        own = None if classes is None else classes[rest]
        parts = split(int(rest.sum()), own, share, 0.0, settings.seed)
        chosen = (rows[rest][parts.training], rows[rest][parts.validation], rows[fold])
        folds.append(fold_of(table, prepared, settings, *chosen))
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


def fold_numbers(classes: NDArray[Any], count: int, seed: int) -> NDArray[Any]:
    """The fold of every row: each class is dealt out like cards, in random order.

    >>> numbers = fold_numbers(np.array([0, 0, 1, 1, 0, 0]), 2, seed=0)
    >>> sorted(numbers[2:4].tolist())
    [0, 1]
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, 2**32 + 1]))
    order = generator.permutation(len(classes))
    order = order[np.argsort(classes[order], kind="stable")]
    numbers = np.empty(len(classes), np.int64)
    numbers[order] = np.arange(len(classes)) % count
    return numbers


def fold_of(
    table: Table,
    prepared: Prepared,
    settings: Settings,
    training: Rows,
    validation: Rows,
    scored: Rows,
) -> Prepared:
    """The table encoded by its training rows."""
    encoder = Encoder.fit(prepared.schema, table, training)
    every = np.concatenate([training, validation, scored])
    targets = fit_targets(
        table,
        prepared.schema.target,
        prepared.task,
        np.sort(every),
        training,
        settings.target_scale,
    )
    X = encoder.transform(table).X

    def part(rows: Rows) -> Part:
        y = targets.encode(table, rows)
        return Part(X[rows], y, row_weights(table, settings.weights, rows))

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
