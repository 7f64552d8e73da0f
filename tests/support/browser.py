"""Pages in headless Chromium, by Playwright.

Tests don't install a browser: where there is none, those that need it are skipped, and
red where THALWEG_BROWSER says ``required``, as `.ci/run` does. Debian has Chromium as
``chromium``, Ubuntu as a snap, macOS as Google Chrome; the variable THALWEG_CHROMIUM
names any other.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = [
    "--no-sandbox",  # which root can't have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]
REQUIRED = "THALWEG_BROWSER"

# Texts of pictures that are cut off at the edge, or lie on each other.
MISPLACED = """
(() => {
const found = [];
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text")]
    .filter((t) => t.textContent.trim())
    .map((t) => [t.textContent, t.getBoundingClientRect(), t.getScreenCTM()]);
  for (const [text, box] of boxes)
    if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
        box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      found.push("cut off: " + text);
  // A slanted text's box is larger than the text.
  const straight = boxes.filter(([, , m]) => Math.abs(m.a * m.b) < 1e-3);
  for (let i = 0; i < straight.length; i++)
    for (let j = 0; j < i; j++) {
      const [a, b] = [straight[i][1], straight[j][1]];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 0.35 * Math.min(a.height, b.height))
        found.push("overlap: " + straight[i][0] + " / " + straight[j][0]);
    }
}
return found;
})()"""


def executable() -> str:
    """The browser; without one the test is skipped, or fails where it is required."""
    own = os.environ.get("THALWEG_CHROMIUM")
    found = [own, *map(shutil.which, NAMES), MAC if Path(MAC).exists() else None]
    path = next((path for path in found if path), None)
    if path is not None:
        return path
    missing = (
        "no Chromium: install one (apt-get install chromium), or name it in "
        "THALWEG_CHROMIUM"
    )
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(missing)
    pytest.skip(missing)


@contextmanager
def browser() -> Generator[Browser]:
    """A browser without a page."""
    path = executable()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


class Tab:
    """A page, and what it asked for and complained of.

    Arguments:
        context: of the browser that it is opened in.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.session = context.new_cdp_session(self.page)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", self._failed)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _failed(self, request: Request) -> None:
        """What the page's own policy held back was never sent."""
        if request.failure == "csp":
            self.requests.remove(request.url)

    def open(self, page: Path | str, width: int = 1200, dark: bool = False) -> None:
        """Show a file or an address, in a window of a width and in a color scheme."""
        self.requests.clear()
        self.complaints.clear()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(media=None, color_scheme="dark" if dark else "light")
        self.page.goto(page if isinstance(page, str) else page.resolve().as_uri())

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.page.evaluate(expression)

    def asked_for(self) -> list[str]:
        """The addresses asked for since the page was opened, but those in the page."""
        return [each for each in self.requests if not each.startswith("data:")]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        return self.session.send(method, parameters)

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        self.page.screenshot(path=path, full_page=True)

    def pdf(self) -> bytes:
        """The page as it's printed."""
        return self.page.pdf(print_background=False)


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser for the tests of a module; beyond it, its loop would be in the way."""
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Generator[Tab]:
    """A page for the tests of a module, one after the other."""
    context = chromium.new_context()
    yield Tab(context)
    context.close()
