"""Folds of images: those that aren't for the test, cut so that each is scored once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, DataError
from thalweg.images.split import split_images
from thalweg.vision.prepare import Indices, PreparedImages, encoded_rows, without_pixels
from thalweg.vision.settings import ImageSettings
from thalweg.vision.truth import fit_targets
from thalweg.words import counted


def image_folds(
    parts: PreparedImages, settings: ImageSettings, count: int
) -> list[PreparedImages]:
    """The images for each fold, which stands where those of the test stood.

    The others are split as `train` does it: some to learn from, some to choose the
    epoch. Copies of a picture are in one fold.

    Arguments:
        parts: the images, and which of them are for the test.
        settings: the share to choose the epoch by, and the seed.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds, or more than half as many as images.
        DataError: there are too few different images.
    """
    require_whole("folds", count, least=2)
    rows = np.union1d(parts.rows["training"], parts.rows["validation"])
    if 2 * count > len(rows):
        raise ArgumentError(
            f"folds must have two images or more, got {count} folds of "
            f"{counted(len(rows), 'image')}"
        )
    images, rest, folds = without_pixels(parts.data.training), rows, list[Indices]()
    try:
        for left in range(count, 1, -1):
            stay, drawn = split_images(images.take(rest), 1 / left, settings.seed)
            folds.append(rest[drawn])
            rest = rest[stay]
        every = [*folds, rest]
        return [fold_of(parts, settings, np.setdiff1d(rows, f), f) for f in every]
    except DataError as error:
        raise DataError(f"{parts.name}, {count} folds: {error}") from None


def fold_of(
    parts: PreparedImages, settings: ImageSettings, others: Indices, fold: Indices
) -> PreparedImages:
    """The images with one fold to score, and the others to learn from."""
    images, name = parts.data.training, parts.name
    share = settings.validation_share(len(others))
    stay, drawn = split_images(
        without_pixels(images).take(others), share, settings.seed
    )
    rows = {"training": others[stay], "validation": others[drawn], "test": fold}
    targets = fit_targets(images, name, parts.task, rows["training"], settings.loss)
    encoded: dict[str, Any] = {
        part: encoded_rows(images, name, targets, each) for part, each in rows.items()
    }
    return replace(parts, targets=targets, rows=rows, **encoded)
