"""Which values of a program hold a batch's rows, and along which axis.

A program whose rows meet only in sums can run on a few rows at a time, its sums added
up. `find_rows` says whether a program is one, by following the axis of rows from the
inputs: a primitive keeps it, moves it, sums over it, or mixes rows, which ends the
search. With x: (rows, 3) and w: (3, 2),

    matmul(x, w)            (rows, 2): the axis of rows is 0 again
    transpose               (2, rows): now it is 1
    sum over the last axis  (2, 1): a sum over rows
    max over the first axis of x: rows meet
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from thalweg.program.ir import Instruction, Program
from thalweg.program.sizes import Size
from thalweg.program.types import ArrayType, Shape

Axis = int | None
LINEAR = ("reshape", "transpose", "concatenate")  # of sums, they are sums again


class RowsMeetError(Exception):
    """Rows meet otherwise than in a sum; `find_rows` catches it."""


@dataclass
class Rows:
    """How the rows run through a program.

    Arguments:
        axes: for every value that holds rows, the axis.
        sums: the values that are sums over rows, and those linear in them.
        later: the values that follow from such sums.
    """

    axes: dict[int, int] = field(default_factory=dict[int, int])
    sums: set[int] = field(default_factory=set[int])
    later: set[int] = field(default_factory=set[int])


def find_rows(program: Program) -> Rows | None:
    """Follow the axis of rows from the inputs; None if rows meet, or if there is none.

    Arguments:
        program: finished, over `ROWS` rows.
    """
    rows = Rows()
    for value, type in enumerate(program.inputs.values()):
        if row_axes(type):
            rows.axes[value] = 0
    if not rows.axes:
        return None
    try:
        for value, instruction in zip(
            program.computed(), program.instructions, strict=True
        ):
            follow(program, rows, value, instruction)
    except RowsMeetError:
        return None
    return rows


def row_axes(type: ArrayType) -> list[int]:
    """The axes whose size follows from the number of rows."""
    return [axis for axis, size in enumerate(type.shape) if isinstance(size, Size)]


def follow(program: Program, rows: Rows, value: int, instruction: Instruction) -> None:
    """Enter one value."""
    sources = set(instruction.inputs)
    if not (sources.isdisjoint(rows.sums) and sources.isdisjoint(rows.later)):
        follow_sums(rows, value, instruction)
        return
    types = [program.type(v) for v in instruction.inputs]
    axes = [rows.axes.get(v) for v in instruction.inputs]
    if all(axis is None for axis in axes):
        if instruction.opcode == "random_bits" and row_axes(instruction.type) == [0]:
            rows.axes[value] = 0
        return
    repeated = [repeated_axes(program, v) for v in instruction.inputs]
    rule = RULES.get(instruction.opcode, elementwise_axis)
    found = rule(Case(types, axes, repeated, instruction))
    shared = [found] if rule in SHARE_AN_AXIS else []
    for source in sources:
        # A block repeats it for its own rows; what is read whole can't have any.
        repeats = row_axes(program.type(source))
        if source not in rows.axes and repeats not in ([], shared):
            raise RowsMeetError
    if found is SUM:
        rows.sums.add(value)
    else:
        rows.axes[value] = found


def follow_sums(rows: Rows, value: int, instruction: Instruction) -> None:
    """What is linear in sums is a sum; all else that reads one comes later."""
    sources = set(instruction.inputs)
    if any(source in rows.axes for source in sources):
        raise RowsMeetError
    axis = instruction.attributes.get("axis", 0)
    if instruction.opcode in LINEAR and sources <= rows.sums and axis == 0:
        rows.sums.add(value)
    else:
        rows.later.add(value)


def repeated_axes(program: Program, value: int) -> Collection[int]:
    """The axes along which a broadcast repeats: it can do so for any number of rows."""
    instruction = program.instruction(value)
    if instruction is None or instruction.opcode != "broadcast":
        return ()
    source = program.type(instruction.inputs[0]).shape
    shape = instruction.type.shape
    new = len(shape) - len(source)
    return [a for a in range(len(shape)) if a < new or source[a - new] == 1]


# Rules -------------------------------------------------------------------------------

SUM: Any = object()


@dataclass(frozen=True)
class Case:
    """One instruction, with the axes of rows of its inputs, and those they repeat."""

    types: list[ArrayType]
    axes: list[Axis]
    repeated: list[Collection[int]]
    instruction: Instruction

    def attribute(self, name: str) -> Any:
        """An attribute of the instruction."""
        return self.instruction.attributes[name]

    @property
    def only(self) -> int:
        """The axis of the one input."""
        (axis,) = self.axes
        if axis is None:
            raise RowsMeetError
        return axis


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


def elementwise_axis(case: Case) -> int:
    """The axis stays where it is."""
    return common_axis(case)


def sum_axis(case: Case) -> int:
    """Over the rows: a sum; over other axes: the axis stays."""
    return SUM if case.only in case.attribute("axes") else case.only


def max_axis(case: Case) -> int:
    """Over other axes only."""
    if case.only in case.attribute("axes"):
        raise RowsMeetError
    return case.only


def argmax_axis(case: Case) -> int:
    """The reduced axis goes."""
    reduced: int = case.attribute("axis")
    if reduced == case.only:
        raise RowsMeetError
    return case.only - (reduced < case.only)


def reshape_axis(case: Case) -> int:
    """The axis with as many elements before it, if its size still counts rows."""
    before = math.prod(case.types[0].shape[: case.only])
    shape: Shape = case.attribute("shape")
    for axis, size in enumerate(shape):
        if math.prod(shape[:axis]) == before and isinstance(size, Size):
            return axis
    raise RowsMeetError


def transpose_axis(case: Case) -> int:
    """Where the axis went."""
    return case.attribute("axes").index(case.only)


def broadcast_axis(case: Case) -> int:
    """New axes come first."""
    return case.only + len(case.attribute("shape")) - len(case.types[0].shape)


def slice_axis(case: Case) -> int:
    """All rows, or rows meet with their numbers."""
    axis, size = case.only, case.types[0].shape[case.only]
    starts, stops, steps = (case.attribute(n) for n in ("starts", "stops", "steps"))
    if (starts[axis], stops[axis], steps[axis]) != (0, size, 1):
        raise RowsMeetError
    return axis


def pad_axis(case: Case) -> int:
    """Along other axes only."""
    axis, size = case.only, case.types[0].shape[case.only]
    starts, steps, shape = (case.attribute(n) for n in ("starts", "steps", "shape"))
    if (starts[axis], steps[axis], shape[axis]) != (0, 1, size):
        raise RowsMeetError
    return axis


def concatenate_axis(case: Case) -> int:
    """Side by side, not one below the other."""
    axis = common_axis(case)
    if axis == case.attribute("axis"):
        raise RowsMeetError
    return axis


def matmul_axis(case: Case) -> int:
    """Rows of the left stay rows; if both are summed over, it is a sum."""
    rank = len(case.types[0].shape)
    left, right = case.axes
    summed_left = rank - 2 if case.attribute("transpose_a") else rank - 1
    summed_right = rank - 1 if case.attribute("transpose_b") else rank - 2
    if left == summed_left and right == summed_right:
        return SUM
    if left is not None and left == right and left < rank - 2:
        return left
    if right is None and left == 2 * rank - 3 - summed_left:
        return rank - 2
    raise RowsMeetError


def take_axis(case: Case) -> int:
    """Rows that name rows of a table."""
    table, indices = case.axes
    if table is not None or indices is None:
        raise RowsMeetError
    return indices


def scatter_add_axis(case: Case) -> int:
    """Rows added into a table."""
    x, indices = case.axes
    if x is None or x != indices:
        raise RowsMeetError
    return SUM


def no_axis(case: Case) -> int:
    """Rows can't be an input."""
    raise RowsMeetError


SHARE_AN_AXIS = (elementwise_axis, concatenate_axis)
"""The rules by which all inputs have rows where the result has them."""

RULES: Mapping[str, Callable[[Case], int]] = {
    "sum": sum_axis,
    "max": max_axis,
    "argmax": argmax_axis,
    "reshape": reshape_axis,
    "transpose": transpose_axis,
    "broadcast": broadcast_axis,
    "slice": slice_axis,
    "pad": pad_axis,
    "concatenate": concatenate_axis,
    "matmul": matmul_axis,
    "take": take_axis,
    "scatter_add": scatter_add_axis,
    "random_bits": no_axis,
}
