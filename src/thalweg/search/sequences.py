"""What a search does with sequences: what there is to choose, and folds of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, DataError
from thalweg.search.series import space_of_cells
from thalweg.search.share import validation_share
from thalweg.search.space import Space
from thalweg.sequences.prepare import PreparedSequences, grouped, learned_from
from thalweg.sequences.settings import SequenceSettings
from thalweg.tables.splitting.splitters import ByRow, Shares
from thalweg.tabular.own import ReadTable
from thalweg.words import counted


def space(base: SequenceSettings, parts: PreparedSequences) -> Space:
    """What there is to choose for sequences.

    A GRU or an LSTM of 32 to 128 units; none or one hidden layer after it; the learning
    rate over two decades; the usual batch size, half, double or four times it; dropout;
    and L2's rate.

    Arguments:
        base: the settings that hold where nothing is chosen.
        parts: the sequences.
    """
    return space_of_cells(base, parts, ("gru", "gru", "lstm"))


def folds(
    found: ReadTable, parts: PreparedSequences, settings: SequenceSettings, count: int
) -> list[PreparedSequences]:
    """The sequences for each fold, which stands where the test stood.

    A sequence is in one fold, whole, and of each class each fold has as many. The
    others are split as `train` does it: some to learn from, some to choose the epoch.
    What is learned from training sequences, such as means and categories, is learned
    anew for each.

    Arguments:
        found: the table.
        parts: its sequences, and which of them are for the test.
        settings: the shares, and the seed.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds, or more than half as many as sequences.
        DataError: there are too few sequences.
    """
    require_whole("folds", count, least=2)
    given = grouped(found.table, parts.targets.name, settings)
    every = np.union1d(parts.split.training, parts.split.validation)
    if 2 * count > len(every):
        raise ArgumentError(
            f"folds must have two sequences or more, got {count} folds of "
            f"{counted(len(every), 'sequence')}"
        )
    classes = None
    if given.classes is not None:
        classes = given.classes[np.searchsorted(given.usable, every)]
    drawn = {"validation": settings.validation, "test": settings.test}
    share = validation_share(drawn, len(every), count)
    places, seed = np.arange(len(every)), settings.seed
    chosen: list[PreparedSequences] = []
    try:
        for rest, fold in ByRow().folds(places, classes, count, seed):
            own = None if classes is None else classes[rest]
            split = ByRow().parts(rest, own, Shares(share, 0.0, seed))
            split = replace(split, test=fold).of(every)
            chosen.append(learned_from(given, split, settings))
    except DataError as error:
        said = str(error).replace("rows", "sequences")
        raise DataError(f"{found.name}, {count} folds: {said}") from None
    return chosen
