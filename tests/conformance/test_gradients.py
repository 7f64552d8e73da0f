"""Every primitive's gradient is the slope, in float64 and in float32."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.cases import Attributes, every_primitive, examples
from support.loop_forms import in_dtype
from thalweg.backends.numpy.calls import gradient
from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.ir import Program, verify
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import NumpyArray, type_of

every_gradient = pytest.mark.parametrize(
    "opcode", [n for n, row in PRIMITIVES.items() if not isinstance(row.gradient, str)]
)


def objective_of(
    opcode: str, arrays: list[NumpyArray], attributes: Attributes, dtype: str
) -> Program:
    """Σ weights · primitive(x…), and its gradient by every real input."""
    random = np.random.default_rng(7)
    types = {f"x{i}": type_of(a) for i, a in enumerate(arrays)}

    def weighted(values: dict[str, Tracer]) -> dict[str, Tracer]:
        first = next(iter(values.values()))
        result = first.trace.emit(opcode, tuple(values.values()), **attributes)
        weights = random.uniform(0.5, 1.5, result.shape).astype(dtype)
        return {"sum": (result * weights).sum()}

    wanted = [name for name, type in types.items() if type.is_float]
    return verify(differentiate(trace(weighted, types), "sum", wanted))


def gradients(program: Program, arrays: list[NumpyArray]) -> list[NumpyArray]:
    results = interpret(program, dict(zip(program.inputs, arrays, strict=True)))
    return [value for name, value in results.items() if name.startswith("gradient.")]


def five_point(f: Callable[[float], float], step: float) -> float:
    """The derivative at 0, with an error of the fourth order."""
    return (f(-2 * step) - 8 * f(-step) + 8 * f(step) - f(2 * step)) / (12 * step)


def gradient_examples(
    opcode: str, dtype: str
) -> Iterator[tuple[list[NumpyArray], Attributes]]:
    for arrays, attributes in examples(opcode, dtype):
        if all(0 < array.size < 1000 for array in arrays):
            yield arrays, {"dtype": dtype} if opcode == "cast" else attributes


Direction = list[NumpyArray | None]


def direction(random: np.random.Generator, arrays: list[NumpyArray]) -> Direction:
    """A random way to go, for the real inputs."""
    return [
        random.normal(size=a.shape) if a.dtype == np.float64 else None for a in arrays
    ]


def slope_along(program: Program, arrays: list[NumpyArray], ways: Direction) -> float:
    """The derivative in a direction, by five points."""

    def moved(t: float) -> float:
        pairs = zip(arrays, ways, strict=True)
        at = [a if w is None else a + t * w for a, w in pairs]
        return float(
            interpret(program, dict(zip(program.inputs, at, strict=True)))["sum"]
        )

    return five_point(moved, 2e-3 / norm([w for w in ways if w is not None]))


def norm(arrays: list[NumpyArray]) -> float:
    return math.sqrt(sum(float(np.vdot(a, a)) for a in arrays))


@every_gradient
def test_gradient_is_the_slope_in_every_direction(opcode: str) -> None:
    random = np.random.default_rng(0)
    for arrays, attributes in gradient_examples(opcode, "float64"):
        program = objective_of(opcode, arrays, attributes, "float64")
        found = gradients(program, arrays)
        for _ in range(20):
            ways = direction(random, arrays)
            used = [w for w in ways if w is not None]
            pairs = zip(found, used, strict=True)
            expected = sum(float(np.vdot(g, w)) for g, w in pairs)
            error = abs(slope_along(program, arrays, ways) - expected)
            assert error <= 1e-8 * norm(found) * norm(used)


@every_gradient
def test_float32_gradient_is_near_the_float64_one(opcode: str) -> None:
    for arrays, attributes in gradient_examples(opcode, "float32"):
        wide = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
        wider = (
            {"dtype": "float64"}
            if opcode == "cast"
            else in_dtype(attributes, "float64")
        )
        narrow = gradients(objective_of(opcode, arrays, attributes, "float32"), arrays)
        exact = gradients(objective_of(opcode, wide, wider, "float64"), wide)
        for got, expected in zip(narrow, exact, strict=True):
            assert got.dtype == np.float32
            scale = max(1.0, float(np.abs(expected).max()))
            assert_allclose(got, expected, rtol=0, atol=2e-5 * scale)


@every_primitive
def test_a_row_has_either_a_gradient_or_a_reason(row: Any) -> None:
    assert callable(row.gradient) or len(row.gradient.split()) >= 3


@pytest.mark.parametrize("opcode", ["sign", "floor", "stop_gradient"])
def test_without_gradient_nothing_flows_back(opcode: str) -> None:
    arrays = [np.array([0.3, -1.7])]
    (found,) = gradients(objective_of(opcode, arrays, {}, "float64"), arrays)
    assert_array_equal(found, [0.0, 0.0])


def test_largest_elements_that_tie_share_the_gradient() -> None:
    found = gradient(ops.max)(np.array([2.0, 1.0, 2.0]))
    assert_array_equal(found, [0.5, 0.0, 0.5])
