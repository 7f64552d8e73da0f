"""Kernels: which instructions of a program run together."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.cached import cached_property
from thalweg.program.ir import Instruction, Program


@dataclass(frozen=True)
class Kernel:
    """Instructions that run together.

    Arguments:
        values: what it computes, in order.
        inputs: the values that it reads, each once.
        outputs: those of `values` that others read, or that the program gives.
    """

    values: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Kernels:
    """A program cut into kernels, in the order in which they run."""

    program: Program
    kernels: tuple[Kernel, ...]

    @cached_property
    def roots(self) -> list[int]:
        """For every value, the one whose bytes it may be a view of."""
        return roots_of(self.program)

    def instruction(self, value: int) -> Instruction:
        """The instruction that computes a value."""
        instruction = self.program.instruction(value)
        assert instruction is not None
        return instruction

    def is_elementwise(self, kernel: Kernel) -> bool:
        """Whether every output follows from the same element of every input."""
        return all(
            self.instruction(value).primitive.kind == "elementwise"
            for value in kernel.values
        )


def roots_of(program: Program) -> list[int]:
    """For every value, the one whose bytes it may be a view of."""
    roots = list(range(len(program.inputs)))
    for instruction in program.instructions:
        is_view = instruction.primitive.kind == "view"
        roots.append(roots[instruction.inputs[0]] if is_view else len(roots))
    return roots


def computed_values(program: Program) -> list[int]:
    """The values that take work: no views, no constants."""
    return [
        value
        for value, instruction in zip(
            program.computed(), program.instructions, strict=True
        )
        if not instruction.primitive.is_free
    ]


def grouped(program: Program, groups: list[list[int]]) -> Kernels:
    """Kernels of groups of values, with what each reads and what others need of it."""
    needed_elsewhere = set(program.outputs.values())
    kernel_of = {value: number for number, g in enumerate(groups) for value in g}
    for value, instruction in zip(
        program.computed(), program.instructions, strict=True
    ):
        for source in instruction.inputs:
            if kernel_of.get(source) != kernel_of.get(value, -1):
                needed_elsewhere.add(source)
    kernels: list[Kernel] = []
    for group in groups:
        own = set(group)
        read = [
            source
            for value in group
            for source in program.instructions[value - len(program.inputs)].inputs
            if source not in own
        ]
        outputs = [value for value in group if value in needed_elsewhere]
        last = program.instruction(group[-1])
        is_added = last is not None and last.opcode == "add_windows"  # where it belongs
        is_written = any(program.type(v) == program.type(group[0]) for v in outputs)
        if not (is_added or is_written):
            outputs.insert(0, group[0])  # a product must be written somewhere
        inputs = tuple(dict.fromkeys(read))
        kernels.append(Kernel(tuple(group), inputs, tuple(outputs)))
    return Kernels(program, tuple(kernels))


def singly(program: Program) -> Kernels:
    """A kernel for every instruction that takes work."""
    return grouped(program, [[value] for value in computed_values(program)])
