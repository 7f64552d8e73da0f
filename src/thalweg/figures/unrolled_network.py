"""A recurrent network unrolled over a word, with the numbers of its run."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from thalweg.figures.examples import shakespeare
from thalweg.figures.pixels import rounded
from thalweg.figures.runs import trained
from thalweg.figures.samples import Sample
from thalweg.figures.style import BLUE, GRAY, INK, VERMILION, new_figure
from thalweg.formulas.layers import Dense
from thalweg.formulas.optimizers import Adam
from thalweg.formulas.recurrence import RNN
from thalweg.program.types import NumpyArray

BOX: dict[str, Any] = {"ha": "center", "va": "center"}
ARROW: dict[str, Any] = {"arrowstyle": "-|>", "color": GRAY, "shrinkA": 0, "shrinkB": 0}
PREDICTED, STATE, INPUT = 3.1, 1.35, 0.0  # heights of the three rows


@dataclass(frozen=True)
class Settings:
    """The word, in which a letter is followed by different ones, and the training."""

    word: str = "citizen"
    units: int = 3
    epochs: int = 400
    learning_rate: float = 0.03
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """What is drawn: for each time the letter, the state, and what comes next."""

    title: str
    source: str
    seeds: list[int]
    alphabet: str
    letters: list[str]
    states: list[list[float]]
    predicted: list[str]
    probabilities: list[float]
    following: list[str]
    recurrent: list[list[float]]


def run(settings: Settings | None = None) -> Data:
    """Train on the one word, and look at each time."""
    chosen = settings or Settings()
    text = shakespeare()
    places = str(text).count(chosen.word)
    alphabet = "".join(sorted(set(chosen.word)))
    x, y = one_hot(chosen.word[:-1], alphabet), numbers(chosen.word[1:], alphabet)
    layers = [RNN(chosen.units), Dense(len(alphabet), "softmax")]
    rows = Sample(x[np.newaxis], y[np.newaxis], text.source)
    optimizer = Adam(chosen.learning_rate)
    network = trained(
        layers, rows, optimizer=optimizer, epochs=chosen.epochs, seed=chosen.seed
    )
    probabilities = network.predict(rows.X)[0]
    predicted = "".join(alphabet[number] for number in probabilities.argmax(1))
    return Data(
        title_of(chosen.word, predicted),
        f"the word {chosen.word!r}, which stands {places} times in {text.source}",
        [chosen.seed],
        alphabet,
        list(chosen.word[:-1]),
        rounded(network.feature_maps(rows.X, 1)[0], 2),
        list(predicted),
        rounded(probabilities.max(1), 2),
        list(chosen.word[1:]),
        rounded(network.parameters["1.recurrent"], 2),
    )


def numbers(letters: str, alphabet: str) -> NumpyArray:
    """Where letters stand in an alphabet."""
    return np.array([alphabet.index(letter) for letter in letters])


def one_hot(letters: str, alphabet: str) -> NumpyArray:
    """A 1 at each letter's place, and zeros: (letters, alphabet)."""
    return np.eye(len(alphabet))[numbers(letters, alphabet)]


def title_of(word: str, predicted: str) -> str:
    """The statement, where the run bears it out."""
    repeated = [c for c in word[:-1] if len(set(followers(word, c))) > 1]
    if predicted == word[1:] and repeated:
        after = " and ".join(dict.fromkeys(followers(word, repeated[0])))
        return (
            f"The same letter {repeated[0]}, then {after}: the state h knows which of "
            "them it is"
        )
    return f"A recurrent network goes through {word!r}, a letter at a time"


def followers(word: str, letter: str) -> list[str]:
    """What follows a letter wherever it stands in a word."""
    return [b for a, b in pairwise(word) if a == letter]


def plot(data: Data) -> Figure:
    """A column for each time: x below, h in the middle, y above."""
    figure = new_figure(4.6, data.title)
    axes = figure.add_subplot()
    times = len(data.letters)
    axes.set_xlim(-1.25, times - 0.5)
    axes.set_ylim(-0.7, 3.75)
    axes.set_axis_off()
    for height, name in (
        (PREDICTED, "y, the next\nletter"),
        (STATE, "h, the state"),
        (INPUT, "x, a letter"),
    ):
        axes.text(-1.2, height, name, va="center")
    for time in range(times):
        draw_time(axes, data, time)
    figure.supxlabel(
        "W, U and V are the same at every time; vermilion above zero, blue below"
    )
    return figure


def draw_time(axes: Axes, data: Data, time: int) -> None:
    """One column, and the arrow to the next."""
    state = data.states[time]
    half = 0.3 * len(state) / 2
    for unit, number in enumerate(state):
        corner = (time - 0.28, STATE + half - 0.3 * (unit + 1))
        shade = (VERMILION if number > 0 else BLUE, 0.5 * abs(number))
        axes.add_patch(Rectangle(corner, 0.56, 0.3, facecolor=shade, edgecolor=INK))
        middle = corner[1] + 0.15
        axes.text(time, middle, f"{number:.2f}".replace("-", "−"), fontsize=9.5, **BOX)
    axes.text(time, INPUT, data.letters[time], fontsize=16, **BOX)
    right = data.predicted[time] == data.following[time]
    axes.text(time, PREDICTED, data.predicted[time], fontsize=16, **BOX)
    sure = f"{data.probabilities[time]:.0%}" + ("" if right else " ✗")
    axes.text(time, PREDICTED + 0.4, sure, fontsize=9.5, **BOX)
    arrow(axes, (time, INPUT + 0.3), (time, STATE - half - 0.05), "W" * (time == 0))
    arrow(axes, (time, STATE + half + 0.05), (time, PREDICTED - 0.3), "V" * (time == 0))
    if time:
        arrow(axes, (time - 0.7, STATE), (time - 0.3, STATE), "U" * (time == 1))


def arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], name: str
) -> None:
    """An arrow, and the name of the weights it stands for."""
    color = VERMILION if start[1] == end[1] else GRAY
    axes.annotate("", end, start, arrowprops={**ARROW, "color": color})
    if name:
        level = start[1] == end[1]
        place = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        shift = (0, 10) if level else (10, 0)
        axes.annotate(name, place, shift, textcoords="offset points", **BOX)
