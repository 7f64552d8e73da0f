"""Read images, whatever file or folder holds them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thalweg.errors import DataError, FileError
from thalweg.images.arrays import NPY, read_npz
from thalweg.images.brought_to import brought_to
from thalweg.images.choose_form import check_size, of_one_size
from thalweg.images.decode import Facts, UnreadableError, decode, without_warnings
from thalweg.images.duplicates import with_duplicates_said
from thalweg.images.folder import read_new_tree, read_tree, said_of, said_of_brought
from thalweg.images.formats import FORMATS, is_image_name, pillow
from thalweg.images.idx import idx_sets_in, is_idx, read_idx_file, read_idx_folder
from thalweg.images.image_set import COLOR, GREY, ImageData, ImageForm, ImageSet
from thalweg.images.pixels import image_set, targets_like
from thalweg.images.trees import ArchiveTree, FolderTree, Tree, open_archive
from thalweg.printable import printable
from thalweg.tables.source import check_file, readable
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

NPZ = ".npz"


def read_images(
    path: str | os.PathLike[str],
    *,
    height: int | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> ImageData:
    """Read images to learn from, and what they show.

    Arguments:
        path: a folder of image files, one folder a class or with a table
            ``labels.csv``, or a ``.zip`` of one; files of IDX, or a folder with them;
            a file of NumPy's arrays (``.npz``).
        height: that every image gets, in pixels; None for what fits.
        width: the same.
        color: whether to read in color; None if any image is in color.

    Returns:
        The images to learn from, and those to test on where they stand apart.

    Raises:
        FileError: there is no such file or folder, or it can't be read.
        DataError: it holds no images that can be read, or all are of one class.
        ArgumentError: a size can't be one, or Pillow isn't installed.
    """
    check_size(height, width)
    place = _place(path)
    with readable(place):
        data = _arrays(place)
        if data is not None:
            data = _in_form(data, height, width, color)
        else:
            with _tree(place) as tree:
                data = read_tree(tree, height, width, color)
    _require_classes(data.training, place)
    return with_duplicates_said(_with_like_targets(data))


def read_new_images(path: str | os.PathLike[str], form: ImageForm) -> ImageSet:
    """Read images to predict or to score, brought to a form.

    Arguments:
        path: as for `read_images`, or one image file. Where images to test on stand
            apart, it's those alone.
        form: what each is brought to.

    Raises:
        FileError: there is no such file or folder, or it can't be read.
        DataError: it holds no images that can be read.
        ArgumentError: Pillow is needed and isn't installed.
    """
    place = _place(path)
    with readable(place):
        data = _arrays(place)
        if data is not None:
            return brought_to(data.test or data.training, form)
        if _is_image_file(place):
            pixels, facts = _one_image(place, form)
            name = printable(place.name)
            said = [*said_of_brought([facts], form), *said_of([facts])]
            return image_set(pixels[np.newaxis], None, [name], said)
        with _tree(place) as tree:
            return read_new_tree(tree, form)


def read_image(
    path: str | os.PathLike[str], form: ImageForm | None = None
) -> NumpyArray:
    """Read one image file.

    Arguments:
        path: of the file.
        form: what it is brought to; None for what it is.

    Returns:
        Its pixels, uint8 of shape (height, width, channels).

    Raises:
        FileError: there is no such file, or it can't be read.
        DataError: it isn't an image that can be read.
        ArgumentError: Pillow isn't installed.
    """
    return _one_image(_place(path), form)[0]


def _one_image(place: Path, form: ImageForm | None) -> tuple[NumpyArray, Facts]:
    """The pixels of an image file, and what was seen."""
    pillow()
    check_file(place)
    with readable(place), place.open("rb") as file, without_warnings():
        try:
            return decode(file, place.name, form)
        except UnreadableError as error:
            raise DataError(f"{place}: {error}") from None


def is_images(path: str | os.PathLike[str]) -> bool:
    """Whether what a path names holds images rather than a table.

    A folder does, as a table is a file; a file does if it's one of IDX, of NumPy's
    arrays, an image, or an archive of images. Nothing is read of what isn't a file.
    """
    place = Path(path)
    try:
        return place.is_dir() or (place.is_file() and _holds_images(place))
    except Exception:  # a broken archive has any of a dozen kinds of errors
        return False


# What holds them ----------------------------------------------------------------------


def _holds_images(path: Path) -> bool:
    if path.suffix.lower() == NPZ or _is_image_file(path):
        return True
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(map(_is_member, archive.namelist()))
    return is_idx(path)


def _is_member(name: str) -> bool:
    return is_image_name(name) or name.endswith(NPY)


def _is_image_file(path: Path) -> bool:
    return path.is_file() and is_image_name(path.name)


def _place(path: str | os.PathLike[str]) -> Path:
    """A file or a folder that is there.

    Raises:
        FileError: it isn't.
    """
    place = Path(path)
    if not place.is_dir():
        check_file(place)
        if not place.is_file():
            raise FileError(f"{place}: must be a file or a folder, but is neither")
    return place


def _arrays(path: Path) -> ImageData | None:
    """The images of files that hold arrays, if it's such files."""
    if path.is_dir():
        return read_idx_folder(path) if idx_sets_in(path) else None
    if path.suffix.lower() == NPZ:
        return read_npz(path)
    return read_idx_file(path) if is_idx(path) else None


@contextmanager
def _tree(path: Path) -> Generator[Tree]:
    """The files of a folder or an archive.

    Raises:
        DataError: it's neither.
    """
    if path.is_dir():
        yield FolderTree.of(path)
    elif zipfile.is_zipfile(path):
        with open_archive(path) as archive:
            yield ArchiveTree.of(path, archive)
    else:
        what = "one image" if _is_image_file(path) else "none of them"
        raise DataError(
            f"{path}: must be a folder of images ({', '.join(FORMATS)}), a zip of one, "
            f"a file of IDX or .npz, but is {what}"
        )


# What they hold -----------------------------------------------------------------------


def _in_form(
    data: ImageData, height: int | None, width: int | None, color: bool | None
) -> ImageData:
    """Images of arrays in the form that was asked, or that of those to learn from."""
    found = data.training.form
    high, wide = found.height, found.width
    if height or width:
        high, wide = of_one_size((high, wide), height, width)
    channels = found.channels if color is None else COLOR if color else GREY
    form = ImageForm(high, wide, channels)
    test = data.test and brought_to(data.test, form)
    return ImageData(brought_to(data.training, form), test or None)


def _with_like_targets(data: ImageData) -> ImageData:
    """The test set with classes or numbers, as those to learn from have them."""
    test, targets = data.test, data.training.targets
    if test is None or test.targets is None or targets is None:
        return data
    like = targets_like(test.targets, targets)
    return ImageData(data.training, replace(test, targets=like))


def _require_classes(images: ImageSet, path: Path) -> None:
    """Images that are told apart are of two classes at least.

    Raises:
        DataError: they aren't.
    """
    targets = images.targets
    if targets is None or (targets != targets[0]).any():
        return
    what = "classes" if targets.dtype.kind == "U" else "numbers"
    raise DataError(
        f"{path}: the images to learn from must be of two {what} or more, but there is "
        f"only {targets[0]!s:.80}, of {counted(len(images), 'image')}"
    )
