"""Which characters of a line each head of a transformer looks at."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.along_text import draw_attention, letters_of, mean_back
from thalweg.figures.languages import Learner, parts
from thalweg.figures.pixels import rounded
from thalweg.figures.style import new_figure
from thalweg.program.types import NumpyArray

LEARNER = Learner(
    "transformer",
    units=64,
    characters=160_000,
    epochs=4,
    batch_size=8,
    learning_rate=0.006,
)


@dataclass(frozen=True)
class Settings:
    """The network, and the line, which no window of its training has."""

    learner: Learner = LEARNER
    line: str = "What was your dream? I long to"
    rows: int = 50


@dataclass(frozen=True)
class Head:
    """What one head looks at in the line, and on average in unseen windows."""

    number: int
    back: float
    on_spaces: float
    weights: list[list[float]]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    line: str
    heads: list[Head]


def run(settings: Settings | None = None) -> Data:
    """Train, then ask the last block."""
    chosen = settings or Settings()
    learner = chosen.learner
    network = learner.learned()
    seen, unseen = parts(learner.characters)
    line = seen.encoded(chosen.line)[np.newaxis]
    block = len(network.layers) - 2  # behind it a norm and the probabilities
    here = network.attention_weights(line, block)[0]
    rows = unseen.windows(learner.times).X[: chosen.rows]
    everywhere = network.attention_weights(rows, block)
    spaces = np.isin(rows, seen.encoded(" \n"))
    heads = [
        head_of(number, everywhere[:, number], spaces, here[number])
        for number in range(learner.heads)
    ]
    return Data(
        title_of(heads),
        f"a transformer, trained on {len(seen):,} characters of {seen.source}; means "
        f"over {len(rows)} windows of others",
        [learner.seed],
        chosen.line,
        heads,
    )


def head_of(
    number: int, weights: NumpyArray, spaces: NumpyArray, here: NumpyArray
) -> Head:
    """How far back a head looks, and how much of its weight is on spaces."""
    back = mean_back(weights)
    on_spaces = float((weights * spaces[:, np.newaxis]).sum()) / spaces.size
    return Head(number + 1, round(back, 3), round(on_spaces, 4), rounded(here))


def title_of(heads: list[Head]) -> str:
    """The statement, where the runs bear it out."""
    back = sorted(head.back for head in heads)
    if back[-1] > 2 * back[0]:
        return (
            f"Each head looks elsewhere: {back[0]:.1f} characters back on average, or "
            f"{back[-1]:.1f}"
        )
    return "What each head of a transformer looks at in a line of text"


def plot(data: Data) -> Figure:
    """A picture for each head: a row looks at the columns."""
    figure = new_figure(9.3, data.title)
    panels = figure.subplots(-(-len(data.heads) // 2), 2, squeeze=False)
    for axes, head in zip(panels.flat, data.heads, strict=True):
        draw_attention(axes, head.weights, letters_of(data.line))
        axes.set_title(
            f"head {head.number}: {head.back:.1f} back on average,\n"
            f"{head.on_spaces:.0%} on spaces and line ends"
        )
    figure.supxlabel("each row's character looks at the columns: blue is a weight of 1")
    return figure
