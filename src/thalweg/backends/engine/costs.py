"""What a kernel costs: the bytes that it moves, and the operations that it does.

They are counted from its places and primitives, not measured: what lies in a cache is
counted like what doesn't.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from thalweg.backends.layout import Line, Location, Step
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ITEMSIZE, ArrayType


@dataclass(frozen=True)
class Cost:
    """Bytes read, bytes written, and operations on numbers."""

    read: int
    written: int
    operations: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.read + other.read,
            self.written + other.written,
            self.operations + other.operations,
        )


def cost_of(step: Step, runs: int = 1, filled: float = 1.0) -> Cost:
    """What a kernel costs, in all its runs.

    Arguments:
        step: the kernel.
        runs: how often it runs.
        filled: to how many full blocks of rows these runs amount: the last block may
            hold fewer.
    """
    written = [place for _, place in step.outputs]
    has_rows = any(place.rows is not None for place in (*step.inputs, *written))
    operations = sum(operations_of(step, line) for line in step.lines)

    def times(count: int, has_rows: bool) -> int:
        return round(count * (filled if has_rows else runs))

    return Cost(
        sum(times(n, has) for n, has in read_bytes(step)),
        sum(times(p.type.nbytes, p.rows is not None) for p in written),
        times(operations, has_rows),
    )


def read_bytes(step: Step) -> list[tuple[int, bool]]:
    """The bytes of each place that is read, and whether it holds rows.

    Of a table as many are read as are taken.
    """
    places = {(p.buffer, p.offset, p.strides): p for p in step.inputs}
    found = [(distinct_bytes(p), p.rows is not None) for p in places.values()]
    if step.opcode != "take":
        return found
    table, indices = step.inputs_of(step.lines[0])
    taken = min(step.lines[0].type.nbytes, distinct_bytes(table))
    has_rows = indices.rows is not None
    return [(taken, has_rows), (distinct_bytes(indices), has_rows)]


def distinct_bytes(place: Location) -> int:
    """The bytes of a place, each once: what a stride of 0 repeats is there already."""
    steps = zip(place.type.shape, place.strides, strict=True)
    return math.prod(n for n, s in steps if s) * ITEMSIZE[place.type.dtype]


def operations_of(step: Step, line: Line) -> int:
    """The operations of one line of a kernel, as its primitive counts them."""
    types = [operand_type(step, operand) for operand in line.operands]
    return PRIMITIVES[line.opcode].cost(types, line.attributes, line.type)


def operand_type(step: Step, operand: int) -> ArrayType:
    """The type of a place that is read, or of an earlier line's result."""
    count = len(step.inputs)
    if operand < count:
        return step.inputs[operand].type
    return step.lines[operand - count].type
