"""What the page of a recording shows, asked of a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from axe_playwright_python.sync_playwright import Axe

from support.browser import Tab
from thalweg.program.types import NumpyArray

READY = "Boolean(window.thalweg)"

ARRAY = """
(name) => {
  const { recording } = window.thalweg;
  const fixed = recording.fixed.get(name);
  if (fixed) return Array.from(fixed.data);
  const frames = [];
  for (let i = 0; i < recording.frames; i++) frames.push(...recording.at(name, i));
  return frames.map(v => Number.isNaN(v) ? null : v);
}"""


def wait(tab: Tab, expression: str, seconds: float = 10) -> None:
    """Until an expression is true; a page's policy forbids the usual way."""
    for _ in range(int(seconds / 0.05)):
        if tab.ask(expression):
            return
        tab.page.wait_for_timeout(50)
    raise AssertionError(f"never: {expression}; {tab.complaints}")


def show(tab: Tab, page: Path | str, width: int = 1280, dark: bool = False) -> None:
    """Open a page, and wait until it's put together."""
    tab.open(page, width, dark)
    wait(tab, READY)


def go(tab: Tab, **choice: Any) -> None:
    """Choose a frame, a unit or a tab."""
    tab.page.evaluate("choice => window.thalweg.state.set(choice)", choice)


def array(tab: Tab, name: str) -> NumpyArray:
    """An array as the page has it, flat; NaN where it has none."""
    return np.array(tab.page.evaluate(ARRAY, name), float)


def text(tab: Tab, selector: str) -> str:
    """What an element says."""
    return tab.page.inner_text(selector)


def numbers(words: str) -> list[float]:
    """The numbers in a text, with a true minus sign."""
    found = re.findall(r"[−-]?\d+(?:\.\d+)?(?:e[−-]?\d+)?", words)
    return [float(each.replace("−", "-")) for each in found]


def violations(tab: Tab) -> list[str]:
    """What axe finds wrong, each with the first element that has it."""
    found = Axe().run(tab.page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]
