"""SGD, momentum, RMSProp and Adam on one network, each at its best learning rate."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, trained
from thalweg.figures.samples import Sample, digits
from thalweg.figures.style import (
    SERIES,
    EndLabel,
    draw_band,
    label_ends,
    new_figure,
    plain_decades,
)
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import SGD, Adam, Optimizer, RMSProp

GOAL = 0.1
Rule = Callable[[float], Optimizer]


def momentum(learning_rate: float) -> Optimizer:
    """SGD with the usual momentum."""
    return SGD(learning_rate, momentum=0.9)


RULES: dict[str, tuple[Rule, tuple[float, ...]]] = {
    "SGD": (SGD, (0.1, 0.3, 1.0, 3.0)),
    "SGD with momentum 0.9": (momentum, (0.03, 0.1, 0.3, 1.0)),
    "RMSProp": (RMSProp, (0.001, 0.003, 0.01, 0.03)),
    "Adam": (Adam, (0.003, 0.01, 0.03, 0.1)),
}


@dataclass(frozen=True)
class Settings:
    """The rows, the network and the runs."""

    rows: int = 1000
    units: int = 32
    epochs: int = 15
    batch_size: int = 64
    seeds: int = 5
    rates: int = 4


@dataclass(frozen=True)
class Entry:
    """One rule at the learning rate that was best for it."""

    rule: str
    learning_rate: float
    tried: list[float]
    loss: Band


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    network: str
    seeds: list[int]
    entries: list[Entry]


def run(settings: Settings | None = None) -> Data:
    """Train with every rule, at several learning rates, from every seed."""
    chosen = settings or Settings()
    rows = digits().first(chosen.rows)
    entries = [best_of(name, rows, chosen) for name in RULES]
    return Data(
        title_of(entries),
        f"{rows.source}; the first {len(rows)}",
        f"64 inputs, {chosen.units} relu units, 10 softmax outputs; "
        f"batch size {chosen.batch_size}",
        list(range(chosen.seeds)),
        entries,
    )


def best_of(name: str, rows: Sample, settings: Settings) -> Entry:
    """The learning rate with the lowest median loss at the end."""
    rule, rates = RULES[name]
    tried = rates[: settings.rates]
    bands = {rate: band_of(name, rule(rate), rows, settings) for rate in tried}
    best = min(bands, key=lambda rate: bands[rate].median[-1])
    return Entry(name, best, list(tried), bands[best])


def band_of(name: str, rule: Optimizer, rows: Sample, settings: Settings) -> Band:
    """The training losses over all seeds."""
    losses = [
        trained(
            [Dense(settings.units, "relu"), Dense(10, "softmax")],
            rows,
            optimizer=rule,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            seed=seed,
        ).history.training_loss
        for seed in range(settings.seeds)
    ]
    return band(name, range(1, settings.epochs + 1), losses)


def title_of(entries: list[Entry]) -> str:
    """The statement, where the runs bear it out."""
    steepest = min(entries, key=lambda entry: epochs_to(GOAL, entry.loss))
    lowest = min(entries, key=lambda entry: entry.loss.median[-1])
    if epochs_to(GOAL, steepest.loss) > len(steepest.loss.x):
        return "Four optimizers on one network, each at the best learning rate tried"
    first = f"{steepest.rule} is the first below a loss of {GOAL}"
    if steepest is lowest:
        return f"{first}, and ends lowest"
    return f"{first}; {lowest.rule} ends lowest"


def epochs_to(goal: float, loss: Band) -> int:
    """How many epochs the median takes to get below a goal; one too many if it never
    does.
    """
    return 1 + sum(1 for _ in takewhile(lambda value: value >= goal, loss.median))


def plot(data: Data) -> Figure:
    """A line a rule."""
    figure = new_figure(5.2, data.title)
    axes = figure.subplots()
    labels: list[EndLabel] = []
    axes.set_yscale("log")
    for entry, look in zip(data.entries, SERIES, strict=True):
        draw_band(axes, entry.loss, look)
        text = f"{entry.rule},\nlearning rate {entry.learning_rate:g}"
        labels.append(EndLabel(entry.loss.median[-1], text, look["color"]))
    axes.set_xlabel("epoch")
    axes.set_ylabel("training loss: cross-entropy (nats)")
    axes.set_title(
        f"Median and range of {len(data.seeds)} runs, each rule at the best learning "
        "rate of those tried"
    )
    plain_decades(axes.yaxis)
    label_ends(axes, labels)
    return figure
