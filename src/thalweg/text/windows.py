"""Rows that lie over one another in a text: other strides over the same numbers."""

from __future__ import annotations

from numpy.lib.stride_tricks import sliding_window_view

from thalweg.errors import DataError
from thalweg.program.types import NumpyArray
from thalweg.words import counted


def windows(numbers: NumpyArray, length: int, step: int) -> NumpyArray:
    """Views of so many numbers each, which begin so many apart: (rows, length).

    >>> import numpy as np
    >>> windows(np.arange(6), length=3, step=2).tolist()
    [[0, 1, 2], [2, 3, 4]]
    """
    return sliding_window_view(numbers, length)[::step]


def require_long(numbers: NumpyArray, length: int, name: str) -> None:
    """There is a window, and a character after it.

    Raises:
        DataError: the text is too short.
    """
    if len(numbers) <= length:
        raise DataError(
            f"{name}: must have more than {counted(length, 'character')}, the length "
            f"of a window, got {len(numbers):,}; a smaller length needs fewer"
        )
