"""Stretches: elementwise instructions between two arrays have one derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from thalweg.backends.engine.fuse import fuse
from thalweg.backends.numpy.interpret import interpret
from thalweg.formulas.activations import ACTIVATIONS
from thalweg.program import ops
from thalweg.program.compile import make_safe
from thalweg.program.ir import Program
from thalweg.program.passes.differentiate import differentiate, reached_from
from thalweg.program.passes.simplify import simplify
from thalweg.program.passes.stretches import stretches_of
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType

Formula = Callable[[dict[str, Tracer]], Any]
X = {"x": ArrayType((5,), "float64"), "y": ArrayType((5,), "float64")}


def found(formula: Formula) -> list[tuple[str, list[str]]]:
    """What enters each stretch, and its operations."""
    program = trace(lambda a: {"z": formula(a)}, X)
    wanted = reached_from(program, range(len(X)))
    names = [*program.inputs, *(i.opcode for i in program.instructions)]
    return [
        (names[each.entry], [names[value] for value in each.values])
        for each in stretches_of(program, wanted).values()
    ]


def test_ways_that_part_and_meet_are_one_stretch() -> None:
    assert found(lambda a: 2 * (a["x"] * ops.tanh(a["x"]))) == [
        ("x", ["tanh", "multiply", "multiply"])
    ]


def test_two_stretches_in_a_row_are_one() -> None:
    def squared(x: Tracer) -> Tracer:
        return x * ops.exp(x)

    ((entry, values),) = found(lambda a: squared(squared(a["x"])))
    assert (entry, values) == ("x", ["exp", "multiply"] * 2)


@pytest.mark.parametrize(
    "formula",
    [
        lambda a: ops.exp(ops.tanh(a["x"])),  # one way
        lambda a: a["x"] * a["x"],  # one instruction
        lambda a: a["x"] * ops.exp(a["y"]),  # two arrays
        lambda a: ops.exp(a["x"]) * ops.sum(a["x"]),  # not element by element
    ],
)
def test_other_programs_have_none(formula: Formula) -> None:
    assert found(formula) == []


def test_what_is_read_elsewhere_is_not_inside() -> None:
    def formula(a: dict[str, Tracer]) -> Tracer:
        inner = ops.exp(a["x"])
        return inner * ops.tanh(inner) + ops.sum(inner)

    assert found(formula) == [("exp", ["tanh", "multiply"])]


def test_what_has_a_gradient_of_its_own_is_in_no_stretch() -> None:
    def formula(a: dict[str, Tracer]) -> Tracer:
        inner = ops.exp(a["x"])
        return a["x"] * inner + ops.sum(inner)

    assert found(formula) == []


def with_gradient(formula: Formula) -> Program:
    """Σ y·f(x), and its gradients by x and y."""
    program = trace(lambda a: {"sum": ops.sum(a["y"] * formula(a))}, X)
    return simplify(differentiate(make_safe(program), "sum", list(X)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_gradient_is_the_difference(name: str) -> None:
    given = {"x": np.array([-3.0, -0.6, 0.3, 1.0, 2.5]), "y": np.linspace(0.5, 2, 5)}
    program = with_gradient(lambda a: ACTIVATIONS[name](a["x"]))
    steps = {sign: {**given, "x": given["x"] + sign * 1e-6} for sign in (-1, 1)}
    values = {
        sign: interpret(
            trace(lambda a: {"f": ACTIVATIONS[name](a["x"])}, {"x": X["x"]}),
            {"x": moved["x"]},
        )["f"]
        for sign, moved in steps.items()
    }
    slope = given["y"] * (values[1] - values[-1]) / 2e-6
    gradient = interpret(program, given)["gradient.x"]
    if name != "softmax":  # which isn't element by element
        np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_the_gradient_reads_one_array_of_the_kernel_before(name: str) -> None:
    """Its slope is computed where its argument is, not brought there in pieces."""
    inputs = {
        "x": ArrayType((64, 8), "float32"),
        "w": ArrayType((8, 32), "float32"),
        "v": ArrayType((32, 4), "float32"),
    }

    def formula(a: dict[str, Tracer]) -> dict[str, Tracer]:
        return {"sum": ops.sum((ACTIVATIONS[name](a["x"] @ a["w"]) @ a["v"]) ** 2)}

    program = simplify(differentiate(trace(formula, inputs), "sum", ["w", "v"]))
    kernels = fuse(program, {})
    first = next(k for k in kernels.kernels if len(k.values) > 1)
    assert len(first.outputs) == 2  # what the next layer reads, and the slope
