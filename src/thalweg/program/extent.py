"""What a program needs of memory: values that are there at the same time."""

from __future__ import annotations

from thalweg.program.ir import Program


def peak_bytes(program: Program) -> int:
    """The most bytes of computed values that somebody still reads, at any moment.

    Views are counted as if they were copied, and inputs and constants aren't counted,
    nor are inputs that are bytes as numbers.

    Example:
        >>> from thalweg.program import ops
        >>> from thalweg.program.trace import trace
        >>> from thalweg.program.types import ArrayType
        >>> def thrice(arrays):
        ...     return {"y": ops.exp(ops.exp(ops.exp(arrays["x"])))}
        >>> peak_bytes(trace(thrice, {"x": ArrayType((1000,), "float32")}))
        8000
    """
    last = last_reads(program)
    live = peak = 0
    for number, instruction in enumerate(program.instructions):
        value = len(program.inputs) + number
        live += size_of(program, value)
        peak = max(peak, live)
        ends = {each for each in (*instruction.inputs, value) if last[each] == number}
        live -= sum(size_of(program, each) for each in ends)
    return peak


def last_reads(program: Program) -> list[int]:
    """The last instruction that reads each value; its own where none does."""
    inputs, count = len(program.inputs), len(program.instructions)
    last = [-1] * inputs + [*range(count)]
    for number, instruction in enumerate(program.instructions):
        for value in instruction.inputs:
            last[value] = number
    for value in program.outputs.values():
        last[value] = count
    return last


def size_of(program: Program, value: int) -> int:
    """The bytes of a value that is computed."""
    first = len(program.inputs)
    if value < first or program.instructions[value - first].opcode == "constant":
        return 0
    if program.is_input_as_numbers(value):
        return 0
    return program.type(value).nbytes


def kept_bytes(program: Program, other: Program) -> int:
    """The bytes that are computed once for all rows, and read for each.

    Arguments:
        program: for a number of rows.
        other: the same for another number.
    """
    pairs = zip(program.instructions, other.instructions, strict=True)
    by_row = {0}  # the first input holds the rows
    kept: set[int] = set()
    for value, (one, another) in enumerate(pairs, len(program.inputs)):
        if one.type != another.type or not by_row.isdisjoint(one.inputs):
            by_row.add(value)
            kept.update(set(one.inputs) - by_row)
    return sum(size_of(program, value) for value in kept)
