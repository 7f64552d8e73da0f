"""From a table in order of time to a tested forecast, in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.files.network_codec import unfilled
from thalweg.forecasting.baselines import ForecastBaseline, baselines
from thalweg.forecasting.fingerprint import noted, require_same_series
from thalweg.forecasting.model import ForecastModel
from thalweg.forecasting.network import build
from thalweg.forecasting.prepare import PreparedSeries, prepare
from thalweg.forecasting.scores import ForecastErrors
from thalweg.forecasting.settings import ForecastSettings
from thalweg.kinds.fit import RunContext, train_network
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.scores import Metrics, finite
from thalweg.model.history import History
from thalweg.network import Network
from thalweg.tables.read import read
from thalweg.tabular.fingerprints import fingerprint
from thalweg.tabular.model import USUAL
from thalweg.training.callbacks import AfterEpoch, Callback
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.curves import CurveReading, read_curves
from thalweg.training.execution import Execution
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store


@dataclass(frozen=True)
class TrainedForecast:
    """A tested network for a series, and how it came about.

    Arguments:
        model: the network with its series; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the series, its windows, and how they were split.
        test: metrics on times that were never used, all times ahead together.
        baselines: the same metrics on the same windows for ``last value``, the season
            before where there is one, and ``linear autoregression``.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
        errors: what the network got wrong of the test; ``by_horizon`` has the metrics
            at each time ahead.
        others: what the baselines got wrong of it, and the time that each took.

    Example:
        >>> import thalweg as tw
        >>> trained = tw.train(
        ...     *("examples/bikes.csv", "bikers"),
        ...     **{"time": "time", "history": 24, "ahead": 3, "epochs": 2},
        ... )
        >>> list(trained.baselines)
        ['last value', 'season before (168 rows)', 'linear autoregression']
        >>> len(trained.errors.by_horizon["rmse"])
        3
    """

    model: ForecastModel
    history: History
    prepared: PreparedSeries
    test: Metrics
    baselines: dict[str, Metrics]
    reading: CurveReading
    notes: tuple[str, ...]
    diverged: str
    errors: ForecastErrors
    others: tuple[ForecastBaseline, ...]


Announce = Callable[[PreparedSeries, Network], object]


def learn(
    source: Any,
    target: str,
    settings: ForecastSettings,
    callback: AfterEpoch | None = None,
    announce: Announce | None = None,
    execution: Execution = USUAL,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    resumed: tuple[Store, Saved[Network]] | None = None,
    own: Sources = NO_SOURCES,
) -> TrainedForecast:
    """Read, put in order, split, train, and test once on the last times.

    Arguments:
        source: a file's path, a frame of pandas, polars or pyarrow, or a table that
            was read.
        target: the column to forecast.
        settings: how.
        callback: called after every epoch.
        announce: called with what was found in the series, and the network, before
            training starts.
        execution: what runs the network, and on how many threads; the saved file is
            the same for any number of them.
        callbacks: objects that follow the run.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
        own: must be empty: a series is split by its times.

    Raises:
        FileError, DataError: the table can't be used.
        ArgumentError: a setting can't be used with this table.
        DivergenceError: the loss became NaN or infinite in the first epoch.
    """
    require_no_own(own)
    table = read(source, settings.dialect)
    data = fingerprint(table)
    if resumed is not None:
        require_same_series(resumed[1], table, data)
    if checkpoint is not None:
        checkpoint = noted(checkpoint, table, target, settings, data)
    parts = prepare(table, target, settings)
    network = build(parts.inputs, settings) if resumed is None else resumed[1].network
    if resumed is None:
        require_savable(network, parts, settings)
    if announce is not None:
        announce(parts, network)
    context = RunContext(callback, callbacks, execution, checkpoint, resumed)
    diverged = train_network(network, parts, settings, context)
    return tested(network, parts, settings, data, diverged, execution)


def require_no_own(own: Mapping[str, Any]) -> None:
    """No tables of one's own are given beside.

    Raises:
        ArgumentError: one is.
    """
    for part in own:
        raise ArgumentError(
            f"{part}_data must be left out with history and ahead: a series is split "
            "by its times; thalweg evaluate scores a model on another table"
        )


def model_of(
    network: Network, parts: PreparedSeries, settings: ForecastSettings
) -> ForecastModel:
    """The network with what it needs to read tables."""
    column, step = parts.order.column, parts.order.step
    return ForecastModel(network, parts.inputs, column, step, dialect=settings.dialect)


def require_savable(
    network: Network, parts: PreparedSeries, settings: ForecastSettings
) -> None:
    """See before hours of training that there can be a file of what comes of it.

    Raises:
        DataError: a size is beyond what a file may have.
    """
    inputs = parts.inputs
    same = unfilled(network, (inputs.history, inputs.width))
    results = {"settings": settings.to_dict()}
    try:
        replace(model_of(same, parts, settings), results=results).require_savable()
    except ModelFileError as error:
        raise DataError(
            f"{parts.table.name}: a model of this series couldn't be saved: {error}"
        ) from error


# The test -----------------------------------------------------------------------------


def tested(
    network: Network,
    parts: PreparedSeries,
    settings: ForecastSettings,
    data: dict[str, Any],
    diverged: str,
    execution: Execution,
) -> TrainedForecast:
    """Score the test windows once, beside what the network has to beat."""
    model = model_of(network, parts, settings)
    learned = np.concatenate([*model.outputs(parts.test.X, execution)])
    errors = ForecastErrors(
        parts.test.truth, parts.inputs.decoded(learned, parts.test_last)
    )
    metrics = errors.every_metric
    others = baselines(parts)
    scores = {each.name: each.errors.every_metric for each in others}
    said = (f"{each.name}: {each.note}" for each in others if each.note)
    notes = (*longer_season(parts), *said)
    reading = read_curves(network.history, mean_loss(network, parts))
    horizons = {"network": errors, **{each.name: each.errors for each in others}}
    results: dict[str, Any] = {
        "test": finite(metrics),
        "test_rows": len(parts.test.X),
        "baselines": {name: finite(each) for name, each in scores.items()},
        "by_horizon": {name: by_horizon(each) for name, each in horizons.items()},
        "season": parts.season,
        "compared_by": parts.deciding.to_dict(()),
        "notes": list(notes),
        "reading": reading.text,
        "settings": settings.to_dict(),
        "data": data,
    }
    return TrainedForecast(
        replace(model, results=results),
        network.history,
        parts,
        metrics,
        scores,
        reading,
        notes,
        diverged,
        errors,
        tuple(others),
    )


def by_horizon(errors: ForecastErrors) -> dict[str, list[float | None]]:
    """The metrics at each time ahead, as JSON can hold them."""
    every = errors.by_horizon
    return {
        name: [finite({name: each})[name] for each in values]
        for name, values in every.items()
    }


def mean_loss(network: Network, parts: PreparedSeries) -> float:
    """The validation loss of the training windows' mean, whatever the history."""
    training, validation, loss = parts.training, parts.validation, network.loss
    assert loss is not None
    mean = np.average(training.y.mean(axis=1), weights=training.weights)
    guess = np.full(validation.y.shape, mean)
    losses = np.asarray(loss.per_row(guess, validation.y))
    return float(np.average(losses, weights=validation.weights))


def longer_season(parts: PreparedSeries) -> tuple[str, ...]:
    """A sentence where the history is shorter than the season; mostly nothing."""
    season, history = parts.season, parts.inputs.history
    if season is None or season <= history:
        return ()
    return (
        f"the training rows repeat best after {counted(season, 'row')}, but a history "
        f"has {history:,}: one of {season:,} would show the network a whole season",
    )
