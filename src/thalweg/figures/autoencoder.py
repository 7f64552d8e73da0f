"""Digits through a few numbers and back, and what lies between two of them."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.pixels import BESIDE, draw_image, rounded
from thalweg.figures.samples import digit_images
from thalweg.figures.style import new_figure
from thalweg.formulas.convolution import Conv, ConvTranspose
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten
from thalweg.formulas.preparation import Reshape
from thalweg.network import Network
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The numbers in the middle, the training, and which digits are joined."""

    code: int = 8
    filters: int = 16
    training_rows: int = 1200
    epochs: int = 40
    shown: int = 8
    ends: tuple[int, int] = (0, 4)
    steps: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    code: int
    ends: list[int]
    error: float
    spread: float
    digits: list[list[list[float]]]
    reconstructions: list[list[list[float]]]
    path: list[list[list[float]]]


def run(settings: Settings | None = None) -> Data:
    """Train to give what is put in, then decode codes between those of two digits."""
    chosen = settings or Settings()
    rows = digit_images().shuffled(chosen.seed)
    training, unseen = rows.first(chosen.training_rows), rows.rest(chosen.training_rows)
    encoder, decoder = halves(chosen)
    network = Network([*encoder, *decoder])
    network.fit(
        training.X,
        training.X,
        loss="mean_squared_error",
        optimizer=Adam(0.005),
        epochs=chosen.epochs,
        validation=None,
        early_stopping=None,
        seed=chosen.seed,
    )
    given = network.predict(unseen.X)
    error, spread = (
        distance(each, unseen.X) for each in (given, np.mean(training.X, axis=0))
    )
    return Data(
        title_of(chosen.code, error / spread),
        f"{rows.source}; {len(training)} to train, those shown unseen",
        [chosen.seed],
        chosen.code,
        list(chosen.ends),
        error,
        spread,
        images(unseen.X[: chosen.shown]),
        images(given[: chosen.shown]),
        images(between(network, len(encoder), unseen.X, unseen.y, chosen)),
    )


def distance(given: NumpyArray, wanted: NumpyArray) -> float:
    """The mean squared error."""
    return float(np.square(given - wanted).mean())


def title_of(code: int, unexplained: float) -> str:
    """The statement, where the run bears it out."""
    if unexplained < 0.3:
        return f"{code} numbers are enough to draw a digit of 64 pixels again"
    return f"Digits through {code} numbers and back"


def halves(settings: Settings) -> tuple[list[Layer], list[Layer]]:
    """What makes a code of a digit, and what makes a digit of a code."""
    filters = settings.filters
    encoder: list[Layer] = [
        Conv(filters, 3, 2, "same", activation="relu"),
        Conv(2 * filters, 3, 2, "same", activation="relu"),
        Flatten(),
        Dense(settings.code),
    ]
    decoder: list[Layer] = [
        Dense(4 * 2 * filters, "relu"),
        Reshape((2, 2, 2 * filters)),
        ConvTranspose(filters, 4, 2, "same", activation="relu"),
        ConvTranspose(1, 4, 2, "same", activation="sigmoid"),
    ]
    return encoder, decoder


def between(
    network: Network, count: int, X: NumpyArray, y: NumpyArray, settings: Settings
) -> NumpyArray:
    """Digits of codes on the straight line between those of two digits."""
    ends = X[[int(np.argmax(y == digit)) for digit in settings.ends]]
    first, last = network.feature_maps(ends, count)
    t = np.linspace(0, 1, settings.steps)[:, np.newaxis]
    return decoder_of(network, count).predict((1 - t) * first + t * last)


def decoder_of(network: Network, count: int) -> Network:
    """The layers behind the code as a network of their own."""
    decoder = Network(network.layers[count:])
    decoder.initialize(network.shapes.outputs[count])
    named = (name.split(".", 1) for name in network.parameters)
    values: dict[str, Any] = {
        f"{int(number) - count}.{name}": network.parameters[f"{number}.{name}"]
        for number, name in named
        if int(number) > count
    }
    decoder.set_parameters(values)
    return decoder


def images(rows: NumpyArray) -> list[list[list[float]]]:
    """Each row as a matrix of pixels."""
    return rounded(rows[:, :, :, 0], 3)


def plot(data: Data) -> Figure:
    """Digits, their reconstructions, and the path."""
    figure = new_figure(4.9, data.title)
    grid = figure.subplots(3, len(data.digits), squeeze=False)
    for row, pictures in zip(
        grid, (data.digits, data.reconstructions, data.path), strict=True
    ):
        for axes, pixels in zip(row, pictures, strict=True):
            draw_image(axes, pixels)
    first, last = data.ends
    names = [
        "unseen\ndigits",
        f"from {data.code}\nnumbers",
        f"from a {first}\nto a {last}",
    ]
    for axes, name in zip(grid[:, 0], names, strict=True):
        axes.set_ylabel(name, **BESIDE)
    for axes, part in zip(grid[-1], np.linspace(0, 1, len(data.path)), strict=True):
        axes.set_xlabel(f"{part:.2f}")
    figure.supxlabel(
        f"mean squared error {data.error:.3f}; always guessing the mean digit has "
        f"{data.spread:.3f}"
    )
    return figure
