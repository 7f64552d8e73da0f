"""Images that lack an axis of channels look like series: that is said."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.formulas.chain import Shapes, label
from thalweg.formulas.layers import Layer
from thalweg.formulas.places import Windowed
from thalweg.printable import printable
from thalweg.program.types import Shape

SMALLEST = 8  # pixels of a side of what may be an image


def warn_of_images(layers: Sequence[Layer], shapes: Shapes, X: Any) -> None:
    """Warn if windows go along one axis of what seems to have two axes of places.

    That are rows of shape (28, 28), or bytes of any two sizes. A layer whose size is a
    tuple says how many axes there are, so all is clear.
    """
    row = shapes.outputs[0]
    if not seems_image(row, getattr(X, "dtype", None) == np.uint8):
        return
    first = next((n for n, each in enumerate(layers) if isinstance(each, Windowed)), 0)
    layer = layers[first]
    if not isinstance(layer, Windowed) or isinstance(layer.size, tuple):
        return
    if shapes.outputs[first] == row:
        told = words(label(first + 1, layer), row, layer.size)
        warnings.warn(printable(told), stacklevel=4)


def seems_image(row: Shape, bytes_: bool) -> bool:
    """Whether a row is square, or made of bytes."""
    return len(row) == 2 and min(row) >= SMALLEST and (bytes_ or row[0] == row[1])


def words(where: str, row: Shape, size: int) -> str:
    """What is read, and how to say what is meant."""
    height, width = row
    return (
        f"{where}: X of shape (rows, {height}, {width}) is read as series of {height} "
        f"times with {width} channels. tw.Reshape(({height}, {width}, 1)) as the first "
        f"layer makes images of it; size=({size},) says that they are series"
    )
