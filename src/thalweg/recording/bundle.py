"""The page with a recording in it: one file that needs no other."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from thalweg.program.types import NumpyArray
from thalweg.recording.packing import packable
from thalweg.recording.tensors import packed

PAGE = "thalweg.recording.page"
STYLE = '<link rel="stylesheet" href="page.css">'
MODULES = re.compile(
    r"<!-- modules -->\s*<script type=\"importmap\">(.*?)</script>\s*<!-- /modules -->",
    re.DOTALL,
)
DATA = "<!-- recording -->"
LIVE = "thalweg/live/"
"""Modules of runs that go on, which a recording doesn't need."""

POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:\">"
)
"""Nothing is asked of anybody, whatever is in the page."""

LEVEL = 9  # of the packing: once, and then it's sent or kept


def bundle(
    document: Mapping[str, Any],
    fixed: Mapping[str, NumpyArray],
    frames: Mapping[str, NumpyArray],
) -> str:
    """The page's files and a recording as one text of HTML.

    Arguments:
        document: what is told of the recording.
        fixed: arrays that stay.
        frames: arrays of the frames, (frames, …) each.
    """
    told = json.dumps(document, ensure_ascii=False, allow_nan=False)
    moving = {f"frame.{name}": packable(each) for name, each in frames.items()}
    arrays = zlib.compress(packed({**fixed, **moving}), LEVEL)
    data = (
        f'<script type="application/json" id="document">{unclosed(told)}</script>\n'
        f'<script type="text/plain" id="arrays">{base64.b64encode(arrays).decode()}'
        "</script>\n"
    )
    return page_alone().replace(DATA, data, 1)


def unclosed(text: str) -> str:
    """JSON in which nothing ends the element that it stands in."""
    return (
        text.replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def page_alone() -> str:
    """The page with its modules and its style inside, so that it asks for no file.

    A module is a ``data:`` address in the import map: it keeps its name, and no other
    module has to be changed.
    """
    page = files(PAGE)

    def read(name: str) -> str:
        return (page / name).read_text(encoding="utf-8")

    def inside(found: re.Match[str]) -> str:
        names: dict[str, str] = json.loads(found[1])["imports"]
        alone = {
            name: as_address(read(path))
            for name, path in names.items()
            if not name.startswith(LIVE)
        }
        imports = json.dumps({"imports": alone}, separators=(",", ":"))
        return f'<script type="importmap">{imports}</script>'

    text = read("index.html").replace(
        STYLE, f"{POLICY}\n<style>\n{read('page.css')}</style>"
    )
    return MODULES.sub(inside, text, count=1)


def as_address(module: str) -> str:
    """A module as the address of itself."""
    packed = base64.b64encode(module.encode()).decode()
    return f"data:text/javascript;base64,{packed}"
