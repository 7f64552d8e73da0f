"""Reports in headless Chromium: wide and narrow, light and dark, on paper."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.browser import MISPLACED, Tab

WIDTHS = (320, 400, 768, 1200)
A4 = 718  # pixels between the margins

# Lightness of a color by WCAG 2.2, and the ratio of two.
CONTRAST = """
const channels = (color) => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = color;
  const hex = canvas.fillStyle;
  return hex.startsWith("#")
    ? [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).concat([1])
    : hex.match(/[\\d.]+/g).map(Number);
};
const linear = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) =>
  0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const over = (top, below) =>
  [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
const ground = (node) => {
  const stack = [];
  for (; node; node = node.parentElement)
    stack.push(channels(getComputedStyle(node).backgroundColor));
  return stack.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
};
"""
TEXT_CONTRASTS = (
    "(() => {"
    + CONTRAST
    + """
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own) continue;
  const style = getComputedStyle(node);
  const color = channels(node.closest("svg") ? style.fill : style.color);
  found.push([node.textContent.slice(0, 40), ratio(color, ground(node))]);
}
return found;
})()"""
)
LINE_CONTRASTS = (
    "(() => {"
    + CONTRAST
    + """
const names = ["blue", "vermilion", "green", "muted", "ink"];
const style = getComputedStyle(document.documentElement);
const below = channels(style.getPropertyValue("--ground"));
const color = (name) => channels(style.getPropertyValue("--" + name));
return names.map((name) => [name, ratio(color(name), below)]);
})()"""
)
# Numbers of tables that aren't on one line.
BROKEN_NUMBERS = """
[...document.querySelectorAll("table:not(.many) td.number")]
  .filter((cell) => cell.textContent)
  .filter((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return range.getClientRects().length > 1;
  })
  .map((cell) => cell.textContent)
"""


@pytest.fixture(scope="module")
def wide_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long names, many columns, many classes."""
    random = np.random.default_rng(0)
    label = random.integers(0, 30, 600)
    columns: dict[str, Any] = {
        f"a rather long name of column {i} <b>": random.normal(size=600) + label
        for i in range(40)
    }
    frame = pl.DataFrame({**columns, "y": [f"class number {i}" for i in label]})
    trained = tw.train(frame, "y", layers=(8,), epochs=3)
    return tw.write_report(trained, tmp_path_factory.mktemp("wide") / "wide.html")


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbers that differ in their last digits alone, and a single epoch."""
    random = np.random.default_rng(0)
    x = random.normal(size=200)
    frame = pl.DataFrame({"x": x, "-": random.normal(size=200), "y": 1.7e9 + 100 * x})
    trained = tw.train(frame, "y", layers=(8,), epochs=1)
    return tw.write_report(trained, tmp_path_factory.mktemp("large") / "large.html")


@pytest.fixture(scope="module")
def series_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hours of three weeks, of a target with a long name and large numbers."""
    times = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 21, 23), "1h", eager=True
    )
    load = 1e6 * np.sin(2 * np.pi * np.arange(len(times)) / 24)
    frame = pl.DataFrame({"a rather long name of a time": times, "load <b>" * 9: load})
    time, target = frame.columns
    how: dict[str, Any] = {"history": 24, "ahead": 6, "units": 4, "epochs": 2}
    trained = tw.train(frame, target, time=time, **how)
    return tw.write_report(trained, tmp_path_factory.mktemp("series") / "series.html")


@pytest.fixture(scope="module")
def sequences_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sequences of different lengths, with long names and more columns than lines."""
    random = np.random.default_rng(0)
    long = "a rather long name of"
    rows = [
        {f"{long} an id": f"{long} {n} <b>", f"{long} an order": t, "y": n / 7}
        | {f"{long} column {i}": 1e5 * random.normal() for i in range(6)}
        for n in range(40)
        for t in range(3 + n % 40)
    ]
    frame = pl.DataFrame(rows)
    id, order = frame.columns[:2]
    how: dict[str, Any] = {"units": 4, "epochs": 2}
    trained = tw.train(frame, "y", sequence=id, order=order, **how)
    folder = tmp_path_factory.mktemp("sequences")
    return tw.write_report(trained, folder / "sequences.html")


@pytest.fixture(params=["classes", "number", "wide", "large"])
def shown(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(f"{request.param}_file")


def test_nothing_else_is_asked_for_and_nothing_is_complained_of(
    tab: Tab, shown: Path
) -> None:
    tab.open(shown)
    assert tab.asked_for() == [shown.resolve().as_uri()]
    assert tab.complaints == []
    assert tab.ask("document.scripts.length") == 0


def test_no_script_that_got_in_would_run(tab: Tab, shown: Path) -> None:
    text = shown.read_text(encoding="utf-8")
    worse = shown.with_name("worse.html")
    bad = '<script>window.ran = 1</script><img src="https://example.invalid/a.png">'
    worse.write_text(text.replace("<main>", f"<main>{bad}"), encoding="utf-8")
    tab.open(worse)
    assert tab.ask("window.ran === undefined")
    assert tab.asked_for() == [worse.resolve().as_uri()]
    assert tab.complaints != []


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_fits_any_width(tab: Tab, shown: Path, width: int) -> None:
    tab.open(shown, width)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask(MISPLACED) == []


@pytest.mark.parametrize("width", [WIDTHS[0], WIDTHS[-1]])
@pytest.mark.parametrize("kind", ["series", "sequences"])
def test_pages_of_series_and_sequences_fit(
    tab: Tab, kind: str, width: int, request: pytest.FixtureRequest
) -> None:
    tab.open(request.getfixturevalue(f"{kind}_file"), width)
    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert tab.ask(MISPLACED) == []
    assert [each for each in tab.ask(TEXT_CONTRASTS) if each[1] < 4.5] == []


def test_letters_of_pictures_can_be_read_on_a_phone(tab: Tab, shown: Path) -> None:
    tab.open(shown, 400)
    heights = tab.ask(
        '[...document.querySelectorAll("svg text")].filter((t) => '
        "!t.getAttribute('transform')?.includes('-90'))"
        ".map((t) => t.getBoundingClientRect().height)"
    )
    assert min(heights) >= 10


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out(tab: Tab, shown: Path, dark: bool) -> None:
    tab.open(shown, dark=dark)
    contrasts = tab.ask(TEXT_CONTRASTS)
    assert len(contrasts) > 200
    assert [each for each in contrasts if each[1] < 4.5] == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_line_stands_out(tab: Tab, shown: Path, dark: bool) -> None:
    tab.open(shown, dark=dark)
    assert [each for each in tab.ask(LINE_CONTRASTS) if each[1] < 3] == []


def test_dark_is_dark(tab: Tab, classes_file: Path) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    tab.open(classes_file)
    light = tab.ask(ground)
    tab.open(classes_file, dark=True)
    assert (light, tab.ask(ground)) == ("rgb(255, 255, 255)", "rgb(21, 23, 26)")


def test_every_picture_and_table_has_a_name(tab: Tab, shown: Path) -> None:
    tab.open(shown)
    nodes = tab.call("Accessibility.getFullAXTree")["nodes"]
    for role in ("image", "table", "region", "navigation"):
        own = [n for n in nodes if n.get("role", {}).get("value") == role]
        assert own, role
        assert all(each["name"]["value"] for each in own)


def test_on_paper_nothing_is_dark_or_cut_off(tab: Tab, shown: Path) -> None:
    tab.open(shown, dark=True)
    printed = tab.pdf()
    assert printed.startswith(b"%PDF-")
    assert printed.count(b"/Type /Page\n") >= 3
    paper = {"name": "prefers-color-scheme", "value": "dark"}
    tab.call("Emulation.setEmulatedMedia", media="print", features=[paper])
    style = "getComputedStyle(document.documentElement).backgroundColor"
    assert tab.ask(style) == "rgb(255, 255, 255)"
    hidden = 'getComputedStyle(document.querySelector("nav")).display'
    assert tab.ask(hidden) == "none"


def test_tables_fit_on_paper(tab: Tab, shown: Path) -> None:
    tab.open(shown, A4)
    tab.call("Emulation.setEmulatedMedia", media="print", features=[])
    assert tab.ask("document.documentElement.scrollWidth") <= A4
    assert tab.ask(BROKEN_NUMBERS) == []
