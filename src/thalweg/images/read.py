"""Read images, whatever file or folder holds them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from thalweg.errors import DataError
from thalweg.images.arrays import NPY, read_npz
from thalweg.images.idx import idx_sets, is_idx, read_idx_file, read_idx_folder
from thalweg.images.image_set import ImageData
from thalweg.tables.source import readable

NPZ = ".npz"

SUFFIXES = (
    *(".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".pbm"),
    *(".tif", ".tiff", ".webp"),
)
"""How names of images end, in lower case."""


def read_images(
    path: str | os.PathLike[str],
    *,
    height: int | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> ImageData:
    """Read images and what they show.

    Arguments:
        path: a file of IDX or of NumPy (.npz), or a folder with files of IDX.
        height: that every image gets; None for what is found.
        width: the same.
        color: whether to read in color; None for what is found.

    Returns:
        The images to learn from, and those to test on where they stand apart.

    Raises:
        FileError: there is no such file or folder, or it can't be read.
        DataError: it holds no images that could be read.
    """
    place = Path(path)
    with readable(place):
        if place.is_dir():
            if idx_sets(os.listdir(place)):
                return read_idx_folder(place)
        elif place.suffix.lower() == NPZ:
            return read_npz(place)
        elif is_idx(place):
            return read_idx_file(place)
    raise DataError(f"{place}: holds no images")


def is_images(path: str | os.PathLike[str]) -> bool:
    """Whether what a path names holds images rather than a table.

    A folder does, as a table is a file; a file does if it's one of IDX, of NumPy's
    arrays, an image, or an archive of images. Nothing is read of what isn't a file.
    """
    place = Path(path)
    try:
        if place.is_dir():
            return True
        return place.is_file() and _holds_images(place)
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def _holds_images(path: Path) -> bool:
    if path.suffix.lower() in (NPZ, *SUFFIXES):
        return True
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(_is_image(name) for name in archive.namelist())
    return is_idx(path)


def _is_image(name: str) -> bool:
    return name.lower().endswith((*SUFFIXES, NPY))
