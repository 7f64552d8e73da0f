"""How well a network knows the next character, by how many it has seen."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from thalweg.figures.languages import Learner, parts, surprises
from thalweg.figures.pixels import rounded
from thalweg.figures.style import (
    GRAY,
    SERIES,
    EndLabel,
    label_ends,
    new_figure,
    plain_decades,
)
from thalweg.language.ngrams import NGrams

NAMES = {1: "unigram", 2: "bigram", 3: "trigram"}


@dataclass(frozen=True)
class Settings:
    """The networks, and how far apart the windows are that they are tried on."""

    learners: tuple[Learner, ...] = (
        Learner("LSTM", units=64, epochs=4, learning_rate=0.02),
        Learner("transformer", units=48, epochs=4, learning_rate=0.006, batch_size=8),
    )
    step: int = 7
    orders: tuple[int, ...] = (1, 2, 3)


@dataclass(frozen=True)
class Known:
    """Bits per character at each place of a window, the mean over windows."""

    label: str
    bits: list[float]


@dataclass(frozen=True)
class Line:
    """Bits per character of n-grams, which see the same everywhere."""

    label: str
    bits: float


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    seen: list[int]
    known: list[Known]
    counted: list[Line]


def run(settings: Settings | None = None) -> Data:
    """Train, and ask at every place of many windows."""
    chosen = settings or Settings()
    known = [known_by(learner, chosen.step) for learner in chosen.learners]
    first = chosen.learners[0]
    seen, unseen = parts(first.characters)
    grams = NGrams(seen.numbers, len(seen.alphabet), max(chosen.orders))
    counted = [
        Line(NAMES[n], round(float(grams.surprise(unseen.numbers, n).mean()), 4))
        for n in chosen.orders
    ]
    return Data(
        title_of(known),
        f"{first.characters:,} characters of {seen.source}; bits of 20,000 others",
        [learner.seed for learner in chosen.learners],
        list(range(1, first.times + 1)),
        known,
        counted,
    )


def known_by(learner: Learner, step: int) -> Known:
    """The bits at each place of windows that begin so many characters apart."""
    network = learner.learned()
    _, unseen = parts(learner.characters)
    shifted = [
        surprises(network, unseen.part(start, len(unseen)), learner.times)
        for start in range(0, learner.times, step)
    ]
    bits = np.concatenate(shifted).mean(0)
    return Known(learner.kind, rounded(bits))


def title_of(known: list[Known]) -> str:
    """The statement, where the runs bear it out."""
    gain = [np.mean(each.bits[:1]) - np.mean(each.bits[4:8]) for each in known]
    later = [np.mean(each.bits[8:16]) - np.mean(each.bits[-16:]) for each in known]
    if min(gain) > 0.3 and max(later) < min(gain):
        return "The first characters of a context help most, and later ones little"
    return "How well the next character is known, by the length of the context"


def plot(data: Data) -> Figure:
    """A line for each network, and levels for n-grams."""
    figure = new_figure(4.6, data.title)
    axes = figure.add_subplot()
    axes.set_xscale("log", base=2)
    plain_decades(axes.xaxis)
    for each, look in zip(data.known, SERIES, strict=False):
        axes.plot(data.seen, each.bits, **look)
    for line in data.counted:
        axes.axhline(line.bits, color=GRAY, linewidth=1)
    axes.set_xlim(1, data.seen[-1])
    axes.set_xlabel("characters that the network has seen in the window")
    show_perplexity(axes)
    axes.set_ylabel("bits per unseen character (perplexity)")
    lines = [EndLabel(line.bits, line.label, GRAY) for line in data.counted]
    ends = [
        EndLabel(each.bits[-1], each.label, look["color"])
        for each, look in zip(data.known, SERIES, strict=False)
    ]
    label_ends(axes, [*lines, *ends])
    return figure


def show_perplexity(axes: Axes) -> None:
    """Ticks of bits, and the perplexity of each."""
    axes.yaxis.set_major_locator(MultipleLocator(0.5))
    axes.yaxis.set_major_formatter(lambda bits, _: f"{bits:g} ({2**bits:.0f})")
