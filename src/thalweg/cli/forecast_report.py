"""What ``thalweg train`` prints of a series: times, what learns, and the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thalweg.cli.report import ended_line, layers_line, saved_as
from thalweg.cli.show import Facts, column_table, facts, score_table, show
from thalweg.forecasting.learn import TrainedForecast
from thalweg.forecasting.prepare import PreparedSeries
from thalweg.forecasting.scores import ForecastErrors
from thalweg.network import Network
from thalweg.series.calendars import WORDS
from thalweg.series.order import cell
from thalweg.series.steps import Step
from thalweg.training.progress import figure
from thalweg.words import counted, listed

if TYPE_CHECKING:
    from rich.table import Table as Grid

MOST_HORIZONS = 6
METRIC = "rmse"


ROWS = "windows"  # what a step learns from


def found(parts: PreparedSeries) -> Facts:
    """The table, its times, what is forecast from what, and how they are split."""
    table, order, inputs = parts.table, parts.order, parts.inputs
    size = f"{counted(table.rows, 'row')}, {counted(len(table.columns), 'column')}"
    name = order.column.name
    ends = [cell(table, name, int(order.rows[at])) for at in (0, -1)]
    times = f"{name}, from {ends[0]} to {ends[1]}, {order.step} apart"
    windows = (
        f"{len(parts.training.X):,} to learn from, {len(parts.validation.X):,} to "
        f"choose the best epoch, {len(parts.test.X):,} to test once at the end"
    )
    return [
        ("Table", f"{table.name}: {size}"),
        ("Times", times),
        ("Forecast", forecast_line(parts)),
        ("Columns", column_table(parts.schema)),
        ("Ahead", ahead_line(inputs.known, inputs.cycles)),
        ("Windows", windows),
        *(("Note", note) for note in parts.notes),
    ]


def layers(parts: PreparedSeries, network: Network) -> str:
    """The layers, and the number of parameters."""
    inputs = parts.inputs
    given = f"{counted(inputs.history, 'time')} × {counted(inputs.width, 'number')}"
    return layers_line(given, network, (inputs.history, inputs.width))


def forecast_line(parts: PreparedSeries) -> str:
    """How far it looks back, and how far ahead."""
    inputs, step = parts.inputs, parts.order.step
    back, ahead = (
        f"{counted(each, 'row')}{duration(each, step)}"
        for each in (inputs.history, inputs.ahead)
    )
    what = "; changes from the last value are learned" if inputs.relative else ""
    return f"{parts.targets.name}, {ahead} ahead of a history of {back}{what}"


def duration(rows: int, step: Step) -> str:
    """How long so many rows are, where their step has a unit."""
    if step.unit == "numbers":
        return ""
    return f" ({Step(step.unit, rows * step.size)})"


def ahead_line(known: Sequence[str], cycles: Sequence[str]) -> str:
    """What is known of the times ahead."""
    calendar = [WORDS[each] for each in cycles]
    found = ([listed(known)] if known else []) + calendar
    return f"known of the times ahead: {', '.join(found) if found else 'nothing'}"


def plain_facts(parts: PreparedSeries) -> dict[str, Any]:
    """The series, for programs."""
    inputs = parts.inputs
    return {
        "set_aside": [column.name for column in parts.schema.set_aside],
        "step": str(parts.order.step),
        "history": inputs.history,
        "ahead": inputs.ahead,
        "known_ahead": list(inputs.known),
        "calendar": list(inputs.cycles),
        "season": parts.season,
    }


# After --------------------------------------------------------------------------------


def results(
    trained: TrainedForecast,
    saved: Path,
    replaced: bool,
    seconds: float,
    notes: Sequence[str] = (),
) -> None:
    """Scores over all times ahead and at each, the curves in words, and the file."""
    history, parts = trained.history, trained.prepared
    title = f"{counted(len(parts.test.X), 'window')} never used"
    rows = [("network", trained.test), *reversed(trained.baselines.items())]
    every = {"network": trained.errors}
    every |= {each.name: each.errors for each in reversed(trained.others)}
    ended = ended_line(history, seconds)
    show(
        score_table(title, rows),
        horizon_table(every),
        facts(
            [
                ("Curves", trained.reading.text),
                ("Ended", ended),
                ("Skill", skill_line(trained)),
                *(("Note", note) for note in (*trained.notes, *notes)),
                *saved_as(saved, replaced, "RECENT"),
            ]
        ),
    )


def skill_line(trained: TrainedForecast) -> str:
    """How much better the network is than the best of the others, or worse.

    1 − RMSE / RMSE of the best
    """
    scores = {name: found[METRIC] for name, found in trained.baselines.items()}
    best = min(scores, key=lambda name: scores[name])
    mine, other = trained.test[METRIC], scores[best]
    if not other > 0:
        return f"the {best} is without error on these windows"
    of = f"that of the {best}, the best of the others"
    if mine > 2 * other:
        return f"{METRIC} is {mine / other:.3g} times {of}"
    change = 1 - mine / other
    return (
        f"{METRIC} is {abs(change):.1%} {'less' if change >= 0 else 'more'} than {of}"
    )


def horizon_table(every: Mapping[str, ForecastErrors]) -> Grid:
    """The error at some times ahead, a model a row."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as Grid

    ahead = next(iter(every.values())).truth.shape[1]
    chosen = horizons(ahead)
    table = Grid(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(f"{METRIC} at times ahead")
    for horizon in chosen:
        table.add_column(str(horizon), justify="right", no_wrap=True)
    for number, (name, errors) in enumerate(every.items()):
        found = errors.by_horizon[METRIC]
        cells = [figure(found[horizon - 1]) for horizon in chosen]
        table.add_row(name, *cells, style="bold" if number == 0 else "")
    return table


def horizons(ahead: int, most: int = MOST_HORIZONS) -> list[int]:
    """Some times ahead, the first and the last among them.

    >>> horizons(3), horizons(12)
    ([1, 2, 3], [1, 3, 5, 8, 10, 12])
    """
    if ahead <= most:
        return [*range(1, ahead + 1)]
    return [round(1 + k * (ahead - 1) / (most - 1)) for k in range(most)]
