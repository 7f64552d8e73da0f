"""What a report on images goes by: a model, and the images it had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from thalweg.errors import ArgumentError, DataError, ThalwegError
from thalweg.kinds.baseline import Baseline
from thalweg.kinds.own import NO_SOURCES, PARTS, Sources
from thalweg.report.recorded import Evaluated, Recorded, require_had
from thalweg.training.execution import Execution
from thalweg.vision.baselines import baselines, errors_on_test
from thalweg.vision.fingerprint import difference, fingerprint
from thalweg.vision.learn import TrainedOnImages
from thalweg.vision.model import ImageModel
from thalweg.vision.own import read
from thalweg.vision.prepare import PreparedImages, prepare
from thalweg.vision.settings import ImageSettings

SPLITS_DIFFER = (
    "this version of thalweg understands or splits the images in another way than the "
    "one that trained the model, so the test images aren't known"
)


@dataclass(frozen=True)
class EvaluatedImages(Evaluated):
    """The images, as they were split for training, and what the network gets wrong.

    Arguments:
        baselines: what others get wrong of the same, the weakest first.
    """

    prepared: PreparedImages
    baselines: tuple[Baseline, ...]


@dataclass(frozen=True)
class ImageEvaluation(Recorded):
    """What is known about a model of images.

    Arguments:
        rows: what the images add, if they are there.
    """

    model: ImageModel
    rows: EvaluatedImages | None

    @property
    def settings(self) -> ImageSettings | None:
        """How the network was trained, if that was recorded."""
        return settings_of(self.model)


def evaluation_of_images(
    model: ImageModel | TrainedOnImages,
    source: Any,
    execution: Execution,
    own: Sources = NO_SOURCES,
) -> ImageEvaluation:
    """A model with its images, where they can be had.

    Arguments:
        model: what `train` gave, or its model.
        source: the path of the images that it was trained on; None looks for them.
        execution: what runs the network.
        own: the images that it was validated and tested on, where they were given.

    Raises:
        ArgumentError: it had none of one's own.
        DataError: the images given aren't those that the model had.
        FileError: they can't be read.
    """
    if isinstance(model, TrainedOnImages):
        rows = EvaluatedImages(model.prepared, model.errors, model.others)
        return ImageEvaluation(model.model, "", execution, rows)
    had = own_recorded(model)
    require_had(had, own, "no images of your own", "some")
    try:
        found = found_here(recorded_data(model)) if source is None else source
        others = {
            part: own[part] if part in own else found_here(recorded)
            for part, recorded in had.items()
        }
        rows = rows_of(model, found, execution, others)
    except ThalwegError as error:
        if source is not None:
            raise
        return ImageEvaluation(model, str(error), execution, None)
    return ImageEvaluation(model, "", execution, rows)


def own_recorded(model: ImageModel) -> dict[str, Mapping[str, Any]]:
    """What the model says of images of one's own, by their part; they have a name."""
    found = {part: recorded_data(model).get(part) for part in PARTS}
    return {
        part: cast("Mapping[str, Any]", each)
        for part, each in found.items()
        if isinstance(each, Mapping) and "name" in each
    }


def found_here(recorded: Mapping[str, Any]) -> Path:
    """The images in the current folder that have the recorded name.

    Raises:
        DataError: there are none.
    """
    said = recorded.get("name")
    # A model's file may come from anybody: no other folder is looked into.
    name = Path(said).name if isinstance(said, str) else ""
    if not name:
        raise DataError("the model doesn't say what its images were called")
    if not Path(name).exists():
        raise DataError(f"there is no {name} in the current folder")
    return Path(name)


def rows_of(
    model: ImageModel, source: Any, execution: Execution, own: Sources
) -> EvaluatedImages:
    """The images, split as for training, and what the network gets wrong of them.

    Raises:
        DataError: they can't be had.
    """
    settings = settings_of(model)
    if settings is None:
        raise DataError("the model doesn't say how its images were split")
    images = read(source, settings, own)
    if why := difference(recorded_data(model), fingerprint(images)):
        raise DataError(
            f"{images.name}: must be the images that the model was trained on, but "
            f"{why}"
        )
    parts = prepare(images.data, images.name, settings)
    if (parts.form, parts.targets) != (model.form, model.targets):
        raise DataError(SPLITS_DIFFER)
    errors = errors_on_test(parts, model.outputs(parts.test.X, execution))
    others = baselines(parts, settings, model.network, execution)
    return EvaluatedImages(parts, errors, tuple(others))


def recorded_data(model: ImageModel) -> Mapping[str, Any]:
    """What the model says of its images; empty if it doesn't."""
    recorded = model.results.get("data")
    return cast("Mapping[str, Any]", recorded if isinstance(recorded, Mapping) else {})


def settings_of(model: ImageModel) -> ImageSettings | None:
    """The recorded settings, if there are any that can be used."""
    recorded = model.results.get("settings")
    if not isinstance(recorded, Mapping):
        return None
    try:
        return ImageSettings.by_name(cast("Mapping[str, Any]", recorded))
    except (ArgumentError, TypeError, ValueError):
        return None
