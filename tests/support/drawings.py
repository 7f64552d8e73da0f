"""What stands in a drawing: its texts, and the colors of a theme."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

NAMESPACE = re.compile(r"^\{.*\}")
FILL = re.compile(r"(?:^|;)\s*fill: ([^;]+)")
NAMED = re.compile(r"var\(--([\w-]+)\)")


def texts_in(svg: str) -> list[ElementTree.Element]:
    """The elements that hold words."""
    root = ElementTree.fromstring(svg)
    return [e for e in root.iter() if NAMESPACE.sub("", e.tag) == "text"]


def texts_of(svg: str) -> list[str]:
    """The words, in the order in which they stand in the file."""
    return ["".join(text.itertext()) for text in texts_in(svg)]


def color_of(text: ElementTree.Element, theme: Mapping[str, str]) -> str:
    """A text's color in a theme, as a hexadecimal number; black where none is said."""
    said = FILL.search(text.attrib.get("style", ""))
    if said is None:
        return "#000000"
    named = NAMED.fullmatch(said[1].strip())
    return theme[named[1]] if named else said[1].strip()


def contrast(one: str, other: str) -> float:
    """The ratio of two colors' lightness, as WCAG 2.2 defines it.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    darker, lighter = sorted(map(lightness, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def lightness(color: str) -> float:
    """The relative luminance of a color such as #0072B2."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
