"""What many numbers share is divided by once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.compile import finish, move_work
from thalweg.program.ir import Program, verify
from thalweg.program.loops import scan
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.divide_once import divide_once
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

TYPES = {"x": ArrayType((3, 5), "float32"), "y": ArrayType((3, 5), "float32")}


def traced(formula: Any) -> Program:
    return trace(formula, TYPES)


def spread(arrays: Any) -> Any:
    """The root of a sum over each row."""
    return ops.sqrt(ops.sum(arrays["y"], axis=1, keepdims=True))


def normed(arrays: Any) -> Any:
    return {"result": ops.sum(arrays["x"] / spread(arrays))}


def divided(program: Program) -> list[int]:
    """How many numbers each division gives."""
    return [i.type.size for i in program.instructions if i.opcode == "divide"]


def test_rows_are_multiplied_by_the_reciprocal_of_their_root() -> None:
    program = traced(normed)
    changed = verify(divide_once(program))
    assert divided(program) == [15]
    assert divided(changed) == [3]


def test_the_gradient_divides_no_more_either() -> None:
    moved = move_work(traced(normed))
    gradient = finish(differentiate(moved, "result", ["x", "y"]))
    assert max(divided(gradient)) == 3


@pytest.mark.parametrize("below", [0.0, 1e-45, 1e-38, 2.0, 3e38, np.inf, np.nan, -1.0])
def test_values_are_the_same_however_large_or_small(below: float) -> None:
    program = traced(lambda arrays: {"result": arrays["x"] / spread(arrays)})
    x = np.array([0.0, 1e-40, -2.0, np.inf, np.nan], np.float32) * np.ones((3, 1))
    given = {"x": x.astype("float32"), "y": np.full((3, 5), below / 5, np.float32)}
    with np.errstate(all="ignore"):
        expected = interpret(program, given)["result"]
        found = interpret(divide_once(program), given)["result"]
    assert_allclose(found, expected, 4e-7)


def test_in_a_loop_too() -> None:
    def step(h: Any, x: Any) -> Any:
        h = h + x
        return h / ops.sqrt(ops.sum(h * h, axis=-1, keepdims=True) + 1e-5)

    def formula(arrays: Any) -> Any:
        return {"result": scan(step, arrays["x"], arrays["z"])}

    types = {**TYPES, "z": ArrayType((3, 4, 5), "float32")}
    program = trace(formula, types)
    (loop,) = (i for i in divide_once(program).instructions if i.opcode == "scan")
    body: Program = loop.attributes["body"]
    (one,) = (each for each in body.instructions if each.opcode == "divide")
    assert one.type.shape[1:] == (1,)


@pytest.mark.parametrize(
    "formula",
    [
        lambda arrays: {"result": arrays["x"] / ops.sqrt(arrays["y"])},
        lambda arrays: {
            "result": arrays["x"] / ops.sum(ops.sqrt(arrays["y"]), 1, keepdims=True)
        },
    ],
)
def test_nothing_else_changes(formula: Any) -> None:
    """A root of its own for each number, or what may be as good as 0."""
    program = traced(formula)
    assert divided(divide_once(program)) == [15]
