"""Room for pixels: in memory while they are few, else in a file that is mapped."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thalweg.errors import FileError

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

IN_MEMORY = 2**30
"""Pixels of so many bytes at most are kept in memory; more of them in a file."""

SPARE = 2**28
"""Bytes of a disk that are left to others."""

CHUNK = 2**24


def room_for(shape: tuple[int, ...], folder: Path) -> NumpyArray:
    """Room for the pixels of images, uint8.

    Beyond `IN_MEMORY` it's a memory map of a file without a name, which goes with the
    process, however that ends.

    Arguments:
        shape: (rows, height, width, channels).
        folder: where the file is made if that may be, else where temporary files are.

    Raises:
        FileError: the disk hasn't so much room.
    """
    if prod(shape) <= IN_MEMORY:
        return np.empty(shape, np.uint8)
    if not os.access(folder, os.W_OK):
        folder = Path(tempfile.gettempdir())
    return _mapped(shape, folder)


def folder_of(pixels: np.memmap) -> Path:
    """Where the file of mapped pixels was made."""
    return Path(pixels.filename or tempfile.gettempdir()).parent


def said_of_room(pixels: NumpyArray) -> tuple[str, ...]:
    """What is said of pixels that are in a file rather than in memory."""
    if not isinstance(pixels, np.memmap):
        return ()
    size, folder = f"{pixels.nbytes:,} bytes", folder_of(pixels)
    return (f"{size} of pixels are in a temporary file in {folder}, gone at the end",)


def taken(pixels: NumpyArray, rows: NumpyArray) -> NumpyArray:
    """The images of some rows; those of a map are again in one, if they are many."""
    if not isinstance(pixels, np.memmap):
        return pixels[rows]
    result = room_for((len(rows), *pixels.shape[1:]), folder_of(pixels))
    for part in parts(len(rows), prod(pixels.shape[1:])):
        result[part] = pixels[rows[part]]
    return result


def parts(rows: int, row_bytes: int) -> Iterator[slice]:
    """Rows that are worked on at a time, so that what they take is little."""
    size = max(1, CHUNK // row_bytes)
    return (slice(start, start + size) for start in range(0, rows, size))


def _mapped(shape: tuple[int, ...], folder: Path) -> NumpyArray:
    size, free = prod(shape), shutil.disk_usage(folder).free
    if size + SPARE > free:
        raise FileError(
            f"{folder}: the pixels take {size:,} bytes, which a temporary file here is "
            f"to hold, but only {free:,} are free; smaller images (height, width) take "
            "less, and TMPDIR names another folder where this one can't be written to"
        )
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".thalweg-") as file:
            _reserve(file.fileno(), size)
            return np.memmap(file, np.uint8, "r+", shape=shape)
    except OSError as error:
        raise FileError(
            f"{folder}: {size:,} bytes can't be kept in a temporary file: "
            f"{error.strerror or error}"
        ) from None


def _reserve(file: int, size: int) -> None:
    """Have the disk set the bytes aside: one that is full later would end the process.

    Raises:
        OSError: it can't.
    """
    if sys.platform != "win32" and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    for start in range(0, size, CHUNK):
        os.write(file, bytes(min(CHUNK, size - start)))
