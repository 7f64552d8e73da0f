"""Figures as SVG that can stand in a page, in the page's own colors."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from thalweg.figures.style import BLUE, GRAY, GREEN, TEXTBOOK, VERMILION, textbook

INK = "#1b1b1b"
GROUND = "#fefefe"
RULE = TEXTBOOK["grid.color"]
LARGEST_DRAWN = 1e150
LEAST_SPAN = 1e-10  # of the largest number
SIZE = (4.8, 3.3)  # inches; two stand side by side on a wide screen

# What is drawn in the first is shown in the page's color of that name.
VARIABLES = {
    INK: "ink",
    GROUND: "ground",
    GRAY: "muted",
    RULE: "rule",
    BLUE: "blue",
    VERMILION: "vermilion",
    GREEN: "green",
}
LOOK: dict[Any, Any] = {
    "axes.edgecolor": GRAY,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "figure.facecolor": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "legend.fontsize": 9.5,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a column may be called "$x"
    "xtick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.color": GRAY,
    "ytick.labelcolor": INK,
}
NUMBER = re.compile(r"-?\d+\.\d{3,}")
SHAPES = ("d", "x", "y", "width", "height", "transform", "viewBox")
REFERENCE = re.compile(r"#([\w.-]+)")


def svg(name: str, plot: Callable[[], Figure], shown: ArrayLike = ()) -> str:
    """What a figure shows, as an element for HTML.

    Arguments:
        name: no two pictures of a page may have the same, as their parts are named
            after it.
        plot: draws the figure.
        shown: numbers along an axis, which may be such that none can be drawn.
    """
    with page_look(name):
        figure = plot() if can_be_drawn(np.asarray(shown, np.float64)) else not_drawn()
        FigureCanvasSVG(figure)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    root = ElementTree.fromstring(content.getvalue().decode())
    return ElementTree.tostring(cleaned(root, name), encoding="unicode")


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
    figure.text(0.5, 0.5, text, ha="center", va="center", color=INK)
    return figure


@contextmanager
def page_look(name: str) -> Generator[None]:
    """Draw for a page, whatever letters names have."""
    look: dict[Any, Any] = {**LOOK, "svg.hashsalt": name}
    with textbook(), mpl.rc_context(look), warnings.catch_warnings():
        # The browser has letters that the font which measures lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def cleaned(root: ElementTree.Element, name: str) -> ElementTree.Element:
    """The drawing without what only a file needs, and with names of its own."""
    used = set(REFERENCE.findall(" ".join(references(root))))
    for parent in root.iter():
        for child in list(parent):
            if local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = local(element.tag)
        element.attrib = attributes(element, name, used)
        element.tail = None
        if not (element.text or "").strip():
            element.text = None
    del root.attrib["width"], root.attrib["height"]
    root.attrib.pop("version", None)
    root.set("aria-hidden", "true")
    root.set("focusable", "false")
    return root


def references(root: ElementTree.Element) -> Generator[str]:
    """The attributes that may name another part of the drawing."""
    for element in root.iter():
        for key, value in element.attrib.items():
            if local(key) == "href" or value.startswith("url("):
                yield value


def attributes(
    element: ElementTree.Element, name: str, used: set[str]
) -> dict[str, str]:
    """Those of an element: short numbers, the page's colors, names of its own."""
    kept: dict[str, str] = {}
    for key, value in element.attrib.items():
        key = local(key)
        if key == "id":
            if value not in used:
                continue
            value = f"{name}-{value}"
        elif key == "href" or value.startswith("url("):
            value = value if value.startswith("data:") else own(value, name)
        elif key in SHAPES:
            value = NUMBER.sub(lambda number: f"{float(number[0]):.2f}", value)
            value = " ".join(value.split())
        elif key == "style":
            value = in_page_colors(value)
        kept[key] = value
    return kept


def own(reference: str, name: str) -> str:
    """A reference to a part of this drawing."""
    return REFERENCE.sub(rf"#{name}-\1", reference)


def in_page_colors(style: str) -> str:
    """Colors by their names in the page, and the page's font."""
    for color, variable in VARIABLES.items():
        style = style.replace(color.lower(), f"var(--{variable})")
    return style.replace("; font-family: 'DejaVu Sans'", "")


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]
