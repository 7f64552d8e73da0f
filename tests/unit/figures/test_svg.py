"""Figures as SVG: their words can be read, in light and in dark."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from support.browser import MISPLACED, Tab
from support.drawings import color_of, contrast, texts_in
from support.small_figures import SMALL, data_of
from thalweg.figures.draw import figure_module
from thalweg.figures.style import COLORS, DARK, LIGHT
from thalweg.figures.svg import svg_element, svg_file

ENOUGH = 4.5  # for words, by WCAG 2.2
THEMES = {"light": LIGHT, "dark": DARK}
CSS = Path(__file__).parents[3] / "src" / "thalweg" / "report" / "page.css"


@cache
def file_of(name: str) -> str:
    module = figure_module(name)
    return svg_file(name, lambda: module.plot(data_of(name))).decode()


def test_both_themes_have_every_color() -> None:
    assert set(LIGHT) == set(DARK) == set(COLORS.values())


def test_reports_have_the_same_colors() -> None:
    css = CSS.read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    for block, theme in ((light, LIGHT), (dark, DARK)):
        for name, color in re.findall(r"--([\w-]+): (#\w{6});", block):
            assert theme.get(name, color) == color
    assert light.count("#") > 6


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", SMALL)
def test_every_text_can_be_read_on_the_ground(name: str, theme: str) -> None:
    colors = THEMES[theme]
    texts = texts_in(file_of(name))
    assert len(texts) > 10
    for text in texts:
        color = color_of(text, colors)
        assert contrast(color, colors["ground"]) >= ENOUGH, "".join(text.itertext())


@pytest.mark.parametrize("name", SMALL)
def test_no_color_is_fixed(name: str) -> None:
    """What isn't of the theme is in a picture of points, whose middle is clear."""
    drawing = re.sub(r"<style>.*?</style>", "", file_of(name), flags=re.DOTALL)
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]+", drawing) == []


def test_a_file_and_an_element_show_the_same() -> None:
    module = figure_module("perceptron")
    data = data_of("perceptron")
    element = svg_element("perceptron", lambda: module.plot(data))
    drawing = element[element.index("<defs") : element.index("</svg>")]
    assert drawing in file_of("perceptron")


# In a browser ------------------------------------------------------------------------

# Each text, its color and its box; then none can be seen, so that a picture shows what
# lies below them.
UNCOVERED = """
[...document.querySelectorAll("svg text")].map((text) => {
  const box = text.getBoundingClientRect();
  const color = getComputedStyle(text).fill.match(/\\d+/g).map(Number);
  text.style.visibility = "hidden";
  return [text.textContent, color, box.left, box.top, box.right, box.bottom];
})"""


def shades(color: Any) -> Any:
    """The relative luminance of colors from 0 to 1, along the last axis."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", SMALL)
def test_every_text_can_be_read_where_it_stands(
    tab: Tab, tmp_path: Path, name: str, dark: bool
) -> None:
    """On four fifths of the points below it: a line may pass."""
    page, picture = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(f"<body style='margin: 0'>{file_of(name)}", encoding="utf-8")
    tab.open(page, 736, dark)
    assert tab.ask(MISPLACED) == []
    texts = tab.ask(UNCOVERED)
    assert len(texts) > 10
    tab.picture(picture)
    below = shades(matplotlib.image.imread(picture)[..., :3].astype(float))
    for text, color, left, top, right, bottom in texts:
        box = below[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        own = shades(np.array(color[:3]) / 255)
        ratios = (np.maximum(own, box) + 0.05) / (np.minimum(own, box) + 0.05)
        assert np.quantile(ratios, 0.2) >= ENOUGH, text
