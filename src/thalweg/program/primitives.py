"""The registry of what a program can do: one row a primitive.

A row says all that is known of a primitive. The rows stand in `families`, a file a
family, each with its functions beside it. They lie above tracing, since gradients are
written in the words of `ops`; the registry lies below it, and a row is looked up by its
name when it's needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, ParamSpec

from thalweg.program.expressions import Notation
from thalweg.program.row_rules import RowRule
from thalweg.program.types import ArrayType, NumpyArray

Kind = Literal[
    "constant", "elementwise", "reduction", "view", "product", "index", "random", "loop"
]
ShapeRule = Callable[..., ArrayType]
Meaning = Callable[..., NumpyArray]
Gradient = Callable[..., tuple[Any, ...]]
Cost = Callable[[Sequence[ArrayType], Mapping[str, Any], ArrayType], int]


# Costs that rows share ---------------------------------------------------------------


def no_operations(_: object, __: object, ___: ArrayType) -> int:
    """It only moves elements."""
    return 0


def one_an_output(_: object, __: object, result: ArrayType) -> int:
    """One for each element that it gives."""
    return result.size


def one_an_input(inputs: Sequence[ArrayType], _: object, __: object) -> int:
    """One for each element of its first input."""
    return inputs[0].size


# The rows ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Primitive:
    """One row of the registry.

    Arguments:
        name: what instructions call it.
        inputs: how many it takes; None for one or more.
        infer: the shape rule, of types and attributes.
        meaning: in NumPy, of arrays, attributes and `out`.
        gradient: of the cotangent of the output (the derivative of the objective by
            it), the output, the inputs and the attributes, in the words of `ops`: a
            cotangent for every input, None where an input has none. Or the reason why
            there is no gradient.
        kind: elementwise primitives take arrays of one shape, whatever has to be
            repeated is broadcast by an instruction of its own; views are other strides
            over the same bytes; a loop holds a program, and its gradient takes the pass
            that differentiates it first.
        rows: what becomes of a batch's rows.
        cost: the operations on numbers, of the inputs' types, the attributes and the
            output's type.
        notation: how text shows it; a word for a function of that name, nothing for one
            of its own name.
        attributes: the names of what an instruction carries, in order.
        commutative: whether two inputs may change places.
        version: raised when the meaning changes, so that old files are refused.
    """

    name: str
    inputs: int | None
    infer: ShapeRule
    meaning: Meaning
    gradient: Gradient | str
    _: KW_ONLY
    kind: Kind
    rows: RowRule
    cost: Cost = no_operations
    notation: Notation | str = ""
    attributes: tuple[str, ...] = ()
    commutative: bool = False
    version: int = 1

    @property
    def is_free(self) -> bool:
        """Whether it takes no work: other strides, or bytes that are known."""
        return self.kind in ("view", "constant")


PRIMITIVES: dict[str, Primitive] = {}
Row = ParamSpec("Row")


def entering(make: Callable[Row, Primitive]) -> Callable[Row, None]:
    """What makes a row and enters it."""

    def enter(*arguments: Row.args, **named: Row.kwargs) -> None:
        row = make(*arguments, **named)
        if row.name in PRIMITIVES:
            raise ValueError(f"two primitives are named {row.name}")
        PRIMITIVES[row.name] = row

    return enter


register = entering(Primitive)
"""Enter a row. The engine's opcodes are in the order in which rows are entered."""
