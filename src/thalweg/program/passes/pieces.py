"""Rules of simplify for pieces of arrays: what is split, set among zeros, and joined.

The gradient of ``i, f = split(z, 2)`` adds up what i and f get, each set among zeros
in the shape of z. It is one concatenation; and a piece of that is what was set there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.program import ops
from thalweg.program.passes.rewrite import definition
from thalweg.program.sizes import Size
from thalweg.program.trace import Trace, Tracer

Pad = tuple[Mapping[str, Any], Tracer]  # its attributes, and what is set among zeros
MOST_PIECES = 32  # of a sum that becomes a concatenation; cells have three or four


def sum_of_pieces(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """pad(x) + pad(y) = concatenate([x, y]), for pieces that fill an axis together."""
    if opcode != "add":
        return None
    pieces = [*pads_of(inputs[0]), *pads_of(inputs[1])]
    shape = inputs[0].shape
    fitting = (axis for axis in range(len(shape)) if all_along(axis, pieces))
    axis = next(fitting, None)
    if axis is None or [] in (pads_of(inputs[0]), pads_of(inputs[1])):
        return None
    pieces.sort(key=lambda each: each[0]["starts"][axis])
    end = 0
    for found, piece in pieces:
        if found["starts"][axis] != end:
            return None
        end += piece.shape[axis]
    if end != shape[axis]:
        return None
    return recording.emit("concatenate", [piece for _, piece in pieces], axis=axis)


def pads_of(tracer: Tracer) -> list[Pad]:
    """What is added up, if that are pads alone, and few.

    A value that is added to itself over and over is 2, 4, 8, … terms: so it is counted
    how many were looked at.
    """
    found: list[Pad] = []
    waiting = [tracer]
    for _ in range(2 * MOST_PIECES):
        if not waiting:
            return found
        known = definition(waiting.pop())
        if known is None or known[0] not in ("add", "pad"):
            return []
        opcode, inputs, attributes = known
        if opcode == "pad":
            found.append((attributes, inputs[0]))
        else:
            waiting += reversed(inputs)
    return []


def all_along(axis: int, pads: list[Pad]) -> bool:
    """Whether zeros lie beside pieces along one axis alone, of known size."""
    for found, piece in pads:
        shape = found["shape"]
        others = [i for i in range(len(shape)) if i != axis]
        is_whole = all(piece.shape[i] == shape[i] for i in others)
        if not is_whole or set(found["steps"]) != {1} or isinstance(shape[axis], Size):
            return False
    return True


def slice_of_pad(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """A slice of what is set among zeros: a slice of that, or zeros."""
    found = definition(inputs[0]) if opcode == "slice" else None
    if found is None or found[0] != "pad":
        return None
    (piece,), pad = found[1], found[2]
    if set(attributes["steps"]) != {1} or set(pad["steps"]) != {1}:
        return None
    keys: list[slice] = []
    bounds = zip(
        attributes["starts"],
        attributes["stops"],
        pad["starts"],
        piece.shape,
        pad["shape"],
        strict=True,
    )
    for start, stop, first, size, whole in bounds:
        if size == whole:  # whatever size that is
            keys.append(slice(start, stop))
        elif isinstance(size, Size) or isinstance(whole, Size):
            return None
        elif stop <= first or first + size <= start:
            return zeros_like_slice(recording, inputs[0], attributes)
        elif first <= start and stop <= first + size:
            keys.append(slice(start - first, stop - first))
        else:
            return None
    return piece[tuple(keys)]


def zeros_like_slice(
    recording: Trace, whole: Tracer, attributes: Mapping[str, Any]
) -> Tracer:
    """Zeros in the shape of a slice."""
    bounds = zip(attributes["starts"], attributes["stops"], strict=True)
    zero = recording.constant(np.zeros((), whole.type.dtype))
    return ops.broadcast_to(zero, tuple(stop - start for start, stop in bounds))
