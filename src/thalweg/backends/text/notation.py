"""How one operation on texts is written, in the notation of Python and NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import DTYPES, NumpyArray, Shape

# How tightly an expression holds together, as in Python.
COMPARISON, SUM, MATRIX_PRODUCT, QUOTIENT, PRODUCT, UNARY, POWER, ATOM = range(8)
SHOWN_ELEMENTS = 8
SHOWN_DIGITS = 8

WORDS = {"absolute": "abs", "select": "where"}
USUAL_WORDS = frozenset(
    [
        *DTYPES,
        *("arange", "array", "broadcast_to", "inf", "nan", "spread"),
        *("range", "reversed", "zeros"),
    ]
)
ALL_WORDS = USUAL_WORDS | {"mean"} | {WORDS.get(name, name) for name in PRIMITIVES}


@dataclass(frozen=True)
class Expression:
    """A piece of a formula.

    Arguments:
        text: as it's read.
        level: how tightly it holds together.
        shape: what NumPy gives it; it broadcasts to that of the program's value.
        is_number: whether it's a number written out.
    """

    text: str
    level: int
    shape: Shape
    is_number: bool = False

    def inside(self, level: int) -> str:
        """The text as a part of something that holds together so tightly."""
        return self.text if self.level >= level else f"({self.text})"

    def repeated(self, shape: Shape) -> Expression:
        """The expression in a shape, for operations that don't broadcast."""
        if self.shape == shape:
            return self
        return Expression(f"broadcast_to({self.text}, {shape})", ATOM, shape)

    def whole(self, shape: Shape) -> Expression:
        """The expression in a shape, with axes put back and all that is repeated."""
        return self.restored(shape).repeated(shape)

    def restored(self, shape: Shape) -> Expression:
        """The expression with the axes of size 1 that it was written without.

        Those that come first NumPy puts back by itself: y of (3,) does for (1, 3),
        but for (3, 1) it is y[:, None].
        """
        ones = added_ones(self.shape, shape)
        if not ones or are_first(tuple(ones)):
            return self
        keys = ["None" if axis in ones else ":" for axis in range(len(shape))]
        return Expression(f"{self.inside(ATOM)}[{', '.join(keys)}]", ATOM, shape)


Written = tuple[str, int]
Attributes = Mapping[str, Any]
Notation = Callable[[Sequence[Expression], Attributes, Shape], Written]


# Arithmetic --------------------------------------------------------------------------


def call(function: str, *arguments: object, **settings: object) -> Written:
    """function(x, y, axis=0)."""
    shown = [str(each) for each in arguments]
    shown += [f"{name}={value}" for name, value in settings.items()]
    return f"{function}({', '.join(shown)})", ATOM


def signed(sign: str, otherwise: str) -> Notation:
    """x + y, or x - y where y begins with a minus; and the other way round."""

    def write(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
        left, right = parts
        text = right.inside(SUM if sign == "+" else MATRIX_PRODUCT)
        shown = otherwise if text.startswith("-") else sign
        return f"{left.inside(SUM)} {shown} {text.removeprefix('-')}", SUM

    return write


def multiply(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
    """x * y, numbers first."""
    left, right = reversed(parts) if parts[1].is_number else parts
    text = f"{left.inside(QUOTIENT)} * {right.inside(PRODUCT)}"
    return text, QUOTIENT if left.level == QUOTIENT else PRODUCT


def divide(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
    """x / y."""
    left, right = parts
    return f"{left.inside(QUOTIENT)} / {right.inside(UNARY)}", QUOTIENT


def negative(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
    """-x."""
    (part,) = parts
    if part.level >= QUOTIENT and not part.text.startswith("-"):
        return f"-{part.text}", min(part.level, UNARY)
    return f"-({part.text})", UNARY


def power(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
    """x**y."""
    base, exponent = parts
    level = UNARY if exponent.is_number else ATOM
    return f"{base.inside(ATOM)}**{exponent.inside(level)}", POWER


def product(
    parts: Sequence[Expression], attributes: Attributes, shape: Shape
) -> Written:
    """x**3 for x * x * x."""
    return f"{parts[0].inside(ATOM)}**{attributes['count']}", POWER


def compared(sign: str, turned: str) -> Notation:
    """x < y, numbers last."""

    def write(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
        left, right = reversed(parts) if parts[0].is_number else parts
        shown = turned if parts[0].is_number else sign
        return f"{left.inside(SUM)} {shown} {right.inside(SUM)}", COMPARISON

    return write


def cast(parts: Sequence[Expression], attributes: Attributes, _: Shape) -> Written:
    """float32(x)."""
    return call(attributes["dtype"], parts[0].text)


def matmul(
    parts: Sequence[Expression], attributes: Attributes, shape: Shape
) -> Written:
    """x @ y.T."""
    mark = ".T" if len(shape) == 2 else ".mT"
    factors = [
        f"{part.inside(ATOM)}{mark}" if transposed else part.inside(UNARY)
        for part, transposed in zip(parts, attributes.values(), strict=True)
    ]
    return " @ ".join(factors), MATRIX_PRODUCT


# Axes --------------------------------------------------------------------------------


def reduced(function: str) -> Notation:
    """sum(x, axis=0); the axis stays where NumPy would take the next one for it."""

    def write(
        parts: Sequence[Expression], attributes: Attributes, shape: Shape
    ) -> Written:
        (part,) = parts
        axes: Shape = attributes["axes"]
        settings: dict[str, object] = {}
        if len(axes) < len(part.shape):
            settings["axis"] = axes[0] if len(axes) == 1 else axes
        if len(shape) == len(part.shape) and not are_first(axes):
            settings["keepdims"] = True
        return call(function, part.text, **settings)

    return write


def reshape(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
    """x[:, None], x[:, 0] or reshape(x, shape)."""
    (part,) = parts
    added, dropped = added_ones(part.shape, shape), added_ones(shape, part.shape)
    for places, key in ((added, "None"), (dropped, "0")):
        if places:
            keys = [key if i in places else ":" for i in range(places[-1] + 1)]
            return f"{part.inside(ATOM)}[{', '.join(keys)}]", ATOM
    if shape[:1] == part.shape[:1] and math.prod(shape):
        return call("reshape", part.text, (-1, *shape[1:]))
    return call("reshape", part.text, shape)


def transpose(parts: Sequence[Expression], attributes: Attributes, _: Shape) -> Written:
    """x.T."""
    axes = attributes["axes"]
    if axes == (1, 0):
        return f"{parts[0].inside(ATOM)}.T", ATOM
    return call("transpose", parts[0].text, axes)


def part_of(parts: Sequence[Expression], attributes: Attributes, _: Shape) -> Written:
    """x[:, 2:5]."""
    (part,) = parts
    bounds = zip(
        part.shape,
        *(attributes[name] for name in ("starts", "stops", "steps")),
        strict=True,
    )
    keys = [key_text(*each) for each in bounds]
    for axis in attributes.get("dropped", ()):
        keys[axis] = str(attributes["starts"][axis])
    while len(keys) > 1 and keys[-1] == ":":
        keys.pop()
    return f"{part.inside(ATOM)}[{', '.join(keys)}]", ATOM


def key_text(size: int, start: int, stop: int, step: int) -> str:
    """2:5, with nothing where the axis begins or ends."""
    first = str(start) if start else ""
    last = str(stop) if stop != size else ""
    return f"{first}:{last}" + (f":{step}" if step != 1 else "")


def pad(parts: Sequence[Expression], attributes: Attributes, shape: Shape) -> Written:
    """pad(x, zeros before and after)."""
    (part,) = parts
    if any(step != 1 for step in attributes["steps"]):
        return call("spread", part.text, **attributes)
    sizes = zip(attributes["starts"], part.shape, shape, strict=True)
    return call("pad", part.text, tuple((a, total - a - n) for a, n, total in sizes))


def concatenate(
    parts: Sequence[Expression], attributes: Attributes, _: Shape
) -> Written:
    """concatenate([x, y], axis=1)."""
    return call("concatenate", f"[{', '.join(p.text for p in parts)}]", **attributes)


def rows(parts: Sequence[Expression], _: Attributes, shape: Shape) -> Written:
    """table[indices]."""
    table, indices = parts
    return f"{table.inside(ATOM)}[{indices.text}]", ATOM


def are_first(axes: Shape) -> bool:
    """Whether axes are the first ones, which broadcasting puts back by itself."""
    return axes == tuple(range(len(axes)))


def added_ones(small: Shape, large: Shape) -> list[int]:
    """The axes of size 1 that make one shape another; none if that isn't enough."""
    places: list[int] = []
    rest = list(small)
    for axis, size in enumerate(large):
        if rest and rest[0] == size:
            rest.pop(0)
        elif size == 1:
            places.append(axis)
        else:
            return []
    return [] if rest else places


# The table ---------------------------------------------------------------------------

NOTATIONS: Mapping[str, Notation] = {
    "add": signed("+", "-"),
    "subtract": signed("-", "+"),
    "multiply": multiply,
    "divide": divide,
    "negative": negative,
    "power": power,
    "product": product,
    "equal": compared("==", "=="),
    "not_equal": compared("!=", "!="),
    "less": compared("<", ">"),
    "less_equal": compared("<=", ">="),
    "cast": cast,
    "sum": reduced("sum"),
    "max": reduced("max"),
    "mean": reduced("mean"),
    "reshape": reshape,
    "transpose": transpose,
    "slice": part_of,
    "pad": pad,
    "concatenate": concatenate,
    "matmul": matmul,
    "take": rows,
}


def write(
    opcode: str, parts: Sequence[Expression], attributes: Attributes, shape: Shape
) -> Written:
    """One operation as text; a call of its word where there is no other notation."""
    if opcode in NOTATIONS:
        return NOTATIONS[opcode](parts, attributes, shape)
    return call(word(opcode), *(part.text for part in parts), **attributes)


def word(opcode: str) -> str:
    """NumPy's name of an operation."""
    return WORDS.get(opcode, opcode)


# Constants ---------------------------------------------------------------------------


def constant(array: NumpyArray) -> Expression | None:
    """A constant written out; None if that takes too much room."""
    if is_uniform(array):
        text = number(array.flat[0])
        return Expression(text, UNARY if text.startswith("-") else ATOM, (), True)
    if array.ndim == 1 and np.array_equal(array, np.arange(array.size)):
        return Expression(f"arange({array.size})", ATOM, array.shape)
    if array.size <= SHOWN_ELEMENTS:
        return Expression(f"array({nested(array)})", ATOM, array.shape)
    return None


def is_uniform(array: NumpyArray) -> bool:
    """Whether an array is one number, repeated."""
    return array.size > 0 and bool((array == array.flat[0]).all() or array.size == 1)


def number(value: Any) -> str:
    """A number in a few digits: 32, 0.001, 0.6931; all of them where it's almost 1."""
    if value.dtype.kind != "f":
        return str(value)
    exact = str(int(value)) if value.is_integer() and abs(value) < 1e6 else str(value)
    short = f"{float(value):.4g}"
    is_short = len(exact) <= SHOWN_DIGITS or float(short).is_integer()
    return exact if is_short else short


def nested(array: NumpyArray) -> str:
    """An array's numbers in brackets."""
    if not array.ndim:
        return number(array[()])
    return f"[{', '.join(nested(np.asarray(row)) for row in array)}]"
