"""Every activation and its derivative, by our own differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from thalweg.figures.runs import Curve
from thalweg.figures.style import BLUE, GRAY, VERMILION, new_figure
from thalweg.formulas.activations import ACTIVATIONS, Activation, softmax
from thalweg.program import gradient, ops

COLUMNS = 4


@dataclass(frozen=True)
class Settings:
    """The range of z, and the number of points in it."""

    lowest: float = -10.0
    highest: float = 10.0
    points: int = 801


@dataclass(frozen=True)
class Panel:
    """One activation: the values of φ and φ′."""

    name: str
    values: Curve
    derivatives: Curve
    remark: str


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    panels: list[Panel]


def run(settings: Settings | None = None) -> Data:
    """Call every activation, and differentiate it, at every z."""
    at = settings or Settings()
    z = np.linspace(at.lowest, at.highest, at.points)
    return Data(
        "Activations φ(z), and their derivatives φ′(z) as differentiated from the formulas",
        "the formulas themselves; nothing random",
        [],
        [panel(name, function, z) for name, function in ACTIVATIONS.items()],
    )


def panel(name: str, function: Activation, z: np.ndarray) -> Panel:
    """The values and derivatives of an activation."""
    each = first_of_two if function is softmax else function
    derivatives = gradient(each)(z)
    return Panel(
        name,
        Curve(f"φ = {name}", z.tolist(), np.asarray(each(z)).tolist()),
        Curve("φ′", z.tolist(), derivatives.tolist()),
        remark_on(function, derivatives),
    )


def first_of_two(z: ops.Array) -> ops.Array:
    """Softmax takes all sums of a layer: here z beside a second sum of 0."""
    sums = ops.concatenate([ops.reshape(z, (-1, 1)), ops.reshape(0 * z, (-1, 1))], axis=1)
    return softmax(sums)[:, 0]


def remark_on(function: Activation, derivatives: np.ndarray) -> str:
    """What can't be read off the curves."""
    if function is softmax:
        return "of (z, 0), first"
    return "" if derivatives.any() else "0 everywhere"


def plot(data: Data) -> Figure:
    """Each activation above its derivative, over the same z."""
    figure = new_figure(11.5, 12.5, data.title)
    rows = -(-len(data.panels) // COLUMNS)
    cells = figure.subfigures(rows, COLUMNS, squeeze=False)
    for place, panel in enumerate(data.panels):
        row, column = divmod(place, COLUMNS)
        last = place + COLUMNS >= len(data.panels)
        draw_panel(cells[row, column], panel, first=column == 0, last=last)
    return figure


def draw_panel(cell: SubFigure, panel: Panel, first: bool, last: bool) -> None:
    """One activation in its cell."""
    upper, lower = cell.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    upper.plot(panel.values.x, panel.values.y, color=BLUE)
    lower.plot(panel.derivatives.x, panel.derivatives.y, color=VERMILION, linestyle="--")
    upper.set_title(panel.name, fontweight="bold")
    lower.set_ylim(-0.2, 1.3)
    if panel.values.y and max(panel.values.y) <= 1:
        upper.set_ylim(-1.15, 1.15)
    for axes in (upper, lower):
        mark_zero(axes)
    place = "values" if panel.name == "softmax" else "derivatives"
    axes = upper if place == "values" else lower
    axes.annotate(panel.remark, (0.04, 0.92), xycoords="axes fraction", va="top")
    if first:
        upper.set_ylabel("φ(z)", color=BLUE)
        lower.set_ylabel("φ′(z)", color=VERMILION)
    if last:
        lower.set_xlabel("z, the unit's weighted sum")


def mark_zero(axes: Axes) -> None:
    """Fine lines through the origin."""
    axes.axhline(0, color=GRAY, linewidth=0.8)
    axes.axvline(0, color=GRAY, linewidth=0.8)
    axes.set_xticks([-10, -5, 0, 5, 10])
