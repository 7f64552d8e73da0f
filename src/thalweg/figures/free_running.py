"""A series predicted an hour ahead from its truth, and on and on from predictions."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.examples import bikers
from thalweg.figures.pixels import rounded
from thalweg.figures.runs import trained
from thalweg.figures.samples import Sample
from thalweg.figures.style import GRAY, INK, SERIES, new_figure
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.recurrence import LSTM
from thalweg.formulas.schedules import OneCycle
from thalweg.network import Network
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The network, and what it is told before it goes on by itself."""

    units: int = 32
    told: int = 72
    ahead: int = 48
    apart: int = 3
    unseen: int = 28 * 24
    epochs: int = 20
    learning_rate: float = 0.01
    shown: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """What is drawn: one window, and the errors of all by the step."""

    title: str
    source: str
    seeds: list[int]
    hours: list[int]
    truth: list[float]
    steps: list[int]
    forced: list[float]
    free: list[float]
    forced_error: list[float]
    free_error: list[float]
    last_day_error: list[float]


def run(settings: Settings | None = None) -> Data:
    """Train with the truth as input, then predict in both ways."""
    chosen = settings or Settings()
    counts, source = bikers()
    border = len(counts) - chosen.unseen
    mean, spread = counts[:border].mean(), counts[:border].std()
    series = (counts - mean) / spread
    training = windows(series[:border], chosen, chosen.apart, source)
    unseen = windows(series[border:], chosen, 1, source)
    layers = [LSTM(chosen.units), Dense(1)]
    network = trained(
        layers,
        training,
        optimizer=Adam(OneCycle(chosen.learning_rate)),
        epochs=chosen.epochs,
        clip_norm=1.0,
        seed=chosen.seed,
    )
    told = chosen.told
    forced = network.predict(unseen.X)[:, told - 1 :, 0]
    free = free_run(network, unseen.X[:, :told], chosen.ahead)
    truth = unseen.y[:, told - 1 :, 0]
    last_day = np.resize(unseen.X[:, told - 24 : told, 0].T, truth.T.shape).T
    shown = min(chosen.shown, len(truth) - 1)
    errors = [error_of(guess, truth, spread) for guess in (forced, free, last_day)]
    return Data(
        title_of(errors[0], errors[1]),
        f"{source}; the last {chosen.unseen // 24} days unseen",
        [chosen.seed],
        list(range(-told + 1, truth.shape[1] + 1)),
        rounded(np.append(unseen.X[shown, :told, 0], truth[shown]) * spread + mean, 1),
        list(range(1, truth.shape[1] + 1)),
        rounded(forced[shown] * spread + mean, 1),
        rounded(free[shown] * spread + mean, 1),
        *errors,
    )


def windows(series: NumpyArray, settings: Settings, apart: int, source: str) -> Sample:
    """Windows that begin so far apart, and at each hour the next one."""
    times = settings.told + settings.ahead - 1
    every = np.lib.stride_tricks.sliding_window_view(series, times + 1)[::apart]
    return Sample(every[:, :-1, np.newaxis], every[:, 1:, np.newaxis], source)


def free_run(network: Network, told: NumpyArray, ahead: int) -> NumpyArray:
    """Predictions after the hours that were told, each read before the next."""
    stream = network.stream(len(told))
    found = [stream(told[:, time]) for time in range(told.shape[1])][-1:]
    while len(found) < ahead:
        found.append(stream(found[-1]))
    return np.concatenate(found, axis=1)


def error_of(guess: NumpyArray, truth: NumpyArray, spread: float) -> list[float]:
    """How far off at each step: the square root of the mean square, in bikers."""
    return rounded(np.sqrt(((guess - truth) ** 2).mean(0)) * spread, 2)


def title_of(forced: list[float], free: list[float]) -> str:
    """The statement, where the run bears it out."""
    if free[-1] > 1.5 * np.mean(forced) and abs(free[0] - forced[0]) < 0.01:
        return "From the truth every step is as good; from predictions errors add up"
    return "A series predicted from its truth, and from predictions"


def plot(data: Data) -> Figure:
    """One window, and the errors."""
    figure = new_figure(5.6, data.title)
    above, below = figure.subplots(2, 1)
    above.plot(data.hours, data.truth, color=INK, linewidth=1.2, label="truth")
    for axes, lines in (
        (above, (data.forced, data.free)),
        (below, (data.forced_error, data.free_error)),
    ):
        for line, look, name in zip(
            lines, SERIES, ("fed with the truth", "fed with predictions"), strict=False
        ):
            axes.plot(data.steps, line, **look, label=name)
        axes.axvline(0, color=GRAY, linewidth=0.8)
    below.plot(
        data.steps, data.last_day_error, ":", color=GRAY, label="the last day again"
    )
    above.set_ylabel("bikers")
    above.set_xlim(data.hours[0], data.hours[-1])
    below.set_xlim(data.hours[0], data.hours[-1])
    below.set_ylim(bottom=0)
    below.set_ylabel("error, bikers")
    below.set_xlabel("hours after the last that was told")
    below.legend(loc="center left")
    return figure
