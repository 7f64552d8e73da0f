"""Which values of a program hold a batch's rows, and along which axis.

A program whose rows meet only in sums can run on a few rows at a time, its sums added
up. `find_rows` says whether a program is one, by following the axis of rows from the
inputs by the rule of each primitive, and stops where rows meet.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from thalweg.program.ir import Instruction, Program
from thalweg.program.row_rules import SUM, Case, RowsMeetError
from thalweg.program.sizes import Size, names_in
from thalweg.program.types import ArrayType


@dataclass
class RowAxes:
    """How the rows run through a program.

    Arguments:
        axes: for every value that holds rows, the axis.
        sums: the values that are sums over rows, and those linear in them.
        later: the values that follow from such sums.
    """

    axes: dict[int, int] = field(default_factory=dict[int, int])
    sums: set[int] = field(default_factory=set[int])
    later: set[int] = field(default_factory=set[int])


def find_rows(program: Program) -> RowAxes | None:
    """Follow the axis of rows from the inputs; None if rows meet, or if there is none.

    Arguments:
        program: finished, over `ROWS` rows.
    """
    rows = RowAxes()
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
    return [
        axis
        for axis, size in enumerate(type.shape)
        if isinstance(size, Size) and "rows" in names_in(size)
    ]


def follow(
    program: Program, rows: RowAxes, value: int, instruction: Instruction
) -> None:
    """Enter one value."""
    sources = set(instruction.inputs)
    if not (sources.isdisjoint(rows.sums) and sources.isdisjoint(rows.later)):
        follow_sums(rows, value, instruction)
        return
    axes = [rows.axes.get(v) for v in instruction.inputs]
    if all(axis is None for axis in axes):
        axis = axis_without_rows(program, instruction)
        if axis is not None:
            rows.axes[value] = axis
        return
    rule = instruction.primitive.rows
    found = rule.axis(case_of(program, instruction, axes))
    shared = [found] if rule.shared else []
    for source in sources:
        # A block repeats it for its own rows; what is read whole can't have any.
        repeats = row_axes(program.type(source))
        if source not in rows.axes and repeats not in ([], shared):
            raise RowsMeetError
    if found is SUM:
        rows.sums.add(value)
    else:
        rows.axes[value] = found


def case_of(program: Program, instruction: Instruction, axes: list[int | None]) -> Case:
    """An instruction as rules look at it."""
    types = [program.type(v) for v in instruction.inputs]
    repeated = [repeated_axes(program, v) for v in instruction.inputs]
    return Case(types, axes, repeated, instruction.attributes)


def axis_without_rows(program: Program, instruction: Instruction) -> int | None:
    """The axis along which there is something for each row, though no row is read.

    Random numbers; and what is made of values repeated for each row, such as the zeros
    that a recurrence starts from, reshaped. A broadcast itself is made where it's read.

    Raises:
        RowsMeetError: rows can't be taken some at a time.
    """
    if instruction.primitive.kind == "random":
        return 0 if row_axes(instruction.type) == [0] else None
    if instruction.opcode == "broadcast" or not row_axes(instruction.type):
        return None
    axes = [row_axis_repeated(program, v) for v in instruction.inputs]
    is_repeated = any(axis is not None for axis in axes)
    if instruction.primitive.kind == "reduction" and is_repeated:
        raise RowsMeetError  # it reads a broadcast as it lies, which has no rows
    try:
        found = instruction.primitive.rows.axis(case_of(program, instruction, axes))
    except RowsMeetError:
        return None
    return None if found is SUM else found


def row_axis_repeated(program: Program, value: int) -> int | None:
    """The axis along which a broadcast repeats one thing for each row."""
    repeated = repeated_axes(program, value)
    return next((a for a in row_axes(program.type(value)) if a in repeated), None)


def follow_sums(rows: RowAxes, value: int, instruction: Instruction) -> None:
    """What is linear in sums is a sum; all else that reads one comes later."""
    sources = set(instruction.inputs)
    if any(source in rows.axes for source in sources):
        raise RowsMeetError
    axis = instruction.attributes.get("axis", 0)
    if instruction.primitive.rows.linear and sources <= rows.sums and axis == 0:
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
