"""A report as a file."""

from __future__ import annotations

from pathlib import Path

from thalweg.checks import require
from thalweg.files.atomic import write_atomically
from thalweg.report.evaluation import Evaluation
from thalweg.report.page import html
from thalweg.report.sections import page_of

SUFFIX = ".html"


def require_html(path: str | Path) -> Path:
    """The path of a report, checked before anything is computed.

    Raises:
        ArgumentError: it doesn't end in .html.
    """
    target = Path(path)
    fits = target.suffix.lower() == SUFFIX
    require(fits, "the report's file", f"one that ends in {SUFFIX}", str(path))
    return target


def write(evaluation: Evaluation, path: Path) -> Path:
    """Make the page, and write it whole or not at all.

    Raises:
        FileError: it can't be written.
    """
    write_atomically(path, html(page_of(evaluation)))
    return path
