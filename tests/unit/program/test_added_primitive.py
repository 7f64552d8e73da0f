"""A primitive added as CONTRIBUTING says, by its own lines."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.backends import BACKENDS, ENGINES
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.numpy.calls import gradient
from thalweg.backends.text.render import render
from thalweg.errors import ProgramError
from thalweg.program import ops
from thalweg.program.families import elementwise
from thalweg.program.ir import verify
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.trace import OPERATIONS, trace
from thalweg.program.types import ArrayType

PAGE = Path(__file__).parents[3] / "CONTRIBUTING.md"
X = np.array([[-1.5, 0.0, 2.0]])


@pytest.fixture
def cube() -> Iterator[Any]:
    """The word that the page's two blocks of code give."""
    section = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.M)
    (steps,) = [text for text in section if text.startswith("Add a primitive")]
    row, word = map(dedent, re.findall(r"```text\n(.*?)```", steps, re.S))
    space = dict(vars(ops))
    try:
        exec(row, dict(vars(elementwise)))
        exec(word, space)
        yield space["cube"]
    finally:
        PRIMITIVES.pop("cube", None)
        OPERATIONS.pop("cube", None)


def test_it_is_traced_computed_and_shown(cube: Any) -> None:
    program = trace(lambda a: {"y": cube(a["x"])}, {"x": ArrayType((1, 3), "float64")})
    assert "%1 f64[1,3] = cube(x)" in str(verify(program))
    assert render(program) == "y = x**3"
    assert_array_equal(tw.formula(cube)(X), X * X * X)


def test_its_gradient_is_the_slope(cube: Any) -> None:
    step = 1e-6
    slope = (cube(X + step) - cube(X - step)) / (2 * step)
    assert_allclose(gradient(lambda x: cube(x).sum())(X), slope, rtol=1e-8, atol=1e-9)


def test_a_network_of_it_explains_itself_and_learns_by_numpy(cube: Any) -> None:
    network = tw.Network([tw.Dense(1, cube)]).initialize(3)
    assert "**3" in network.explain()
    settings: dict[str, Any] = {
        "optimizer": tw.SGD(0.01),
        "validation": None,
        "epochs": 5,
    }
    history = network.fit(X, [[1.0]], engine="interpreter", **settings)
    assert history.training_loss == sorted(history.training_loss, reverse=True)
    with pytest.raises(ProgramError, match=r"no kernel for cube; .*interpreter"):
        network.fit(X, [[1.0]], **settings)


def test_what_lacks_a_row_for_it_says_so(cube: Any) -> None:
    types = {"x": ArrayType((1, 3), "float64")}
    program = trace(lambda a: {"y": cube(a["x"]).sum()}, types)
    with pytest.raises(ProgramError, match="the engine has no kernel for cube"):
        compile_program(differentiate(program, "y", ["x"]))
    lacking = [each.name for each in [*ENGINES, *BACKENDS] if not each.has("cube")]
    assert lacking == [*(each.name for each in ENGINES), "onnx", "python"]


def test_two_primitives_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match="two primitives are named exp"):
        elementwise.row(
            "exp", 1, PRIMITIVES["exp"].infer, np.exp, "it is there already"
        )
