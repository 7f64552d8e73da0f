"""A program of a number of times as one of any number.

A user's own layer that a file holds is the program of its formula, with the number of
times in every shape. The axis of times is followed from x, as that of rows is, and the
number is taken out along it: of shapes, and of the attributes that are shapes. What
comes out is asked for the old number, and must be the old program again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from thalweg.errors import ProgramError, ThalwegError
from thalweg.formulas.alone import as_of_rows, of_contraction
from thalweg.program.ir import Instruction, Program, key_of
from thalweg.program.row_axes import repeated_axes
from thalweg.program.row_rules import SUM, RowsMeetError
from thalweg.program.sizes import Size
from thalweg.program.trace import Trace, Tracer
from thalweg.program.types import ArrayType, Shape

SIZED: Mapping[str, str] = {
    "add_windows": "shape",
    "broadcast": "shape",
    "pad": "shape",
    "reshape": "shape",
    "slice": "stops",
}
"""The attributes that have a number for each axis of the result."""


def of_any_times(program: Program, x: str, times: Any) -> Program:
    """A program with a size in the place of its number of times.

    Arguments:
        program: of an input (rows, times, …), and others without times.
        x: that input's name.
        times: a size, such as `LENGTH`.

    Raises:
        ProgramError: times meet, or it isn't the same program then.
    """
    axes = AxesOfTimes(program, x).run()
    try:
        found = resized(program, axes, times)
    except ThalwegError as error:
        raise ProgramError(f"times can't be taken out: {error}") from None
    number = program.inputs[x].shape[1]
    ((name,), _), *_ = times.terms
    if key_of(at_last(found, name, number)) != key_of(program):
        raise ProgramError("times can't be taken out: the program is another one then")
    return found


def at_last(program: Program, name: str, number: int) -> Program:
    """The program with a number in a size's place, and other sizes as they are."""
    others = {"rows", "length"} - {name}
    kept = {other: cast(int, Size({(other,): 1})) for other in others}
    return program.at(**{name: number}, **kept)


@dataclass
class AxesOfTimes:
    """The axis of times of each value that has one, by its number."""

    program: Program
    x: str
    axes: dict[int, int] = field(default_factory=dict[int, int])

    def run(self) -> dict[int, int]:
        """Follow the axis from x.

        Raises:
            ProgramError: times meet.
        """
        self.times = self.program.inputs[self.x].shape[1]
        self.axes[list(self.program.inputs).index(self.x)] = 1
        for value in self.program.computed():
            instruction = cast(Instruction, self.program.instruction(value))
            try:
                self._follow(value, instruction)
            except RowsMeetError:
                raise ProgramError("times meet") from None
        return self.axes

    def _follow(self, value: int, instruction: Instruction) -> None:
        read = [self.axes.get(source) for source in instruction.inputs]
        if all(axis is None for axis in read):
            return
        axis = self._axis(instruction, read)
        if axis is SUM:
            raise RowsMeetError
        self.axes[value] = axis
        if instruction.primitive.rows.shared:
            for source in instruction.inputs:
                # What is repeated along the times is repeated as often as they are.
                if axis in repeated_axes(self.program, source):
                    self.axes[source] = axis

    def _axis(self, instruction: Instruction, read: list[int | None]) -> int:
        if instruction.opcode == "reshape":
            return self._of_reshape(instruction, cast(int, read[0]))
        if instruction.opcode == "contract":
            return of_contraction(self.program, instruction, read)
        return as_of_rows(self.program, instruction, read)

    def _of_reshape(self, instruction: Instruction, axis: int) -> int:
        """The axis with as many elements before it, and as long."""
        (source,) = instruction.inputs
        before = math.prod(self.program.type(source).shape[:axis])
        shape: Shape = instruction.attributes["shape"]
        for place, size in enumerate(shape):
            if size == self.times and math.prod(shape[:place]) == before:
                return place
        raise RowsMeetError


def resized(program: Program, axes: Mapping[int, int], times: Any) -> Program:
    """The program with another size along these axes."""
    recording = Trace()
    values: list[Tracer] = []
    for value, (name, type) in enumerate(program.inputs.items()):
        shape = with_size(type.shape, axes.get(value), times)
        values.append(recording.input(name, ArrayType(shape, type.dtype)))
    for value, each in enumerate(program.instructions, len(values)):
        attributes = dict(each.attributes)
        sized = SIZED.get(each.opcode)
        if sized is not None:
            attributes[sized] = with_size(attributes[sized], axes.get(value), times)
        read = [values[source] for source in each.inputs]
        values.append(recording.emit(each.opcode, read, **attributes))
    return recording.program({n: values[v] for n, v in program.outputs.items()})


def with_size(sizes: Shape, axis: int | None, size: int) -> Shape:
    """Sizes with another one along an axis."""
    if axis is None:
        return sizes
    return (*sizes[:axis], size, *sizes[axis + 1 :])
