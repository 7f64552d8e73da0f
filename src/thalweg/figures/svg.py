"""Figures as SVG, in colors that are named and so can follow light and dark."""

# Matplotlib leaves its keyword arguments untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from thalweg.figures.style import COLORS, DARK, LIGHT, textbook

LOOK: dict[Any, Any] = {
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "font.family": ["DejaVu Sans"],
    "svg.fonttype": "none",
    "text.parse_math": False,  # a column may be called "$x"
}
FONTS = '"DejaVu Sans", Verdana, sans-serif'
NUMBER = re.compile(r"-?\d+\.\d{3,}")
SHAPES = ("d", "x", "y", "width", "height", "transform", "viewBox")
REFERENCE = re.compile(r"#([\w.-]+)")


def svg_element(
    name: str, plot: Callable[[], Figure], look: Mapping[Any, Any] | None = None
) -> str:
    """A figure as an element for HTML, in the colors and the font of its page.

    Arguments:
        name: no two pictures of a page may have the same, as their parts are named
            after it.
        plot: draws the figure.
        look: settings of Matplotlib that go before the house's style.
    """
    return as_text(drawn(name, plot, look or {}))


def svg_file(name: str, plot: Callable[[], Figure]) -> bytes:
    """A figure as a file of its own, which is light or dark as its reader's screen."""
    root = drawn(name, plot, {})
    root.set("xmlns", "http://www.w3.org/2000/svg")
    style = ElementTree.Element("style")
    style.text = (
        f"\nsvg {{ {declared(LIGHT)} font-family: {FONTS}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ svg {{ {declared(DARK)} }} }}\n"
    )
    ground = {"width": "100%", "height": "100%", "style": "fill: var(--ground)"}
    root.insert(0, ElementTree.Element("rect", ground))
    root.insert(0, style)
    return as_text(root).encode() + b"\n"


def declared(colors: Mapping[str, str]) -> str:
    """Colors as declarations of CSS.

    >>> declared({"ink": "#000000", "ground": "#ffffff"})
    '--ink: #000000; --ground: #ffffff;'
    """
    return " ".join(f"--{name}: {color};" for name, color in colors.items())


def as_text(root: ElementTree.Element) -> str:
    """An element written out."""
    return ElementTree.tostring(root, encoding="unicode")


def drawn(
    name: str, plot: Callable[[], Figure], look: Mapping[Any, Any]
) -> ElementTree.Element:
    """What a figure shows."""
    with page_look({**look, "svg.hashsalt": name}):
        figure = plot()
        FigureCanvasSVG(figure)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
    return cleaned(ElementTree.fromstring(content.getvalue().decode()), name)


@contextmanager
def page_look(look: dict[Any, Any]) -> Generator[None]:
    """Draw for a page, whatever letters names have."""
    with textbook(), mpl.rc_context({**LOOK, **look}), warnings.catch_warnings():
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
    for color, variable in COLORS.items():
        style = style.replace(color.lower(), f"var(--{variable})")
    return style.replace("; font-family: 'DejaVu Sans'", "")


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]
