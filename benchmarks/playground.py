"""The figures of `thalweg play`: ready, frames, drawing, eight seeds, an hour of play.

    python -m benchmarks.playground [--minutes 60]

Times are medians on a shared machine, and say nothing in absolute terms about another.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from thalweg.playground.conversation import Conversation
from thalweg.playground.experiment import Experiment
from thalweg.playground.library import Library

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.browser import FLAGS, executable

REPEATS = 5
FRAME_BUDGET = 16_000


def median(of: Callable[[], float], repeats: int = REPEATS) -> float:
    """The median of some numbers that are measured one after the other."""
    return statistics.median(of() for _ in range(repeats))


def started() -> tuple[subprocess.Popen[str], str, float]:
    """The command, its address, and how long it took to print it."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "thalweg", "play", "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    return process, address, time.perf_counter() - begun


def ready() -> float:
    """Seconds from the command to its address."""
    process, _, seconds = started()
    process.terminate()
    process.wait()
    return seconds


def asked(talk: Conversation, **question: Any) -> list[bytes]:
    """The answers to a question."""
    return list(talk.told(json.dumps({"id": 1, **question})))


def frames() -> tuple[float, float]:
    """Milliseconds and bytes of a frame of the first experiment."""
    talk = Conversation(Experiment(), Library())
    asked(talk, do="begin", experiment={})
    begun, sizes = time.perf_counter(), 0
    for _ in range(20):
        sizes += sum(map(len, asked(talk, do="on", until=1000)))
    return 1000 * (time.perf_counter() - begun) / 160, sizes / 160


def eight_seeds() -> float:
    """Seconds of eight seeds of a hundred epochs."""
    talk, begun = Conversation(Experiment(), Library()), time.perf_counter()
    asked(talk, do="seeds", experiment={"epochs": 100})
    return time.perf_counter() - begun


def wait(page: Page, expression: str) -> None:
    """Until an expression is true."""
    while not page.evaluate(expression):
        page.wait_for_timeout(20)


def metric(session: CDPSession, name: str) -> float:
    """One of Chromium's own counts."""
    found = session.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in found if each["name"] == name)


COUNT = """
window.drawn = 0;
(function again() { window.drawn++; requestAnimationFrame(again); })();
"""


def drawing(page: Page, session: CDPSession) -> dict[str, float]:
    """Frames a second while it plays at 60 epochs a second, and script of each."""
    page.select_option("#speed", "60")
    page.keyboard.press("Home")
    page.evaluate(COUNT)
    script, drawn = metric(session, "ScriptDuration"), page.evaluate("window.drawn")
    layout = metric(session, "LayoutDuration")
    first, begun = (
        page.evaluate("window.thalweg.state.choice.frame"),
        time.perf_counter(),
    )
    page.keyboard.press("Space")
    page.wait_for_timeout(2500)
    seconds = time.perf_counter() - begun
    shown = page.evaluate("window.thalweg.state.choice.frame") - first
    return {
        "frames a second": (page.evaluate("window.drawn") - drawn) / seconds,
        "epochs a second": shown / seconds,
        "ms of script an epoch": 1000
        * (metric(session, "ScriptDuration") - script)
        / max(shown, 1),
        "ms of layout an epoch": 1000
        * (metric(session, "LayoutDuration") - layout)
        / max(shown, 1),
    }


def first_try(page: Page) -> float:
    """Seconds from Play to 90% of the validation rows at the usual speed."""
    begun = time.perf_counter()
    page.click("#play")
    wait(page, "parseFloat(document.getElementById('m-metric').textContent) >= 90")
    return time.perf_counter() - begun


def memory(process: subprocess.Popen[str], session: CDPSession) -> tuple[float, float]:
    """Megabytes of the server and of the page's scripts."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    own = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    session.send("HeapProfiler.collectGarbage")
    return int(own.split()[1]) / 1024, metric(session, "JSHeapUsedSize") / 2**20


def play_on(page: Page, seconds: float) -> None:
    """Play, change settings, and begin anew, as a person does, but faster."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        page.keyboard.press("n")
        page.wait_for_timeout(300)
        page.keyboard.press("Space")
        page.wait_for_timeout(2000)
        for tab in "6789":
            page.keyboard.press(tab)
            page.wait_for_timeout(100)
        page.keyboard.press("6")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    minutes = parser.parse_args().minutes
    page_files = files("thalweg.recording.page")
    size = sum(
        len(each.read_bytes())
        for folder in (page_files, page_files / "live")
        for each in folder.iterdir()
        if each.name.endswith((".js", ".css", ".html"))
    )
    each, size_of_frame = frames()
    print(f"ready after {median(ready):.2f} s")
    print(f"a frame {each:.1f} ms, {size_of_frame:,.0f} bytes (most {FRAME_BUDGET:,})")
    print(f"eight seeds of 100 epochs {median(eight_seeds):.2f} s")
    print(f"the page {size:,} bytes as it lies")
    process, address, _ = started()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.goto(address)
        wait(page, "Boolean(window.thalweg)")
        print(f"90% of the validation rows {first_try(page):.1f} s after Play")
        for name, value in drawing(page, session).items():
            print(f"{name} {value:.1f}")
        for part in range(5):
            server, heap = memory(process, session)
            minute = part * minutes / 4
            print(f"minute {minute:.1f}: server {server:.0f} MB, page {heap:.1f} MB")
            if part < 4:
                play_on(page, 15 * minutes)
        browser.close()
    process.terminate()
    process.wait()


if __name__ == "__main__":
    main()
