"""The engine gives what the interpreter gives, for every primitive and every ISA."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from support.cases import ANY, BY_OPCODE, MATRIX, ODD_SIZES, every_primitive, examples
from support.engine import every_isa
from support.one_instruction import (
    VIEWS,
    View,
    assert_conforms,
    interpreted,
    plain,
    program_of,
)
from thalweg import _engine
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram, clear_errors
from thalweg.errors import ArgumentError
from thalweg.program.types import NumpyArray


def more_examples(
    row: Any, dtype: str
) -> Iterator[tuple[list[NumpyArray], Mapping[str, Any]]]:
    """Arrays of every form of a case, and of odd sizes where any will do."""
    yield from examples(row.name, dtype)
    case, random = BY_OPCODE[row.name], np.random.default_rng(0)
    for size in ODD_SIZES:
        for shapes, attributes in odd_forms(row, case, size):
            yield case.arrays(random, shapes, dtype), attributes


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


@every_isa
@every_primitive
def test_engine_gives_what_the_interpreter_gives(row: Any, isa: str) -> None:
    for dtype in BY_OPCODE[row.name].dtypes:
        for arrays, attributes in more_examples(row, dtype):
            program, bases = program_of(row.name, arrays, attributes, plain)
            assert_conforms(program, row.name, bases, isa)


@every_isa
@pytest.mark.parametrize("view", VIEWS[1:], ids=lambda view: view.__name__)
@every_primitive
def test_engine_reads_through_views(row: Any, view: View, isa: str) -> None:
    for dtype in BY_OPCODE[row.name].dtypes[:3]:
        for arrays, attributes in examples(row.name, dtype):
            program, bases = program_of(row.name, arrays, attributes, view)
            assert_conforms(program, row.name, bases, isa)


def test_the_engine_runs_the_instructions_that_it_is_told() -> None:
    program, _ = program_of("exp", [np.zeros(3)], {}, plain)
    for isa in _engine.available():
        assert NativeProgram(compile_program(program), {}, isa).engine.isa == isa


@every_isa
@pytest.mark.parametrize("target", ANY)
@pytest.mark.parametrize("dtype", ANY)
def test_cast_between_every_two_dtypes(dtype: str, target: str, isa: str) -> None:
    numbers = np.array([0, 1, 2, 3.75, 100, 2_000_000_000, 0.5] * 9)
    numbers = numbers if dtype.startswith("u") else numbers * np.resize([1, -1], 63)
    numbers = np.abs(numbers) if target == "uint32" else numbers
    program, bases = program_of(
        "cast", [numbers.astype(dtype)], {"dtype": target}, plain
    )
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
        program, bases = program_of(opcode, pairs, {}, plain)
        assert_conforms(program, opcode, bases, isa)


# Numbers of rows ---------------------------------------------------------------------


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
    program, _ = program_of(opcode, [x, indices], attributes, plain)
    bound = NativeProgram(compile_program(program), {"x0": x, "x1": indices}, isa)
    expected = interpreted(program, [x, indices])
    indices[3] = number
    with pytest.raises(ArgumentError, match="index"), clear_errors():
        bound.engine.run()
    indices[3] = 1
    bound.engine.run()
    assert_array_equal(bound.arrays["y"], expected)
