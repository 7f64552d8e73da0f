"""Image × channels × filters × kernel: where thalweg leads, and if there are cliffs.

Networks of two convolutions, the second from filters to filters, a mean over places and
a dense layer; thalweg against PyTorch, eager, in the fastest of its loops and orders of
axes, with one thread each. Batches are as large as make a step long enough to be timed.
A cliff is a size at which an operation takes much longer than at its neighbors.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.cliffs import Sizes
from benchmarks.contenders import Contender, contenders
from benchmarks.floor import operations
from benchmarks.grid import Cell, Grid, one_by_one, report
from benchmarks.layers import Conv, Dense, GlobalMean, Network
from benchmarks.rounds import REFERENCE, say
from benchmarks.tasks import Task
from benchmarks.widths import check
from benchmarks.worker import Worker

AGAINST = (REFERENCE, "PyTorch eager, 1 thread")
OPERATIONS = 2e8  # of a step, about; an epoch has a few
STEPS, ROUNDS = 3, 3
LEAST_ROWS, MOST_ROWS = 4, 512


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


GRID = Grid(
    "convolutions",
    {
        "image": (8, 16, 32),
        "channels": (1, 3, 16, 64),
        "filters": (8, 16, 32, 64),
        "kernel": (1, 3, 5),
    },
    row="{image} × {image} × {channels}",
    column="{filters} filters",
    table="kernel {kernel} × {kernel}",
    operations=lambda sizes: operations(task_of(sizes)),
    batch=lambda sizes: task_of(sizes).batch_size,
)
QUICK = replace(
    GRID,
    axes={"image": (8, 32), "channels": (1, 16), "filters": (8, 64), "kernel": (3,)},
)
BESIDE = one_by_one(
    (16, 16, 16, 3),
    (
        tuple(range(12, 20)),
        tuple(range(1, 9)),
        (7, 8, 9, 15, 16, 17, 31, 32, 33),
        tuple(range(1, 8)),
    ),
)


def main(folder: Path | None, quick: bool) -> None:
    """Time the grid, print it, and write convolutions.json, .svg and .png."""
    grid = QUICK if quick else GRID
    workers = {c.name: Worker(c) for c in field()}
    try:
        cells = {sizes: cell(sizes, workers) for sizes in grid.all_sizes}
        ours = {REFERENCE: workers[REFERENCE]}
        beside = {} if quick else {sizes: cell(sizes, ours) for sizes in BESIDE}
    finally:
        for worker in workers.values():
            worker.close()
    report(grid, cells, beside, folder)


def field() -> list[Contender]:
    """Those that are compared, if they are installed."""
    return [c for c in contenders() if c.name in AGAINST and not c.missing]


def cell(sizes: Sizes, workers: dict[str, Worker]) -> Cell:
    """Microseconds of a step, by contender."""
    task = task_of(sizes)
    say(f"convolutions: {GRID.named(sizes)}, batch {task.batch_size}")
    work = task.work()
    for name, worker in workers.items():
        check(name, worker.open("train", work, trial=2))
    turns = [
        {name: check(name, w.run(2)).run.step for name, w in workers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: median(turn[name] for turn in turns) * 1e6 for name in workers}
