"""n-grams and networks that predict a text: bits per character against seconds."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.languages import Learner, parts
from thalweg.figures.style import INK, SERIES, new_figure, plain_decades
from thalweg.language.ngrams import NGrams

NAMES = {1: "unigram", 2: "bigram"}


@dataclass(frozen=True)
class Settings:
    """What counts and what learns, from how much text, and what tells the time."""

    orders: tuple[int, ...] = (1, 2, 3, 5)
    learners: tuple[Learner, ...] = (
        Learner("RNN", epochs=6, times=32, learning_rate=0.005),
        Learner("LSTM", epochs=4, times=32, learning_rate=0.02),
        Learner("transformer", 64, epochs=4, batch_size=8, learning_rate=0.006),
    )
    characters: int = 160_000
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True)
class Counted:
    """n-grams: the time of counting, and the bits per unseen character."""

    label: str
    numbers: int
    seconds: float
    bits: float


@dataclass(frozen=True)
class Learned:
    """A network: after each epoch the time since its start, and the bits."""

    label: str
    numbers: int
    seconds: list[float]
    bits: list[float]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    counted: list[Counted]
    learned: list[Learned]


def run(settings: Settings | None = None) -> Data:
    """Count, and train, one after the other."""
    chosen = settings or Settings()
    seen, _ = parts(chosen.characters)
    counted = [count(order, chosen) for order in chosen.orders]
    learned = [learn(learner, chosen) for learner in chosen.learners]
    return Data(
        title_of(counted, learned),
        f"{len(seen):,} characters of {seen.source}; bits of 20,000 others",
        [learner.seed for learner in chosen.learners],
        counted,
        learned,
    )


def count(order: int, settings: Settings) -> Counted:
    """n-grams of all lengths up to one."""
    seen, unseen = parts(settings.characters)
    start = settings.clock()
    grams = NGrams(seen.numbers, len(seen.alphabet), order)
    seconds = settings.clock() - start
    bits = float(grams.surprise(unseen.numbers, order).mean())
    size = sum(len(level.keys) for level in grams.levels)
    return Counted(NAMES.get(order, f"{order}-gram"), size, round(seconds, 3), bits)


def learn(learner: Learner, settings: Settings) -> Learned:
    """A network, looked at after every epoch."""
    seconds: list[float] = []
    bits: list[float] = []

    def note(record: Any) -> None:
        seconds.append(round(settings.clock() - start, 3))
        bits.append(record.validation_loss / np.log(2))

    start = settings.clock()
    network = replace(learner, characters=settings.characters).learned(note)
    size = sum(array.size for array in network.parameters.values())
    return Learned(learner.kind, size, seconds, bits)


def title_of(counted: list[Counted], learned: list[Learned]) -> str:
    """The statement, where the runs bear it out."""
    best = min(counted, key=lambda each: each.bits)
    if any(each.bits[-1] < best.bits for each in learned):
        return "Counting is done at once; with more time, a network predicts better"
    return f"Predicting a text: a {best.label} is counted at once, and hard to beat"


def plot(data: Data) -> Figure:
    """A point for each count, a line for each network."""
    figure = new_figure(4.8, data.title)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    plain_decades(axes.xaxis)
    for each, look in zip(data.learned, SERIES, strict=False):
        axes.plot(
            each.seconds, each.bits, marker="o", markersize=4, label=each.label, **look
        )
    for each in data.counted:
        axes.plot([each.seconds], [each.bits], "D", color=INK, markersize=7)
        axes.annotate(
            each.label,
            (each.seconds, each.bits),
            (9, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_xlabel("seconds of counting or training")
    axes.set_ylabel("bits per unseen character")
    axes.legend(loc="upper right", title="a point for each epoch")
    return figure
