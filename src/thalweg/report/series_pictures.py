"""The pictures of series and sequences in a report, each from numbers of the run."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from thalweg.figures.learning_curves import FEW_EPOCHS
from thalweg.figures.style import BLUE, GRAY, GREEN, SERIES, VERMILION
from thalweg.kinds.bootstrap import Interval
from thalweg.report.pictures import legend_above, new_axes, short

FEW = FEW_EPOCHS
"""Points of so few are marked, as lines alone would hardly be seen."""

CAME: dict[str, Any] = {**SERIES[0], "linewidth": 1.4}
FORECAST: dict[str, Any] = {**SERIES[1], "linewidth": 1.4}
MOST_NAMED = 8
"""Of the places of a cycle along an axis."""


def error_ahead(found: Mapping[str, Sequence[float]], metric: str) -> Figure:
    """The error of each model by how far ahead it forecasts; the network is first."""
    figure, axes = new_axes()
    looks = [(BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (GRAY, ":")]
    for place, (name, values) in enumerate(found.items()):
        color, line = looks[min(place, len(looks) - 1)]
        marker = "o" if len(values) <= FEW else None
        horizons = np.arange(1, len(values) + 1)
        axes.plot(
            horizons,
            values,
            color=color,
            linestyle=line,
            marker=marker,
            markersize=4,
            label=short(name),
        )
    axes.set_xlabel("times ahead")
    axes.set_ylabel(metric)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend_above(axes)
    return figure


def forecast_and_truth(
    truth: NDArray[Any], predicted: NDArray[Any], target: str
) -> Figure:
    """What was forecast of each time, and what came."""
    figure, axes = new_axes()
    times = np.arange(1, len(truth) + 1)
    marker = "o" if len(truth) <= FEW else None
    axes.plot(times, truth, label="came", marker=marker, markersize=3, **CAME)
    axes.plot(
        times, predicted, label="forecast", marker=marker, markersize=3, **FORECAST
    )
    axes.set_xlabel("times of the test that are drawn")
    axes.set_ylabel(short(target))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    legend_above(axes)
    return figure


def window(
    before: NDArray[Any], truth: NDArray[Any], predicted: NDArray[Any], target: str
) -> Figure:
    """The last of a history, then what came and what was forecast."""
    figure, axes = new_axes(2.8)
    back, ahead = np.arange(1 - len(before), 1), np.arange(1, len(truth) + 1)
    came = np.concatenate([before, truth])
    axes.plot(np.concatenate([back, ahead]), came, label="came", **CAME)
    mark: dict[str, Any] = {"marker": "o", "markersize": 3.5}
    axes.plot(ahead, predicted, label="forecast", **mark, **FORECAST)
    axes.axvline(0, color=GRAY, linestyle=":", linewidth=1.2)
    axes.set_xlabel("rows ahead of the last that was known")
    axes.set_ylabel(short(target))
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    legend_above(axes)
    return figure


def residuals_by_place(
    names: Sequence[str], means: Sequence[float], errors: Sequence[float]
) -> Figure:
    """The mean residual and the error at each place of a cycle."""
    figure, axes = new_axes()
    places = np.arange(len(names))
    axes.axhline(0, color=GRAY, linestyle=":", linewidth=1.2)
    axes.plot(places, means, label="mean residual", marker="o", markersize=4, **CAME)
    axes.plot(places, errors, label="rmse", marker="s", markersize=4, **FORECAST)
    every = -(-len(names) // MOST_NAMED)
    axes.set_xticks(places[::every], [*names][::every])
    axes.set_ylabel("in the target's unit")
    legend_above(axes)
    return figure


def metric_by_length(
    metric: str, points: Sequence[tuple[float, float, Interval]]
) -> Figure:
    """A metric of sequences in groups by length, with its interval."""
    figure, axes = new_axes()
    lengths = [length for length, _, _ in points]
    values = [value for _, value, _ in points]
    found = np.array(values)
    low, high = (
        np.array([getattr(each, end) for *_, each in points]) for end in ("low", "high")
    )
    axes.errorbar(
        lengths,
        values,
        yerr=np.maximum([found - low, high - found], 0),
        color=BLUE,
        marker="o",
        markersize=5,
        elinewidth=1.2,
        capsize=2.5,
    )
    axes.set_xlabel("mean length of the group, in rows")
    axes.set_ylabel(metric)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    return figure


def sequence(columns: Mapping[str, NDArray[Any]], order: str) -> Figure:
    """Some columns of a sequence, row after row."""
    figure, axes = new_axes(2.8)
    for look, (name, values) in zip(SERIES, columns.items(), strict=False):
        marker = "o" if len(values) <= FEW else None
        axes.plot(
            np.arange(1, len(values) + 1),
            values,
            label=short(name),
            marker=marker,
            markersize=3.5,
            color=look["color"],
            linestyle=look["linestyle"],
            linewidth=1.4,
        )
    axes.set_xlabel(f"row, by {short(order)}" if order else "row")
    axes.set_ylabel("standard deviations")
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
    legend_above(axes)
    return figure
