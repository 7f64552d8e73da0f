"""A digest of each image, by which the same picture is known again."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

DIGEST_BYTES = 16


def digest_of(image: NumpyArray) -> bytes:
    """The digest of an image's pixels."""
    return blake2b(np.ascontiguousarray(image).data, digest_size=DIGEST_BYTES).digest()


def digests_of(pixels: NumpyArray) -> NumpyArray:
    """The digest of each image, shape (rows,).

    Arguments:
        pixels: uint8, shape (rows, height, width, channels).

    Example:
        >>> same = digests_of(np.array([[[[1]]], [[[2]]], [[[1]]]], np.uint8))
        >>> [bool(each == same[0]) for each in same]
        [True, False, True]
    """
    return np.array([digest_of(image) for image in pixels], f"S{DIGEST_BYTES}")
