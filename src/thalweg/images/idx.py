"""Files of IDX, in which MNIST and its kin come: a header, then the numbers."""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from thalweg.errors import DataError
from thalweg.images.exact import rest_as_array
from thalweg.images.image_set import ImageData, ImageSet
from thalweg.images.pixels import image_set, pixels_from, targets_from
from thalweg.tables.packed import FREE_BYTES, FREE_RATIO
from thalweg.tables.source import readable
from thalweg.words import listed

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

IMAGES = re.compile(r"(.*)images([-.])idx3-ubyte(\.gz)?", re.DOTALL)
"""Names of files of images; before it stands the name of the set."""

TESTS = re.compile(r"t10k|test")
"""What is in the name of a set to test on."""

DTYPES = {
    8: np.dtype("u1"),
    9: np.dtype("i1"),
    11: np.dtype(">i2"),
    12: np.dtype(">i4"),
    13: np.dtype(">f4"),
    14: np.dtype(">f8"),
}
"""The third byte of a file says what the numbers are."""

GZIP = b"\x1f\x8b"

MOST_AXES = 4


def idx_sets(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """By the name of each set its files of images and of labels.

    >>> idx_sets(["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz", "a.txt"])
    {'t10k-': ('t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte.gz')}
    """
    there, sets = set(names), dict[str, tuple[str, str]]()
    for name in sorted(there):  # so that an unpacked file comes before a packed one
        found = IMAGES.fullmatch(name)
        if found and found[1] not in sets:
            labels = f"{found[1]}labels{found[2]}idx1-ubyte"
            ends = (ending for ending in ("", ".gz") if labels + ending in there)
            sets[found[1]] = name, labels + next(ends, "")
    return sets


def idx_sets_in(folder: Path) -> dict[str, tuple[str, str]]:
    """The same of the files in a folder.

    Raises:
        OSError: it can't be read.
    """
    with os.scandir(folder) as entries:
        return idx_sets(entry.name for entry in entries if entry.is_file())


def is_idx(path: Path) -> bool:
    """Whether a file starts as one of IDX does that holds images."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(GZIP):
        try:
            with gzip.open(path) as unpacked:
                start = unpacked.read(4)
        except (OSError, EOFError, zlib.error):
            return False
    return start[:2] == b"\0\0" and start[2:] in (b"\x08\x03", b"\x08\x04")


def read_idx_folder(folder: Path) -> ImageData:
    """The images of a folder with files of IDX; t10k is for testing.

    Raises:
        DataError: there isn't just one set to learn from, or labels are missing.
    """
    sets = idx_sets_in(folder)
    tests = [name for name in sets if TESTS.search(name)]
    others = [name for name in sets if name not in tests]
    if len(others) != 1 or len(tests) > 1:
        files = listed([sets[name][0] for name in sets])
        raise DataError(
            f"{folder}: must hold one set of images to learn from and at most one to "
            f"test on (t10k), but holds {files}; give the file of one set"
        )
    training = read_idx_set(folder, *sets[others[0]])
    test = read_idx_set(folder, *sets[tests[0]]) if tests else None
    return ImageData(training, test)


def read_idx_file(path: Path) -> ImageData:
    """The images of a file of IDX with its labels, and those of the test set beside."""
    sets = idx_sets_in(path.parent)
    own = next((name for name, files in sets.items() if path.name in files), None)
    if own is None:  # a name of its own
        return ImageData(read_idx_set(path.parent, path.name, None))
    test = None
    for name in (own.replace("train", "t10k"), own.replace("train", "test")):
        if name != own and name in sets:
            test = read_idx_set(path.parent, *sets[name])
            break
    return ImageData(read_idx_set(path.parent, *sets[own]), test)


def read_idx_set(folder: Path, images: str, labels: str | None) -> ImageSet:
    """The images of one file, with the classes that another one gives.

    Raises:
        FileError: a file can't be read.
        DataError: a file isn't what it says, or the two don't fit together.
    """
    pixels = pixels_from(read_idx(folder / images), images)
    rows = len(pixels)
    stem = images.removesuffix(".gz")
    targets = None
    if labels is not None:
        targets = targets_from(read_idx(folder / labels), rows, labels)
    return image_set(pixels, targets, [f"{stem}[{row}]" for row in range(rows)])


def read_idx(path: Path) -> NumpyArray:
    """The array in a file of IDX, packed by gzip or not.

    Raises:
        FileError: there is no such file, or it can't be read.
        DataError: it isn't whole, or not of IDX.
    """
    with readable(path), path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if not packed:
            return _array(file, path, size)
        try:
            with gzip.open(file) as unpacked:
                most = max(FREE_BYTES, FREE_RATIO * size)
                return _array(cast("IO[bytes]", unpacked), path, most)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"{path.name}: must be a whole gzip file, but isn't ({error})"
            ) from None


def _array(file: IO[bytes], path: Path, most: int) -> NumpyArray:
    """The array in an open file of at most so many bytes."""
    start, name = file.read(4), path.name
    dtype = DTYPES.get(start[2]) if start[:2] == b"\0\0" and len(start) == 4 else None
    if dtype is None or not 1 <= start[3] <= MOST_AXES:
        raise DataError(
            f"{name}: must be a file of IDX, which starts with two zeros, a type and 1 "
            f"to {MOST_AXES} axes, but starts with {start.hex(' ') or 'nothing'}"
        )
    sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise DataError(f"{name}: ends within its header")
    shape = struct.unpack(f">{start[3]}I", sizes)
    return rest_as_array(file, dtype, shape, most, path, name).reshape(shape)
