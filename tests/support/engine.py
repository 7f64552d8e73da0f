"""Programs run by the engine, their rows cut into blocks and shards."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thalweg import _engine
from thalweg.backends.engine.assemble import compile_parts
from thalweg.backends.engine.blocks import Blocks
from thalweg.backends.engine.native import NativeProgram, clear_errors
from thalweg.backends.engine.split import Parts, split
from thalweg.program.ir import Program
from thalweg.program.row_axes import find_rows, row_axes
from thalweg.program.types import NumpyArray

Values = Mapping[str, NumpyArray]

COUNT = 37
CUTS = (Blocks(COUNT, 1), Blocks(16, 2), Blocks(5, 3), Blocks(2, 16), Blocks(3, 1))
TOLERANCE = {"float32": 3e-5, "float64": 1e-11}
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
every_isa = pytest.mark.parametrize("isa", _engine.available())


def row_inputs(program: Program) -> list[str]:
    """The names of the inputs that hold rows."""
    return [name for name, type in program.inputs.items() if row_axes(type)]


def bind(
    program: Program, values: Values, blocks: Blocks, isa: str | None = None
) -> tuple[NativeProgram, dict[str, NumpyArray]]:
    """A program cut into blocks, with copies of its inputs, and all its arrays.

    The program is over `ROWS` rows.
    """
    names = row_inputs(program)
    rows = len(values[names[0]])
    found = find_rows(program)
    parts = None if found is None else split(program, found)
    if parts is None:  # rows meet: one block
        parts, blocks = Parts(None, program, None), Blocks(rows)
    own = {name: np.array(values[name]) for name in program.inputs}
    compiled = compile_parts(parts.at(rows, blocks.rows), blocks, names)
    bound = NativeProgram(compiled, own, isa)
    arrays = {**own, **bound.arrays, **bound.row_outputs(rows)}
    bound.bind_rows({name: arrays[name] for name in bound.engine.buffers})
    return bound, arrays


def by_engine(
    program: Program, values: Values, blocks: Blocks, isa: str | None = None
) -> dict[str, NumpyArray]:
    """What a program gives, cut into blocks.

    It runs on NaN first: fresh memory is 0, which would hide what no step has written.
    """
    bound, arrays = bind(program, values, blocks, isa)
    rows = len(arrays[row_inputs(program)[0]])
    for name, type in program.inputs.items():
        if type.is_float:
            arrays[name].fill(np.nan)
    with clear_errors():
        bound.engine.run(rows, threads=2)
        for name in program.inputs:
            arrays[name][...] = values[name]
        bound.engine.run(rows, threads=2)
    return {name: arrays[name] for name in program.outputs}


def sized(program: Program, rows: int = COUNT) -> Program:
    """A program over `ROWS` rows for a number of them."""
    return program.at(rows=rows)


def assert_same(got: Values, expected: Values) -> None:
    """Equal but for the rounding of real numbers."""
    assert list(got) == list(expected)
    for name, value in expected.items():
        assert (got[name].dtype, got[name].shape) == (value.dtype, value.shape)
        if value.dtype.kind != "f":
            assert_array_equal(got[name], value, err_msg=name)
            continue
        close = TOLERANCE[value.dtype.name]
        scale = float(np.abs(value).max(initial=0))
        assert_allclose(got[name], value, close, close * scale, err_msg=name)


def values_for(program: Program) -> dict[str, NumpyArray]:
    """Numbers for every input: weights of both signs, an optimizer's state above 0."""
    random = np.random.default_rng(0)
    drawn: dict[str, NumpyArray] = {}
    for name, type in sized(program).inputs.items():
        if not type.is_float:
            drawn[name] = random.integers(0, 3, type.shape).astype(type.dtype)
        elif name.startswith(("state.", "learning_rate", "sample_weight")):
            drawn[name] = random.uniform(0.1, 1.9, type.shape).astype(type.dtype)
        else:
            drawn[name] = random.normal(0, 0.7, type.shape).astype(type.dtype)
    return drawn | ({"step": np.array(3, np.int32)} if "step" in drawn else {})
