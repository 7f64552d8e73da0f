"""Units that dropout switches off in real steps, and what the rate does to losses."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, trained
from thalweg.figures.samples import Sample, diabetes
from thalweg.figures.style import (
    BLUE,
    GRAY,
    TRAINING,
    VALIDATION,
    EndLabel,
    draw_band,
    label_ends,
    new_figure,
)
from thalweg.formulas.initializers import zeros
from thalweg.formulas.layers import Dense, Dropout, Layer, Namespace, Parameter, Random
from thalweg.formulas.optimizers import Adam
from thalweg.model.history import EpochRecord
from thalweg.network import Network
from thalweg.program import ops


@dataclass(frozen=True)
class Settings:
    """The steps to watch; the rates to compare, and over how many seeds."""

    watched_units: int = 16
    watched_steps: int = 12
    watched_rate: float = 0.5
    rates: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9)
    training_rows: int = 150
    units: int = 128
    learning_rate: float = 0.003
    epochs: int = 200
    seeds: int = 5


@dataclass(frozen=True)
class Data:
    """What is drawn: ``outputs[i][j]`` is unit i's output in step j, 0 if it's off."""

    title: str
    source: str
    network: str
    seeds: list[int]
    watched_rate: float
    outputs: list[list[float]]
    off: float
    training: Band
    validation: Band


@dataclass(frozen=True)
class Watch(Layer):
    """Passes everything on, and keeps what the first row of the last step was."""

    def state(self, input_shape: tuple[int, ...]) -> dict[str, Parameter]:
        """What was seen."""
        return {"seen": Parameter(input_shape, zeros)}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The input."""
        return x

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, dict[str, ops.Array]]:
        """The input, and its first row kept."""
        return x, {"seen": x[0]}


def run(settings: Settings | None = None) -> Data:
    """Watch some steps, then train at every rate from every seed."""
    chosen = settings or Settings()
    rows = diabetes().shuffled(0)
    training = rows.first(chosen.training_rows)
    rows = rows.standardized(training).standardized_target(training)
    outputs = watched(rows.first(chosen.training_rows), chosen)
    losses = [losses_at(rate, rows, chosen) for rate in chosen.rates]
    bands = [
        band(label, chosen.rates, np.array(losses)[:, :, place].T.tolist())
        for place, label in enumerate(("training", "validation"))
    ]
    return Data(
        title_of(bands[1]),
        f"{rows.source}; {chosen.training_rows} to train, the others to validate",
        f"10 inputs, {chosen.units} relu units, 1 output; "
        f"{Adam(chosen.learning_rate)}, {chosen.epochs} epochs",
        list(range(chosen.seeds)),
        chosen.watched_rate,
        outputs.tolist(),
        float((outputs == 0).mean()),
        *bands,
    )


def watched(rows: Sample, settings: Settings) -> np.ndarray:
    """The outputs of units behind dropout, in steps of real training."""
    network = Network(
        [
            Dense(settings.watched_units, "sigmoid"),
            Dropout(settings.watched_rate),
            Watch(),
            Dense(1),
        ]
    )
    seen: list[np.ndarray] = []

    def note(record: EpochRecord) -> None:
        seen.append(network.state["3.seen"])

    network.fit(
        rows.X,
        rows.y,
        epochs=settings.watched_steps,
        batch_size="all",
        validation=None,
        early_stopping=None,
        callback=note,
    )
    return np.stack(seen, axis=1)


def losses_at(
    rate: float, rows: Sample, settings: Settings
) -> list[tuple[float, float]]:
    """Training and validation loss of each seed, both as in prediction."""
    training, held_out = (
        rows.first(settings.training_rows),
        rows.rest(settings.training_rows),
    )
    hidden: list[Layer] = [Dense(settings.units, "relu"), Dropout(rate)]
    networks = [
        trained(
            [*hidden, Dense(1)],
            training,
            optimizer=Adam(settings.learning_rate),
            epochs=settings.epochs,
            seed=seed,
        )
        for seed in range(settings.seeds)
    ]
    return [
        (
            n.evaluate(training.X, training.y)["loss"],
            n.evaluate(held_out.X, held_out.y)["loss"],
        )
        for n in networks
    ]


def title_of(validation: Band) -> str:
    """The statement, where the runs bear it out."""
    if all(high < validation.low[0] for high in validation.high[1:]):
        return (
            "Dropout trains another part of the network in each step; with it the "
            "validation loss ends lower"
        )
    return "Units that dropout switches off, and the losses at several rates"


def plot(data: Data) -> Figure:
    """The units on the left, the losses on the right."""
    figure = new_figure(4.8, data.title)
    left, right = figure.subplots(1, 2)
    draw_units(left, data)
    draw_losses(right, data)
    return figure


def draw_units(axes: Axes, data: Data) -> None:
    """A disk for each unit that is on, a cross for each that is off."""
    outputs = np.array(data.outputs)
    unit, step = np.nonzero(outputs)
    axes.scatter(step + 1, unit + 1, marker="o", s=90, color=BLUE)
    unit, step = np.nonzero(outputs == 0)
    axes.scatter(step + 1, unit + 1, marker="x", s=40, color=GRAY)
    axes.set_title(
        f"Rate {data.watched_rate:g}: in {outputs.shape[1]} steps {data.off:.0%} of\n"
        "the outputs are switched off (×)"
    )
    axes.set_xlabel("step of training")
    axes.set_ylabel("unit of the hidden layer")
    axes.grid(False)


def draw_losses(axes: Axes, data: Data) -> None:
    """Both losses over the rates."""
    labels: list[EndLabel] = []
    for drawn, look in ((data.training, TRAINING), (data.validation, VALIDATION)):
        draw_band(axes, drawn, look, marker="o", markersize=5)
        labels.append(EndLabel(drawn.median[-1], drawn.label, look["color"]))
    axes.set_ylim(0)
    axes.set_title(f"After training:\nmedian and range of {len(data.seeds)} runs")
    axes.set_xlabel("dropout rate")
    axes.set_ylabel("loss: mean squared error\n(1 = guessing the mean)")
    label_ends(axes, labels)
