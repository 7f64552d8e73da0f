"""Formulas on arrays, and their gradients."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.calls import compile, formula, gradient, value_and_gradient
from thalweg.errors import ArgumentError, ShapeError, ThalwegError, TracingError
from thalweg.program import ops
from thalweg.program.compile import training_program
from thalweg.program.ir import Program, verify
from thalweg.program.structure import leaves_of
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType

W = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.5]])


# Formulas ----------------------------------------------------------------------------


@formula
def sigmoid(z: Any) -> Any:
    return 1 / (1 + ops.exp(-z))


@formula
def leaky(z: Any, *, slope: float = 0.1) -> Any:
    return ops.where(z > 0, z, slope * z)


@formula
def distance(x: Any, y: Any = 0.0, *, power: float = 2.0, scale: float = 1.0) -> Any:
    return ops.sum(ops.absolute(x - y) ** power, axis=-1) * scale


def test_a_formula_computes_on_numbers_and_arrays() -> None:
    assert sigmoid(0.0) == 0.5
    assert type(sigmoid(0.0)) is type(sigmoid(0)) is float
    result = sigmoid(np.array([0.0, 1000.0, -1000.0]))
    assert_array_equal(result, [0.5, 1.0, 0.0])
    assert sigmoid([0.0, 0.0]).tolist() == [0.5, 0.5]
    assert sigmoid(np.zeros(2, np.float32)).dtype == np.float32


def test_a_formula_keeps_its_name_and_docs() -> None:
    assert sigmoid.__name__ == "sigmoid"
    assert compile(np.mean).__name__ == "mean"


def test_settings_are_fixed_while_tracing() -> None:
    assert leaky(-1.0) == -0.1
    assert leaky(-1.0, slope=0.5) == -0.5
    assert leaky(-1.0) == -0.1
    assert_allclose(leaky(np.array([-2.0, 2.0]), slope=0.25), [-0.5, 2.0])


def test_arrays_by_position_by_keyword_and_by_default() -> None:
    expected = np.sum(W**2, axis=-1)
    assert_allclose(distance(W), expected)
    assert_allclose(distance(x=W), expected)
    assert_allclose(distance(W, np.zeros(3)), expected)
    assert_allclose(distance(W, y=np.zeros(3)), expected)
    assert_allclose(distance(y=np.zeros(3), x=W), expected)
    assert_allclose(distance(W, power=1.0), np.sum(np.abs(W), axis=-1))
    assert_allclose(distance(W, y=W, scale=3.0), [0, 0])
    assert_allclose(distance(W, scale=3.0, y=0.0), 3 * expected)


def test_none_is_what_an_argument_is_unless_given() -> None:
    @formula
    def shifted(x: Any, by: Any = None) -> Any:
        return x if by is None else x + by

    assert shifted(2.0) == shifted(2.0, None) == shifted(2.0, by=None) == 2.0
    assert shifted(2.0, 1.0) == 3.0


def test_a_formula_in_a_formula_is_recorded() -> None:
    def both(z: Any) -> Any:
        return sigmoid(z) + sigmoid(z=z) + leaky(z, slope=0.5)

    assert_allclose(compile(both)(W), 2 * sigmoid(W) + leaky(W, slope=0.5))
    inner = compile(lambda z: z * 2)
    assert_allclose(compile(lambda w: inner(z=w) + inner(w))(W), 4 * W)


def test_errors_about_arguments_are_pythons() -> None:
    one: Any = sigmoid
    for arrays, settings in (((), {}), ((1.0, 2.0), {}), ((1.0,), {"x": 1.0})):
        with pytest.raises(TypeError):
            one(*arrays, **settings)


def test_a_formula_is_traced_once_for_each_shape_and_setting() -> None:
    traced: list[tuple[Any, float]] = []

    def scaled(x: Any, *, factor: float = 1.0) -> Any:
        traced.append((x.shape, factor))
        return x * factor

    run = compile(scaled)
    for x in (W, W + 1, W[0], W.astype(np.float32)):
        run(x)
        run(x)
        run(x, factor=2.0)
    assert len(traced) == 6


def test_compiled_functions_close_over_arrays_and_numbers() -> None:
    targets = np.ones(3)
    assert_allclose(compile(lambda x: (x - targets) * 2.0)(W), (W - 1) * 2)


def test_functions_without_a_signature_can_be_compiled() -> None:
    assert_allclose(compile(np.exp)(W), np.exp(W))
    assert_allclose(gradient(np.exp)(W), np.exp(W))


def test_a_result_is_the_callers_own() -> None:
    given = W.copy()
    for function in (lambda x: x, lambda x: x[:1], lambda x: x * 0 + 1, ops.zeros_like):
        result = compile(function)(given)
        result += 100
    assert_array_equal(given, W)
    slope = gradient(ops.sum)(given)
    slope[0, 0] = 5
    assert slope[0, 1] == 1


def test_a_result_may_be_a_constant() -> None:
    assert compile(lambda x: 3.0)(1.0) == 3.0
    assert_array_equal(compile(lambda x: np.arange(3))(W), [0, 1, 2])


class Pair(NamedTuple):
    mean: Any
    spread: Any


def described(x: Any, y: Any) -> dict[str, Any]:
    mean = ops.mean(x)
    moments = Pair(mean, ops.mean((x - mean) ** 2))
    return {"x": moments, "both": [(x + y, x), {1: (), 2: [x * y, 7.0]}]}


def test_arrays_in_tuples_lists_and_dicts_come_back_in_them() -> None:
    compiled = compile(described)
    for shape in [(3,), (2, 4), (3,), ()]:  # each is traced, and known the second time
        x, y = np.full(shape, 2.0), np.full(shape, 3.0)
        found, expected = compiled(x, y), described(x, y)
        assert list(found) == ["x", "both"]
        assert type(found["x"]) is Pair
        assert type(found["both"]) is list
        assert type(found["both"][0]) is tuple
        assert found["both"][1][1] == ()
        given, known = (list(leaves_of(each)) for each in (found, expected))
        assert len(given) == len(known) == 6
        for one, other in zip(given, known, strict=True):
            assert_array_equal(one, other)
            assert np.shape(one) == np.shape(other)


def test_each_array_of_a_result_is_ones_own() -> None:
    x = np.ones(3)
    first, (second, third) = compile(lambda x: (x, [x, x + 0]))(x)
    first[:] = 2
    second[:] = 3
    assert_array_equal([x, third], np.ones((2, 3)))


def test_plain_numbers_give_plain_numbers_in_any_structure() -> None:
    value, (by_w, by_x) = compile(value_and_gradient(lambda w, x: w * x**2, (0, 1)))(
        2, 3.0
    )
    assert (value, by_w, by_x) == (18.0, 9.0, 12.0)
    assert {type(each) for each in (value, by_w, by_x)} == {float}
    assert compile(lambda x: ())(1.0) == ()


def test_value_and_gradient_compiled_is_that_of_each_call() -> None:
    def loss(w: Any, b: Any, x: Any) -> Any:
        return ops.mean(ops.log(1 + ops.exp(x @ w + b)))

    both = value_and_gradient(loss, (0, 1))
    compiled = compile(both)
    for rows in (5, 2, 5, 1):
        x = np.linspace(-900, 900, 3 * rows).reshape(rows, 3)
        w, b = np.array([1.0, -0.5, 0.1]), np.array(0.25)
        value, gradients = compiled(w, b, x)
        expected, by_hand = both(w, b, x)
        assert value == expected
        assert np.isfinite(value)
        for one, other in zip(gradients, by_hand, strict=True):
            assert_array_equal(one, other)
            assert one.shape == other.shape


def test_a_structure_recorded_in_another_formula_is_the_same() -> None:
    inner = formula(lambda x: {"twice": 2 * x, "square": [x * x]})
    outer = compile(lambda x: inner(x)["square"][0] + inner(x)["twice"])
    assert outer(3.0) == 15.0
    assert inner(3.0) == {"twice": 6.0, "square": [9.0]}


@pytest.mark.parametrize("wrong", [None, {1.0}, object()])
def test_what_is_no_array_is_refused_anywhere_in_a_structure(wrong: Any) -> None:
    with pytest.raises(TracingError, match="a formula must give an array, got"):
        compile(lambda x: {"right": x, "wrong": [x, wrong]})(1.0)


# Gradients ---------------------------------------------------------------------------


def test_numbers_in_floats_out() -> None:
    value, slope = value_and_gradient(lambda w: w**3)(2)
    assert (value, slope) == (8.0, 12.0)
    assert type(value) is type(slope) is float
    assert gradient(lambda w: 5.0)(2.0) == 0.0


def test_an_array_valued_function_counts_as_its_sum() -> None:
    assert_allclose(gradient(ops.tanh)(W), 1 - np.tanh(W) ** 2)
    value, slope = value_and_gradient(lambda w: w[0] * w[1])(W)
    assert_allclose(value, W[0] * W[1])
    assert_allclose(slope, W[::-1])


def test_arguments_by_number() -> None:
    def f(a: Any, b: Any, c: Any) -> Any:
        return ops.sum(a * b**2) + 3 * c

    a, b, c = np.array([1.0, 2.0]), np.array([3.0, -1.0]), 5.0
    assert_allclose(gradient(f)(a, b, c), b**2)
    assert_allclose(gradient(f, 1)(a, b, c), 2 * a * b)
    found = gradient(f, (2, 0))(a, b, c)
    assert isinstance(found, tuple)
    assert found[0] == 3.0
    assert_allclose(found[1], b**2)
    (only,) = gradient(f, (1,))(a, b, c)
    assert_allclose(only, 2 * a * b)


@pytest.mark.parametrize("argument", [2, -1, (0, 2)])
def test_an_argument_that_does_not_exist(argument: Any) -> None:
    with pytest.raises(ArgumentError, match=r"from 0 to 1, got"):
        gradient(lambda a, b: a * b, argument)(1.0, 2.0)


def test_whole_numbers_are_real_where_a_gradient_is_taken() -> None:
    whole = np.array([1, 2, 3])
    slope = gradient(lambda w: ops.sum(w**2))(whole)
    assert slope.dtype == np.float64
    assert_allclose(slope, 2 * whole)


def test_whole_numbers_stay_whole_elsewhere() -> None:
    table = np.arange(8.0).reshape(4, 2)
    slope = gradient(lambda t, rows: ops.sum(ops.take(t, rows)))(table, [1, 1, 3])
    assert_array_equal(slope, [[0, 0], [2, 2], [0, 0], [1, 1]])


def test_gradients_keep_float32() -> None:
    value, slope = value_and_gradient(lambda w: ops.mean(w**2))(W.astype(np.float32))
    assert np.asarray(value).dtype.kind == "f"
    assert slope.dtype == np.float32


def test_the_gradient_through_a_cast_has_the_first_dtype() -> None:
    slope = gradient(lambda w: ops.sum(ops.cast(w, "float32") ** 2))(W)
    assert slope.dtype == np.float64
    assert_allclose(slope, 2 * W)


def test_closures_over_data() -> None:
    x, y = W, np.array([1.0, 0.0])

    def loss(w: Any) -> Any:
        return ops.mean((x @ w - y) ** 2)

    w = np.array([0.1, 0.2, -0.3])
    assert_allclose(gradient(loss)(w), x.T @ (x @ w - y))


def test_gradients_nest() -> None:
    assert gradient(gradient(lambda x: x**3))(2.0) == 12.0
    assert gradient(gradient(gradient(lambda x: ops.sin(x))))(0.5) == pytest.approx(
        -np.cos(0.5)
    )


def test_a_gradient_inside_a_formula() -> None:
    def newton(w: Any) -> Any:
        slope = gradient(lambda v: ops.sum(ops.exp(v) - v))
        return w - slope(w) / gradient(lambda v: ops.sum(slope(v)))(w)

    assert_allclose(compile(newton)(W), W - (np.exp(W) - 1) / np.exp(W))


def test_a_gradient_inside_a_formula_with_arrays_beside() -> None:
    def inner(w: Any) -> Any:
        return gradient(lambda v, scale: ops.sum(scale * v**2))(
            w, np.array([1.0, 2, 3])
        )

    assert_allclose(compile(inner)(W), 2 * W * [1, 2, 3])


def test_a_stopped_gradient_stays_stopped_in_the_next() -> None:
    assert gradient(lambda x: x * ops.stop_gradient(x))(3.0) == 3.0
    assert gradient(gradient(lambda x: x * ops.stop_gradient(x)))(3.0) == 0.0


def test_values_of_an_outer_formula_must_be_given() -> None:
    def outer(w: Any) -> Any:
        return gradient(lambda v: ops.sum(v * w))(w)

    with pytest.raises(TracingError, match="give it every array"):
        compile(outer)(W)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (lambda w: ops.argmax(w), ShapeError),
        (lambda w: w @ w, ShapeError),
        (lambda w: "text", ThalwegError),
    ],
)
def test_what_has_no_gradient_is_an_error(
    function: Callable[[Any], Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        gradient(function)(W)


# Training programs -------------------------------------------------------------------

PARAMETERS = {"w": ArrayType((3, 2), "float64"), "b": ArrayType((2,), "float64")}
INPUTS = {
    "x": ArrayType((4, 3), "float64"),
    "learning_rate": ArrayType((), "float64"),
    "step": ArrayType((), "int32"),
}


def objective(p: dict[str, Any], a: dict[str, Any]) -> dict[str, Any]:
    error = ops.mean((a["x"] @ p["w"] + p["b"] - 1) ** 2)
    return {"objective": error, "loss": error * 2}


def update(
    theta: Any, gradient: Any, state: dict[str, Any], rate: Any, step: Any
) -> tuple[Any, dict[str, Any]]:
    mean = state["mean"] + (gradient - state["mean"]) / step
    return theta - rate * mean, {"mean": mean}


def programs() -> dict[str, Program]:
    return training_program(objective, PARAMETERS, INPUTS, update, ["mean"])


def test_a_training_program_is_one_step_on_one_flat_vector() -> None:
    from thalweg.backends.numpy.interpret import interpret

    step = programs()["step"]
    assert list(step.inputs) == ["parameters", "state.mean", *INPUTS]
    assert set(step.outputs) == {"parameters", "state.mean", "loss"}
    random = np.random.default_rng(0)
    theta, x = random.normal(size=8), random.normal(size=(4, 3))
    w, b = theta[:6].reshape(3, 2), theta[6:]
    inputs = {"parameters": theta, "state.mean": np.ones(8), "x": x}
    results = interpret(step, {**inputs, "learning_rate": 0.5, "step": 4})
    error = x @ w + b - 1
    flat = np.concatenate([(x.T @ error / 4).ravel(), error.sum(0) / 4])
    mean = 1 + (flat - 1) / 4
    assert_allclose(results["state.mean"], mean)
    assert_allclose(results["parameters"], theta - 0.5 * mean)
    assert_allclose(results["loss"], 2 * np.mean(error**2))


def test_every_pass_of_a_training_program_verifies_and_prints() -> None:
    passes = programs()
    assert next(iter(passes)) == "trace"
    assert list(passes)[-1] == "step"
    for program in passes.values():
        assert verify(program) is program
        assert "return " in str(program)


def test_a_program_prints_as_it_reads() -> None:
    program = trace(
        lambda a: {"y": ops.sum(a["x"] * 2.0 + np.arange(12.0).reshape(4, 3))},
        {"x": ArrayType((4, 3), "float64")},
    )
    assert str(program).splitlines() == [
        "program(x: f64[4,3]) {",
        "  %1 f64[] = constant(value=2.0)",
        "  %2 f64[4,3] = broadcast(%1, shape=(4, 3))",
        "  %3 f64[4,3] = multiply(x, %2)",
        "  %4 f64[4,3] = constant(value=<(4, 3)>)",
        "  %5 f64[4,3] = add(%3, %4)",
        "  %6 f64[1,1] = sum(%5, axes=(0, 1))",
        "  %7 f64[] = reshape(%6, shape=())",
        "  return y=%7",
        "}",
    ]


def test_the_objective_must_be_one_number() -> None:
    def rows(p: dict[str, Tracer], a: dict[str, Tracer]) -> dict[str, Tracer]:
        return {"objective": a["x"] @ p["w"] + p["b"]}

    with pytest.raises(ShapeError, match=r"one real number.*f64\[4,2\]"):
        training_program(rows, PARAMETERS, INPUTS, update, ["mean"])
