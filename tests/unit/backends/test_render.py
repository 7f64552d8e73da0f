"""Rendered text is read as Python over NumPy, and must give what the program gives."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from support.formulas import read
from thalweg.backends.numpy.interpret import interpret
from thalweg.backends.text.notation import number
from thalweg.backends.text.render import WIDTH, formulas, render
from thalweg.program import ops
from thalweg.program.compile import backward_program, make_safe
from thalweg.program.expressions import ATOM, Expression
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType

A = ArrayType((4, 3), "float64")
ROW = ArrayType((3,), "float64")
SQUARE = ArrayType((3, 3), "float64")
generator = np.random.default_rng(0)


def arrays_for(program: Program) -> dict[str, Any]:
    return {
        name: generator.normal(size=type.shape)
        if type.is_float
        else generator.integers(0, 3, type.shape)
        for name, type in program.inputs.items()
    }


def assert_reads_as_it_runs(program: Program, rtol: float = 1e-9) -> str:
    found = formulas(program)
    given = arrays_for(program)
    names = read([str(f) for f in found], given)
    every = replace(program, outputs={f.name: f.value for f in found})
    for name, value in interpret(every, given).items():
        same = np.size(names[name]) == value.size  # reduced axes may be left out
        read_back = np.reshape if same else np.broadcast_to
        shown = read_back(names[name], value.shape)
        assert_allclose(shown, value, rtol=rtol, atol=1e-12)
    for output, value in interpret(program, given).items():
        name = f"new_{output}" if output in program.inputs else output.replace(".", "_")
        read_back = np.broadcast_to(names[name], value.shape)
        assert_allclose(read_back, value, rtol=rtol, atol=1e-12)
    return render(program)


def traced(function: Callable[..., Any], *types: ArrayType) -> Program:
    names = "xyzuvw"[: len(types)]
    return trace(
        lambda a: {"result": function(*a.values())},
        dict(zip(names, types, strict=True)),
    )


def text_of(function: Callable[..., Any], *types: ArrayType) -> str:
    text = assert_reads_as_it_runs(simplify(traced(function, *types)))
    return text.removeprefix("result = ")


# What is written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x, y: x - (y - x * y), "x - (y - x * y)"),
        (lambda x, y: (x - y) * x / (x * y), "(x - y) * x / (x * y)"),
        (lambda x, y: x * (y / x), "x * (y / x)"),
        (lambda x, y: x / y * x, "x / y * x"),
        (lambda x, y: x + (y + x), "x + y + x"),
        (lambda x, y: -(x + y) * x, "-(x + y) * x"),
        (lambda x, y: y - 0.5, "y - 0.5"),
        (lambda x, y: x + -2.0 * y, "x - 2 * y"),
        (lambda x, y: x - -y, "x + y"),
        (lambda x, y: (x - y) ** 2, "(x - y)**2"),
        (lambda x, y: x**3 + y, "x**3 + y"),
        (lambda x, y: (-x) ** 1.5, "(-x)**1.5"),
        (lambda x, y: x**-2.5, "x**-2.5"),
        (lambda x, y: x**y**x, "x**(y**x)"),
        (lambda x, y: x.T @ -y, "x.T @ -y"),
        (lambda x, y: (x @ y.T) * 2.0, "2 * (x @ y.T)"),
        (lambda x, y: (x + y).T, "(x + y).T"),
        (lambda x, y: ops.where(x > 0.5, x, 0.0), "where(x > 0.5, x, 0)"),
        (lambda x, y: ops.where(x != y, x, y), "where(x != y, x, y)"),
        (lambda x, y: abs(ops.maximum(x, y)), "abs(maximum(x, y))"),
        (lambda x, y: x - ops.mean(x, axis=0), "x - mean(x, axis=0)"),
        (lambda x, y: ops.mean(x, axis=1), "mean(x, axis=1)"),
        (lambda x, y: ops.sum(x, axis=1) / 4, "sum(x, axis=1) / 4"),
        (lambda x, y: -ops.sum(x, axis=1), "-sum(x, axis=1)"),
        (lambda x, y: ops.mean(x), "mean(x)"),
        (lambda x, y: x - ops.max(x, axis=-1, keepdims=True), None),
        (lambda x, y: x[:, 1:], "x[:, 1:]"),
        (lambda x, y: x[2], "x[2]"),
        (lambda x, y: x[1::2, 0], "x[1::2, 0]"),
        (lambda x, y: x[:, None, :] * 2.0, "2 * x[:, None]"),
        (lambda x, y: ops.concatenate([x, y], axis=1), "concatenate([x, y], axis=1)"),
        (lambda x, y: x * 0.30000001, "0.3 * x"),
        (lambda x, y: ops.stop_gradient(x) * y, "x * y"),
        (lambda x, y: x + ops.exp(y) - x, "x + exp(y) - x"),
    ],
)
def test_text(function: Callable[..., Any], text: str | None) -> None:
    written = assert_reads_as_it_runs(traced(function, A, A), rtol=1e-6)
    if text is not None:
        assert written == f"result = {text}"
    assert_reads_as_it_runs(simplify(traced(function, A, A)), rtol=1e-6)


def test_a_repeated_bias_is_left_to_broadcasting() -> None:
    assert text_of(lambda x, w, b: x @ w + b, A, SQUARE, ROW) == "x @ y + z"


def test_repeats_are_written_where_the_shape_matters() -> None:
    text = text_of(lambda x, b: x.T @ ops.broadcast_to(b, (4, 3)), A, ROW)
    assert text == "x.T @ broadcast_to(y, (4, 3))"


def test_class_numbers_become_one_hot_rows() -> None:
    labels = ArrayType((5,), "int32")
    text = text_of(lambda y: ops.one_hot(y, 3, "float64"), labels)
    assert text == "float64(x[:, None] == arange(3))"


def test_rows_are_taken_by_brackets() -> None:
    labels = ArrayType((5,), "int32")
    assert text_of(lambda t, y: ops.take(t, y), A, labels) == "x[y]"


def test_what_is_used_twice_has_a_name_and_what_is_used_once_has_none() -> None:
    lines = render(traced(lambda x: ops.tanh(x) * (1 - ops.tanh(x)), A)).splitlines()
    assert lines == ["result = tanh(x) * (1 - tanh(x))"]
    lines = render(simplify(traced(lambda x: ops.tanh(x) * (1 - ops.tanh(x)), A)))
    assert lines.splitlines() == ["t1 = tanh(x)", "result = t1 * (1 - t1)"]


def test_an_output_of_an_inputs_name_is_new() -> None:
    program = trace(lambda a: {"w": a["w"] - a["g"]}, {"w": A, "g": A})
    assert assert_reads_as_it_runs(program) == "new_w = w - g"


def test_outputs_that_are_inputs_or_each_other_are_said_too() -> None:
    def same(a: dict[str, Tracer]) -> dict[str, Any]:
        y = ops.exp(a["x"])
        return {"y": y, "again": y, "unchanged": a["x"], "zero": ops.zeros_like(y)}

    text = assert_reads_as_it_runs(trace(same, {"x": A}))
    assert text == "y = exp(x)\nagain = y\nunchanged = x\nzero = 0"


def test_names_that_python_cannot_have_are_changed() -> None:
    types = {"1.weights": A, "lambda": A, "exp": A}
    program = trace(
        lambda a: {"y": ops.exp(a["1.weights"] + a["lambda"] + a["exp"])}, types
    )
    assert render(program) == "y = exp(weights_of_1 + lambda_ + exp_)"


def test_hints_lines_and_known_values_are_used() -> None:
    program = simplify(traced(lambda x: ops.exp(x * 2.0) * ops.exp(x * 2.0) + x, A))
    (power,) = [v for v in program.computed() if program.instruction(v).opcode == "exp"]  # pyright: ignore[reportOptionalMemberAccess]
    (double,) = program.instruction(power).inputs  # pyright: ignore[reportOptionalMemberAccess]
    assert [
        str(f) for f in formulas(program, hints={power: "e"}, lines={double: "d"})
    ] == [
        "d = 2 * x",
        "result = exp(d)**2 + x",
    ]
    known = {power: Expression("e", ATOM, A.shape)}
    assert [str(f) for f in formulas(program, known=known)] == ["result = e**2 + x"]


def test_long_formulas_are_broken_into_lines_that_fit() -> None:
    def long(x: Any) -> Any:
        for factor in range(1, 12):
            x = ops.tanh(x * float(factor) + 0.5) - ops.sin(x)
        return x

    text = assert_reads_as_it_runs(traced(long, A), rtol=1e-6)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert len(text.splitlines()) > 5


def test_thousands_of_instructions_are_no_trouble() -> None:
    def deep(x: Any) -> Any:
        for _ in range(3000):
            x = ops.sin(x)
        return x

    assert render(traced(deep, A)).count("\n") > 100


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((32.0, "32"), (0.001, "0.001"), (np.log(2), "0.6931"), (1e-8, "1e-08")),
        *((1 / 3, "0.3333"), (0.99999, "0.99999"), (1e30, "1e+30"), (-0.5, "-0.5")),
        *((0.9999999999, "0.9999999999"), (np.inf, "inf"), (np.nan, "nan")),
    ],
)
def test_numbers_are_short_but_never_say_another_whole_number(
    value: float, text: str
) -> None:
    assert number(np.float64(value)) == text


def test_numbers_of_float32_show_no_digits_that_they_do_not_have() -> None:
    assert number(np.float32(0.2)) == "0.2"
    assert number(np.int32(7)) == "7"


EVERY: Mapping[str, Callable[[Any, Any], Any]] = {
    "power": lambda x, n: ops.exp(x) ** x,
    "sign": lambda x, n: ops.sign(x),
    "floor": lambda x, n: ops.floor(x),
    "expm1": lambda x, n: ops.expm1(x),
    "log1p": lambda x, n: ops.log1p(x * x),
    "sqrt": lambda x, n: ops.sqrt(abs(x)),
    "cos": lambda x, n: ops.cos(x),
    "sigmoid": lambda x, n: ops.logistic(x),
    "softplus": lambda x, n: ops.softplus(x),
    "erf": lambda x, n: ops.erf(x),
    "logical_and": lambda x, n: ops.logical_and(x > 0, x < 1),
    "logical_not": lambda x, n: ops.logical_not(x > 0),
    "argmax": lambda x, n: ops.argmax(x, axis=1),
    "transpose": lambda x, n: ops.transpose(x[None], (2, 0, 1)),
    "matmul": lambda x, n: x[None] @ x.T[None],
    "pad": lambda x, n: x.trace.emit(
        "pad", (x,), starts=(1, 0), steps=(1, 1), shape=(6, 3)
    ),
    "pad apart": lambda x, n: x.trace.emit(
        "pad", (x,), starts=(1, 0), steps=(2, 1), shape=(9, 3)
    ),
    "scatter_add": lambda x, n: x.trace.emit("scatter_add", (x, n), rows=7),
    "large constant": lambda x, n: x * np.arange(12.0).reshape(4, 3) ** 0,
    "small constant": lambda x, n: x + np.array([[0.5], [1.5], [2.5], [4.0]]),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_primitive_is_written_so_that_it_can_be_read(name: str) -> None:
    numbers = ArrayType((4,), "int32")
    assert_reads_as_it_runs(traced(EVERY[name], A, numbers))


def test_constants_too_large_to_write_are_named() -> None:
    table = generator.normal(size=(20, 2))
    program = traced(lambda x: x @ table, ArrayType((4, 20), "float64"))
    assert render(program) == "result = x @ table"


def test_random_bits_are_written_with_what_they_depend_on() -> None:
    types = {"seed": ArrayType((), "uint32"), "step": ArrayType((), "int32")}
    program = trace(
        lambda a: {"y": ops.random_bits(a["seed"], a["step"], 3, (4, 3))}, types
    )
    text = assert_reads_as_it_runs(program)
    assert text == "y = random_bits(seed, step, operation=3, shape=(4, 3))"


# What is read is what runs ------------------------------------------------------------

UNARY: list[Callable[[Any], Any]] = [
    lambda x: -x,
    lambda x: x**2,
    lambda x: x**3,
    lambda x: abs(x),
    lambda x: ops.exp(ops.tanh(x)),
    lambda x: ops.log(1 + ops.exp(x)),
    lambda x: 1 / (1 + ops.exp(-x)),
    lambda x: ops.sqrt(x**2 + 1.0),
    lambda x: ops.sin(x) - 0.5,
    lambda x: 2.0 - x,
    lambda x: x / 4.0,
    lambda x: ops.where(x > 0.25, x, 0.5 * x),
    lambda x: ops.sum(x, axis=0) + x,
    lambda x: ops.mean(x, axis=1, keepdims=True) * x,
    lambda x: ops.mean(x, axis=1)[:, None] - x,
    lambda x: x - ops.max(x, axis=1, keepdims=True),
    lambda x: ops.mean(x) * x,
    lambda x: x.T.T,
    lambda x: ops.concatenate([x[:, 1:], x[:, :1]], axis=1),
    lambda x: ops.concatenate([x[2:], -x[:2]]),
    lambda x: x[0] * x,
    lambda x: x[:, 1, None] + x,
    lambda x: ops.reshape(ops.reshape(x, (3, 4)) * 2.0, (4, 3)),
    lambda x: x @ (x.T @ x),
    lambda x: ops.take(x, [3, 0, 0, 1]),
    lambda x: x[::2][[0, 0, 1, 1]],
]
BINARY: list[Callable[[Any, Any], Any]] = [
    *(ops.add, ops.subtract, ops.multiply, ops.maximum, ops.minimum),
    lambda x, y: x / (y**2 + 1.0),
    lambda x, y: ops.where(x < y, x, y),
    lambda x, y: ops.sum(x * y, axis=1, keepdims=True) * x,
]
steps = st.lists(
    st.tuples(
        st.integers(0, len(UNARY) + len(BINARY) - 1),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=10,
)


def composed(chosen: list[tuple[int, int, int]]) -> Callable[[dict[str, Tracer]], Any]:
    def formula(arrays: dict[str, Tracer]) -> dict[str, Any]:
        values: list[Any] = [*arrays.values()]
        for operation, first, second in chosen:
            x, y = values[first % len(values)], values[second % len(values)]
            if operation < len(UNARY):
                values.append(ops.tanh(UNARY[operation](x)))
            else:
                values.append(BINARY[operation - len(UNARY)](x, y))
        return {"y": values[-1], "other": values[-2]}

    return formula


@given(steps)
def test_text_computes_what_the_program_does(
    chosen: list[tuple[int, int, int]],
) -> None:
    program = trace(composed(chosen), {"a": A, "b": A})
    assert_reads_as_it_runs(program)
    safe = simplify(make_safe(program))
    assert_reads_as_it_runs(safe)
    assert_reads_as_it_runs(backward_program(safe, "y", ["a", "b"], {}), rtol=1e-6)


@given(steps)
def test_gradients_by_values_on_the_way_are_those_by_an_addition_there(
    chosen: list[tuple[int, int, int]],
) -> None:
    formula = composed(chosen)
    forward = simplify(make_safe(trace(formula, {"a": A, "b": A})))
    value = forward.outputs["other"]
    if forward.instruction(value) is None:
        return
    found = backward_program(forward, "y", ["a"], {"v": value})
    given = arrays_for(found)
    gradient = interpret(found, given)["gradient.v"]
    direction = generator.normal(size=gradient.shape)

    def objective(shift: float) -> float:
        values = [*(given[name] for name in forward.inputs)]
        for v, instruction in enumerate(forward.instructions, len(values)):
            inputs = [values[i] for i in instruction.inputs]
            result = instruction.primitive.meaning(*inputs, **instruction.attributes)
            values.append(result + shift * direction if v == value else result)
        return float((values[forward.outputs["y"]] * given["dy"]).sum())

    h = 1e-6
    slope = (objective(h) - objective(-h)) / (2 * h)
    # At a kink the two sides differ: then there's nothing to compare.
    sides = objective(h) - objective(0), objective(0) - objective(-h)
    if abs(sides[0] - sides[1]) < 1e-3 * h * (1 + abs(slope)):
        assert_allclose((gradient * direction).sum(), slope, rtol=1e-4, atol=1e-5)
