"""A report as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from thalweg.checks import require
from thalweg.files.atomic import write_atomically
from thalweg.language.learn import TrainedOnText
from thalweg.language.model import LanguageModel
from thalweg.report.evaluation import Evaluation, evaluation_of
from thalweg.report.image_evaluation import ImageEvaluation, evaluation_of_images
from thalweg.report.image_sections import page_of_images
from thalweg.report.page import html
from thalweg.report.sections import page_of
from thalweg.report.text_evaluation import TextEvaluation, evaluation_of_text
from thalweg.report.text_sections import page_of_text
from thalweg.tabular.learn import Trained
from thalweg.tabular.model import TableModel
from thalweg.tabular.own import NO_SOURCES, Sources
from thalweg.training.execution import Execution
from thalweg.vision.learn import TrainedOnImages
from thalweg.vision.model import ImageModel

SUFFIX = ".html"
Reported: TypeAlias = (
    TableModel | Trained | ImageModel | TrainedOnImages | LanguageModel | TrainedOnText
)


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
    model: Reported,
    source: Any,
    execution: Execution,
    own: Sources = NO_SOURCES,
) -> Evaluation | ImageEvaluation | TextEvaluation:
    """A model with what it was trained on, where that can be had.

    Raises:
        ArgumentError: there is no such model, or it had no such table.
        DataError: what is given isn't what the model had.
        FileError: it can't be read.
    """
    if isinstance(model, LanguageModel | TrainedOnText):
        return evaluation_of_text(model, source, execution, own)
    if not isinstance(model, ImageModel | TrainedOnImages):
        return evaluation_of(model, source, execution, own)
    return evaluation_of_images(model, source, execution, own)


def write(
    evaluation: Evaluation | ImageEvaluation | TextEvaluation, path: Path
) -> Path:
    """Make the page, and write it whole or not at all.

    Raises:
        FileError: it can't be written.
    """
    if isinstance(evaluation, TextEvaluation):
        page = page_of_text(evaluation)
    elif isinstance(evaluation, ImageEvaluation):
        page = page_of_images(evaluation)
    else:
        page = page_of(evaluation)
    write_atomically(path, html(page))
    return path
