"""What a series is, how far off forecasts of it are, and when."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import numpy as np

from thalweg.report import series_pictures
from thalweg.report.about_table import columns_blocks, size_facts
from thalweg.report.blocks import (
    Block,
    Facts,
    Grid,
    Paragraph,
    Picture,
    Pictures,
    Section,
)
from thalweg.report.evaluation import mapping
from thalweg.report.forecast_evaluation import EvaluatedSeries, ForecastEvaluation
from thalweg.report.formatting import cut, number
from thalweg.report.svg import svg
from thalweg.series.calendars import PHASES, WORDS
from thalweg.series.order import cell
from thalweg.words import counted, listed

METRIC = "rmse"
MOST_HORIZONS = 48  # in the table
MOST_MODELS = 8
MOST_TIMES = 168
"""Of the test that are drawn: more couldn't be told apart."""

MOST_WINDOWS = 4
FEWEST_OF_PLACE = 3
"""Known truths at a place of the calendar; of fewer nothing can be said."""

PARTS = {"day": 24, "week": 7, "year": 12}
PLACES = {
    "day": [f"{hour}:00" for hour in range(24)],
    "week": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "year": [f"{part + 1}/12" for part in range(12)],
}
"""Into how many places a cycle of the calendar is cut, and what they are called."""


def series_section(evaluation: ForecastEvaluation) -> Section:
    """The times, how far it looks, and what each column became."""
    model, rows = evaluation.model, evaluation.rows
    inputs = model.inputs
    learned = "changes from the last value" if inputs.relative else "values"
    calendar = ", ".join(inputs.cycles) or "nothing"
    known = cut(listed(inputs.known, 40), 2_000) if inputs.known else "nothing"
    pairs = [
        *size_facts(evaluation),
        ("Times", f"{cut(model.time.name)}, {model.step} apart"),
        ("History", counted(inputs.history, "row")),
        ("Ahead", counted(inputs.ahead, "row")),
        ("Learned", f"{learned} of {cut(model.target)}"),
        ("Calendar", f"{calendar}, as sine and cosine, known of the times ahead"),
        ("Known ahead", known),
        ("At a time", cut(listed(inputs.names(model.time.name), 40), 2_000)),
    ]
    report = None if rows is None else rows.prepared.report
    blocks: list[Block] = [Facts(pairs), *columns_blocks(inputs.encoder, report)]
    return Section("series", "The series, and what was done to each column", blocks)


def split_section(rows: EvaluatedSeries) -> Section:
    """Which times each part has, and how many windows."""
    parts = rows.prepared
    ends = [0, *parts.cuts, len(parts.order)]
    uses = "learned from", "chose the best epoch", "scored once, after training"
    every = parts.training, parts.validation, parts.test
    grid: list[Sequence[str]] = []
    for place, name in enumerate(("training", "validation", "test")):
        start, stop = ends[place], ends[place + 1]
        first, last = time_at(rows, start), time_at(rows, stop - 1)
        sizes = f"{stop - start:,}", f"{len(every[place].X):,}"
        grid.append([name, uses[place], first, last, *sizes])
    heads = ["Part", "What for", "First time", "Last time", "Times", "Windows"]
    text = (
        "Parts are cut in the order of time. A window is of the part that all its "
        "times ahead lie in; its history may reach back into the part before."
    )
    notes = [Paragraph(cut(note, 300), note=True) for note in parts.notes]
    blocks: list[Block] = [Paragraph(text), Grid("The parts", heads, grid, 4), *notes]
    return Section("split", "The split", blocks)


def time_at(rows: EvaluatedSeries, place: int) -> str:
    """A time of the series, as the table has it."""
    order = rows.prepared.order
    return cut(cell(rows.prepared.table, order.column.name, int(order.rows[place])), 40)


# How far ahead ------------------------------------------------------------------------


def by_horizon(evaluation: ForecastEvaluation) -> dict[str, list[float]]:
    """The error at each time ahead, by the model's name, as it was recorded."""
    ahead = evaluation.model.inputs.ahead
    found: dict[str, list[float]] = {}
    for name, metrics in evaluation.recorded("by_horizon").items():
        values = mapping(metrics).get(METRIC)
        if isinstance(values, list) and len(values) == ahead:  # pyright: ignore[reportUnknownArgumentType]
            every = cast("list[Any]", values)
            if all(type(each) in (int, float) for each in every):
                found[name] = [float(each) for each in every]
    return dict([*found.items()][:MOST_MODELS])


def horizon_section(evaluation: ForecastEvaluation) -> Section:
    """The error at each time ahead, beside other models."""
    found, ahead = by_horizon(evaluation), evaluation.model.inputs.ahead
    if not found:
        return Section("horizons", "How far ahead", [])
    every = [value for values in found.values() for value in values]
    drawing = svg("horizons", lambda: series_pictures.error_ahead(found, METRIC), every)
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


# The test period ----------------------------------------------------------------------


def period_section(rows: EvaluatedSeries) -> Section:
    """Forecasts at some times ahead against what came."""
    parts, ahead = rows.prepared, rows.prepared.ahead
    chosen = sorted({1, (ahead + 1) // 2, ahead})
    windows = min(len(parts.test.X), MOST_TIMES)
    shown = [period_picture(rows, horizon, windows) for horizon in chosen]
    some = (
        f" Drawn are the last {windows:,} of {counted(len(parts.test.X), 'window')}."
        if windows < len(parts.test.X)
        else ""
    )
    text = (
        f"What came, and what was forecast of it {listed_horizons(chosen)} before, at "
        f"each time of the test.{some}"
    )
    return Section("period", "The test period", [Paragraph(text), Pictures(shown)])


def listed_horizons(chosen: Sequence[int]) -> str:
    """Some times ahead in words.

    >>> listed_horizons([1, 6, 12])
    '1, 6 and 12 rows'
    """
    every = [f"{each:,}" for each in chosen]
    said = " and ".join([", ".join(every[:-1]), every[-1]]) if every[1:] else every[0]
    return f"{said} {'row' if said == '1' else 'rows'}"


def period_picture(rows: EvaluatedSeries, horizon: int, windows: int) -> Picture:
    """What was forecast so far ahead, the last windows of the test."""
    parts = rows.prepared
    truth = rows.errors.truth[-windows:, horizon - 1]
    said = rows.errors.predicted[-windows:, horizon - 1]
    places = parts.test_origins[-windows:] + horizon
    first, last = (time_at(rows, int(places[end])) for end in (0, -1))
    target = cut(parts.targets.name, 40)
    plot = partial(series_pictures.forecast_and_truth, truth, said, target)
    known = np.concatenate([truth[~np.isnan(truth)], said])
    drawing = svg(f"period-{horizon}", plot, known)
    rmse = rows.errors.by_horizon[METRIC][horizon - 1]
    how = f"{counted(horizon, 'row')} ahead, from {first} to {last}"
    caption = f"{how}: what came solid, the forecast dashed."
    told = f"Forecasts {how}, from {number(float(said.min()))} to "
    told += f"{number(float(said.max()))}; {METRIC} {number(rmse)} in all of the test."
    return Picture(drawing, caption, told)


# When it is wrong ---------------------------------------------------------------------


def calendar_section(rows: EvaluatedSeries) -> Section | None:
    """How far off forecasts are by where in the calendar they are; None without one."""
    blocks: list[Block] = []
    for cycle in rows.prepared.inputs.cycles:
        found = by_place(rows, cycle)
        if len(found) > 1:
            blocks += cycle_blocks(rows, cycle, found)
    if not blocks:
        return None
    text = (
        "Of all forecasts of the test, by the time that they are of: what came less "
        "what was forecast. A mean far from 0 is a habit that the network didn't learn."
    )
    return Section("calendar", "When it is wrong", [Paragraph(text), *blocks])


def by_place(rows: EvaluatedSeries, cycle: str) -> list[tuple[str, float, float, int]]:
    """Of each place in a cycle its name, mean residual, rmse, and how many there are.

    Arguments:
        rows: the test.
        cycle: ``day``, ``week`` or ``year``.
    """
    parts, errors = rows.prepared, rows.errors
    phases = PHASES[cycle](parts.order.moments).cast(float).to_numpy()
    # Rounded first: 7:00 is 6.999… of 24 hours.
    of_time = np.floor(np.round(phases * PARTS[cycle], 6)).astype(int) % PARTS[cycle]
    times = parts.test_origins[:, None] + 1 + np.arange(parts.ahead)
    residuals, known = errors.truth - errors.predicted, ~np.isnan(errors.truth)
    at, wrong = of_time[times][known], residuals[known]
    found: list[tuple[str, float, float, int]] = []
    for place, name in enumerate(PLACES[cycle]):
        own = wrong[at == place]
        if len(own) >= FEWEST_OF_PLACE:
            rmse = float(np.sqrt(np.mean(np.square(own))))
            found.append((name, float(own.mean()), rmse, len(own)))
    return found


def cycle_blocks(
    rows: EvaluatedSeries, cycle: str, found: Sequence[tuple[str, float, float, int]]
) -> list[Block]:
    """A cycle as a picture and in numbers."""
    names = [name for name, *_ in found]
    means, errors = [mean for _, mean, _, _ in found], [rmse for _, _, rmse, _ in found]
    plot = partial(series_pictures.residuals_by_place, names, means, errors)
    drawing = svg(f"calendar-{cycle}", plot, [*means, *errors])
    word = WORDS[cycle]
    caption = f"By {word}: the mean residual solid, {METRIC} dashed."
    worst = max(found, key=lambda each: each[2])
    told = f"{caption} It is largest, {number(worst[2])}, at {worst[0]}."
    grid = [
        [name, number(mean), number(rmse), f"{count:,}"]
        for name, mean, rmse, count in found
    ]
    heads = [word.capitalize(), "Mean residual", METRIC, "Forecasts"]
    label = f"Residuals of {cut(rows.prepared.targets.name)} by {word}"
    return [Pictures([Picture(drawing, caption, told)]), Grid(label, heads, grid)]


# The worst ----------------------------------------------------------------------------


def worst_section(rows: EvaluatedSeries) -> Section:
    """The windows that are furthest off, with what came before."""
    chosen = worst_windows(rows)
    errors = window_errors(rows)
    shown = [worst_picture(rows, window, place) for place, window in enumerate(chosen)]
    origins = rows.prepared.test_origins
    grid = [
        [
            time_at(rows, int(origins[window]) + 1),
            time_at(rows, int(origins[window]) + rows.prepared.ahead),
            number(float(errors[window])),
        ]
        for window in chosen
    ]
    text = (
        "Look here for mistakes in the table, and for what the columns don't tell. "
        "Windows that overlap a worse one are left out."
    )
    blocks: list[Block] = [
        Paragraph(text),
        Pictures(shown),
        Grid("The windows that are furthest off", ["From", "To", METRIC], grid, 2),
    ]
    return Section("worst", "The windows it got most wrong", blocks)


def window_errors(rows: EvaluatedSeries) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The root mean squared error of each window; −1 where no truth is known."""
    known = ~np.isnan(rows.errors.truth)
    wrong = np.where(known, rows.errors.truth - rows.errors.predicted, 0.0)
    counts = known.sum(axis=1)
    means = np.square(wrong).sum(axis=1) / np.maximum(counts, 1)
    return np.where(counts > 0, np.sqrt(means), -1.0)


def worst_windows(rows: EvaluatedSeries) -> list[int]:
    """Those with the largest error, no two of which have a time ahead in common."""
    errors, ahead = window_errors(rows), rows.prepared.ahead
    found: list[int] = []
    for window in np.argsort(-errors, kind="stable").tolist():
        if errors[window] < 0 or len(found) == MOST_WINDOWS:
            break
        if all(abs(window - other) >= ahead for other in found):
            found.append(window)
    return found


def worst_picture(rows: EvaluatedSeries, window: int, place: int) -> Picture:
    """A window: the last of its history, what came, and what was forecast."""
    parts, ahead = rows.prepared, rows.prepared.ahead
    origin = int(parts.test_origins[window])
    back = min(parts.inputs.history, 3 * ahead + 1, origin + 1)
    before = parts.values[origin + 1 - back : origin + 1]
    truth, said = rows.errors.truth[window], rows.errors.predicted[window]
    target = cut(parts.targets.name, 40)
    plot = partial(series_pictures.window, before, truth, said, target)
    known = np.concatenate([before, truth[~np.isnan(truth)], said])
    drawing = svg(f"worst-{place}", plot, known)
    when = f"from {time_at(rows, origin + 1)} to {time_at(rows, origin + ahead)}"
    caption = f"{when[:1].upper()}{when[1:]}: what came solid, the forecast dashed."
    told = f"A history of {counted(back, 'row')}, then the times {when}: forecast "
    told += f"{number(float(said[0]))} to {number(float(said[-1]))}, came "
    told += f"{came(truth[0])} to {came(truth[-1])}."
    return Picture(drawing, caption, told)


def came(value: Any) -> str:
    """What came; it may not be known."""
    return "what isn't known" if np.isnan(value) else number(float(value))
