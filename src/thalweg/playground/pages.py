"""The files of the page, as a server gives them: those that there are, and no other."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from thalweg.recording.bundle import PAGE

FOLDERS = ("", "live/")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
INLINE = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A file of the page.

    Arguments:
        body: its bytes.
        type: of its content.
    """

    body: bytes
    type: str


@cache
def pages() -> dict[str, Page]:
    """All files by their paths; the page itself is ``/``."""
    found: dict[str, Page] = {}
    for folder in FOLDERS:
        for file in (files(PAGE) / folder).iterdir():
            suffix = f".{file.name.rpartition('.')[2]}"
            if suffix in TYPES:
                path = "/" if file.name == "index.html" else f"/{folder}{file.name}"
                found[path] = Page(file.read_bytes(), TYPES[suffix])
    return found


def headers(port: int) -> dict[str, str]:
    """What goes with every answer: nothing may be loaded but from this server.

    Arguments:
        port: of the server.
    """
    inline = INLINE.findall(pages()["/"].body.decode())
    hashes = " ".join(f"'sha256-{digest(script)}'" for script in inline)
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {hashes}",
        "connect-src": f"'self' ws://127.0.0.1:{port}",  # not each browser's 'self'
        "style-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{k} {v}" for k, v in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def digest(script: str) -> str:
    """What a policy calls an inline script by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
