"""A grid of sizes as heat maps: who leads, and thalweg's speed."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.cliffs import Sizes
from benchmarks.grid import Cells, Grid, ratio

LEADS = ["#D55E00", "#FFFFFF", "#0072B2"]
SPEEDS = ["#FFFFFF", "#0072B2"]


def draw(grid: Grid, cells: Cells, folder: Path) -> None:
    """Write the grid's .svg and .png: ratios above, speeds below."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

    height = 0.26 * len(grid.down) + 0.9
    figure, panels = plt.subplots(
        2,
        len(grid.tables),
        figsize=(3.2 * len(grid.tables) + 1.2, 2 * height),
        layout="constrained",
        squeeze=False,
        sharey=True,
    )
    ratios = {sizes: ratio(found) for sizes, found in cells.items()}
    speeds = {sizes: grid.speed(sizes, found) for sizes, found in cells.items()}
    reach = max(2.0, *(max(r, 1 / r) for r in ratios.values()))
    kinds: list[tuple[Any, ...]] = [
        (ratios, LEADS, LogNorm(1 / reach, reach), "PyTorch's time, thalweg's = 1"),
        (speeds, SPEEDS, Normalize(0, max(speeds.values())), "thalweg, GFLOP/s"),
    ]
    for row, (values, colors, norm, title) in zip(panels, kinds, strict=True):
        shades = LinearSegmentedColormap.from_list("", colors)
        for panel, last in zip(row, grid.tables, strict=True):
            draw_panel(panel, grid, values, last, shades, norm)
            panel.set_title(f"{title}\n{grid.table_name(last)}", fontsize=8)
    for panel in panels[-1]:
        panel.set_xlabel([*grid.axes][-2], fontsize=8)
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"{grid.name}.{suffix}", dpi=130)
    plt.close(figure)


def draw_panel(
    panel: Any,
    grid: Grid,
    values: Mapping[Sizes, float],
    last: int,
    shades: Any,
    norm: Any,
) -> None:
    """One size of the last axis, with a number in each cell."""
    table = [[values[(*row, size, last)] for size in grid.across] for row in grid.down]
    panel.imshow(table, cmap=shades, norm=norm, aspect="auto")
    for (place, line), (column, _) in itertools.product(
        enumerate(table), enumerate(grid.across)
    ):
        value = line[column]
        text = f"{value:.2g}" if value < 10 else f"{value:.0f}"
        panel.text(
            column,
            place,
            text,
            ha="center",
            va="center",
            fontsize=7,
            color="white" if is_dark(shades(norm(value))) else "black",
        )
    across = [str(size) for size in grid.across]
    panel.set_xticks(range(len(across)), across, fontsize=7)
    down = [grid.row_name(sizes) for sizes in grid.down]
    panel.set_yticks(range(len(down)), down, fontsize=7)


def is_dark(color: tuple[float, float, float, float]) -> bool:
    """Whether white stands out on it more than black."""
    red, green, blue = (part**2.2 for part in color[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18
