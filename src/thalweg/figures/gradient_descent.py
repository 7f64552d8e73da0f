"""Gradient descent in one dimension: the loss along a perceptron's weight."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.descent import Path, descend, loss_surface_of
from thalweg.figures.runs import Curve
from thalweg.figures.samples import Sample, diabetes
from thalweg.figures.style import BLUE, GRAY, VERMILION, legible, new_figure

BODY_MASS_INDEX = 2
REACH = 0.45
ROOM = 0.9  # left of the curve, for words
PROBLEM = ("identity", "mean_squared_error")


@dataclass(frozen=True)
class Settings:
    """Where to start, how far to step, and the piece of the loss to draw."""

    start: tuple[float, float] = (-0.6, 0.0)
    rates: tuple[float, ...] = (0.05, 0.3, 0.9, 1.05)
    steps: int = 8
    lowest: float = -2.1
    highest: float = 3.1
    points: int = 129


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    loss: Curve
    slope: float
    tangent: Curve
    lowest_weight: float
    paths: list[Path]
    readings: list[str]


def run(settings: Settings | None = None) -> Data:
    """Descend from the same start at every learning rate."""
    chosen = settings or Settings()
    rows = one_measurement()
    surface = loss_surface_of(rows, *PROBLEM)
    weights = np.linspace(chosen.lowest, chosen.highest, chosen.points).tolist()
    paths = [
        descend(rows, *PROBLEM, chosen.start, rate, chosen.steps)
        for rate in chosen.rates
    ]
    # The loss is a parabola in the weight: its lowest point solves the equations.
    lowest = float(np.linalg.lstsq(rows.X, rows.y, rcond=None)[0][0])
    first = paths[0]
    slope = (first.weight[0] - first.weight[1]) / first.learning_rate
    return Data(
        "Each step goes down the slope: weight ← weight − learning rate · slope",
        f"{rows.source}; body mass index predicts progression, both standardized",
        [],
        Curve("loss", weights, [surface(w, chosen.start[1]) for w in weights]),
        slope,
        tangent_at(first, slope),
        lowest,
        paths,
        [reading(path, lowest) for path in paths],
    )


def tangent_at(path: Path, slope: float) -> Curve:
    """A piece of the line that has the loss's slope at the start."""
    ends = (-REACH, REACH)
    weights = [path.weight[0] + end for end in ends]
    return Curve("slope", weights, [path.loss[0] + slope * end for end in ends])


def one_measurement() -> Sample:
    """Standardized, so that the bias has no slope at 0 and stays there."""
    rows = diabetes().standardized().standardized_target()
    return Sample(rows.X[:, [BODY_MASS_INDEX]], rows.y, rows.source)


def reading(path: Path, lowest: float) -> str:
    """What a path shows, in a few words."""
    distances = [weight - lowest for weight in path.weight]
    first, last = abs(distances[0]), abs(distances[-1])
    crosses = any(a * b < 0 for a, b in pairwise(distances))
    if last > first:
        return "each step overshoots further: diverges"
    way = f"{int(100 * (1 - last / first))}% of the way"
    return (
        f"leaps across the valley, {way}"
        if crosses
        else f"{way} in {len(distances) - 1} steps"
    )


def plot(data: Data) -> Figure:
    """A panel a learning rate, all on the same axes."""
    figure = new_figure(7.8, data.title)
    grid = figure.subplots(2, 2, sharex=True, sharey=True).ravel()
    for place, (axes, path) in enumerate(zip(grid, data.paths, strict=True)):
        draw_path(axes, data, path)
        axes.annotate(
            "lowest loss",
            (data.lowest_weight, 1),
            (5, -12),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            color=GRAY,
        )
        axes.set_title(f"Learning rate {path.learning_rate:g}:\n{data.readings[place]}")
        if place >= 2:
            axes.set_xlabel("weight (bias stays 0;\nboth in standard deviations)")
        if place % 2 == 0:
            axes.set_ylabel("loss: mean squared error\n(1 = variance)")
    return figure


def draw_path(axes: Axes, data: Data, path: Path) -> None:
    """The loss, the slope at the start, and the steps."""
    axes.plot(data.loss.x, data.loss.y, color=GRAY, linewidth=1.5)
    axes.plot(data.tangent.x, data.tangent.y, color=VERMILION, ls="--", lw=1.5)
    axes.annotate(
        f"slope {data.slope:.2f}".replace("-", "−"),
        (data.tangent.x[0], data.tangent.y[0]),
        (-6, -8),
        textcoords="offset points",
        ha="right",
        color=legible(VERMILION),
    )
    axes.plot(
        path.weight, path.loss, color=BLUE, marker="o", linewidth=1.2, markersize=5
    )
    axes.annotate(
        "start",
        (path.weight[0], path.loss[0]),
        (-8, -14),
        textcoords="offset points",
        ha="right",
    )
    axes.set_xlim(data.loss.x[0] - ROOM, data.loss.x[-1])
    axes.axvline(data.lowest_weight, color=GRAY, linestyle=":", linewidth=1.5)
