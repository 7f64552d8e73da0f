"""Plans: steps over places in memory, with a checker. All that an engine needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.cached import cached_property
from thalweg.errors import ProgramError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ITEMSIZE, ArrayType, NumpyArray

ALIGNMENT = 64
ARENA = "%arena"  # a name that no input has


@dataclass(frozen=True)
class Location:
    """Where a value lies: a buffer, an offset and strides in bytes, and its type.

    `rows` is the axis along which it holds the rows of a batch, or None.
    """

    buffer: str
    offset: int
    strides: tuple[int, ...]
    type: ArrayType
    rows: int | None = None

    def __str__(self) -> str:
        return f"{self.buffer}+{self.offset}:{self.type}"

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie in order without gaps."""
        return self.strides == contiguous_strides(self.type)

    @property
    def runs_backwards(self) -> bool:
        """Whether along an axis the elements lie one before the other."""
        return min(self.strides, default=0) < 0

    @property
    def start(self) -> int:
        """The first byte of the value, which isn't its first element's if backwards."""
        return self.offset + sum(min(way, 0) for way in self._ways())

    @property
    def end(self) -> int:
        """The first byte after the value."""
        if not self.type.size:
            return self.offset
        ways = sum(max(way, 0) for way in self._ways())
        return self.offset + ways + ITEMSIZE[self.type.dtype]

    def _ways(self) -> list[int]:
        """How far the last element along each axis is from the first."""
        steps = zip(self.type.shape, self.strides, strict=True)
        return [(n - 1) * s for n, s in steps] if self.type.size else []


def contiguous(
    buffer: str, offset: int, type: ArrayType, rows: int | None = None
) -> Location:
    """The place of elements that lie in order from an offset."""
    return Location(buffer, offset, contiguous_strides(type), type, rows)


@dataclass(frozen=True)
class Line:
    """One primitive of a step.

    `operands` are numbers: first the step's inputs, then the results of its lines.
    """

    opcode: str
    attributes: Mapping[str, Any]
    operands: tuple[int, ...]
    type: ArrayType


@dataclass(frozen=True)
class Step:
    """One kernel: primitives that run together, and the places it reads and writes.

    Arguments:
        lines: what it computes, in order.
        inputs: the places that it reads.
        outputs: the results that it writes, as numbers of lines, with their places.
    """

    lines: tuple[Line, ...]
    inputs: tuple[Location, ...]
    outputs: tuple[tuple[int, Location], ...]

    def __str__(self) -> str:
        names = [str(place) for place in self.inputs]
        places = {number: str(place) for number, place in self.outputs}
        texts: list[str] = []
        for number, line in enumerate(self.lines):
            arguments = ", ".join(names[operand] for operand in line.operands)
            attributes = "".join(f" {k}={v}" for k, v in line.attributes.items())
            names.append(places.get(number, f"t{number}"))
            texts.append(f"{names[-1]} = {line.opcode}({arguments}){attributes}")
        return "\n    ".join(texts)

    @cached_property
    def opcode(self) -> str:
        """The first line's primitive: all others of a kernel are its tail."""
        return self.lines[0].opcode

    def inputs_of(self, line: Line) -> list[Location]:
        """The places of a line's operands; none of them is another line's result."""
        return [self.inputs[operand] for operand in line.operands]


def single(
    opcode: str,
    attributes: Mapping[str, Any],
    inputs: tuple[Location, ...],
    output: Location,
) -> Step:
    """A step of one primitive."""
    line = Line(opcode, attributes, tuple(range(len(inputs))), output.type)
    return Step((line,), inputs, ((0, output),))


@dataclass(frozen=True)
class Plan:
    """Buffers and steps. Printing it shows its text.

    Inputs and outputs lie in buffers of their own names; an output with the name of an
    input replaces it.
    """

    inputs: Mapping[str, ArrayType]
    constants: Mapping[str, NumpyArray]
    arena_bytes: int
    steps: tuple[Step, ...]
    outputs: Mapping[str, ArrayType]

    def __str__(self) -> str:
        kernels = "1 kernel" if len(self.steps) == 1 else f"{len(self.steps)} kernels"
        lines = [f"plan: arena of {self.arena_bytes} bytes, {kernels}"]
        lines += [f"  {step}" for step in self.steps]
        lines += [f"  return {name}:{type}" for name, type in self.outputs.items()]
        return "\n".join(lines)

    @property
    def buffers(self) -> dict[str, ArrayType]:
        """The types of all arrays that are given to a plan."""
        return {**self.inputs, **self.outputs}


def contiguous_strides(type: ArrayType) -> tuple[int, ...]:
    """Strides in bytes of elements that lie in order."""
    strides: list[int] = []
    step = ITEMSIZE[type.dtype]
    for n in reversed(type.shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def check(plan: Plan) -> Plan:
    """The plan itself, if every place lies inside its buffer; else a `ProgramError`."""
    sizes = {name: type.nbytes for name, type in plan.buffers.items()}
    sizes |= {name: constant.nbytes for name, constant in plan.constants.items()}
    sizes[ARENA] = plan.arena_bytes
    for step in plan.steps:
        check_lines(step)
        for place in step.inputs:
            check_place(place, sizes)
        for number, place in step.outputs:
            if place.buffer in plan.constants:
                raise ProgramError(f"{step} writes a constant")
            if step.lines[number].type != place.type:
                raise ProgramError(f"{step} gives {step.lines[number].type}")
            check_place(place, sizes)
            if place.runs_backwards:
                raise ProgramError(f"{step} writes backwards")
    return plan


def check_lines(step: Step) -> None:
    """Every line is a primitive of the table that gives the type it says."""
    types = [place.type for place in step.inputs]
    for line in step.lines:
        primitive = PRIMITIVES.get(line.opcode)
        if primitive is None:
            raise ProgramError(f"{line.opcode} is no primitive")
        operands = [types[operand] for operand in line.operands]
        inferred = primitive.infer(*operands, **line.attributes)
        if inferred != line.type:
            raise ProgramError(f"{step} gives {inferred}")
        types.append(line.type)


def check_place(place: Location, sizes: Mapping[str, int]) -> None:
    """A place lies inside a buffer that exists."""
    if place.buffer not in sizes:
        raise ProgramError(f"{place} names a buffer that doesn't exist")
    if place.start < 0 or place.end > sizes[place.buffer]:
        raise ProgramError(f"{place} leaves its buffer of {sizes[place.buffer]} bytes")
