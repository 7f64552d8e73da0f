"""Search: a learning rate by a range test, settings by successive halving.

This file stays light: what needs a table is imported when there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import thalweg.defaults as defaults
from thalweg.errors import ArgumentError

if TYPE_CHECKING:
    from thalweg.search.tuning import Tuned
    from thalweg.tabular.settings import TrainSettings

OWN = (
    *("budget", "folds", "trials", "sampler", "storage", "folder", "resume", "threads"),
    *("validation_data", "test_data"),
)


def tune(
    source: Any,
    target: str | None = None,
    *,
    budget: str | float = defaults.BUDGET,
    folds: int = defaults.FOLDS,
    trials: int | None = None,
    sampler: str = defaults.SAMPLER,
    storage: str | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
    **settings: Unpack[TrainSettings],
) -> Tuned:
    """Find good settings for a table or images by successive halving; train with them.

    Settings drawn at random train for a few epochs; a third of them, those with the
    lowest validation losses over the folds, for three times as many; and so on. The
    settings that `train` takes without tuning are tried, too, so what is chosen is
    never worse than they are on the folds. The test rows take no part until the end,
    when the network trained with the chosen settings is scored on them once.

    Arguments:
        source: a file's path (CSV or Parquet), or a frame of pandas, polars or pyarrow;
            or the path of images.
        target: the column of a table to predict; None for images.
        budget: how long to search, ``30s``, ``5m`` or ``1h``, or seconds. One training
            with what was found comes after.
        folds: into how many parts the training and validation rows are cut; each
            validates once.
        trials: how many settings to try at most; None is as many as the budget allows.
        sampler: ``random``, or ``optuna``, which learns from the trials.
        storage: where Optuna keeps its trials, a URL; None is in memory.
        folder: keeps every finished trial.
        resume: go on with the trials in the folder.
        threads: networks trained at once; None for one on each processor.
        validation_data, test_data: tables of one's own, as `train` takes them; folds
            are of the rows to train on.
        settings: any field of `Settings`, of images `ImageSettings`; those given are
            kept, and the others that shape training are tuned.

    Returns:
        The chosen settings, all trials, and the trained model with its test. With the
        same seed the trials are the same; the budget decides how many there are.
        Ctrl-C ends the search with the best so far.

    Raises:
        FileError, DataError: the table, or the folder, can't be used.
        ArgumentError: an argument can't be used.

    Example:
        >>> import thalweg as tw
        >>> tuned = tw.tune(
        ...     "examples/penguins.csv", "species", budget="30s", trials=2, epochs=9
        ... )
        >>> len(tuned.table), tuned.best.loss <= tuned.default.loss
        (3, True)

    Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: A novel
    bandit-based approach to hyperparameter optimization", 2018.
    """
    from thalweg.images.read import is_images
    from thalweg.tabular import target_name
    from thalweg.tabular.libraries import load_libraries

    load_libraries()
    from thalweg.kinds.own import own_sources
    from thalweg.search.budget import seconds_of
    from thalweg.search.tuning import Request, tune_images, tune_table
    from thalweg.tabular.settings import Settings
    from thalweg.training.execution import Execution
    from thalweg.vision.settings import ImageSettings

    execution, fixed = Execution(threads=threads), frozenset(settings)
    request = Request(
        seconds_of(budget), folds, trials, sampler, storage, folder, resume
    )
    if target is None and isinstance(source, str | Path) and is_images(source):
        require_no_own(own_sources(validation_data, test_data, settings))
        of_images = ImageSettings.by_name(settings, beside=OWN)
        return tune_images(source, of_images, fixed, request, execution)
    name, base = target_name(source, target), Settings.by_name(settings, beside=OWN)
    own = own_sources(validation_data, test_data, settings)
    return tune_table(source, name, base, fixed, request, execution, own=own)


def require_no_own(own: Mapping[str, Any]) -> None:
    """Images of one's own can't be given: folds of those to learn from take turns.

    Raises:
        ArgumentError: some are.
    """
    for part in own:
        raise ArgumentError(
            f"{part}_data must be left out: images are tuned on folds of those to "
            "learn from, and tested on some of them or on those that stand apart"
        )
