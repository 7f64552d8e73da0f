"""A run from first epoch to last: the boundary forms while the losses fall."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.decision_boundary import around
from thalweg.figures.runs import Curve
from thalweg.figures.samples import Sample, moons
from thalweg.figures.style import (
    BLUE,
    GRAY,
    GREEN,
    GROUND,
    INK,
    TRAINING,
    VALIDATION,
    VERMILION,
    EndLabel,
    label_ends,
    new_figure,
)
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.model.history import EpochRecord
from thalweg.network import Network
from thalweg.program.types import NumpyArray
from thalweg.training.stopping import EarlyStopping

HIDDEN = 2
PANELS = 3
WIDTH = 5.4  # inches, so that letters can be read on a phone
CERTAIN = (0.5, 0.75, 0.95)  # each step of certainty is one more coat of color
COAT = 0.13


@dataclass(frozen=True)
class Settings:
    """The made rows, the network, and which epochs are shown beside the best."""

    rows: int = 300
    training_rows: int = 150
    noise: float = 0.25
    units: int = 16
    learning_rate: float = 0.01
    epochs: int = 400
    patience: int = 30
    seed: int = 0
    shown: tuple[int, ...] = (1, 8)
    points: int = 41


@dataclass(frozen=True)
class Panel:
    """After an epoch: ``probabilities[i][j]`` is at ``ys[i]``, ``xs[j]``."""

    epoch: int
    probabilities: list[list[float]]


@dataclass(frozen=True)
class Data:
    """What is drawn: the rows, the network at some epochs, and the losses."""

    title: str
    source: str
    network: str
    seeds: list[int]
    xs: list[float]
    ys: list[float]
    points: list[list[list[float]]]
    panels: list[Panel]
    training: Curve
    validation: Curve
    best_epoch: int
    best_loss: float
    stopped_epoch: int


def run(settings: Settings | None = None) -> Data:
    """Train until early stopping, and ask the network everywhere after each epoch."""
    chosen = settings or Settings()
    rows = moons(chosen.rows, chosen.noise, chosen.seed)
    training = rows.first(chosen.training_rows)
    xs, ys = (around(column, chosen.points) for column in rows.X.T)
    network, asked = watched(rows, xs, ys, chosen)
    history = network.history
    best, stopped = history.best_epoch, history.stopped_epoch
    shown = [*(epoch for epoch in chosen.shown if epoch < best), best]
    epochs = list(map(float, range(1, stopped + 1)))
    return Data(
        "A boundary forms while the losses fall",
        f"{rows.source}; {len(training)} to train, the others to validate",
        f"2 inputs, {HIDDEN} × {chosen.units} tanh units, 1 output; "
        f"{Adam(chosen.learning_rate)}",
        [chosen.seed],
        xs.tolist(),
        ys.tolist(),
        [training.X[training.y == label].tolist() for label in (0, 1)],
        [Panel(epoch, asked[epoch - 1]) for epoch in shown],
        Curve("training", epochs, history.training_loss),
        Curve("validation", epochs, history.validation_loss),
        best,
        history.validation_loss[best - 1],
        stopped,
    )


def watched(
    rows: Sample, xs: NumpyArray, ys: NumpyArray, settings: Settings
) -> tuple[Network, list[list[list[float]]]]:
    """A network after its run, and its probabilities after every epoch."""
    hidden = (Dense(settings.units, "tanh") for _ in range(HIDDEN))
    network = Network([*hidden, Dense(1, "sigmoid")])
    places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    held_out = rows.rest(settings.training_rows)
    asked: list[list[list[float]]] = []

    def ask(record: EpochRecord) -> None:
        asked.append(network.predict(places).reshape(len(ys), len(xs)).tolist())

    network.fit(
        *rows.first(settings.training_rows).pair,
        optimizer=Adam(settings.learning_rate),
        epochs=settings.epochs,
        validation=held_out.pair,
        early_stopping=EarlyStopping(settings.patience),
        callback=ask,
        seed=settings.seed,
    )
    return network, asked


def plot(data: Data) -> Figure:
    """The boundary at some epochs above, the losses of all below."""
    figure = new_figure(5.2, data.title, WIDTH)
    cells = figure.add_gridspec(2, len(data.panels), height_ratios=[1, 1.15])
    for place, panel in enumerate(data.panels):
        draw_boundary(figure.add_subplot(cells[0, place]), panel, data)
    draw_losses(figure.add_subplot(cells[1, :]), data)
    return figure


def draw_boundary(axes: Axes, panel: Panel, data: Data) -> None:
    """What the network takes for which class, and the training rows."""
    probabilities = np.array(panel.probabilities)
    classes = (1 - probabilities, BLUE, "o"), (probabilities, VERMILION, "s")
    for (certainty, color, marker), points in zip(classes, data.points, strict=True):
        for level in CERTAIN:
            axes.contourf(
                data.xs, data.ys, certainty, [level, 2], colors=[color], alpha=COAT
            )
        axes.scatter(
            *np.transpose(points), s=15, color=color, marker=marker,
            edgecolors=GROUND, linewidths=0.4, zorder=3,
        )  # fmt: skip
    axes.contour(data.xs, data.ys, probabilities, levels=[0.5], colors=INK)
    best = " (best)" if panel.epoch == data.best_epoch else ""
    axes.set_title(f"epoch {panel.epoch}{best}")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)


def draw_losses(axes: Axes, data: Data) -> None:
    """Both losses, the best epoch, and the line where early stopping ends the run."""
    labels: list[EndLabel] = []
    for curve, look in ((data.training, TRAINING), (data.validation, VALIDATION)):
        axes.plot(curve.x, curve.y, **look)
        labels.append(EndLabel(curve.y[-1], curve.label, look["color"]))
    best, stopped = data.best_epoch, data.stopped_epoch
    axes.axvline(stopped, color=GRAY, linestyle="-.", linewidth=1.5, gid="stopped")
    axes.plot([best], [data.best_loss], "o", color=GREEN, markersize=8, gid="best")
    axes.set_ylim(0, 1.15 * max(data.training.y[0], data.validation.y[0]))
    axes.set_xlim(0, 1.03 * stopped)
    axes.set_title(
        f"Lowest validation loss in epoch {best} (●),\n"
        f"early stopping after epoch {stopped} (dash-dotted line)"
    )
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss: cross-entropy")
    label_ends(axes, labels)
