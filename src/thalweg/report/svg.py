"""The pictures of a report, small and in the page's own colors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from thalweg.figures.style import INK
from thalweg.figures.svg import svg_element

LARGEST_DRAWN = 1e150
LEAST_SPAN = 1e-10  # of the largest number
SIZE = (4.8, 3.3)  # inches; two stand side by side on a wide screen
LOOK: dict[Any, Any] = {"font.size": 10, "legend.fontsize": 9.5}


def svg(name: str, plot: Callable[[], Figure], shown: ArrayLike = ()) -> str:
    """What a figure shows, as an element for HTML.

    Arguments:
        name: no two pictures of a page may have the same, as their parts are named
            after it.
        plot: draws the figure.
        shown: numbers along an axis, which may be such that none can be drawn.
    """
    possible = can_be_drawn(np.asarray(shown, np.float64))
    return svg_element(name, plot if possible else not_drawn, LOOK)


def can_be_drawn(values: NDArray[np.float64]) -> bool:
    """Whether an axis can have ticks for these numbers, as far as Matplotlib can.

    >>> can_be_drawn(np.array([1.0, 2.0])), can_be_drawn(np.array([1.0, np.inf]))
    (True, False)
    """
    size = float(np.abs(values).max(initial=0.0))
    if not size < LARGEST_DRAWN or 0 < size < 1 / LARGEST_DRAWN:
        return False
    span = float(np.ptp(values)) if values.size else 0.0
    return span > size * LEAST_SPAN or (span == 0 and size < 1 / LEAST_SPAN)


def not_drawn() -> Figure:
    """What stands in for a picture of numbers that have none."""
    figure = Figure(figsize=(SIZE[0], SIZE[1] / 3))
    text = "Not drawn: numbers are infinite, too large,\nor too near to each other."
    figure.text(0.5, 0.5, text, ha="center", va="center", color=INK)  # pyright: ignore[reportUnknownMemberType]
    return figure
