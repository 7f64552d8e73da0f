"""Arrays that start at a cache line, where vectors are read and written fastest."""

import numpy as np

from thalweg.backends.layout import ALIGNMENT
from thalweg.program.types import NumpyArray


def aligned_bytes(nbytes: int) -> NumpyArray:
    """Uninitialized memory that starts at a multiple of the alignment."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes]


def aligned_copy(array: NumpyArray) -> NumpyArray:
    """The same numbers, contiguous, from a multiple of the alignment on.

    >>> copy = aligned_copy(np.arange(6.0).reshape(2, 3))
    >>> copy[1].tolist(), copy.ctypes.data % ALIGNMENT
    ([3.0, 4.0, 5.0], 0)
    """
    copy = aligned_bytes(array.nbytes).view(array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return copy
