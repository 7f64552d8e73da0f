"""What augmentation makes of one digit, and what it does to accuracy on moved ones."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.pixels import draw_image, rounded
from thalweg.figures.runs import Band, band, trained
from thalweg.figures.samples import Sample, digit_images
from thalweg.figures.style import (
    TRAINING,
    VALIDATION,
    EndLabel,
    draw_band,
    label_ends,
    new_figure,
)
from thalweg.formulas.augmentation import Augment
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.program.types import NumpyArray, Shape


@dataclass(frozen=True)
class Settings:
    """How digits in a frame are varied, how far they're moved, and the training."""

    margin: int = 2
    shift: int = 2
    rotate: float = 10.0
    pictures: int = 8
    shifts: tuple[int, ...] = (0, 1, 2)
    filters: int = 8
    training_rows: int = 1000
    epochs: int = 10
    seeds: int = 3


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    layer: str
    pictures: list[list[list[float]]]
    plain: Band
    varied: Band


@dataclass(frozen=True)
class Draws:
    """Random numbers as a training step draws them."""

    generator: np.random.Generator

    def uniform(self, shape: Shape, /) -> NumpyArray:
        """Numbers in [0, 1)."""
        return self.generator.uniform(size=shape)


def run(settings: Settings | None = None) -> Data:
    """Vary one digit several times, and train with and without."""
    chosen = settings or Settings()
    layer = Augment(shift=chosen.shift, rotate=chosen.rotate)
    rows = digit_images(chosen.margin).shuffled(0)
    kinds: dict[str, list[Layer]] = {"as they are": [], "varied": [layer]}
    bands = [
        band(
            label,
            chosen.shifts,
            [accuracies(first, rows, chosen, seed) for seed in range(chosen.seeds)],
        )
        for label, first in kinds.items()
    ]
    return Data(
        title_of(*bands),
        f"{rows.source}; {chosen.training_rows} to train, the others unseen "
        "and moved to the right",
        list(range(chosen.seeds)),
        f"Augment(shift={chosen.shift}, rotate={chosen.rotate:g})",
        pictures(layer, rows.X[:1], chosen.pictures),
        *bands,
    )


def pictures(layer: Augment, image: NumpyArray, count: int) -> Any:
    """One image as it is, and as steps of training would see it."""
    several = np.repeat(image, count - 1, axis=0)
    random = Draws(np.random.default_rng(0))
    varied, _ = layer.training_forward(several, SimpleNamespace(), cast(Any, random))
    every = np.concatenate([image, np.asarray(varied)])
    return rounded(every[:, :, :, 0], 3)


def accuracies(
    first: list[Layer], rows: Sample, settings: Settings, seed: int
) -> list[float]:
    """How many unseen digits one network knows, at each shift."""
    network = trained(
        [
            *first,
            Conv(settings.filters, 3, activation="relu"),
            MaxPool(2),
            Flatten(),
            Dense(10, "softmax"),
        ],
        rows.first(settings.training_rows),
        optimizer=Adam(0.01),
        epochs=settings.epochs,
        seed=seed,
    )
    unseen = rows.rest(settings.training_rows)
    return [
        network.evaluate(np.roll(unseen.X, shift, axis=2), unseen.y)["accuracy"]
        for shift in settings.shifts
    ]


def title_of(plain: Band, varied: Band) -> str:
    """The statement, where the runs bear it out."""
    if varied.median[-1] > plain.median[-1] + 0.2:
        return "What is varied in training no longer matters: digits may move"
    return "Accuracy on digits that are moved, with and without augmentation"


def plot(data: Data) -> Figure:
    """The pictures above, the accuracies below."""
    figure = new_figure(5.4, data.title)
    grid = figure.add_gridspec(2, len(data.pictures), height_ratios=[1, 3.2])
    for number, pixels in enumerate(data.pictures):
        axes = figure.add_subplot(grid[0, number])
        draw_image(axes, pixels)
        axes.set_xlabel("varied" if number else "as it is")
    draw_accuracies(figure.add_subplot(grid[1, :]), data)
    return figure


def draw_accuracies(axes: Axes, data: Data) -> None:
    """Both bands over the shift."""
    labels: list[EndLabel] = []
    for drawn, look in ((data.plain, TRAINING), (data.varied, VALIDATION)):
        draw_band(axes, drawn, look, marker="o", markersize=5)
        labels.append(EndLabel(drawn.median[-1], drawn.label, look["color"]))
    axes.set_ylim(0, 1.02)
    axes.set_xticks(data.plain.x)
    axes.set_xlabel(f"pixels that a digit is moved; varied by {data.layer}")
    axes.set_ylabel(
        f"share of unseen digits known\n(median and range of {len(data.seeds)} runs)"
    )
    label_ends(axes, labels)
