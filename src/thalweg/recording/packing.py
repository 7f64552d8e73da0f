"""Frames in a form that packs well: what changed, bytes of a kind together.

From one epoch to the next little changes, so differences are small numbers. The page
adds them up again, to the bit: they are taken of whole numbers, modulo 2ⁿ.

For frames of a float32 that are 0x3F800000 and 0x3F800100 the differences are
0x3F800000 and 0x00000100, and the bytes that are kept, from the lowest up:
00 00, 00 01, 80 00, 3F 00.
"""

from __future__ import annotations

import numpy as np

from thalweg.program.types import NumpyArray


def packable(frames: NumpyArray) -> NumpyArray:
    """Frames of an array, (frames, …), in the form in which a page gets them.

    Pictures, which are of uint8, as differences to the frame before, and those as
    differences to the number on the left. Numbers of four bytes with all lowest bytes
    first; those that aren't whole as differences to the frame before. Others as they
    are: they are few.

    Returns:
        An array of the same shape and dtype.

    Example:
        >>> import numpy as np
        >>> from thalweg.recording.packing import packable
        >>> packable(np.array([[3, 5], [4, 7]], "uint8")).tolist()
        [[3, 2], [1, 1]]
    """
    if frames.itemsize == 1:
        changed = differences(frames, 0)
        return differences(changed, -1) if changed.ndim > 1 else changed
    if frames.itemsize == 4:
        bits = np.ascontiguousarray(frames).view("<u4")
        kept = bits if frames.dtype.kind == "i" else differences(bits, 0)
        planes = np.ascontiguousarray(kept).reshape(-1).view(np.uint8).reshape(-1, 4).T
        packed = np.ascontiguousarray(planes).reshape(-1).view(frames.dtype)
        return packed.reshape(frames.shape)
    return frames


def differences(numbers: NumpyArray, axis: int) -> NumpyArray:
    """Each number less the one before it, modulo 2ⁿ; the first as it is."""
    changed = numbers.copy()
    after, before = [slice(None)] * numbers.ndim, [slice(None)] * numbers.ndim
    after[axis], before[axis] = slice(1, None), slice(None, -1)
    changed[tuple(after)] -= numbers[tuple(before)]
    return changed
