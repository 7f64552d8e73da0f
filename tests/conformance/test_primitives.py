"""Every primitive: meaning, plan, NaN and infinity, and what passes rely on."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.cases import (
    BY_OPCODE,
    CASES,
    FLOATS,
    HAS_SPECIAL,
    MATRIX,
    MOVING,
    ROWS,
    SPECIAL,
    Attributes,
    Case,
    every_primitive,
    examples,
)
from thalweg.backends.layout import ARENA
from thalweg.backends.numpy.interpret import Executable, interpret
from thalweg.backends.plan import plan_singly
from thalweg.errors import ArgumentError
from thalweg.program.ir import Program, verify
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import NumpyArray, type_of


def program_of(
    opcode: str, arrays: list[NumpyArray], attributes: Attributes
) -> Program:
    """A program of one instruction."""

    def apply(values: dict[str, Tracer]) -> dict[str, Tracer]:
        first = next(iter(values.values()))
        return {"y": first.trace.emit(opcode, tuple(values.values()), **attributes)}

    return verify(trace(apply, {f"x{i}": type_of(a) for i, a in enumerate(arrays)}))


def run_planned(program: Program, arrays: list[NumpyArray]) -> dict[str, NumpyArray]:
    """What a program gives when run from a plan, in memory that was all NaN."""
    executable = Executable(plan_singly(program))
    executable._buffers[ARENA][...] = 255
    for place, array in zip(executable.inputs.values(), arrays, strict=True):
        place[...] = array
    with np.errstate(all="ignore"):
        executable.run()
    return executable.outputs


def assert_means(case: Case, arrays: list[NumpyArray], attributes: Attributes) -> None:
    """The primitive's value is the oracle's, and of the type that the rule says."""
    row = PRIMITIVES[case.opcode]
    with np.errstate(all="ignore"):
        got = row.meaning(*arrays, **attributes)
        expected = np.asarray(case.oracle(*arrays, **attributes))
    assert type_of(np.asarray(got)) == row.infer(*map(type_of, arrays), **attributes)
    if expected.dtype.kind == "f":
        tolerance = case.tolerances[str(got.dtype)]
        assert_allclose(got, expected.astype(got.dtype), tolerance, 1e-37)
    else:
        assert_array_equal(got, expected)


# The tests ---------------------------------------------------------------------------


def test_every_primitive_has_one_case() -> None:
    assert [case.opcode for case in CASES] == [row.name for row in PRIMITIVES.values()]


@every_primitive
def test_meaning_is_numpys(row: Any) -> None:
    case = BY_OPCODE[row.name]
    for dtype in case.dtypes:
        for arrays, attributes in examples(row.name, dtype):
            assert_means(case, arrays, attributes)


@every_primitive
def test_plan_gives_what_the_interpreter_gives(row: Any) -> None:
    for dtype in BY_OPCODE[row.name].dtypes:
        for arrays, attributes in examples(row.name, dtype):
            program = program_of(row.name, arrays, attributes)
            names = {f"x{i}": array for i, array in enumerate(arrays)}
            expected = interpret(program, names)["y"]
            got = run_planned(program, arrays)["y"]
            assert_planned(row.name, got, expected)


# Bound to another of NumPy's functions where there are few elements.
ROUNDED = ("softplus", "sum")


def assert_planned(opcode: str, got: Any, expected: Any) -> None:
    """The same bits, or the same within rounding where another function gives them."""
    if opcode in ROUNDED and got.dtype.kind == "f":
        assert_allclose(got, expected, rtol=4 * np.finfo(got.dtype).eps, strict=True)
    else:
        assert_array_equal(got, expected, strict=True)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", HAS_SPECIAL, ids=lambda row: row.name)
def test_elementwise_meets_every_pair_of_special_values_as_numpy_does(
    row: Any, dtype: str
) -> None:
    pairs = np.array(np.meshgrid(SPECIAL, SPECIAL)).reshape(2, -1).astype(dtype)
    arrays = list(pairs[: row.inputs])
    if row.name == "select":
        arrays = [pairs[0] > 0, *pairs]
    attributes = {"dtype": "float64"} if row.name == "cast" else {}
    assert_means(BY_OPCODE[row.name], arrays, attributes)


@pytest.mark.parametrize("size", [1, 17, 4096, 65_536])
@pytest.mark.parametrize("row", HAS_SPECIAL, ids=lambda row: row.name)
def test_elementwise_sees_nan_and_infinity_at_every_size(row: Any, size: int) -> None:
    random = np.random.default_rng(size)
    case = BY_OPCODE[row.name]
    arrays = case.arrays(random, ((size,),) * (row.inputs or 0), "float32")
    for array in arrays:
        if array.dtype == np.float32:
            at = random.integers(0, size, 1 + size // 100)
            array[at] = random.choice([math.nan, math.inf, -math.inf], len(at))
    attributes = {"dtype": "float64"} if row.name == "cast" else {}
    assert_means(case, arrays, attributes)
    (got,) = run_planned(program_of(row.name, arrays, attributes), arrays).values()
    with np.errstate(all="ignore"):
        assert_planned(row.name, got, np.asarray(row.meaning(*arrays, **attributes)))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("size", [1, 33, 4095, 4096, 65_536])
@pytest.mark.parametrize("dtype", FLOATS)
def test_reductions_and_products_see_nan_and_infinity(
    dtype: str, size: int, bad: float
) -> None:
    random = np.random.default_rng(size)
    for place in {0, size - 1, size // 2}:
        x = random.normal(size=(2, size)).astype(dtype)
        x[1, place] = bad
        column = np.ones((size, 1), dtype)
        for opcode, arrays, attributes, expected in (
            ("sum", [x], {"axes": (1,)}, bad),
            ("max", [x], {"axes": (1,)}, None if bad == -math.inf else bad),
            ("argmax", [x], {"axis": 1}, None if bad == -math.inf else place),
            ("matmul", [x, column], MATRIX, bad),
            ("scatter_add", [x, np.zeros(2, np.int32)], {"rows": 1}, None),
        ):
            with np.errstate(all="ignore"):
                program = program_of(opcode, arrays, attributes)
                got = run_planned(program, arrays)["y"].reshape(-1)
            if opcode == "scatter_add":
                assert_array_equal(got[place], bad)
            elif expected is not None:
                assert_array_equal(got[1], expected)
            if opcode != "scatter_add":
                assert np.isfinite(got[0])


@pytest.mark.parametrize("opcode", MOVING)
def test_moving_keeps_nan_and_infinity(opcode: str) -> None:
    for arrays, attributes in examples(opcode, "float32"):
        places = np.random.default_rng(0)
        for array in arrays:
            if array.dtype == np.float32 and array.size:
                array.reshape(-1)[places.integers(array.size)] = math.nan
                array.reshape(-1)[places.integers(array.size)] = -math.inf
        assert_means(BY_OPCODE[opcode], arrays, attributes)
        got = run_planned(program_of(opcode, arrays, attributes), arrays)["y"]
        assert_array_equal(got, PRIMITIVES[opcode].meaning(*arrays, **attributes))


# What the planner and the rewriting rely on ------------------------------------------


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.kind == "elementwise"], ids=lambda row: row.name
)
def test_elementwise_may_write_over_any_input_of_the_same_dtype(row: Any) -> None:
    for dtype in BY_OPCODE[row.name].dtypes:
        for arrays, attributes in examples(row.name, dtype):
            expected = row.meaning(*arrays, **attributes)
            for i, array in enumerate(arrays):
                if array.dtype == expected.dtype:
                    copies = [np.array(a) for a in arrays]
                    row.meaning(*copies, out=copies[i], **attributes)
                    assert_array_equal(copies[i], expected)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.commutative], ids=lambda row: row.name
)
def test_commutative_rows_give_the_same_in_either_order(row: Any) -> None:
    for arrays, _ in examples(row.name, BY_OPCODE[row.name].dtypes[0]):
        assert_array_equal(row.meaning(*arrays), row.meaning(*arrays[::-1]))


def test_only_commutative_rows_say_so() -> None:
    two = [row.name for row in ROWS if row.kind == "elementwise" and row.inputs == 2]
    symmetric = {"add", "multiply", "equal", "logical_and"}
    assert {name for name in two if PRIMITIVES[name].commutative} == symmetric


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.kind == "view"], ids=lambda row: row.name
)
def test_views_of_contiguous_arrays_share_their_memory(row: Any) -> None:
    for arrays, attributes in examples(row.name, "float64"):
        view = row.meaning(*arrays, **attributes)
        assert not view.size or np.shares_memory(view, arrays[0])


@pytest.mark.parametrize("number", [-1, 4])
def test_rows_that_do_not_exist_are_an_error(number: int) -> None:
    table, indices = np.zeros((4, 2)), np.array([0, number], np.int32)
    with pytest.raises(ArgumentError, match=r"0\.\.3"):
        PRIMITIVES["take"].meaning(table, indices)
    with pytest.raises(ArgumentError, match=r"0\.\.3"):
        PRIMITIVES["scatter_add"].meaning(np.zeros((2, 2)), indices, rows=4)
