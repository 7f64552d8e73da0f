"""The how-to pages: each command is run, and prints what the page says.

Digits may be others on another machine, so a number stands for any number.
"""

import doctest
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    page
    for page in (ROOT / "docs" / "how-to").glob("*.md")
    if "```console" in page.read_text(encoding="utf-8")
)
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\b\d[\d,.]*(e[+-]\d+)?\b|(?<= )-(?=\d)")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, and what it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def same(printed: str, said: str) -> bool:
    wanted, got = (NUMBER.sub("N", text) for text in (said, printed))
    return doctest.OutputChecker().check_output(wanted, got, FLAGS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_print_what_the_page_says(thalweg, page: Path) -> None:
    os.symlink(ROOT / "examples", "examples")
    namespace: dict[str, object] = {}
    for kind, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "python":
            code = re.findall(r"^(?:>>>|\.\.\.) ?(.*)$", block, re.MULTILINE)
            exec("\n".join(code), namespace)
            continue
        for command, printed in commands(block):
            words = shlex.split(command)
            assert words.pop(0) == "thalweg"
            result = thalweg(*words)
            err = "" if "training loss" in result.err else result.err
            either = (result.out + err, err + result.out)
            assert any(same(each, printed) for each in either), either[0]
