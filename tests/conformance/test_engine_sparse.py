"""Products of mostly zeros: the engine skips them, and nobody can tell.

Beside enough rows without zeros the same rows go the usual way, which is the oracle.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from support.engine import TOLERANCE, every_dtype, every_isa
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram, clear_errors
from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, Dtype, NumpyArray

SIZES = [(200, 111, 100), (96, 784, 64), (300, 257, 16), (70, 600, 200), (33, 300, 131)]
every_size = pytest.mark.parametrize(("rows", "depth", "columns"), SIZES, ids=str)


def type_of(array: NumpyArray) -> ArrayType:
    return ArrayType(array.shape, array.dtype.name)  # pyright: ignore[reportArgumentType]


def times(a: NumpyArray, b: NumpyArray, turned: bool) -> Program:
    """a @ b + a row; a is given as its transpose where it is turned."""
    types = {"a": type_of(a), "b": type_of(b), "row": type_of(b[0])}
    return trace(
        lambda v: {"c": (v["a"].T if turned else v["a"]) @ v["b"] + v["row"]}, types
    )


def product(
    a: NumpyArray, b: NumpyArray, turned: bool, isa: str | None = None, threads: int = 1
) -> NumpyArray:
    """What the engine gives."""
    given = np.ascontiguousarray(a.T if turned else a)
    arrays = {"a": given, "b": b, "row": b[0].copy()}
    program = NativeProgram(compile_program(times(given, b, turned)), arrays, isa)
    with clear_errors():
        program.engine.run(0, threads)
    return program.arrays["c"]


def drawn(
    rows: int, depth: int, columns: int, dtype: Dtype, share: float = 0.1
) -> tuple[NumpyArray, NumpyArray]:
    random = np.random.default_rng(rows)
    a = random.normal(size=(rows, depth)) * (random.random((rows, depth)) < share)
    return a.astype(dtype), random.normal(size=(depth, columns)).astype(dtype)


def beside_others(
    a: NumpyArray, b: NumpyArray, turned: bool, isa: str | None = None
) -> NumpyArray:
    """The same rows of the product where most of the first matrix isn't 0."""
    others = np.ones((4 * len(a), a.shape[1]), a.dtype)
    return product(np.concatenate([a, others]), b, turned, isa)[: len(a)]


def assert_same_bits(got: NumpyArray, expected: NumpyArray) -> None:
    whole = np.dtype(f"u{got.itemsize}")
    assert_array_equal(got.view(whole), expected.view(whole))


@every_isa
@every_dtype
@every_size
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.25])
def test_zeros_that_are_skipped_leave_the_same_bits(
    share: float,
    turned: bool,
    rows: int,
    depth: int,
    columns: int,
    dtype: Dtype,
    isa: str,
) -> None:
    a, b = drawn(rows, depth, columns, dtype, share)
    a[::3] *= -1  # some zeros are −0
    got = product(a, b, turned, isa)
    assert_same_bits(got, beside_others(a, b, turned, isa))
    exact = a.astype(np.float64) @ b.astype(np.float64) + b[0]
    assert_allclose(got, exact, 1e-4 if dtype == "float32" else 1e-12, 1e-4)


@every_isa
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["a", "b"])
def test_no_zero_hides_what_is_not_finite(
    where: str, number: float, turned: bool, isa: str
) -> None:
    a, b = drawn(200, 111, 100, "float32")
    (a if where == "a" else b)[110, 99] = number
    got = product(a, b, turned, isa)
    with np.errstate(invalid="ignore"):
        expected = a @ b + b[0]
    assert_array_equal(np.isnan(got), np.isnan(expected))
    assert_array_equal(np.isinf(got), np.isinf(expected))


def test_a_negative_zero_becomes_zero_either_way() -> None:
    a, b = np.zeros((200, 128), np.float32), np.zeros((128, 64), np.float32)
    a[:, 0], b[...] = 1e-30, -1e-30  # their product is −0, to the nearest float32

    def alone(a: NumpyArray) -> NumpyArray:
        types = {"a": type_of(a), "b": type_of(b)}
        program = trace(lambda v: {"c": v["a"] @ v["b"]}, types)
        bound = NativeProgram(compile_program(program), {"a": a, "b": b})
        bound.engine.run(0)
        return bound.arrays["c"]

    assert_same_bits(alone(a), np.zeros((200, 64), np.float32))
    others = np.concatenate([a, np.ones((800, 128), np.float32)])
    assert_same_bits(alone(others)[:200], np.zeros((200, 64), np.float32))


@pytest.mark.parametrize("turned", [False, True])
def test_threads_do_not_matter(turned: bool) -> None:
    a, b = drawn(1000, 300, 100, "float32")
    one = product(a, b, turned)
    for threads in (2, 3, 8):
        assert_same_bits(product(a, b, turned, threads=threads), one)


@every_dtype
def test_a_whole_step_is_what_the_interpreter_says(dtype: Dtype) -> None:
    a, b = drawn(200, 150, 64, dtype)
    types = {"a": type_of(a), "b": type_of(b), "z": type_of(a @ b)}
    program = trace(
        lambda v: {"y": v["a"] @ v["b"], "g": v["a"].T @ (v["z"] * v["z"])}, types
    )
    values = {"a": a, "b": b, "z": a @ b}
    compiled = NativeProgram(compile_program(program), dict(values))
    compiled.engine.run(0)
    for name, expected in interpret(program, values).items():
        close = TOLERANCE[dtype]
        assert_allclose(compiled.arrays[name], expected, close, close * 100)


# Convolutions -------------------------------------------------------------------------

Run = dict[str, NumpyArray]


def images(channels: int, filters: int, dtype: Dtype) -> Run:
    """Images, filters, and the gradient that a pooling leaves: a quarter, or less."""
    random = np.random.default_rng(channels)
    x = random.normal(size=(4, 17, 16, channels))
    w = random.normal(size=(3, 3, channels, filters))
    given = random.normal(size=(4, 15, 14, filters))
    given *= random.random(given.shape) < 0.15
    given[::2] *= -1  # some zeros are −0
    return {name: a.astype(dtype) for name, a in {"x": x, "w": w, "g": given}.items()}


def gradients(values: Run, isa: str | None = None, threads: int = 1) -> Run:
    """Those by the filters and by the images, which the engine gives."""

    def formula(a: dict[str, Tracer]) -> dict[str, Tracer]:
        x, w, g = a["x"], a["w"], a["g"]
        seen = ops.windows(x, (1, 2), 3)
        by_seen = ops.contract(g, ops.transpose(w, (3, 0, 1, 2)))
        form = {"axes": (1, 2), "sizes": (3, 3), "steps": (1, 1), "spacing": (1, 1)}
        emit = x.trace.emit
        return {
            "w": ops.contract(ops.transpose(seen, (3, 4, 5, 0, 1, 2)), g, summed=3),
            "x": emit("add_windows", (by_seen,), **form, shape=x.shape),
        }

    program = trace(formula, {name: type_of(array) for name, array in values.items()})
    renamed = Program(
        program.inputs,
        program.instructions,
        {f"gradient.{name}": value for name, value in program.outputs.items()},
    )
    bound = NativeProgram(compile_program(renamed), dict(values), isa)
    with clear_errors():
        bound.engine.run(0, threads)
    return {name: bound.arrays[name].copy() for name in renamed.outputs}


def beside_full_filters(values: Run) -> Run:
    """The same with filters beside them whose gradients have no zeros."""
    more = {
        name: np.ones((*values[name].shape[:-1], 11), values[name].dtype)
        for name in ("w", "g")
    }
    return {
        "x": values["x"],
        **{name: np.concatenate([values[name], more[name]], -1) for name in more},
    }


@every_isa
@every_dtype
@pytest.mark.parametrize("channels", [1, 3, 16, 33])
@pytest.mark.parametrize("filters", [1, 4, 5])
def test_zeros_behind_a_pooling_leave_the_same_bits_of_the_filters_gradient(
    filters: int, channels: int, dtype: Dtype, isa: str
) -> None:
    values = images(channels, filters, dtype)
    alone = gradients(values, isa)["gradient.w"]
    beside = gradients(beside_full_filters(values), isa)["gradient.w"][..., :filters]
    assert_same_bits(alone, np.ascontiguousarray(beside))


@every_isa
@every_dtype
@pytest.mark.parametrize("channels", [1, 3, 16, 33])
@pytest.mark.parametrize("filters", [1, 16, 33])
def test_gradients_behind_a_pooling_are_those_of_the_interpreter(
    filters: int, channels: int, dtype: Dtype, isa: str
) -> None:
    values = images(channels, filters, dtype)
    found = gradients(values, isa)
    for threads in (2, 3, 8):
        for name, array in gradients(values, isa, threads).items():
            assert_same_bits(array, found[name])
    exact = {name: array.astype(np.float64) for name, array in values.items()}
    seen = np.lib.stride_tricks.sliding_window_view(exact["x"], (3, 3), (1, 2))
    by_filters = np.einsum("nyxckl,nyxf->klcf", seen, exact["g"])
    by_images = np.zeros_like(exact["x"])
    for i, j in np.ndindex(3, 3):
        by_images[:, i : i + 15, j : j + 14] += exact["g"] @ exact["w"][i, j].T
    close = 1e-4 if dtype == "float32" else 1e-11
    assert_allclose(found["gradient.w"], by_filters, close, close * 10)
    assert_allclose(found["gradient.x"], by_images, close, close * 10)


@every_isa
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "w", "g"])
def test_no_zero_of_a_convolution_hides_what_is_not_finite(
    where: str, number: float, isa: str
) -> None:
    values = images(3, 8, "float32")
    values[where].reshape(-1)[values[where].size // 2] = number
    found = gradients(values, isa)
    with np.errstate(invalid="ignore"):
        seen = np.lib.stride_tricks.sliding_window_view(values["x"], (3, 3), (1, 2))
        by_filters = np.einsum("nyxckl,nyxf->klcf", seen, values["g"])
        by_images = np.zeros_like(values["x"])
        for i, j in np.ndindex(3, 3):
            by_images[:, i : i + 15, j : j + 14] += values["g"] @ values["w"][i, j].T
    for name, expected in (("w", by_filters), ("x", by_images)):
        got = found[f"gradient.{name}"]
        assert_array_equal(np.isnan(got), np.isnan(expected))
        assert_array_equal(np.isinf(got), np.isinf(expected))
