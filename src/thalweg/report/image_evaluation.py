"""What is measured on images for their report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from thalweg.kinds.baseline import Baseline
from thalweg.report.evaluation import Evaluated, Evaluation
from thalweg.training.execution import Execution
from thalweg.vision.learn import IMAGES, TrainedOnImages
from thalweg.vision.model import ImageModel
from thalweg.vision.prepare import PreparedImages
from thalweg.vision.settings import ImageSettings


@dataclass(frozen=True, kw_only=True)
class EvaluatedImages(Evaluated[PreparedImages]):
    """The images, as they were split for training, and what the network gets wrong.

    Arguments:
        others: what others get wrong of the same, the weakest first.
    """

    others: tuple[Baseline, ...]


ImageEvaluation: TypeAlias = Evaluation[ImageModel, EvaluatedImages]


def kept(trained: TrainedOnImages, execution: Execution) -> EvaluatedImages:
    """What a run that is just over got wrong, and others beside it."""
    return EvaluatedImages(trained.prepared, trained.errors, others=trained.others)


def measured(
    model: ImageModel,
    parts: PreparedImages,
    settings: ImageSettings,
    execution: Execution,
) -> EvaluatedImages:
    """The same of images that were read again."""
    found = IMAGES.tested(model, parts, settings, execution).beside
    return EvaluatedImages(parts, found["errors"], others=found["others"])
