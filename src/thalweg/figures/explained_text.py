"""A line of text as a network sees it: what it looks at, and what gates do."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from matplotlib.figure import Figure

from thalweg.errors import ArgumentError
from thalweg.explain.gates import GATES as KNOWN
from thalweg.explain.inside import places_of
from thalweg.figures import along_text
from thalweg.figures.along_text import (
    draw_attention,
    draw_gate,
    letter_of,
    letters_of,
    mean_back,
    title_of_gate,
)
from thalweg.figures.files import write_figure
from thalweg.figures.learning_curves import require_png
from thalweg.figures.pixels import rounded
from thalweg.figures.style import WIDTH, new_figure
from thalweg.formulas.attention import Attention
from thalweg.formulas.layers import Layer
from thalweg.formulas.recurrence import Recurring
from thalweg.network import Network
from thalweg.program.types import NumpyArray

MOST_LAYERS = 4
MOST_HEADS = 4  # of a layer
MOST_UNITS = 8  # of a gate
MOST_SIDE = 4.2  # inches of a head where characters are few
LETTER = 0.115  # inches, at least
LARGEST = 9  # points of a letter
ROW = 0.2  # inches of a unit


@dataclass(frozen=True)
class Head:
    """The weights of one head: of each character those of all."""

    number: int
    back: float
    weights: list[list[float]]


@dataclass(frozen=True)
class Attending:
    """A layer's first heads."""

    label: str
    heads: list[Head]


@dataclass(frozen=True)
class Gate:
    """A gate at each character: its mean, and the units that change most."""

    name: str
    mean: list[float]
    units: list[int]
    values: list[list[float]]


@dataclass(frozen=True)
class Gated:
    """The gates of a layer."""

    label: str
    gates: list[Gate]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    characters: str
    attention: list[Attending]
    gates: list[Gated]


def explained_text(data: Data, path: str | Path, command: str = "") -> Path:
    """Draw the attention and the gates along a line of text.

    Arguments:
        data: what `data_of` found.
        path: a PNG; a JSON of the same stem, with the numbers, is written beside it.
        command: what repeats the picture, for the JSON.

    Returns:
        The PNG's path.

    Raises:
        ArgumentError: the path doesn't end in .png.
        FileError: a file can't be written.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.figures.explained_text import data_of, explained_text
        >>> layers = [tw.Embedding(3, 4), tw.GRU(5), tw.Dense(3, "softmax")]
        >>> network = tw.Network(layers).initialize((6,))
        >>> data = data_of(network, np.array([1, 2, 2, 1]), "abba")
        >>> [gate.name for gate in data.gates[0].gates]
        ['r', 'z']
        >>> explained_text(data, "seen.png").name
        'seen.png'
    """
    target = require_png(path)
    return write_figure(target, plot, data, {"figure": target.stem, "command": command})


def data_of(
    network: Network,
    numbers: NumpyArray,
    characters: str,
    title: str = "A line of text as the network sees it",
) -> Data:
    """What the layers of a network of text do along a line.

    Arguments:
        network: of (rows, times) numbers, which looks at no later time.
        numbers: of the line, from one to as many as a window has.
        characters: how each number is shown.
        title: above the picture.

    Raises:
        ArgumentError: the network has neither attention nor gates.
    """
    count = len(numbers)
    # What comes after the end is never looked at, as each time sees those before it.
    window = np.zeros((1, network.shapes.outputs[0][0]), np.float32)
    window[0, :count] = numbers
    attending = [
        attending_of(label, network.attention_weights(window, place)[0, :, :count])
        for place, label in layers_of(network, Attention)
    ]
    gated = [
        gated_of(label, network.gates(window, place), count)
        for place, label in layers_of(network, Recurring)
    ]
    if not attending and not gated:
        raise ArgumentError(
            "the network must have attention, as transformers do, or gates, as an LSTM "
            "or a GRU does, to show what it looks at or keeps; it has neither"
        )
    return Data(title, characters, attending, gated)


def layers_of(network: Network, kind: type[Layer]) -> Iterator[tuple[str, str]]:
    """The places of the first layers that are of a kind, and how they are called."""
    found = [
        (place.removesuffix("."), f"layer {number}, {type(layer).__name__}")
        for number, layer in enumerate(network.layers, 1)
        for place, each in places_of(layer, kind, f"{number}.").items()
        if not isinstance(each, Recurring) or type(each.own_cell) in KNOWN
    ]
    yield from found[:MOST_LAYERS]


def attending_of(label: str, weights: NumpyArray) -> Attending:
    """The first heads of (heads, characters, times) weights."""
    heads, count, _ = weights.shape
    shown = weights[:MOST_HEADS, :, :count]
    if heads > MOST_HEADS:
        label = f"{label}: the first {MOST_HEADS} of {heads} heads"
    return Attending(
        label,
        [
            Head(number, round(mean_back(head), 3), rounded(head))
            for number, head in enumerate(shown, 1)
        ],
    )


def gated_of(label: str, gates: dict[str, NumpyArray], count: int) -> Gated:
    """The gates between 0 and 1 at the first so many times."""
    return Gated(
        label,
        [
            gate_of(name, values[0, :count])
            for name, values in gates.items()
            if letter_of(name) in along_text.GATES
        ],
    )


def gate_of(name: str, values: NumpyArray) -> Gate:
    """A gate's mean, and its units that differ most from character to character."""
    order = np.argsort(-values.std(axis=0), kind="stable")[:MOST_UNITS]
    return Gate(
        name,
        rounded(values.mean(axis=1)),
        [int(unit) + 1 for unit in order],
        rounded(values[:, order].T),
    )


def plot(data: Data) -> Figure:
    """A part of the figure for each layer, one below the other."""
    side = side_of(data)
    heights = [0.7 + side for _ in data.attention] + [
        0.5 + sum(map(height_of, layer.gates)) for layer in data.gates
    ]
    width = max(WIDTH, most_heads(data) * side, 2 + LETTER * len(data.characters))
    figure = new_figure(0.9 + sum(heights), data.title, width)
    parts: Any = figure.subfigures(
        len(heights), 1, height_ratios=heights, squeeze=False
    )
    rows = cast(list[Any], parts[:, 0].tolist())
    letters = letters_of(data.characters)
    for part, layer in zip(rows, data.attention, strict=False):
        draw_heads(part, layer, letters, letter_size(side - 0.6, letters))
    for part, cells in zip(rows[len(data.attention) :], data.gates, strict=True):
        draw_gates(part, cells, letters, letter_size(width - 2, letters))
    return figure


def most_heads(data: Data) -> int:
    """Of the layer that has most; 0 where none has."""
    return max((len(layer.heads) for layer in data.attention), default=0)


def side_of(data: Data) -> float:
    """Inches of a head's picture: what there is room for, or what letters need."""
    room = min(WIDTH / max(most_heads(data), 1), MOST_SIDE)
    return max(room, 0.6 + LETTER * len(data.characters))


def height_of(gate: Gate) -> float:
    """Inches of a gate's picture, with its title and its letters."""
    return 0.75 + ROW * (1 + len(gate.units))


def letter_size(room: float, letters: Sequence[str]) -> float:
    """Points of letters that have so many inches together."""
    return min(LARGEST, 0.8 * 72 * room / len(letters))


def named(part: Any, label: str) -> None:
    """The layer's name above its part of the figure."""
    part.suptitle(label, x=0.01, horizontalalignment="left", fontsize=12)


def draw_heads(part: Any, layer: Attending, letters: list[str], size: float) -> None:
    """A picture for each head."""
    named(part, layer.label)
    panels = part.subplots(1, len(layer.heads), squeeze=False)[0]
    for axes, head in zip(panels, layer.heads, strict=True):
        draw_attention(axes, head.weights, letters, size)
        axes.set_title(f"head {head.number}: {head.back:.1f} back")
    part.supxlabel(
        "each row's character looks at the columns, on average so many back: blue is 1",
        fontsize=11,
    )


def draw_gates(part: Any, layer: Gated, letters: list[str], size: float) -> None:
    """A picture for each gate: the mean, then the units that change most."""
    named(part, layer.label)
    ratios = [height_of(gate) for gate in layer.gates]
    panels = part.subplots(len(layer.gates), 1, height_ratios=ratios, squeeze=False)
    for axes, gate in zip(panels[:, 0], layer.gates, strict=True):
        names = ["mean", *(f"unit {unit}" for unit in gate.units)]
        draw_gate(axes, [gate.mean, *gate.values], names, letters, size)
        axes.set_title(title_of_gate(gate.name))
    part.supxlabel(
        "the mean of all units, then those that change most along the text", fontsize=11
    )
