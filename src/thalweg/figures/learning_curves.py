"""A run's own learning curves, from its history."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from thalweg.checks import require
from thalweg.errors import ArgumentError
from thalweg.figures.files import write_figure
from thalweg.figures.runs import Curve
from thalweg.figures.style import (
    GRAY,
    GREEN,
    TRAINING,
    VALIDATION,
    EndLabel,
    label_ends,
    new_figure,
    plain_decades,
)
from thalweg.model.history import History

# The metric that people ask for first, and what it's measured in.
METRICS = {"accuracy": "fraction of rows", "rmse": "unit of the target"}
FEW_EPOCHS = 20
WIDE_RANGE = 20
LINE_LENGTH = 84


@dataclass(frozen=True)
class Panel:
    """One quantity, in training and maybe in validation."""

    name: str
    training: Curve
    validation: Curve | None


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    reading: str
    source: str
    seeds: list[int]
    best_epoch: int
    stopped_epoch: int
    panels: list[Panel]


def learning_curves(
    history: History,
    path: str | Path,
    title: str = "Learning curves",
    *,
    source: str = "",
    command: str = "",
    unit: str = METRICS["rmse"],
) -> Path:
    """Draw both losses and the metric of every epoch, the best epoch and the last.

    Arguments:
        history: of a run, with one epoch or more.
        path: a PNG; a JSON of the same stem, with the numbers, is written beside it.
        title: above the picture.
        source: what the data is, for the JSON.
        command: what repeats the run, for the JSON.
        unit: of the targets that the network was given, where they are numbers.

    Returns:
        The PNG's path.

    Raises:
        ArgumentError: the path doesn't end in .png, or no epoch was finished.
        FileError: a file can't be written.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.figures.learning_curves import learning_curves
        >>> X = np.linspace(-1, 1, 40).reshape(-1, 1)
        >>> history = tw.Network([tw.Dense(1)]).fit(X, 3 * X, epochs=5)
        >>> learning_curves(history, "curves.png").name
        'curves.png'
    """
    target = require_png(path)
    data = data_of(history, title, source, unit)
    return write_figure(target, plot, data, {"figure": target.stem, "command": command})


def require_png(path: str | Path) -> Path:
    """The path of a picture, checked before a long run.

    Raises:
        ArgumentError: it doesn't end in .png.
    """
    target = Path(path)
    fits = target.suffix.lower() == ".png"
    require(fits, "the figure's file", "one that ends in .png", str(path))
    return target


def data_of(history: History, title: str, source: str, unit: str) -> Data:
    """What to draw of a history.

    Raises:
        ArgumentError: no epoch was finished.
    """
    if not history.epochs:
        raise ArgumentError("learning curves need one finished epoch or more, got none")
    seed = history.settings.get("seed")
    loss = history.settings.get("loss", "")
    losses = {"loss": history.training_loss}, {"loss": history.validation_loss}
    panels = [panel(f"loss: {loss}".rstrip(": ").replace("_", " "), "loss", *losses)]
    metric = next((name for name in METRICS if name in history.training_metrics), None)
    if metric is not None:
        metrics = history.training_metrics, history.validation_metrics
        measure = unit if metric == "rmse" else METRICS[metric]
        panels.append(panel(f"{metric} ({measure})", metric, *metrics))
    return Data(
        title,
        reading_of(history),
        source,
        [] if seed is None else [seed],
        history.best_epoch,
        history.stopped_epoch,
        panels,
    )


def panel(
    name: str,
    key: str,
    training: Mapping[str, list[float]],
    validation: Mapping[str, list[float]],
) -> Panel:
    """The curves of one quantity."""
    return Panel(
        name,
        curve("training", training[key]),
        curve("validation", validation[key]) if validation.get(key) else None,
    )


def curve(label: str, values: list[float]) -> Curve:
    """A value for each epoch, counted from 1."""
    return Curve(label, list(map(float, range(1, len(values) + 1))), values)


def reading_of(history: History) -> str:
    """The best epoch, and why training ended."""
    because = f": {history.stopped_because}" if history.stopped_because else ""
    stopped = f"stopped after epoch {history.stopped_epoch} (dash-dotted line){because}"
    if not history.validation_loss:
        return f"No validation rows; {stopped}"
    return (
        f"Lowest validation loss in epoch {history.best_epoch} (dotted line); {stopped}"
    )


def plot(data: Data) -> Figure:
    """The loss above, the metric below, over the same epochs."""
    heights = [3, 2][: len(data.panels)]
    figure = new_figure(1.4 + 1.4 * sum(heights), data.title)
    column = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
    )
    for axes, panel in zip(column[:, 0], data.panels, strict=True):
        draw_panel(axes, panel, data)
    top, bottom = column[0, 0], column[-1, 0]
    top.set_title(
        "\n".join(textwrap.wrap(data.reading, LINE_LENGTH, break_on_hyphens=False))
    )
    bottom.set_xlabel("epoch")
    bottom.set_xlim(0, 1.04 * data.stopped_epoch)
    bottom.xaxis.set_major_locator(
        MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    )
    return figure


def draw_panel(axes: Axes, panel: Panel, data: Data) -> None:
    """One quantity, and the lines of the best epoch and of the last."""
    marker = "o" if data.stopped_epoch <= FEW_EPOCHS else None
    labels: list[EndLabel] = []
    for curve, look in ((panel.training, TRAINING), (panel.validation, VALIDATION)):
        if curve is not None:
            axes.plot(curve.x, curve.y, marker=marker, markersize=4, **look)
            labels.append(EndLabel(curve.y[-1], curve.label, look["color"]))
    axes.axvline(
        data.stopped_epoch, color=GRAY, linestyle="-.", linewidth=1.2, gid="stopped"
    )
    if panel.validation is not None:
        best = panel.validation.y[data.best_epoch - 1]
        axes.axvline(
            data.best_epoch, color=GREEN, linestyle=":", linewidth=1.5, gid="best"
        )
        axes.plot([data.best_epoch], [best], "o", color=GREEN, markersize=8)
    axes.set_ylabel(panel.name)
    if spans_decades(panel):
        axes.set_yscale("log")
        plain_decades(axes.yaxis)
    label_ends(axes, labels)


def spans_decades(panel: Panel) -> bool:
    """Whether a linear scale would hide most of what happened."""
    values = panel.training.y + (panel.validation.y if panel.validation else [])
    return min(values) > 0 and max(values) > WIDE_RANGE * min(values)
