"""Pages in headless Chromium, asked through its DevTools protocol over a pipe.

Chromium isn't installed by the tests: where there is none, those that need it are
skipped. Debian has it as ``chromium``, Ubuntu as a snap, macOS as Google Chrome; the
variable THALWEG_CHROMIUM names any other.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = (
    "--headless",
    "--no-sandbox",  # which root can't have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
)

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


def executable() -> str | None:
    """The browser, if there is one."""
    own = os.environ.get("THALWEG_CHROMIUM")
    found = [own, *map(shutil.which, NAMES), MAC if Path(MAC).exists() else None]
    return next((path for path in found if path), None)


class Chromium:
    """A browser with one tab, and what it asked for and complained of."""

    def __init__(self, path: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # The browser reads from 3 and writes to 4; some other shells have one digit.
        shell = f'exec "$@" 3<&{commands} 4>&{answers}'
        flags = [*FLAGS, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", path, *flags],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime", "Accessibility"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        os.close(self._commands)
        os.close(self._answers)
        self._process.terminate()
        self._process.wait(30)
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command's result; events that come before it are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method}
        message["params"] = parameters
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            read = os.read(self._answers, 1 << 20)
            assert read, "Chromium ended"
            self._unread += read
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path, width: int = 1200, dark: bool = False) -> None:
        """Show a file, in a window of a width and in a color scheme."""
        self.events.clear()
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.call("Page.navigate", url=page.resolve().as_uri())
        while not any(each["method"] == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next())

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        result = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def requests(self) -> list[str]:
        """The addresses asked for since the page was opened and not held back."""
        sent = self._happened("Network.requestWillBeSent")
        failed = self._happened("Network.loadingFailed")
        blocked = {each["requestId"] for each in failed if "blockedReason" in each}
        addresses = [
            each["request"]["url"] for each in sent if each["requestId"] not in blocked
        ]
        return [each for each in addresses if not each.startswith("data:")]

    def complaints(self) -> list[str]:
        """What was written to the console, and exceptions."""
        methods = (
            "Log.entryAdded",
            "Runtime.exceptionThrown",
            "Runtime.consoleAPICalled",
        )
        return [json.dumps(each) for each in self._happened(*methods)]

    def _happened(self, *methods: str) -> list[dict[str, Any]]:
        return [e["params"] for e in self.events if e["method"] in methods]

    def picture(self, path: Path) -> None:
        """The whole page as a PNG."""
        shot = self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def pdf(self) -> bytes:
        """The page as it's printed."""
        printed = self.call("Page.printToPDF", printBackground=False)
        return base64.b64decode(printed["data"])
