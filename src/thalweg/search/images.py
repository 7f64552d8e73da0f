"""What a search does with images: what there is to choose, and folds of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, DataError
from thalweg.images.split import split_images
from thalweg.search.space import (
    RISING_RATES,
    Choice,
    Space,
    batch_sizes,
    learning_rates,
)
from thalweg.vision.filters import filters_for
from thalweg.vision.own import ReadImages
from thalweg.vision.prepare import Indices, PreparedImages, encoded_rows, without_pixels
from thalweg.vision.settings import ImageSettings
from thalweg.vision.truth import fit_targets
from thalweg.words import counted


def space(base: ImageSettings, parts: PreparedImages) -> Space:
    """What there is to choose for images.

    Eight, 16 or 32 filters in the first convolution; as many convolutions as fit the
    size, or one less; the learning rate over a decade and a half; the usual batch size,
    half, double or four times it; dropout; L2's rate; and a shift of a few pixels.

    Arguments:
        base: the settings that hold where nothing is chosen.
        parts: the images.
    """
    usual = len(filters_for(parts.form))
    return {
        "breadth": Choice((8, 16, 32)),
        "convolutions": Choice((max(usual - 1, 1), usual, usual)),
        "learning_rate": learning_rates(base, RISING_RATES),
        "batch_size": batch_sizes(base, len(parts.training.X)),
        "dropout": Choice((0.0, 0.25, 0.25, 0.5)),
        "l2": Choice((0.0, 0.0, 0.00001, 0.0001)),
        "shift": Choice((0, 0, 1, 2)),
    }


def folds(
    found: ReadImages, parts: PreparedImages, settings: ImageSettings, count: int
) -> list[PreparedImages]:
    """The images for each fold, which stands where those of the test stood.

    The others are split as `train` does it: some to learn from, some to choose the
    epoch, unless there are images for that. Copies of a picture are in one fold.

    Arguments:
        found: the images as they were read.
        parts: the images, and which of them are for the test.
        settings: the share to choose the epoch by, and the seed.
        count: how many folds.

    Raises:
        ArgumentError: fewer than 2 folds, or more than half as many as images.
        DataError: there are too few different images.
    """
    require_whole("folds", count, least=2)
    none = np.empty(0, np.int64)
    rows = np.union1d(parts.rows["training"], parts.rows.get("validation", none))
    if 2 * count > len(rows):
        raise ArgumentError(
            f"folds must have two images or more, got {count} folds of "
            f"{counted(len(rows), 'image')}"
        )
    images, rest, chosen = without_pixels(parts.data.training), rows, list[Indices]()
    try:
        for left in range(count, 1, -1):
            stay, drawn = split_images(images.take(rest), 1 / left, settings.seed)
            chosen.append(rest[drawn])
            rest = rest[stay]
        every = [*chosen, rest]
        return [fold_of(parts, settings, np.setdiff1d(rows, f), f) for f in every]
    except DataError as error:
        raise DataError(f"{parts.name}, {count} folds: {error}") from None


def fold_of(
    parts: PreparedImages, settings: ImageSettings, others: Indices, fold: Indices
) -> PreparedImages:
    """The images with one fold to score, and the others to learn from."""
    images, name = parts.data.training, parts.name
    rows = {"training": others, "test": fold}
    if parts.data.validation is None:
        share = settings.validation_share(len(others))
        stay, drawn = split_images(
            without_pixels(images).take(others), share, settings.seed
        )
        rows |= {"training": others[stay], "validation": others[drawn]}
    targets = fit_targets(images, name, parts.task, rows["training"], settings.loss)
    encoded: dict[str, Any] = {
        part: encoded_rows(images, name, targets, each) for part, each in rows.items()
    }
    if (own := parts.data.validation) is not None:
        where, every = f"{name}, validation", np.arange(len(own))
        encoded["validation"] = encoded_rows(own, where, targets, every)
    return replace(parts, targets=targets, rows=rows, **encoded)
