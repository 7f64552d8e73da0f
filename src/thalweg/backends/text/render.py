"""Reading: a program as formulas.

A value that is used once stands where it's used; a value that is used twice has a name.
Repeats are left to NumPy's broadcasting, and `stop_gradient` isn't shown, as it changes
no value. Read as Python over NumPy's functions, the text computes what the program
does, up to rounding: numbers are short, and sums of sums go without parentheses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from thalweg.backends.text.identifiers import Identifiers
from thalweg.backends.text.notation import USUAL_WORDS, constant, word, write
from thalweg.backends.text.reading import Reading
from thalweg.program.expressions import ATOM, Expression
from thalweg.program.ir import Instruction, Program
from thalweg.program.loop_rules import parts_of
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ArrayType, NumpyArray, Shape

WIDTH = 74
INLINED_WIDTH = 54  # a longer part of a formula gets a line of its own


@dataclass(frozen=True)
class Formula:
    """One line, ``name = text``, and the value of the program that it computes.

    Arguments:
        name, text: of the line.
        value: of the program.
        shape: that NumPy gives it.
        block: for a loop its lines; empty for anything else.
    """

    name: str
    text: str
    value: int
    shape: Shape
    block: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self.block) or f"{self.name} = {self.text}"

    @property
    def expression(self) -> Expression:
        """The name, for other formulas to refer to."""
        return Expression(self.name, ATOM, self.shape)


def render(program: Program) -> str:
    """A program as lines that the user reads.

    Arguments:
        program: with any names; those that Python can't have are changed a little. An
            output that has an input's name is ``new_…``. Constants too large to be
            written out are named.

    Example:
        >>> from thalweg.program import ops
        >>> from thalweg.program.trace import trace
        >>> from thalweg.program.types import ArrayType
        >>> def softmax(a):
        ...     e = ops.exp(a["z"])
        ...     return {"y": e / ops.sum(e, axis=1, keepdims=True)}
        >>> print(render(trace(softmax, {"z": ArrayType((32, 3), "float32")})))
        t1 = exp(z)
        y = t1 / sum(t1, axis=1, keepdims=True)
    """
    return "\n".join(map(str, formulas(program)))


NO_NAMES: Mapping[int, str] = MappingProxyType({})
NOTHING_KNOWN: Mapping[int, Expression] = MappingProxyType({})


def formulas(
    program: Program,
    outputs: Sequence[str] | None = None,
    hints: Mapping[int, str] = NO_NAMES,
    lines: Mapping[int, str] = NO_NAMES,
    known: Mapping[int, Expression] = NOTHING_KNOWN,
    words: Iterable[str] = (),
) -> list[Formula]:
    """The lines of some outputs of a program, in the order of the outputs.

    Arguments:
        program: what to show.
        outputs: their names; all of them unless told.
        hints: good names for values, used where a value needs one.
        lines: names of values that get a line in any case.
        known: values that other formulas have computed already.
        words: what no name may be, beside the functions that stand in the lines.
    """
    wanted = list(program.outputs) if outputs is None else list(outputs)
    return Renderer(program, wanted, hints, lines, known, words).run()


class Renderer:
    """The state of one rendering: which value has which text and which name."""

    def __init__(
        self,
        program: Program,
        outputs: Sequence[str],
        hints: Mapping[int, str],
        lines: Mapping[int, str],
        known: Mapping[int, Expression],
        words: Iterable[str],
        names: Identifiers | None = None,
        results: Mapping[str, str] | None = None,
    ) -> None:
        self.program = program
        known = {
            value: expression.restored(program.type(value).shape)
            for value, expression in known.items()
        }
        self.reading = reading = Reading(program, outputs, lines, known)
        self.hints = {reading.source[v]: n for v, n in {**lines, **hints}.items()}
        used = {word(form.opcode) for form in reading.forms.values()}
        elsewhere = {*words, *(each.text for each in known.values())}
        self.names = names or Identifiers(USUAL_WORDS | used | elsewhere)
        self.inputs = [
            "" if value in known else self.names.give(spelled(name))
            for value, name in enumerate(program.inputs)
        ]
        self.results = results or {
            name: self.names.give(
                f"new_{spelled(name)}" if name in program.inputs else spelled(name)
            )
            for name in outputs
        }
        self.texts: dict[int, Expression] = dict(known)
        self.found: list[Formula] = []

    def run(self) -> list[Formula]:
        """Every line."""
        done: set[int] = set()
        for name, value in self.reading.outputs.items():
            needed = self.reading.needed([value])
            for each in sorted(needed - done):
                self._write(each)
            done |= needed
            if all(formula.name != self.results[name] for formula in self.found):
                self._add(self.results[name], value, self.texts[value])
        return self.found

    def _name(self, value: int) -> str:
        """The name of a value that gets a line of its own."""
        for output, source in self.reading.outputs.items():
            if source == value:
                return self.results[output]
        if value in self.hints:
            return self.names.give(self.hints[value])
        return self.names.number("t")

    # Lines ---------------------------------------------------------------------------

    def _write(self, value: int) -> None:
        """Give a value its text, on a line of its own if it needs one."""
        instruction = self.program.instruction(value)
        if value in self.reading.known:
            return
        if instruction is None:
            name = self.inputs[value]
            self.texts[value] = Expression(name, ATOM, self.reading.shapes[value])
        elif instruction.primitive.kind == "loop":
            self._loop(value, instruction)
        elif instruction.opcode == "constant":
            self.texts[value] = self._constant(instruction.attributes["value"])
        elif value in self.reading.kept or self.reading.uses[value] > 1:
            name = self._name(value)
            self._add(name, value, self._fitting(value, WIDTH - len(name) - 3))
        else:
            self.texts[value] = self._fitting(value, INLINED_WIDTH)

    def _add(self, name: str, value: int, expression: Expression) -> None:
        """A line; from then on the value is read by its name, unless it has one."""
        formula = Formula(name, expression.text, value, expression.shape)
        self.found.append(formula)
        if value in self.reading.forms and not self.reading.is_constant(value):
            self.texts[value] = formula.expression

    def _fitting(self, value: int, width: int) -> Expression:
        """A value's text; its longest parts get lines of their own until it fits."""
        expression = self._expression(value)
        while len(expression.text) > width:
            parts = [v for v in self.reading.operands(value) if self._can_have_line(v)]
            if not parts:
                break
            longest = max(parts, key=lambda v: len(self.texts[v].text))
            self._add(self._name(longest), longest, self.texts[longest])
            expression = self._expression(value)
        return expression

    def _can_have_line(self, value: int) -> bool:
        """Whether a value is written out, and no constant."""
        has_line = any(formula.value == value for formula in self.found)
        return (
            value in self.reading.forms
            and not has_line
            and not self.reading.is_constant(value)
        )

    # Loops ---------------------------------------------------------------------------

    def _loop(self, value: int, instruction: Instruction) -> None:
        """A loop as Python has it: the states go on, and each time's are kept."""
        body: Program = instruction.attributes["body"]
        states, sequences = (instruction.attributes[n] for n in ("states", "sequences"))
        turns, *read = instruction.inputs
        initial, moving, whole = parts_of(read, states, sequences)
        one = body.at(rows=self.program.type(initial[0]).shape[0])
        name, time = self._name(value), self.names.give("t")
        kept = [self.names.give(spelled(n)) for n in list(body.inputs)[:states]]
        known = [
            Expression(n, ATOM, self.program.type(v).shape)
            for n, v in zip(kept, initial, strict=True)
        ]
        known += [self._at_time(v, time) for v in moving]
        known += [self._named(v) for v in whole]
        first = [self._full(v).text for v in initial]
        shape, dtype = instruction.type.shape, instruction.type.dtype
        block = [
            f"{', '.join(kept)} = {', '.join(first)}",
            f"{name} = zeros({shape}, {dtype})",
            f"for {time} in {self._times(turns, instruction)}:",
        ]
        new = kept if states == 1 else [self.names.give(f"new_{n}") for n in kept]
        results = dict(zip(one.outputs, new, strict=True))
        inner = Renderer(
            one,
            list(one.outputs),
            {},
            {},
            dict(enumerate(known)),
            (),
            self.names,
            results,
        )
        block += [f"    {line}" for f in inner.run() for line in str(f).splitlines()]
        if states > 1:
            block.append(f"    {', '.join(kept)} = {', '.join(new)}")
        types = [one.type(v) for v in range(states)]
        block.append(f"    {name}[:, {time}] = {side_by_side(kept, types)}")
        self.found.append(Formula(name, "", value, shape, tuple(block)))
        self.texts[value] = Expression(name, ATOM, shape)

    def _times(self, turns: int, instruction: Instruction) -> str:
        """The times in their order."""
        count = self.texts[self.reading.source[turns]].text
        each = f"range({count})"
        return f"reversed({each})" if instruction.attributes["reverse"] else each

    def _full(self, value: int) -> Expression:
        """A value's text in its whole shape."""
        text = self.texts[self.reading.source[value]]
        return text.whole(self.program.type(value).shape)

    def _named(self, value: int) -> Expression:
        """A value in its whole shape by a name, which a loop reads again and again."""
        text = self._full(value)
        if text.text.isidentifier() or text.is_number:
            return text
        name = self.names.number("t")
        self.found.append(Formula(name, text.text, value, text.shape))
        return Expression(name, ATOM, text.shape)

    def _at_time(self, value: int, time: str) -> Expression:
        """A sequence at one time."""
        text = self._named(value)
        shape = (text.shape[0], *text.shape[2:])
        return Expression(f"{text.text}[:, {time}]", ATOM, shape)

    def _constant(self, array: NumpyArray) -> Expression:
        written = constant(array)
        name = "mask" if array.dtype == bool else "table"
        return written or Expression(self.names.give(name), ATOM, array.shape)

    def _expression(self, value: int) -> Expression:
        """A value's text from the texts of what it reads."""
        form = self.reading.forms[value]
        parts = [self.texts[self.reading.source[v]] for v in form.inputs]
        if not broadcasts(form.opcode):
            shapes = (self.program.type(v).shape for v in form.inputs)
            parts = [p.whole(s) for p, s in zip(parts, shapes, strict=True)]
        shape = self.reading.reduced.get(value, self.program.type(value).shape)
        text, level = write(form.opcode, parts, form.attributes, shape)
        return Expression(text, level, self.reading.shapes[value])


def broadcasts(opcode: str) -> bool:
    """Whether NumPy repeats what it reads where that's needed."""
    row = PRIMITIVES.get(opcode)
    return row.kind == "elementwise" if row else opcode in ("not_equal", "product")


def side_by_side(names: Sequence[str], types: Sequence[ArrayType]) -> str:
    """States as one array, as a loop keeps them."""
    if len(names) == 1:
        return names[0]
    flat = [
        name
        if len(type.shape) == 2
        else f"reshape({name}, {(type.shape[0], math.prod(type.shape[1:]))})"
        for name, type in zip(names, types, strict=True)
    ]
    return f"concatenate([{', '.join(flat)}], axis=1)"


def spelled(name: str) -> str:
    """The name that a reader would give.

    >>> spelled("1.weights"), spelled("p.weights"), spelled("state.velocity")
    ('weights_of_1', 'weights', 'state.velocity')
    """
    where, dot, rest = name.partition(".")
    if dot and where.isdigit():
        return f"{rest}_of_{where}"
    return rest if dot and where == "p" else name
