"""Lengths: how many of its times each row has, where rows have lengths of their own.

Rows of different lengths are one array (rows, times, …) whose times behind a row's end
are padding. Which those are, ``p.lengths`` says to every layer:

    lengths = [3, 1]      is_there = [[true, true, true], [true, false, false]]

A layer that works on each time by itself needs nothing. One that looks at several reads
the lengths, so that no padding is seen; what it gives at times of padding counts for
nothing. Any other is refused by name, since it would take padding for data.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from thalweg.program import ops

Lengths: TypeAlias = Any  # how many times each row has, (rows,) of int32


class Within:
    """A layer's parameters and state, and the lengths of the rows that it is given."""

    __slots__ = ("_whole", "lengths")

    def __init__(self, whole: Any, lengths: Lengths) -> None:
        self._whole = whole
        self.lengths = lengths

    def __getattr__(self, name: str, /) -> ops.Array:
        return getattr(self._whole, name)


def within(p: Any, lengths: Lengths | None) -> Any:
    """The same names, and the lengths if there are any."""
    return p if lengths is None else Within(p, lengths)


def lengths_of(p: Any) -> Lengths | None:
    """The lengths of the rows that a layer is given; None where all times are there.

    >>> lengths_of(None) is None
    True
    >>> lengths_of(Within(None, np.array([3, 1]))).tolist()
    [3, 1]
    """
    return getattr(p, "lengths", None)


def is_there(x: ops.Array, lengths: Lengths) -> ops.Array:
    """Which times of x a row has, of a shape that repeats to that of x.

    >>> is_there(np.zeros((2, 3, 1)), np.array([3, 1])).tolist()
    [[[True], [True], [True]], [[True], [False], [False]]]
    """
    times = np.arange(x.shape[1], dtype=np.int32)
    known = ops.less(times, ops.reshape(lengths, (x.shape[0], 1)))
    return ops.reshape(known, (*x.shape[:2], *(1 for _ in x.shape[2:])))


def in_place_of_padding(x: ops.Array, p: Any, value: float) -> ops.Array:
    """x with a value at the times that a row doesn't have."""
    lengths = lengths_of(p)
    return x if lengths is None else ops.where(is_there(x, lengths), x, value)


def windows_within(lengths: Lengths, reach: int, stride: int) -> Lengths:
    """How many windows fit into so many times: ⌊(n − reach) / stride⌋ + 1.

    >>> windows_within(np.array([7, 6, 3], np.int32), 3, 2).tolist()
    [3, 2, 1]
    """
    if stride == 1:
        return lengths - (reach - 1)
    steps = (ops.cast(lengths, "float32") - reach) / stride
    return ops.cast(ops.floor(steps), "int32") + 1
