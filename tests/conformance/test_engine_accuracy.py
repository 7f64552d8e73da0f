"""exp, log, tanh and powers of the engine are within 4 units in the last place."""

import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from support.engine import every_isa
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram
from thalweg.program import ops
from thalweg.program.trace import trace
from thalweg.program.types import NumpyArray, type_of

every_function = pytest.mark.parametrize("name", ["exp", "log", "tanh"])
UNITS = 4


def by_engine(name: str, isa: str, **arrays: NumpyArray) -> NumpyArray:
    """f(x, …), every element for itself."""
    types = {name: type_of(array) for name, array in arrays.items()}
    program = trace(lambda a: {"result": getattr(ops, name)(*a.values())}, types)
    bound = NativeProgram(compile_program(program), arrays, isa)
    bound.engine.run()
    return bound.arrays["result"]


def assert_within_units(got: NumpyArray, exact: NumpyArray, x: NumpyArray) -> None:
    """At most 4 units from what was reckoned in a wider type.

    NaN and infinity are where they belong. Zero stands for subnormal numbers, which the
    engine may flush.
    """
    limits = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        rounded = exact.astype(got.dtype)
        finite = np.isfinite(rounded)
        unit = np.spacing(np.abs(np.where(finite, rounded, 0)))
        error = np.abs(got.astype(exact.dtype) - exact) / unit
    flushed = (got == 0) & (np.abs(exact) < limits.smallest_normal)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    near = np.where(finite, (error <= UNITS) | flushed, same)
    if not near.all():
        at = int(np.argmin(near))
        raise AssertionError(
            f"at {x[at]!r} ({x[at].hex() if np.isfinite(x[at]) else ''}): "
            f"got {got[at]!r}, exact is {exact[at]!r}; {np.sum(~near)} are too far"
        )


@every_isa
@every_function
def test_float32_over_its_whole_range(name: str, isa: str) -> None:
    bits = np.arange(0, 2**32, 2_147).astype(np.uint32)
    x = np.concatenate([bits.view(np.float32), edges("float32")])
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(np.float64))
    assert_within_units(by_engine(name, isa, x=x), exact, x)


@every_isa
@every_function
def test_float64_over_its_whole_range(name: str, isa: str) -> None:
    random = np.random.default_rng(len(name))
    x = np.concatenate(
        [
            random.integers(0, 2**64, 30_000, np.uint64).view(np.float64),
            random.uniform(-746, 710, 30_000),
            random.uniform(-3, 3, 30_000),
            1 + random.normal(0, 1e-3, 10_000),
            np.exp(random.uniform(-700, 700, 30_000)),
            edges("float64"),
        ]
    )
    with np.errstate(all="ignore"):
        exact = getattr(np, name)(x.astype(np.longdouble))
    assert_within_units(by_engine(name, isa, x=x), exact, x)


WIDER = {"float32": np.float64, "float64": np.longdouble}


@every_isa
@pytest.mark.parametrize("dtype", WIDER)
def test_powers_over_the_whole_range_of_results(dtype: str, isa: str) -> None:
    limits, random = np.finfo(dtype), np.random.default_rng(0)
    least, most = math.log(limits.smallest_subnormal), math.log(limits.max)
    results = random.uniform(1.02 * least, 1.02 * most, 30_000)  # their logarithms
    y = random.normal(size=30_000) * np.exp(random.uniform(-6, 6, 30_000))
    with np.errstate(all="ignore"):
        x, y = np.exp(results / y).astype(dtype), y.astype(dtype)
        usual = np.isfinite(x) & (x >= limits.smallest_normal)
        x, y = x[usual], y[usual]
        exact = np.power(x.astype(WIDER[dtype]), y.astype(WIDER[dtype]))
    assert len(x) > 10_000
    assert_within_units(by_engine("power", isa, x=x, y=y), exact, x)


@every_isa
@pytest.mark.parametrize("dtype", WIDER)
def test_the_power_of_a_subnormal_number_is_that_of_zero(dtype: str, isa: str) -> None:
    least = np.finfo(dtype).smallest_subnormal
    bases = least * np.array([1, 3, 1e6, -1, -3, -1e6], dtype)
    exponents = np.array([0, -0.0, least, 1, 2, 3, -1, -2, 0.5, math.inf, -math.inf])
    pairs = np.meshgrid(bases, exponents.astype(dtype))
    x, y = (np.ascontiguousarray(each.ravel()) for each in pairs)
    with np.errstate(all="ignore"):
        expected = np.power(np.copysign(x.dtype.type(0), x), np.where(y == least, 0, y))
    got = by_engine("power", isa, x=x, y=y)
    assert_array_equal(got, expected)
    assert_array_equal(np.signbit(got), np.signbit(expected))


def edges(dtype: str) -> NumpyArray:
    """Numbers about which a function changes its form, and their neighbors."""
    limits = np.finfo(dtype)
    largest, smallest = math.log(limits.max), math.log(limits.smallest_normal)
    at = [0, 1, 0.5, 2, math.sqrt(0.5), math.sqrt(2), math.log(2), math.log(2) / 2]
    at += [largest, smallest, smallest - 1, 9, 9.5, 10, 20, 0.625, limits.eps, math.inf]
    at += [limits.max, limits.smallest_normal, limits.smallest_subnormal, math.nan]
    x = np.array([*at, *(-a for a in at)], dtype)
    found = [x]
    for target in (math.inf, -math.inf):
        near = x
        for _ in range(20):
            with np.errstate(all="ignore"):
                near = np.nextafter(near, near.dtype.type(target))
            found.append(near)
    return np.concatenate(found)
