"""Arrays of two axes as pictures: images in grays, and numbers with their signs."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from thalweg.figures.style import BLUE, GRAY, INK, VERMILION
from thalweg.program.types import NumpyArray

Rows = Sequence[Sequence[float]]

# Clear in the middle, so that zero has the ground's color in any theme.
SIGNS = LinearSegmentedColormap.from_list(
    "signs", [BLUE, (*(0.5,) * 3, 0.0), VERMILION]
)
SHARES = LinearSegmentedColormap.from_list("shares", [(*(0.5,) * 3, 0.0), BLUE])

BESIDE: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center"}
"""How a name stands left of a row of pictures."""


def rounded(numbers: NumpyArray, digits: int = 4) -> Any:
    """Numbers as lists, short enough for a file."""
    return np.round(np.asarray(numbers, np.float64), digits).tolist()


def bare(axes: Axes) -> None:
    """Axes without ticks, for a picture that has no scale."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for side in axes.spines.values():
        side.set_visible(True)
        side.set_color(GRAY)
        side.set_linewidth(0.6)


def draw_image(axes: Axes, pixels: Rows, low: float = 0.0, high: float = 1.0) -> None:
    """An image in grays: the lowest number black, the highest white."""
    axes.imshow(pixels, "gray", vmin=low, vmax=high, interpolation="nearest")
    bare(axes)


def draw_signed(axes: Axes, numbers: Rows, most: float | None = None) -> None:
    """Numbers above zero in vermilion, below in blue, and zero clear."""
    reach = most or float(np.abs(numbers).max()) or 1.0
    axes.imshow(numbers, SIGNS, vmin=-reach, vmax=reach, interpolation="nearest")
    bare(axes)


def draw_numbers(axes: Axes, numbers: Rows, size: float = 11) -> None:
    """Numbers in cells of a grid, the first row at the top."""
    height, width = np.shape(numbers)
    axes.set_xlim(-0.5, width - 0.5)
    axes.set_ylim(height - 0.5, -0.5)
    axes.set_aspect("equal")
    bare(axes)
    for (i, j), number in np.ndenumerate(np.asarray(numbers)):
        axes.text(j, i, f"{number:g}", ha="center", va="center", fontsize=size)
        axes.add_patch(cell(i, j, edgecolor=INK, linewidth=0.3))


def cell(i: int, j: int, inset: float = 0.0, **look: Any) -> Rectangle:
    """The outline of a cell of a grid."""
    side = 1 - 2 * inset
    corner = (j - 0.5 + inset, i - 0.5 + inset)
    return Rectangle(corner, side, side, facecolor="none", **look)


def draw_shares(axes: Axes, numbers: Rows, most: float = 1.0) -> None:
    """Numbers from 0, which is clear, to the most, which is blue."""
    axes.imshow(
        numbers, SHARES, vmin=0, vmax=most, interpolation="nearest", aspect="auto"
    )
    bare(axes)
