"""A range test: the loss by the learning rate, and the rate that was chosen."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.files import write_figure
from thalweg.figures.learning_curves import LINE_LENGTH, require_png
from thalweg.figures.style import GRAY, GREEN, TRAINING, new_figure, plain_decades
from thalweg.search.learning_rate import RangeTest

ROOM = 0.15  # above the start and below the lowest point, of the height between them


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    reading: str
    source: str
    settings: dict[str, Any]
    learning_rates: list[float]
    losses: list[float]
    smoothed: list[float]
    chosen: float


def range_test(
    found: RangeTest,
    path: str | Path,
    title: str = "Range test",
    *,
    source: str = "",
    command: str = "",
) -> Path:
    """Draw the loss of every step by its learning rate, and the rate that was chosen.

    Arguments:
        found: what `find_learning_rate` gave.
        path: a PNG; a JSON of the same stem, with the numbers, is written beside it.
        title: above the picture.
        source: what the data is, for the JSON.
        command: what repeats the test, for the JSON.

    Returns:
        The PNG's path.

    Raises:
        ArgumentError: the path doesn't end in .png.
        FileError: a file can't be written.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.figures.range_test import range_test
        >>> X = np.linspace(-1, 1, 40).reshape(-1, 1)
        >>> found = tw.find_learning_rate([tw.Dense(1)], X, 3 * X, steps=50)
        >>> range_test(found, "rates.png").name
        'rates.png'
    """
    target = require_png(path)
    origin = {"figure": target.stem, "command": command}
    return write_figure(target, plot, data_of(found, title, source), origin)


def data_of(found: RangeTest, title: str, source: str) -> Data:
    """What to draw of a test."""
    return Data(
        title,
        f"Chosen: {found.chosen:g}, {found.reason}; {found.ended}",
        source,
        found.settings,
        found.learning_rates,
        found.losses,
        found.smoothed,
        found.chosen,
    )


def plot(data: Data) -> Figure:
    """Every step's loss as a point, their moving average as a line."""
    figure = new_figure(5.4, data.title)
    axes = figure.subplots()
    rates = data.learning_rates
    axes.plot(rates, data.losses, ".", color=GRAY, markersize=3, label="of one step")
    axes.plot(rates, data.smoothed, **TRAINING, label="smoothed")
    axes.axvline(
        data.chosen, color=GREEN, linestyle=":", linewidth=2, gid="chosen",
        label=f"chosen: {data.chosen:g}",
    )  # fmt: skip
    axes.set_xscale("log")
    plain_decades(axes.xaxis)
    axes.set_ylim(*limits(data.smoothed))
    axes.set_xlabel("learning rate, higher with every step")
    axes.set_ylabel(f"training loss: {data.settings['loss']}".replace("_", " "))
    axes.set_title(
        "\n".join(textwrap.wrap(data.reading, LINE_LENGTH, break_on_hyphens=False))
    )
    axes.legend(loc="lower left")
    return figure


def limits(smoothed: list[float]) -> tuple[float, float]:
    """From below the lowest to above where the loss started: the rise has no end."""
    lowest = min(smoothed)
    start = float(np.max(smoothed[: int(np.argmin(smoothed)) + 1]))
    room = ROOM * (start - lowest) or 1.0
    return lowest - room, start + 2 * room
