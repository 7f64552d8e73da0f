"""Bodies and forms of `scan` by itself, for what walks all primitives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from support.by_hand import STEPS
from thalweg.program.ir import Program
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype

TIMES, UNITS = 4, 3


def body(*inputs: str, dtype: Dtype = "float64") -> Program:
    """A formula of one time, as a program over rows; w is the same for all of them."""
    step = STEPS[inputs]
    shapes = {name: (UNITS,) if name == "w" else (ROWS, UNITS) for name in inputs}

    def new(a: dict[str, Any]) -> dict[str, Any]:
        given = step(*a.values())
        states = given if isinstance(given, tuple) else (given,)
        return {f"new.{number}": state for number, state in enumerate(states)}

    return trace(new, {n: ArrayType(shapes[n], dtype) for n in inputs})


def in_dtype(attributes: Mapping[str, Any], dtype: Any) -> Mapping[str, Any]:
    """The attributes where arrays have that dtype: a loop's body follows it."""
    if "body" not in attributes:
        return attributes
    return {**attributes, "body": body(*attributes["body"].inputs, dtype=dtype)}


def loop(rows: int, *inputs: str, reverse: bool = False) -> Any:
    """A form: what a loop over a body of these inputs reads, and its attributes."""
    states = [(rows, UNITS) for name in inputs if name in "sm"]
    whole = [(UNITS,) for name in inputs if name == "w"]
    attributes = {"body": body(*inputs), "states": len(states), "sequences": 1}
    shapes = [(), *states, (rows, TIMES, UNITS), *whole]
    return *shapes, {**attributes, "reverse": reverse}
