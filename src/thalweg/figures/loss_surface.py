"""The exact loss surface of a perceptron, and gradient descent's path on it."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from thalweg.figures.descent import Path, descend, loss_surface_of
from thalweg.figures.samples import Sample, breast_cancer
from thalweg.figures.style import BLUE, GRAY, GROUND, INK, VERMILION, new_figure

MEAN_RADIUS = 0
PROBLEM = ("sigmoid", "binary_cross_entropy")
LEVELS = 14
# Over the page's ground, light or dark: low where it's deep.
DEPTHS = LinearSegmentedColormap.from_list("depths", [(BLUE, 0.55), (BLUE, 0.0)])


@dataclass(frozen=True)
class Settings:
    """The start, the steps, and the piece of the surface to draw."""

    start: tuple[float, float] = (5.0, 2.0)
    learning_rate: float = 2.0
    steps: int = 400
    weights: tuple[float, float] = (-2.0, 12.0)
    biases: tuple[float, float] = (-16.0, 4.0)
    points: int = 49


@dataclass(frozen=True)
class Data:
    """What is drawn: ``losses[i][j]`` is at ``biases[i]``, ``weights[j]``."""

    title: str
    source: str
    seeds: list[int]
    weights: list[float]
    biases: list[float]
    losses: list[list[float]]
    levels: list[float]
    path: Path


def run(settings: Settings | None = None) -> Data:
    """The loss at every point of a grid, and a real path."""
    chosen = settings or Settings()
    rows = one_measurement()
    surface = loss_surface_of(rows, *PROBLEM)
    weights = np.linspace(*chosen.weights, chosen.points).tolist()
    biases = np.linspace(*chosen.biases, chosen.points).tolist()
    losses = [[surface(w, b) for w in weights] for b in biases]
    path = descend(rows, *PROBLEM, chosen.start, chosen.learning_rate, chosen.steps)
    return Data(
        title_of(path),
        f"{rows.source}; the mean radius in cm predicts whether a tumor is malignant",
        [],
        weights,
        biases,
        losses,
        levels_of(losses),
        path,
    )


def one_measurement() -> Sample:
    """The mean radius, in cm."""
    rows = breast_cancer()
    return Sample(rows.X[:, [MEAN_RADIUS]] / 10, rows.y, rows.source)


def levels_of(losses: list[list[float]]) -> list[float]:
    """Levels that are close together where the surface is flat."""
    lowest, highest = min(map(min, losses)), max(map(max, losses))
    return np.geomspace(0.999 * lowest, 1.001 * highest, LEVELS).tolist()


def title_of(path: Path) -> str:
    """How soon most of the fall is over."""
    fall = path.loss[0] - path.loss[-1]
    most = next(
        n for n, loss in enumerate(path.loss) if path.loss[0] - loss >= 0.9 * fall
    )
    steps = len(path.loss) - 1
    return (
        f"Down into the valley, then along its floor: {most} of {steps} steps do 90% "
        "of the fall"
    )


def plot(data: Data) -> Figure:
    """The surface in three dimensions, and from above."""
    figure = new_figure(5.2, data.title)
    draw_surface(figure.add_subplot(1, 2, 1, projection="3d"), data)
    draw_contours(figure.add_subplot(1, 2, 2), data)
    return figure


def draw_surface(axes: Any, data: Data) -> None:
    """The surface, and the path on it."""
    path = data.path
    axes.computed_zorder = False
    axes.plot_surface(
        *np.meshgrid(data.weights, data.biases),
        np.array(data.losses),
        cmap="Blues_r",
        antialiased=False,
        rasterized=True,  # thousands of facets
        rcount=len(data.biases),
        ccount=len(data.weights),
        zorder=1,
    )
    axes.plot(
        path.weight,
        path.bias,
        path.loss,
        color=VERMILION,
        marker="o",
        markersize=3,
        zorder=5,
    )
    axes.set(xlabel="weight (1/cm)", ylabel="bias", zlabel="loss: cross-entropy (nats)")
    axes.set_title("The loss at every weight and bias")
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color("none")
    axes.locator_params(nbins=6)
    axes.yaxis.labelpad = 8
    axes.view_init(elev=38, azim=-60)
    axes.set_box_aspect(None, zoom=0.82)


def draw_contours(axes: Axes, data: Data) -> None:
    """Lines of equal loss, and the path across them."""
    path = data.path
    axes.contourf(
        data.weights, data.biases, data.losses, data.levels, cmap=DEPTHS, norm="log"
    )
    lines = axes.contour(
        data.weights,
        data.biases,
        data.losses,
        data.levels[1:-1],
        colors=GRAY,
        linewidths=0.7,
    )
    axes.clabel(lines, fmt="%.2g", fontsize=9, colors=INK)
    axes.plot(path.weight, path.bias, color=VERMILION, marker="o", markersize=3)
    for at, name, offset in ((0, "start", (14, -30)), (-1, "end", (-80, -18))):
        axes.annotate(
            f"{name}: {path.loss[at]:.2f}",
            (path.weight[at], path.bias[at]),
            offset,
            textcoords="offset points",
            zorder=10,
            bbox={
                "boxstyle": "round,pad=0.2",
                "facecolor": GROUND,
                "edgecolor": "none",
            },
        )
    axes.set_title("From above: lines of equal loss")
    axes.set_xlabel("weight (1/cm)")
    axes.set_ylabel("bias")
