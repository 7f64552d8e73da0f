"""What a step takes at each of a grid of sizes: who leads, and where there are cliffs.

A cliff is a size at which an operation takes much longer than at its neighbors.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cliffs import CLIFF, Sizes, cliffs
from benchmarks.rounds import REFERENCE

Cell = dict[str, float]  # microseconds of a step, by contender
Cells = Mapping[Sizes, Cell]


@dataclass(frozen=True)
class Grid:
    """Sizes along axes, and what is known of a step.

    There is a table for each size of the last axis, with those of the last but one
    across and all others down.

    Arguments:
        name: of its files.
        axes: the sizes of each, by its name.
        row, column, table: how each is called, with names of axes in braces.
        operations: of a step.
        batch: the rows of a step.
    """

    name: str
    axes: dict[str, Sizes]
    row: str
    column: str
    table: str
    operations: Callable[[Sizes], float]
    batch: Callable[[Sizes], int]

    @property
    def all_sizes(self) -> list[Sizes]:
        """Of each cell."""
        return list(itertools.product(*self.axes.values()))

    @property
    def down(self) -> list[Sizes]:
        """Sizes along all axes but the last two."""
        return list(itertools.product(*[*self.axes.values()][:-2]))

    @property
    def across(self) -> Sizes:
        """Sizes along the last axis but one."""
        return [*self.axes.values()][-2]

    @property
    def tables(self) -> Sizes:
        """Sizes along the last axis."""
        return [*self.axes.values()][-1]

    def named(self, sizes: Sizes) -> dict[str, Any]:
        """Each size with its name, from the first axis on."""
        return dict(zip(self.axes, sizes, strict=False))

    def row_name(self, sizes: Sizes) -> str:
        """Of sizes along all axes but the last two."""
        return self.row.format(**self.named(sizes))

    def column_name(self, size: int) -> str:
        """Of a size along the last axis but one."""
        return self.column.format(**{[*self.axes][-2]: size})

    def table_name(self, size: int) -> str:
        """Of a size along the last axis."""
        return self.table.format(**{[*self.axes][-1]: size})

    def speed(self, sizes: Sizes, found: Cell) -> float:
        """thalweg's GFLOP/s."""
        return self.operations(sizes) / found[REFERENCE] / 1e3

    def work(self, sizes: Sizes) -> float:
        """Operations of a row."""
        return self.operations(sizes) / self.batch(sizes)


def one_by_one(middle: Sizes, ranges: tuple[Sizes, ...]) -> list[Sizes]:
    """Sizes that differ from those in the middle along one axis at a time."""
    return [
        (*middle[:axis], size, *middle[axis + 1 :])
        for axis, sizes in enumerate(ranges)
        for size in sizes
    ]


def ratio(found: Cell) -> float:
    """How many times as fast as the best rival thalweg is."""
    rivals = [time for name, time in found.items() if name != REFERENCE]
    return min(rivals) / found[REFERENCE]


def report(grid: Grid, cells: Cells, beside: Cells, folder: Path | None) -> None:
    """Print the grid and its cliffs, and write JSON and pictures.

    Arguments:
        beside: sizes that differ by little, one axis at a time.
    """
    found = cliff_lines(grid, cells) + beside_lines(grid, beside)
    print("\n".join([*lines(grid, cells), *(found or ["no cliffs"])]))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        figures = {
            "microseconds": [grid.named(s) | each for s, each in cells.items()],
            "one_by_one": [grid.named(s) | each for s, each in beside.items()],
            "cliffs": found,
        }
        text = json.dumps(figures, indent=2) + "\n"
        (folder / f"{grid.name}.json").write_text(text, encoding="utf-8")
        from benchmarks.grid_picture import draw

        draw(grid, cells, folder)


# Cliffs -------------------------------------------------------------------------------


def cliff_lines(grid: Grid, cells: Cells) -> list[str]:
    """Where an operation takes much longer than at the next smaller size."""
    cost = {sizes: 1 / grid.speed(sizes, found) for sizes, found in cells.items()}
    return [
        f"an operation of {grid.named(b)} takes {times:.1f} times as long as of "
        f"{grid.named(a)}"
        for a, b, times in cliffs(cost)
    ]


def beside_lines(grid: Grid, beside: Cells) -> list[str]:
    """Where a row of one more along an axis takes much longer."""
    cost = {s: found[REFERENCE] / grid.batch(s) for s, found in beside.items()}
    return [
        f"a row of {grid.named(a)} takes {cost[a]:.0f} µs, of {grid.named(b)} "
        f"{cost[b]:.0f} µs"
        for a, b in itertools.permutations(cost, 2)
        if is_next(a, b)
        and cost[b] / cost[a] > CLIFF * max(1.0, grid.work(b) / grid.work(a))
    ]


def is_next(a: Sizes, b: Sizes) -> bool:
    """Whether b is one more along one axis."""
    return sorted(y - x for x, y in zip(a, b, strict=True)) == [0] * (len(a) - 1) + [1]


# Showing ------------------------------------------------------------------------------


def lines(grid: Grid, cells: Cells) -> list[str]:
    """A table of ratios and speeds for each size of the last axis."""
    found = [
        "PyTorch's time of a step, thalweg's = 1 (above 1, thalweg leads); GFLOP/s of "
        "thalweg"
    ]
    for last in grid.tables:
        head = "".join(f"{grid.column_name(size):>16}" for size in grid.across)
        found.append(f"{grid.table_name(last):<23}{head}")
        for first in grid.down:
            row = [(*first, size, last) for size in grid.across]
            values = "".join(
                f"{ratio(cells[s]):10.2f}{grid.speed(s, cells[s]):6.0f}" for s in row
            )
            found.append(f"{grid.row_name(first):>23}{values}")
    return found
