"""Plans: steps over places in memory, with a checker. All that an engine needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.errors import ProgramError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ITEMSIZE, ArrayType, NumpyArray

ALIGNMENT = 64
ARENA = "%arena"  # a name that no input has


@dataclass(frozen=True)
class Location:
    """Where a value lies: a buffer, an offset and strides in bytes, and its type."""

    buffer: str
    offset: int
    strides: tuple[int, ...]
    type: ArrayType

    def __str__(self) -> str:
        return f"{self.buffer}+{self.offset}:{self.type}"

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie in order without gaps."""
        return self.strides == contiguous_strides(self.type)

    @property
    def end(self) -> int:
        """The first byte after the value."""
        if not self.type.size:
            return self.offset
        steps = zip(self.type.shape, self.strides, strict=True)
        return (
            self.offset + sum((n - 1) * s for n, s in steps) + ITEMSIZE[self.type.dtype]
        )


def contiguous(buffer: str, offset: int, type: ArrayType) -> Location:
    """The place of elements that lie in order from an offset."""
    return Location(buffer, offset, contiguous_strides(type), type)


@dataclass(frozen=True)
class Step:
    """One instruction with the places that it reads and writes."""

    opcode: str
    attributes: Mapping[str, Any]
    inputs: tuple[Location, ...]
    output: Location

    def __str__(self) -> str:
        attributes = "".join(f" {k}={v}" for k, v in self.attributes.items())
        inputs = ", ".join(map(str, self.inputs))
        return f"{self.output} = {self.opcode}({inputs}){attributes}"


@dataclass(frozen=True)
class Plan:
    """Buffers and steps. Printing it shows its text."""

    inputs: Mapping[str, ArrayType]
    constants: Mapping[str, NumpyArray]
    arena_bytes: int
    steps: tuple[Step, ...]
    outputs: Mapping[str, Location]

    def __str__(self) -> str:
        lines = [f"plan: arena of {self.arena_bytes} bytes, {len(self.steps)} steps"]
        lines += [f"  {step}" for step in self.steps]
        lines += [f"  return {name} = {place}" for name, place in self.outputs.items()]
        return "\n".join(lines)


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
    sizes = {name: type.nbytes for name, type in plan.inputs.items()}
    sizes |= {name: constant.nbytes for name, constant in plan.constants.items()}
    sizes[ARENA] = plan.arena_bytes
    for step in plan.steps:
        primitive = PRIMITIVES.get(step.opcode)
        if primitive is None:
            raise ProgramError(f"{step.opcode} is no primitive")
        if step.output.buffer in plan.constants:
            raise ProgramError(f"{step} writes a constant")
        inferred = primitive.infer(*(i.type for i in step.inputs), **step.attributes)
        if inferred != step.output.type:
            raise ProgramError(f"{step} gives {inferred}")
        for place in (*step.inputs, step.output):
            check_place(place, sizes)
    for place in plan.outputs.values():
        check_place(place, sizes)
    return plan


def check_place(place: Location, sizes: Mapping[str, int]) -> None:
    """A place lies inside a buffer that exists."""
    if place.buffer not in sizes:
        raise ProgramError(f"{place} names a buffer that doesn't exist")
    if (
        place.offset < 0
        or place.end > sizes[place.buffer]
        or min(place.strides, default=0) < 0
    ):
        raise ProgramError(f"{place} leaves its buffer of {sizes[place.buffer]} bytes")
