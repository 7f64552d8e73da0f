"""The exact loss surface of a perceptron, and gradient descent's path on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.descent import Path, descend, loss_surface_of
from thalweg.figures.samples import Sample, breast_cancer
from thalweg.figures.style import VERMILION, new_figure

MEAN_RADIUS = 0
PROBLEM = ("sigmoid", "binary_cross_entropy")


@dataclass(frozen=True)
class Settings:
    """The start, the steps, and the piece of the surface to draw."""

    start: tuple[float, float] = (-2.0, 3.0)
    learning_rate: float = 1.0
    steps: int = 100
    weights: tuple[float, float] = (-3.0, 6.0)
    biases: tuple[float, float] = (-4.0, 4.0)
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
    path: Path


def run(settings: Settings | None = None) -> Data:
    """The loss at every point of a grid, and a real path."""
    chosen = settings or Settings()
    rows = one_measurement()
    surface = loss_surface_of(rows, *PROBLEM)
    weights = np.linspace(*chosen.weights, chosen.points).tolist()
    biases = np.linspace(*chosen.biases, chosen.points).tolist()
    path = descend(rows, *PROBLEM, chosen.start, chosen.learning_rate, chosen.steps)
    return Data(
        f"{len(path.loss) - 1} steps of gradient descent: loss {path.loss[0]:.2f} → {path.loss[-1]:.2f}",
        f"{rows.source}; the mean radius in cm predicts whether a tumor is malignant",
        [],
        weights,
        biases,
        [[surface(w, b) for w in weights] for b in biases],
        path,
    )


def one_measurement() -> Sample:
    """The mean radius in cm around its mean, so that both parameters matter."""
    rows = breast_cancer()
    radius = rows.X[:, [MEAN_RADIUS]] / 10
    return Sample(radius, rows.y, rows.source)


def plot(data: Data) -> Figure:
    """The surface in three dimensions, and from above."""
    figure = new_figure(12.5, 5.8, data.title)
    draw_surface(figure.add_subplot(1, 2, 1, projection="3d"), data)
    draw_contours(figure.add_subplot(1, 2, 2), data)
    return figure


def draw_surface(axes: Any, data: Data) -> None:
    """The surface, and the path on it."""
    grid = np.meshgrid(data.weights, data.biases)
    axes.computed_zorder = False
    axes.plot_surface(*grid, np.array(data.losses), cmap="Blues_r", alpha=0.9, rcount=49, ccount=49, zorder=1)
    axes.plot(data.path.weight, data.path.bias, data.path.loss, color=VERMILION, marker="o", markersize=3, zorder=5)
    axes.set(xlabel="weight (per cm)", ylabel="bias", zlabel="loss (nats)")
    axes.view_init(elev=32, azim=-120)


def draw_contours(axes: Axes, data: Data) -> None:
    """Lines of equal loss, and the path across them."""
    lines = axes.contour(data.weights, data.biases, data.losses, levels=levels_of(data), cmap="Blues_r")
    axes.clabel(lines, fontsize=9)
    axes.plot(data.path.weight, data.path.bias, color=VERMILION, marker="o", markersize=3)
    axes.annotate("start", (data.path.weight[0], data.path.bias[0]), (8, 4), textcoords="offset points")
    axes.annotate("end", (data.path.weight[-1], data.path.bias[-1]), (8, 4), textcoords="offset points")
    axes.set_xlabel("weight (per cm)")
    axes.set_ylabel("bias")


def levels_of(data: Data) -> list[float]:
    """Levels that are close together where the surface is flat."""
    losses = np.array(data.losses)
    return np.geomspace(losses.min() * 1.05, losses.max() * 0.95, 14).tolist()
