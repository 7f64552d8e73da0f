"""Arrays of images, as people keep them, become pixels of the one layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.errors import DataError
from thalweg.images.digests import digests_of
from thalweg.images.image_set import COLOR, GREY, ImageForm, ImageSet
from thalweg.images.storage import said_of_room

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray


def pixels_from(array: NumpyArray, name: str) -> NumpyArray:
    """The images of an array, uint8 of shape (rows, height, width, channels).

    Arguments:
        array: whole numbers from 0 to 255; (rows, height, width) where they are grey.
        name: for messages.

    Raises:
        DataError: the shape isn't one of images, or the numbers aren't pixels.

    Example:
        >>> pixels_from(np.zeros((5, 28, 28)), "images").shape
        (5, 28, 28, 1)
    """
    channels = array.shape[3] if array.ndim == 4 else GREY
    if array.ndim in (3, 4) and not len(array):
        raise DataError(f"{name}: there must be an image or more, got {array.shape}")
    if array.ndim not in (3, 4) or channels not in (GREY, COLOR) or 0 in array.shape:
        raise DataError(
            f"{name}: images must be (rows, height, width) or (rows, height, width, 1 "
            f"or 3), got {array.shape}{_hint(array.shape)}"
        )
    return _bytes(array, name).reshape(*array.shape[:3], channels)


def _hint(shape: tuple[int, ...]) -> str:
    channels_first = len(shape) == 4 and shape[1] in (GREY, COLOR)
    return "; array.transpose(0, 2, 3, 1) puts the channels last" * channels_first


def _bytes(array: NumpyArray, name: str) -> NumpyArray:
    """The same numbers as bytes, where they are none else."""
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind in "iuf":
        # What isn't a number from 0 to 255 becomes one, and is seen by that.
        with np.errstate(invalid="ignore"):
            cut = array.astype(np.uint8)
        if np.array_equal(cut, array):
            return cut
    raise DataError(
        f"{name}: pixels must be whole numbers from 0 to 255, as uint8 has them, got "
        f"{_range(array)}; (255 * array).astype(np.uint8) makes them of what is 0 to 1"
    )


def _range(array: NumpyArray) -> str:
    if array.dtype.kind not in "iuf":
        return str(array.dtype)
    return f"{array.dtype} from {array.min():g} to {array.max():g}"


def image_set(
    pixels: NumpyArray,
    targets: NumpyArray | None,
    names: Sequence[str],
    notes: Sequence[str] = (),
) -> ImageSet:
    """A set of images that have one form already.

    Arguments:
        pixels: uint8, shape (rows, height, width, channels).
        targets: shape (rows,), or None.
        names: one a row.
        notes: what was seen.
    """
    form = ImageForm(*pixels.shape[1:])
    said = (*notes, *said_of_room(pixels))
    return ImageSet(form, pixels, targets, names, digests_of(pixels), said)


def targets_from(array: NumpyArray, rows: int, name: str) -> NumpyArray:
    """Texts for classes, or float64 for numbers.

    Texts and whole numbers name classes; floating-point numbers are numbers.

    Arguments:
        array: shape (rows,) or (rows, 1).
        rows: how many images there are.
        name: for messages.

    Raises:
        DataError: there isn't one target a row, or they are neither.

    Example:
        >>> targets_from(np.array([[7], [2]], np.uint8), 2, "labels").tolist()
        ['7', '2']
    """
    if array.shape not in ((rows,), (rows, 1)):
        raise DataError(
            f"{name}: there must be one target an image, an array of shape ({rows},), "
            f"got {array.shape}"
        )
    flat = array.reshape(rows)
    if flat.dtype.kind in "iub":
        return flat.astype(np.str_)
    if flat.dtype.kind == "U":
        return flat
    if flat.dtype.kind != "f":
        raise DataError(
            f"{name}: targets must be texts, whole numbers or floating-point numbers, "
            f"got {flat.dtype}"
        )
    numbers = flat.astype(np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise DataError(f"{name}[{row}]: a number must be finite, got {numbers[row]}")
    return numbers


def targets_like(targets: NumpyArray, others: NumpyArray) -> NumpyArray:
    """Targets as others are: numbers if those are, classes if those are.

    Raises:
        DataError: numbers are needed, and a class's name isn't one.

    >>> targets_like(np.array(["1", "7"]), np.array([0.5])).tolist()
    [1.0, 7.0]
    """
    if targets.dtype.kind == others.dtype.kind:
        return targets
    if targets.dtype.kind == "f":
        return np.array([f"{number:.17g}" for number in targets], np.str_)
    try:
        return targets.astype(np.float64)
    except ValueError as error:
        raise DataError(f"each image must have a number, but {error}") from None
