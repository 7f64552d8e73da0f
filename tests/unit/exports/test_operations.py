"""Programs in ONNX: what is lost nowhere, and any number of rows."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from support.backends import graph_of, run_onnx
from support.cases import BY_OPCODE, HAS_SPECIAL, SPECIAL
from support.exported import outputs
from support.one_instruction import program_of
from thalweg.backends.numpy.interpret import interpret
from thalweg.exports.traced import Traced
from thalweg.program import ops
from thalweg.program.fit_rows import any_rows
from thalweg.program.ir import Program
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType


@pytest.mark.parametrize("row", HAS_SPECIAL, ids=lambda row: row.name)
def test_nan_and_infinity_come_out_the_same(row: Any) -> None:
    case = BY_OPCODE[row.name]
    grid = np.stack(np.meshgrid(SPECIAL, SPECIAL)).reshape(2, -1)
    arrays = [np.asarray(each, "float32") for each in grid][: row.inputs]
    if row.name == "select":
        arrays = [grid[0] > 0, *arrays]
    attributes = case.forms[0][1]
    program, _ = program_of(row.name, arrays, attributes)
    named = {f"x{i}": array for i, array in enumerate(arrays)}
    found, meant = run_onnx(program, named), interpret(program, named)["y"]
    assert_allclose(found, meant, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("x", [1e-30, 1e-8, 1e-4, 0.3, 0.7, 5.0])
@pytest.mark.parametrize("opcode", ["expm1", "log1p"])
@pytest.mark.parametrize("sign", [1, -1])
def test_small_numbers_lose_no_digits(opcode: str, x: float, sign: int) -> None:
    array = np.array([max(sign * x, -0.9)])
    program = program_of(opcode, [array], {})[0]
    found = run_onnx(program, {"x0": array})
    assert_allclose(found, getattr(np, opcode)(array), rtol=4e-15)


@pytest.mark.parametrize("rows", [1, 2, 1009, 1500])
def test_one_graph_takes_any_number_of_rows(rows: int) -> None:
    def program_for(count: int) -> Program:
        def apply(a: dict[str, Tracer]) -> dict[str, Any]:
            x = a["x"]
            tall = ops.reshape(x, (count * 3, 1))
            both = ops.concatenate([tall, tall], axis=0)
            return {
                "scaled": (x - ops.mean(x, axis=0)) / count,
                "cut": both[1 : 6 * count - 1],
                "wide": ops.broadcast_to(ops.sum(x), (count, 2)),
                "pairs": ops.reshape(x @ x.T, (count, count, 1)),
            }

        return trace(apply, {"x": ArrayType((count, 3), "float32")})

    traced = Traced(any_rows(program_for), {})
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    found = outputs(graph_of(traced, rows_from="x"), {"x": x})
    meant = interpret(program_for(rows), {"x": x})
    for array, name in zip(found, traced.program.outputs, strict=True):
        assert_allclose(array, meant[name], rtol=1e-4, atol=1e-6)
