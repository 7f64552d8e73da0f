"""How one operation on texts is written: a primitive by its row, idioms by theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.program.expressions import (
    ATOM,
    POWER,
    UNARY,
    Attributes,
    Expression,
    Notation,
    Written,
    call,
    compared,
    reduced,
)
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import DTYPES, NumpyArray, Shape

SHOWN_ELEMENTS = 8
SHOWN_DIGITS = 8

USUAL_WORDS = frozenset(
    [
        *DTYPES,
        *("arange", "array", "broadcast_to", "inf", "nan", "spread"),
        *("range", "reversed", "zeros"),
    ]
)


def product(
    parts: Sequence[Expression], attributes: Attributes, shape: Shape
) -> Written:
    """x**3 for x * x * x."""
    return f"{parts[0].inside(ATOM)}**{attributes['count']}", POWER


IDIOMS: Mapping[str, Notation] = {
    "product": product,
    "not_equal": compared("!=", "!="),
    "mean": reduced("mean"),
}
"""What text says of several instructions together."""


def write(
    opcode: str, parts: Sequence[Expression], attributes: Attributes, shape: Shape
) -> Written:
    """One operation as text; a call of its word where there is no other notation."""
    notation = notation_of(opcode)
    if isinstance(notation, str):
        return call(word(opcode), *(part.text for part in parts), **attributes)
    return notation(parts, attributes, shape)


def notation_of(opcode: str) -> Notation | str:
    """The notation of a primitive or an idiom."""
    return IDIOMS[opcode] if opcode in IDIOMS else PRIMITIVES[opcode].notation


def word(opcode: str) -> str:
    """NumPy's name of an operation."""
    notation = notation_of(opcode)
    return notation if isinstance(notation, str) and notation else opcode


def all_words() -> frozenset[str]:
    """Every word that a text may hold and that is no name in it."""
    return USUAL_WORDS | {"mean"} | {word(name) for name in PRIMITIVES}


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
