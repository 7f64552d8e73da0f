"""A lesson's run stands in a page of the documentation, and plays from a file."""

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from sphinx.application import Sphinx

from support.browser import Tab
from support.shown import numbers

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "# A page\n\n```{play} gradient-step\n```\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of one page in a folder of its own, built as the documentation is."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source" / "deep"
    source.mkdir(parents=True)
    (source / "page.md").write_text(PAGE, encoding="utf-8")
    (source.parent / "index.md").write_text(
        "# Index\n\n```{toctree}\ndeep/page\n```\n", encoding="utf-8"
    )
    settings: dict[str, Any] = {
        "draw_figures": True,
        "exclude_patterns": [],
        "html_static_path": [str(DOCS / "_static")],
    }
    sys.path.insert(0, str(DOCS / "extensions"))
    with pytest.MonkeyPatch.context() as patch:
        import play  # pyright: ignore[reportMissingImports]

        patch.setattr(play, "KEPT", folder / "plays")
        app = Sphinx(
            source.parent,
            DOCS,
            folder / "out",
            folder / "trees",
            "html",
            confoverrides=settings,
            status=None,
            warningiserror=True,
        )
        app.build()
    sys.path.remove(str(DOCS / "extensions"))
    return folder / "out"


def test_the_run_plays_where_it_stands(tab: Tab, site: Path) -> None:
    tab.open(site / "deep" / "page.html")
    frame = tab.page.frame_locator(".play iframe")
    frame.locator("#m-epoch").wait_for()
    assert not tab.page.locator(".play .still").is_visible()
    frame.locator("#restart").click()
    assert frame.locator("#m-epoch").inner_text() == "0"
    frame.locator("#forward").click()
    assert frame.locator("#m-epoch").inner_text() == "1"
    assert numbers(frame.locator("#m-training").inner_text())[0] > 0
    asked = [each for each in tab.asked_for() if not each.startswith("file:")]
    assert asked == []
    assert tab.complaints == []


def test_without_scripts_its_curves_stand_there(chromium: Browser, site: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = Tab(context)
    tab.open(site / "deep" / "page.html")
    assert tab.page.locator(".play .still svg").is_visible()
    assert not tab.page.locator(".play iframe").is_visible()
    context.close()
