"""Files of NumPy, ``.npz``: arrays of images and of what they show, by their names."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from thalweg.errors import DataError, ThalwegError
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
                check_expansion(archive, path)
                return _Arrays.of(path, archive).data()
        except (ThalwegError, MemoryError, FileNotFoundError, PermissionError):
            raise
        except Exception as error:  # each way of packing has errors of its own
            raise DataError(
                f"{path.name}: must be a whole .npz file, but isn't ({error})"
            ) from None


@dataclass(frozen=True)
class _Arrays:
    """The arrays in a file, by their names."""

    path: Path
    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo]

    @classmethod
    def of(cls, path: Path, archive: zipfile.ZipFile) -> _Arrays:
        """Those of an archive that is open."""
        members = archive.infolist()
        return cls(
            path, archive, {each.filename.removesuffix(NPY): each for each in members}
        )

    def data(self) -> ImageData:
        """The images under the names that are known.

        Raises:
            DataError: there are none.
        """
        training = self._set(TRAINING)
        if training is None:
            known = ", ".join(f"{images} and {labels}" for images, labels in TRAINING)
            raise DataError(
                f"{self.path.name}: must hold images under one of these names: "
                f"{known}; but holds {listed(sorted(self.members)) or 'nothing'}"
            )
        return ImageData(training, self._set(TEST))

    def _set(self, pairs: Pairs) -> ImageSet | None:
        """The set under the first pair of names that is there."""
        pair = next((pair for pair in pairs if pair[0] in self.members), None)
        if pair is None:
            return None
        images, labels = pair
        pixels = pixels_from(self.array(images), self._where(images))
        rows, targets = len(pixels), None
        if labels in self.members:
            targets = targets_from(self.array(labels), rows, self._where(labels))
        return image_set(pixels, targets, [f"{images}[{row}]" for row in range(rows)])

    def array(self, key: str) -> NumpyArray:
        """One array; never of objects, which would be a pickle.

        Raises:
            DataError: it isn't what it says.
        """
        member, where = self.members[key], self._where(key)
        with self.archive.open(member) as file:
            shape, columns_first, dtype = _header(file, where)
            if dtype.hasobject or dtype.kind not in "biufU":
                raise DataError(f"{where}: must be numbers or texts, got {dtype}")
            most = member.file_size
            flat = rest_as_array(file, dtype, shape, most, self.path, where)
        return flat.reshape(shape, order="F" if columns_first else "C")

    def _where(self, key: str) -> str:
        """What messages call an array."""
        return f"{self.path.name}, {key}"


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
