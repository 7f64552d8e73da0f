"""How often a transposed convolution meets each place, for windows of two sizes."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.pixels import draw_numbers, rounded
from thalweg.figures.style import new_figure
from thalweg.formulas.convolution import ConvTranspose
from thalweg.network import Network


@dataclass(frozen=True)
class Settings:
    """The square of ones that goes in, and the windows that each one gives."""

    side: int = 4
    stride: int = 2
    sizes: tuple[int, ...] = (2, 3, 4)


@dataclass(frozen=True)
class Panel:
    """What comes out where all inputs and all weights are one."""

    size: int
    label: str
    numbers: list[list[float]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    panels: list[Panel]


def run(settings: Settings | None = None) -> Data:
    """Put ones through layers whose weights are ones."""
    chosen = settings or Settings()
    panels = [panel(size, chosen) for size in chosen.sizes]
    return Data(
        f"A stride of {chosen.stride} and windows that it doesn't divide: a "
        "checkerboard",
        f"{chosen.side} × {chosen.side} ones, weights of one",
        [],
        panels,
    )


def panel(size: int, settings: Settings) -> Panel:
    """One size of windows."""
    side, stride = settings.side, settings.stride
    layer = ConvTranspose(1, size, stride, bias=False, initializer="ones")
    network = Network([layer]).initialize((side, side, 1))
    given = network.predict(np.ones((1, side, side, 1)))[0, :, :, 0]
    inner = given[size:-size, size:-size]
    even = "evenly" if np.ptp(inner) == 0 else "unevenly"
    label = f"windows of {size} × {size}:\n{even} covered inside"
    return Panel(size, label, rounded(given))


def plot(data: Data) -> Figure:
    """A square of numbers for each size."""
    figure = new_figure(4.2, data.title)
    for axes, each in zip(
        figure.subplots(1, len(data.panels)), data.panels, strict=True
    ):
        draw_numbers(axes, each.numbers, size=9)
        axes.set_xlabel(each.label)
    return figure
