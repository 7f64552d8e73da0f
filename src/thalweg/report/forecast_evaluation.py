"""What is measured on a series for the report of its forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from thalweg.forecasting.baselines import ForecastBaseline
from thalweg.forecasting.learn import SERIES, TrainedForecast
from thalweg.forecasting.model import ForecastModel
from thalweg.forecasting.prepare import PreparedSeries
from thalweg.forecasting.scores import ForecastErrors
from thalweg.forecasting.settings import ForecastSettings
from thalweg.report.evaluation import Evaluation
from thalweg.training.execution import Execution


@dataclass(frozen=True)
class EvaluatedSeries:
    """A series, as it was split for training, and what the network gets wrong.

    Arguments:
        prepared: its windows.
        errors: of the test windows.
        others: what others get wrong of the same.
    """

    prepared: PreparedSeries
    errors: ForecastErrors
    others: tuple[ForecastBaseline, ...]


ForecastEvaluation: TypeAlias = Evaluation[ForecastModel, EvaluatedSeries]


def kept(trained: TrainedForecast, execution: Execution) -> EvaluatedSeries:
    """What a run that is just over got wrong, and others beside it."""
    return EvaluatedSeries(trained.prepared, trained.errors, trained.others)


def measured(
    model: ForecastModel,
    parts: PreparedSeries,
    settings: ForecastSettings,
    execution: Execution,
) -> EvaluatedSeries:
    """The same of a series that was read again."""
    found = SERIES.tested(model, parts, settings, execution).beside
    return EvaluatedSeries(parts, found["errors"], found["others"])
