"""Fusion: elementwise chains become kernels, and the tails of products before them.

An instruction joins the latest kernel that works on arrays of its shape, if everything
that it reads is known by then. So a bias and an activation end up in the kernel of the
product before them, and an optimizer's whole rule in one pass over the parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.backends.kernels import Kernels, computed_values, grouped, roots_of
from thalweg.backends.views import are_apart
from thalweg.program.ir import Instruction, Program

NEVER = -1  # the number of the kernel that computes an input


@dataclass
class Group:
    """A kernel in the making; `shape` and `rows` are those of all that it computes."""

    values: list[int]
    shape: tuple[int, ...]
    rows: int | None
    is_product: bool


def fuse(program: Program, rows: Mapping[int, int | None]) -> Kernels:
    """The program cut into as few kernels as this rule gives.

    Arguments:
        program: finished.
        rows: the axis along which a value holds a batch's rows, for values that do.
    """
    return Fusion(program, rows).run()


class Fusion:
    """The state of one fusion: a walk over the program in order."""

    def __init__(self, program: Program, rows: Mapping[int, int | None]) -> None:
        self.program = program
        self.rows = rows
        self.roots = roots_of(program)
        self.groups: list[Group] = []
        # The last kernel without a product, by the shape and the axis of rows.
        self.latest: dict[tuple[tuple[int, ...], int | None], int] = {}
        self.group_of: dict[int, int] = {}
        self.uses = Counter(program.outputs.values())
        for each in program.instructions:
            self.uses.update(each.inputs)

    def run(self) -> Kernels:
        """Put every value into a kernel."""
        for value in computed_values(self.program):
            instruction = self.program.instruction(value)
            assert instruction is not None
            number = self._joined(value, instruction)
            if number is None:
                number = self._begun(value, instruction)
            self.groups[number].values.append(value)
            self.group_of[value] = number
        return grouped(self.program, [group.values for group in self.groups])

    def _begun(self, value: int, instruction: Instruction) -> int:
        """A new kernel; one that nothing joins has no shape that a value can match."""
        kind = instruction.primitive.kind
        shape = instruction.type.shape if kind in ("elementwise", "product") else (-1,)
        self.groups.append(
            Group([], shape, self.rows.get(value), is_product=kind == "product")
        )
        number = len(self.groups) - 1
        if kind == "elementwise":
            self.latest[shape, self.rows.get(value)] = number
        return number

    def _joined(self, value: int, instruction: Instruction) -> int | None:
        """The latest kernel that an instruction can be part of."""
        if instruction.opcode == "add_windows":
            return self._added_in(instruction)
        if instruction.primitive.kind != "elementwise":
            return None
        earliest = max((self._ready(v) for v in instruction.inputs), default=NEVER)
        shaped = instruction.type.shape, self.rows.get(value)
        found = [self.latest.get(shaped, NEVER)]
        for number in self._products(instruction):
            group = self.groups[number]
            if (group.shape, group.rows) == shaped and self._is_open(group):
                found.append(number)
        number = max(found)
        return number if number >= max(earliest, 0) else None

    def _added_in(self, instruction: Instruction) -> int | None:
        """The kernel of what nothing else reads, which can write it into windows."""
        (source,) = instruction.inputs
        made = self.program.instruction(source)
        number = self.group_of.get(source, NEVER)
        if number == NEVER or made is None or self.uses[source] > 1:
            return None
        is_alone = self.groups[number].values == [source]
        return number if is_alone and self._adds(source, made, instruction) else None

    def _adds(self, source: int, made: Instruction, added: Instruction) -> bool:
        """Whether what is made can be written where it is added up.

        A product adds to windows that overlap, too, if rows come first in both.
        """
        if made.opcode == "contract":
            has_rows = self.rows.get(source) == 0 or not self.rows
            return has_rows and not made.attributes["batch"]
        return made.opcode == "share_max" and are_apart(added.attributes)

    def _products(self, instruction: Instruction) -> list[int]:
        """The kernels of products that compute what an instruction reads."""
        numbers = {self.group_of.get(v, NEVER) for v in instruction.inputs} - {NEVER}
        return [number for number in numbers if self.groups[number].is_product]

    def _ready(self, value: int) -> int:
        """The first kernel that can read a value; through a view, one after its own."""
        root = self.roots[value]
        number = self.group_of.get(root, NEVER)
        return number if value == root else number + 1

    def _is_open(self, group: Group) -> bool:
        """Whether something can follow inside a product's kernel.

        A sum over rows may be added up in parts, so nothing can.
        """
        product = group.values[0]
        first = self.program.instruction(product)
        assert first is not None
        stacked = first.attributes.get("batch", len(group.shape) - 2)  # axes of a stack
        return not stacked and not (self.rows and self.rows.get(product) != 0)
