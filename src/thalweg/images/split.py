"""Images are split in two: of each class the same share, a picture on one side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thalweg.checks import require, require_seed
from thalweg.errors import DataError
from thalweg.tables.splitting.shares import chosen_share

if TYPE_CHECKING:
    from thalweg.images.image_set import ImageSet
    from thalweg.program.types import NumpyArray

STRATA = 10
"""Numbers are cut into so many parts of equal size, from each of which is drawn."""


def split_images(
    images: ImageSet, share: float, seed: int
) -> tuple[NumpyArray, NumpyArray]:
    """The rows that stay and those that are drawn, both in order.

    Of each class the same share is drawn; where targets are numbers, of each tenth of
    them. Images with the same pixels are drawn together, as one of the first's class.

    Arguments:
        images: the images to split.
        share: the part of them to draw, in (0, 1).
        seed: the same seed draws the same rows.

    Returns:
        Two arrays of row numbers.

    Raises:
        ArgumentError: the share isn't between 0 and 1, or the seed can't be one.
        DataError: one of the sides would be empty.
    """
    require(0 < share < 1, "share", "between 0 and 1", share)
    require_seed(seed)
    _, firsts, groups, sizes = np.unique(
        images.digests, return_index=True, return_inverse=True, return_counts=True
    )
    # In order of rows, not of digests: so what is drawn follows from the rows' order.
    order = np.argsort(firsts)
    strata = strata_of(images.targets, len(images))[firsts[order]]
    drawn = np.empty(len(firsts), np.bool_)
    drawn[order] = chosen_share(strata, sizes[order].astype(np.float64), share, seed)
    chosen = drawn[groups]
    if chosen.all() or not chosen.any():
        raise DataError(
            f"a share of {share} of {len(firsts):,} different images leaves one side "
            "without any; there must be more images"
        )
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def strata_of(targets: NumpyArray | None, rows: int) -> NumpyArray:
    """The number of each row's class, or of the tenth in which its number lies.

    >>> strata_of(np.array(["b", "a", "b"]), 3).tolist()
    [1, 0, 1]
    """
    if targets is None:
        return np.zeros(rows, np.int64)
    numbers = np.unique(targets, return_inverse=True)[1]
    if targets.dtype.kind != "f":
        return numbers
    ranks = np.searchsorted(np.sort(targets), targets)
    return ranks * STRATA // max(rows, 1)
