"""One case per primitive: meaning, shape rule, plan, NaN and infinity, gradient."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from thalweg.errors import ArgumentError
from thalweg.program import gradient, ops
from thalweg.program.differentiate import differentiate
from thalweg.program.gradients import GRADIENTS
from thalweg.program.interpret import Executable, interpret
from thalweg.program.ir import Program, verify
from thalweg.program.layout import ARENA
from thalweg.program.plan import plan_singly
from thalweg.program.primitives import PRIMITIVES, TABLE
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import NumpyArray, type_of

Attributes = Mapping[str, Any]
Sampler = Callable[[np.random.Generator, tuple[int, ...]], NumpyArray]

SHAPES = ((), (1,), (0,), (7,), (3, 5), (0, 4), (2, 1, 3), (65, 63))
FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32")
ANY = (*NUMBERS, "uint32", "bool")
TOLERANCE = {"float32": 1e-6, "float64": 2e-14}


# What is drawn -----------------------------------------------------------------------


def real(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.normal(0, 2, shape)


def moderate(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.uniform(-2, 2, shape)


def positive(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.uniform(0.5, 3, shape)


def away_from_zero(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.uniform(0.5, 3, shape) * random.choice([-1, 1], shape)


def distinct(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    """Numbers of which any two differ by 0.1 or more."""
    size = math.prod(shape)
    return 0.1 * random.permutation(size).reshape(shape) - 0.05 * size


def even_tenths(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return 0.2 * random.integers(-9, 9, shape)


def odd_tenths(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return even_tenths(random, shape) + 0.1


def coin(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.integers(0, 2, shape).astype(bool)


def rows_below(count: int) -> Sampler:
    return lambda random, shape: random.integers(0, count, shape).astype(np.int32)


def seed(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.integers(0, 2**32, shape, dtype=np.uint32)


def step(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.integers(0, 2**31, shape).astype(np.int32)


# The cases ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A primitive, what it means, and at which shapes and attributes to try it."""

    opcode: str
    oracle: Callable[..., Any]
    forms: tuple[tuple[tuple[tuple[int, ...], ...], Attributes], ...]
    samplers: tuple[Sampler, ...] = (real,)
    dtypes: tuple[str, ...] = FLOATS
    tolerances: Mapping[str, float] = field(default_factory=lambda: TOLERANCE)

    def arrays(
        self,
        random: np.random.Generator,
        shapes: tuple[tuple[int, ...], ...],
        dtype: str,
    ) -> list[NumpyArray]:
        samplers = self.samplers + (self.samplers[-1],) * (
            len(shapes) - len(self.samplers)
        )
        drawn = [draw(random, s) for draw, s in zip(samplers, shapes, strict=True)]
        return [
            np.asarray(a, dtype) if np.asarray(a).dtype == np.float64 else np.asarray(a)
            for a in drawn
        ]


def elementwise(
    opcode: str,
    oracle: Callable[..., Any],
    *samplers: Sampler,
    dtypes: tuple[str, ...] = FLOATS,
    **attributes: Any,
) -> Case:
    count = PRIMITIVES[opcode].inputs or 0
    forms = tuple(((shape,) * count, attributes) for shape in SHAPES)
    return Case(opcode, oracle, forms, samplers or (real,), dtypes)


def forms_of(*forms: Any) -> tuple[tuple[tuple[tuple[int, ...], ...], Attributes], ...]:
    """``(shape, …, attributes)`` as pairs."""
    return tuple((form[:-1], form[-1]) for form in forms)


def few(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.integers(-3, 3, shape).astype(np.float64)


def sum_by_hand(x: NumpyArray, axes: tuple[int, ...]) -> NumpyArray:
    """One element after the other."""
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    total = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        total[tuple(0 if i in axes else p for i, p in enumerate(at))] += x[at]
    return total


def max_by_hand(x: NumpyArray, axes: tuple[int, ...]) -> NumpyArray:
    """By sorting, which puts NaN last."""
    for axis in axes:
        x = np.sort(x, axis=axis).take([-1], axis=axis)
    return x


def argmax_by_hand(x: NumpyArray, axis: int) -> NumpyArray:
    lanes = np.moveaxis(x, axis, -1)
    found = [
        next((i for i, v in enumerate(lane) if v != v), lane.index(max(lane)))
        for lane in lanes.reshape(-1, lanes.shape[-1]).tolist()
    ]
    return np.array(found, np.int32).reshape(lanes.shape[:-1])


def transpose_by_hand(x: NumpyArray, axes: tuple[int, ...]) -> NumpyArray:
    result = np.empty([x.shape[a] for a in axes], x.dtype)
    for at in np.ndindex(x.shape):
        result[tuple(at[a] for a in axes)] = x[at]
    return result


def broadcast_by_hand(x: NumpyArray, shape: tuple[int, ...]) -> NumpyArray:
    return (
        x + np.zeros(shape, x.dtype) if x.dtype != bool else x | np.zeros(shape, bool)
    )


def slice_by_hand(x: NumpyArray, starts: Any, stops: Any, steps: Any) -> NumpyArray:
    for axis, each in enumerate(zip(starts, stops, steps, strict=True)):
        x = np.take(x, np.arange(*each), axis=axis)
    return x


def pad_by_hand(x: NumpyArray, starts: Any, steps: Any, shape: Any) -> NumpyArray:
    result = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        places = zip(starts, at, steps, strict=True)
        result[tuple(start + i * step for start, i, step in places)] = x[at]
    return result


def concatenate_by_hand(*arrays: NumpyArray, axis: int) -> NumpyArray:
    lanes = [lane for a in arrays for lane in np.moveaxis(a, axis, 0)]
    rest = np.moveaxis(arrays[0], axis, 0).shape[1:]
    joined = np.array(lanes, arrays[0].dtype).reshape((len(lanes), *rest))
    return np.moveaxis(joined, 0, axis)


def matmul_by_hand(
    a: NumpyArray, b: NumpyArray, transpose_a: bool, transpose_b: bool
) -> NumpyArray:
    rows = "...km" if transpose_a else "...mk"
    columns = "...nk" if transpose_b else "...kn"
    return np.einsum(f"{rows},{columns}->...mn", a, b)


def take_by_hand(table: NumpyArray, indices: NumpyArray) -> NumpyArray:
    result = np.empty(indices.shape + table.shape[1:], table.dtype)
    for at in np.ndindex(indices.shape):
        result[at] = table[indices[at]]
    return result


def scatter_by_hand(x: NumpyArray, indices: NumpyArray, rows: int) -> NumpyArray:
    result = np.zeros((rows, *x.shape[indices.ndim :]), x.dtype)
    for at in np.ndindex(indices.shape):
        result[indices[at]] += x[at]
    return result


def philox_word(key: int, step: int, operation: int, element: int) -> int:
    """Philox4x32-10 in whole numbers, one word at a time."""
    words = [element // 4, operation, step, 0]
    keys = [key, 0]
    for _ in range(10):
        high0, low0 = divmod(words[0] * 0xD2511F53, 1 << 32)
        high1, low1 = divmod(words[2] * 0xCD9E8D57, 1 << 32)
        words = [high1 ^ words[1] ^ keys[0], low1, high0 ^ words[3] ^ keys[1], low0]
        keys = [(keys[0] + 0x9E3779B9) % 2**32, (keys[1] + 0xBB67AE85) % 2**32]
    return words[element % 4]


def random_by_hand(
    seed: NumpyArray, step: NumpyArray, operation: int, shape: tuple[int, ...]
) -> NumpyArray:
    words = [
        philox_word(int(seed), int(step), operation, element)
        for element in range(math.prod(shape))
    ]
    return np.array(words, np.uint32).reshape(shape)


def larger(x: NumpyArray, y: NumpyArray) -> NumpyArray:
    return np.where((x > y) | (x != x), x, y)


def smaller(x: NumpyArray, y: NumpyArray) -> NumpyArray:
    return np.where((x < y) | (x != x), x, y)


def sign_by_hand(x: NumpyArray) -> NumpyArray:
    return np.where(x != x, x, (x > 0) * 1.0 - (x < 0) * 1.0)


def floor_by_hand(x: NumpyArray) -> NumpyArray:
    whole = np.trunc(x)
    return np.where(whole > x, whole - 1, whole)


erf_by_hand = np.vectorize(math.erf, otypes=[np.float64])
MATRIX = {"transpose_a": False, "transpose_b": False}

CASES = (
    Case("constant", lambda value: value, ()),
    elementwise("add", lambda x, y: x + y, dtypes=NUMBERS),
    elementwise("subtract", lambda x, y: x - y, dtypes=NUMBERS),
    elementwise("multiply", lambda x, y: x * y, dtypes=NUMBERS),
    elementwise("divide", lambda x, y: x / y, real, away_from_zero),
    elementwise("negative", lambda x: -x, dtypes=NUMBERS),
    elementwise("power", lambda x, y: x**y, positive, real),
    elementwise("maximum", larger, even_tenths, odd_tenths, dtypes=NUMBERS),
    elementwise("minimum", smaller, even_tenths, odd_tenths, dtypes=NUMBERS),
    elementwise(
        "absolute", lambda x: np.where(x < 0, -x, x), away_from_zero, dtypes=NUMBERS
    ),
    elementwise("sign", sign_by_hand, few),
    elementwise("floor", floor_by_hand),
    elementwise("exp", np.exp),
    elementwise("expm1", np.expm1),
    elementwise("log", np.log, positive),
    elementwise("log1p", np.log1p, positive),
    elementwise("sqrt", np.sqrt, positive),
    elementwise("sin", np.sin),
    elementwise("cos", np.cos),
    elementwise("tanh", np.tanh),
    elementwise("sigmoid", expit),
    elementwise("softplus", lambda x: np.logaddexp(x, x.dtype.type(0))),
    elementwise("erf", erf_by_hand, moderate),
    elementwise("equal", lambda x, y: ~(x != y), few, dtypes=ANY),
    elementwise("less", lambda x, y: y > x, few, dtypes=ANY),
    elementwise("less_equal", lambda x, y: y >= x, few, dtypes=ANY),
    elementwise("logical_and", lambda x, y: x & y, coin, dtypes=("bool",)),
    elementwise("logical_not", lambda x: ~x, coin, dtypes=("bool",)),
    elementwise(
        "select",
        lambda c, x, y: np.choose(c.astype(int), [y, x]),
        coin,
        real,
        dtypes=ANY,
    ),
    elementwise(
        "cast", lambda x, dtype: np.array(x, dtype), dtypes=NUMBERS, dtype="float64"
    ),
    elementwise("stop_gradient", lambda x: x, dtypes=NUMBERS),
    Case(
        "sum",
        sum_by_hand,
        forms_of(
            ((), {"axes": ()}),
            ((5,), {"axes": (0,)}),
            ((0, 3), {"axes": (0,)}),
            ((3, 1, 5), {"axes": (0, 2)}),
            ((3, 5), {"axes": ()}),
            ((7, 9), {"axes": (1,)}),
        ),
        dtypes=(*NUMBERS, "uint32"),
        tolerances={"float32": 2e-6, "float64": 1e-14},
    ),
    Case(
        "max",
        max_by_hand,
        forms_of(
            ((), {"axes": ()}),
            ((5,), {"axes": (0,)}),
            ((0, 3), {"axes": (1,)}),
            ((3, 1, 5), {"axes": (0, 2)}),
            ((7, 9), {"axes": (0,)}),
        ),
        (distinct,),
        (*NUMBERS, "uint32"),
    ),
    Case(
        "argmax",
        argmax_by_hand,
        forms_of(((5,), {"axis": 0}), ((3, 4, 5), {"axis": 1}), ((0, 3), {"axis": 1})),
        dtypes=(*NUMBERS, "uint32"),
    ),
    Case(
        "reshape",
        lambda x, shape: np.array(x.ravel().tolist(), x.dtype).reshape(shape),
        forms_of(
            ((6,), {"shape": (2, 3)}),
            ((2, 3), {"shape": (3, 1, 2)}),
            ((0, 3), {"shape": (3, 0)}),
            ((), {"shape": (1,)}),
            ((1, 1), {"shape": ()}),
        ),
        dtypes=ANY,
    ),
    Case(
        "transpose",
        transpose_by_hand,
        forms_of(
            ((), {"axes": ()}),
            ((3, 5), {"axes": (1, 0)}),
            ((2, 3, 4), {"axes": (2, 0, 1)}),
            ((0, 3), {"axes": (1, 0)}),
        ),
        dtypes=ANY,
    ),
    Case(
        "broadcast",
        broadcast_by_hand,
        forms_of(
            ((), {"shape": (3,)}),
            ((1, 3), {"shape": (4, 3)}),
            ((3, 1), {"shape": (2, 3, 5)}),
            ((1,), {"shape": (0,)}),
            ((2, 3), {"shape": (2, 3)}),
            ((1, 3), {"shape": (1, 3)}),
        ),
        dtypes=ANY,
    ),
    Case(
        "slice",
        slice_by_hand,
        forms_of(
            ((7,), {"starts": (1,), "stops": (6,), "steps": (2,)}),
            ((3, 5), {"starts": (1, 0), "stops": (3, 5), "steps": (1, 3)}),
            ((2, 3), {"starts": (2, 3), "stops": (2, 3), "steps": (1, 1)}),
            ((), {"starts": (), "stops": (), "steps": ()}),
        ),
        dtypes=ANY,
    ),
    Case(
        "pad",
        pad_by_hand,
        forms_of(
            ((3,), {"starts": (1,), "steps": (2,), "shape": (7,)}),
            ((3,), {"starts": (1,), "steps": (2,), "shape": (6,)}),
            ((2, 3), {"starts": (1, 0), "steps": (1, 2), "shape": (3, 5)}),
            ((0, 3), {"starts": (2, 0), "steps": (1, 1), "shape": (2, 3)}),
            ((), {"starts": (), "steps": (), "shape": ()}),
        ),
        dtypes=ANY,
    ),
    Case(
        "concatenate",
        concatenate_by_hand,
        forms_of(
            ((3,), (2,), {"axis": 0}),
            ((2, 3), (2, 1), (2, 2), {"axis": 1}),
            ((2, 3), (0, 3), (1, 3), {"axis": 0}),
            ((4, 2), {"axis": 0}),
        ),
        dtypes=ANY,
    ),
    Case(
        "matmul",
        matmul_by_hand,
        forms_of(
            ((3, 5), (5, 4), MATRIX),
            ((5, 3), (5, 4), {"transpose_a": True, "transpose_b": False}),
            ((3, 5), (4, 5), {"transpose_a": False, "transpose_b": True}),
            ((5, 3), (4, 5), {"transpose_a": True, "transpose_b": True}),
            ((2, 5, 3), (2, 4, 5), {"transpose_a": True, "transpose_b": True}),
            ((2, 3, 5), (2, 5, 1), MATRIX),
            ((0, 5), (5, 4), MATRIX),
            ((3, 0), (0, 4), MATRIX),
            ((1, 1), (1, 1), MATRIX),
        ),
        tolerances={"float32": 1e-5, "float64": 1e-13},
    ),
    Case(
        "take",
        take_by_hand,
        forms_of(
            ((4, 3), (5,), {}),
            ((4,), (2, 3), {}),
            ((4, 2), (), {}),
            ((4, 2), (0,), {}),
        ),
        (real, rows_below(4)),
        ANY,
    ),
    Case(
        "scatter_add",
        scatter_by_hand,
        forms_of(
            ((5, 3), (5,), {"rows": 4}),
            ((2, 3), (2, 3), {"rows": 5}),
            ((2,), (), {"rows": 4}),
            ((0, 2), (0,), {"rows": 4}),
            ((0, 2), (0,), {"rows": 0}),
        ),
        (real, rows_below(4)),
        NUMBERS,
    ),
    Case(
        "random_bits",
        random_by_hand,
        forms_of(
            ((), (), {"operation": 0, "shape": (5,)}),
            ((), (), {"operation": 3, "shape": (2, 3)}),
            ((), (), {"operation": 1, "shape": ()}),
            ((), (), {"operation": 1, "shape": (0, 2)}),
        ),
        (seed, step),
        ("uint32",),
    ),
)
BY_OPCODE = {case.opcode: case for case in CASES}
ROWS = [row for row in TABLE if row.name != "constant"]
every_primitive = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
every_gradient = pytest.mark.parametrize("opcode", sorted(GRADIENTS))


def examples(opcode: str, dtype: str) -> Iterator[tuple[list[NumpyArray], Attributes]]:
    """Arrays of every form of a case."""
    case, random = BY_OPCODE[opcode], np.random.default_rng(len(opcode))
    for shapes, attributes in case.forms:
        yield case.arrays(random, shapes, dtype), attributes


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


def assert_agrees(case: Case, got: NumpyArray, expected: NumpyArray) -> None:
    """The same type and values, but for the rounding of real numbers."""
    assert type_of(np.asarray(got)) == type_of(np.asarray(expected))
    tolerance = case.tolerances.get(str(got.dtype), 0)
    assert_allclose(got, expected, tolerance, 1e-6 * tolerance)


# The tests ---------------------------------------------------------------------------


def test_every_primitive_has_one_case() -> None:
    assert [case.opcode for case in CASES] == [row.name for row in TABLE]


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


SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 1e30, -1e30, 1e-30)
MOVING = ("reshape", "transpose", "broadcast", "slice", "pad", "concatenate", "take")
HAS_SPECIAL = [
    row
    for row in ROWS
    if row.kind == "elementwise" and row.name not in ("logical_and", "logical_not")
]


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


# Row numbers and gradients ----------------------------------------------------------


@pytest.mark.parametrize("number", [-1, 4])
def test_rows_that_do_not_exist_are_an_error(number: int) -> None:
    table, indices = np.zeros((4, 2)), np.array([0, number], np.int32)
    with pytest.raises(ArgumentError, match=r"0\.\.3"):
        PRIMITIVES["take"].meaning(table, indices)
    with pytest.raises(ArgumentError, match=r"0\.\.3"):
        PRIMITIVES["scatter_add"].meaning(np.zeros((2, 2)), indices, rows=4)


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
        wider = {"dtype": "float64"} if opcode == "cast" else attributes
        narrow = gradients(objective_of(opcode, arrays, attributes, "float32"), arrays)
        exact = gradients(objective_of(opcode, wide, wider, "float64"), wide)
        for got, expected in zip(narrow, exact, strict=True):
            assert got.dtype == np.float32
            scale = max(1.0, float(np.abs(expected).max()))
            assert_allclose(got, expected, rtol=0, atol=2e-5 * scale)


@every_primitive
def test_a_row_has_either_a_gradient_or_a_reason(row: Any) -> None:
    assert (row.name in GRADIENTS) != bool(row.no_gradient)
    assert not row.no_gradient or len(row.no_gradient.split()) >= 3


@pytest.mark.parametrize("opcode", ["sign", "floor", "stop_gradient"])
def test_without_gradient_nothing_flows_back(opcode: str) -> None:
    arrays = [np.array([0.3, -1.7])]
    (found,) = gradients(objective_of(opcode, arrays, {}, "float64"), arrays)
    assert_array_equal(found, [0.0, 0.0])


def test_largest_elements_that_tie_share_the_gradient() -> None:
    found = gradient(ops.max)(np.array([2.0, 1.0, 2.0]))
    assert_array_equal(found, [0.5, 0.0, 0.5])
