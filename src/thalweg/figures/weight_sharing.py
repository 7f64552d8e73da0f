"""How many weights a dense layer and a convolution have, for images of any size."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from thalweg.figures.runs import Curve
from thalweg.figures.style import (
    SERIES,
    EndLabel,
    label_ends,
    new_figure,
    plain_decades,
)
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.pooling import Flatten
from thalweg.network import Network


@dataclass(frozen=True)
class Settings:
    """The layers, and the sides of the images in pixels."""

    units: int = 128
    filters: int = 32
    size: int = 3
    sides: tuple[int, ...] = (8, 14, 28, 56, 112, 224)
    marked: int = 28


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    marked: int
    dense: Curve
    shared: Curve


def run(settings: Settings | None = None) -> Data:
    """Make the layers for images of every size, and count what they have."""
    chosen = settings or Settings()
    dense: list[Layer] = [Flatten(), Dense(chosen.units)]
    shared: list[Layer] = [Conv(chosen.filters, chosen.size)]
    size = f"{chosen.size} × {chosen.size}"
    each = {
        f"dense:\n{chosen.units} units": dense,
        f"convolution:\n{chosen.filters} filters of {size}": shared,
    }
    counts = [curve(label, layers, chosen.sides) for label, layers in each.items()]
    place = chosen.sides.index(chosen.marked)
    many, few = (int(counted.y[place]) for counted in counts)
    return Data(
        f"For images of {chosen.marked} × {chosen.marked} pixels a dense layer has "
        f"{many:,} weights, a convolution {few:,}",
        "counted in the layers' parameters, biases included",
        [],
        chosen.marked,
        *counts,
    )


def curve(label: str, layers: list[Layer], sides: tuple[int, ...]) -> Curve:
    """The number of parameters for each side of an image."""
    counts = [count_of(layers, side) for side in sides]
    return Curve(label, list(map(float, sides)), list(map(float, counts)))


def count_of(layers: list[Layer], side: int) -> int:
    """The parameters of layers for gray images of a side."""
    network = Network(layers).initialize((side, side, 1))
    return sum(array.size for array in network.parameters.values())


def plot(data: Data) -> Figure:
    """Both counts over the side of the image."""
    figure = new_figure(4.6, data.title)
    axes = figure.subplots()
    for counted, look in zip((data.dense, data.shared), SERIES, strict=False):
        axes.plot(counted.x, counted.y, marker="o", markersize=5, **look)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(100)
    axes.set_xticks(data.dense.x)
    plain_decades(axes.xaxis)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("side of a gray image, in pixels")
    axes.set_ylabel("weights and biases")
    label_ends(
        axes,
        [
            EndLabel(counted.y[-1], counted.label, look["color"])
            for counted, look in zip((data.dense, data.shared), SERIES, strict=False)
        ],
    )
    return figure
