"""The sections of a report on a forecast, in their order."""

from __future__ import annotations

from typing import Any

from thalweg.report.about_scores import (
    recorded_comparison_section,
    recorded_scores_section,
)
from thalweg.report.about_series import (
    METRIC,
    calendar_section,
    horizon_section,
    period_section,
    series_section,
    split_section,
    worst_section,
)
from thalweg.report.about_training import training_section
from thalweg.report.blocks import Page, Section
from thalweg.report.forecast_evaluation import EvaluatedSeries, ForecastEvaluation
from thalweg.report.formatting import cut, number
from thalweg.report.repeat import formulas_section, repeat_section
from thalweg.report.summary import summary

WITHOUT_SERIES = (
    "Without the table there is no split, no test period, nothing by the calendar, and "
    "no windows."
)


def page_of(evaluation: ForecastEvaluation) -> Page:
    """All that can be said of a model of a series."""
    source = f" from {cut(evaluation.data_name)}" if evaluation.data_name else ""
    rows = evaluation.rows
    split, found = ([], []) if rows is None else ([split_section(rows)], seen(rows))
    return Page(
        f"Forecasting {cut(evaluation.model.target)}{source}",
        "A neural network, what it learned from, and how well it does.",
        [
            summary(evaluation, facts(evaluation), WITHOUT_SERIES),
            series_section(evaluation),
            *split,
            training_section(evaluation),
            recorded_scores_section(evaluation, "window"),
            recorded_comparison_section(evaluation),
            horizon_section(evaluation),
            *found,
            formulas_section(evaluation),
            repeat_section(evaluation),
        ],
    )


def seen(rows: EvaluatedSeries) -> list[Section]:
    """What can be said with the table."""
    calendar = calendar_section(rows)
    between = [] if calendar is None else [calendar]
    return [period_section(rows), *between, worst_section(rows)]


def facts(evaluation: ForecastEvaluation) -> list[tuple[str, str]]:
    """The error, and that of the best of the others."""
    test, others = evaluation.recorded("test"), evaluation.recorded("baselines")
    if METRIC not in test:
        return []
    windows = "over all times ahead, on windows never used"
    pairs = [(METRIC, f"{number(test[METRIC])} {windows}")]
    each: dict[str, Any] = {
        name: found.get(METRIC)  # pyright: ignore[reportUnknownMemberType]
        for name, found in others.items()
        if isinstance(found, dict)
    }
    scores = {name: one for name, one in each.items() if isinstance(one, float)}
    if scores:
        best = min(scores, key=lambda name: scores[name])
        said = f"{number(scores[best])}, the best of the others"
        pairs.append(("Compared", f"the {cut(best)} has {said}"))
    return pairs
