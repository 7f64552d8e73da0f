"""Positions: sine, learned, and rotary, and how alike they make two times."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from thalweg.figures.languages import Learner, parts
from thalweg.figures.pixels import draw_signed, rounded
from thalweg.figures.style import BLUE, GRAY, new_figure
from thalweg.formulas.positions import Positions, speeds
from thalweg.program.types import NumpyArray

LEARNER = Learner(
    "transformer",
    units=48,
    positions="learned",
    epochs=4,
    batch_size=8,
    learning_rate=0.006,
)


@dataclass(frozen=True)
class Settings:
    """The network whose positions are learned; the others are as wide."""

    learner: Learner = LEARNER
    time: int = 32


@dataclass(frozen=True)
class Kind:
    """A table (times, features), and how alike each time is to one of them."""

    label: str
    features: str
    table: list[list[float]]
    alike: list[float]


@dataclass(frozen=True)
class Data:
    """What is drawn."""

    title: str
    source: str
    seeds: list[int]
    time: int
    times: list[int]
    kinds: list[Kind]


def run(settings: Settings | None = None) -> Data:
    """Train for the learned ones; the others are formulas."""
    chosen = settings or Settings()
    learner = chosen.learner
    seen, _ = parts(learner.characters)
    network = learner.learned()
    learned = network.parameters["2.table"]
    sine = Positions("sine").forward(np.zeros((1, *learned.shape)), None)[0]  # pyright: ignore[reportArgumentType]  # it reads no parameters
    size = learner.units // learner.heads
    angles = np.arange(learner.times)[:, np.newaxis] * speeds(size)
    turns = np.cos(angles - angles[chosen.time]).mean(1)
    kinds = [
        kind("sine, by a formula", "feature", np.asarray(sine), chosen.time),
        kind("learned, after training", "feature", learned, chosen.time),
        Kind(
            "rotary: cos of the angle", "pair", rounded(np.cos(angles)), rounded(turns)
        ),
    ]
    return Data(
        title_of(kinds, chosen.time),
        f"a transformer, trained on {len(seen):,} characters of {seen.source}",
        [learner.seed],
        chosen.time,
        list(range(learner.times)),
        kinds,
    )


def kind(label: str, features: str, table: NumpyArray, time: int) -> Kind:
    """Positions that are added, alike by the cosine between their vectors."""
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return Kind(label, features, rounded(table), rounded(unit @ unit[time]))


def title_of(kinds: list[Kind], time: int) -> str:
    """The statement, where the run bears it out."""
    near = [min(each.alike[time - 1], each.alike[time + 1]) for each in kinds]
    far = [
        np.mean([*each.alike[: time - 4], *each.alike[time + 5 :]]) for each in kinds
    ]
    if min(np.subtract(near, far)) > 0.2:
        return "Positions make neighboring times alike, even where they are learned"
    return "What tells the times of a sequence apart"


def plot(data: Data) -> Figure:
    """Each kind's table, and below it how alike all times are to one."""
    figure = new_figure(6.4, data.title)
    grid = figure.subplots(2, 3, height_ratios=[1.5, 1], sharey="row")
    for (above, below), each in zip(grid.T, data.kinds, strict=True):
        draw_signed(above, each.table)
        above.set_aspect("auto")
        above.set_title(each.label)
        above.set_xlabel(each.features)
        below.plot(data.times, each.alike, color=BLUE)
        below.axvline(data.time, color=GRAY, linewidth=0.8)
        below.set_xlabel("time")
    grid[0][0].set_ylabel("time")
    grid[0][0].set_yticks(range(0, len(data.times), 16))
    grid[1][0].set_ylabel(f"alike to time {data.time}")
    return figure
