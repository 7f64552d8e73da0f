"""A page as one file of HTML that needs no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from thalweg.printable import printable_lines
from thalweg.report.blocks import Page
from thalweg.version import __version__

TEMPLATES = Path(__file__).parent


def html(page: Page) -> bytes:
    """The page; whatever a table or a model file holds is shown as text.

    Example:
        >>> from thalweg.report.blocks import Paragraph, Section
        >>> page = Page("<b>", "", [Section("a", "A", [Paragraph("x < y")])])
        >>> b"x &lt; y" in html(page) and b"<b>" not in html(page)
        True
    """
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
        finalize=shown,
    )
    template = environment.get_template("page.html")
    return template.render(page=page, version=__version__).encode()


def shown(value: Any) -> Any:
    """What the template writes out; only the drawings are HTML already."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return printable_lines(value) if is_text else value
