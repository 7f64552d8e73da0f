"""From whatever a source holds, a table, images or a text, to a tested network.

This file stays light: polars and scikit-learn are imported when there is something to
learn from.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack, cast, overload

import thalweg.defaults as defaults
from thalweg.errors import ArgumentError
from thalweg.images.image_set import ImageData
from thalweg.images.read import is_images
from thalweg.tabular import target_name
from thalweg.tabular.libraries import load_libraries
from thalweg.text import Text, is_text

if TYPE_CHECKING:
    from thalweg.forecasting.learn import TrainedForecast
    from thalweg.forecasting.settings import ForecastTrainSettings
    from thalweg.kinds.own import Sources
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
OF_SEQUENCES = ("sequence", "order")
"""Settings that only sequences have: rows of a table with one of them go together."""
OF_FORECASTS = ("history", "ahead", "known_ahead", "cell", "units")
"""Settings that only a forecast has: a table with one of them is a series."""


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
    load_libraries()
    from thalweg.training.execution import Execution

    how: dict[str, Any] = {
        "callback": callback,
        "callbacks": callbacks,
        "checkpoint": checkpoint,
        "execution": Execution(engine, threads),
    }
    if holds_images(source):
        return on_images(source, target, settings, how)
    if target is None and holds_text(source, settings):
        return on_text(source, settings, how)
    if target is None:
        raise ArgumentError("target must be given: the column of a table to predict")
    if any(settings.get(name) for name in OF_SEQUENCES):
        return on_sequences(source, target, settings, how)
    if any(settings.get(name) for name in OF_FORECASTS):
        return on_series(source, target, settings, how)
    return on_table(source, target, settings, how)


def holds_images(source: Any) -> bool:
    """Whether it is images rather than a table."""
    if isinstance(source, str | os.PathLike):
        return is_images(cast("str | os.PathLike[str]", source))
    return isinstance(source, ImageData)


def on_images(
    source: Any, target: str | None, settings: dict[str, Any], how: dict[str, Any]
) -> TrainedOnImages:
    """Train on images.

    Raises:
        ArgumentError: a target is given, or a setting can't be used.
    """
    from thalweg.vision.learn import learn
    from thalweg.vision.settings import image_settings_from

    if target is not None:
        raise ArgumentError(
            "target must be left out: images' folders or labels say what they show, "
            f"got {target!r}"
        )
    own = taken_out(settings)
    chosen = image_settings_from(settings, beside=(*RUNNING, *OWN))
    return learn(source, chosen, own=own, **how)


def holds_text(source: Any, settings: dict[str, Any]) -> bool:
    """Whether it is a text: its name says so, or a setting that only texts have."""
    if isinstance(source, str | os.PathLike):
        path = cast("str | os.PathLike[str]", source)
        return "unit" in settings or is_text(path)
    return isinstance(source, Text)


def on_text(
    source: Any, settings: dict[str, Any], how: dict[str, Any]
) -> TrainedOnText:
    """Train on a text."""
    from thalweg.language.learn import learn
    from thalweg.language.settings import text_settings_from

    own = taken_out(settings)
    chosen = text_settings_from(settings, beside=(*RUNNING, *OWN))
    return learn(source, chosen, own=own, **how)


def on_table(
    source: Any, target: str, settings: dict[str, Any], how: dict[str, Any]
) -> Trained:
    """Train on a table."""
    from thalweg.tabular.learn import learn
    from thalweg.tabular.settings import settings_from

    own = taken_out(settings)
    chosen = settings_from(settings, beside=(*RUNNING, *OWN))
    return learn(source, target_name(source, target), chosen, own=own, **how)


def on_series(
    source: Any, target: str, settings: dict[str, Any], how: dict[str, Any]
) -> TrainedForecast:
    """Train on a table in order of time, to forecast."""
    from thalweg.forecasting.learn import learn
    from thalweg.forecasting.settings import forecast_settings_from

    own = taken_out(settings)
    chosen = forecast_settings_from(settings, beside=(*RUNNING, *OWN))
    return learn(source, target_name(source, target), chosen, own=own, **how)


def on_sequences(
    source: Any, target: str, settings: dict[str, Any], how: dict[str, Any]
) -> TrainedOnSequences:
    """Train on a table whose rows are sequences."""
    from thalweg.sequences.learn import learn
    from thalweg.sequences.settings import sequence_settings_from

    own = taken_out(settings)
    chosen = sequence_settings_from(settings, beside=(*RUNNING, *OWN))
    return learn(source, target_name(source, target), chosen, own=own, **how)


def taken_out(settings: dict[str, Any]) -> Sources:
    """One's own rows or images, which are no settings.

    Raises:
        ArgumentError: a share is given as well.
    """
    from thalweg.kinds.own import own_sources

    validation_data, test_data = (settings.pop(name, None) for name in OWN)
    return own_sources(validation_data, test_data, settings)
