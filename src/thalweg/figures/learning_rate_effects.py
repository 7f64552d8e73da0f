"""Learning rates too small, good, too large and diverging, on one real network."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, diverged, trained
from thalweg.figures.samples import diabetes
from thalweg.figures.style import SERIES, VERMILION, EndLabel, label_ends, new_figure
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import SGD

BOUND = 1e3  # a loss above it, or after divergence, is drawn here, outside the axes
HIGHEST, LOWEST = 20.0, 0.3


@dataclass(frozen=True)
class Settings:
    """The rates to compare; those to show step by step; steps and seeds."""

    rates: tuple[float, ...] = (
        0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0,
    )  # fmt: skip
    shown: tuple[float, ...] = (0.001, 0.2, 0.4, 1.0)
    steps: int = 200
    seeds: int = 7
    units: int = 16


@dataclass(frozen=True)
class Rate:
    """What happened at one learning rate, over all seeds."""

    rate: float
    loss: Band
    diverged: int
    runs: int
    verdict: str


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    network: str
    seeds: list[int]
    shown: list[Rate]
    rates: list[float]
    final: Band
    diverged: list[int]


def run(settings: Settings | None = None) -> Data:
    """Gradient descent on all rows at every rate, from every seed."""
    chosen = settings or Settings()
    every = [runs_at(rate, chosen) for rate in chosen.rates]
    best = min(every, key=lambda each: each.loss.median[-1]).rate
    shown = [
        Rate(e.rate, e.loss, e.diverged, e.runs, verdict(e, best, every))
        for e in every
        if e.rate in chosen.shown
    ]
    final = Band(
        "loss after the last step",
        list(chosen.rates),
        [each.loss.median[-1] for each in every],
        [each.loss.low[-1] for each in every],
        [each.loss.high[-1] for each in every],
    )
    return Data(
        title_of(every, best, chosen.steps),
        diabetes().source,
        f"10 inputs, {chosen.units} tanh units, 1 output; gradient descent on all rows",
        list(range(chosen.seeds)),
        shown,
        list(chosen.rates),
        final,
        [each.diverged for each in every],
    )


def runs_at(rate: float, settings: Settings) -> Rate:
    """The losses of all seeds at a learning rate."""
    rows = diabetes().standardized().standardized_target()
    losses: list[list[float]] = []
    failed = 0
    for seed in range(settings.seeds):
        network = trained(
            [Dense(settings.units, "tanh"), Dense(1)],
            rows,
            optimizer=SGD(rate),
            epochs=settings.steps,
            batch_size="all",
            seed=seed,
        )
        failed += diverged(network)
        losses.append(bounded(network.history.training_loss, settings.steps))
    curve = band(f"{rate:g}", range(settings.steps), losses)
    return Rate(rate, curve, failed, settings.seeds, "")


def bounded(losses: list[float], steps: int) -> list[float]:
    """The losses up to the bound, which also stands for those after divergence."""
    finite = [min(loss, BOUND) for loss in losses]
    return finite + [BOUND] * (steps - len(finite))


def verdict(rate: Rate, best: float, every: list[Rate]) -> str:
    """What the runs show of a learning rate."""
    if rate.diverged == rate.runs:
        return "diverges"
    if rate.diverged:
        return "too large"
    least = min(each.loss.median[-1] for each in every)
    if rate.loss.median[-1] <= 1.1 * least:
        return "good"
    return "too small" if rate.rate < best else "too large"


def title_of(every: list[Rate], best: float, steps: int) -> str:
    """The statement, where the runs bear it out."""
    smallest, largest = every[0], every[-1]
    crawls = smallest.loss.median[-1] > 1.2 * min(e.loss.median[-1] for e in every)
    if crawls and largest.diverged == largest.runs and 0 < every.index(
        next(e for e in every if e.rate == best)
    ) < len(every) - 1:
        return "Too small a learning rate crawls, too large a one runs away"
    return f"The loss at {len(every)} learning rates, over {steps} steps"


def plot(data: Data) -> Figure:
    """The losses step by step; beside them, the last loss by learning rate."""
    figure = new_figure(12, 5.4, data.title)
    left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, HIGHEST)
        axes.set_yticks([0.3, 0.5, 1, 2, 5, 10, 20], ["0.3", "0.5", "1", "2", "5", "10", "20"])
        axes.minorticks_off()
    draw_steps(left, data)
    draw_final(right, data)
    return figure


def draw_steps(axes: Axes, data: Data) -> None:
    """Median and band of each learning rate that is shown."""
    labels: list[EndLabel] = []
    for rate, look in zip(data.shown, SERIES, strict=False):
        axes.plot(rate.loss.x, rate.loss.median, **look)
        axes.fill_between(
            rate.loss.x, rate.loss.low, rate.loss.high, color=look["color"], alpha=0.18, lw=0
        )
        ends = f"\n{rate.diverged} of {rate.runs} diverged" if rate.diverged else ""
        text = f"{rate.rate:g}: {rate.verdict}{ends}"
        labels.append(EndLabel(rate.loss.median[-1], text, look["color"]))
    label_ends(axes, labels)
    axes.set_title(f"Median and range of {len(data.seeds)} runs")
    axes.set_xlabel("steps of gradient descent")
    axes.set_ylabel("training loss (1 = guessing the mean)")


def draw_final(axes: Axes, data: Data) -> None:
    """The loss after the last step, with a cross on top where runs diverged."""
    axes.set_xscale("log")
    axes.plot(data.final.x, data.final.median, color="black", marker="o", markersize=5)
    axes.fill_between(data.final.x, data.final.low, data.final.high, color="black", alpha=0.15, lw=0)
    for rate, count in zip(data.rates, data.diverged, strict=True):
        if count:
            axes.plot([rate], [HIGHEST / 1.25], "x", color=VERMILION, markersize=8, mew=2)
    axes.set_title(f"Loss after {len(data.shown[0].loss.x)} steps (×: runs diverged)")
    axes.set_xlabel("learning rate")
