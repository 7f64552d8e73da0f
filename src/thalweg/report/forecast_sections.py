"""The sections of a report on a forecast, of what its model holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from thalweg.errors import ArgumentError
from thalweg.forecasting.learn import TrainedForecast
from thalweg.forecasting.model import ForecastModel
from thalweg.forecasting.settings import ForecastSettings
from thalweg.kinds.own import Sources
from thalweg.report import pictures
from thalweg.report.about_scores import (
    recorded_comparison_section,
    recorded_scores_section,
)
from thalweg.report.about_table import MOST_COLUMNS, treatment
from thalweg.report.about_training import training_section
from thalweg.report.blocks import Block, Facts, Grid, Page, Picture, Pictures, Section
from thalweg.report.formatting import cut, number
from thalweg.report.recorded import Recorded
from thalweg.report.repeat import formulas_section, repeated, unknown
from thalweg.report.sections import summary
from thalweg.report.svg import svg
from thalweg.tabular.command import forecast_command
from thalweg.training.execution import Execution
from thalweg.words import counted, listed

METRIC = "rmse"
MOST_HORIZONS = 48  # in the table
MOST_MODELS = 8
NOT_READ = "the report of a forecast doesn't read its table yet"


@dataclass(frozen=True)
class ForecastEvaluation(Recorded):
    """What a model of a series says of itself."""

    model: ForecastModel
    rows: None = None

    @property
    def settings(self) -> ForecastSettings | None:
        """How the network was trained, if that was recorded."""
        recorded = self.results.get("settings")
        if not isinstance(recorded, Mapping):
            return None
        try:
            return ForecastSettings.by_name(cast("Mapping[str, Any]", recorded))
        except (ArgumentError, TypeError, ValueError):
            return None

    @property
    def by_horizon(self) -> dict[str, list[float]]:
        """The error at each time ahead, by the model's name."""
        ahead = self.model.inputs.ahead
        found: dict[str, list[float]] = {}
        for name, metrics in self.recorded("by_horizon").items():
            values = metrics.get(METRIC) if isinstance(metrics, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            if isinstance(values, list) and len(values) == ahead:  # pyright: ignore[reportUnknownArgumentType]
                every = cast("list[Any]", values)
                if all(type(each) in (int, float) for each in every):
                    found[name] = [float(each) for each in every]
        return dict([*found.items()][:MOST_MODELS])


def evaluation_of_forecast(
    model: ForecastModel | TrainedForecast,
    source: Any,
    execution: Execution,
    own: Sources,
) -> ForecastEvaluation:
    """A forecast with what it says of itself.

    Raises:
        ArgumentError: a table is given, which isn't looked at.
    """
    for name in (["data"] if source is not None else []) + [f"{p}_data" for p in own]:
        raise ArgumentError(f"{name} must be left out: {NOT_READ}")
    found = model.model if isinstance(model, TrainedForecast) else model
    return ForecastEvaluation(found, NOT_READ, execution)


def page_of_forecast(evaluation: ForecastEvaluation) -> Page:
    """All that the model says of itself."""
    source = f" from {cut(evaluation.data_name)}" if evaluation.data_name else ""
    test = evaluation.recorded("test")
    windows = "over all times ahead, on windows never used"
    facts = [
        (name, f"{number(test[name])} {windows}") for name in (METRIC,) if name in test
    ]
    return Page(
        f"Forecasting {cut(evaluation.model.target)}{source}",
        "A neural network, what it learned from, and how well it does.",
        [
            summary(evaluation, facts, []),
            series_section(evaluation),
            training_section(evaluation),
            recorded_scores_section(evaluation),
            recorded_comparison_section(evaluation),
            horizon_section(evaluation),
            formulas_section(evaluation),
            repeat_section(evaluation),
        ],
    )


def series_section(evaluation: ForecastEvaluation) -> Section:
    """The times, how far it looks, and what each column became."""
    model = evaluation.model
    inputs, schema = model.inputs, model.inputs.encoder.schema
    encodings = {each.name: each for each in inputs.encoder.encodings}
    rows: list[Sequence[str]] = []
    for column in schema.columns[:MOST_COLUMNS]:
        encoding = encodings.get(column.name)
        rows.append(
            [
                cut(column.name) or "(no name)",
                "set aside" if encoding is None else column.kind,
                cut(column.reason, 200),
                "not used" if encoding is None else cut(treatment(encoding), 400),
                "yes" if column.name in inputs.known else "",
            ]
        )
    learned = "changes from the last value" if inputs.relative else "values"
    calendar = ", ".join(inputs.cycles) or "nothing"
    pairs = [
        ("Times", f"{cut(model.time.name)}, {model.step} apart"),
        ("History", counted(inputs.history, "row")),
        ("Ahead", counted(inputs.ahead, "row")),
        ("Learned", f"{learned} of {cut(model.target)}"),
        ("Calendar", f"{calendar}, as sine and cosine, known of the times ahead"),
        ("At a time", cut(listed(inputs.names(model.time.name), 40), 2_000)),
    ]
    heads = ["Column", "Kind", "Why", "What was done", "Known ahead"]
    caption = "What each column was taken for, by the training times alone"
    blocks: list[Block] = [Facts(pairs), Grid(caption, heads, rows, numbers=5)]
    return Section("series", "The series, and what was done to each column", blocks)


def horizon_section(evaluation: ForecastEvaluation) -> Section:
    """The error at each time ahead, beside other models."""
    found, ahead = evaluation.by_horizon, evaluation.model.inputs.ahead
    if not found:
        return Section("horizons", "How far ahead", [])
    every = [value for values in found.values() for value in values]
    drawing = svg("horizons", lambda: pictures.error_ahead(found, METRIC), every)
    ends = "; ".join(
        f"{cut(name)} from {number(values[0])} to {number(values[-1])}"
        for name, values in found.items()
    )
    caption = f"{METRIC} by how far ahead a forecast is, on windows never used."
    picture = Picture(drawing, caption, f"{METRIC} at 1 to {ahead} ahead: {ends}.")
    chosen = [*range(min(ahead, MOST_HORIZONS))]
    rows = [
        [str(at + 1), *(number(values[at]) for values in found.values())]
        for at in chosen
    ]
    hidden = ahead - len(chosen)
    more = f"; {hidden:,} more aren't listed" if hidden > 0 else ""
    label = f"{METRIC} at each time ahead{more}"
    grid = Grid(label, ["Ahead", *(cut(name) for name in found)], rows)
    return Section("horizons", "How far ahead", [Pictures([picture]), grid])


def repeat_section(evaluation: ForecastEvaluation) -> Section:
    """The command, and how to know the table."""
    settings = evaluation.settings
    if settings is None:
        return unknown()
    source = evaluation.data_name or "TABLE"
    line = forecast_command(source, evaluation.model.target, settings)
    return repeated(evaluation, line, settings.seed, "table")
