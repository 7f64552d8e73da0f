"""The look that all figures share: colors, lines, fonts, and labels beside lines."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import textwrap
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from thalweg.figures.runs import Band

# Okabe and Ito's blue and vermilion, which people with any color vision tell apart,
# then darker kinds of their green and purple: in all but vermilion words can be read.
BLUE = "#0072B2"
VERMILION = "#D55E00"
VERMILION_WORDS = "#AD4A00"
GREEN = "#007A5A"
PURPLE = "#A8487F"
GRAY = "#666666"
INK = "#1b1b1b"
GROUND = "#fefefe"
RULE = "#e4e4e4"

# What is drawn in a color above has, in a page, the color of this name.
COLORS = {
    INK: "ink",
    GROUND: "ground",
    GRAY: "muted",
    RULE: "rule",
    BLUE: "blue",
    VERMILION: "vermilion",
    VERMILION_WORDS: "vermilion-words",
    GREEN: "green",
    PURPLE: "purple",
}
LIGHT = {
    "ink": "#1b1b1b",
    "ground": "#ffffff",
    "muted": "#595959",
    "rule": "#d4d4d4",
    "blue": BLUE,
    "vermilion": VERMILION,
    "vermilion-words": VERMILION_WORDS,
    "green": GREEN,
    "purple": PURPLE,
}
DARK = {
    "ink": "#ececec",
    "ground": "#15171a",
    "muted": "#b4b4b4",
    "rule": "#3c4046",
    "blue": "#4FA8DE",
    "vermilion": "#F08A3E",
    "vermilion-words": "#F08A3E",
    "green": "#3CC49B",
    "purple": "#DD8FBC",
}

# No two series differ by color alone.
SERIES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-"},
    {"color": VERMILION, "linestyle": "--"},
    {"color": GREEN, "linestyle": "-."},
    {"color": PURPLE, "linestyle": (0, (1, 1))},
)
TRAINING, VALIDATION = SERIES[:2]

TEXTBOOK: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GRAY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11.5,
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.titlesize": 14,
    "font.size": 11,
    "grid.color": RULE,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "savefig.dpi": 110,
    "text.color": INK,
    "xtick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.color": GRAY,
    "ytick.labelcolor": INK,
}
WIDTH = 9.2  # inches of a figure: its letters have a page's size across a page
TITLE_LETTERS = 9  # an inch
LINE_HEIGHT = 0.2  # inches between two labels, so that they can be read


@contextmanager
def textbook() -> Generator[None]:
    """Draw in the house's style, whatever the user's own settings are."""
    defaults = mpl.rcParamsDefault.items()
    own: dict[Any, Any] = {key: v for key, v in defaults if "backend" not in key}
    with mpl.rc_context({**own, **TEXTBOOK}):
        yield


def new_figure(height: float, title: str, width: float = WIDTH) -> Figure:
    """An empty figure of a size in inches under a title."""
    figure = Figure(figsize=(width, height), layout="constrained")
    lines = textwrap.wrap(title, int(TITLE_LETTERS * width))
    figure.suptitle("\n".join(lines), x=0.01, horizontalalignment="left")
    return figure


def draw_band(axes: Axes, band: Band, look: Mapping[str, Any], **more: Any) -> None:
    """The median as a line, on the range as a band of the same color."""
    axes.plot(band.x, band.median, **look, **more)
    axes.fill_between(
        band.x, band.low, band.high, color=look["color"], alpha=0.15, linewidth=0
    )


def plain_decades(axis: Axis) -> None:
    """A logarithmic axis whose ticks are plain numbers: 0.01, 0.1, 1."""
    axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_minor_formatter("")


def legible(color: str) -> str:
    """The color of words about what is drawn in a color."""
    return VERMILION_WORDS if color == VERMILION else color


@dataclass(frozen=True)
class EndLabel:
    """A text to stand right of the axes, at the height where a line ends."""

    height: float
    text: str
    color: str


def label_ends(axes: Axes, labels: Sequence[EndLabel]) -> None:
    """Write names beside the ends of lines, moved apart where they would overlap.

    The axes' limits and scales must be final.
    """
    to_fraction = axes.transScale + axes.transLimits
    inches = axes.get_position().height * axes.get_figure(True).get_figheight()  # pyright: ignore[reportOptionalMemberAccess]  # drawn axes have a figure
    ordered = sorted(labels, key=lambda label: label.height)
    wanted = [
        min(max(float(to_fraction.transform((1, label.height))[1]), 0.0), 1.0)
        for label in ordered
    ]
    gaps = [LINE_HEIGHT * (1 + label.text.count("\n")) / inches for label in ordered]
    for label, height in zip(ordered, spread(wanted, gaps), strict=True):
        axes.annotate(
            label.text,
            (1.02, height),
            xycoords="axes fraction",
            color=legible(label.color),
            verticalalignment="center",
            annotation_clip=False,
        )


def spread(heights: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Rising heights, moved apart by one pass up and one pass down."""
    apart: list[float] = []
    for i, height in enumerate(heights):
        least = apart[-1] + (sizes[i - 1] + sizes[i]) / 2 if apart else height
        apart.append(max(height, least))
    top = 1.0
    for i in reversed(range(len(apart))):
        apart[i] = min(apart[i], top)
        if i:
            top = apart[i] - (sizes[i - 1] + sizes[i]) / 2
    return apart
