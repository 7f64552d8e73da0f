"""README.md shows what happens now, but for what differs between machines."""

import importlib
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from support.drawings import texts_of
from thalweg.program.types import NumpyArray

SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))  # the scripts are no package
readme = importlib.import_module("readme")
README = readme.README.read_text(encoding="utf-8")
NUMBER = re.compile(r"\d+(\.\d+)?")


def fixed(output: str) -> list[str]:
    """Lines before training; after it, which depends on rounding, their first words."""
    before, rows, after = output.partition("69 rows never used")
    names = [NUMBER.sub("#", line[:16]).rstrip() for line in after.splitlines()]
    guess = [line for line in after.splitlines() if line.startswith("constant guess")]
    ends = [name for name in names if name and not name.startswith(" ")]
    return [*before.splitlines(), rows, *ends, *guess]


def test_output_is_what_the_first_command_prints_today() -> None:
    shown = readme.shown(README)
    assert len(fixed(shown)) > 20
    assert fixed(shown) == fixed(readme.printed(README))


@pytest.fixture(scope="module")
def today() -> str:
    return readme.picture().decode()


def test_picture_has_todays_words_and_colors(today: str) -> None:
    kept = readme.PICTURE.read_text(encoding="utf-8")
    assert len(words_of(kept)) >= 8
    assert words_of(kept) == words_of(today)
    style = re.compile(r"<style>.*?</style>", re.DOTALL)
    assert style.findall(kept) == style.findall(today) != []


def words_of(svg: str) -> list[str]:
    """Texts with letters in them; which numbers an axis has may depend on the run."""
    texts = [NUMBER.sub("#", text) for text in texts_of(svg)]
    return [text for text in texts if re.search("[a-z]", text)]


def test_picture_has_todays_training_rows(today: str) -> None:
    kept = places_of(readme.PICTURE.read_text(encoding="utf-8"))
    assert len(kept) == readme.training_run.Settings().training_rows
    np.testing.assert_allclose(kept, places_of(today), atol=0.01)


def places_of(svg: str) -> NumpyArray:
    """Where the first panel's marks lie, from 0 to 1 in both directions."""
    marks = [e.attrib for e in ElementTree.fromstring(svg).iter() if "use" in e.tag]
    rows = [mark for mark in marks if "stroke: var(--ground)" in mark["style"]]
    first = rows[: len(rows) // readme.training_run.PANELS]
    places = np.array([(float(mark["x"]), float(mark["y"])) for mark in first])
    return (places - places.min(0)) / np.ptp(places, axis=0)


def test_picture_stands_on_top_with_words_for_who_cant_see_it() -> None:
    assert re.match(r"# thalweg\n\n!\[[^]]{80,}\]\(docs/training_run\.svg\)", README)


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) > 10
    assert [link for link in links if not (readme.ROOT / link).exists()] == []
