"""Reading: a program as formulas.

A value that is used once stands where it's used; a value that is used twice has a name.
Repeats are left to NumPy's broadcasting, and `stop_gradient` isn't shown, as it changes
no value. Read as Python over NumPy's functions, the text computes what the program
does, up to rounding: numbers are short, and sums of sums go without parentheses.
"""

from __future__ import annotations

import itertools
import keyword
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.program.ir import Program
from thalweg.program.notation import (
    ATOM,
    USUAL_WORDS,
    Attributes,
    Expression,
    added_ones,
    are_first,
    constant,
    is_uniform,
    word,
    write,
)
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import NumpyArray, Shape

WIDTH = 74
INLINED_WIDTH = 54  # a longer part of a formula gets a line of its own


@dataclass(frozen=True)
class Formula:
    """One line, ``name = text``, and the value of the program that it computes."""

    name: str
    text: str
    value: int
    shape: Shape

    def __str__(self) -> str:
        return f"{self.name} = {self.text}"

    @property
    def expression(self) -> Expression:
        """The name, for other formulas to refer to."""
        return Expression(self.name, ATOM, self.shape)


def render(program: Program) -> str:
    """A program as lines that a person reads.

        Arguments:
            program: with any names; those that Python can't have are changed a little. An
                output that has an input's name is ``new_…``. Constants too large to be
                written out are named.

        Example:
            >>> from thalweg.program import ops
            >>> from thalweg.program.trace import trace
            >>> from thalweg.program.primitives import PRIMITIVES
    from thalweg.program.types import ArrayType
            >>> def softmax(a):
            ...     e = ops.exp(a["z"])
            ...     return {"y": e / ops.sum(e, axis=1, keepdims=True)}
            >>> print(render(trace(softmax, {"z": ArrayType((32, 3), "float32")})))
            t1 = exp(z)
            y = t1 / sum(t1, axis=1, keepdims=True)
    """
    return "\n".join(map(str, formulas(program)))


def formulas(
    program: Program,
    outputs: Sequence[str] | None = None,
    hints: Mapping[int, str] | None = None,
    lines: Mapping[int, str] | None = None,
    known: Mapping[int, Expression] | None = None,
) -> list[Formula]:
    """The lines of some outputs of a program, in the order of the outputs.

    Arguments:
        program: what to show.
        outputs: their names; all of them unless told.
        hints: good names for values, used where a value needs one.
        lines: names of values that get a line in any case.
        known: values that other formulas have computed already.
    """
    wanted = list(program.outputs) if outputs is None else list(outputs)
    return Renderer(program, wanted, hints or {}, lines or {}, known or {}).run()


@dataclass(frozen=True)
class Form:
    """An instruction as it's written, which may take in one that it reads."""

    opcode: str
    inputs: tuple[int, ...]
    attributes: Attributes


class Renderer:
    """The state of one rendering: which value has which text and which name."""

    def __init__(
        self,
        program: Program,
        outputs: Sequence[str],
        hints: Mapping[int, str],
        lines: Mapping[int, str],
        known: Mapping[int, Expression],
    ) -> None:
        self.program = program
        self.known = known
        self.lone = self._read_by_one(outputs) - {*lines, *known}
        self.source: list[int] = []  # the value whose text a view shares
        self.shapes: list[Shape] = []  # of the text
        self.reduced: dict[int, Shape] = {}  # shapes without the reduced axes
        for value in range(len(program.inputs) + len(program.instructions)):
            self._look_through(value)
        self.outputs = {name: self.source[program.outputs[name]] for name in outputs}
        self.hints = {self.source[v]: name for v, name in {**lines, **hints}.items()}
        self.forms: dict[int, Form] = {}
        needed = self._needed(self.outputs.values())
        lined = {self.source[v] for v in lines}
        self.kept = {*self.outputs.values(), *(lined & needed)}
        self.uses = self._uses()
        for value in sorted(needed, reverse=True):
            self._take_in(value)
        self.uses = self._uses()
        words = {word(form.opcode) for form in self.forms.values()}
        self.words = words | USUAL_WORDS
        self.taken = {each.text for each in known.values()}
        self.inputs = [self._unique(name) for name in program.inputs]
        self.results = {
            name: self._unique(f"new_{name}" if name in program.inputs else name)
            for name in outputs
        }
        self.texts: dict[int, Expression] = dict(known)
        self.found: list[Formula] = []

    def run(self) -> list[Formula]:
        """Every line."""
        done: set[int] = set()
        for name, value in self.outputs.items():
            needed = self._needed([value])
            for each in sorted(needed - done):
                self._write(each)
            done |= needed
            if all(formula.name != self.results[name] for formula in self.found):
                self._add(self.results[name], value, self.texts[value])
        return self.found

    # What is read, and where ---------------------------------------------------------

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
        same = without_first_ones(viewed) == without_first_ones(target)
        return instruction.opcode == "reshape" and same

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
        if instruction.primitive.kind == "reduction":
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
        if instruction.primitive.kind == "reduction" and are_first(axes):
            return shape[len(axes) :]
        return shape

    def _uses(self) -> Counter[int]:
        """How often each value's text is read."""
        uses: Counter[int] = Counter()
        for value in self._needed(self.kept):
            uses.update(self._operands(value))
        return uses

    def _needed(self, values: Iterable[int]) -> set[int]:
        """The values whose text is part of these values' text, and themselves."""
        needed: set[int] = set()
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if value not in needed:
                needed.add(value)
                waiting += self._operands(value)
        return needed

    def _operands(self, value: int) -> list[int]:
        instruction = self.program.instruction(value)
        if value in self.known or instruction is None:
            return []
        form = self.forms.get(value)
        inputs = instruction.inputs if form is None else form.inputs
        return [self.source[v] for v in inputs]

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
        instruction = self.program.instruction(source)
        if instruction is None or instruction.opcode != opcode:
            return None
        if self.uses[source] > 1 or source in self.kept or source in self.known:
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
        total = self._read_once(quotient.inputs[0], "sum")
        divisor = self.program.instruction(self.source[quotient.inputs[1]])
        if total is None or divisor is None or divisor.opcode != "constant":
            return None
        shape = self.program.type(total.inputs[0]).shape
        count = math.prod(shape[axis] for axis in total.attributes["axes"])
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

    # Names ---------------------------------------------------------------------------

    def _unique(self, wanted: str) -> str:
        """A name that Python can have and nothing else has."""
        plain = identifier(wanted)
        plain = f"{plain}_" if plain in self.words else plain
        numbered = (f"{plain}{count}" for count in itertools.count(2))
        names = itertools.chain([plain], numbered)
        name = next(name for name in names if name not in self.taken)
        self.taken.add(name)
        return name

    def _name(self, value: int) -> str:
        """The name of a value that gets a line of its own."""
        for output, source in self.outputs.items():
            if source == value:
                return self.results[output]
        if value in self.hints:
            return self._unique(self.hints[value])
        numbered = (f"t{count}" for count in itertools.count(1))
        return self._unique(next(name for name in numbered if name not in self.taken))

    # Lines ---------------------------------------------------------------------------

    def _write(self, value: int) -> None:
        """Give a value its text, on a line of its own if it needs one."""
        instruction = self.program.instruction(value)
        if value in self.known:
            return
        if instruction is None:
            name = self.inputs[value]
            self.texts[value] = Expression(name, ATOM, self.shapes[value])
        elif instruction.opcode == "constant":
            self.texts[value] = self._constant(instruction.attributes["value"])
        elif value in self.kept or self.uses[value] > 1:
            name = self._name(value)
            self._add(name, value, self._fitting(value, WIDTH - len(name) - 3))
        else:
            self.texts[value] = self._fitting(value, INLINED_WIDTH)

    def _add(self, name: str, value: int, expression: Expression) -> None:
        """A line; from then on the value is read by its name, unless it has one."""
        formula = Formula(name, expression.text, value, expression.shape)
        self.found.append(formula)
        if value in self.forms and not self._is_constant(value):
            self.texts[value] = formula.expression

    def _fitting(self, value: int, width: int) -> Expression:
        """A value's text; its longest parts get lines of their own until it fits."""
        expression = self._expression(value)
        while len(expression.text) > width:
            parts = [v for v in self._operands(value) if self._can_have_line(v)]
            if not parts:
                break
            longest = max(parts, key=lambda v: len(self.texts[v].text))
            self._add(self._name(longest), longest, self.texts[longest])
            expression = self._expression(value)
        return expression

    def _can_have_line(self, value: int) -> bool:
        """Whether a value is written out, and no constant."""
        has_line = any(formula.value == value for formula in self.found)
        return value in self.forms and not has_line and not self._is_constant(value)

    def _is_constant(self, value: int) -> bool:
        instruction = self.program.instruction(value)
        return instruction is not None and instruction.opcode == "constant"

    def _constant(self, array: NumpyArray) -> Expression:
        written = constant(array)
        return written or Expression(self._unique("constant"), ATOM, array.shape)

    def _expression(self, value: int) -> Expression:
        """A value's text from the texts of what it reads."""
        form = self.forms[value]
        parts = [self.texts[self.source[v]] for v in form.inputs]
        if form.opcode not in BROADCASTING:
            shapes = (self.program.type(v).shape for v in form.inputs)
            parts = [p.repeated(s) for p, s in zip(parts, shapes, strict=True)]
        shape = self.reduced.get(value, self.program.type(value).shape)
        text, level = write(form.opcode, parts, form.attributes, shape)
        return Expression(text, level, self.shapes[value])


BROADCASTING = {"not_equal", "product"} | {
    name for name, row in PRIMITIVES.items() if row.kind == "elementwise"
}


def identifier(name: str) -> str:
    """A name that Python can have: ``1.weights`` becomes ``weights_of_1``."""
    number, dot, rest = name.partition(".")
    spelled = f"{rest}_of_{number}" if dot and number.isdigit() else name
    spelled = re.sub(r"\W", "_", spelled)
    spelled = spelled if spelled[:1].isidentifier() else f"_{spelled}"
    return f"{spelled}_" if keyword.iskeyword(spelled) else spelled


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
