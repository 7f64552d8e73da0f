"""From images to the parts that training takes, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import DataError
from thalweg.images.image_set import ImageData, ImageForm, ImageSet
from thalweg.images.split import split_images
from thalweg.kinds.encoded_rows import EncodedRows, learned
from thalweg.kinds.parts import Parts
from thalweg.kinds.targets import ClassTargets
from thalweg.vision.settings import ImageSettings
from thalweg.vision.truth import (
    Targets,
    few_of,
    fit_targets,
    targets_of,
    task_of,
    truth_of,
)
from thalweg.words import counted

Indices = NDArray[np.int64]
MOST_LEFT_OUT = 5  # files that a note names
WHICH = {"training": "", "validation": "to validate on: ", "test": "to test on: "}
"""How a note begins that is about images of a part."""


@dataclass(frozen=True)
class PreparedImages(Parts):
    """Images ready to be trained on.

    Args:
        name: what was read.
        data: the images as they were read.
        rows: which of those to learn from are in ``training``, ``validation`` and
            ``test``; none for a part whose images stand apart.
    """

    name: str
    data: ImageData
    rows: dict[str, Indices]

    @property
    def form(self) -> ImageForm:
        """What every image is."""
        return self.data.training.form

    @property
    def seen(self) -> str:
        """How many images there are, and what each is.

        That of MNIST is ``70,000 images of 28 × 28, grey``.
        """
        count = counted(sum(map(len, self.data.sets)), "image")
        return f"{count} of {self.form}"

    @property
    def test_names(self) -> Sequence[str]:
        """Where each image of the test comes from."""
        if self.data.test is not None:
            return self.data.test.names
        names, rows = self.data.training.names, self.rows["test"].tolist()
        return [str(names[row]) for row in rows]


def prepare(data: ImageData, name: str, settings: ImageSettings) -> PreparedImages:
    """Infer the task, split the images, and encode what they show.

    Args:
        data: the images as they were read.
        name: what was read, for messages.
        settings: the task, and the shares.

    Raises:
        ArgumentError: a setting can't be used with these images.
        DataError: something can't be predicted, or there are too few images.
    """
    data = with_known_test(data)
    given = targets_of(data.training, name)
    task = task_of(given, name, settings.task)
    rows = split(data, name, settings)
    targets = fit_targets(data.training, name, task, rows["training"], settings.loss)
    parts = {
        part: encoded_rows(data.training, name, targets, each)
        for part, each in rows.items()
    }
    for part, images in data.apart.items():
        every = np.arange(len(images))
        parts[part] = encoded_rows(images, f"{name}, {part}", targets, every)
    notes = read_notes(data)
    if isinstance(targets, ClassTargets):
        notes = (*notes, *few_of(targets.labels, parts["training"].truth))
    return PreparedImages(
        task, targets, **parts, notes=notes, name=name, data=data, rows=rows
    )


def with_known_test(data: ImageData) -> ImageData:
    """Without images to test on of which nothing says what they show."""
    if data.test is None or data.test.targets is not None:
        return data
    said = f"{counted(len(data.test), 'image')} to test on aren't used, as nothing says"
    notes = (*data.training.notes, f"{said} what they show")
    return replace(data, training=replace(data.training, notes=notes), test=None)


def split(data: ImageData, name: str, settings: ImageSettings) -> dict[str, Indices]:
    """Which of the images to learn from each part is; copies stay in one part.

    Raises:
        DataError: there are too few.
    """
    images, seed = without_pixels(data.training), settings.seed
    share = settings.validation_share(len(images))
    rest, drawn = np.arange(len(images)), dict[str, Indices]()
    try:
        if data.test is None:
            rest, drawn["test"] = split_images(images, settings.test, seed)
            share = min(share / (1 - settings.test), 0.5)
        if data.validation is None:
            stay, chosen = split_images(images.take(rest), share, seed)
            rest, drawn["validation"] = rest[stay], rest[chosen]
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    return {"training": rest, **drawn}


def without_pixels(images: ImageSet) -> ImageSet:
    """Images without what they look like, as a split needs no copy of that."""
    return replace(images, pixels=np.empty((len(images), 0), np.uint8))


def encoded_rows(
    images: ImageSet, where: str, targets: Targets, rows: Indices
) -> EncodedRows:
    """Some images as the arrays that training takes.

    Raises:
        DataError: one shows no class that is known.
    """
    truth = truth_of(images, where, targets)[rows]
    return EncodedRows(images.pixels[rows], truth, learned(truth, targets), None)


# Notes --------------------------------------------------------------------------------


def read_notes(data: ImageData) -> tuple[str, ...]:
    """What was seen while the images were read, and which files weren't."""
    sets = {"training": data.training, **data.apart}
    found: list[str] = []
    for part, images in sets.items():
        which = WHICH[part]
        found += [f"{which}{note}" for note in images.notes if note not in found]
        if not images.left_out:
            continue
        named = [f"{each.name} ({each.reason})" for each in images.left_out]
        hidden = len(named) - MOST_LEFT_OUT
        more = f" and {hidden:,} more" if hidden > 0 else ""
        count = counted(len(named), "file")
        found.append(
            f"{which}{count} left out: {', '.join(named[:MOST_LEFT_OUT])}{more}"
        )
    return tuple(found)
