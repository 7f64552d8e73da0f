"""How Sphinx builds these pages: Markdown through MyST, names from the docstrings."""

import os
import re
import tomllib
from pathlib import Path
from textwrap import indent
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from thalweg.figures import draw

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
FIGURES = Path(__file__).parent / "_build" / "figures"

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

# Each figure is a real run, all of them a minute or more; 0 leaves them out.
draw_figures = os.environ.get("THALWEG_DOCS_FIGURES") != "0"

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


def provide_figures(app: Sphinx, page: nodes.document) -> None:
    """Draw a page's figures where they don't lie yet, or leave them out."""
    for figure in list(page.findall(nodes.figure)):
        path = FIGURES / Path(figure.children[0]["uri"]).name
        if app.config.draw_figures and not path.exists():
            draw([path.stem], FIGURES)
        if not path.exists():
            figure.parent.remove(figure)


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    app.add_config_value("draw_figures", True, "env")
    # Before Sphinx collects the pages' images.
    app.connect("doctree-read", provide_figures, priority=400)
    # Before napoleon, which turns sections into markup.
    app.connect("autodoc-process-docstring", mark_up, priority=400)
