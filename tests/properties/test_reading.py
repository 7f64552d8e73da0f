"""Random compositions as formulas: read back as Python, they compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from support import compositions
from support.compositions import INPUTS, JAGGED, SMOOTH, Recipe, numbers, recipes, seeds
from support.formulas import read
from thalweg.backends.numpy.interpret import interpret
from thalweg.backends.text import notation
from thalweg.backends.text.render import render
from thalweg.explain.subprograms import subprogram
from thalweg.program import ops
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.simplify import simplify
from thalweg.program.passes.stabilize import stabilize
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


@pytest.fixture(scope="module", autouse=True)
def every_digit() -> Iterator[None]:
    """Numbers are written out, and arrays in whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notation, "SHOWN_DIGITS", 99)
        patch.setattr(notation, "SHOWN_ELEMENTS", 10_000)
        yield


def near(found: Any, expected: Any) -> None:
    """Equal but for rounding, in a shape that NumPy repeats to the right one."""
    scale = max(float(np.abs(expected).max(initial=0)), 1.0)
    whole = np.broadcast_to(found, np.shape(expected))
    assert_allclose(whole, expected, rtol=1e-7, atol=1e-9 * scale)


@settings(max_examples=200)
@given(recipes(JAGGED), seeds)
def test_a_program_s_lines_compute_what_it_does(recipe: Recipe, seed: int) -> None:
    program = simplify(compositions.forward(recipe))
    values = numbers(seed)
    found = read(render(program).splitlines(), values)
    near(found["y"], interpret(program, values)["y"])


ends = st.tuples(
    st.sampled_from(["max", "sum", "mean", "flatten", "softmax", "pick"]),
    *[st.integers(0, 11)] * 3,
)
"""Last steps that are written in another shape than they are computed in."""


@settings(max_examples=300)
@example([("max", 1, 0, 1)], 0)
@example([("sum", 0, 0, 1), ("open", 0, 0, 0), ("max", 0, 0, 0)], 0)
@example([("max", 2, 0, 1), ("sin", 0, 0, 0)], 0)
@example([("broadcast", 0, 0, 0), ("max", 0, 0, 0)], 0)
@example([("broadcast", 0, 0, 1), ("max", 0, 0, 0)], 0)
@given(st.tuples(recipes(SMOOTH, 5), ends).map(lambda r: [*r[0], r[1]]), seeds)
def test_the_lines_of_gradients_compute_them(recipe: Recipe, seed: int) -> None:
    """In the words of the forward formulas, as `explain` shows a layer."""
    types, values = dict(INPUTS), numbers(seed)
    shown = subprogram(
        lambda arrays: {"y": compositions.cook(recipe, arrays)[-1]},
        types,
        ["y"],
        by=list(types),
    )
    shape = shown.program.output_types()["y"].shape
    if shape:
        types["dy"] = ArrayType(shape, "float64")
        values["dy"] = np.random.default_rng(seed).normal(size=shape)

    def objective(arrays: dict[str, Any]) -> dict[str, Any]:
        given = {name: arrays[name] for name in INPUTS}
        y = compositions.cook(recipe, given)[-1]
        return {"J": ops.sum(y * arrays["dy"]) if shape else y, "y": y}

    safe = stabilize(simplify(trace(objective, types)))
    expected = interpret(differentiate(safe, "J", list(INPUTS)), values)
    found = read([*shown.forward_lines(), *shown.backward_lines()], values)
    near(found["y"], expected["y"])
    for name in INPUTS:
        near(found[f"d{name}"], expected[f"gradient.{name}"])
