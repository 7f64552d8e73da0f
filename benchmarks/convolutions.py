"""Image × channels × filters × kernel: where thalweg leads, and if there are cliffs.

Networks of two convolutions, the second from filters to filters, a mean over places and
a dense layer; thalweg against PyTorch, eager, in the fastest of its loops and orders of
axes, with one thread each. Batches are as large as make a step long enough to be timed.
A cliff is a size at which an operation takes much longer than at its neighbors.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cliffs import CLIFF, cliffs
from benchmarks.contenders import Contender, contenders
from benchmarks.floor import operations
from benchmarks.layers import Conv, Dense, GlobalMean, Network
from benchmarks.rounds import REFERENCE, say
from benchmarks.tasks import Task
from benchmarks.widths import check
from benchmarks.worker import Worker

IMAGES, CHANNELS, FILTERS, KERNELS = (
    (8, 16, 32),
    (1, 3, 16, 64),
    (8, 16, 32, 64),
    (1, 3, 5),
)
QUICK = ((8, 32), (1, 16), (8, 64), (3,))
BESIDE = (16, 16, 16, 3)  # around which each size is timed one by one
RANGES = (range(12, 20), range(1, 9), (7, 8, 9, 15, 16, 17, 31, 32, 33), range(1, 8))
NAMES = ("image", "channels", "filters", "kernel")
AGAINST = (REFERENCE, "PyTorch eager, 1 thread")
OPERATIONS = 2e8  # of a step, about; an epoch has a few
STEPS, ROUNDS = 3, 3
LEAST_ROWS, MOST_ROWS = 4, 512

Sizes = tuple[int, ...]
Cell = dict[str, float]


def main(folder: Path | None, quick: bool) -> None:
    """Time the grid, print it, and write convolutions.json, .svg and .png."""
    axes = QUICK if quick else (IMAGES, CHANNELS, FILTERS, KERNELS)
    workers = {c.name: Worker(c) for c in field()}
    try:
        cells = {sizes: cell(sizes, workers) for sizes in itertools.product(*axes)}
        ours = {REFERENCE: workers[REFERENCE]}
        beside = {} if quick else {s: cell(s, ours) for s in one_by_one()}
    finally:
        for worker in workers.values():
            worker.close()
    found = cliff_lines(cells) + beside_lines(beside)
    print("\n".join([*lines(axes, cells), *(found or ["no cliffs"])]))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        figures: dict[str, Any] = {
            "microseconds": [named(sizes) | found for sizes, found in cells.items()],
            "one_by_one": [named(sizes) | found for sizes, found in beside.items()],
            "cliffs": found,
        }
        (folder / "convolutions.json").write_text(json.dumps(figures, indent=2) + "\n")
        from benchmarks.convolutions_picture import draw

        draw(axes, cells, folder)


def field() -> list[Contender]:
    """Those that are compared, if they are installed."""
    return [c for c in contenders() if c.name in AGAINST and not c.missing]


def named(sizes: Sizes) -> dict[str, Any]:
    """Each size with its name."""
    return dict(zip(NAMES, sizes, strict=True))


def task_of(sizes: Sizes) -> Task:
    """The network of some sizes, and a few steps."""
    image, channels, filters, kernel = sizes
    convolution = Conv(filters, (kernel, kernel), "relu", "same")
    network = Network(
        (image, image, channels), (convolution, convolution, GlobalMean(), Dense(10))
    )
    one = operations(Task("convolutions", "", network, 1, 1, 1, ()))
    rows = max(LEAST_ROWS, min(MOST_ROWS, round(OPERATIONS / one)))
    return Task("convolutions", "", network, rows, rows * STEPS, 1, ())


def cell(sizes: Sizes, workers: dict[str, Worker]) -> Cell:
    """Microseconds of a step, by contender."""
    task = task_of(sizes)
    say(f"convolutions: {named(sizes)}, batch {task.batch_size}")
    work = task.work()
    for name, worker in workers.items():
        check(name, worker.open("train", work, trial=2))
    turns = [
        {name: check(name, w.run(2)).run.step for name, w in workers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: median(turn[name] for turn in turns) * 1e6 for name in workers}


def ratio(found: Cell) -> float:
    """How many times as fast as the rival thalweg is."""
    rivals = [time for name, time in found.items() if name != REFERENCE]
    return min(rivals) / found[REFERENCE]


def speed(sizes: Sizes, found: Cell) -> float:
    """thalweg's GFLOP/s."""
    return operations(task_of(sizes)) / found[REFERENCE] / 1e3


# Cliffs -------------------------------------------------------------------------------


def one_by_one() -> list[Sizes]:
    """Sizes that differ from one another by little, one axis at a time."""
    return [
        (*BESIDE[:axis], size, *BESIDE[axis + 1 :])
        for axis, sizes in enumerate(RANGES)
        for size in sizes
    ]


def cliff_lines(cells: dict[Sizes, Cell]) -> list[str]:
    """Where an operation takes much longer than at the next smaller size."""
    cost = {sizes: 1 / speed(sizes, found) for sizes, found in cells.items()}
    return [
        f"an operation of {named(b)} takes {times:.1f} times as long as of {named(a)}"
        for a, b, times in cliffs(cost)
    ]


def beside_lines(beside: dict[Sizes, Cell]) -> list[str]:
    """Where a row of one more along an axis takes much longer."""
    cost = {
        sizes: found[REFERENCE] / task_of(sizes).batch_size
        for sizes, found in beside.items()
    }
    return [
        f"a row of {named(a)} takes {cost[a]:.0f} µs, of {named(b)} {cost[b]:.0f} µs"
        for a, b in itertools.permutations(cost, 2)
        if sum(y - x for x, y in zip(a, b, strict=True)) == 1
        and sum(x != y for x, y in zip(a, b, strict=True)) == 1
        and cost[b] / cost[a] > expected(a, b)
    ]


def expected(a: Sizes, b: Sizes) -> float:
    """How much longer a row of b may take than one of a."""
    more = task_of(b).network.products, task_of(a).network.products
    return CLIFF * max(1.0, sum(more[0]) / sum(more[1]))


# Showing ------------------------------------------------------------------------------


def lines(axes: tuple[Sizes, ...], cells: dict[Sizes, Cell]) -> list[str]:
    """A table of ratios and speeds for each kernel."""
    images, channels, filters, kernels = axes
    found = [
        "PyTorch's time of a step, thalweg's = 1 (above 1, thalweg leads); GFLOP/s of "
        "thalweg"
    ]
    for kernel in kernels:
        head = "".join(f"{f'{count} filters':>16}" for count in filters)
        found.append(f"kernel {kernel} × {kernel:<12}{head}")
        for image, channel in itertools.product(images, channels):
            row = [(image, channel, count, kernel) for count in filters]
            cells_ = "".join(
                f"{ratio(cells[s]):10.2f}{speed(s, cells[s]):6.0f}" for s in row
            )
            found.append(f"{f'{image} × {image} × {channel}':>23}{cells_}")
    return found
