"""A report as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from thalweg.checks import require
from thalweg.errors import ArgumentError
from thalweg.files.atomic import write_atomically
from thalweg.kinds.model import Model
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.trained import TrainedModel
from thalweg.report.blocks import Page
from thalweg.report.evaluation import Evaluation, evaluation_of
from thalweg.report.forecast_sections import (
    ForecastEvaluation,
    evaluation_of_forecast,
    page_of_forecast,
)
from thalweg.report.image_evaluation import ImageEvaluation, evaluation_of_images
from thalweg.report.image_sections import page_of_images
from thalweg.report.page import html
from thalweg.report.sections import page_of
from thalweg.report.text_evaluation import TextEvaluation, evaluation_of_text
from thalweg.report.text_sections import page_of_text
from thalweg.training.execution import Execution

SUFFIX = ".html"
AnyEvaluation: TypeAlias = (
    Evaluation | ImageEvaluation | TextEvaluation | ForecastEvaluation
)
AnyModel: TypeAlias = Model | TrainedModel[Any, Any]


def require_html(path: str | Path) -> Path:
    """The path of a report, checked before anything is computed.

    Raises:
        ArgumentError: it doesn't end in .html.
    """
    target = Path(path)
    fits = target.suffix.lower() == SUFFIX
    require(fits, "the report's file", f"one that ends in {SUFFIX}", str(path))
    return target


def evaluated(
    model: AnyModel,
    source: Any,
    execution: Execution,
    own: Sources = NO_SOURCES,
) -> AnyEvaluation:
    """A model with what it was trained on, where that can be had.

    Raises:
        ArgumentError: there is no such model, or it had no such table.
        DataError: what is given isn't what the model had.
        FileError: it can't be read.
    """
    found: Any = model
    known: Any = model.model if isinstance(model, TrainedModel) else model
    match getattr(known, "kind", ""):
        case "text":
            return evaluation_of_text(found, source, execution, own)
        case "sequences":
            raise ArgumentError("a report can't be written of sequences yet")
        case "forecast":
            return evaluation_of_forecast(found, source, execution, own)
        case "images":
            return evaluation_of_images(found, source, execution, own)
        case _:
            return evaluation_of(found, source, execution, own)


def write(evaluation: AnyEvaluation, path: Path) -> Path:
    """Make the page, and write it whole or not at all.

    Raises:
        FileError: it can't be written.
    """
    write_atomically(path, html(page_for(evaluation)))
    return path


def page_for(evaluation: AnyEvaluation) -> Page:
    """The page of a table, images, a text, or a forecast."""
    if isinstance(evaluation, TextEvaluation):
        return page_of_text(evaluation)
    if isinstance(evaluation, ForecastEvaluation):
        return page_of_forecast(evaluation)
    if isinstance(evaluation, ImageEvaluation):
        return page_of_images(evaluation)
    return page_of(evaluation)
