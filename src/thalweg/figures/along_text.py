"""What a network does along a line of text: characters, attention and gates."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from thalweg.figures.pixels import Rows, draw_shares
from thalweg.program.types import NumpyArray

SHOWN = str.maketrans(" \n\t", "␣↵⇥")
NAMELESS = "□"

GATES: Mapping[str, tuple[str, str]] = {
    "f": ("the forget gate", "keeps"),
    "i": ("the input gate", "takes in"),
    "o": ("the output gate", "shows"),
    "r": ("the reset gate", "uses what was kept"),
    "z": ("the update gate", "keeps"),
}
"""Names of the gates between 0 and 1, and what one at 1 does."""


def letters_of(characters: str) -> list[str]:
    """Each character as one that can be seen.

    >>> letters_of("a b\\n\\x00")
    ['a', '␣', 'b', '↵', '□']
    """
    shown = characters.translate(SHOWN)
    return [each if each.isprintable() else NAMELESS for each in shown]


def title_of_gate(name: str) -> str:
    """A gate by its letter and its name, and what blue means.

    >>> title_of_gate("f"), title_of_gate("backward.z")
    ('f, the forget gate: blue keeps', 'backward.z, the update gate: blue keeps')
    """
    known, does = GATES[letter_of(name)]
    return f"{name}, {known}: blue {does}"


def letter_of(name: str) -> str:
    """The letter of a gate in its cell's formula, whichever direction it is of.

    >>> letter_of("backward.z")
    'z'
    """
    return name.rpartition(".")[2]


def mean_back(weights: NumpyArray) -> float:
    """How many characters back attention looks on average.

    Σⱼ wᵢⱼ (i − j), the mean over i and rows

    Arguments:
        weights: of one head, (…, times, times).

    >>> mean_back(np.array([[1.0, 0.0], [0.5, 0.5]]))
    0.25
    """
    times = np.arange(weights.shape[-1], dtype=np.float64)
    apart = np.subtract.outer(times, times)
    return float((weights * apart).sum(axis=-1).mean())


def draw_attention(
    axes: Axes, weights: Rows, letters: Sequence[str], size: float = 9
) -> None:
    """The weights of one head: each row's character looks at the columns."""
    draw_shares(axes, weights)
    axes.set_aspect("equal")
    axes.set_xticks(range(len(letters)), letters, fontsize=size)
    axes.set_yticks(range(len(letters)), letters, fontsize=size)
    axes.tick_params(length=0)


def draw_gate(
    axes: Axes,
    values: Rows,
    names: Sequence[str],
    letters: Sequence[str],
    size: float = 9,
) -> None:
    """A gate's values: a row for each name, a column for each character."""
    draw_shares(axes, values)
    axes.set_yticks(range(len(names)), names)
    axes.set_xticks(range(len(letters)), letters, fontsize=size)
    axes.tick_params(length=0)
