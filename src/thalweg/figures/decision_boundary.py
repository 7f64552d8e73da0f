"""What hidden layers add: the probabilities of networks of growing depth."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from thalweg.figures.runs import trained
from thalweg.figures.samples import Sample, moons
from thalweg.figures.style import BLUE, GROUND, INK, VERMILION, new_figure
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.program.types import NumpyArray

MARGIN = 0.3
# Nothing in the middle, so that the page's ground, light or dark, is seen there.
SHADES = LinearSegmentedColormap.from_list(
    "classes",
    [
        (0.0, (BLUE, 0.45)),
        (0.5, (BLUE, 0.0)),
        (0.5, (VERMILION, 0.0)),
        (1.0, (VERMILION, 0.45)),
    ],
)


@dataclass(frozen=True)
class Settings:
    """The made rows, the networks, and the grid of points to ask them at."""

    rows: int = 600
    training_rows: int = 300
    noise: float = 0.2
    hidden: tuple[tuple[int, ...], ...] = ((), (4,), (16, 16))
    learning_rate: float = 0.03
    epochs: int = 200
    seed: int = 0
    points: int = 61


@dataclass(frozen=True)
class Panel:
    """One network: ``probabilities[i][j]`` is at ``ys[i]``, ``xs[j]``."""

    label: str
    accuracy: float
    probabilities: list[list[float]]


@dataclass(frozen=True)
class Data:
    """What is drawn: the training rows, and each network's probabilities."""

    title: str
    source: str
    seeds: list[int]
    xs: list[float]
    ys: list[float]
    points: list[list[list[float]]]
    panels: list[Panel]


def run(settings: Settings | None = None) -> Data:
    """Train each network, and ask it everywhere."""
    chosen = settings or Settings()
    rows = moons(chosen.rows, chosen.noise, chosen.seed)
    xs, ys = (around(column, chosen.points) for column in rows.X.T)
    training = rows.first(chosen.training_rows)
    panels = [panel(hidden, rows, xs, ys, chosen) for hidden in chosen.hidden]
    return Data(
        title_of(panels),
        f"{rows.source}; {len(training)} to train, the others to score",
        [chosen.seed],
        xs.tolist(),
        ys.tolist(),
        [training.X[training.y == label].tolist() for label in (0, 1)],
        panels,
    )


def around(values: NumpyArray, points: int) -> NumpyArray:
    """Evenly spaced numbers that reach a little beyond the values."""
    lowest, highest = float(values.min()), float(values.max())
    return np.linspace(lowest - MARGIN, highest + MARGIN, points)


def panel(
    hidden: tuple[int, ...],
    rows: Sample,
    xs: NumpyArray,
    ys: NumpyArray,
    settings: Settings,
) -> Panel:
    """One network's probabilities, and its accuracy on rows it has never seen."""
    network = trained(
        [*(Dense(units, "tanh") for units in hidden), Dense(1, "sigmoid")],
        rows.first(settings.training_rows),
        optimizer=Adam(settings.learning_rate),
        epochs=settings.epochs,
        seed=settings.seed,
    )
    places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    unseen = rows.rest(settings.training_rows)
    return Panel(
        name_of(hidden),
        network.evaluate(unseen.X, unseen.y)["accuracy"],
        network.predict(places).reshape(len(ys), len(xs)).tolist(),
    )


def name_of(hidden: tuple[int, ...]) -> str:
    """The network in a few words."""
    if not hidden:
        return "No hidden layer"
    layers = "1 hidden layer" if len(hidden) == 1 else f"{len(hidden)} hidden layers"
    return f"{layers} of {hidden[0]} units"


def title_of(panels: list[Panel]) -> str:
    """The statement, where the runs bear it out."""
    straight, *bent = [panel.accuracy for panel in panels]
    if all(accuracy > straight + 0.02 for accuracy in bent):
        return "Without a hidden layer the boundary is straight; hidden units bend it"
    return "Decision boundaries of networks without and with hidden layers"


def plot(data: Data) -> Figure:
    """A panel a network."""
    figure = new_figure(4.3, data.title)
    row = figure.subplots(1, len(data.panels), sharex=True, sharey=True)
    shaded = [
        draw_panel(axes, panel, data)
        for axes, panel in zip(row, data.panels, strict=True)
    ]
    row[0].set_ylabel("x₂")
    bar = figure.colorbar(shaded[-1], ax=row, shrink=0.9, ticks=[0, 0.5, 1])
    if bar.solids is not None:
        bar.solids.set_rasterized(True)  # clear in the middle, as the panels are
    bar.set_label("probability of class 1 (■)")
    return figure


def draw_panel(axes: Axes, panel: Panel, data: Data) -> AxesImage:
    """Probabilities shaded, the line where they are 1/2, and the training rows."""
    extent = (data.xs[0], data.xs[-1], data.ys[0], data.ys[-1])
    shaded = axes.imshow(
        panel.probabilities, SHADES, vmin=0, vmax=1, origin="lower", extent=extent,
        aspect="auto", interpolation="bilinear",
    )  # fmt: skip
    axes.contour(data.xs, data.ys, panel.probabilities, levels=[0.5], colors=INK)
    for points, color, marker in zip(data.points, (BLUE, VERMILION), "os", strict=True):
        x, y = zip(*points, strict=True)
        axes.scatter(
            x, y, s=18, color=color, marker=marker, edgecolors=GROUND, linewidths=0.4
        )
    axes.set_title(
        f"{panel.label}:\n{panel.accuracy:.1%} right on unseen rows", fontsize=10
    )
    axes.set_xlabel("x₁")
    axes.grid(False)
    return shaded
