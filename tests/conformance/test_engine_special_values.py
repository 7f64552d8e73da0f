"""The engine has NaN, infinity, zeros of both signs and tiny numbers as NumPy has."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from support.cases import (
    BY_OPCODE,
    FLOATS,
    HAS_SPECIAL,
    MATRIX,
    MOVING,
    ODD_SIZES,
    SPECIAL,
    examples,
)
from support.engine import every_isa
from support.one_instruction import (
    allowance,
    assert_conforms,
    interpreted,
    is_near,
    plain,
    program_of,
    run,
)
from thalweg.program.types import NumpyArray

SIZES = (1, 17, 255, 4096, 4097, 65_536)
TINY = {"float32": 1e-40, "float64": 1e-310}


def special(dtype: str) -> list[float]:
    return [*SPECIAL, TINY[dtype], -TINY[dtype], math.pi, -2.0, 3.0]


def places_of(size: int) -> list[int]:
    """First and last, and where blocks of many sizes begin and end."""
    wanted = (0, size // 2, 1023, 1024, 4095, 4096, size - 1)
    return sorted({place for place in wanted if place < size})


def flush(array: NumpyArray) -> NumpyArray:
    """The array with zeros where it holds subnormal numbers."""
    if array.dtype.kind != "f":
        return array
    is_tiny = np.abs(array) < np.finfo(array.dtype).smallest_normal
    return np.where(is_tiny, np.copysign(array.dtype.type(0), array), array)


def assert_special(opcode: str, arrays: list[NumpyArray], isa: str) -> None:
    """As NumPy has it; zero may stand for a subnormal number that is read, too."""
    attributes = {"dtype": "float64"} if opcode == "cast" else {}
    program, _ = program_of(opcode, arrays, attributes, plain)
    got = run(program, arrays, isa)
    near = np.zeros(got.shape, bool)
    for inputs in itertools.product(*((array, flush(array)) for array in arrays)):
        expected = interpreted(program, list(inputs))
        near |= is_near(got, expected, allowance(opcode, expected, np.zeros(())))
    if not near.all():
        at = np.argmin(near)
        raise AssertionError(
            f"{opcode}{tuple(a[at] for a in arrays)} in {isa} is {got[at]}, not "
            f"{interpreted(program, arrays)[at]}, at {at} of {len(got)}"
        )


@every_isa
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("row", HAS_SPECIAL, ids=lambda row: row.name)
def test_elementwise_meets_special_values_as_numpy_does(
    row: Any, dtype: str, isa: str
) -> None:
    values = special(dtype)
    pairs = np.array(np.meshgrid(values, values)).reshape(2, -1).astype(dtype)
    arrays = [pairs[0] > 0, *pairs] if row.name == "select" else [*pairs[: row.inputs]]
    assert_special(row.name, arrays, isa)


@every_isa
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("row", HAS_SPECIAL, ids=lambda row: row.name)
def test_elementwise_sees_special_values_at_every_place(
    row: Any, size: int, isa: str
) -> None:
    case, random = BY_OPCODE[row.name], np.random.default_rng(size)
    arrays = case.arrays(random, ((size,),) * row.inputs, "float32")
    for turn, value in enumerate((math.nan, math.inf, -math.inf, -0.0)):
        for number, place in enumerate(places_of(size)):
            array = arrays[(number + turn) % row.inputs]
            array[place] = value
        assert_special(row.name, arrays, isa)


@every_isa
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_reductions_see_special_values_at_every_place(
    bad: float, size: int, dtype: str, isa: str
) -> None:
    for shape, axis in (((2, size), 1), ((size, 3), 0)):
        other = 1 - axis
        for place in places_of(size):
            x = np.random.default_rng(place).normal(size=shape).astype(dtype)
            x[(1, place) if other == 0 else (place, 1)] = bad
            for opcode, attributes in (
                ("sum", {"axes": (axis,)}),
                ("max", {"axes": (axis,)}),
                ("argmax", {"axis": axis}),
            ):
                program, bases = program_of(opcode, [x], attributes, plain)
                assert_conforms(program, opcode, bases, isa)


@every_isa
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_largest_comes_first_of_equals_and_nan_before_all(
    dtype: str, isa: str
) -> None:
    random = np.random.default_rng(0)
    for size in ODD_SIZES:
        few = random.integers(0, 4, (5, size)).astype(dtype)
        few[1, size // 2 :] = math.nan
        few[2] = -math.inf
        few[3, :: 1 + size // 3] = math.inf
        few[4] = np.resize([0.0, -0.0], size)
        for x, axis in ((few, 1), (np.array(few.T, order="C"), 0)):
            program, bases = program_of("argmax", [x], {"axis": axis}, plain)
            assert_conforms(program, "argmax", bases, isa)


@every_isa
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_products_see_special_values_at_every_place(
    bad: float, dtype: str, isa: str
) -> None:
    for size in (1, 17, 65, 255):
        for place in places_of(size):
            a, b = np.ones((7, size), dtype), np.ones((size, 19), dtype)
            a[6, place], b[place, 18] = bad, bad
            program, bases = program_of("matmul", [a, b], MATRIX, plain)
            got = run(program, bases, isa)
            assert_array_equal(got, interpreted(program, bases))


@every_isa
@pytest.mark.parametrize("opcode", MOVING)
def test_moving_keeps_every_bit(opcode: str, isa: str) -> None:
    for arrays, attributes in examples(opcode, "float32"):
        random = np.random.default_rng(1)
        for array in arrays:
            if array.dtype == np.float32:
                bits = random.integers(0, 2**32, array.shape, np.uint32)
                array[...] = bits.view(np.float32)
        program, bases = program_of(opcode, arrays, attributes, plain)
        got, expected = run(program, bases, isa), interpreted(program, bases)
        expected = np.ascontiguousarray(expected).reshape(got.shape)
        assert_array_equal(got.view(np.uint32), expected.view(np.uint32))
