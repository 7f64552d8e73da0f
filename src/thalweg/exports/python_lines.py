"""A program as lines of Python over NumPy that compute what it does.

A value that is used once stands where it's used, unless the line gets long; one that is
used more often has a name. Repeats are left to NumPy's broadcasting where it makes them
by itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.backends.text.identifiers import Identifiers
from thalweg.exports import runtime
from thalweg.exports.translation import needed, operands
from thalweg.program.arguments import broadcast_shape
from thalweg.program.families.products import equation
from thalweg.program.ir import Instruction, Program
from thalweg.program.loop_rules import parts_of
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.serialize import linear
from thalweg.program.sizes import Number, RecipeArray
from thalweg.program.types import NumpyArray

WIDTH = 78
ROWS = "rows"
LITERAL = 8  # larger arrays stand by themselves
ATOM, POWER, UNARY, PRODUCT, SUM, AND, COMPARISON = range(7)


@dataclass(frozen=True)
class Text:
    """Python's text of a value, and how tightly its parts hold together.

    A bare number has no dtype of its own: NumPy gives it that of what it meets.
    """

    text: str
    level: int = ATOM
    bare: bool = False

    def within(self, level: int) -> str:
        """In parentheses if it would fall apart beside an operator of a level."""
        return self.text if self.level <= level else f"({self.text})"


@dataclass
class Lines:
    """The lines of a program.

    Arguments:
        program: what is computed, over `ROWS` rows.
        names: Python's names for its inputs.
        identifiers: gives a name to a value that needs one.
        constant_name: gives a name to a constant that is too long to be written here.
        found: the lines so far.
    """

    program: Program
    names: Mapping[str, str]
    identifiers: Identifiers
    constant_name: Callable[[NumpyArray], str]
    found: list[str] = field(default_factory=list[str])
    texts: dict[int, Text] = field(default_factory=dict[int, Text])

    def run(self) -> tuple[list[str], list[str]]:
        """The lines, and the texts of the outputs."""
        order = needed(self.program)
        used = Counter(self.program.outputs.values())
        for value in order:
            line = self.program.instruction(value)
            if line is not None:
                used.update(operands(self.program, line))
        for value in order:
            self.texts[value] = self._text(value, used[value])
        return self.found, [self.texts[v].text for v in self.program.outputs.values()]

    def _text(self, value: int, uses: int) -> Text:
        line = self.program.instruction(value)
        if line is None:
            return Text(self.names[list(self.program.inputs)[value]])
        text = self.expression(line)
        if text.level == ATOM and text.text.isidentifier():
            return text
        long = len(text.text) > WIDTH // 2
        return self._named(text) if (uses > 1 or long) and not text.bare else text

    def full(self, value: int) -> Text:
        """A value that must have dtype and shape: a bare number gets both."""
        text = self.texts[value]
        if not text.bare:
            return text
        type = self.program.type(value)
        return Text(f"np.full({shape_text(type.shape)}, {text.text}, {type.dtype!r})")

    def named(self, value: int) -> str:
        """The name of a value, which gets one if it has none."""
        text = self.full(value)
        return text.text if text.text.isidentifier() else self._named(text).text

    def _named(self, text: Text) -> Text:
        name = self.identifiers.number("t")
        self.found.append(f"{name} = {text.text}")
        return Text(name)

    def expression(self, line: Instruction) -> Text:
        """One instruction as text."""
        numbers = operands(self.program, line)
        parts = [self.texts[number] for number in numbers]
        return WRITERS[line.opcode](Written(self, line, numbers, parts))


@dataclass(frozen=True)
class Written:
    """An instruction and the texts of what it reads."""

    lines: Lines
    line: Instruction
    numbers: Sequence[int]
    parts: Sequence[Text]

    def __getitem__(self, name: str) -> Any:
        return self.line.attributes[name]

    def array(self, at: int) -> Text:
        """An operand that must have dtype and shape: a bare number gets both."""
        return self.lines.full(self.numbers[at])

    def operands(self) -> list[Text]:
        """Operands of which at least one has the result's shape, so others are bare."""
        shapes = [self.lines.program.type(number).shape for number in self.numbers]
        real = [s for s, part in zip(shapes, self.parts, strict=True) if not part.bare]
        if real and broadcast_shape(real) == self.line.type.shape:
            return list(self.parts)
        return [self.array(at) for at in range(len(self.parts))]


Writer = Callable[[Written], Text]


def constant(it: Written) -> Text:
    """An array, or one number that follows from the rows."""
    array = it["value"]
    if isinstance(array, RecipeArray):
        return Text(size_text(array.recipe), SUM, bare=True)
    if array.size == 1 or (array.size and (array == array.flat[0]).all()):
        return number_text(array.flat[0])
    if array.size <= LITERAL and np.isfinite(array).all():
        return Text(f"np.array({array.tolist()}, {array.dtype.name!r})")
    return Text(it.lines.constant_name(array))


def number_text(value: Any) -> Text:
    """A number in all its digits."""
    if value.dtype.kind == "f" and not np.isfinite(value):
        names = {"inf": Text("np.inf"), "nan": Text("np.nan")}
        found = names.get(str(value), Text("-np.inf", UNARY))
        return Text(found.text, found.level, bare=True)
    text = str(value)
    return Text(text, UNARY if text.startswith("-") else ATOM, bare=True)


def size_text(size: Any) -> str:
    """A size: a number, or what follows from the rows."""
    if not isinstance(size, Number):
        return str(size)
    slope, offset = linear(size)
    text = ROWS if slope == 1 else f"{slope} * {ROWS}"
    sign = "-" if offset < 0 else "+"
    return f"{text} {sign} {abs(offset)}" if offset else text


def shape_text(sizes: Sequence[int]) -> str:
    """A shape as a tuple."""
    inner = ", ".join(map(size_text, sizes))
    return f"({inner},)" if len(sizes) == 1 else f"({inner})"


def infix(sign: str, level: int) -> Writer:
    """An operator between two operands; of two on one level, the left one is first."""
    before = level - 1 if level == COMPARISON else level  # a < b < c means otherwise

    def write(it: Written) -> Text:
        left, right = it.operands()
        return Text(f"{left.within(before)} {sign} {right.within(level - 1)}", level)

    return write


def prefix(sign: str) -> Writer:
    """An operator before its operand."""
    return lambda it: Text(f"{sign}{it.array(0).within(POWER)}", UNARY)


def call(name: str) -> Writer:
    """A function of the operands."""
    return lambda it: Text(f"{name}({', '.join(part.text for part in it.operands())})")


def method(template: Callable[[Written], str]) -> Writer:
    """What is asked of the first operand, behind a dot or in brackets."""
    return lambda it: Text(f"{it.array(0).within(ATOM)}{template(it)}")


def power(it: Written) -> Text:
    """A power, which holds together more than anything else."""
    base, exponent = it.operands()
    return Text(f"{base.within(ATOM)} ** {exponent.within(ATOM)}", POWER)


def matmul(it: Written) -> Text:
    """The product of matrices, either of them transposed."""
    sides = [
        f"{it.array(at).within(ATOM)}.swapaxes(-1, -2)"
        if it[turned]
        else it.array(at).within(PRODUCT - at)
        for at, turned in enumerate(("transpose_a", "transpose_b"))
    ]
    return Text(" @ ".join(sides), PRODUCT)


def contract(it: Written) -> Text:
    """A product of matrices, or one over several axes."""
    x, y = it.array(0), it.array(1)
    rank, other = (len(it.lines.program.type(n).shape) for n in it.numbers)
    if (it["batch"], it["summed"]) == (0, 1) and other == 2 <= rank:
        return Text(f"{x.within(PRODUCT)} @ {y.within(PRODUCT - 1)}", PRODUCT)
    text = equation(rank, other, it["batch"], it["summed"])
    return Text(f"np.einsum({text!r}, {x.text}, {y.text}, optimize=True)")


def select(it: Written) -> Text:
    """A choice; one of the two chosen from may be a bare number."""
    condition, x, y = (
        it.parts if it.parts[1].bare != it.parts[2].bare else map(it.array, range(3))
    )
    if condition.bare:
        condition = it.array(0)
    return Text(f"np.where({condition.text}, {x.text}, {y.text})")


def reduction(name: str) -> Writer:
    """Over axes that stay with size 1, in the operand's own dtype."""

    def template(it: Written) -> str:
        axes = it["axes"]
        over = str(axes[0]) if len(axes) == 1 else shape_text(axes)
        whole = name == "sum" and it.line.type.dtype in ("int32", "uint32")
        dtype = f", dtype={it.line.type.dtype!r}" if whole else ""
        return f".{name}(axis={over}{dtype}, keepdims=True)"

    return method(template)


def slices(it: Written) -> str:
    """A slice along each axis; whole ones are a colon."""
    (shape,) = (it.lines.program.type(number).shape for number in it.numbers)
    parts: list[str] = []
    for n, *each in zip(shape, it["starts"], it["stops"], it["steps"], strict=True):
        start, stop, step = each
        ends = (0, n) if step > 0 else (n - 1, -1)
        first = "" if start == ends[0] else size_text(start)
        last = "" if stop == ends[1] else size_text(stop)
        parts.append(f"{first}:{last}" + (f":{step}" if step != 1 else ""))
    return f"[{', '.join(parts) or '...'}]"


def concatenate(it: Written) -> Text:
    """One after the other along an axis."""
    parts = ", ".join(it.array(at).text for at in range(len(it.parts)))
    return Text(f"np.concatenate([{parts}], axis={it['axis']})")


def arrays_call(name: str, *attributes: str) -> Writer:
    """A function of arrays and of some attributes."""

    def write(it: Written) -> Text:
        parts = [it.array(at).text for at in range(len(it.parts))]
        sizes = [
            shape_text(it[a]) if isinstance(it[a], tuple) else size_text(it[a])
            for a in attributes
        ]
        return Text(f"{name}({', '.join([*parts, *sizes])})")

    return write


def scan(it: Written) -> Text:
    """A loop over times: the states go on, and each time's are kept."""
    lines, give = it.lines, it.lines.identifiers.give
    body: Program = it["body"].at(rows=it.lines.program.type(it.numbers[1]).shape[0])
    initial, moving, whole = parts_of(it.numbers[1:], it["states"], it["sequences"])
    kept = [give(name) for name in list(body.inputs)[: len(initial)]]
    found, time = lines.identifiers.number("states"), give("t")
    at_time = [f"{lines.named(value)}[:, {time}]" for value in moving]
    read = [*kept, *at_time, *map(lines.named, whole)]
    names = dict(zip(body.inputs, read, strict=True))
    inner = Lines(body, names, lines.identifiers, lines.constant_name)
    turn = [*inner.run()[0], *new_states(inner, kept)]
    turn.append(f"{found}[:, {time}] = {side_by_side(inner, kept)}")
    type = it.line.type
    lines.found += [
        *(
            f"{name} = {lines.full(value).text}"
            for name, value in zip(kept, initial, strict=True)
        ),
        f"{found} = np.zeros({shape_text(type.shape)}, {type.dtype!r})",
        f"for {time} in {times_text(it)}:",
        *(f"    {line}" for line in turn),
    ]
    return Text(found)


def times_text(it: Written) -> str:
    """The times that have a turn, in their order."""
    times = size_text(it.line.type.shape[1])
    turns = it.parts[0].text
    each = f"range({times if turns == times else f'min(int({turns}), {times})'})"
    return f"reversed({each})" if it["reverse"] else each


def new_states(inner: Lines, kept: Sequence[str]) -> list[str]:
    """The lines that put a turn's states in place of those before it."""
    new = [inner.full(value).text for value in inner.program.outputs.values()]
    if len(kept) == 1:
        return [f"{kept[0]} = {new[0]}"]
    names = [inner.identifiers.give(f"new_{name}") for name in kept]
    lines = [f"{name} = {text}" for name, text in zip(names, new, strict=True)]
    return [*lines, *(f"{a} = {b}" for a, b in zip(kept, names, strict=True))]


def side_by_side(inner: Lines, kept: Sequence[str]) -> str:
    """States as one array, as a loop keeps them."""
    if len(kept) == 1:
        return kept[0]
    types = inner.program.output_types().values()
    flat = [
        name
        if len(type.shape) == 2
        else f"{name}.reshape({shape_text((type.shape[0], math.prod(type.shape[1:])))})"
        for name, type in zip(kept, types, strict=True)
    ]
    return f"np.concatenate([{', '.join(flat)}], axis=1)"


NAMED: Mapping[str, Writer] = {
    name: arrays_call(f"np.{name}")
    for name, row in PRIMITIVES.items()
    if row.meaning is getattr(np, name, None)
}
"""Functions of NumPy by their own names, where no operator says the same."""

IN_NUMPY: Mapping[str, Writer] = {
    "constant": constant,
    "add": infix("+", SUM),
    "subtract": infix("-", SUM),
    "multiply": infix("*", PRODUCT),
    "divide": infix("/", PRODUCT),
    "negative": prefix("-"),
    "power": power,
    "maximum": call("np.maximum"),
    "minimum": call("np.minimum"),
    "absolute": arrays_call("np.abs"),
    "equal": infix("==", COMPARISON),
    "less": infix("<", COMPARISON),
    "less_equal": infix("<=", COMPARISON),
    "logical_and": infix("&", AND),
    "logical_not": prefix("~"),
    "select": select,
    "cast": method(lambda it: f".astype({it['dtype']!r})"),
    "stop_gradient": lambda it: it.array(0),
    "sum": reduction("sum"),
    "max": reduction("max"),
    "argmax": method(lambda it: f".argmax(axis={it['axis']}).astype('int32')"),
    "reshape": method(lambda it: f".reshape({shape_text(it['shape'])})"),
    "transpose": method(lambda it: f".transpose({shape_text(it['axes'])})"),
    "broadcast": arrays_call("np.broadcast_to", "shape"),
    "slice": method(slices),
    "concatenate": concatenate,
    "matmul": matmul,
    "contract": contract,
    "scan": scan,
}
IN_RUNTIME: Mapping[str, Writer] = {
    name: arrays_call(name, *row.attributes)
    for name, row in PRIMITIVES.items()
    if name in vars(runtime)
}
"""What NumPy lacks: a function of its name in `runtime`, which goes into the file."""

WRITERS: Mapping[str, Writer] = {**NAMED, **IN_NUMPY, **IN_RUNTIME}
"""How each primitive is written in Python."""
