"""Learning rates too small, good, too large and diverging, on one real network."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thalweg.figures.runs import Band, band, diverged, trained
from thalweg.figures.samples import diabetes
from thalweg.figures.style import INK, SERIES, VERMILION, draw_band, legible, new_figure
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
    losses: list[list[float]]
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
    bound: float


def run(settings: Settings | None = None) -> Data:
    """Gradient descent on all rows at every rate, from every seed."""
    chosen = settings or Settings()
    every = [runs_at(rate, chosen) for rate in chosen.rates]
    best = min(every, key=lambda each: each.loss.median[-1]).rate
    shown = [
        replace(e, verdict=verdict(e, best, every))
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
        BOUND,
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
    return Rate(rate, curve, losses, failed, settings.seeds, "")


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
    crawls = verdict(smallest, best, every) == "too small"
    if crawls and largest.diverged == largest.runs:
        return "Too small a learning rate crawls, too large a rate runs away"
    return f"The loss at {len(every)} learning rates, over {steps} steps"


def plot(data: Data) -> Figure:
    """The losses step by step at some rates; below, the last loss at all of them."""
    figure = new_figure(7.8, data.title)
    cells = figure.add_gridspec(2, len(data.shown), height_ratios=[1.1, 1])
    first: Axes | None = None
    for place, (rate, look) in enumerate(zip(data.shown, SERIES, strict=False)):
        axes = figure.add_subplot(cells[0, place], sharex=first, sharey=first)
        first = first or axes
        draw_steps(axes, rate, look)
        axes.tick_params(labelleft=axes is first)
    if first is not None:
        first.set_ylabel("training loss\n(1 = guessing the mean)")
        loss_scale(first, HIGHEST)
    draw_final(figure.add_subplot(cells[1, :]), data)
    return figure


def loss_scale(axes: Axes, highest: float) -> None:
    """A logarithmic scale with plain numbers."""
    axes.set_yscale("log")
    ticks = [tick for tick in (0.3, 0.5, 1, 2, 5, 10, 20) if tick <= highest]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(LOWEST, highest)


def draw_steps(axes: Axes, rate: Rate, look: Mapping[str, Any]) -> None:
    """Each run, their range and their median."""
    for losses in rate.losses:
        axes.plot(rate.loss.x, losses, color=look["color"], linewidth=0.6, alpha=0.6)
    draw_band(axes, rate.loss, look)
    outcome = f"{rate.diverged} of {rate.runs} runs diverged" if rate.diverged else ""
    axes.set_title(
        f"Rate {rate.rate:g}:\n{rate.verdict}\n{outcome}",
        color=legible(look["color"]),
        fontsize=10.5,
    )
    axes.set_xlabel("steps")


def draw_final(axes: Axes, data: Data) -> None:
    """The loss after the last step, with a cross on top where runs diverged."""
    axes.set_xscale("log")
    axes.plot(data.final.x, data.final.median, color=INK, marker="o", markersize=5)
    axes.fill_between(
        data.final.x, data.final.low, data.final.high, color=INK, alpha=0.13, lw=0
    )
    loss_scale(axes, 2.5)
    for rate, count in zip(data.rates, data.diverged, strict=True):
        if count:
            axes.annotate(
                f"{count}\n×",
                (rate, 1.01),
                xycoords=axes.get_xaxis_transform(),
                ha="center",
                color=legible(VERMILION),
            )
    for rate, look in zip(data.shown, SERIES, strict=False):
        if rate.diverged < rate.runs:
            place = (rate.rate, rate.loss.median[-1])
            axes.plot(*place, "o", color=look["color"], markersize=11)
    steps = len(data.shown[0].loss.x) if data.shown else 0
    axes.set_xticks(data.rates, [f"{rate:g}" for rate in data.rates], fontsize=9)
    axes.minorticks_off()
    axes.set_title(
        f"Loss after {steps} steps, median and range of {len(data.seeds)} runs "
        "(×: how many of them diverged)"
    )
    axes.set_xlabel("learning rate")
    axes.set_ylabel("training loss")
