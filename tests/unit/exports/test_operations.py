"""Every primitive in ONNX computes what NumPy says it means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.cases import BY_OPCODE, HAS_SPECIAL, SPECIAL, every_primitive, examples
from support.exported import outputs
from thalweg.backends.numpy.interpret import interpret
from thalweg.exports.graph import Graph, Port
from thalweg.exports.onnx_file import finish, made, sizes
from thalweg.exports.operations import TRANSLATIONS, translate
from thalweg.exports.traced import Traced
from thalweg.program import ops
from thalweg.program.fit_rows import any_rows
from thalweg.program.ir import Program
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray, type_of

TOLERANCE = {"float32": 2e-6, "float64": 1e-12}


def graph_of(traced: Traced, rows_from: str = "") -> bytes:
    program = traced.program
    names = {name: name for name in program.inputs}
    graph = Graph(taken=set(names))
    if rows_from:
        graph.rows = graph.add("Shape", rows_from, start=0, end=1)
    found = translate(graph, traced, names)
    finish(graph, {f"out {name}": value for name, value in found.items()})
    inputs = [port(name, type) for name, type in program.inputs.items()]
    results = [port(f"out {n}", type) for n, type in program.output_types().items()]
    model = made(onnx, graph, inputs, results, {})
    return model.SerializeToString()


def port(name: str, type: ArrayType) -> Port:
    return Port(name, type.dtype, sizes(type.shape))


def run(program: Program, arrays: Mapping[str, NumpyArray]) -> NumpyArray:
    (found,) = outputs(graph_of(Traced(program, {})), dict(arrays))
    return found


def one_instruction(
    opcode: str, arrays: Sequence[NumpyArray], attributes: Mapping[str, Any]
) -> Program:
    def apply(values: dict[str, Tracer]) -> dict[str, Tracer]:
        first = next(iter(values.values()))
        return {"y": first.trace.emit(opcode, tuple(values.values()), **attributes)}

    return trace(apply, {f"x{i}": type_of(a) for i, a in enumerate(arrays)})


def assert_same(
    opcode: str, arrays: Sequence[NumpyArray], attributes: Mapping[str, Any]
) -> None:
    program = one_instruction(opcode, arrays, attributes)
    named = {f"x{i}": array for i, array in enumerate(arrays)}
    found, meant = run(program, named), interpret(program, named)["y"]
    assert found.dtype == meant.dtype
    assert found.shape == meant.shape
    if meant.dtype.kind != "f":
        assert_array_equal(found, meant)
        return
    precision = "float32" if opcode == "erf" else meant.dtype.name
    tolerance = TOLERANCE[precision]
    assert_allclose(found, meant, rtol=tolerance, atol=tolerance)


def test_the_table_has_every_primitive_and_no_other() -> None:
    assert TRANSLATIONS.keys() == PRIMITIVES.keys()


@every_primitive
def test_primitives_mean_the_same(row: Any) -> None:
    for dtype in BY_OPCODE[row.name].dtypes:
        for arrays, attributes in examples(row.name, dtype):
            assert_same(row.name, arrays, attributes)


@pytest.mark.parametrize("row", HAS_SPECIAL, ids=lambda row: row.name)
def test_nan_and_infinity_come_out_the_same(row: Any) -> None:
    case = BY_OPCODE[row.name]
    grid = np.stack(np.meshgrid(SPECIAL, SPECIAL)).reshape(2, -1)
    arrays = [np.asarray(each, "float32") for each in grid][: row.inputs]
    if row.name == "select":
        arrays = [grid[0] > 0, *arrays]
    attributes = case.forms[0][1]
    program = one_instruction(row.name, arrays, attributes)
    named = {f"x{i}": array for i, array in enumerate(arrays)}
    found, meant = run(program, named), interpret(program, named)["y"]
    assert_allclose(found, meant, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("x", [1e-30, 1e-8, 1e-4, 0.3, 0.7, 5.0])
@pytest.mark.parametrize("opcode", ["expm1", "log1p"])
@pytest.mark.parametrize("sign", [1, -1])
def test_small_numbers_lose_no_digits(opcode: str, x: float, sign: int) -> None:
    array = np.array([max(sign * x, -0.9)])
    program = one_instruction(opcode, [array], {})
    found = run(program, {"x0": array})
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
