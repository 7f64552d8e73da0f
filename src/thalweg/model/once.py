"""What of a program follows from parameters alone, and is computed once for many runs.

A table of an embedding goes through the weights behind it as a whole:

    take(T, i) @ W = take(T @ W, i)

At one time, i names one row of T, so that the product is gone; T @ W is computed when
a stream is made. A sum of so few products that the engine adds them up in one piece
has the same bits, whatever is added to it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from thalweg.program import ops
from thalweg.program.ir import Instruction, Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.passes.take_last import MOST_SUMMED
from thalweg.program.trace import Trace, Tracer
from thalweg.program.types import ArrayType, Shape

ONCE = "once."
"""Before the names of what is computed once."""

MOST_NUMBERS = 2**22  # of T @ W


@dataclass(frozen=True)
class Cut:
    """A program as two.

    Arguments:
        once: gives what follows from parameters alone, by names such as ``once.0``;
            None if nothing does that is worth it.
        rest: reads it, and gives what the whole gives.
    """

    once: Program | None
    rest: Program


def cut(program: Program, changing: Collection[str]) -> Cut:
    """Compute once what a table gives behind the weights that it goes through.

    Arguments:
        program: finished.
        changing: the inputs that aren't parameters.
    """
    tables = tables_in(program, changing)
    if not tables:
        return Cut(None, program)
    still = [name for name in program.inputs if name not in changing]
    once = Recording(program, {name: program.inputs[name] for name in still})
    outputs = {
        ONCE + str(number): once.value(table.of) @ once.value(table.by)
        for number, table in enumerate(tables.values())
    }
    before = simplify(once.trace.program(outputs))
    new = before.output_types()
    rest = Recording(program, {**program.inputs, **new})
    for (value, table), name in zip(tables.items(), new, strict=True):
        found = ops.take(rest.inputs[name], rest.value(table.indices))
        rest.values[value] = ops.reshape(found, program.type(value).shape)
    given = {name: rest.value(value) for name, value in program.outputs.items()}
    return Cut(before, simplify(rest.trace.program(given)))


@dataclass(frozen=True)
class Table:
    """take(T, i) @ W: the values T, i and W."""

    of: int
    indices: int
    by: int


def tables_in(program: Program, changing: Collection[str]) -> dict[int, Table]:
    """The products of a table's rows by weights, by their values."""
    still = still_in(program, changing)
    found: dict[int, Table] = {}
    for value in program.computed():
        instruction = cast(Instruction, program.instruction(value))
        table = table_of(program, instruction, still)
        if table is not None:
            found[value] = table
    return found


def still_in(program: Program, changing: Collection[str]) -> set[int]:
    """The values that follow from parameters alone."""
    still = {v for v, name in enumerate(program.inputs) if name not in changing}
    for value in program.computed():
        instruction = cast(Instruction, program.instruction(value))
        if (
            still.issuperset(instruction.inputs)
            and instruction.primitive.kind != "random"
        ):
            still.add(value)
    return still


def table_of(
    program: Program, instruction: Instruction, still: Collection[int]
) -> Table | None:
    """The table of a product, if there is one."""
    if not is_plain_product(instruction):
        return None
    left, weights = instruction.inputs
    taken = behind_reshapes(program, left)
    take = program.instruction(taken)
    if take is None or take.opcode != "take" or weights not in still:
        return None
    of, indices = take.inputs
    shape, by = program.type(of).shape, program.type(weights).shape
    fits = of in still and len(shape) == len(by) == 2
    fits = fits and program.type(left).shape[-1:] == shape[1:] == by[:1]
    if not fits or not is_worth_it(shape, by):
        return None
    return Table(of, indices, weights)


def is_plain_product(instruction: Instruction) -> bool:
    """Whether it is x @ W as it is written."""
    attributes = instruction.attributes
    if instruction.opcode == "contract":
        return (attributes["batch"], attributes["summed"]) == (0, 1)
    plain = not (attributes.get("transpose_a") or attributes.get("transpose_b"))
    return instruction.opcode == "matmul" and plain


def behind_reshapes(program: Program, value: int) -> int:
    """The value of which this one is another shape."""
    instruction = program.instruction(value)
    while instruction is not None and instruction.opcode == "reshape":
        (value,) = instruction.inputs
        instruction = program.instruction(value)
    return value


def is_worth_it(table: Shape, weights: Shape) -> bool:
    """Whether T @ W isn't too large, and its sums are added up in one piece."""
    return (
        weights[0] <= MOST_SUMMED and table[0] * math.prod(weights[1:]) <= MOST_NUMBERS
    )


@dataclass
class Recording:
    """A program recorded anew, as far as it is asked for, from other inputs."""

    program: Program
    types: dict[str, ArrayType]

    def __post_init__(self) -> None:
        self.trace = Trace()
        self.inputs = {n: self.trace.input(n, type) for n, type in self.types.items()}
        every = enumerate(self.program.inputs)
        self.values: dict[int, Tracer] = {
            value: self.inputs[name] for value, name in every if name in self.inputs
        }

    def value(self, value: int) -> Tracer:
        """A value of the program in this trace."""
        for each in needed(self.program, value, self.values):
            instruction = cast(Instruction, self.program.instruction(each))
            read = [self.values[source] for source in instruction.inputs]
            self.values[each] = self.trace.emit(
                instruction.opcode, read, **instruction.attributes
            )
        return self.values[value]


def needed(program: Program, value: int, known: Collection[int]) -> list[int]:
    """What isn't known of all that a value follows from, in order."""
    found: set[int] = set()
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if each in known or each in found:
            continue
        found.add(each)
        waiting += cast(Instruction, program.instruction(each)).inputs
    return sorted(found)
