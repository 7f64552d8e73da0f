"""The filters of a first convolution, as drawn at random and as training makes them."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.pixels import BESIDE, draw_signed, rounded
from thalweg.figures.samples import digit_images
from thalweg.figures.style import new_figure
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten, MaxPool
from thalweg.model.history import EpochRecord
from thalweg.network import Network
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The network, and the epochs at which to look."""

    filters: int = 8
    size: int = 3
    epochs: tuple[int, ...] = (0, 1, 5)
    training_rows: int = 1200
    batch_size: int = 32
    learning_rate: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class Moment:
    """All filters after an epoch, and how many unseen digits the network knew then."""

    epoch: int
    accuracy: float
    filters: list[list[list[float]]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    moments: list[Moment]


def run(settings: Settings | None = None) -> Data:
    """Train, and stop at each of the epochs."""
    chosen = settings or Settings()
    rows = digit_images().shuffled(chosen.seed)
    training, unseen = rows.first(chosen.training_rows), rows.rest(chosen.training_rows)
    layers = layers_of(chosen)
    first = Network(layers).initialize(rows.X.shape[1:], chosen.seed)
    weights = {0: first.parameters["1.weights"]}
    right = {0: float((first.predict(unseen.X).argmax(1) == unseen.y).mean())}

    def note(record: EpochRecord) -> None:
        weights[record.epoch] = network.parameters["1.weights"]
        right[record.epoch] = record.validation_metrics["accuracy"]

    network = Network(layers)
    network.fit(
        training.X,
        training.y,
        optimizer=Adam(chosen.learning_rate),
        epochs=max(chosen.epochs),
        batch_size=chosen.batch_size,
        validation=unseen.pair,
        early_stopping=None,
        seed=chosen.seed,
        callback=note,
    )
    moments = [Moment(n, right[n], maps(weights[n])) for n in chosen.epochs]
    return Data(
        title_of(moments),
        f"{rows.source}; {len(training)} to train, the others unseen",
        [chosen.seed],
        moments,
    )


def layers_of(settings: Settings) -> list[Layer]:
    """One convolution, and what makes probabilities of it."""
    look = Conv(settings.filters, settings.size, activation="relu")
    return [look, MaxPool(2), Flatten(), Dense(10, "softmax")]


def maps(weights: NumpyArray) -> list[list[list[float]]]:
    """A matrix for each filter on the one channel of an image."""
    return rounded(np.moveaxis(weights[:, :, 0], -1, 0))


def title_of(moments: list[Moment]) -> str:
    """The statement, where the runs bear it out."""
    if moments[-1].accuracy > moments[0].accuracy + 0.3:
        return (
            f"Filters start at random; {moments[-1].epoch} epochs shape them, until "
            f"the network knows {moments[-1].accuracy:.0%} of unseen digits"
        )
    return "The filters of a first convolution while it is trained"


def plot(data: Data) -> Figure:
    """A row of filters for each epoch, on one scale."""
    count = len(data.moments[0].filters)
    figure = new_figure(4.6, data.title)
    grid = figure.subplots(len(data.moments), count, squeeze=False)
    every = np.array([moment.filters for moment in data.moments])
    most = float(np.abs(every).max())
    for row, moment in zip(grid, data.moments, strict=True):
        for axes, kernel in zip(row, moment.filters, strict=True):
            draw_signed(axes, kernel, most)
        row[0].set_ylabel(
            f"epoch {moment.epoch}\n{moment.accuracy:.0%} right", **BESIDE
        )
    for number, axes in enumerate(grid[-1], 1):
        axes.set_xlabel(f"{number}")
    figure.supxlabel("filters of 3 × 3 weights: vermilion above zero, blue below")
    return figure
