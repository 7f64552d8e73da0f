"""Which numbers two neighboring windows see: plain, with stride, dilation, padding."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.pixels import cell, draw_numbers, rounded
from thalweg.figures.style import SERIES, new_figure
from thalweg.formulas.places import padded
from thalweg.program import ops


@dataclass(frozen=True)
class Settings:
    """The side of the square of numbers, and of a window."""

    side: int = 7
    size: int = 3


@dataclass(frozen=True)
class Way:
    """One way to lay windows, and the cells (row, column) that two of them hold."""

    label: str
    numbers: list[list[float]]
    first: list[list[int]]
    second: list[list[int]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    ways: list[Way]


def run(settings: Settings | None = None) -> Data:
    """Take the windows of a square of numbers in each way."""
    chosen = settings or Settings()
    return Data(
        f"Windows of {chosen.size} × {chosen.size} numbers: the first (solid) and its "
        "neighbor (dashed)",
        f"the numbers 1 to {chosen.side**2}",
        [],
        [
            way("as they are", chosen),
            way("stride 2", chosen, stride=2),
            way("dilation 2", chosen, dilation=2),
            way("padding “same”", chosen, padding="same"),
        ],
    )


def way(
    label: str,
    settings: Settings,
    stride: int = 1,
    dilation: int = 1,
    padding: str = "valid",
) -> Way:
    """The numbers with their padding, and the cells of the first two windows."""
    side, size = settings.side, settings.size
    square = np.arange(1.0, side**2 + 1).reshape(1, side, side, 1)
    both = ((size,) * 2, (stride,) * 2, (dilation,) * 2)
    numbers: Any = padded(square, *both, padding)[0, :, :, 0]
    cells = np.array([*np.ndindex(numbers.shape)]).reshape(*numbers.shape, 2)
    seen: Any = ops.windows(cells, (0, 1), *both)
    height, width = seen.shape[:2]
    return Way(
        f"{label}:\n{height} × {width} windows",
        rounded(numbers),
        seen[0, 0].reshape(-1, 2).tolist(),
        seen[0, 1].reshape(-1, 2).tolist(),
    )


def plot(data: Data) -> Figure:
    """A square of numbers for each way."""
    figure = new_figure(3.3, data.title)
    row = figure.subplots(1, len(data.ways))
    for axes, each in zip(row, data.ways, strict=True):
        draw_way(axes, each)
    return figure


def draw_way(axes: Axes, way: Way) -> None:
    """The numbers, and an outline for each cell of a window."""
    draw_numbers(axes, way.numbers, size=8)
    for cells, look, inset in (
        (way.first, SERIES[0], 0.06),
        (way.second, SERIES[1], 0.16),
    ):
        for i, j in cells:
            line = {"edgecolor": look["color"], "linestyle": look["linestyle"]}
            axes.add_patch(cell(i, j, inset, linewidth=1.4, **line))
    axes.set_xlabel(way.label)
