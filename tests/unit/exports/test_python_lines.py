"""Programs in Python: how their lines look, and any number of rows."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.backends import lines_of, run_python, traced_of
from support.one_instruction import program_of
from thalweg.backends.numpy.interpret import interpret
from thalweg.exports.traced import Traced
from thalweg.program import ops
from thalweg.program.fit_rows import any_rows
from thalweg.program.ir import Program
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType


def text_of(function: Any, **types: tuple[int, ...]) -> str:
    program = trace(
        lambda a: {"y": function(**a)},
        {name: ArrayType(shape, "float32") for name, shape in types.items()},
    )
    lines, (result,), _ = lines_of(traced_of(program))
    return "; ".join([*lines, result])


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda a, b, c: a - (b - c), "a - (b - c)"),
        (lambda a, b, c: a - b - c, "a - b - c"),
        (lambda a, b, c: a / (b * c), "a / (b * c)"),
        (lambda a, b, c: (a + b) * -c, "(a + b) * -c"),
        (lambda a, b, c: a ** (b + c), "a ** (b + c)"),
        (lambda a, b, c: (-a) ** b + c, "(-a) ** b + c"),
        (
            lambda a, b, c: ops.where((a < b) == (b < c), a, 0.1),
            "np.where((a < b) == (b < c), a, 0.1)",
        ),
        (
            lambda a, b, c: (a + b).sum(axis=1, keepdims=True) * c,
            "(a + b).sum(axis=1, keepdims=True) * c",
        ),
    ],
)
def test_parentheses_stand_where_they_matter(function: Any, text: str) -> None:
    shape = (4, 4)
    assert text_of(function, a=shape, b=shape, c=shape) == text


def test_a_value_that_is_used_twice_has_a_name() -> None:
    def softmax(x: Any) -> Any:
        e = ops.exp(x)
        return e / ops.sum(e, axis=1, keepdims=True)

    text = text_of(softmax, x=(3, 2))
    assert text == "t1 = np.exp(x); t1 / t1.sum(axis=1, keepdims=True)"


@pytest.mark.parametrize("rows", [1, 7])
def test_the_lines_take_any_number_of_rows(rows: int) -> None:
    def program_for(count: int) -> Program:
        def apply(a: dict[str, Tracer]) -> dict[str, Any]:
            x = a["x"]
            tall = ops.reshape(x, (count * 3, 1))
            both = ops.concatenate([tall, tall], axis=0)
            return {
                "scaled": (x - ops.mean(x, axis=0)) / count,
                "cut": both[1 : 6 * count - 1],
                "wide": ops.broadcast_to(ops.sum(x), (count, 2)),
                "table": x * np.arange(30, dtype=np.float32).reshape(10, 3)[:1],
            }

        return trace(apply, {"x": ArrayType((count, 3), "float32")})

    traced = Traced(any_rows(program_for), {})
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    meant = interpret(program_for(rows), {"x": x})
    for array, name in zip(
        run_python(traced, {"x": x}), traced.program.outputs, strict=True
    ):
        assert array.dtype == np.float32
        assert_allclose(array, meant[name], rtol=1e-5, atol=1e-6)


def test_whole_numbers_stay_exact() -> None:
    x = np.array([[2**31 - 1, 1]], np.int32)
    program, _ = program_of("sum", [x[:, 1:]], {"axes": (1,)})
    (found,) = run_python(traced_of(program), {"x0": x[:, 1:]})
    assert_array_equal(found, [[1]])
    assert found.dtype == np.int32
