"""Which values of a program share a text, and which are written as a part of others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.backends.text.notation import is_uniform
from thalweg.program.expressions import Attributes, Expression, added_ones, are_first
from thalweg.program.ir import Instruction, Program
from thalweg.program.types import NumpyArray, Shape


@dataclass(frozen=True)
class Form:
    """An instruction as it's written, which may take in one that it reads."""

    opcode: str
    inputs: tuple[int, ...]
    attributes: Attributes


def leaves_ones(instruction: Instruction) -> bool:
    """Whether it leaves an axis of size 1 for each that it goes over."""
    return (
        instruction.primitive.kind == "reduction" and instruction.opcode != "share_max"
    )


class Reading:
    """How a program is read: by the values whose texts its outputs are made of.

    A view that NumPy's broadcasting makes by itself shares the text of what it views.
    An idiom such as ``mean(x)`` takes in the instructions that it stands for.

    Arguments:
        program: what is read.
        outputs: the names of those of its outputs that are.
        lines: values that get a line of their own.
        known: values that have a text already.
    """

    def __init__(
        self,
        program: Program,
        outputs: Sequence[str],
        lines: Iterable[int],
        known: Mapping[int, Expression],
    ) -> None:
        self.program = program
        self.known = known
        self.lone = self._read_by_one(outputs) - {*lines, *known}
        self.source: list[int] = []  # the value whose text a value shares
        self.shapes: list[Shape] = []  # of the text
        self.reduced: dict[int, Shape] = {}  # shapes without the reduced axes
        for value in range(len(program.inputs) + len(program.instructions)):
            self._look_through(value)
        self.outputs = {name: self.source[program.outputs[name]] for name in outputs}
        self.forms: dict[int, Form] = {}
        needed = self.needed(self.outputs.values())
        own_lines = needed & {self.source[v] for v in lines}
        self.kept = own_lines | set(self.outputs.values())
        self.uses = self._uses()
        for value in needed:
            self._take_in(value)
        self.uses = self._uses()

    def needed(self, values: Iterable[int]) -> set[int]:
        """The values whose text is part of these values' text, and themselves."""
        found: set[int] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if value not in found:
                found.add(value)
                waiting += self.operands(value)
        return found

    def operands(self, value: int) -> list[int]:
        """The values of whose texts a value's text is made."""
        instruction = self.program.instruction(value)
        if value in self.known or instruction is None:
            return []
        form = self.forms.get(value)
        inputs = instruction.inputs if form is None else form.inputs
        return [self.source[v] for v in inputs]

    def is_constant(self, value: int) -> bool:
        """Whether a value is known while tracing."""
        instruction = self.program.instruction(value)
        return instruction is not None and instruction.opcode == "constant"

    def _uses(self) -> Counter[int]:
        """How often each value's text is read."""
        uses: Counter[int] = Counter()
        for value in self.needed(self.kept):
            uses.update(self.operands(value))
        return uses

    # Views ---------------------------------------------------------------------------

    def _look_through(self, value: int) -> None:
        """Find whose text a value shows, and which shape NumPy gives that."""
        instruction = self.program.instruction(value)
        if value in self.known:
            self.shapes.append(self.known[value].shape)
        elif instruction is None:
            self.shapes.append(self.program.type(value).shape)
        elif self._reads_as_what_it_views(value) or self._takes_axes_away(value):
            (viewed,) = instruction.inputs
            self.shapes.append(self.shapes[viewed])
            self.source.append(self.source[viewed])
            return
        else:
            self.shapes.append(self._shape(value))
        self.source.append(value)

    def _reads_as_what_it_views(self, value: int) -> bool:
        instruction = self.program.instruction(value)
        assert instruction is not None
        if instruction.opcode in ("broadcast", "stop_gradient"):
            return True
        if instruction.primitive.kind != "view":
            return False
        shape, target = self.shapes[instruction.inputs[0]], instruction.type.shape
        if len(shape) > len(target):
            return False
        if math.prod(shape) == 1 and instruction.type.size:
            return True
        viewed = self.program.type(instruction.inputs[0]).shape
        if instruction.opcode == "reshape":
            return without_first_ones(viewed) == without_first_ones(target)
        if instruction.opcode != "slice" or viewed != target:
            return False
        return min(instruction.attributes["steps"], default=1) > 0

    def _read_by_one(self, outputs: Sequence[str]) -> set[int]:
        """The values that are read once, and are no outputs."""
        results = {self.program.outputs[name] for name in outputs}
        readers: Counter[int] = Counter()
        for value in reached(self.program, results, self.known):
            instruction = self.program.instruction(value)
            readers.update(instruction.inputs if instruction else ())
        return {v for v, count in readers.items() if count == 1} - results

    def _takes_axes_away(self, value: int) -> bool:
        """Whether a reshape takes away just what reductions before it left.

        These are then written without the axes, and the reshape isn't written.
        """
        instruction = self.program.instruction(value)
        assert instruction is not None
        if instruction.opcode != "reshape":
            return False
        (viewed,) = instruction.inputs
        axes = added_ones(instruction.type.shape, self.program.type(viewed).shape)
        found = self._reductions(viewed, tuple(axes)) if axes else None
        for each in found or ():
            self.reduced[each] = self.shapes[each] = instruction.type.shape
        return bool(found)

    def _reductions(self, value: int, axes: Shape) -> list[int] | None:
        """The reductions over axes and what is computed of them; None if of others."""
        if self.shapes[value] == ():
            return []
        instruction = self.program.instruction(value)
        if instruction is None or value not in self.lone or self.source[value] != value:
            return None
        if leaves_ones(instruction):
            return [value] if instruction.attributes.get("axes") == axes else None
        if instruction.primitive.kind != "elementwise":
            return None
        parts = [self._reductions(v, axes) for v in instruction.inputs]
        if any(part is None for part in parts):
            return None
        return [value, *(v for part in parts for v in part or ())]

    def _shape(self, value: int) -> Shape:
        instruction = self.program.instruction(value)
        assert instruction is not None
        shape = instruction.type.shape
        if instruction.primitive.kind == "elementwise":
            return np.broadcast_shapes(*(self.shapes[v] for v in instruction.inputs))
        if instruction.opcode == "constant":
            return () if is_uniform(instruction.attributes["value"]) else shape
        axes: Shape = instruction.attributes.get("axes", ())
        if leaves_ones(instruction) and are_first(axes):
            return shape[len(axes) :]
        return shape

    # Forms ---------------------------------------------------------------------------

    def _take_in(self, value: int) -> None:
        """Find a value's form."""
        instruction = self.program.instruction(value)
        if instruction is None or value in self.known:
            return
        form = Form(instruction.opcode, instruction.inputs, instruction.attributes)
        self.forms[value] = self._idiom(form, instruction.type.shape) or form

    def _idiom(self, form: Form, shape: Shape) -> Form | None:
        """A shorter way to write an instruction and what it alone reads."""
        if form.opcode == "multiply":
            base, exponent = self._power(form.inputs)
            return Form("product", (base,), {"count": exponent}) if exponent else None
        if form.opcode == "divide":
            return self._mean(form)
        if form.opcode == "logical_not":
            equal = self._read_once(form.inputs[0], "equal")
            return equal and Form("not_equal", equal.inputs, {})
        if form.opcode == "reshape":
            return self._item(form.inputs[0], shape)
        return None

    def _read_once(self, value: int, opcode: str) -> Form | None:
        """What computes a value, if it's such and nothing else reads the value."""
        source = self.source[value]
        return None if self.uses[source] > 1 else self._written(source, opcode)

    def _written(self, value: int, opcode: str) -> Form | None:
        """What computes a value, if it's such and the value needs no line."""
        source = self.source[value]
        instruction = self.program.instruction(source)
        if instruction is None or instruction.opcode != opcode:
            return None
        if source in self.kept or source in self.known:
            return None
        return Form(opcode, instruction.inputs, instruction.attributes)

    def _power(self, factors: Sequence[int]) -> tuple[int, int]:
        """The one factor of a product and how often it stands there; 0 of others."""
        left, right = (self.source[v] for v in factors)
        if left == right:
            return factors[0], 2
        inner = self._read_once(left, "multiply")
        base, count = self._power(inner.inputs) if inner else (left, 0)
        return base, count + 1 if count and self.source[base] == right else 0

    def _mean(self, quotient: Form) -> Form | None:
        """A sum that is divided by the number of what it adds up."""
        total = self._written(quotient.inputs[0], "sum")
        divisor = self.program.instruction(self.source[quotient.inputs[1]])
        if total is None or divisor is None or divisor.opcode != "constant":
            return None
        shape = self.program.type(total.inputs[0]).shape
        axes: Shape = total.attributes["axes"]
        count = math.prod(shape[axis] for axis in axes)
        value: NumpyArray = divisor.attributes["value"]
        is_count = is_uniform(value) and value.flat[0] == count
        return Form("mean", total.inputs, total.attributes) if is_count else None

    def _item(self, viewed: int, shape: Shape) -> Form | None:
        """A slice at one place of an axis."""
        part = self._read_once(viewed, "slice")
        dropped = added_ones(shape, self.program.type(viewed).shape)
        if part is None or not dropped:
            return None
        return Form("slice", part.inputs, {**part.attributes, "dropped": dropped})


def reached(program: Program, values: Iterable[int], known: Iterable[int]) -> set[int]:
    """The values that others are computed of, back to those that are known."""
    found: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        instruction = program.instruction(value)
        if value not in found and value not in known and instruction is not None:
            waiting += instruction.inputs
        found.add(value)
    return found


def without_first_ones(shape: Shape) -> Shape:
    """A shape without the axes that broadcasting puts back by itself."""
    while shape[:1] == (1,):
        shape = shape[1:]
    return shape
