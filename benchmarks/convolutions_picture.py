"""The sweep of convolutions as heat maps: who leads, and thalweg's speed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from benchmarks.convolutions import Cell, Sizes, ratio, speed

LEADS = ["#D55E00", "#FFFFFF", "#0072B2"]
SPEEDS = ["#FFFFFF", "#0072B2"]


def draw(axes: tuple[Sizes, ...], cells: dict[Sizes, Cell], folder: Path) -> None:
    """Write convolutions.svg and .png: ratios above, speeds below."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

    images, channels, _, kernels = axes
    height = 0.26 * len(images) * len(channels) + 0.9
    figure, panels = plt.subplots(
        2,
        len(kernels),
        figsize=(3.2 * len(kernels) + 1.2, 2 * height),
        layout="constrained",
        squeeze=False,
        sharey=True,
    )
    ratios = {sizes: ratio(found) for sizes, found in cells.items()}
    speeds = {sizes: speed(sizes, found) for sizes, found in cells.items()}
    reach = max(2.0, *(max(r, 1 / r) for r in ratios.values()))
    kinds: list[tuple[Any, ...]] = [
        (ratios, LEADS, LogNorm(1 / reach, reach), "PyTorch's time, thalweg's = 1"),
        (speeds, SPEEDS, Normalize(0, max(speeds.values())), "thalweg, GFLOP/s"),
    ]
    for row, (values, colors, norm, title) in zip(panels, kinds, strict=True):
        shades = LinearSegmentedColormap.from_list("", colors)
        for panel, kernel in zip(row, kernels, strict=True):
            draw_panel(panel, axes, values, kernel, shades, norm)
            panel.set_title(f"{title}\nkernel {kernel} × {kernel}", fontsize=8)
    for panel in panels[-1]:
        panel.set_xlabel("filters", fontsize=8)
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"convolutions.{suffix}", dpi=130)
    plt.close(figure)


def draw_panel(
    panel: Any,
    axes: tuple[Sizes, ...],
    values: dict[Sizes, float],
    kernel: int,
    shades: Any,
    norm: Any,
) -> None:
    """One kernel: images and channels down, filters across, a number in each cell."""
    images, channels, filters, _ = axes
    rows = list(itertools.product(images, channels))
    grid = [[values[(*row, count, kernel)] for count in filters] for row in rows]
    panel.imshow(grid, cmap=shades, norm=norm, aspect="auto")
    for (place, line), (column, _) in itertools.product(
        enumerate(grid), enumerate(filters)
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
    panel.set_xticks(range(len(filters)), [str(count) for count in filters], fontsize=7)
    names = [f"{image} × {image} × {channel}" for image, channel in rows]
    panel.set_yticks(range(len(rows)), names, fontsize=7)


def is_dark(color: tuple[float, float, float, float]) -> bool:
    """Whether white stands out on it more than black."""
    red, green, blue = (part**2.2 for part in color[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18
