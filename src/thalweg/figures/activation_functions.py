"""Every activation and its derivative, by our own differentiation."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.backends.numpy.calls import gradient
from thalweg.figures.runs import Curve
from thalweg.figures.style import BLUE, GRAY, VERMILION, legible, new_figure
from thalweg.formulas.activations import ACTIVATIONS, Activation, leaky_relu, softmax
from thalweg.program import ops

COLUMNS = 4
TITLE_LETTERS = 20


@dataclass(frozen=True)
class Settings:
    """The range of z, and the number of points in it."""

    lowest: float = -10.0
    highest: float = 10.0
    points: int = 401


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
        "Activations φ(z), and φ′(z) as differentiated from their formulas",
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
    sums = ops.concatenate(
        [ops.reshape(z, (-1, 1)), ops.reshape(0 * z, (-1, 1))], axis=1
    )
    return softmax(sums)[:, 0]


def remark_on(function: Activation, derivatives: np.ndarray) -> str:
    """What can't be read off the curves."""
    if function is softmax:
        return " of (z, 0), first output"
    if function is leaky_relu:
        return f": φ′(z) = {derivatives[0]:g} for z < 0"
    return "" if derivatives.any() else ": φ′(z) = 0, and undefined at 0"


def plot(data: Data) -> Figure:
    """Each activation above its derivative, over the same z."""
    rows = -(-len(data.panels) // COLUMNS)
    figure = new_figure(2.7 * rows, data.title)
    figure.supxlabel("z, the weighted sum of a unit's inputs", fontsize=12)
    cells = figure.add_gridspec(2 * rows, COLUMNS, height_ratios=[3, 2] * rows)
    for place, panel in enumerate(data.panels):
        row, column = divmod(place, COLUMNS)
        upper, lower = (
            figure.add_subplot(cells[2 * row + part, column]) for part in (0, 1)
        )
        draw_panel(upper, lower, panel)
        if column == 0:
            upper.set_ylabel("φ(z)", color=BLUE)
            lower.set_ylabel("φ′(z)", color=legible(VERMILION))
    return figure


def draw_panel(upper: Axes, lower: Axes, panel: Panel) -> None:
    """The values above, the derivatives below."""
    upper.plot(panel.values.x, panel.values.y, color=BLUE)
    lower.plot(
        panel.derivatives.x, panel.derivatives.y, color=VERMILION, linestyle="--"
    )
    title = textwrap.wrap(f"{panel.name}{panel.remark}", TITLE_LETTERS)
    upper.set_title("\n".join(title))
    lowest, highest = min(panel.values.y), max(panel.values.y)
    bounded = highest <= 1
    upper.set_ylim((-1.15, 1.15) if bounded else (-11 if lowest < -3 else -2.6, 11))
    upper.set_yticks(
        [-1, 0, 1] if bounded else [-10, -5, 0, 5, 10][0 if lowest < -3 else 2 :]
    )
    lower.set_ylim(-0.25, 1.9)
    upper.tick_params(labelbottom=False)
    for axes in (upper, lower):
        axes.axhline(0, color=GRAY, linewidth=0.8)
        axes.axvline(0, color=GRAY, linewidth=0.8)
        axes.set_xticks([-10, -5, 0, 5, 10])
