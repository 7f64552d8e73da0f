"""Stretches: where one array becomes another, element by element, by several ways.

In z σ(z) the array z goes by two ways that meet again. The derivative of such a stretch
is one array of z alone. It can be computed where z is, so that the gradient reads one
array instead of what each way left for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from thalweg.program.ir import Program


@dataclass(frozen=True)
class Stretch:
    """Elementwise instructions that make one array of one other.

    Arguments:
        entry: the value that they begin with.
        values: what they compute, in order; the last is the only one that is read
            elsewhere in a differentiable way.
    """

    entry: int
    values: tuple[int, ...]


def stretches_of(program: Program, wanted: Collection[int]) -> dict[int, Stretch]:
    """The stretches of a program by their last values; no two have one in common.

    Arguments:
        program: the forward program.
        wanted: the values that derivatives go through.

    Example:
        >>> from thalweg.program import ops
        >>> from thalweg.program.trace import trace
        >>> from thalweg.program.types import ArrayType
        >>> inputs = {"z": ArrayType((2,), "float32")}
        >>> program = trace(lambda a: {"y": a["z"] * ops.tanh(a["z"])}, inputs)
        >>> stretches_of(program, range(3))
        {2: Stretch(entry=0, values=(1, 2))}
    """
    readers = readers_of(program, wanted)
    found: dict[int, Stretch] = {}
    taken: set[int] = set()
    for value in reversed(list(program.computed())):
        if value in wanted and value not in taken:
            stretch = stretch_to(program, value, readers)
            if stretch is not None:
                found[value] = stretch
                taken.update(stretch.values)
    return found


def readers_of(program: Program, wanted: Collection[int]) -> dict[int, set[int]]:
    """The wanted values that read each wanted one."""
    readers: dict[int, set[int]] = {value: set() for value in wanted}
    for value in program.computed():
        if value in wanted:
            for source in inputs_of(program, value):
                if source in readers:
                    readers[source].add(value)
    return readers


def inputs_of(program: Program, value: int) -> tuple[int, ...]:
    """What the instruction of a value reads; nothing if it is an input."""
    instruction = program.instruction(value)
    return () if instruction is None else instruction.inputs


def stretch_to(
    program: Program, last: int, readers: dict[int, set[int]]
) -> Stretch | None:
    """The longest stretch that ends in a value, if any has several ways.

    Values join from the last one on. Wherever all ways to them lead through a single
    value, a stretch could begin.
    """
    type, inside = program.type(last), set[int]()
    edge, entry, length = {last}, None, 0
    while edge:
        value = max(edge)
        if len(edge) == 1 and len(readers[value] & inside) > 1:
            entry, length = value, len(inside)
        instruction = program.instruction(value)
        is_elementwise = (
            instruction is not None and instruction.primitive.kind == "elementwise"
        )
        is_alone = value == last or readers[value] <= inside
        if not (is_elementwise and is_alone and program.type(value) == type):
            break
        inside.add(value)
        edge.remove(value)
        edge.update(v for v in inputs_of(program, value) if v in readers)
    if entry is None:
        return None
    return Stretch(entry, tuple(sorted(inside)[-length:]))
