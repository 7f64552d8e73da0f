"""As many bytes of a file as its header claims, and nothing after them."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from thalweg.errors import DataError
from thalweg.images.storage import room_for

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

CHUNK = 2**20


def rest_as_array(
    file: IO[bytes],
    dtype: np.dtype,
    shape: tuple[int, ...],
    most: int,
    path: Path,
    name: str,
) -> NumpyArray:
    """What is left of a file, as an array that takes all of it.

    Arguments:
        file: after its header.
        dtype: of the array.
        shape: of the array, as the header claims.
        most: how many bytes there can be at most; what is claimed beyond isn't tried.
        path: of the file, beside which there is room if the array is large.
        name: for messages.

    Raises:
        DataError: there are fewer bytes than claimed, or more.
    """
    size = prod(shape) * dtype.itemsize
    if size > most:
        raise DataError(
            f"{name}: the shape {shape} asks for {size:,} bytes, but there can be "
            f"{most:,} at most"
        )
    content, done = room_for((size,), path.parent), 0
    while done < size and (chunk := file.read(min(CHUNK, size - done))):
        content[done : done + len(chunk)] = np.frombuffer(chunk, np.uint8)
        done += len(chunk)
    if done < size or file.read(1):
        found = "goes on" if done == size else f"ends after {done:,}"
        raise DataError(
            f"{name}: must end {size:,} bytes after its header, as its shape {shape} "
            f"says, but {found}"
        )
    return content.view(dtype)
