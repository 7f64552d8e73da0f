"""Slices in any direction are those of NumPy, and so are their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import thalweg as tw
from support.backends import run_onnx
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram
from thalweg.backends.numpy.interpret import interpret
from thalweg.backends.text.render import formulas
from thalweg.program.ir import Program, verify
from thalweg.program.passes.simplify import simplify
from thalweg.program.serialize import from_data, to_data
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, NumpyArray

SHAPE = (4, 1, 6)
PLACES = st.one_of(st.none(), st.integers(-9, 9))
STEPS = st.one_of(st.none(), st.integers(-4, 4).filter(bool))
KEYS = st.tuples(*[st.builds(slice, PLACES, PLACES, STEPS)] * len(SHAPE))


def by_engine(program: Program, x: NumpyArray) -> NumpyArray:
    type = program.output_types()["y"]
    y = np.full(type.shape, 7, type.dtype)
    NativeProgram(compile_program(program), {"x": x, "y": y}).engine.run()
    return y


def sliced(key: Any, dtype: Any = "float32") -> Program:
    types = {"x": ArrayType(SHAPE, dtype)}
    return verify(simplify(trace(lambda a: {"y": a["x"][key]}, types)))


@given(key=KEYS)
def test_a_slice_is_that_of_numpy(key: Any) -> None:
    x = np.arange(24, dtype=np.float32).reshape(SHAPE)
    program = sliced(key)
    for found in (interpret(program, {"x": x})["y"], by_engine(program, x)):
        assert_array_equal(found, x[key], strict=True)
    data, constants = to_data(program)
    assert from_data(data, constants, 1) == program


@given(key=KEYS)
def test_a_slice_is_exported_and_printed(key: Any) -> None:
    x = np.arange(24, dtype=np.float32).reshape(SHAPE)
    program = sliced(key)
    assert_array_equal(run_onnx(program, {"x": x}), x[key], strict=True)
    (line,) = formulas(program)
    space = {"x": x, "reshape": np.reshape}
    assert_array_equal(np.reshape(eval(str(line)[4:], space), x[key].shape), x[key])


@given(key=KEYS, other=KEYS)
def test_a_slice_of_a_slice_is_one_too(key: Any, other: Any) -> None:
    x = np.arange(24, dtype=np.float64).reshape(SHAPE)

    def formula(a: dict[str, Any]) -> dict[str, Any]:
        return {"y": a["x"][key][other] * 2.0 + 1.0}

    program = simplify(trace(formula, {"x": ArrayType(SHAPE, "float64")}))
    assert_array_equal(by_engine(program, x), x[key][other] * 2 + 1, strict=True)


@given(key=KEYS)
def test_its_gradient_goes_back_to_where_it_was_taken(key: Any) -> None:
    x = np.zeros(SHAPE)
    weights = np.arange(1.0, x[key].size + 1).reshape(x[key].shape)
    found = tw.gradient(lambda x: tw.sum(x[key] * weights))(x)
    x[key] = weights
    assert_array_equal(found, x)


def test_rows_may_run_backwards_but_are_no_longer_apart() -> None:
    def formula(a: dict[str, Any]) -> dict[str, Any]:
        return {"y": a["x"][::-1], "z": a["x"][:, ::-1]}

    program = trace(formula, {"x": ArrayType((ROWS, 3), "float32")})
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    found = interpret(program.at(rows=4), {"x": x})
    assert_array_equal(found["y"], x[::-1])
    assert_array_equal(found["z"], x[:, ::-1])


def test_layers_may_turn_rows_and_what_is_in_them() -> None:
    class Turned(tw.Layer):
        def forward(self, x: Any, p: Any) -> Any:
            return x + x[:, ::-1]

    class Mixed(tw.Layer):
        def forward(self, x: Any, p: Any) -> Any:
            return x + x[::-1]

    X = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    for layer, wanted in ((Turned(), X + X[:, ::-1]), (Mixed(), X + X[::-1])):
        assert_array_equal(tw.Network([layer]).initialize(4).predict(X), wanted)
