"""From whatever a source holds, a table, images or a text, to a tested network.

This file stays light: polars and scikit-learn are imported when there is something to
learn from.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack, overload

import thalweg.defaults as defaults
from thalweg.every_kind import kind_for, settings_of
from thalweg.images.image_set import ImageData
from thalweg.kinds.own import Sources, own_sources
from thalweg.tabular import target_name
from thalweg.text import Text

if TYPE_CHECKING:
    from thalweg.forecasting.learn import TrainedForecast
    from thalweg.forecasting.settings import ForecastTrainSettings
    from thalweg.language.learn import TrainedOnText
    from thalweg.language.settings import TextTrainSettings
    from thalweg.sequences.learn import TrainedOnSequences
    from thalweg.sequences.settings import SequenceTrainSettings
    from thalweg.tabular.learn import Trained
    from thalweg.tabular.settings import TrainSettings
    from thalweg.training.callbacks import AfterEpoch, Callback
    from thalweg.training.checkpoint import Checkpoint
    from thalweg.vision.learn import TrainedOnImages
    from thalweg.vision.settings import ImageTrainSettings

RUNNING = ("callback", "callbacks", "checkpoint", "engine", "threads")
OWN = ("validation_data", "test_data")


@overload
def train(
    source: Any,
    target: str,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
    **settings: Unpack[TrainSettings],
) -> Trained: ...


@overload
def train(
    source: Any,
    target: str,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
    time: str,
    history: int | str,
    ahead: int | str,
    **settings: Unpack[ForecastTrainSettings],
) -> TrainedForecast: ...


@overload
def train(
    source: Any,
    target: str,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
    sequence: str,
    **settings: Unpack[SequenceTrainSettings],
) -> TrainedOnSequences: ...


@overload
def train(
    source: str | os.PathLike[str] | ImageData,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
    **settings: Unpack[ImageTrainSettings],
) -> TrainedOnImages: ...


@overload
def train(
    source: str | os.PathLike[str] | Text,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
    validation_data: Any = None,
    test_data: Any = None,
    **settings: Unpack[TextTrainSettings],
) -> TrainedOnText: ...


def train(
    source: Any,
    target: str | None = None,
    *,
    callback: AfterEpoch | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    engine: str = defaults.ENGINE,
    threads: int | None = None,
    **settings: Any,
) -> Trained | TrainedOnImages | TrainedOnText | TrainedForecast | TrainedOnSequences:
    """Train a network on a table, images or a text, and test it on what it never saw.

    With ``time``, ``history`` and ``ahead`` a table is a series, which is forecast;
    with ``sequence`` its rows are sequences, each with a class or a number.

    Arguments:
        source: a table: a file's path (CSV or Parquet), or a frame of pandas, polars or
            pyarrow. Or images: the path of a folder, of IDX files or of an ``.npz``.
            Or a text: a file whose name ends as a text's does (``.txt``, ``.md``),
            without a target; or a `Text`.
        target: the column of a table to predict; None for images, whose folders or
            labels say what they show, and for a text.
        callback: called with an `EpochRecord` after every epoch.
        callbacks: objects that follow the run and may end it; see `Callback`.
        checkpoint: where and how often to write what `resume` goes on from.
        engine: ``native``, or ``interpreter``, which is NumPy.
        threads: at most; None for as many as are fastest. The network is the same
            to the bit for any number.
        validation_data, test_data: tables or images of one's own to choose the epoch
            by, and to test on, as `source`; no rows of that are drawn for it then.
        settings: any field of `Settings`, such as ``layers=(64, 64)`` or ``epochs=50``;
            for images of `ImageSettings`, such as ``filters=(16, 32)``; for a text of
            `TextSettings`, such as ``cell="lstm"``; for a series of `ForecastSettings`,
            such as ``history="7d", ahead="24h"``; for sequences of `SequenceSettings`,
            such as ``sequence="id", order="t"``.

    Returns:
        The trained model with its history, test metrics, baselines, and the learning
        curves read in plain words.

    Raises:
        FileError, DataError: the table or the images can't be used; the message names
            row and column, or the file.
        ArgumentError: a setting can't be used.
        DivergenceError: the loss became NaN or infinite in the first epoch.

    Example:
        >>> import thalweg as tw
        >>> trained = tw.train("examples/penguins.csv", target="species")
        >>> trained.test["accuracy"] > 0.9
        True
    """
    kind = kind_for(source, target, settings)  # it makes room for libraries first
    from thalweg.kinds.learn import learn
    from thalweg.training.execution import Execution

    own = taken_out(settings)
    chosen = settings_of(kind, settings, beside=(*RUNNING, *OWN))
    name = None if target is None else target_name(source, target)
    return learn(
        kind,
        source,
        kind.require_target(name),
        chosen,
        callback=callback,
        callbacks=callbacks,
        checkpoint=checkpoint,
        execution=Execution(engine, threads),
        own=own,
    )


def taken_out(settings: dict[str, Any]) -> Sources:
    """One's own rows or images, which are no settings.

    Raises:
        ArgumentError: a share is given as well.
    """
    validation_data, test_data = (settings.pop(name, None) for name in OWN)
    return own_sources(validation_data, test_data, settings)
