"""What a report on text has of the text itself: its parts."""

from __future__ import annotations

from typing import TypeAlias

from thalweg.language.learn import TrainedOnText
from thalweg.language.model import LanguageModel
from thalweg.language.prepare import PreparedText
from thalweg.language.settings import TextSettings
from thalweg.report.evaluation import Evaluation
from thalweg.training.execution import Execution

TextEvaluation: TypeAlias = Evaluation[LanguageModel, PreparedText]


def kept(trained: TrainedOnText, execution: Execution) -> PreparedText:
    """The text as it was split."""
    return trained.prepared


def measured(
    model: LanguageModel,
    parts: PreparedText,
    settings: TextSettings,
    execution: Execution,
) -> PreparedText:
    """The same of a text that was read again; its bits stand in the model's file."""
    return parts
