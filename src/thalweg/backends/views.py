"""Views: other strides over the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.backends.layout import Location, contiguous
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ArrayType


def view_of(
    location: Location,
    opcode: str,
    attributes: Mapping[str, Any],
    rows: int | None = None,
) -> Location | None:
    """The location that a view has; None where its elements must be copied.

    NumPy's own rules decide, on an array of the same strides that is never read.
    """
    ghost = np.lib.stride_tricks.as_strided(
        np.empty(1, location.type.dtype), location.type.shape, location.strides
    )
    if opcode == "reshape":
        try:
            view = np.reshape(ghost, attributes["shape"], copy=False)
        except ValueError:
            return None
    else:
        view = PRIMITIVES[opcode].meaning(ghost, **attributes)
    type = ArrayType(tuple(view.shape), location.type.dtype)
    if not view.size:  # an empty slice's start may lie behind the buffer
        return contiguous(location.buffer, location.offset, type, rows)
    moved = view.__array_interface__["data"][0] - ghost.__array_interface__["data"][0]
    offset = location.offset + moved
    return Location(location.buffer, offset, tuple(view.strides), type, rows)
