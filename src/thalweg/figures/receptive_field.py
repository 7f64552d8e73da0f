"""What one unit of each layer sees of a photo, and how much of that counts."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from thalweg.backends.numpy.calls import gradient
from thalweg.figures.pixels import draw_image, rounded
from thalweg.figures.samples import photo
from thalweg.figures.style import GROUND, SERIES, new_figure
from thalweg.formulas.convolution import Conv
from thalweg.formulas.pooling import MaxPool
from thalweg.model.stack import predictions_of
from thalweg.network import Network
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The part of the photo, and over how many random networks slopes are averaged."""

    step: int = 4
    corner: tuple[int, int] = (12, 28)
    side: int = 26
    filters: int = 8
    seeds: int = 10


@dataclass(frozen=True)
class Seen:
    """What one unit of a layer sees: where it starts, and how large it is."""

    label: str
    row: int
    column: int
    height: int
    width: int


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    pixels: list[list[float]]
    fields: list[Seen]
    slopes: list[list[float]]
    middle: float


def run(settings: Settings | None = None) -> Data:
    """The fields of the units in the middle, and the slopes of the last of them."""
    chosen = settings or Settings()
    scene, source = photo(chosen.step)
    top, left = chosen.corner
    pixels = scene[top : top + chosen.side, left : left + chosen.side]
    layers = [
        Conv(chosen.filters, 3, activation="relu"),
        Conv(chosen.filters, 3, activation="relu"),
        MaxPool(2),
        Conv(chosen.filters, 3, activation="relu"),
    ]
    networks = [
        Network(layers).initialize((*pixels.shape, 1), seed)
        for seed in range(chosen.seeds)
    ]
    fields = [seen(networks[0], number) for number in range(1, len(layers) + 1)]
    slopes = np.mean([slopes_of(network, pixels) for network in networks], axis=0)
    slopes /= slopes.max()
    inside = middle_of(slopes, fields[-1])
    return Data(
        title_of(inside),
        f"{source}; the networks' weights are random",
        list(range(chosen.seeds)),
        rounded(pixels, 3),
        fields,
        rounded(slopes),
        inside,
    )


def seen(network: Network, number: int) -> Seen:
    """What the unit in the middle of a layer sees."""
    place = [n // 2 for n in network.shapes.outputs[number][:-1]]
    rows, columns = network.receptive_field(number).at(*place)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    name = type(network.layers[number - 1]).__name__
    label = f"{number} {name}: {height} × {width}"
    return Seen(label, rows.start, columns.start, height, width)


def slopes_of(network: Network, pixels: NumpyArray) -> NumpyArray:
    """How much each pixel moves the middle of the last layer, all its filters."""
    i, j = (n // 2 for n in network.shapes.outputs[-1][:-1])
    values = network.parameters

    def unit(x: Any) -> Any:
        return predictions_of(network.layers, x, values)[0, i, j].sum()

    image = pixels[np.newaxis, :, :, np.newaxis].astype("float32")
    return np.abs(gradient(unit)(image))[0, :, :, 0]


def middle_of(slopes: NumpyArray, field: Seen) -> float:
    """The share of all slopes that half of the field's height and width has."""
    top, left = field.row + field.height // 4, field.column + field.width // 4
    inner = slopes[top : top + field.height // 2, left : left + field.width // 2]
    return float(inner.sum() / slopes.sum())


def title_of(middle: float) -> str:
    """The statement, where the runs bear it out."""
    if middle > 0.35:  # an even field has a quarter there
        return (
            "Deeper units see more of the image; of what they see, the middle counts "
            "most"
        )
    return "What one unit of each layer sees of an image"


def plot(data: Data) -> Figure:
    """The fields on the photo, and the slopes."""
    figure = new_figure(4.9, data.title)
    left, right = figure.subplots(1, 2)
    for axes, pixels in ((left, data.pixels), (right, data.slopes)):
        draw_image(axes, pixels)
        axes.set_xticks(range(0, len(pixels), 5))
        axes.set_yticks(range(0, len(pixels), 5))
    for number, field in enumerate(data.fields):
        look = SERIES[number % len(SERIES)]
        left.add_patch(outline(field, GROUND, 3.5, "-"))
        left.add_patch(outline(field, look["color"], 1.8, look["linestyle"]))
    right.add_patch(outline(data.fields[-1], GROUND, 1.2, ":"))
    handles = left.patches[1::2]
    names = [field.label for field in data.fields]
    figure.legend(handles, names, loc="outside lower left", ncols=4, title="a unit of")
    left.set_xlabel("what it sees of a photo")
    right.set_xlabel(
        f"how much each pixel moves a unit of layer {len(data.fields)}:\n"
        f"{data.middle:.0%} in the middle quarter of its field"
    )
    return figure


def outline(field: Seen, color: str, width: float, line: Any) -> Rectangle:
    """The edge of a field."""
    corner = (field.column - 0.5, field.row - 0.5)
    return Rectangle(
        corner,
        field.width,
        field.height,
        facecolor="none",
        edgecolor=color,
        linewidth=width,
        linestyle=line,
    )
