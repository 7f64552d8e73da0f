"""Words made of others: NumPy's and SciPy's values, slopes, any rows, safe numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp as scipys_logsumexp

import thalweg as tw
from thalweg.backends.engine.batch import Batch
from thalweg.backends.numpy.calls import compile, gradient
from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ArgumentError, ShapeError, TracingError
from thalweg.program.compile import make_safe
from thalweg.program.ir import verify
from thalweg.program.passes.simplify import simplify
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType
from thalweg.training.execution import Execution

X = np.random.default_rng(0).normal(size=(5, 4, 6))
WHOLE = np.arange(12, dtype=np.int32).reshape(3, 4) - 5
LONG = np.random.default_rng(1).normal(size=(2, 37))

Call = tuple[Callable[[Any], Any], Callable[[Any], Any]]
# What ours gives of X, and what NumPy or SciPy gives.
CALLS: dict[str, Call] = {
    "clip": (lambda x: tw.clip(x, -0.5, 0.5), lambda x: np.clip(x, -0.5, 0.5)),
    "clip below": (lambda x: tw.clip(x, min=0), lambda x: np.clip(x, 0, None)),
    "clip above": (lambda x: tw.clip(x, max=0), lambda x: np.clip(x, None, 0)),
    "clip by rows": (
        lambda x: tw.clip(x, x[0, 0], x[0, 1]),
        lambda x: np.clip(x, x[0, 0], x[0, 1]),
    ),
    "clip turned round": (lambda x: tw.clip(x, 1, -1), lambda x: np.clip(x, 1, -1)),
    "stack": (lambda x: tw.stack([x, x * 2]), lambda x: np.stack([x, x * 2])),
    "stack last": (
        lambda x: tw.stack([x, x * 2, x], axis=-1),
        lambda x: np.stack([x, x * 2, x], axis=-1),
    ),
    "stack second": (lambda x: tw.stack([x, -x], 1), lambda x: np.stack([x, -x], 1)),
    "split": (
        lambda x: tw.concatenate(tw.split(x, 3)[::-1], axis=-1),
        lambda x: np.concatenate(np.split(x, 3, axis=-1)[::-1], axis=-1),
    ),
    "split second": (
        lambda x: tw.concatenate(tw.split(x, 2, axis=1)[::-1]),
        lambda x: np.concatenate(np.split(x, 2, axis=1)[::-1]),
    ),
    "variance": (lambda x: tw.variance(x, 1), lambda x: np.var(x, 1)),
    "variance of all": (tw.variance, np.var),
    "variance, unbiased": (
        lambda x: tw.variance(x, (0, -1), ddof=1, keepdims=True),
        lambda x: np.var(x, (0, -1), ddof=1, keepdims=True),
    ),
    "standard_deviation": (
        lambda x: tw.standard_deviation(x, -1, ddof=1),
        lambda x: np.std(x, -1, ddof=1),
    ),
    "logsumexp": (lambda x: tw.logsumexp(x, 1), lambda x: scipys_logsumexp(x, 1)),
    "logsumexp of all": (tw.logsumexp, scipys_logsumexp),
    "logsumexp kept": (
        lambda x: tw.logsumexp(x, (1, 2), keepdims=True),
        lambda x: scipys_logsumexp(x, (1, 2), keepdims=True),
    ),
    "cumulative_sum": (
        lambda x: tw.cumulative_sum(x, axis=1),
        lambda x: np.cumsum(x, axis=1),
    ),
    "cumulative_sum last": (
        lambda x: tw.cumulative_sum(x, axis=-1),
        lambda x: np.cumsum(x, axis=-1),
    ),
}
OF_NUMPY: dict[str, Callable[[Any], Any]] = {
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "stack": lambda x: np.stack([x, x], axis=1),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "var": lambda x: np.var(x, axis=1, ddof=1),
    "std": lambda x: np.std(x, axis=(0, 1), keepdims=True),
    "greater_equal": lambda x: np.greater_equal(x, 0),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))


@every_call
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_called_and_recorded_it_is_numpys(call: Call, dtype: str) -> None:
    ours, numpys = call
    x = X.astype(dtype)
    for result in (ours(x), compile(ours)(x)):
        assert np.shape(result) == np.shape(numpys(x))
        assert np.asarray(result).dtype == dtype
        assert_allclose(result, numpys(x), 1e-12 if dtype == "float64" else 2e-5, 1e-6)


@every_call
def test_its_gradient_is_the_slope(call: Call) -> None:
    ours, _ = call
    weights = np.random.default_rng(2).uniform(0.5, 1.5, np.shape(ours(X)))

    def objective(x: Any) -> Any:
        return tw.sum(ours(x) * weights)

    way = np.random.default_rng(3).normal(size=X.shape)
    step = 1e-6
    slope = (objective(X + step * way) - objective(X - step * way)) / (2 * step)
    assert_allclose(np.sum(gradient(objective)(X) * way), slope, 1e-6)


@every_call
def test_one_trace_serves_any_number_of_rows(call: Call) -> None:
    ours, numpys = call
    traced = trace(
        lambda a: {"y": ours(a["x"])}, {"x": ArrayType((ROWS, 4, 6), "float64")}
    )
    program = simplify(make_safe(traced))
    for rows in (2, 5):
        found = interpret(verify(program.at(rows=rows)), {"x": X[:rows]})["y"]
        assert_allclose(found, numpys(X[:rows]), 1e-12)


@pytest.mark.parametrize("name", [n for n in CALLS if "last" in n or n == "split"])
def test_the_engine_gives_it_too(name: str) -> None:
    ours, numpys = CALLS[name]
    x = X.astype("f4")

    def prediction(rows: int) -> Any:
        types = {"X": ArrayType((rows, 4, 6), "float32")}
        return simplify(make_safe(trace(lambda a: {"y": ours(a["X"])}, types)))

    forward = Execution().forward(Batch(prediction, ["X"]), {}, None)
    assert_allclose(forward.run({"X": x})["y"], numpys(x), 2e-5, 1e-6)


@pytest.mark.parametrize("function", OF_NUMPY.values(), ids=list(OF_NUMPY))
def test_numpys_own_function_is_recorded(function: Callable[[Any], Any]) -> None:
    assert_allclose(compile(function)(X), function(X), 1e-12)


def test_numpys_split_has_another_axis_and_is_refused() -> None:
    with pytest.raises(TracingError, match=r"np\.split .* other defaults"):
        compile(lambda x: np.split(x, 2)[0])(X)


@pytest.mark.parametrize(
    "compare", ["less", "less_equal", "greater", "greater_equal"], ids=str
)
def test_comparisons_are_public(compare: str) -> None:
    numpys, ours = getattr(np, compare), getattr(tw, compare)
    assert_array_equal(compile(ours)(WHOLE, WHOLE[0]), numpys(WHOLE, WHOLE[0]))


# Numbers far out ----------------------------------------------------------------------

FAR = [
    [1000.0, 1000.0],
    [-1000.0, -1000.0],
    [3e38, -3e38],
    [-np.inf, 0.0],
    [-np.inf, -np.inf],
    [np.inf, 0.0],
    [np.nan, 0.0],
]


@pytest.mark.parametrize("row", FAR, ids=str)
def test_logsumexp_is_scipys_at_any_number(row: list[float]) -> None:
    x = np.array([row], np.float32)
    with np.errstate(over="ignore"):
        expected: Any = scipys_logsumexp(x, axis=1)
    for result in (
        tw.logsumexp(x, axis=1),
        compile(lambda x: tw.logsumexp(x, axis=1))(x),
    ):
        assert_allclose(result, expected, 1e-6)


def test_other_choices_of_a_largest_element_are_shifted_again() -> None:
    def chosen(x: Any) -> Any:
        shift = tw.where(x[:, :1] > 0, tw.max(x, axis=1, keepdims=True), 0.0)
        return tw.log(tw.sum(tw.exp(x - shift), axis=1))

    assert_allclose(compile(chosen)(np.array([[-1.0, 1000.0]])), [1000.0])


def test_logsumexp_is_shifted_once() -> None:
    types = {"x": ArrayType((3, 4), "float64")}
    traced = trace(lambda a: {"y": tw.logsumexp(a["x"], axis=1)}, types)
    safe = simplify(make_safe(traced))
    assert [i.opcode for i in safe.instructions].count("max") == 1


def test_logsumexp_spells_a_softmax() -> None:
    def loss(x: Any) -> Any:
        return tw.sum(tw.logsumexp(x, axis=-1) - x[:, 0])

    far = np.array([[-1000.0, 1000.0, 0.0]])
    assert_allclose(gradient(loss)(far), [[-1.0, 1.0, 0.0]], atol=1e-300)


@pytest.mark.parametrize("special", [np.inf, -np.inf, np.nan])
def test_sums_before_an_infinity_stay(special: float) -> None:
    x = LONG.copy()
    x[0, 20] = special
    found = compile(lambda x: tw.cumulative_sum(x, axis=1))(x)
    assert_allclose(found, np.cumsum(x, axis=1), 1e-12)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 31, 64, 100])
def test_cumulative_sums_of_any_length(length: int) -> None:
    x = np.random.default_rng(length).normal(size=(3, length)).astype("f4")
    found = compile(lambda x: tw.cumulative_sum(x, axis=1))(x)
    exact = np.cumsum(x, axis=1, dtype=np.float64)
    assert_allclose(found, exact, atol=length * np.finfo("f4").eps * np.abs(x).max())


def test_whole_numbers_and_flags_are_summed() -> None:
    for x in (WHOLE, WHOLE > 0):
        found = compile(lambda x: tw.cumulative_sum(x, axis=0))(x)
        assert_array_equal(found, np.cumsum(x, axis=0))
    assert_array_equal(tw.cumulative_sum([1, 2, 3]), [1, 3, 6])


# Mistakes -----------------------------------------------------------------------------

MISTAKES: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "no bound": (lambda x: tw.clip(x), ArgumentError, "min, max or both"),
    "nothing": (lambda x: tw.stack([]), ArgumentError, "one or more arrays"),
    "shapes": (
        lambda x: tw.stack([x, x[:, :1]]),
        ShapeError,
        r"one shape, got \(5, 4, 6\) and \(5, 1, 6\)",
    ),
    "stack's axis": (lambda x: tw.stack([x], axis=4), ShapeError, "axis 4"),
    "unequal": (lambda x: tw.split(x, 4), ShapeError, "multiple of 4 .* got 6"),
    "no parts": (lambda x: tw.split(x, 0), ArgumentError, "1 or more, got 0"),
    "a flag": (lambda x: tw.split(x, True), ArgumentError, "whole number"),
    "split's axis": (lambda x: tw.split(x, 2, 3), ShapeError, "axis 3"),
    "too few": (
        lambda x: tw.variance(x[0, 0, :1], ddof=1),
        ShapeError,
        "more than 1 elements, got 1",
    ),
    "no axis": (
        lambda x: tw.cumulative_sum(x),
        ShapeError,
        r"the axis of .* \(5, 4, 6\)",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_named_with_its_line(
    mistake: tuple[Callable[[Any], Any], type[Exception], str],
) -> None:
    function, kind, words = mistake
    for call in (function, compile(function)):
        with pytest.raises(kind, match=words) as raised:
            call(X)
        assert "test_composed.py" in str(raised.value)


def test_at_a_bound_clip_still_learns() -> None:
    slope = gradient(lambda x: tw.sum(tw.clip(x, -1.0, 1.0)))
    assert_array_equal(slope(np.array([-2.0, -1.0, 0.0, 1.0, 2.0])), [0, 1, 1, 1, 0])
