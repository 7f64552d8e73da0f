"""A report as a file."""

from __future__ import annotations

from pathlib import Path

from thalweg.formulas.names import require
from thalweg.report.evidence import Evidence
from thalweg.report.page import html
from thalweg.report.sections import page_of
from thalweg.training.atomic import write_atomically

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


def write(evidence: Evidence, path: Path) -> Path:
    """Make the page, and write it whole or not at all.

    Raises:
        FileError: it can't be written.
    """
    write_atomically(path, html(page_of(evidence)))
    return path
