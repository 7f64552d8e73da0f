"""What each layer of a trained network makes of one digit."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.pixels import BESIDE, draw_image, rounded
from thalweg.figures.runs import trained
from thalweg.figures.samples import digit_images
from thalweg.figures.style import BLUE, INK, VERMILION, new_figure
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.network import Network
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The network, how long it trains, and how many maps of a layer are drawn."""

    filters: int = 8
    training_rows: int = 1200
    epochs: int = 8
    maps: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Step:
    """Maps that a layer gives, all between zero and the layer's largest number."""

    label: str
    shape: str
    maps: list[list[list[float]]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    pixels: list[list[float]]
    digit: int
    steps: list[Step]
    probabilities: list[float]


def run(settings: Settings | None = None) -> Data:
    """Train, then send a digit through that was never seen."""
    chosen = settings or Settings()
    rows = digit_images().shuffled(chosen.seed)
    training = rows.first(chosen.training_rows)
    network = trained(
        [
            Conv(chosen.filters, 3, padding="same", activation="relu"),
            MaxPool(2),
            Conv(2 * chosen.filters, 3, padding="same", activation="relu"),
            Flatten(),
            Dense(10, "softmax"),
        ],
        training,
        optimizer=Adam(0.005),
        epochs=chosen.epochs,
        seed=chosen.seed,
    )
    unseen = rows.rest(chosen.training_rows)
    image, digit = unseen.X[:1], int(unseen.y[0])
    names = "convolution", "max pooling", "convolution"
    return Data(
        f"What each layer makes of a {digit}: a map for each filter",
        f"{rows.source}; {len(training)} to train, this digit unseen",
        [chosen.seed],
        rounded(image[0, :, :, 0]),
        digit,
        [
            step(network, image, number, name, chosen.maps)
            for number, name in enumerate(names, 1)
        ],
        rounded(network.predict(image)[0]),
    )


def step(
    network: Network, image: NumpyArray, number: int, name: str, count: int
) -> Step:
    """The first maps of a layer."""
    maps = network.feature_maps(image, number)[0]
    height, width, filters = maps.shape
    more = f",\n{count} of them here" if filters > count else ""
    return Step(
        name,
        f"{filters} maps of {height} × {width}{more}",
        rounded(np.moveaxis(maps, -1, 0)[:count]),
    )


def plot(data: Data) -> Figure:
    """The digit and the probabilities above, the maps of each layer in rows below."""
    figure = new_figure(6.4, data.title)
    above, below = cast(Any, figure.subfigures(2, 1, height_ratios=[1, 2.6]))
    digit, chart = above.subplots(1, 2, width_ratios=[1, 1.6])
    draw_image(digit, data.pixels)
    digit.set_xlabel("the digit, 8 × 8 pixels")
    draw_probabilities(chart, data)
    grid = below.subplots(len(data.steps), len(data.steps[0].maps), squeeze=False)
    for row, each in zip(grid, data.steps, strict=True):
        most = float(np.max(each.maps)) or 1.0
        row[0].set_ylabel(f"{each.label}:\n{each.shape}", **BESIDE)
        for axes, pixels in zip(row, each.maps, strict=True):
            draw_image(axes, pixels, 0.0, most)
    for number, axes in enumerate(grid[-1], 1):
        axes.set_xlabel(f"{number}")
    return figure


def draw_probabilities(axes: Axes, data: Data) -> None:
    """A bar for each class, that of the digit in another color."""
    digits = range(len(data.probabilities))
    colors = [VERMILION if n == data.digit else BLUE for n in digits]
    bars = axes.bar(digits, data.probabilities, color=colors)
    bars[data.digit].set_edgecolor(INK)
    axes.set_xticks(list(digits))
    axes.set_ylim(0, 1)
    axes.set_ylabel("probability")
    axes.set_xlabel("class, as the last layer says")
