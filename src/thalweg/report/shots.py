"""Images of a data set as a page shows them: small, in the page itself."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thalweg.report.blocks import Shot

COARSE = 64
"""An image with a smaller side is shown with its pixels as squares."""

LARGEST = 240
"""Pixels of the longer side; a larger image is made smaller."""


def shot(pixels: NDArray[np.uint8], caption: str, alternative: str) -> Shot:
    """An image with what is said of it.

    Arguments:
        pixels: shape (height, width, channels), 1 of them or 3.
        caption: below it.
        alternative: what it is, in words.

    Example:
        >>> black = np.zeros((8, 8, 1), np.uint8)
        >>> shot(black, "0", "a black square").source[:32]
        'data:image/png;base64,iVBORw0KGg'
    """
    coarse = min(pixels.shape[:2]) < COARSE
    return Shot(address(pixels), caption, alternative, coarse)


def address(pixels: NDArray[np.uint8]) -> str:
    """The image itself as a ``data:`` address."""
    grey = pixels.shape[2] == 1
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
    image.thumbnail((LARGEST, LARGEST))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
