"""Arrays as bytes that a page can read: in the layout of safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from thalweg.files.header import LENGTH_BYTES, lay_out
from thalweg.program.types import NumpyArray

ALIGNMENT = 8
"""Of the payload, so that a page can look at each array where it lies."""


def packed(arrays: Mapping[str, NumpyArray], **told: str) -> bytes:
    """Named arrays as safetensors has them.

    Arguments:
        arrays: of float64, float32, int32 or uint8.
        told: about them, for the header's ``__metadata__``.

    Raises:
        DtypeError: an array has another dtype.

    Example:
        >>> import numpy as np
        >>> from thalweg.recording.tensors import packed
        >>> packed({"a": np.zeros(2, "float32")}, what="fixed")[8:46]
        b'{"__metadata__":{"what":"fixed"},"a":{'
    """
    entries = lay_out(arrays)
    header: dict[str, object] = {"__metadata__": told}
    for each in entries:
        header[each.name] = {
            "dtype": each.code,
            "shape": each.shape,
            "data_offsets": [each.begin, each.end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(LENGTH_BYTES + len(text)) % ALIGNMENT)
    payload = [np.ascontiguousarray(arrays[each.name]).tobytes() for each in entries]
    return b"".join([len(text).to_bytes(LENGTH_BYTES, "little"), text, *payload])
