"""What temperature does to the next character, and to a text that is written so."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.along_text import letters_of
from thalweg.figures.languages import WRITER, Learner, parts
from thalweg.figures.pixels import rounded
from thalweg.figures.style import BLUE, new_figure
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Settings:
    """The network, what it goes on from, and how long."""

    learner: Learner = WRITER
    temperatures: tuple[float, ...] = (0.5, 1.0, 1.5)
    start: str = "First Citizen:\nWe are "
    length: int = 130
    likeliest: int = 12
    seed: int = 0


@dataclass(frozen=True)
class Sample:
    """A temperature: the next character's probabilities, and a text."""

    temperature: float
    probabilities: list[float]
    written: str


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    start: str
    characters: str
    samples: list[Sample]


def run(settings: Settings | None = None) -> Data:
    """Train, and write at each temperature."""
    chosen = settings or Settings()
    seen, _ = parts(chosen.learner.characters)
    network = chosen.learner.learned()
    start = seen.encoded(chosen.start)
    p = network.predict([start])[0][-1].astype(np.float64)
    shown = np.argsort(-p)[: chosen.likeliest]
    samples: list[Sample] = []
    for temperature in chosen.temperatures:
        numbers = network.generate(
            start, chosen.length, temperature=temperature, seed=chosen.seed
        )
        text = "".join(seen.alphabet[number] for number in numbers)
        sharpened = rounded(at_temperature(p, temperature)[shown])
        samples.append(Sample(temperature, sharpened, text))
    return Data(
        title_of(samples),
        f"an LSTM, trained on {len(seen):,} characters of {seen.source}",
        [chosen.learner.seed, chosen.seed],
        chosen.start,
        "".join(seen.alphabet[number] for number in shown),
        samples,
    )


def at_temperature(p: NumpyArray, temperature: float) -> NumpyArray:
    """softmax(log(p) / temperature).

    >>> at_temperature(np.array([0.8, 0.2]), 0.5).round(2).tolist()
    [0.94, 0.06]
    """
    powers = p ** (1 / temperature)
    return powers / powers.sum()


def title_of(samples: list[Sample]) -> str:
    """The statement, where the runs bear it out."""
    most = [max(sample.probabilities) for sample in samples]
    if most == sorted(most, reverse=True):
        return "A low temperature repeats what is likely, a high one tries everything"
    return "The next character at different temperatures"


def plot(data: Data) -> Figure:
    """For each temperature the bars of the likeliest characters, and the text."""
    figure = new_figure(6.2, data.title)
    grid = figure.subplots(len(data.samples), 2, width_ratios=[1, 1.3], squeeze=False)
    places = range(len(data.characters))
    most = max(max(sample.probabilities) for sample in data.samples)
    for (chart, page), sample in zip(grid, data.samples, strict=True):
        chart.bar(places, sample.probabilities, color=BLUE)
        chart.set_xticks(places, letters_of(data.characters))
        chart.set_ylim(0, 1.1 * most)
        chart.set_title(f"temperature {sample.temperature:g}", loc="left")
        write(page, data.start, sample.written)
    figure.supxlabel("left the likeliest next characters, right what is written so")
    grid[1 if len(grid) > 1 else 0][0].set_ylabel("probability")
    return figure


def write(axes: Any, start: str, written: str) -> None:
    """A text, broken into lines where it is too long."""
    lines = [
        part
        for line in (start + written).split("\n")
        for part in textwrap.wrap(line, 44) or [""]
    ]
    axes.set_axis_off()
    axes.text(0, 1, "\n".join(lines[:8]), va="top", fontsize=10, linespacing=1.35)
