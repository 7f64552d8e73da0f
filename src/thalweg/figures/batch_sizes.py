"""All rows, a few rows or one row a step: loss by rows seen, and by steps taken."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, trained
from thalweg.figures.samples import Sample, breast_cancer
from thalweg.figures.style import (
    SERIES,
    EndLabel,
    draw_band,
    label_ends,
    new_figure,
    plain_decades,
)
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import SGD

TICKS = (0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True)
class Settings:
    """Batch sizes with the epochs of each, and what they share."""

    batches: tuple[tuple[int | str, int], ...] = (("all", 500), (32, 100), (1, 15))
    units: int = 8
    learning_rate: float = 0.3
    seeds: int = 5


@dataclass(frozen=True)
class Entry:
    """One batch size: the loss of all rows after each epoch."""

    label: str
    batch_size: int
    steps_per_epoch: int
    rises: float
    by_epoch: Band
    by_step: Band


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    network: str
    seeds: list[int]
    entries: list[Entry]


def run(settings: Settings | None = None) -> Data:
    """Train with every batch size from every seed."""
    chosen = settings or Settings()
    rows = breast_cancer().standardized()
    entries = [entry(size, epochs, rows, chosen) for size, epochs in chosen.batches]
    return Data(
        title_of(entries),
        rows.source,
        f"30 inputs, {chosen.units} tanh units, 1 sigmoid output; "
        f"{SGD(chosen.learning_rate)}",
        list(range(chosen.seeds)),
        entries,
    )


def entry(size: int | str, epochs: int, rows: Sample, settings: Settings) -> Entry:
    """The losses of a batch size over all seeds."""
    histories = [
        trained(
            [Dense(settings.units, "tanh"), Dense(1, "sigmoid")],
            rows,
            optimizer=SGD(settings.learning_rate),
            epochs=epochs,
            batch_size=size,
            # The training loss of an epoch mixes many steps: score all rows after it.
            validation=(rows.X, rows.y),
            seed=seed,
        ).history
        for seed in range(settings.seeds)
    ]
    count = len(rows) if isinstance(size, str) else size
    steps = -(-len(rows) // count)
    label = {1: "1 row a step", len(rows): f"all {count} rows a step"}.get(
        count, f"{count} rows a step"
    )
    losses = [history.validation_loss for history in histories]
    after = range(1, epochs + 1)
    return Entry(
        label,
        count,
        steps,
        rises_in(losses),
        band(label, after, losses),
        band(label, [steps * epoch for epoch in after], losses),
    )


def rises_in(losses: Sequence[Sequence[float]]) -> float:
    """The fraction of epochs after which the loss was higher than before."""
    changes = np.diff(np.asarray(losses), axis=1)
    return float((changes > 0).mean()) if changes.size else 0.0


def title_of(entries: list[Entry]) -> str:
    """The statement, where the runs bear it out."""
    largest, smallest = entries[0], entries[-1]
    after_one = [entry.by_epoch.median[0] for entry in entries]
    fastest = after_one == sorted(after_one, reverse=True)
    if fastest and smallest.rises > 0.2 and largest.rises == 0:
        return (
            "One row a step starts fastest, but unsteadily; all rows a step is smooth, "
            "but slow"
        )
    return "The loss by rows seen, and by steps taken"


def plot(data: Data) -> Figure:
    """By epochs on the left, by steps on the right."""
    figure = new_figure(4.8, data.title)
    left, right = figure.subplots(1, 2, sharey=True)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain_decades(axes.xaxis)
    left.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    left.yaxis.set_minor_formatter("")
    for entry, look in zip(data.entries, SERIES, strict=False):
        draw_band(left, entry.by_epoch, look)
        draw_band(right, entry.by_step, look)
    label_ends(
        right,
        [
            EndLabel(entry.by_step.median[-1], entry.label, look["color"])
            for entry, look in zip(data.entries, SERIES, strict=False)
        ],
    )
    left.set_xlabel("epochs: passes over the rows")
    right.set_xlabel("steps: updates of parameters")
    left.set_ylabel("loss on all rows: cross-entropy (nats)")
    left.set_title(f"By rows seen:\nmedian and range of {len(data.seeds)} runs")
    right.set_title("By steps taken:\nthe same runs")
    return figure
