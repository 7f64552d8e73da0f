"""How well networks know digits that are moved aside, which they never saw moved."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, trained
from thalweg.figures.samples import Sample, digit_images
from thalweg.figures.style import SERIES, EndLabel, draw_band, label_ends, new_figure
from thalweg.formulas.convolution import Conv
from thalweg.formulas.layers import Dense, Layer
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.pooling import Flatten, GlobalMax


@dataclass(frozen=True)
class Settings:
    """The frame around digits, how far they're moved, and the networks' training."""

    margin: int = 3
    shifts: tuple[int, ...] = (0, 1, 2, 3)
    filters: int = 8
    training_rows: int = 800
    epochs: int = 6
    seeds: int = 3


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    bands: list[Band]


def run(settings: Settings | None = None) -> Data:
    """Train on digits in the middle, and ask about the same moved to the right."""
    chosen = settings or Settings()
    rows = digit_images(chosen.margin).shuffled(0)
    bands = [
        band(
            label,
            chosen.shifts,
            [accuracies(layers, rows, chosen, seed) for seed in range(chosen.seeds)],
        )
        for label, layers in networks(chosen.filters).items()
    ]
    return Data(
        title_of(bands),
        f"{rows.source}; {chosen.training_rows} to train, in the middle, the others "
        "unseen and moved to the right",
        list(range(chosen.seeds)),
        bands,
    )


def networks(filters: int) -> dict[str, list[Layer]]:
    """Without convolutions, with them, and with a last one that forgets places."""
    look: list[Layer] = [
        Conv(filters, 3, padding="same", activation="relu"),
        Conv(2 * filters, 3, padding="same", dilation=2, activation="relu"),
    ]
    dense: list[Layer] = [Flatten(), Dense(64, "relu"), Dense(10, "softmax")]
    return {
        "dense": dense,
        "convolutions,\nthen flattened": [*look, Flatten(), Dense(10, "softmax")],
        "convolutions,\nlargest of all places": [
            *look,
            GlobalMax(),
            Dense(10, "softmax"),
        ],
    }


def accuracies(
    layers: list[Layer], rows: Sample, settings: Settings, seed: int
) -> list[float]:
    """How many unseen digits one network knows, at each shift."""
    network = trained(
        layers,
        rows.first(settings.training_rows),
        optimizer=Adam(0.005),
        epochs=settings.epochs,
        seed=seed,
    )
    unseen = rows.rest(settings.training_rows)
    return [
        network.evaluate(np.roll(unseen.X, shift, axis=2), unseen.y)["accuracy"]
        for shift in settings.shifts
    ]


def title_of(bands: list[Band]) -> str:
    """The statement, where the runs bear it out."""
    dense, _, free = [each.median[-1] for each in bands]
    if free > 0.8 > dense + 0.2:
        return (
            f"Digits moved by {bands[0].x[-1]:g} pixels are new to a dense network, "
            "and old to one that looks everywhere alike"
        )
    return "Accuracy on digits that are moved aside"


def plot(data: Data) -> Figure:
    """A line for each network over the shift."""
    figure = new_figure(4.6, data.title)
    axes = figure.subplots()
    labels: list[EndLabel] = []
    for drawn, look in zip(data.bands, SERIES, strict=False):
        draw_band(axes, drawn, look, marker="o", markersize=5)
        labels.append(EndLabel(drawn.median[-1], drawn.label, look["color"]))
    axes.set_ylim(0, 1.02)
    axes.set_xticks(data.bands[0].x)
    axes.set_xlabel("pixels that a digit is moved to the right")
    axes.set_ylabel(
        f"share of unseen digits known\n(median and range of {len(data.seeds)} runs)"
    )
    label_ends(axes, labels)
    return figure
