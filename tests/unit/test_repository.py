"""The repository keeps its own rules: names, examples, words, commands, imports."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg as tw

ROOT = Path(__file__).parents[2]
HEAVY = {
    *(
        "jinja2",
        "matplotlib",
        "narwhals",
        "pandas",
        "polars",
        "rich",
        "scipy",
        "sklearn",
    )
}


def says_all_in_a_line(thing: object) -> bool:
    """Errors, and the words of formulas, which mean what NumPy's names mean."""
    is_error = isinstance(thing, type) and issubclass(thing, Exception)
    return is_error or getattr(thing, "__module__", "") == "thalweg.program.ops"


@pytest.mark.parametrize("name", tw.__all__)
def test_public_name_has_a_docstring_with_an_example(name: str) -> None:
    thing = getattr(tw, name)
    assert thing.__doc__
    assert says_all_in_a_line(thing) or ">>> " in thing.__doc__


def test_api_page_lists_exactly_the_public_names() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(
        r"^\.\. auto\w+:: (?:thalweg\.formulas\.)?(\w+)$", page, re.MULTILINE
    )
    assert sorted(listed) == sorted(tw.__all__)


def test_readme_holds_two_commands_of_one_line_each() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert [block.count("\n") for block in blocks] == [1, 1]


def test_glossary_explains_every_file_of_the_program() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    files = (ROOT / "src" / "thalweg" / "program").glob("[a-z]*.py")
    words = set(re.findall(r"\w+", glossary))
    assert {file.stem for file in files} <= words


@pytest.mark.parametrize("module", ["thalweg.public", "thalweg.cli"])
def test_import_loads_no_heavy_package(module: str) -> None:
    code = f"import sys, {module}; print(*{{n.split('.')[0] for n in sys.modules}})"
    run = [sys.executable, "-c", code]
    loaded = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert HEAVY.isdisjoint(loaded.split())


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_may_little(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"^\s*(?:- )?uses:\s*(.*?)\s*$", text, re.MULTILINE)
    assert used
    assert [each for each in used if not PINNED.fullmatch(each)] == []
    assert "\npermissions:\n  contents: read\n\n" in text
    checkouts = text.count("uses: actions/checkout@")
    assert text.count("persist-credentials: false") == checkouts
    assert "pull_request_target" not in text


def test_lines_of_documents_are_short() -> None:
    """But for code and tables, which can't be cut."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for path in documents:
        if "_build" in path.parts:
            continue
        text = re.sub(
            r"^ *```.*?^ *```", "", path.read_text("utf-8"), flags=re.M | re.S
        )
        long = [line for line in text.splitlines() if len(line) > 100]
        assert not [line for line in long if not line.lstrip().startswith("|")], path
