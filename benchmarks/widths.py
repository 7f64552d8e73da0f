"""Width × batch: where thalweg leads, where it doesn't, and whether there are cliffs.

Networks of two hidden layers, all of one width, at many batch sizes; thalweg against
the faster of JAX (a scan over the epoch) and PyTorch (eager, the lean loop or modules).
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
from benchmarks.networks import perceptron
from benchmarks.rounds import REFERENCE, say
from benchmarks.tasks import Task
from benchmarks.work import Failure, Opened, Timed
from benchmarks.worker import Worker

WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)
BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
QUICK_WIDTHS, QUICK_BATCHES = (8, 32, 128), (1, 16, 256)
AGAINST = (
    REFERENCE,
    "JAX scan",
    "JAX scan, no Eigen threads",
    "PyTorch eager, 1 thread",
    "PyTorch eager, 2 threads",
)
OUTPUTS = 10
OPERATIONS = 2e9  # of an epoch, about: enough steps to be timed, few enough to end
ROUNDS = 3
TICKS = (0.2, 0.25, 0.33, 0.5, 0.7, 1, 1.5, 2, 3, 4, 5)
BESIDE = 32  # the batch size at which widths next to a power of two are timed


def main(folder: Path | None, quick: bool) -> None:
    """Time the grid, print it, and write widths.json, .svg and .png."""
    widths, batches = (QUICK_WIDTHS, QUICK_BATCHES) if quick else (WIDTHS, BATCHES)
    workers = {c.name: Worker(c) for c in field()}
    try:
        cells = {
            (width, batch): cell(square(width, batch), workers)
            for width in widths
            for batch in batches
        }
        beside = neighbors(widths, workers[REFERENCE])
    finally:
        for worker in workers.values():
            worker.close()
    found = cliff_lines(cells) + beside_cliffs(beside)
    figures: dict[str, Any] = {
        "widths": widths,
        "batches": batches,
        "microseconds": [
            {"width": w, "batch": b, **each} for (w, b), each in cells.items()
        ],
        "beside_a_power_of_two": beside,
        "cliffs": found,
    }
    print("\n".join(lines(widths, batches, cells, found)))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "widths.json").write_text(json.dumps(figures, indent=2) + "\n")
        draw(widths, batches, cells, folder)


def field() -> list[Contender]:
    """Those that are compared, if they are installed."""
    return [c for c in contenders() if c.name in AGAINST and not c.missing]


def square(width: int, batch: int) -> Task:
    """A network of one width, and as many steps as take some tenths of a second."""
    network = perceptron(width, width, width, OUTPUTS)
    task = Task("widths", "", network, batch, batch, 1, ())
    steps = max(2, min(200, int(OPERATIONS / operations(task))))
    return Task("widths", "", network, batch, batch * steps, 1, ())


Cell = dict[str, float]


def cell(task: Task, workers: dict[str, Worker]) -> Cell:
    """Microseconds of a step, by contender."""
    say(f"widths: {task.network}, batch {task.batch_size}")
    work = task.work()
    for name, worker in workers.items():
        check(name, worker.open("train", work, trial=2))
    turns = [
        {name: check(name, w.run(2)).run.step for name, w in workers.items()}
        for _ in range(ROUNDS)
    ]
    return {name: median(turn[name] for turn in turns) * 1e6 for name in workers}


def check(name: str, answer: Any) -> Any:
    """The answer, unless it is a failure."""
    if isinstance(answer, Failure):
        raise SystemExit(f"{name} failed: {answer.reason}")
    assert isinstance(answer, Opened | Timed)
    return answer


def ratio(found: Cell) -> float:
    """How many times as fast as the best rival thalweg is."""
    rivals = [time for name, time in found.items() if name != REFERENCE]
    return min(rivals) / found[REFERENCE]


# Cliffs -------------------------------------------------------------------------------


def neighbors(widths: tuple[int, ...], worker: Worker) -> list[dict[str, float]]:
    """thalweg's step at widths one below and one above a power of two, too."""
    sizes = [size for w in widths if w >= 16 for size in (w - 1, w, w + 1)]
    return [{"width": w, **cell(square(w, BESIDE), {REFERENCE: worker})} for w in sizes]


def beside_cliffs(beside: list[dict[str, float]]) -> list[str]:
    """Where a width of one more or less takes much longer."""
    pairs = itertools.combinations(beside, 2)
    close = [(a, b) for a, b in pairs if abs(a["width"] - b["width"]) <= 2]
    return [
        f"width {a['width']} takes {a[REFERENCE]:.0f} µs, width {b['width']} "
        f"{b[REFERENCE]:.0f} µs, at batch {BESIDE}"
        for a, b in close
        if max(a[REFERENCE] / b[REFERENCE], b[REFERENCE] / a[REFERENCE]) > CLIFF
    ]


def cliff_lines(cells: dict[tuple[int, int], Cell]) -> list[str]:
    """Where an operation takes much longer than at the next smaller size."""
    cost = {
        key: found[REFERENCE] / operations(square(*key)) for key, found in cells.items()
    }
    return [
        f"an operation at width × batch {b[0]} × {b[1]} takes {times:.1f} times as "
        f"long as at {a[0]} × {a[1]}"
        for a, b, times in cliffs(cost)
    ]


# Showing ------------------------------------------------------------------------------


def lines(
    widths: tuple[int, ...],
    batches: tuple[int, ...],
    cells: dict[tuple[int, int], Cell],
    found: list[str],
) -> list[str]:
    """The grid of ratios as a table, and the cliffs."""
    head = "width \\ batch " + "".join(f"{batch:>8}" for batch in batches)
    rows = [
        f"{width:>13} " + "".join(f"{ratio(cells[width, b]):8.2f}" for b in batches)
        for width in widths
    ]
    title = "the best rival's time of a step, thalweg's = 1 (above 1, thalweg leads)"
    return [title, head, *rows, *(found or ["no cliffs"])]


def draw(
    widths: tuple[int, ...],
    batches: tuple[int, ...],
    cells: dict[tuple[int, int], Cell],
    folder: Path,
) -> None:
    """The grid as a heat map, blue where thalweg leads, with the ratio in each cell."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from matplotlib.ticker import FormatStrFormatter, NullLocator

    ratios = [[ratio(cells[w, b]) for b in batches] for w in widths]
    reach = max(2.0, *(max(r, 1 / r) for row in ratios for r in row))
    colors = LinearSegmentedColormap.from_list("", ["#D55E00", "#FFFFFF", "#0072B2"])
    figure, axes = plt.subplots(
        figsize=(0.9 * len(batches) + 2.6, 0.55 * len(widths) + 1.8),
        layout="constrained",
    )
    image = axes.imshow(
        ratios, cmap=colors, norm=LogNorm(1 / reach, reach), aspect="auto"
    )
    for (row, width), (column, batch) in itertools.product(
        enumerate(widths), enumerate(batches)
    ):
        found = cells[width, batch]
        value = ratio(found)
        rival = min((t, n) for n, t in found.items() if n != REFERENCE)[1][0]
        dark = max(value, 1 / value) > reach**0.6
        axes.text(
            column,
            row,
            f"{value:.2g} {rival}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else "black",
            weight="bold" if value >= 1 else "normal",
        )
    axes.set_xticks(range(len(batches)), [str(b) for b in batches])
    axes.set_yticks(range(len(widths)), [str(w) for w in widths])
    axes.set_xlabel("batch size")
    axes.set_ylabel("width of all layers")
    axes.set_title(
        "Best rival's time of a step, thalweg's = 1\n"
        "bold: thalweg leads; J, P: the rival is JAX, PyTorch",
        fontsize=9,
        loc="left",
    )
    bar = figure.colorbar(image, ax=axes)
    bar.set_ticks([tick for tick in TICKS if 1 / reach <= tick <= reach])
    bar.ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"widths.{suffix}", dpi=130)
    plt.close(figure)
