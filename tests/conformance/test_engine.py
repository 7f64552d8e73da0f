"""The engine gives what the interpreter gives, for every primitive and every ISA."""

import importlib.util
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from thalweg import _engine
from thalweg.errors import ArgumentError
from thalweg.program.compile import compile_rows
from thalweg.program.interpret import interpret
from thalweg.program.ir import Program, verify
from thalweg.program.native import NativeProgram, clear_errors
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import NumpyArray, type_of


def load(name: str) -> Any:
    """Another file of this folder, as a module."""
    path = Path(__file__).with_name(f"{name}.py")
    specification = importlib.util.spec_from_file_location(f"engine_{name}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[module.__name__] = module
    specification.loader.exec_module(module)
    return module


primitives = load("test_primitives")
every_primitive = pytest.mark.parametrize(
    "row", primitives.ROWS, ids=lambda row: row.name
)
every_isa = pytest.mark.parametrize("isa", _engine.available())
ODD_SIZES = (1, 3, 15, 17, 63, 65, 255, 1000)

# Units in the last place from the interpreter's value; 0 where no name stands here.
ULPS = {
    "divide": 1,
    "power": 16,
    "exp": 4,
    "expm1": 8,
    "log": 4,
    "log1p": 8,
    "sin": 4,
    "cos": 4,
    "tanh": 6,
    "sigmoid": 8,
    "softplus": 8,
    "erf": 8,
}
SUMMING = ("sum", "matmul", "scatter_add")  # another order of the same numbers


# Running -----------------------------------------------------------------------------


def run(program: Program, arrays: list[NumpyArray], isa: str) -> NumpyArray:
    """The output y by the engine, in memory that held something else before."""
    given = dict(zip(program.inputs, map(np.array, arrays), strict=True))
    type = program.output_types()["y"]
    y = np.full(type.shape, 1, type.dtype)
    bound = NativeProgram(compile_rows(program, ()), {**given, "y": y}, isa)
    with clear_errors():
        bound.engine.run()
    for name, array in zip(program.inputs, arrays, strict=True):
        assert_array_equal(given[name], array)
    return y


# Views: for an array, another one and what makes the first of it.
View = Callable[[NumpyArray], tuple[NumpyArray, Callable[[Tracer], Tracer]]]


def emit(x: Tracer, opcode: str, **attributes: Any) -> Tracer:
    return x.trace.emit(opcode, (x,), **attributes)


def plain(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    return array, lambda x: x


def transposed(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    axes = tuple(reversed(range(array.ndim)))
    return np.array(array.T, order="C"), lambda x: emit(x, "transpose", axes=axes)


def every_second(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    wide = np.full([2 * n + 1 for n in array.shape], 1, array.dtype)
    wide[(slice(1, None, 2),) * array.ndim] = array
    starts, steps = (1,) * array.ndim, (2,) * array.ndim
    stops = tuple(2 * n + 1 if n else 1 for n in array.shape)
    return wide, lambda x: emit(x, "slice", starts=starts, stops=stops, steps=steps)


def repeated(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    """Its first element along the first axis, for all of them."""
    if not array.size or not array.ndim:
        return array, lambda x: x
    return array[:1], lambda x: emit(x, "broadcast", shape=array.shape)


def repeated_last(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    if not array.size or not array.ndim:
        return array, lambda x: x
    return array[..., :1], lambda x: emit(x, "broadcast", shape=array.shape)


VIEWS: tuple[View, ...] = (plain, transposed, every_second, repeated, repeated_last)


def program_of(
    opcode: str, arrays: list[NumpyArray], attributes: Mapping[str, Any], view: View
) -> tuple[Program, list[NumpyArray]]:
    """A program of one instruction that reads its inputs through views."""
    seen = [view(array) for array in arrays]

    def build(values: dict[str, Tracer]) -> dict[str, Tracer]:
        pairs = zip(seen, values.values(), strict=True)
        inputs = [make(value) for (_, make), value in pairs]
        return {"y": inputs[0].trace.emit(opcode, inputs, **attributes)}

    bases = [base for base, _ in seen]
    types = {f"x{i}": type_of(base) for i, base in enumerate(bases)}
    return verify(trace(build, types)), bases


def interpreted(program: Program, arrays: list[NumpyArray]) -> NumpyArray:
    return interpret(program, dict(zip(program.inputs, arrays, strict=True)))["y"]


# Comparing ---------------------------------------------------------------------------


def is_near(got: NumpyArray, expected: NumpyArray, allowed: Any) -> NumpyArray:
    """Where two arrays hold the same; zero stands for subnormal numbers, too."""
    same = (got == expected) | ((got != got) & (expected != expected))
    if got.dtype.kind != "f":
        return same
    with np.errstate(all="ignore"):
        smallest = np.finfo(got.dtype).smallest_normal
        flushed = (got == 0) & (np.abs(expected) <= smallest)
        return same | flushed | (np.abs(got - expected) <= allowed)


def allowance(opcode: str, expected: NumpyArray, magnitude: NumpyArray) -> Any:
    """How far a result may be from the interpreter's.

    Arguments:
        magnitude: what a sum's result would be if no number was negative.
    """
    if expected.dtype.kind != "f":
        return 0
    if opcode in SUMMING:
        return 32 * np.finfo(expected.dtype).eps * magnitude
    finite = np.where(np.isfinite(expected), expected, 0)
    return ULPS.get(opcode, 0) * np.spacing(np.abs(finite))


def magnitude_of(program: Program, opcode: str, arrays: list[NumpyArray]) -> NumpyArray:
    if opcode not in SUMMING:
        return np.zeros(())
    return interpreted(program, [np.abs(array) for array in arrays])


def assert_conforms(
    program: Program, opcode: str, arrays: list[NumpyArray], isa: str
) -> None:
    """The engine's y is the interpreter's, within what the primitive is allowed."""
    got, expected = run(program, arrays, isa), interpreted(program, arrays)
    assert type_of(got) == type_of(expected)
    allowed = allowance(opcode, expected, magnitude_of(program, opcode, arrays))
    near = is_near(got, expected, allowed)
    if not near.all():
        where = tuple(np.argwhere(~near)[0])
        raise AssertionError(
            f"{opcode} in {isa} at {where}: got {got[where]!r}, "
            f"expected {expected[where]!r}\n{program}"
        )


# Every primitive ---------------------------------------------------------------------


def examples(
    row: Any, dtype: str
) -> Iterator[tuple[list[NumpyArray], Mapping[str, Any]]]:
    """Arrays of every form of a case, and of odd sizes where any will do."""
    yield from primitives.examples(row.name, dtype)
    case, random = primitives.BY_OPCODE[row.name], np.random.default_rng(0)
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
            yield (a, b), primitives.MATRIX
        small = min(size, 65)
        yield ((small, small), (small, small)), primitives.MATRIX
    elif row.name == "random_bits":
        yield ((), ()), {"operation": 2, "shape": (size,)}


@every_isa
@every_primitive
def test_engine_gives_what_the_interpreter_gives(row: Any, isa: str) -> None:
    for dtype in primitives.BY_OPCODE[row.name].dtypes:
        for arrays, attributes in examples(row, dtype):
            program, bases = program_of(row.name, arrays, attributes, plain)
            assert_conforms(program, row.name, bases, isa)


@every_isa
@pytest.mark.parametrize("view", VIEWS[1:], ids=lambda view: view.__name__)
@every_primitive
def test_engine_reads_through_views(row: Any, view: View, isa: str) -> None:
    for dtype in primitives.BY_OPCODE[row.name].dtypes[:3]:
        for arrays, attributes in primitives.examples(row.name, dtype):
            program, bases = program_of(row.name, arrays, attributes, view)
            assert_conforms(program, row.name, bases, isa)


def test_the_engine_runs_the_instructions_that_it_is_told() -> None:
    program, _ = program_of("exp", [np.zeros(3)], {}, plain)
    for isa in _engine.available():
        assert NativeProgram(compile_rows(program, ()), {}, isa).engine.isa == isa


@every_isa
@pytest.mark.parametrize("target", primitives.ANY)
@pytest.mark.parametrize("dtype", primitives.ANY)
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


# NaN, infinity, zeros of both signs, subnormals ---------------------------------------


SIZES = (1, 17, 255, 4096, 4097, 65_536)
TINY = {"float32": 1e-40, "float64": 1e-310}


def special(dtype: str) -> list[float]:
    return [*primitives.SPECIAL, TINY[dtype], -TINY[dtype], math.pi, -2.0, 3.0]


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
@pytest.mark.parametrize("dtype", primitives.FLOATS)
@pytest.mark.parametrize("row", primitives.HAS_SPECIAL, ids=lambda row: row.name)
def test_elementwise_meets_special_values_as_numpy_does(
    row: Any, dtype: str, isa: str
) -> None:
    values = special(dtype)
    pairs = np.array(np.meshgrid(values, values)).reshape(2, -1).astype(dtype)
    arrays = [pairs[0] > 0, *pairs] if row.name == "select" else [*pairs[: row.inputs]]
    assert_special(row.name, arrays, isa)


@every_isa
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("row", primitives.HAS_SPECIAL, ids=lambda row: row.name)
def test_elementwise_sees_special_values_at_every_place(
    row: Any, size: int, isa: str
) -> None:
    case, random = primitives.BY_OPCODE[row.name], np.random.default_rng(size)
    arrays = case.arrays(random, ((size,),) * row.inputs, "float32")
    for turn, value in enumerate((math.nan, math.inf, -math.inf, -0.0)):
        for number, place in enumerate(places_of(size)):
            array = arrays[(number + turn) % row.inputs]
            array[place] = value
        assert_special(row.name, arrays, isa)


@every_isa
@pytest.mark.parametrize("dtype", primitives.FLOATS)
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
@pytest.mark.parametrize("dtype", primitives.FLOATS)
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
@pytest.mark.parametrize("dtype", primitives.FLOATS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_products_see_special_values_at_every_place(
    bad: float, dtype: str, isa: str
) -> None:
    for size in (1, 17, 65, 255):
        for place in places_of(size):
            a, b = np.ones((7, size), dtype), np.ones((size, 19), dtype)
            a[6, place], b[place, 18] = bad, bad
            program, bases = program_of("matmul", [a, b], primitives.MATRIX, plain)
            got = run(program, bases, isa)
            assert_array_equal(got, interpreted(program, bases))


@every_isa
@pytest.mark.parametrize("opcode", primitives.MOVING)
def test_moving_keeps_every_bit(opcode: str, isa: str) -> None:
    for arrays, attributes in primitives.examples(opcode, "float32"):
        random = np.random.default_rng(1)
        for array in arrays:
            if array.dtype == np.float32:
                bits = random.integers(0, 2**32, array.shape, np.uint32)
                array[...] = bits.view(np.float32)
        program, bases = program_of(opcode, arrays, attributes, plain)
        got, expected = run(program, bases, isa), interpreted(program, bases)
        expected = np.ascontiguousarray(expected).reshape(got.shape)
        assert_array_equal(got.view(np.uint32), expected.view(np.uint32))


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
    bound = NativeProgram(compile_rows(program, ()), {"x0": x, "x1": indices}, isa)
    expected = interpreted(program, [x, indices])
    indices[3] = number
    with pytest.raises(ArgumentError, match="index"), clear_errors():
        bound.engine.run()
    indices[3] = 1
    bound.engine.run()
    assert_array_equal(bound.arrays["y"], expected)
