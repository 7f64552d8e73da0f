"""Images as a kind of data: how they are learned from, and tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.files.modelfile import Content
from thalweg.kinds.baseline import Baseline, notes_of
from thalweg.kinds.cautions import few_rows
from thalweg.kinds.kind import Kind, Tested
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.row_errors import RowErrors
from thalweg.kinds.trained import TrainedModel
from thalweg.network import Network
from thalweg.program.types import Shape
from thalweg.training.checkpoint import IMAGES as IMAGE_NOTE
from thalweg.training.execution import Execution
from thalweg.vision.baselines import baselines, errors_on_test
from thalweg.vision.fingerprint import difference, fingerprint
from thalweg.vision.model import ImageModel, model_from
from thalweg.vision.network import build
from thalweg.vision.own import ReadImages, read
from thalweg.vision.prepare import PreparedImages, prepare
from thalweg.vision.settings import ImageSettings


@dataclass(frozen=True)
class TrainedOnImages(TrainedModel[ImageModel, PreparedImages]):
    """A tested network for images, and how it came about.

    Arguments:
        model: the network with the form of its images; `save` writes it.
        history: losses and metrics of every epoch.
        prepared: the images, and how they were split.
        test: metrics on images that were never used.
        baselines: the same metrics on the same images for ``constant guess``, ``nearest
            neighbor``, ``linear model`` and a dense network.
        reading: the learning curves in plain words.
        notes: what the user should know of the scores.
        diverged: why training ended before its time, if the loss became NaN or
            infinite; the best epoch's weights are kept.
        errors: what the network got wrong of the test.
        others: what the baselines got wrong of it, and the time that each took.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from sklearn.datasets import load_digits
        >>> digits = load_digits()
        >>> pixels = (digits.images[:400] * 15.9).astype(np.uint8)
        >>> np.savez("digits.npz", X=pixels, y=digits.target[:400])
        >>> trained = tw.train("digits.npz", epochs=3)
        >>> isinstance(trained, tw.TrainedOnImages), trained.history.stopped_epoch
        (True, 3)
        >>> list(trained.baselines)[:3]
        ['constant guess', 'nearest neighbor', 'linear model']
    """

    errors: RowErrors
    others: tuple[Baseline, ...]


class ImageKind(
    Kind[ImageSettings, ReadImages, PreparedImages, ImageModel, TrainedOnImages]
):
    """Images, each with a class or a number to predict."""

    name, note, noun = "images", IMAGE_NOTE, "images"
    what = "images"
    has_target = False
    why_no_target = "whose folders or labels say what they show"
    settings, trained = ImageSettings, TrainedOnImages

    def read(
        self, source: Any, settings: ImageSettings, own: Sources = NO_SOURCES
    ) -> ReadImages:
        """See `Kind`; a source is a path of images, or images that were read."""
        return read(source, settings, own)

    def fingerprint(self, found: ReadImages) -> dict[str, Any]:
        """See `Kind`."""
        return fingerprint(found)

    def difference(self, before: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        """See `Kind`."""
        return difference(before, found)

    def prepare(
        self, found: ReadImages, target: str, settings: ImageSettings
    ) -> PreparedImages:
        """See `Kind`."""
        return prepare(found.data, found.name, settings)

    def build(self, parts: PreparedImages, settings: ImageSettings) -> Network:
        """See `Kind`."""
        return build(parts.form, parts.targets, settings)

    def shape(self, parts: PreparedImages, settings: ImageSettings) -> Shape:
        """See `Kind`."""
        return parts.form.shape

    def model(
        self, network: Network, parts: PreparedImages, settings: ImageSettings
    ) -> ImageModel:
        """See `Kind`."""
        return ImageModel(network, parts.form, parts.targets, parts.task)

    def is_of(self, model: ImageModel, parts: PreparedImages) -> bool:
        """See `Kind`."""
        return (parts.form, parts.targets) == (model.form, model.targets)

    def tested(
        self,
        model: ImageModel,
        parts: PreparedImages,
        settings: ImageSettings,
        execution: Execution,
    ) -> Tested:
        """Score the test images beside simpler models and a dense network."""
        errors = errors_on_test(parts, model.outputs(parts.test.X, execution))
        others = baselines(parts, settings, model.network, execution)
        return Tested(
            errors.every_metric,
            {each.name: each.errors.every_metric for each in others},
            (*few_rows(parts, errors), *notes_of(others)),
            beside={"errors": errors, "others": tuple(others)},
        )

    def model_from(self, content: Content) -> ImageModel:
        """See `Kind`."""
        return model_from(content)


IMAGES = ImageKind()
