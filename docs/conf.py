"""How Sphinx builds these pages: Markdown through MyST, names from the docstrings."""

import os
import re
import sys
import tomllib
from html import escape
from pathlib import Path
from textwrap import indent
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from thalweg.figures.draw import figure_module
from thalweg.figures.style import DARK, LIGHT
from thalweg.figures.svg import svg_element

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
FIGURES = Path(__file__).parent / "_build" / "figures"

project = "thalweg"
author = "thalweg contributors"
release = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]

extensions = [
    "myst_parser",
    "play",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# A page may be listed before it is written.
suppress_warnings = ["toc.not_readable"]
exclude_patterns = ["_build", "_static", "extensions"]

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

# Each figure is a real run, all of them two minutes or more; 0 leaves them out.
draw_figures = os.environ.get("THALWEG_DOCS_FIGURES") != "0"

html_theme = "furo"
html_title = "thalweg"
html_show_copyright = False
html_show_search_summary = False  # they'd be fetched, which a page of a file may not
html_static_path = ["_static"]
html_css_files = ["figures.css"]
html_theme_options = {"light_css_variables": LIGHT, "dark_css_variables": DARK}
mathjax_path = "mathjax/tex-svg.js"  # in _static, so that no page needs another host
# The menu could ask for more: how formulas are spoken.
mathjax3_config = {"options": {"enableMenu": False}}

# What is copied is what one types: no prompts, and no output below them.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


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
    """Put a page's figures into it, drawn where they don't lie yet, or leave them out.

    In the page, and not beside it, they take the colors of its theme.
    """
    for figure in list(page.findall(nodes.figure)):
        image = figure.children[0]
        name = Path(image["uri"]).stem
        path = FIGURES / f"{name}.svg"
        if app.config.draw_figures and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(drawn(name), encoding="utf-8")
        if not path.exists():
            figure.parent.remove(figure)
            continue
        words = escape(image["alt"], quote=True)
        opened = f'<div class="drawing" role="img" aria-label="{words}" tabindex="0">'
        element = f"{opened}{path.read_text(encoding='utf-8')}</div>"
        image.replace_self(nodes.raw("", element, format="html"))


def drawn(name: str) -> str:
    """A figure of a real run."""
    module = figure_module(name)
    data = module.run()
    return svg_element(name, lambda: module.plot(data))


def setup(app: Sphinx) -> None:
    """What Sphinx calls first."""
    app.add_config_value("draw_figures", True, "env")
    # Before Sphinx collects the pages' images.
    app.connect("doctree-read", provide_figures, priority=400)
    # Before napoleon, which turns sections into markup.
    app.connect("autodoc-process-docstring", mark_up, priority=400)
