"""What all tests share, and Sybil, which runs the examples of docs and docstrings."""

import os
import tempfile
from bisect import bisect
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sybil import Example, Sybil
from sybil.document import PythonDocStringDocument
from sybil.example import NotEvaluated
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser
from sybil.python import import_path
from sybil.sybil import SybilCollection

ROOT = Path(__file__).parent
OPTIONS = ELLIPSIS | NORMALIZE_WHITESPACE

pytest.register_assert_rewrite("support")  # its helpers say what differs, as tests do
pytest_plugins = ["support.browser"]

# The first call of a formula traces it; a deadline would measure that.
settings.register_profile("thalweg", settings(), deadline=None)
settings.load_profile("thalweg")


class Docstrings(PythonDocStringDocument):
    """A module's docstrings; each starts anew from the module's names."""

    current = 0

    @cached_property
    def starts(self) -> list[int]:
        return sorted(start for start, _, _ in self.extract_docstrings(self.text))

    def import_document(self, example: Example) -> None:
        docstring = bisect(self.starts, example.region.start)
        if docstring != self.current:
            self.current = docstring
            self.namespace.clear()
            self.namespace.update(vars(import_path(Path(self.path))))
        raise NotEvaluated


class ScratchFolder:
    """Examples run as if in the checkout, but what they write doesn't stay there."""

    def enter(self, namespace: dict[str, Any]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "examples").symlink_to(ROOT / "examples")
        os.chdir(self.folder.name)

    def leave(self, namespace: dict[str, Any]) -> None:
        os.chdir(ROOT)
        self.folder.cleanup()


scratch = ScratchFolder()
pages = Sybil(
    parsers=[PythonCodeBlockParser(doctest_optionflags=OPTIONS), SkipParser()],
    pattern="*.md",
    setup=scratch.enter,
    teardown=scratch.leave,
)
docstrings = Sybil(
    parsers=[DocTestParser(OPTIONS)],
    path="src",
    pattern="*.py",
    document_types={".py": Docstrings},
    setup=scratch.enter,
    teardown=scratch.leave,
)
pytest_collect_file = SybilCollection([pages, docstrings]).pytest()
