"""A page as one file of HTML that needs no other."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import thalweg
from thalweg.report.blocks import Page

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
    )
    template = environment.get_template("page.html")
    text = template.render(page=page, version=thalweg.__version__)
    # A lone surrogate, which a name can hold, isn't text that a file can have.
    return text.encode("utf-8", errors="replace")
