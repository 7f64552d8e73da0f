"""The pictures of a report, each from numbers of the run."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, MaxNLocator
from numpy.typing import NDArray

from thalweg.figures.learning_curves import FEW_EPOCHS, Data, Panel, spans_decades
from thalweg.figures.style import (
    BLUE,
    GRAY,
    GREEN,
    GROUND,
    INK,
    TRAINING,
    VALIDATION,
    VERMILION,
    plain_decades,
)
from thalweg.kinds.bootstrap import Interval
from thalweg.kinds.row_errors import NumberErrors
from thalweg.printable import printable
from thalweg.report.importance import Importance
from thalweg.report.reliability import ReliabilityBin
from thalweg.report.svg import SIZE

MOST_POINTS = 600  # of a scatter: more would neither be seen nor fit
NAME_LENGTH = 22
BAR_HEIGHT = 0.22  # inches
LONGEST_LINE = 42  # letters up an axis
LONG_TICK = 9  # letters; there is room for every second one that is longer


def new_axes(height: float = SIZE[1]) -> tuple[Figure, Axes]:
    """An empty figure of the usual width."""
    figure = Figure(figsize=(SIZE[0], height), layout="constrained")
    axes = figure.subplots()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PlainNumbers())
    return figure, axes


class PlainNumbers(Formatter):
    """Ticks as numbers of as many digits as tell them apart, with no offset."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """One number."""
        return f"{x:,.6g}"

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All of an axis."""
        texts = [self(value) for value in values]
        for digits in range(7, 18):
            if len(set(texts)) == len(texts):
                break
            texts = [f"{value:,.{digits}g}" for value in values]
        if max(map(len, texts), default=0) <= LONG_TICK:
            return texts
        return [text if place % 2 else "" for place, text in enumerate(texts)]


def legend_above(axes: Axes, columns: int = 2) -> None:
    """Names of lines above the axes, where they hide nothing."""
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        borderaxespad=0.2,
        borderpad=0,
        columnspacing=1.4,
        handlelength=2.6,
    )


def short(name: str) -> str:
    """A name that leaves room for the drawing; of a long one both ends."""
    line = printable(name)
    if len(line) <= NAME_LENGTH:
        return line
    half = NAME_LENGTH // 2
    return f"{line[:half]}…{line[1 - half :]}"


def curves(data: Data, panel: Panel) -> Figure:
    """One quantity of every epoch, the best epoch and the last."""
    figure, axes = new_axes()
    marker = "o" if data.stopped_epoch <= FEW_EPOCHS else None
    for curve, look in ((panel.training, TRAINING), (panel.validation, VALIDATION)):
        if curve is not None:
            axes.plot(
                curve.x, curve.y, label=curve.label, marker=marker, markersize=4, **look
            )
    if data.best_epoch:
        label = f"best epoch, {data.best_epoch}"
        axes.axvline(
            data.best_epoch, color=GREEN, linestyle=":", linewidth=2, label=label
        )
    axes.axvline(
        data.stopped_epoch,
        color=GRAY,
        linestyle="-.",
        linewidth=1.2,
        label=f"stopped after {data.stopped_epoch}",
    )
    axes.set_xlabel("epoch")
    axes.set_ylabel(textwrap.fill(panel.name, LONGEST_LINE))
    axes.set_xlim(0, 1.04 * data.stopped_epoch)
    axes.xaxis.set_major_locator(
        MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    )
    if spans_decades(panel):
        axes.set_yscale("log")
        plain_decades(axes.yaxis)
    legend_above(axes)
    return figure


def bits_by_place(bits: NDArray[Any], unit: str) -> Figure:
    """How surprising characters are, by how many of a window were seen."""
    figure, axes = new_axes()
    axes.plot(range(1, len(bits) + 1), bits, **TRAINING)
    axes.set_xlabel(f"{unit}s of the window seen")
    axes.set_ylabel(f"bits per {unit}")
    return figure


def metric_by_model(
    metric: str, points: Sequence[tuple[str, float, Interval]]
) -> Figure:
    """A metric of each model, with its interval; the network stands first."""
    figure, axes = new_axes(0.9 + 0.38 * len(points))
    for place, (_, value, interval) in enumerate(points):
        network = place == 0
        axes.plot(
            [interval.low, interval.high],
            [place, place],
            color=BLUE if network else VERMILION,
            linestyle="-" if network else "--",
        )
        axes.plot(
            [value],
            [place],
            "o" if network else "s",
            color=BLUE if network else VERMILION,
            markerfacecolor=BLUE if network else GROUND,
            markersize=8,
        )
    axes.set_yticks(range(len(points)), [name for name, _, _ in points])
    axes.set_ylim(len(points) - 0.5, -0.5)
    axes.set_xlabel(metric)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    return figure


def reliability(
    groups: Sequence[ReliabilityBin], promised: str, seen: str, noun: str
) -> Figure:
    """What came true against what was promised, above how many rows that were."""
    figure = Figure(figsize=(SIZE[0], 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    above.plot(
        [0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1.2, label="as promised"
    )
    draw_groups(above, groups, noun)
    above.set_ylabel(seen)
    above.set_ylim(-0.03, 1.03)
    legend_above(above)
    below.bar(
        [(group.low + group.high) / 2 for group in groups],
        [group.rows for group in groups],
        width=0.08,
        color=BLUE,
    )
    below.set_ylabel(f"{noun}s")
    below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    below.set_xlabel(promised)
    below.set_xlim(-0.03, 1.03)
    return figure


def number_reliability(
    groups: Sequence[ReliabilityBin], target: str, noun: str
) -> Figure:
    """The mean of true numbers against the mean of predictions, group by group."""
    figure, axes = new_axes()
    ends = [each for group in groups for each in (group.promised, group.seen)]
    line = [min(ends), max(ends)]
    axes.plot(
        line, line, color=GRAY, linestyle="--", linewidth=1.2, label="as predicted"
    )
    draw_groups(axes, groups, noun)
    axes.set_xlabel(f"mean prediction of {short(target)}")
    axes.set_ylabel("mean true number")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    legend_above(axes)
    return figure


def draw_groups(axes: Axes, groups: Sequence[ReliabilityBin], noun: str) -> None:
    """A point for each group, with its interval."""
    seen = np.array([group.seen for group in groups])
    low = np.array([group.interval.low for group in groups])
    high = np.array([group.interval.high for group in groups])
    axes.errorbar(
        [group.promised for group in groups],
        seen,
        yerr=np.maximum([seen - low, high - seen], 0),
        color=BLUE,
        marker="o",
        markersize=5,
        elinewidth=1.2,
        capsize=2.5,
        label=f"test {noun}s",
    )


def residual_points(errors: NumberErrors, target: str) -> Figure:
    """How far predictions are off, against the predictions."""
    figure, axes = new_axes()
    shown = drawn_rows(len(errors.truth))
    predicted = errors.predicted[shown]
    axes.axhline(0, color=GRAY, linestyle="--", linewidth=1.2)
    axes.plot(
        predicted,
        errors.truth[shown] - predicted,
        "o",
        color=BLUE,
        markersize=3,
        alpha=0.5,
        markeredgewidth=0,
    )
    axes.set_xlabel(f"prediction of {short(target)}")
    axes.set_ylabel("true − prediction")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    return figure


def residual_counts(errors: NumberErrors, noun: str) -> Figure:
    """How many rows are off by how much."""
    figure, axes = new_axes()
    residuals = errors.truth - errors.predicted
    axes.hist(
        residuals, bins=bins(residuals), color=BLUE, edgecolor=GROUND, linewidth=0.6
    )
    axes.axvline(0, color=GRAY, linestyle="--", linewidth=1.2)
    axes.set_xlabel("true − prediction")
    axes.set_ylabel(f"test {noun}s")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


def bins(values: NDArray[Any]) -> int:
    """As many bars as tell something."""
    return int(np.clip(len(values) ** 0.5, 5, 40))


def drawn_rows(rows: int) -> NDArray[np.int64]:
    """The rows that a scatter shows: all, or some drawn at random."""
    if rows <= MOST_POINTS:
        return np.arange(rows)
    generator = np.random.Generator(np.random.Philox(key=[0, rows]))
    return np.sort(generator.choice(rows, MOST_POINTS, replace=False))


def importance_bars(shown: Sequence[Importance], error: str) -> Figure:
    """How much worse it gets without each column, the most important one first."""
    figure, axes = new_axes(0.9 + BAR_HEIGHT * max(len(shown), 2))
    axes.barh(
        range(len(shown)),
        [each.rise for each in shown],
        xerr=[each.deviation for each in shown],
        color=BLUE,
        height=0.65,
        error_kw={"ecolor": INK, "elinewidth": 1.2, "capsize": 2},
    )
    axes.set_yticks(range(len(shown)), [short(each.column) for each in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.axvline(0, color=GRAY, linewidth=1)
    axes.set_xlabel(f"rise of the {error} when shuffled")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    return figure


def confusion_map(shares: NDArray[Any]) -> Figure:
    """Many classes: the share of each true class that was taken for each."""
    figure, axes = new_axes(4.6)
    classes = len(shares)
    blue = tuple(int(BLUE[i : i + 2], 16) / 255 for i in (1, 3, 5))
    cells = np.empty((classes, classes, 4))
    cells[..., :3] = blue
    cells[..., 3] = shares**0.5  # so that a few rows are seen, too
    edges = (0.5, classes + 0.5, classes + 0.5, 0.5)
    axes.imshow(cells, interpolation="none", aspect="equal", extent=edges)
    axes.set_xlabel("predicted class, by number")
    axes.set_ylabel("true class, by number")
    axes.grid(visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure
