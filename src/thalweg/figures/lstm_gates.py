"""The gates of an LSTM along a line of text that it never saw."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.along_text import draw_gate, letters_of, title_of_gate
from thalweg.figures.languages import WRITER, Learner, parts
from thalweg.figures.pixels import rounded
from thalweg.figures.style import new_figure
from thalweg.program.types import NumpyArray

GATES = ("f", "i", "o")
KINDS: dict[str, Callable[[str], bool]] = {
    "ends of words": str.isspace,
    "ends of lines": "\n".__contains__,
    "capitals": str.isupper,
    "vowels": "aeiou".__contains__,
}


@dataclass(frozen=True)
class Settings:
    """The network, and where in the unseen text the line begins."""

    learner: Learner = WRITER
    start: int = 10_908
    length: int = 60
    kinds: int = 4


@dataclass(frozen=True)
class Unit:
    """A unit whose gate tells a kind of characters from the others."""

    kind: str
    number: int
    there: float
    elsewhere: float
    values: list[float]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    characters: str
    gates: dict[str, list[Unit]]


def run(settings: Settings | None = None) -> Data:
    """Train, then look for the units that tell most."""
    chosen = settings or Settings()
    learner = chosen.learner
    network = learner.learned()
    seen, unseen = parts(learner.characters)
    rows = unseen.windows(learner.times)
    everywhere = network.gates(rows.X, 2)
    letters = np.array(list(unseen.alphabet))[rows.X]
    line = unseen.part(chosen.start, chosen.start + chosen.length)
    here = network.gates(line.numbers[np.newaxis], 2)
    gates = {
        gate: [
            telling(kind, everywhere[gate], letters, here[gate][0])
            for kind in list(KINDS)[: chosen.kinds]
        ]
        for gate in GATES
    }
    return Data(
        title_of(gates["f"][0]),
        f"an LSTM, trained on {len(seen):,} characters of {seen.source}; a line of "
        "20,000 others, by whose means the units were chosen",
        [learner.seed],
        str(line),
        gates,
    )


def telling(
    kind: str, values: NumpyArray, letters: NumpyArray, here: NumpyArray
) -> Unit:
    """The unit whose mean differs most between a kind of characters and others."""
    of_kind = np.vectorize(KINDS[kind])(letters)
    there, elsewhere = values[of_kind].mean(0), values[~of_kind].mean(0)
    number = int(np.abs(there - elsewhere).argmax())
    mean, other = (round(float(each[number]), 4) for each in (there, elsewhere))
    return Unit(kind, number + 1, mean, other, rounded(here[:, number]))


def title_of(unit: Unit) -> str:
    """The statement, where the run bears it out."""
    if unit.there < 0.3 and unit.elsewhere > 0.6:
        return (
            f"One unit of an LSTM forgets where a word ends: it keeps {unit.there:.0%} "
            f"there, {unit.elsewhere:.0%} elsewhere"
        )
    return "The gates of an LSTM along a line of text"


def plot(data: Data) -> Figure:
    """A picture for each gate, a row for each unit, a column for each character."""
    figure = new_figure(5.2, data.title)
    panels = figure.subplots(len(data.gates), 1)
    for axes, (gate, units) in zip(panels, data.gates.items(), strict=True):
        kinds = [unit.kind for unit in units]
        values = [unit.values for unit in units]
        draw_gate(axes, values, kinds, letters_of(data.characters))
        axes.set_title(title_of_gate(gate))
    figure.supxlabel(
        "a row: the unit whose gate tells these characters best from all others"
    )
    return figure
