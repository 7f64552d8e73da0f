"""A report as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from thalweg.checks import require
from thalweg.files.atomic import write_atomically
from thalweg.report.blocks import Page
from thalweg.report.evaluation import Recorded
from thalweg.report.page import html

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


def write(evaluation: Recorded, path: Path) -> Path:
    """Make the page, and write it whole or not at all.

    Raises:
        FileError: it can't be written.
    """
    write_atomically(path, html(sections_of(evaluation.kind.name).page_of(evaluation)))
    return path


class Sections(Protocol):
    """What the module of a kind has."""

    def page_of(self, evaluation: Any, /) -> Page:
        """All that can be said of a model."""
        ...


def sections_of(kind: str) -> Sections:
    """What the report of a kind of data is made of."""
    match kind:
        case "images":
            from thalweg.report import image_sections

            return image_sections
        case "text":
            from thalweg.report import text_sections

            return text_sections
        case "forecast":
            from thalweg.report import forecast_sections

            return forecast_sections
        case "sequences":
            from thalweg.report import sequence_sections

            return sequence_sections
        case _:
            from thalweg.report import table_sections

            return table_sections
