"""The closed list of what a program can do, one row a primitive.

A row holds the name, the kind, the shape rule and the meaning in NumPy; the gradient
formula stands in `gradients`, or the row says why there is none. Shape rules that
several share stand in `shape_rules`, meanings that NumPy lacks in `meanings`.

Elementwise primitives take arrays of one shape: whatever has to be repeated is
broadcast by an instruction of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from thalweg.program import loop_rules, meanings
from thalweg.program import shape_rules as shapes
from thalweg.program.types import ArrayType, NumpyArray

Kind = Literal[
    "constant", "elementwise", "reduction", "view", "product", "index", "random", "loop"
]
ShapeRule = Callable[..., ArrayType]
Meaning = Callable[..., NumpyArray]


@dataclass(frozen=True)
class Primitive:
    """One row of the table.

    `infer(*types, **attributes)` is the shape rule, `meaning(*arrays, out=None,
    **attributes)` the meaning. `attributes` names what an instruction carries.
    `no_gradient` is empty, or the reason why there is no gradient formula.
    """

    name: str
    kind: Kind
    inputs: int | None
    infer: ShapeRule
    meaning: Meaning
    attributes: tuple[str, ...] = ()
    no_gradient: str = ""
    commutative: bool = False
    version: int = 1  # raised when the meaning changes, so that old files are refused


STEPS = "it is constant between its jumps, so the derivative is zero wherever it exists"
WHOLE = "whole numbers and booleans have no derivative"


def elementwise(
    name: str,
    inputs: int,
    infer: ShapeRule,
    meaning: Any,
    *,
    attributes: tuple[str, ...] = (),
    no_gradient: str = "",
    commutative: bool = False,
) -> Primitive:
    """A row of the table that works element by element."""
    return Primitive(
        name,
        "elementwise",
        inputs,
        infer,
        meaning,
        attributes,
        no_gradient,
        commutative,
    )


TABLE: tuple[Primitive, ...] = (
    Primitive(
        "constant",
        "constant",
        0,
        shapes.constant_type,
        meanings.constant,
        ("value",),
        "no input",
    ),
    elementwise("add", 2, shapes.numbers, np.add, commutative=True),
    elementwise("subtract", 2, shapes.numbers, np.subtract),
    elementwise("multiply", 2, shapes.numbers, np.multiply, commutative=True),
    elementwise("divide", 2, shapes.floats, np.divide),
    elementwise("negative", 1, shapes.numbers, np.negative),
    elementwise("power", 2, shapes.floats, np.power),
    elementwise("maximum", 2, shapes.numbers, np.maximum),
    elementwise("minimum", 2, shapes.numbers, np.minimum),
    elementwise("absolute", 1, shapes.numbers, np.absolute),
    elementwise("sign", 1, shapes.floats, np.sign, no_gradient=STEPS),
    elementwise("floor", 1, shapes.floats, np.floor, no_gradient=STEPS),
    elementwise("exp", 1, shapes.floats, np.exp),
    elementwise("expm1", 1, shapes.floats, np.expm1),
    elementwise("log", 1, shapes.floats, np.log),
    elementwise("log1p", 1, shapes.floats, np.log1p),
    elementwise("sqrt", 1, shapes.floats, np.sqrt),
    elementwise("sin", 1, shapes.floats, np.sin),
    elementwise("cos", 1, shapes.floats, np.cos),
    elementwise("tanh", 1, shapes.floats, np.tanh),
    elementwise("sigmoid", 1, shapes.floats, meanings.sigmoid),
    elementwise("softplus", 1, shapes.floats, meanings.softplus),
    elementwise("erf", 1, shapes.floats, meanings.erf),
    elementwise(
        "equal", 2, shapes.comparison, np.equal, no_gradient=WHOLE, commutative=True
    ),
    elementwise("less", 2, shapes.comparison, np.less, no_gradient=WHOLE),
    elementwise("less_equal", 2, shapes.comparison, np.less_equal, no_gradient=WHOLE),
    elementwise(
        "logical_and",
        2,
        shapes.booleans,
        np.logical_and,
        no_gradient=WHOLE,
        commutative=True,
    ),
    elementwise("logical_not", 1, shapes.booleans, np.logical_not, no_gradient=WHOLE),
    elementwise("select", 3, shapes.select_type, meanings.select),
    elementwise(
        "cast", 1, shapes.cast_type, meanings.cast_array, attributes=("dtype",)
    ),
    elementwise(
        "stop_gradient", 1, shapes.same_type, np.positive, no_gradient="it stops it"
    ),
    Primitive("sum", "reduction", 1, shapes.sum_type, meanings.sum_array, ("axes",)),
    Primitive("max", "reduction", 1, shapes.max_type, meanings.max_array, ("axes",)),
    Primitive(
        "argmax",
        "reduction",
        1,
        shapes.argmax_type,
        meanings.argmax_array,
        ("axis",),
        WHOLE,
    ),
    Primitive(
        "reshape", "view", 1, shapes.reshape_type, meanings.reshape_array, ("shape",)
    ),
    Primitive(
        "transpose",
        "view",
        1,
        shapes.transpose_type,
        meanings.transpose_array,
        ("axes",),
    ),
    Primitive(
        "broadcast",
        "view",
        1,
        shapes.broadcast_type,
        meanings.broadcast_array,
        ("shape",),
    ),
    Primitive(
        "slice",
        "view",
        1,
        shapes.slice_type,
        meanings.slice_array,
        ("starts", "stops", "steps"),
    ),
    Primitive(
        "pad",
        "index",
        1,
        shapes.pad_type,
        meanings.pad_array,
        ("starts", "steps", "shape"),
    ),
    Primitive(
        "concatenate",
        "index",
        None,
        shapes.concatenate_type,
        meanings.concatenate_array,
        ("axis",),
    ),
    Primitive(
        "matmul",
        "product",
        2,
        shapes.matmul_type,
        meanings.matmul_array,
        ("transpose_a", "transpose_b"),
    ),
    Primitive("take", "index", 2, shapes.take_type, meanings.take_array),
    Primitive(
        "scatter_add",
        "index",
        2,
        shapes.scatter_add_type,
        meanings.scatter_add_array,
        ("rows",),
    ),
    Primitive(
        "random_bits",
        "random",
        2,
        shapes.random_bits_type,
        meanings.random_bits_array,
        ("operation", "shape"),
        WHOLE,
    ),
    Primitive(
        "scan",
        "loop",
        None,
        loop_rules.scan_type,
        loop_rules.scan_array,
        loop_rules.BODY,
    ),
)

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in TABLE}
