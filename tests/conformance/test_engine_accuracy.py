"""exp, log and tanh of the engine are within 4 units in the last place, everywhere."""

import math

import numpy as np
import pytest

from thalweg import _engine
from thalweg.program import ops
from thalweg.program.compile import compile_rows
from thalweg.program.native import NativeProgram
from thalweg.program.trace import trace
from thalweg.program.types import NumpyArray, type_of

every_isa = pytest.mark.parametrize("isa", _engine.available())
every_function = pytest.mark.parametrize("name", ["exp", "log", "tanh"])
UNITS = 4


def by_engine(name: str, x: NumpyArray, isa: str) -> NumpyArray:
    """f(x), every element for itself."""
    program = trace(lambda a: {"y": getattr(ops, name)(a["x"])}, {"x": type_of(x)})
    bound = NativeProgram(compile_rows(program, ()), {"x": x}, isa)
    bound.engine.run()
    return bound.arrays["y"]


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
    assert_within_units(by_engine(name, x, isa), exact, x)


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
    assert_within_units(by_engine(name, x, isa), exact, x)


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
