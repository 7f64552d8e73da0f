"""Files of NumPy, ``.npz``: arrays of images and of what they show, by their names."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from thalweg.errors import DataError
from thalweg.images.exact import rest_as_array
from thalweg.images.expansion import check_expansion
from thalweg.images.image_set import ImageData, ImageSet
from thalweg.images.pixels import image_set, pixels_from, targets_from
from thalweg.tables.source import readable
from thalweg.words import listed

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

NPY = ".npy"

TRAINING = (
    ("x_train", "y_train"),
    ("train_images", "train_labels"),
    ("images", "labels"),
    ("X", "y"),
)
"""Under which names the images to learn from stand, and their targets."""

TEST = (("x_test", "y_test"), ("test_images", "test_labels"))
"""The same of those to test on."""

Pairs = Sequence[tuple[str, str]]


def read_npz(path: Path) -> ImageData:
    """The images of a file of NumPy's arrays, with their targets.

    Raises:
        FileError: it can't be read.
        DataError: it isn't whole, or holds no images under a known name.
    """
    with readable(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return _read(archive, path)
        except (DataError, MemoryError, FileNotFoundError, PermissionError):
            raise
        except Exception as error:  # each way of packing has errors of its own
            raise DataError(
                f"{path.name}: must be a whole .npz file, but isn't ({error})"
            ) from None


def _read(archive: zipfile.ZipFile, path: Path) -> ImageData:
    name = path.name
    members = {each.filename.removesuffix(NPY): each for each in archive.infolist()}
    check_expansion(archive, path)
    training = _set(archive, name, members, TRAINING)
    if training is None:
        known = ", ".join(f"{images} and {targets}" for images, targets in TRAINING)
        raise DataError(
            f"{name}: must hold images under one of these names: {known}; "
            f"but holds {listed(sorted(members)) or 'nothing'}"
        )
    return ImageData(training, _set(archive, name, members, TEST))


def _set(
    archive: zipfile.ZipFile,
    name: str,
    members: dict[str, zipfile.ZipInfo],
    pairs: Pairs,
) -> ImageSet | None:
    """The set under the first pair of names that is there."""
    pair = next((pair for pair in pairs if pair[0] in members), None)
    if pair is None:
        return None
    images, labels = pair
    pixels = pixels_from(
        read_member(archive, members[images], f"{name}, {images}"), f"{name}, {images}"
    )
    rows, where = len(pixels), f"{name}, {labels}"
    targets = None
    if labels in members:
        found = read_member(archive, members[labels], where)
        targets = targets_from(found, rows, where)
    return image_set(pixels, targets, [f"{images}[{row}]" for row in range(rows)])


def read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str
) -> NumpyArray:
    """One array of an archive; never of objects, which would be a pickle.

    Raises:
        DataError: it isn't what it says.
    """
    with archive.open(member) as file:
        shape, columns_first, dtype = _header(file, name)
        if dtype.hasobject or dtype.kind not in "biufU":
            raise DataError(f"{name}: must be numbers or texts, got {dtype}")
        flat = rest_as_array(file, dtype, shape, member.file_size, name)
    return flat.reshape(shape, order="F" if columns_first else "C")


def _header(file: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        return read(file)
    except (ValueError, KeyError) as error:
        raise DataError(
            f"{name}: must be an array as NumPy saves it, but isn't ({error})"
        ) from None
