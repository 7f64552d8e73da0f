"""Units × times × batch: where thalweg leads, and if there are cliffs.

Characters, of which the next is predicted at each time: an embedding, an LSTM, a dense
softmax, a step of Adam; thalweg against PyTorch, eager, with its fused LSTM, times or
rows first, with one thread each. Epochs have as many steps as can be timed.
A cliff is a size at which an operation takes much longer than at its neighbors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.cliffs import Sizes
from benchmarks.contenders.of_sequences import Rival, by_pytorch
from benchmarks.floor import UPDATE
from benchmarks.grid import Cell, Grid, one_by_one, report
from benchmarks.rounds import say
from benchmarks.sequences import CHARACTERS, Task, play

EMBEDDED = 64
OPERATIONS = 2e8  # of an epoch, about
LEAST_STEPS, MOST_STEPS = 2, 50
ROUNDS = 5


def operations(sizes: Sizes) -> float:
    """Of a step, as textbooks count: products three times, and the update."""
    times, units, batch = sizes
    gates = (EMBEDDED + units) * 4 * units
    ends = units * CHARACTERS
    parameters = EMBEDDED * CHARACTERS + gates + 4 * units + ends + CHARACTERS
    return 6 * batch * times * (gates + ends) + UPDATE * parameters


GRID = Grid(
    "recurrences",
    {
        "times": (8, 32, 128),
        "units": (16, 32, 64, 128, 256, 512),
        "batch": (1, 4, 16, 64),
    },
    row="{times} times",
    column="{units} units",
    table="batch {batch}",
    operations=operations,
    batch=lambda sizes: sizes[-1],
)
QUICK = replace(GRID, axes={"times": (8, 64), "units": (16, 128), "batch": (1, 32)})
BESIDE = one_by_one(
    (32, 64, 16),
    (
        (2, 3, 4, 15, 16, 17, 63, 64, 65),
        (7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129),
        (*range(1, 10), 15, 16, 17, 31, 32, 33),
    ),
)


def main(folder: Path | None, quick: bool) -> None:
    """Time the grid, print it, and write recurrences.json, .svg and .png."""
    grid = QUICK if quick else GRID
    cells = {sizes: cell(sizes, [by_pytorch]) for sizes in grid.all_sizes}
    beside = {} if quick else {sizes: cell(sizes, []) for sizes in BESIDE}
    report(grid, cells, beside, folder)


def cell(sizes: Sizes, rivals: Sequence[Rival]) -> Cell:
    """Microseconds of a step, by contender."""
    say(f"recurrences: {GRID.named(sizes)}")
    times, units, batch = sizes
    task = Task("recurrences", "lstm", units, times, batch, EMBEDDED)
    steps = round(OPERATIONS / operations(sizes))
    steps = max(LEAST_STEPS, min(MOST_STEPS, steps))
    seconds = play(task, ROUNDS, steps, rivals)
    return {name: median(each) * 1e6 for name, each in seconds.items()}
