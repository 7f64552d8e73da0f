"""All rows, a few rows or one row a step: loss by rows seen, and by steps taken."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, trained
from thalweg.figures.samples import Sample, breast_cancer
from thalweg.figures.style import SERIES, EndLabel, label_ends, new_figure
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import SGD


@dataclass(frozen=True)
class Settings:
    """Batch sizes with the epochs of each, and what they share."""

    batches: tuple[tuple[int | str, int], ...] = (("all", 500), (32, 100), (1, 20))
    units: int = 8
    learning_rate: float = 0.03
    seeds: int = 5


@dataclass(frozen=True)
class Entry:
    """One batch size: the loss of all rows after each epoch."""

    label: str
    batch_size: int
    steps_per_epoch: int
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
        f"30 inputs, {chosen.units} tanh units, 1 sigmoid output; {SGD(chosen.learning_rate)}",
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
        band(label, after, losses),
        band(label, [steps * epoch for epoch in after], losses),
    )


def title_of(entries: list[Entry]) -> str:
    """The statement, where the runs bear it out."""
    last = min(len(entry.by_epoch.x) for entry in entries) - 1
    after = [entry.by_epoch.median[last] for entry in entries]
    if after == sorted(after, reverse=True):
        return "Small batches learn more from each row, large batches more from each step"
    return "The loss by rows seen, and by steps taken"


def plot(data: Data) -> Figure:
    """By epochs on the left, by steps on the right."""
    figure = new_figure(12.5, 5.4, data.title)
    left, right = figure.subplots(1, 2, sharey=True)
    draw_bands(left, data.entries, [entry.by_epoch for entry in data.entries])
    draw_bands(right, data.entries, [entry.by_step for entry in data.entries])
    left.set_xlabel("epochs (every row seen once in each)")
    right.set_xlabel("steps (updates of the parameters)")
    left.set_ylabel("loss on all rows: cross-entropy (nats)")
    left.set_title(f"By rows seen: median and range of {len(data.seeds)} runs")
    right.set_title("The same runs by steps taken")
    return figure


def draw_bands(axes: Axes, entries: list[Entry], bands: list[Band]) -> None:
    """A line a batch size."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for look, drawn in zip(SERIES, bands, strict=False):
        axes.plot(drawn.x, drawn.median, label=drawn.label, **look)
        axes.fill_between(drawn.x, drawn.low, drawn.high, color=look["color"], alpha=0.18, lw=0)
    axes.legend()
