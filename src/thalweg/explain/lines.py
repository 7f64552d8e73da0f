"""Words and widths of the texts that explain a network."""

from __future__ import annotations

import textwrap

PAGE_WIDTH = 88


def wrapped(text: str) -> list[str]:
    """Lines of a paragraph."""
    return textwrap.wrap(text, PAGE_WIDTH)
