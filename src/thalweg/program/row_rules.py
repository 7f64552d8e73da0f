"""What becomes of a batch's rows in a primitive, and the rules that several share.

A primitive keeps the axis of rows, moves it, sums over it, or mixes rows. With
x: (rows, 3) and w: (3, 2),

    matmul(x, w)            (rows, 2): the axis of rows is 0 again
    transpose               (2, rows): now it is 1
    sum over the last axis  (2, 1): a sum over rows
    max over the first axis of x: rows meet
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.program.types import ArrayType

SUM: Any = object()
"""What a rule gives instead of an axis where the result is a sum over rows."""


class RowsMeetError(Exception):
    """Rows meet otherwise than in a sum; who follows the rows catches it."""


@dataclass(frozen=True)
class Case:
    """One instruction, with the axes of rows of its inputs, and those they repeat."""

    types: list[ArrayType]
    axes: list[int | None]
    repeated: list[Collection[int]]
    attributes: Mapping[str, Any]

    @property
    def only(self) -> int:
        """The axis of the one input."""
        (axis,) = self.axes
        if axis is None:
            raise RowsMeetError
        return axis


@dataclass(frozen=True)
class RowRule:
    """What a primitive does with rows.

    Arguments:
        axis: that of rows in the result, or `SUM`; raises `RowsMeetError` otherwise.
        shared: whether all inputs have rows where the result has them.
        linear: whether it gives sums over rows if it is given such sums alone.
    """

    axis: Callable[[Case], int]
    shared: bool = False
    linear: bool = False


def common_axis(case: Case) -> int:
    """The one axis that all inputs have, but for those that are repeated along it."""
    found = {axis for axis in case.axes if axis is not None}
    if len(found) != 1:
        raise RowsMeetError
    (common,) = found
    for axis, repeated in zip(case.axes, case.repeated, strict=True):
        if axis is None and common not in repeated:
            raise RowsMeetError
    return common


def no_axis(_: Case) -> int:
    """Rows can't be an input."""
    raise RowsMeetError


NO_ROWS = RowRule(no_axis)
