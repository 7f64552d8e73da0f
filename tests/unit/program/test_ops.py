"""The words of formulas: as NumPy when called, and the same when recorded."""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.calls import compile
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program import ops
from thalweg.program.ir import verify
from thalweg.program.trace import OPERATIONS, Tracer, trace
from thalweg.program.types import COMPUTED, ArrayType

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(4, 6)), RANDOM.normal(size=(4, 6))
POSITIVE = np.abs(X) + 0.1
ROW, COLUMN = Y[0], Y[:, :1]
STACK, MATRIX = RANDOM.normal(size=(3, 4, 6)), RANDOM.normal(size=(6, 5))
TABLE, ROWS = RANDOM.normal(size=(7, 2)), np.array([[3, 0], [6, 3]], np.int32)
FLAGS = X > 0

Call = tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]
# What ours gives, what NumPy gives, and at which arrays.
CALLS: dict[str, Call] = {
    "add": (ops.add, np.add, (X, Y)),
    "add row": (ops.add, np.add, (X, ROW)),
    "add column": (ops.add, np.add, (COLUMN, X)),
    "add outer": (ops.add, np.add, (COLUMN, ROW)),
    "subtract": (ops.subtract, np.subtract, (X, ROW)),
    "multiply": (ops.multiply, np.multiply, (X, Y)),
    "divide": (ops.divide, np.divide, (X, Y)),
    "negative": (ops.negative, np.negative, (X,)),
    "power": (ops.power, np.power, (POSITIVE, Y)),
    "maximum": (ops.maximum, np.maximum, (X, Y)),
    "minimum": (ops.minimum, np.minimum, (X, ROW)),
    "absolute": (ops.absolute, np.abs, (X,)),
    "sign": (ops.sign, np.sign, (X,)),
    "floor": (ops.floor, np.floor, (X,)),
    "exp": (ops.exp, np.exp, (X,)),
    "expm1": (ops.expm1, np.expm1, (X,)),
    "log": (ops.log, np.log, (POSITIVE,)),
    "log1p": (ops.log1p, np.log1p, (POSITIVE,)),
    "sqrt": (ops.sqrt, np.sqrt, (POSITIVE,)),
    "square": (ops.square, np.square, (X,)),
    "sin": (ops.sin, np.sin, (X,)),
    "cos": (ops.cos, np.cos, (X,)),
    "tanh": (ops.tanh, np.tanh, (X,)),
    "erf": (ops.erf, np.vectorize(math.erf), (X,)),
    "logistic": (ops.logistic, lambda x: 1 / (1 + np.exp(-x)), (X,)),
    "softplus": (ops.softplus, lambda x: np.log(1 + np.exp(x)), (X,)),
    "xlogy": (ops.xlogy, lambda x, y: x * np.log(y), (X, POSITIVE)),
    "xlogy at 0": (ops.xlogy, lambda x, y: x * 0.0, (np.zeros(2), np.zeros(2))),
    "stop_gradient": (ops.stop_gradient, lambda x: x, (X,)),
    "equal": (ops.equal, np.equal, (X, X)),
    "not_equal": (ops.not_equal, np.not_equal, (X, X[0])),
    "less": (ops.less, np.less, (X, Y)),
    "less_equal": (ops.less_equal, np.less_equal, (X, X)),
    "greater": (ops.greater, np.greater, (X, Y)),
    "greater_equal": (ops.greater_equal, np.greater_equal, (X, X)),
    "logical_not": (ops.logical_not, np.logical_not, (FLAGS,)),
    "logical_and": (ops.logical_and, np.logical_and, (FLAGS, FLAGS[0])),
    "logical_or": (ops.logical_or, np.logical_or, (FLAGS, FLAGS[0])),
    "where": (ops.where, np.where, (FLAGS, X, ROW)),
    "where row": (ops.where, np.where, (FLAGS[0], X, Y)),
    "cast": (lambda x: ops.cast(x, "int32"), lambda x: x.astype("i4"), (9 * X,)),
    "zeros_like": (ops.zeros_like, np.zeros_like, (X,)),
    "ones_like": (ops.ones_like, np.ones_like, (X,)),
    "sum": (ops.sum, np.sum, (X,)),
    "sum of flags": (ops.sum, np.sum, (FLAGS,)),
    "max": (ops.max, np.max, (X,)),
    "min": (ops.min, np.min, (X,)),
    "mean": (ops.mean, np.mean, (X,)),
    "mean of flags": (ops.mean, np.mean, (FLAGS,)),
    "argmax": (ops.argmax, lambda x: np.argmax(x, -1), (X,)),
    "argmax rows": (lambda x: ops.argmax(x, 0), lambda x: np.argmax(x, 0), (X,)),
    "reshape": (lambda x: ops.reshape(x, (2, -1)), lambda x: x.reshape(2, -1), (X,)),
    "flatten": (lambda x: ops.reshape(x, -1), np.ravel, (X,)),
    "transpose": (ops.transpose, np.transpose, (STACK,)),
    "transpose axes": (
        lambda x: ops.transpose(x, (0, -1, 1)),
        lambda x: np.transpose(x, (0, -1, 1)),
        (STACK,),
    ),
    "broadcast_to": (
        lambda x: ops.broadcast_to(x, (3, 4, 6)),
        lambda x: np.broadcast_to(x, (3, 4, 6)),
        (COLUMN,),
    ),
    "concatenate": (
        lambda x, y: ops.concatenate([x, y, x]),
        lambda x, y: np.concatenate([x, y, x]),
        (X, Y),
    ),
    "concatenate columns": (
        lambda x, y: ops.concatenate([x, y], axis=-1),
        lambda x, y: np.concatenate([x, y], axis=-1),
        (X, COLUMN),
    ),
    "matmul": (ops.matmul, np.matmul, (X, MATRIX)),
    "matmul vector": (ops.matmul, np.matmul, (X, ROW)),
    "vector matmul": (ops.matmul, np.matmul, (ROW, MATRIX)),
    "vector matmul vector": (ops.matmul, np.matmul, (ROW, ROW)),
    "matmul stack": (ops.matmul, np.matmul, (STACK, MATRIX)),
    "matmul stacks": (ops.matmul, np.matmul, (STACK, STACK.transpose(0, 2, 1))),
    "matmul stack vector": (ops.matmul, np.matmul, (STACK, ROW)),
    "take": (ops.take, lambda t, i: t[i], (TABLE, ROWS)),
    "one_hot": (
        lambda labels: ops.one_hot(labels, 7),
        lambda labels: np.eye(7)[labels],
        (ROWS,),
    ),
}
REDUCTIONS = {"sum": np.sum, "max": np.max, "min": np.min, "mean": np.mean}
AXES = [None, 0, 1, -1, (0, 2), (-1, 0), (0, 1, 2)]

every_call = pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))


@every_call
def test_on_arrays_it_is_numpys(call: Call) -> None:
    ours, numpys, arrays = call
    with np.errstate(all="ignore"):
        expected = numpys(*arrays)
    result = ours(*arrays)
    assert not isinstance(result, Tracer)
    assert np.shape(result) == np.shape(expected)
    assert_allclose(result, expected, 1e-12)


@every_call
def test_recorded_it_is_numpys_too(call: Call) -> None:
    ours, numpys, arrays = call
    with np.errstate(all="ignore"):
        expected = numpys(*arrays)
    result = compile(ours)(*arrays)
    assert np.shape(result) == np.shape(expected)
    assert_allclose(result, expected, 1e-12)


@every_call
def test_recorded_in_float32_it_stays_float32(call: Call) -> None:
    ours, _, arrays = call
    narrow = [a.astype("f4") if a.dtype == np.float64 else a for a in arrays]
    wide = np.asarray(compile(ours)(*arrays))
    got = np.asarray(compile(ours)(*narrow))
    if any(a.dtype == np.float32 for a in narrow) and wide.dtype == np.float64:
        assert got.dtype == np.float32
        assert_allclose(got, wide, 2e-4, 1e-5)
    else:
        assert got.dtype == wide.dtype


@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_take_axes_as_numpy(name: str, keepdims: bool, axis: Any) -> None:
    expected = REDUCTIONS[name](STACK, axis=axis, keepdims=keepdims)
    eager = OPERATIONS[name](STACK, axis, keepdims)
    recorded = compile(lambda x: OPERATIONS[name](x, axis, keepdims))(STACK)
    method = compile(lambda x: getattr(x, name)(axis=axis, keepdims=keepdims))(STACK)
    for result in (eager, recorded, method):
        assert np.shape(result) == np.shape(expected)
        assert_allclose(result, expected, 1e-12)


def test_an_axis_may_be_a_numpy_number() -> None:
    axis: Any = np.int64(1)
    assert_allclose(compile(lambda x: ops.sum(x, axis))(STACK), STACK.sum(1))


@pytest.mark.parametrize("number", [2.0, -0.5])
def test_a_plain_number_gives_a_plain_number(number: float) -> None:
    for function, expected in ((ops.exp, math.exp), (ops.tanh, math.tanh)):
        assert function(number) == pytest.approx(expected(number))
    assert ops.add(number, 1) == number + 1
    assert ops.where(number > 0, 1.0, -1.0) == math.copysign(1, number)
    assert ops.sum(number) == ops.mean(number) == ops.max(number) == number


@pytest.mark.parametrize("x", [-1000.0, 1000.0])
def test_the_logistic_words_never_overflow(x: float) -> None:
    assert ops.logistic(x) == (x > 0)
    assert ops.softplus(x) == max(x, 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_logistic_function_keeps_its_digits_near_0(dtype: str) -> None:
    x = np.array([-80.0, -20.0, -1.0], dtype)
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    assert_allclose(ops.logistic(x), exact, 4 * float(np.finfo(dtype).eps))


# Operators and NumPy's own functions -------------------------------------------------

OPERATORS: dict[str, Callable[[Any], Any]] = {
    "x + y": lambda x: x + Y,
    "y + x": lambda x: Y + x,
    "1 + x": lambda x: 1 + x,
    "x - y": lambda x: x - Y,
    "y - x": lambda x: Y - x,
    "2 - x": lambda x: 2 - x,
    "x * y": lambda x: x * Y,
    "y * x": lambda x: Y * x,
    "x / y": lambda x: x / Y,
    "y / x": lambda x: Y / x,
    "1 / x": lambda x: 1 / x,
    "x ** 2": lambda x: x**2,
    "x ** 5": lambda x: x**5,
    "2 ** x": lambda x: 2**x,
    "x ** -1": lambda x: x**-1,
    "x @ matrix": lambda x: x @ MATRIX,
    "matrix.T @ x.T": lambda x: MATRIX.T @ x.T,
    "-x": lambda x: -x,
    "+x": lambda x: +x,
    "abs(x)": abs,
    "x < y": lambda x: x < Y,
    "x <= y": lambda x: x <= Y,
    "x > y": lambda x: x > Y,
    "x >= y": lambda x: x >= Y,
    "x == x": lambda x: x == X,
    "x != x": lambda x: x != X,
    "y < x": lambda x: operator.lt(Y, x),
    "~(x > 0)": lambda x: ~(x > 0),
    "and": lambda x: (x > 0) & (x < 1),
    "or": lambda x: (x > 1) | (x < 0),
    "np.exp": np.exp,
    "np.abs": np.abs,
    "np.add": lambda x: np.add(Y, x),
    "np.true_divide": lambda x: np.true_divide(x, Y),
    "np.square": np.square,
    "np.negative": np.negative,
    "np.maximum": lambda x: np.maximum(0, x),
    "np.logical_not": lambda x: np.logical_not(x > 0),
    "np.where": lambda x: np.where(FLAGS, x, 0.0),
    "np.sum": lambda x: np.sum(x, axis=1),
    "np.mean": lambda x: np.mean(x, axis=0, keepdims=True),
    "np.max": lambda x: np.max(x, axis=-1),
    "np.amin": lambda x: np.min(x),
    "np.concatenate": lambda x: np.concatenate([x, Y], axis=1),
    "np.reshape": lambda x: np.reshape(x, (6, 4)),
    "np.transpose": np.transpose,
    "np.matmul": lambda x: np.matmul(x, MATRIX),
    "np.zeros_like": np.zeros_like,
    "np.broadcast_to": lambda x: np.broadcast_to(x, (2, 4, 6)),
    "x.reshape": lambda x: x.reshape(2, -1),
    "x.reshape of a tuple": lambda x: x.reshape((3, 8)),
    "x.astype": lambda x: x.astype(np.float32),
    "x.T": lambda x: x.T,
    "number of NumPy": lambda x: np.float64(2.0) * x + np.int64(1),
    "float32 array": lambda x: x * np.float32(0.5),
}


@pytest.mark.parametrize("function", OPERATORS.values(), ids=list(OPERATORS))
def test_operators_and_numpys_functions_are_recorded(
    function: Callable[[Any], Any],
) -> None:
    result, expected = compile(function)(X), function(X)
    assert result.shape == expected.shape
    assert_allclose(result, expected, 1e-12)


# Indexing ----------------------------------------------------------------------------

KEYS: list[Any] = [
    0,
    -1,
    np.int64(2),
    slice(None),
    slice(1, 3),
    slice(-2, None),
    slice(None, None, 2),
    slice(2, 1),
    slice(5, 9),
    None,
    ...,
    (),
    (0, 1),
    (0, slice(1, 5, 2)),
    (slice(None), 3),
    (slice(None), None),
    (slice(None), None, slice(None)),
    (..., 0),
    (..., None),
    (0, ..., 1),
    (None, 0, None, slice(None, 2)),
    (1, 2, None),
    [3, 0, 3],
    [],
    np.array([[1, 2], [0, 3]]),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indexing_is_numpys(key: Any) -> None:
    expected = X[key]
    result = np.asarray(compile(lambda x: x[key])(X))
    assert result.shape == expected.shape
    assert_array_equal(result, expected)


def test_a_tracer_indexes_by_a_tracer() -> None:
    taken = compile(lambda table, rows: table[rows])(TABLE, ROWS)
    assert_array_equal(taken, TABLE[ROWS])


def test_a_single_number_is_indexed_by_nothing() -> None:
    assert compile(lambda x: x[...] + x[()] + x[None].sum())(2.0) == 6.0


# Dtypes ------------------------------------------------------------------------------

TYPES = {
    "half": ArrayType((2,), "float32"),
    "double": ArrayType((2,), "float64"),
    "whole": ArrayType((2,), "int32"),
    "bits": ArrayType((2,), "uint32"),
    "flag": ArrayType((2,), "bool"),
}
F64 = np.ones(2)
PROMOTIONS: list[tuple[tuple[str, ...], Callable[..., Any], str]] = [
    (("half",), lambda x: x + 1, "float32"),
    (("half",), lambda x: x * 2.5, "float32"),
    (("half",), lambda x: x + F64, "float32"),
    (("double",), lambda x: x + F64.astype("f4"), "float64"),
    (("half", "whole"), lambda x, i: x + i, "float32"),
    (("double", "whole"), lambda x, i: i * x, "float64"),
    (("half", "flag"), lambda x, b: x * b, "float32"),
    (("half", "whole"), lambda x, i: ops.where(x > 0, i, x), "float32"),
    (("half", "whole"), lambda x, i: i * 0.5, "float32"),
    (("whole",), lambda i: i * 0.5, "float64"),
    (("whole",), lambda i: i + 1, "int32"),
    (("whole",), lambda i: i / i, "float64"),
    (("half", "whole"), lambda x, i: ops.exp(i), "float32"),
    (("whole",), lambda i: ops.mean(i), "float64"),
    (("whole",), lambda i: ops.sum(i), "int32"),
    (("whole", "bits"), lambda i, u: i + u, "uint32"),
    (("flag",), lambda b: b + 1, "int32"),
    (("flag",), lambda b: b * 1.5, "float64"),
    (("flag",), lambda b: ops.sum(b), "int32"),
    (("flag", "flag"), lambda b, _: b == True, "bool"),  # noqa: E712
    (("half",), lambda x: x > 1, "bool"),
    (("half",), lambda x: ops.argmax(x), "int32"),
    (("half",), lambda x: ops.one_hot(ops.argmax(x), 3), "float32"),
    (("half",), lambda x: ops.one_hot(ops.argmax(x), 3, "int32"), "int32"),
    (("half",), lambda x: ops.take(np.ones((2, 2)), ops.argmax(x)), "float32"),
    (("half",), lambda x: ops.concatenate([x, F64]), "float32"),
    (("half",), lambda x: x @ F64, "float32"),
    (("half",), lambda x: x**2, "float32"),
]


@pytest.mark.parametrize(("names", "function", "dtype"), PROMOTIONS)
def test_dtype_in_which_arguments_meet(
    names: tuple[str, ...], function: Callable[..., Any], dtype: str
) -> None:
    types = {f"x{i}": TYPES[name] for i, name in enumerate(names)}
    program = trace(lambda a: {"y": function(*a.values())}, types)
    assert program.output_types()["y"].dtype == dtype
    inputs = {name: np.ones(2, type.dtype) for name, type in types.items()}
    assert interpret(program, inputs)["y"].dtype == dtype


NAMED: dict[str, Callable[[Any, Any], Any]] = {
    "cast": lambda x, dtype: ops.cast(x > 1, dtype),
    "one_hot": lambda x, dtype: ops.one_hot(ops.cast(x, "int32"), 3, dtype),
}


@pytest.mark.parametrize("name", COMPUTED)
@pytest.mark.parametrize("function", NAMED.values(), ids=list(NAMED))
def test_a_dtype_may_be_that_of_an_array(
    function: Callable[[Any, Any], Any], name: str
) -> None:
    x, other = np.array([0.0, 2.0], np.float32), np.zeros(1, name)
    expected = function(x, name)
    assert expected.dtype == name
    recorded = compile(lambda x, other: function(x, other.dtype))(x, other)
    eager = function(x, other.dtype)
    for result in (eager, recorded, compile(lambda x: function(x, other.dtype))(x)):
        assert result.dtype == name
        assert_array_equal(result, expected)
    types = {"x": ArrayType((2,), "float32")}
    verify(trace(lambda a: {"y": function(a["x"], other.dtype)}, types))


@pytest.mark.parametrize("function", NAMED.values(), ids=list(NAMED))
@pytest.mark.parametrize("dtype", [np.int64, "float16", ""])
def test_a_dtype_that_programs_do_not_have(
    function: Callable[[Any, Any], Any], dtype: Any
) -> None:
    said = r"must be float32, .* or bool, got .*test_ops\.py"
    with pytest.raises(DtypeError, match=said):
        function(X, dtype)
    with pytest.raises(DtypeError, match=said):
        compile(lambda x: function(x, dtype))(X)


def test_float32_never_meets_float64() -> None:
    types = {"x": TYPES["half"], "y": TYPES["double"]}
    with pytest.raises(DtypeError, match=r"float32 meets float64.*test_ops\.py"):
        trace(lambda a: {"z": a["x"] + a["y"]}, types)


# Arguments that can't be -------------------------------------------------------------


def test_nothing_to_concatenate() -> None:
    with pytest.raises(ArgumentError, match="at least one"):
        ops.concatenate([])


def test_mean_of_nothing() -> None:
    with pytest.raises(ShapeError, match=r"\(0, 3\)"):
        ops.mean(np.zeros((0, 3)), axis=0)


@pytest.mark.parametrize("axis", [3, -4, (0, 3)])
def test_axis_that_does_not_exist(axis: Any) -> None:
    with pytest.raises(ShapeError, match=r"axis -?\d doesn't exist in shape"):
        ops.sum(STACK, axis=axis)
