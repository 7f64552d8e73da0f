"""Every primitive in every backend, and what passes rely on.

Backends are compared with the meaning in NumPy, and that with oracles by hand.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.backends import (
    ENGINES,
    Backend,
    assert_planned,
    every_backend,
    run_planned,
)
from support.cases import (
    ANY,
    BY_OPCODE,
    CASES,
    FLOATS,
    HAS_SPECIAL,
    MATRIX,
    MOVED,
    MOVING,
    ODD_SIZES,
    ROWS,
    SPECIAL,
    Attributes,
    Case,
    every_primitive,
    examples,
)
from support.engine import every_isa
from support.loop_forms import in_dtype, loop
from support.one_instruction import (
    VIEWS,
    View,
    assert_conforms,
    interpreted,
    own_type,
    program_of,
)
from thalweg import _engine
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram, clear_errors
from thalweg.errors import ArgumentError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import NumpyArray


def assert_means(case: Case, arrays: list[NumpyArray], attributes: Attributes) -> None:
    """The primitive's value is the oracle's, and of the type that the rule says."""
    row = PRIMITIVES[case.opcode]
    with np.errstate(all="ignore"):
        got = row.meaning(*arrays, **attributes)
        expected = np.asarray(case.oracle(*arrays, **attributes))
    assert own_type(np.asarray(got)) == row.infer(*map(own_type, arrays), **attributes)
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


def more_examples(
    opcode: str, dtype: str
) -> Iterator[tuple[list[NumpyArray], Attributes]]:
    """Arrays of every form of a case, and of odd sizes where any will do."""
    yield from examples(opcode, dtype)
    case, random = BY_OPCODE[opcode], np.random.default_rng(0)
    for size in ODD_SIZES:
        for shapes, attributes in odd_forms(PRIMITIVES[opcode], case, size):
            yield case.arrays(random, shapes, dtype), in_dtype(attributes, dtype)


def odd_forms(row: Any, case: Any, size: int) -> Iterator[Any]:
    """Shapes that leave something over after whole vectors and tiles."""
    if row.kind == "elementwise":
        yield ((size,),) * row.inputs, case.forms[0][1]
    elif row.name in ("sum", "max"):
        yield ((size,),), {"axes": (0,)}
        yield ((3, size),), {"axes": (1,)}
        yield ((size, 3),), {"axes": (0,)}
        yield ((size, 17),), {"axes": (0,)}
        yield ((2, size, 3),), {"axes": (0, 2)}
    elif row.name == "argmax":
        yield ((3, size),), {"axis": 1}
        yield ((size, 3),), {"axis": 0}
    elif row.name == "matmul":
        for a, b in (((size, 3), (3, 5)), ((2, size), (size, 3)), ((3, 2), (2, size))):
            yield (a, b), MATRIX
        small = min(size, 65)
        yield ((small, small), (small, small)), MATRIX
    elif row.name == "random_bits":
        yield ((), ()), {"operation": 2, "shape": (size,)}
    elif row.name == "scan":
        *shapes, attributes = loop(size, "s", "m", "x", "w")
        yield shapes, attributes


# Every primitive in every backend ----------------------------------------------------


@every_backend
@pytest.mark.parametrize("opcode", PRIMITIVES)
def test_every_backend_has_a_row(opcode: str, backend: Backend) -> None:
    assert backend.has(opcode), f"{backend.name} has no row for {opcode}"


@every_backend
@every_primitive
def test_every_backend_gives_the_meaning(row: Any, backend: Backend) -> None:
    more = more_examples if backend in ENGINES else examples
    for dtype in BY_OPCODE[row.name].dtypes:
        for arrays, attributes in more(row.name, dtype):
            program, bases = program_of(row.name, arrays, attributes)
            backend.conforms(program, row.name, bases)


@every_backend
@pytest.mark.parametrize("view", VIEWS[1:], ids=lambda view: view.__name__)
@every_primitive
def test_every_backend_reads_through_views(
    row: Any, view: View, backend: Backend
) -> None:
    """In the engine a view is strides, elsewhere an instruction more."""
    dtypes = BY_OPCODE[row.name].dtypes
    for dtype in dtypes[: 3 if backend in ENGINES else 1]:
        for arrays, attributes in examples(row.name, dtype):
            program, bases = program_of(row.name, arrays, attributes, view)
            backend.conforms(program, row.name, bases)


# NaN and infinity --------------------------------------------------------------------


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
    got = run_planned(*program_of(row.name, arrays, attributes))
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
                program, _ = program_of(opcode, arrays, attributes)
                got = run_planned(program, arrays).reshape(-1)
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
        got = run_planned(*program_of(opcode, arrays, attributes))
        assert_array_equal(got, PRIMITIVES[opcode].meaning(*arrays, **attributes))


# What the engine alone does ----------------------------------------------------------


def test_the_engine_runs_the_instructions_that_it_is_told() -> None:
    program, _ = program_of("exp", [np.zeros(3)], {})
    for isa in _engine.available():
        assert NativeProgram(compile_program(program), {}, isa).engine.isa == isa


@every_isa
@pytest.mark.parametrize("target", ANY)
@pytest.mark.parametrize("dtype", MOVED)
def test_cast_between_every_two_dtypes(dtype: str, target: str, isa: str) -> None:
    numbers = np.array([0, 1, 2, 3.75, 100, 2_000_000_000, 0.5] * 9)
    numbers = numbers if dtype.startswith("u") else numbers * np.resize([1, -1], 63)
    numbers = np.abs(numbers) if target == "uint32" else numbers
    numbers = np.arange(256) if dtype == "uint8" else numbers
    program, bases = program_of("cast", [numbers.astype(dtype)], {"dtype": target})
    assert_conforms(program, "cast", bases, isa)


@every_isa
@pytest.mark.parametrize("dtype", ["int32", "uint32"])
def test_whole_numbers_wrap_around(dtype: str, isa: str) -> None:
    limits = np.iinfo(dtype)
    numbers = np.array([limits.min, limits.max, 0, 1, 2, 7, limits.max - 1], dtype)
    pairs = [np.repeat(numbers, 7), np.tile(numbers, 7)]
    opcodes = ["less", "less_equal", "equal", "maximum", "minimum"]
    opcodes += ["add", "subtract", "multiply"]
    for opcode in opcodes:
        program, bases = program_of(opcode, pairs, {})
        assert_conforms(program, opcode, bases, isa)


@every_isa
@pytest.mark.parametrize("number", [-1, 4, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("opcode", ["take", "scatter_add"])
def test_a_row_that_does_not_exist_is_an_error_and_the_next_run_works(
    opcode: str, number: int, isa: str
) -> None:
    random = np.random.default_rng(0)
    indices = np.array([0, 3, 1, 1, 2], np.int32)
    x = random.normal(size=(4, 3) if opcode == "take" else (5, 3))
    attributes = {} if opcode == "take" else {"rows": 4}
    program, _ = program_of(opcode, [x, indices], attributes)
    bound = NativeProgram(compile_program(program), {"x0": x, "x1": indices}, isa)
    expected = interpreted(program, [x, indices])
    indices[3] = number
    with pytest.raises(ArgumentError, match="index"), clear_errors():
        bound.engine.run()
    indices[3] = 1
    bound.engine.run()
    assert_array_equal(bound.arrays["y"], expected)


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
