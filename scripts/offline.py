#!/usr/bin/env python3
"""Whether built pages take nothing from another host: no script, style, font or image.

    python scripts/offline.py docs/_build

Links are no matter: they are followed only by who clicks on them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

# What a browser fetches by itself, by element; `link` also says what isn't fetched.
FETCHED = {
    "audio": ("src",),
    "embed": ("src",),
    "feimage": ("href", "xlink:href"),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src", "href"),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
NOT_FETCHED = {"author", "canonical", "index", "next", "prev", "search", "top"}
ELSEWHERE = re.compile(r"(?:^|[\s,])((?:https?:|ftp:)?//[^\s,\"')]+)", re.IGNORECASE)
IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?([^\"')\s;]+)", re.IGNORECASE)


class Fetched(HTMLParser):
    """Collects the addresses that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element's own addresses, and those of its style."""
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        if tag == "link" and set(given.get("rel", "").split()) <= NOT_FETCHED:
            return
        names = FETCHED.get(tag, ())
        self.addresses += [given[name] for name in names if name in given]
        self.addresses += IN_STYLE.findall(given.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        """The end of a style."""
        self._in_style = False

    def handle_data(self, data: str) -> None:
        """What a style in the page fetches."""
        if self._in_style:
            self.addresses += IN_STYLE.findall(data)


def elsewhere_in_page(html: str) -> list[str]:
    """What a page takes from other hosts.

    >>> elsewhere_in_page('<a href="https://a.example"><img src="b.png">')
    []
    >>> elsewhere_in_page('<script src="https://a.example/b.js"></script>')
    ['https://a.example/b.js']
    """
    parser = Fetched()
    parser.feed(html)
    return [found for each in parser.addresses for found in ELSEWHERE.findall(each)]


def elsewhere_in_style(css: str) -> list[str]:
    """What a style sheet takes from other hosts."""
    return [f for each in IN_STYLE.findall(css) for f in ELSEWHERE.findall(each)]


def elsewhere(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file of a folder that takes something from another host, and what."""
    for suffix, found_in in (("html", elsewhere_in_page), ("css", elsewhere_in_style)):
        for path in sorted(folder.rglob(f"*.{suffix}")):
            for address in found_in(path.read_text(encoding="utf-8")):
                yield path, address


def main() -> int:
    """Print what was found; 1 if anything was, or there is no page."""
    folder = Path(sys.argv[1])
    found = list(elsewhere(folder))
    for path, address in found:
        print(f"{path}: takes {address} from another host")
    pages = len(list(folder.rglob("*.html")))
    print(f"{pages} pages, {len(found)} addresses of other hosts")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
