"""`scripts/offline.py`: what a page takes from other hosts is found, links aren't."""

import hashlib
import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))  # the scripts are no package
offline = importlib.import_module("offline")


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://a.example/x.js"></script>',
        "<link rel=stylesheet href=//a.example/x.css>",
        '<link rel="preload icon" href="http://a.example/x">',
        '<img srcset="x.png 1x, https://a.example/x.png 2x">',
        "<svg><image xlink:href='https://a.example/x.svg'/></svg>",
        "<p style=\"background: url('https://a.example/x.png')\">",
        "<style>@font-face { src: url(//a.example/x.woff) }</style>",
        "<style>@import 'https://a.example/x.css';</style>",
        "<iframe src=HTTPS://a.example></iframe>",
    ],
)
def test_what_is_fetched_is_found(page: str) -> None:
    assert len(offline.elsewhere_in_page(page)) == 1


@pytest.mark.parametrize(
    "page",
    [
        '<a href="https://a.example">here</a>',
        '<link rel="canonical" href="https://a.example/x">',
        '<script src="_static/x.js"></script><img src="../x.png">',
        "<p>https://a.example url(https://a.example)</p>",
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="#mark"/></svg>',
    ],
)
def test_links_and_own_files_are_no_matter(page: str) -> None:
    assert offline.elsewhere_in_page(page) == []


def test_pages_and_style_sheets_of_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x.css").write_text("a { background: url(//a.example/x) }")
    (tmp_path / "x.html").write_text("<img src=x.png>")
    assert list(offline.elsewhere(tmp_path)) == [
        (tmp_path / "below" / "x.css", "//a.example/x")
    ]


def test_mathjax_is_the_file_that_was_published() -> None:
    folder = ROOT / "docs" / "_static" / "mathjax"
    assert "Apache License" in (folder / "LICENSE").read_text(encoding="utf-8")
    digest = hashlib.sha256((folder / "tex-svg.js").read_bytes()).hexdigest()
    assert f"`{digest}`" in (folder / "README.md").read_text(encoding="utf-8")
    conf = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    assert 'mathjax_path = "mathjax/tex-svg.js"' in conf
