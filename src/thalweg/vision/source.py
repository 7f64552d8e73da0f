"""Images as a model takes them: a path, an array, or what was read already."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import numpy as np

from thalweg.errors import ArgumentError, ShapeError
from thalweg.images.image_set import ImageForm, ImageSet
from thalweg.images.pixels import image_set, pixels_from
from thalweg.images.read import read_new_images
from thalweg.program.types import NumpyArray

ARRAY = "array"


def new_images(source: Any, form: ImageForm) -> ImageSet:
    """Images to predict, brought to a form.

    Arguments:
        source: the path of a folder or a file; an array (rows, height, width) or (rows,
            height, width, channels) of whole numbers from 0 to 255, of the form's size;
            or images that were read.
        form: what each has to be.

    Raises:
        FileError, DataError: they can't be read.
        ShapeError: an array's images have another size.
        ArgumentError: it is none of these.
    """
    if isinstance(source, ImageSet):
        return source
    if isinstance(source, str | os.PathLike):
        return read_new_images(Path(cast("str | os.PathLike[str]", source)), form)
    if isinstance(source, np.ndarray):
        return of_array(cast(NumpyArray, source), form)
    raise ArgumentError(
        "images must be a path or an array of shape (rows, height, width, channels), "
        f"got {type(source).__name__}"
    )


def of_array(array: NumpyArray, form: ImageForm) -> ImageSet:
    """The images of an array, which must have the form's size.

    Raises:
        ShapeError: they haven't.
        DataError: they aren't pixels.
    """
    pixels = pixels_from(array, ARRAY)
    if pixels.shape[1:] != form.shape:
        wanted = ", ".join(map(str, form.shape))
        raise ShapeError(
            f"images must have shape (rows, {wanted}) as in training, got {array.shape}"
        )
    names = [f"{ARRAY}[{row}]" for row in range(len(pixels))]
    return image_set(pixels, None, names)


def said_of(images: ImageSet) -> list[str]:
    """What was seen, and each file that isn't among the images."""
    return [*images.notes, *(f"{x.name} left out: {x.reason}" for x in images.left_out)]
