"""Pooling: the largest number of each window, or the mean; on numbers and a photo."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.pixels import draw_image, draw_numbers, rounded
from thalweg.figures.samples import photo
from thalweg.figures.style import new_figure
from thalweg.formulas.pooling import MaxPool, MeanPool, Pool
from thalweg.network import Network
from thalweg.program.types import NumpyArray

NUMBERS = [[1, 3, 0, 2], [4, 2, 1, 1], [0, 0, 5, 7], [2, 6, 8, 4]]


@dataclass(frozen=True)
class Settings:
    """The photo's pixels that become one, and the windows of pooling on it."""

    step: int = 4
    size: int = 5


@dataclass(frozen=True)
class Pooled:
    """Numbers as they are, and what each kind of pooling makes of them."""

    labels: list[str]
    images: list[list[list[float]]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    numbers: Pooled
    scene: Pooled


def run(settings: Settings | None = None) -> Data:
    """Put both through both kinds of pooling."""
    chosen = settings or Settings()
    scene, source = photo(chosen.step)
    return Data(
        "Pooling keeps one number of each window, and forgets where in it it was",
        f"sixteen numbers; {source}",
        [],
        pooled("4 × 4 numbers", np.array(NUMBERS, float), 2),
        pooled(f"{scene.shape[0]} × {scene.shape[1]} pixels", scene, chosen.size),
    )


def pooled(label: str, numbers: NumpyArray, size: int) -> Pooled:
    """Numbers before and after."""
    kinds: dict[str, Pool] = {"largest": MaxPool(size), "mean": MeanPool(size)}
    after = [through(layer, numbers) for layer in kinds.values()]
    labels = [f"{kind} of each {size} × {size}" for kind in kinds]
    return Pooled([label, *labels], [rounded(each, 3) for each in (numbers, *after)])


def through(layer: Pool, numbers: NumpyArray) -> Any:
    """What a layer makes of an image of one channel."""
    network = Network([layer]).initialize((*numbers.shape, 1))
    return network.predict(numbers[np.newaxis, ..., np.newaxis])[0, :, :, 0]


def plot(data: Data) -> Figure:
    """The numbers above, the photo below."""
    figure = new_figure(5.6, data.title)
    grid = figure.subplots(2, 3)
    for axes, label, numbers in zip(
        grid[0], data.numbers.labels, data.numbers.images, strict=True
    ):
        draw_numbers(axes, numbers)
        axes.set_xlabel(label)
    for axes, label, pixels in zip(
        grid[1], data.scene.labels, data.scene.images, strict=True
    ):
        draw_image(axes, pixels)
        axes.set_xlabel(label)
    return figure
