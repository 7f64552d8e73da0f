"""Pieces of formulas as text, and how tightly each holds together.

The notation is that of Python and NumPy. What several primitives are written by stands
here; what one alone is written by, beside its row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.program.types import Shape

# How tightly an expression holds together, as in Python.
COMPARISON, SUM, MATRIX_PRODUCT, QUOTIENT, PRODUCT, UNARY, POWER, ATOM = range(8)


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
Parts = Sequence[Expression]
Attributes = Mapping[str, Any]
Notation = Callable[[Parts, Attributes, Shape], Written]


def call(function: str, *arguments: object, **settings: object) -> Written:
    """function(x, y, axis=0)."""
    shown = [str(each) for each in arguments]
    shown += [f"{name}={value}" for name, value in settings.items()]
    return f"{function}({', '.join(shown)})", ATOM


def compared(sign: str, turned: str) -> Notation:
    """x < y, numbers last."""

    def write(parts: Parts, _: Attributes, shape: Shape) -> Written:
        left, right = reversed(parts) if parts[0].is_number else parts
        shown = turned if parts[0].is_number else sign
        return f"{left.inside(SUM)} {shown} {right.inside(SUM)}", COMPARISON

    return write


def reduced(function: str) -> Notation:
    """sum(x, axis=0); the axis stays where NumPy would take the next one for it."""

    def write(parts: Parts, attributes: Attributes, shape: Shape) -> Written:
        (part,) = parts
        axes: Shape = attributes["axes"]
        settings: dict[str, object] = {}
        if len(axes) < len(part.shape):
            settings["axis"] = axes[0] if len(axes) == 1 else axes
        if len(shape) == len(part.shape) and not are_first(axes):
            settings["keepdims"] = True
        return call(function, part.text, **settings)

    return write


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
