"""How Sphinx builds these pages: Markdown through MyST, names from the docstrings."""

import re
import tomllib
from pathlib import Path
from textwrap import indent
from typing import Any

from sphinx.application import Sphinx

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

project = "thalweg"
author = "thalweg contributors"
release = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# A page may be listed before it is written.
suppress_warnings = ["toc.not_readable"]
exclude_patterns = ["_build"]

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = "thalweg"


def as_markup(paragraph: str) -> str:
    """Formulas are printed as they stand, and elsewhere |x| is an absolute value."""
    if ">>>" in paragraph:
        return paragraph
    if all(re.match(r"\S.*[=←]", line) for line in paragraph.splitlines()):
        return "::\n\n" + indent(paragraph, "    ")
    return paragraph.replace("|", r"\|")


def mark_up(*event: Any) -> None:
    """What a docstring says plainly, in reStructuredText."""
    lines: list[str] = event[-1]
    paragraphs = "\n".join(lines).split("\n\n")
    lines[:] = "\n\n".join(map(as_markup, paragraphs)).split("\n")


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    # Before napoleon, which turns sections into markup.
    app.connect("autodoc-process-docstring", mark_up, priority=400)
