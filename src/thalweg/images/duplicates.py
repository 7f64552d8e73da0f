"""The same picture again: in a set, in two classes of it, and in the test set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thalweg.images.image_set import ImageData, ImageSet
from thalweg.words import counted


def with_duplicates_said(data: ImageData) -> ImageData:
    """The same data, with notes on pictures that stand in it more than once."""
    said = list(said_of_copies(data.training))
    test = data.test
    if test is not None:
        again = int(np.isin(test.digests, data.training.digests).sum())
        if again:
            said.append(
                "also among those to learn from, which makes the test too easy: "
                f"{counted(again, 'test image')}"
            )
    training = replace(data.training, notes=(*data.training.notes, *said))
    return replace(data, training=training)


def said_of_copies(images: ImageSet) -> list[str]:
    """What is said of pictures that a set has more than once."""
    _, pictures = np.unique(images.digests, return_inverse=True)
    copies = len(images) - (int(pictures.max()) + 1)
    if not copies:
        return []
    said = "copies of others, pixel by pixel, which stay on one side of a split: "
    notes = [said + counted(copies, "image")]
    if images.targets is not None and (differing := _differing(images, pictures)):
        kind = "numbers" if images.targets.dtype.kind == "f" else "classes"
        notes.append(f"in several {kind} at once: {counted(differing, 'picture')}")
    return notes


def _differing(images: ImageSet, pictures: np.ndarray) -> int:
    """How many pictures have more than one target."""
    _, targets = np.unique(np.asarray(images.targets), return_inverse=True)
    pairs = np.unique(pictures * (targets.max() + 1) + targets)
    return int((np.bincount(pairs // (targets.max() + 1)) > 1).sum())
