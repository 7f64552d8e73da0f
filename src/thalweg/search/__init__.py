"""Search: a learning rate by a range test, settings by successive halving.

This file stays light: what needs a table is imported when there is one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, overload

import thalweg.defaults as defaults

if TYPE_CHECKING:
    from thalweg.forecasting.settings import ForecastTrainSettings
    from thalweg.images.image_set import ImageData
    from thalweg.language.settings import TextTrainSettings
    from thalweg.search.tuning import Tuned
    from thalweg.sequences.settings import SequenceTrainSettings
    from thalweg.tabular.settings import TrainSettings
    from thalweg.text import Text
    from thalweg.vision.settings import ImageTrainSettings

    class Searching(TypedDict, total=False):
        """How to search, by name; see `tune`."""

        budget: str | float
        folds: int
        trials: int | None
        sampler: str
        storage: str | None
        folder: str | Path | None
        resume: bool
        threads: int | None

    class OwnData(TypedDict, total=False):
        """What a user has to validate and to test on, by name."""

        validation_data: Any
        test_data: Any

    class OfTable(Searching, OwnData, TrainSettings, total=False):
        """What `tune` takes with a table."""

    class OfImages(Searching, OwnData, ImageTrainSettings, total=False):
        """What `tune` takes with images."""

    class OfText(Searching, OwnData, TextTrainSettings, total=False):
        """What `tune` takes with a text."""

    class OfForecast(Searching, ForecastTrainSettings, total=False):
        """What `tune` takes with a series."""

    class OfSequences(Searching, SequenceTrainSettings, total=False):
        """What `tune` takes with sequences."""


OWN = (
    *("budget", "folds", "trials", "sampler", "storage", "folder", "resume", "threads"),
    *("validation_data", "test_data"),
)


@overload
def tune(source: Any, target: str, **options: Unpack[OfTable]) -> Tuned: ...


@overload
def tune(
    source: Any,
    target: str,
    *,
    time: str,
    history: int | str,
    ahead: int | str,
    **options: Unpack[OfForecast],
) -> Tuned: ...


@overload
def tune(
    source: Any, target: str, *, sequence: str, **options: Unpack[OfSequences]
) -> Tuned: ...


@overload
def tune(
    source: str | os.PathLike[str] | ImageData, **options: Unpack[OfImages]
) -> Tuned: ...


@overload
def tune(source: str | os.PathLike[str] | Text, **options: Unpack[OfText]) -> Tuned: ...


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
    **settings: Any,
) -> Tuned:
    """Find good settings for any data by successive halving, and train with them.

    Settings drawn at random train for a few epochs; a third of them, those with the
    lowest validation losses over the folds, for three times as many; and so on. The
    settings that `train` takes without tuning are tried, too, so what is chosen is
    never worse than they are on the folds. The test rows take no part until the end,
    when the network trained with the chosen settings is scored on them once.

    Folds are of rows, of images, or of whole sequences; of a text they are pieces of
    it. Of a series, and of a table with ``time``, each is scored by a network that
    learned from what came before it: forward chaining.

    Arguments:
        source: a file's path (CSV or Parquet), or a frame of pandas, polars or pyarrow;
            or images or a text, as `train` takes them.
        target: the column of a table to predict; None for images and for a text.
        budget: how long to search, ``30s``, ``5m`` or ``1h``, or seconds. One training
            with what was found comes after.
        folds: how many parts of the training and validation rows are scored, each once.
        trials: how many settings to try at most; None is as many as the budget allows.
        sampler: ``random``, or ``optuna``, which learns from the trials.
        storage: where Optuna keeps its trials, a URL; None is in memory.
        folder: keeps every finished trial.
        resume: go on with the trials in the folder.
        threads: networks trained at once; None for one on each processor.
        validation_data, test_data: data of one's own, as `train` takes it; folds are of
            the rows to train on.
        settings: any field of `Settings`; of images of `ImageSettings`, of a text of
            `TextSettings`, of a series of `ForecastSettings`, of sequences of
            `SequenceSettings`. Those given are kept, and the others that shape training
            are tuned.

    Returns:
        The chosen settings, all trials, and the trained model with its test. With the
        same seed the trials are the same; the budget decides how many there are.
        Ctrl-C ends the search with the best so far.

    Raises:
        FileError, DataError: the data, or the folder, can't be used.
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
    from thalweg.every_kind import kind_for, settings_of
    from thalweg.kinds.own import own_sources
    from thalweg.search.budget import seconds_of
    from thalweg.search.tuning import Request
    from thalweg.search.tuning import tune as search
    from thalweg.tabular import target_name
    from thalweg.training.execution import Execution

    kind = kind_for(source, target, settings)
    base = settings_of(kind, settings, beside=OWN)
    name = None if target is None else target_name(source, target)
    request = Request(
        seconds_of(budget), folds, trials, sampler, storage, folder, resume
    )
    own = own_sources(validation_data, test_data, settings)
    how = base, frozenset(settings), request, Execution(threads=threads)
    return search(kind, source, kind.require_target(name), *how, own=own)
