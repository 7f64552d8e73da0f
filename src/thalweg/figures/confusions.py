"""Which digits a network takes for which, and pictures of those mistakes."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.pixels import draw_image, rounded
from thalweg.figures.runs import trained
from thalweg.figures.samples import digit_images
from thalweg.figures.style import GRAY, VERMILION, legible, new_figure
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """Few rows to learn from, so that there are mistakes to see."""

    training_rows: int = 300
    epochs: int = 12
    pairs: int = 3
    pictures: int = 4
    seed: int = 0


@dataclass(frozen=True)
class Picture:
    """A digit that was taken for another, and the probability it was given."""

    pixels: list[list[float]]
    probability: float


@dataclass(frozen=True)
class Pair:
    """A digit that is taken for another, how often, and the surest of those times."""

    digit: int
    taken_for: int
    count: int
    pictures: list[Picture]


@dataclass(frozen=True)
class Data:
    """What is drawn: ``counts[i][j]`` images of digit i were taken for j."""

    title: str
    source: str
    seeds: list[int]
    counts: list[list[int]]
    pairs: list[Pair]


def run(settings: Settings | None = None) -> Data:
    """Train on few digits, and look at the mistakes on all others."""
    chosen = settings or Settings()
    rows = digit_images().shuffled(chosen.seed)
    network = trained(
        [
            Conv(16, 3, padding="same", activation="relu"),
            MaxPool(2),
            Flatten(),
            Dense(10, "softmax"),
        ],
        rows.first(chosen.training_rows),
        optimizer=Adam(0.01),
        epochs=chosen.epochs,
        seed=chosen.seed,
    )
    unseen = rows.rest(chosen.training_rows)
    p = network.predict(unseen.X)
    counts = np.zeros((10, 10), int)
    np.add.at(counts, (unseen.y, p.argmax(1)), 1)
    wrong = counts * (1 - np.eye(10, dtype=int))
    order = np.argsort(-wrong.ravel(), kind="stable")[: chosen.pairs]
    places = [(int(place) // 10, int(place) % 10) for place in order]
    pairs = [
        pair_of(digit, other, unseen.X, unseen.y, p, chosen.pictures)
        for digit, other in places
    ]
    return Data(
        f"{int(wrong.sum())} of {len(unseen)} unseen digits are taken for another, "
        f"most often a {pairs[0].digit} for a {pairs[0].taken_for}",
        f"{rows.source}; {chosen.training_rows} to train, the others unseen",
        [chosen.seed],
        counts.tolist(),
        pairs,
    )


def pair_of(
    digit: int, other: int, X: NumpyArray, y: NumpyArray, p: NumpyArray, count: int
) -> Pair:
    """The mistakes of one kind, the surest first."""
    rows = np.flatnonzero((y == digit) & (p.argmax(1) == other))
    surest = rows[np.argsort(-p[rows, other], kind="stable")][:count]
    pictures = [
        Picture(rounded(X[row, :, :, 0]), round(float(p[row, other]), 4))
        for row in surest
    ]
    return Pair(digit, other, len(rows), pictures)


def plot(data: Data) -> Figure:
    """All counts on the left, pictures of the commonest mistakes on the right."""
    figure = new_figure(5.0, data.title)
    count = max(len(pair.pictures) for pair in data.pairs)
    grid = figure.add_gridspec(len(data.pairs), 2 * count)
    draw_counts(figure.add_subplot(grid[:, :count]), data)
    for row, pair in enumerate(data.pairs):
        for column, picture in enumerate(pair.pictures, count):
            axes = figure.add_subplot(grid[row, column])
            draw_image(axes, picture.pixels)
            if column == count:
                title = f"a {pair.digit} taken for a {pair.taken_for}, {pair.count} ×"
                axes.set_title(title, fontsize=10)
            axes.set_xlabel(
                f"p({pair.taken_for}) = {picture.probability:.2f}", fontsize=8
            )
    return figure


def draw_counts(axes: Axes, data: Data) -> None:
    """A number in each cell that isn't empty; mistakes in another color, and bold."""
    axes.set_xlim(-0.5, 9.5)
    axes.set_ylim(9.5, -0.5)
    axes.set_aspect("equal")
    axes.grid(False)
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("taken for")
    axes.set_ylabel("digit")
    for (i, j), count in np.ndenumerate(np.array(data.counts)):
        if count:
            color = GRAY if i == j else legible(VERMILION)
            weight = "normal" if i == j else "bold"
            axes.text(
                j, i, f"{count}", ha="center", va="center", weight=weight, color=color
            )
