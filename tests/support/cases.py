"""One case per primitive: what it means, and at which arrays to try it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from support.by_hand import (
    add_windows_by_hand,
    argmax_by_hand,
    broadcast_by_hand,
    concatenate_by_hand,
    contract_by_hand,
    erf_by_hand,
    floor_by_hand,
    larger,
    matmul_by_hand,
    max_by_hand,
    pad_by_hand,
    random_by_hand,
    scan_by_hand,
    scatter_by_hand,
    share_max_by_hand,
    sign_by_hand,
    slice_by_hand,
    smaller,
    sum_by_hand,
    take_by_hand,
    transpose_by_hand,
    windows_by_hand,
)
from support.loop_forms import TIMES, in_dtype, loop
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import NumpyArray

Attributes = Mapping[str, Any]
Sampler = Callable[[np.random.Generator, tuple[int, ...]], NumpyArray]

SHAPES = ((), (1,), (0,), (7,), (3, 5), (0, 4), (2, 1, 3), (65, 63))
FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int32")
ANY = (*NUMBERS, "uint32", "bool")
MOVED = (*ANY, "uint8")  # which inputs alone have
ODD_SIZES = (1, 3, 15, 17, 63, 65, 255, 1000)  # whole vectors and tiles don't fit
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


def few(random: np.random.Generator, shape: tuple[int, ...]) -> NumpyArray:
    return random.integers(-3, 3, shape).astype(np.float64)


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


def axes(batch: int, summed: int) -> dict[str, int]:
    """The attributes of a contraction."""
    return {"batch": batch, "summed": summed}


def windows(
    axes: tuple[int, ...],
    sizes: tuple[int, ...],
    steps: tuple[int, ...] | None = None,
    spacing: tuple[int, ...] | None = None,
) -> dict[str, Any]:
    """The attributes of windows, side by side unless told."""
    ones = (1,) * len(axes)
    steps, spacing = steps or ones, spacing or ones
    return {"axes": axes, "sizes": sizes, "steps": steps, "spacing": spacing}


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
        "share_max",
        share_max_by_hand,
        forms_of(
            ((2, 3, 4), (2, 1, 4), {"axes": (1,)}),
            ((2, 3, 2, 2, 5), (2, 3, 1, 1, 5), {"axes": (2, 3)}),
            ((2, 2, 3), (2, 2, 1), {"axes": (2,)}),
            ((3, 2), (1, 1), {"axes": (0, 1)}),
            ((2, 3, 1, 2, 17), (2, 3, 1, 1, 17), {"axes": (3,)}),
        ),
        dtypes=FLOATS,
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
        dtypes=MOVED,
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
        dtypes=MOVED,
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
        dtypes=MOVED,
    ),
    Case(
        "slice",
        slice_by_hand,
        forms_of(
            ((7,), {"starts": (1,), "stops": (6,), "steps": (2,)}),
            ((3, 5), {"starts": (1, 0), "stops": (3, 5), "steps": (1, 3)}),
            ((2, 3), {"starts": (2, 3), "stops": (2, 3), "steps": (1, 1)}),
            ((7,), {"starts": (6,), "stops": (-1,), "steps": (-1,)}),
            ((3, 6), {"starts": (2, 5), "stops": (0, 0), "steps": (-1, -2)}),
            (
                (4, 1, 5),
                {"starts": (3, 0, 1), "stops": (2, -1, 4), "steps": (-2, -1, 2)},
            ),
            ((), {"starts": (), "stops": (), "steps": ()}),
        ),
        dtypes=MOVED,
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
        dtypes=MOVED,
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
        dtypes=MOVED,
    ),
    Case(
        "windows",
        windows_by_hand,
        forms_of(
            ((5,), windows((0,), (3,))),
            ((5,), windows((0,), (2,), (2,), (3,))),
            ((2, 6, 3), windows((1,), (2,), (3,))),
            ((2, 5, 4, 2), windows((1, 2), (3, 2), (1, 2), (2, 1))),
            ((4, 2, 5), windows((0, 2), (2, 2), (2, 1))),
            ((0, 3), windows((1,), (2,))),
            ((3, 3), windows((0, 1), (3, 3))),
        ),
        dtypes=MOVED,
    ),
    Case(
        "add_windows",
        add_windows_by_hand,
        forms_of(
            ((3, 3), {**windows((0,), (3,)), "shape": (5,)}),
            ((1, 2), {**windows((0,), (2,), (2,), (3,)), "shape": (5,)}),
            ((2, 2, 2, 3), {**windows((1,), (2,), (3,)), "shape": (2, 6, 3)}),
            (
                (2, 1, 2, 3, 2, 2),
                {**windows((1, 2), (3, 2), (1, 2), (2, 1)), "shape": (2, 5, 4, 2)},
            ),
            ((2, 2, 4, 2, 2), {**windows((0, 2), (2, 2), (2, 1)), "shape": (4, 2, 5)}),
            ((0, 2, 2), {**windows((1,), (2,)), "shape": (0, 3)}),
        ),
        dtypes=NUMBERS,
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
        "contract",
        contract_by_hand,
        forms_of(
            ((3, 5), (5, 4), axes(0, 1)),
            ((2, 3, 5), (5, 4), axes(0, 1)),
            ((2, 3, 2, 5), (2, 5, 4, 3), axes(0, 2)),
            ((2, 3, 5), (2, 5, 4), axes(1, 1)),
            ((2, 3, 4, 2, 5), (2, 2, 5, 3), axes(1, 2)),
            ((2, 3), (2, 3), axes(0, 2)),
            ((2, 3), (4,), axes(0, 0)),
            ((2, 3), (3,), axes(0, 1)),
            ((3,), (3, 2, 2), axes(0, 1)),
            ((0, 3, 5), (5, 4), axes(0, 1)),
            ((2, 3, 0), (0, 4), axes(0, 1)),
            ((1, 1, 1), (1, 1), axes(0, 1)),
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
    Case(
        "scan",
        scan_by_hand,
        forms_of(
            loop(5, "s", "x"),
            loop(5, "s", "x", reverse=True),
            loop(1, "s", "m", "x", "w"),
            loop(7, "s", "m", "x", "w", reverse=True),
            loop(0, "s", "x"),
        ),
        (rows_below(TIMES + 1), real),
        NUMBERS,
    ),
)
BY_OPCODE = {case.opcode: case for case in CASES}
ROWS = [row for row in PRIMITIVES.values() if row.name != "constant"]
every_primitive = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, 0.5, 1e30, -1e30, 1e-30)
MOVING = ("reshape", "transpose", "broadcast", "slice", "pad", "concatenate", "take")
HAS_SPECIAL = [
    row
    for row in ROWS
    if row.kind == "elementwise" and row.name not in ("logical_and", "logical_not")
]


def examples(opcode: str, dtype: str) -> Iterator[tuple[list[NumpyArray], Attributes]]:
    """Arrays of every form of a case."""
    case, random = BY_OPCODE[opcode], np.random.default_rng(len(opcode))
    for shapes, attributes in case.forms:
        yield case.arrays(random, shapes, dtype), in_dtype(attributes, dtype)
