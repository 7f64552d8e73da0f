"""What is measured on sequences for their report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.baseline import Baseline
from thalweg.kinds.row_errors import RowErrors
from thalweg.report.evaluation import Evaluated, Evaluation
from thalweg.sequences.learn import SEQUENCES, TrainedOnSequences
from thalweg.sequences.model import SequenceModel
from thalweg.sequences.prepare import PreparedSequences
from thalweg.sequences.settings import SequenceSettings
from thalweg.training.execution import Execution

NOUN = "sequence"


@dataclass(frozen=True, kw_only=True)
class EvaluatedSequences(Evaluated[PreparedSequences]):
    """Sequences, as they were split for training, and what the network gets wrong.

    Arguments:
        others: what others get wrong of the same, the weakest first.
    """

    others: tuple[Baseline, ...]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many rows each test sequence has."""
        return np.array([len(each) for each in self.prepared.test.X], np.int64)


SequenceEvaluation: TypeAlias = Evaluation[SequenceModel, EvaluatedSequences]


def kept(trained: TrainedOnSequences, execution: Execution) -> EvaluatedSequences:
    """What a run that is just over got wrong, and others beside it."""
    return evaluated(trained.prepared, trained.errors, trained.others)


def measured(
    model: SequenceModel,
    parts: PreparedSequences,
    settings: SequenceSettings,
    execution: Execution,
) -> EvaluatedSequences:
    """The same of sequences that were read again."""
    found = SEQUENCES.tested(model, parts, settings, execution).beside
    return evaluated(parts, found["errors"], found["others"])


def evaluated(
    parts: PreparedSequences, errors: RowErrors, others: Any
) -> EvaluatedSequences:
    """A row of a part is a sequence here."""
    return EvaluatedSequences(parts, errors, NOUN, others=others)
