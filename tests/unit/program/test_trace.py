"""Errors while tracing: what must be, what was got, and where."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from thalweg.backends.numpy.calls import compile
from thalweg.errors import DtypeError, ShapeError, TracingError
from thalweg.program import ops
from thalweg.program.trace import Tracer, call, labeled, trace
from thalweg.program.types import ArrayType

INPUTS = {
    "x": ArrayType((32, 64), "float32"),
    "w": ArrayType((63, 10), "float32"),
    "wide": ArrayType((32, 64), "float64"),
    "labels": ArrayType((32,), "int32"),
    "flags": ArrayType((32,), "bool"),
}

Formula = Callable[[dict[str, Tracer]], Any]


def record(formula: Formula) -> Any:
    return trace(lambda arrays: {"y": formula(arrays)}, INPUTS)


SHAPE_ERRORS: list[tuple[Formula, tuple[str, ...]]] = [
    (lambda a: a["x"] @ a["w"], ("(32, 64)", "(63, 10)")),
    (lambda a: a["x"] + a["w"], ("(32, 64)", "(63, 10)")),
    (lambda a: ops.where(a["flags"], a["x"], 0.0), ("(32,)", "(32, 64)")),
    (lambda a: ops.concatenate([a["x"], a["w"]]), ("(32, 64)", "(63, 10)")),
    (lambda a: a["x"].reshape(32, 63), ("(32, 64)", "(32, 63)")),
    (lambda a: a["x"].reshape(-1, 63), ("(32, 64)", "(-1, 63)")),
    (lambda a: a["x"].reshape(-1, -1), ("(32, 64)", "(-1, -1)")),
    (lambda a: ops.broadcast_to(a["x"], (32, 63)), ("(32, 64)", "(32, 63)")),
    (lambda a: a["x"].sum(axis=2), ("axis 2", "(32, 64)")),
    (lambda a: a["x"][32], ("index 32", "size 32")),
    (lambda a: a["x"][-33], ("index -33", "size 32")),
    (lambda a: a["x"][0, 0, 0], ("3 indices", "(32, 64)")),
    (lambda a: a["x"][::0], ("step", "0")),
    (lambda a: a["x"][1.5], ("1.5",)),
    (lambda a: a["x"][True], ("True",)),
    (lambda a: a["x"] @ 2.0, ("no single numbers",)),
    (lambda a: ops.mean(a["x"][:0]), ("mean of no elements", "(0, 64)")),
    (lambda a: ops.max(a["x"][:0]), ("maximum of no elements", "(0, 64)")),
]
DTYPE_ERRORS: list[tuple[Formula, tuple[str, ...]]] = [
    (lambda a: a["x"] + a["wide"], ("float32", "float64")),
    (lambda a: a["flags"] + a["flags"], ("booleans",)),
    (lambda a: a["x"] + "text", ("<U4",)),
    (lambda a: ops.take(a["x"], a["x"]), ("int32", "f32[32,64]")),
    (lambda a: a["x"][a["flags"]], ("int32", "b[32]")),
    (lambda a: a["x"][np.array([True, False])], ("whole",)),
    (lambda a: a["x"][[0.5]], ("whole", "0.5")),
    (lambda a: ops.take(a["x"], [2**40]), (str(2**40),)),
    (lambda a: ops.cast(a["x"], "float16"), ("float32, float64", "float16")),  # pyright: ignore
    (lambda a: a["labels"] @ a["labels"], ("int32",)),
    (lambda a: ops.logical_not(a["x"]), ("float32",)),
]


@pytest.mark.parametrize(("formula", "words"), SHAPE_ERRORS)
def test_shape_error_names_the_shapes_and_the_place(
    formula: Formula, words: tuple[str, ...]
) -> None:
    assert_names(ShapeError, formula, words)


@pytest.mark.parametrize(("formula", "words"), DTYPE_ERRORS)
def test_dtype_error_names_the_dtypes_and_the_place(
    formula: Formula, words: tuple[str, ...]
) -> None:
    assert_names(DtypeError, formula, words)


def assert_names(
    error: type[Exception], formula: Formula, words: tuple[str, ...]
) -> None:
    with pytest.raises(error) as caught, labeled("layer 2, Dense(10)"):
        record(formula)
    message = str(caught.value)
    line = inspect.getsourcelines(formula)[1]
    for word in (*words, "layer 2, Dense(10)", __file__, f"line {line}"):
        assert word in message


def test_the_place_is_the_line_of_the_formula_that_failed() -> None:
    def outer(arrays: dict[str, Tracer]) -> Tracer:
        return inner(arrays["x"], arrays["w"])

    def inner(x: Tracer, w: Tracer) -> Tracer:
        wrong = x * w
        return wrong + 1

    line = inspect.getsourcelines(inner)[1] + 1
    with pytest.raises(ShapeError, match=re.escape(f"({__file__}, line {line})")):
        record(outer)


def test_labels_nest_and_end() -> None:
    inner = pytest.raises(ShapeError, match=r"\(layer 1, activation; ")
    with inner, labeled("layer 1"), labeled("activation"):
        record(lambda a: a["x"] + a["w"])
    with pytest.raises(ShapeError) as caught:
        record(lambda a: a["x"] + a["w"])
    assert "layer 1" not in str(caught.value)


def branch(arrays: dict[str, Tracer]) -> Any:
    return arrays["x"] if arrays["x"].sum() > 0 else arrays["w"]


ASKS_FOR_VALUES: list[tuple[Formula, str]] = [
    (branch, "true or false.*where"),
    (lambda a: a["x"] in [a["w"][:32, :1]], "true or false"),
    (lambda a: float(a["x"].sum()), "a number"),
    (lambda a: int(a["labels"][0]), "a whole number"),
    (lambda a: np.array(a["x"]), "a NumPy array"),
    (lambda a: np.sort(a["x"]), r"np\.sort"),
    (lambda a: np.hypot(a["x"], 1.0), r"np\.hypot"),
    (lambda a: np.argmax(a["x"]), r"np\.argmax"),
    (lambda a: np.take(a["x"], [0]), r"np\.take"),
    (lambda a: np.sum(a["x"], where=False), r"np\.sum.*where"),
    (lambda a: np.add.reduce(a["x"]), r"np\.add"),
    (lambda a: np.exp(a["x"], out=np.zeros((32, 64))), r"np\.exp"),
    (lambda a: "text", "must give an array"),
    (lambda a: None, "must give an array"),
]


@pytest.mark.parametrize(("formula", "words"), ASKS_FOR_VALUES)
def test_what_needs_values_is_a_tracing_error(formula: Formula, words: str) -> None:
    with pytest.raises(TracingError, match=words):
        record(formula)


def test_asking_for_a_value_says_where() -> None:
    line = inspect.getsourcelines(branch)[1] + 1
    with pytest.raises(TracingError, match=re.escape(f"{__file__}, line {line}")):
        record(branch)


def test_values_of_two_traces_do_not_mix() -> None:
    def nested(arrays: dict[str, Tracer]) -> Any:
        return trace(
            lambda inner: {"y": inner["z"] + arrays["x"].sum()},
            {"z": ArrayType((), "float32")},
        )

    with pytest.raises(TracingError, match="two traces"):
        record(nested)


def test_a_result_of_another_trace_is_refused() -> None:
    def nested(arrays: dict[str, Tracer]) -> Any:
        return trace(lambda _: {"y": arrays["x"]}, {"z": ArrayType((), "float32")})

    with pytest.raises(TracingError, match="values of two traces"):
        record(nested)


def test_two_inputs_of_one_name_are_refused() -> None:
    def repeated(arrays: dict[str, Tracer]) -> dict[str, Tracer]:
        arrays["x"].trace.input("x", INPUTS["x"])
        return {}

    with pytest.raises(TracingError, match="named x"):
        trace(repeated, {"x": INPUTS["x"]})


def test_only_what_an_output_needs_is_kept() -> None:
    def wasteful(arrays: dict[str, Tracer]) -> Tracer:
        _ = ops.exp(arrays["x"])
        return ops.sin(arrays["x"])

    assert [i.opcode for i in record(wasteful).instructions] == ["sin"]


def test_a_tracer_shows_its_type_and_never_numbers() -> None:
    def look(arrays: dict[str, Tracer]) -> Tracer:
        x = arrays["x"]
        assert repr(x) == "Tracer(%0 f32[32,64])"
        assert (x.shape, x.ndim, x.size, len(x)) == ((32, 64), 2, 2048, 32)
        assert x.dtype == np.float32
        assert x.T.shape == (64, 32)
        assert [row.shape for row in x] == [(64,)] * 32
        assert len({x, x.T}) == 2
        with pytest.raises(TypeError):
            len(x.sum())
        return x

    record(look)


def test_calling_a_program_records_it() -> None:
    square = trace(lambda a: {"y": a["z"] * a["z"]}, {"z": INPUTS["x"]})
    twice = trace(
        lambda a: {"y": call(square, {"z": call(square, {"z": a["x"]})["y"]})["y"]},
        {"x": INPUTS["x"]},
    )
    assert [i.opcode for i in twice.instructions] == ["multiply", "multiply"]


def test_a_traced_function_reads_its_surroundings_once() -> None:
    factor = [2.0]
    double = compile(lambda x: x * factor[0])
    assert double(3.0) == 6.0
    factor[0] = 5.0
    assert double(3.0) == 6.0
