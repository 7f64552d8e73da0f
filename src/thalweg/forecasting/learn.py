"""Series as a kind of data: how what comes next is learned, and tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thalweg.files.modelfile import Content
from thalweg.forecasting.baselines import ForecastBaseline, baselines
from thalweg.forecasting.model import ForecastModel, model_from
from thalweg.forecasting.network import build
from thalweg.forecasting.prepare import PreparedSeries, prepare
from thalweg.forecasting.scores import ForecastErrors
from thalweg.forecasting.settings import ForecastSettings
from thalweg.kinds.baseline import notes_of
from thalweg.kinds.kind import Tested
from thalweg.kinds.scores import finite
from thalweg.kinds.trained import TrainedModel
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.tabular.from_tables import FromTables
from thalweg.tabular.own import ReadTable
from thalweg.training.checkpoint import SERIES as SERIES_NOTE
from thalweg.training.execution import Execution
from thalweg.words import counted


@dataclass(frozen=True)
class TrainedForecast(TrainedModel[ForecastModel, PreparedSeries]):
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

    errors: ForecastErrors
    others: tuple[ForecastBaseline, ...]


class SeriesKind(
    FromTables[ForecastSettings, PreparedSeries, ForecastModel, TrainedForecast]
):
    """A table in order of time, of which what comes next is forecast."""

    name, note = "forecast", SERIES_NOTE
    what = "a forecast"
    why_no_own = (
        "a series is split by its times; thalweg evaluate scores a model on another "
        "table"
    )
    settings, trained = ForecastSettings, TrainedForecast

    def prepare(
        self, found: ReadTable, target: str, settings: ForecastSettings
    ) -> PreparedSeries:
        """See `Kind`."""
        return prepare(found.table, target, settings)

    def build(self, parts: PreparedSeries, settings: ForecastSettings) -> Network:
        """See `Kind`."""
        return build(parts.inputs, settings)

    def shape(self, parts: PreparedSeries, settings: ForecastSettings) -> Shape:
        """See `Kind`."""
        return (parts.inputs.history, parts.inputs.width)

    def model(
        self, network: Network, parts: PreparedSeries, settings: ForecastSettings
    ) -> ForecastModel:
        """See `Kind`."""
        known = parts.inputs, parts.order.column, parts.order.step
        return ForecastModel(network, *known, dialect=settings.dialect)

    def is_of(self, model: ForecastModel, parts: PreparedSeries) -> bool:
        """See `Kind`."""
        return parts.inputs == model.inputs

    def tested(
        self,
        model: ForecastModel,
        parts: PreparedSeries,
        settings: ForecastSettings,
        execution: Execution,
    ) -> Tested:
        """Score the test windows beside simple forecasts."""
        learned = np.concatenate([*model.outputs(parts.test.X, execution)])
        forecasts = parts.inputs.decoded(learned, parts.test_last)
        errors, others = ForecastErrors(parts.test.truth, forecasts), baselines(parts)
        horizons = {"network": errors, **{each.name: each.errors for each in others}}
        return Tested(
            errors.every_metric,
            {each.name: each.errors.every_metric for each in others},
            (*longer_season(parts), *notes_of(others)),
            {
                "by_horizon": {name: by_horizon(h) for name, h in horizons.items()},
                "season": parts.season,
            },
            {"errors": errors, "others": tuple(others)},
        )

    def model_from(self, content: Content) -> ForecastModel:
        """See `Kind`."""
        return model_from(content)


def by_horizon(errors: ForecastErrors) -> dict[str, list[float | None]]:
    """The metrics at each time ahead, as JSON can hold them."""
    every = errors.by_horizon
    return {
        name: [finite({name: each})[name] for each in values]
        for name, values in every.items()
    }


def longer_season(parts: PreparedSeries) -> tuple[str, ...]:
    """A sentence where the history is shorter than the season; mostly nothing."""
    season, history = parts.season, parts.inputs.history
    if season is None or season <= history:
        return ()
    return (
        f"the training rows repeat best after {counted(season, 'row')}, but a history "
        f"has {history:,}: one of {season:,} would show the network a whole season",
    )


SERIES = SeriesKind()
