"""What a network looks at: saliency and occlusion, on digits that it never saw."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.pixels import BESIDE, draw_image, draw_signed, rounded
from thalweg.figures.runs import trained
from thalweg.figures.samples import digit_images
from thalweg.figures.style import new_figure
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.network import Network
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The network, which digits are asked about, and the patch."""

    digits: tuple[int, ...] = (0, 3, 4, 7)
    patch: int = 2
    filters: int = 12
    training_rows: int = 1200
    epochs: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Panel:
    """A digit, how its pixels count, and what a patch takes of its probability.

    Both maps are shares of their largest number.
    """

    label: str
    pixels: list[list[float]]
    saliency: list[list[float]]
    steepest: float
    lost: list[list[float]]
    most_lost: float


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    patch: int
    panels: list[Panel]


def run(settings: Settings | None = None) -> Data:
    """Train, and ask about the first unseen image of each digit."""
    chosen = settings or Settings()
    rows = digit_images().shuffled(chosen.seed)
    network = trained(
        [
            Conv(chosen.filters, 3, padding="same", activation="relu"),
            MaxPool(2),
            Conv(2 * chosen.filters, 3, padding="same", activation="relu"),
            Flatten(),
            Dense(10, "softmax"),
        ],
        rows.first(chosen.training_rows),
        optimizer=Adam(0.005),
        epochs=chosen.epochs,
        seed=chosen.seed,
    )
    unseen = rows.rest(chosen.training_rows)
    firsts = [int(np.argmax(unseen.y == digit)) for digit in chosen.digits]
    return Data(
        "What moves the network's mind: single pixels, and strokes that are hidden",
        f"{rows.source}; {chosen.training_rows} to train, these unseen",
        [chosen.seed],
        chosen.patch,
        [
            panel(network, unseen.X[row : row + 1], int(unseen.y[row]), chosen.patch)
            for row in firsts
        ],
    )


def panel(network: Network, image: NumpyArray, digit: int, patch: int) -> Panel:
    """One digit."""
    p = float(network.predict(image)[0, digit])
    slopes = network.saliency(image, [digit])[0, :, :, 0]
    lost = p - network.occlusion(image, [digit], size=patch)[0]
    return Panel(
        f"p({digit}) = {p:.3f}",
        rounded(image[0, :, :, 0]),
        rounded(slopes / slopes.max()),
        float(slopes.max()),
        rounded(lost / np.abs(lost).max()),
        float(np.abs(lost).max()),
    )


def plot(data: Data) -> Figure:
    """A column for each digit: itself, saliency, occlusion."""
    figure = new_figure(6.4, data.title)
    grid = figure.subplots(3, len(data.panels))
    names = [
        "the digit",
        "saliency\n|∂ log p / ∂ pixel|",
        f"probability lost to a\npatch of {data.patch} × {data.patch}",
    ]
    for axes, name in zip(grid[:, 0], names, strict=True):
        axes.set_ylabel(name, **BESIDE)
    for column, each in zip(grid.T, data.panels, strict=True):
        draw_image(column[0], each.pixels)
        draw_signed(column[1], each.saliency, 1.0)
        draw_signed(column[2], each.lost, 1.0)
        column[0].set_title(each.label, fontsize=10)
        column[1].set_xlabel(f"up to {each.steepest:.2g}")
        column[2].set_xlabel(f"up to {each.most_lost:.2g}")
    return figure
