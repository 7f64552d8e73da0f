import copy
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ProgramError
from thalweg.program import ops, serialize
from thalweg.program.compile import make_safe
from thalweg.program.fit_rows import ROW_COUNTS, any_rows
from thalweg.program.ir import Instruction, Program
from thalweg.program.serialize import (
    MOST_INSTRUCTIONS,
    from_data,
    to_data,
)
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

generator = np.random.default_rng(0)
MATRIX = generator.normal(size=(4, 3))


def draws(x: Any, a: Any) -> Any:
    return ops.random_uniform(a["seed"], a["step"], 3, x.shape, "float64") < x


FORMULAS: dict[str, Callable[[Any, Any], Any]] = {
    "elementwise": lambda x, a: x / (1 + ops.exp(-x)),
    "a constant matrix": lambda x, a: ops.tanh(x @ MATRIX),
    "its transpose": lambda x, a: x @ MATRIX @ MATRIX.T,
    "a mean over rows": lambda x, a: x - ops.mean(x, axis=0),
    "a mean over all": lambda x, a: ops.mean(x**2),
    "a variance over rows": lambda x, a: (
        ops.sum((x - ops.mean(x, axis=0)) ** 2, axis=0) / (x.shape[0] - 1)
    ),
    "softmax": lambda x, a: ops.exp(x) / ops.sum(ops.exp(x), axis=1, keepdims=True),
    "reshapes": lambda x, a: ops.reshape(x, (x.shape[0] * 2, 2)),
    "twice the rows": lambda x, a: ops.concatenate([x, x * 2, MATRIX.T], axis=0),
    "columns": lambda x, a: ops.concatenate([x[:, 1:3], x[:, :1]], axis=1),
    "the last row": lambda x, a: x[-1] + x[0],
    "every row but one": lambda x, a: x[1:],
    "numbers of classes": lambda x, a: ops.take(MATRIX, ops.argmax(x, axis=1)),
    "one-hot": lambda x, a: ops.one_hot(ops.argmax(x, axis=1), 4, "float64"),
    "a choice": lambda x, a: ops.where(x > 0, x, ops.exp(x) - 1),
    "a shape": lambda x, a: ops.broadcast_to(x[0], (x.shape[0], 4)),
    "random draws": draws,
    "infinities": lambda x, a: ops.minimum(ops.maximum(x, -np.inf), np.inf),
    "a NaN": lambda x, a: ops.where(x > 100, np.nan, x),
}


def program_of(formula: Callable[[Any, Any], Any]) -> Callable[[int], Program]:
    def at(rows: int) -> Program:
        types = {
            "x": ArrayType((rows, 4), "float64"),
            "seed": ArrayType((), "uint32"),
            "step": ArrayType((), "int32"),
        }
        return make_safe(trace(lambda a: {"y": formula(a["x"], a)}, types))

    return at


@pytest.mark.parametrize("name", FORMULAS)
@given(rows=st.integers(2, 40))
@settings(max_examples=10)
def test_a_program_from_its_data_is_the_program(name: str, rows: int) -> None:
    """For other numbers of rows than those at which it was traced, and after JSON."""
    data, constants = to_data(any_rows(program_of(FORMULAS[name])))
    data = json.loads(json.dumps(data, allow_nan=False))
    restored, original = (
        from_data(data, constants, rows),
        program_of(FORMULAS[name])(rows),
    )
    assert restored.output_types() == original.output_types()
    x = np.random.default_rng(rows).normal(size=(rows, 4))
    inputs = {"x": x, "seed": 3, "step": 5}
    found, expected = interpret(restored, inputs), interpret(original, inputs)
    assert_allclose(found["y"], expected["y"], rtol=1e-13)


REFUSED: dict[str, Callable[[Any, Any], Any]] = {
    "squares of the rows": lambda x, a: ops.broadcast_to(x[0, 0], (x.shape[0] ** 2,)),
    "rows times rows": lambda x, a: ops.broadcast_to(
        x[0, 0], (x.shape[0] * x.shape[0],)
    ),
    "a quotient": lambda x, a: x * (1 / x.shape[0] ** 0.5),
    "half of the rows": lambda x, a: x[: x.shape[0] // 2],
    "a constant for each row": lambda x, a: (
        x * np.arange(x.shape[0] * 4).reshape(-1, 4)
    ),
    "a loop over rows": lambda x, a: sum(x[i] for i in range(x.shape[0] - 1000)),
    "a choice by rows": lambda x, a: x if x.shape[0] == ROW_COUNTS[0] else ops.exp(x),
    "other inputs": lambda x, a: (
        ops.exp(x) - x if x.shape[0] == ROW_COUNTS[0] else x - ops.exp(x)
    ),
    "other attributes": lambda x, a: ops.sum(
        x, axis=0 if x.shape[0] == ROW_COUNTS[0] else 1
    ),
    "another type": lambda x, a: ops.cast(
        x, "float32" if x.shape[0] == ROW_COUNTS[0] else "float64"
    ),
    "one infinity": lambda x, a: x * (1.0 if x.shape[0] == ROW_COUNTS[0] else np.inf),
    "one NaN": lambda x, a: x * (1.5 if x.shape[0] == ROW_COUNTS[1] else np.nan),
    "axes": lambda x, a: ops.reshape(x, (1,) * (x.shape[0] - 1000) + x.shape),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_depends_on_the_rows_otherwise_is_refused(name: str) -> None:
    with pytest.raises(ProgramError, match="rows"):
        to_data(any_rows(program_of(REFUSED[name])))


# Data that someone changed ------------------------------------------------------------

VALID = to_data(
    any_rows(program_of(lambda x, a: ops.mean(ops.tanh(x @ MATRIX), axis=0)[1:]))
)


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(VALID[0])
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


WRONG: list[tuple[list[Any], Any]] = [
    (["opcodes"], []),
    (["opcodes"], {}),
    (["opcodes", "tanh"], 99),
    (["opcodes", "system"], 1),
    (["inputs"], 3),
    (["inputs", "x"], ["float64"]),
    (["inputs", "x"], ["object", [3, 4]]),
    (["inputs", "x"], [["float64"], [3, 4]]),
    (["inputs", "x"], ["float64", [3, 5]]),
    (["inputs", "x"], ["float64", [3, -4]]),
    (["inputs", "x"], ["float64", [3, 4.0]]),
    (["inputs", "x"], ["float64", [3, True]]),
    (["inputs", "x"], ["float64", [2**20, 2**20]]),
    (["inputs", "x"], ["float64", [2**80, 4]]),
    (["inputs", "x"], ["float64", [{"rows": [1, 0, 0]}, 4]]),
    (["inputs", "x"], ["float64", [{"rows": ["1", 0]}, 4]]),
    (["inputs", "x"], ["float64", {"a": 1}]),
    (["instructions"], None),
    (["instructions"], [[]]),
    (["instructions"], [5]),
    (["instructions", 0, 0], "exec"),
    (["instructions", 0, 0], ["constant"]),
    (["instructions", 0, 2], {"value": "c7"}),
    (["instructions", 0, 2], {"value": 5}),
    (["instructions", 0, 2], {"value": {"rows": [1, 0], "dtype": "U9", "rank": 1}}),
    (["instructions", 0, 2], {"value": {"rows": [1, 0], "dtype": "V8", "rank": 1}}),
    (["instructions", 0, 2], {"value": {"rows": [1, 0], "dtype": "bool", "rank": 99}}),
    (
        ["instructions", 0, 2],
        {"value": {"rows": [9**9, 0], "dtype": "int32", "rank": 1}},
    ),
    (["instructions", 1, 1], [0, 50]),
    (["instructions", 1, 1], [0, -1]),
    (["instructions", 1, 1], [3, 2]),
    (["instructions", 1, 1], "ab"),
    (["instructions", 1, 2], {}),
    (["instructions", 1, 2, "transpose_a"], 1),
    (["instructions", 1, 2, "transpose_a"], True),
    (["instructions", 1, 2, "other"], True),
    (["instructions", 1, 3], ["float32", [{"rows": [1, 0]}, 3]]),
    (["instructions", 1, 3], ["float64", [{"rows": [1, 0]}, 9]]),
    (["outputs"], {"y": 99}),
    (["outputs"], {"y": -1}),
    (["outputs"], {"y": "x"}),
    (["outputs"], [1]),
]


def test_the_data_to_change_is_right_as_it_is() -> None:
    assert [i[0] for i in VALID[0]["instructions"][:2]] == ["constant", "matmul"]
    from_data(*VALID, 5)


@pytest.mark.parametrize(("path", "value"), WRONG, ids=str)
def test_changed_data_is_no_program(path: list[Any], value: Any) -> None:
    with pytest.raises(ProgramError):
        from_data(changed(path, value), VALID[1], 5)


@pytest.mark.parametrize("name", ["opcodes", "inputs", "instructions", "outputs"])
def test_missing_parts_are_an_error(name: str) -> None:
    data = {k: v for k, v in VALID[0].items() if k != name}
    with pytest.raises(ProgramError):
        from_data(data, VALID[1], 5)


@pytest.mark.parametrize("constant", [np.ones((4, 9)), np.ones((4, 3), np.float32)])
def test_a_constant_of_another_type_is_refused(constant: Any) -> None:
    with pytest.raises(ProgramError):
        from_data(VALID[0], {**VALID[1], "c0": constant}, 5)


@pytest.mark.parametrize(
    "sizes", [[2**20, 2**20], [2**40], [-1, 2], [{"rows": [0, 2**39]}], [[3]]]
)
def test_sizes_are_bounded_also_where_no_instruction_needs_them(sizes: Any) -> None:
    inputs = {"x": ["float64", sizes]}
    data = {"opcodes": {}, "inputs": inputs, "instructions": [], "outputs": {"y": 0}}
    with pytest.raises(ProgramError):
        from_data(data, {}, 5)


def test_whole_numbers_are_bounded() -> None:
    data, constants = copy.deepcopy(SAVED["random draws"])
    (draw,) = [i for i in data["instructions"] if i[0] == "random_bits"]
    assert draw[2]["operation"] == 3
    draw[2]["operation"] = 2**41
    with pytest.raises(ProgramError, match="must be a whole number, got 2199"):
        from_data(data, constants, 5)


def test_no_memory_is_taken_for_a_constant_of_a_strange_type() -> None:
    value = {"rows": [1, 0], "dtype": "U10000000", "rank": 1}
    tracemalloc.start()
    try:
        with pytest.raises(ProgramError, match="no constant of 'U10000000'"):
            from_data(changed(["instructions", 0, 2], {"value": value}), VALID[1], 5)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_too_many_instructions_are_refused_unread() -> None:
    data = {**VALID[0], "instructions": [None] * (MOST_INSTRUCTIONS + 1)}
    with pytest.raises(ProgramError, match="may have 10,000 instructions"):
        from_data(data, VALID[1], 5)


def test_too_many_instructions_are_not_written_either() -> None:
    """A longer limit would take a minute: this one is made shorter."""

    def long(x: Any, a: Any) -> Any:
        for _ in range(MOST_INSTRUCTIONS // 100):
            x = ops.exp(x) + 1
        return x

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serialize, "MOST_INSTRUCTIONS", MOST_INSTRUCTIONS // 100)
        with pytest.raises(ProgramError, match="may have 100 instructions"):
            to_data(any_rows(program_of(long)))


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested lists and dicts."""
    keys = list(data) if isinstance(data, dict) else range(len(data))
    found: list[tuple[Any, ...]] = []
    for key in keys:
        found.append((*path, key))
        if isinstance(data[key], dict | list):
            found += places(data[key], (*path, key))
    return found


SAVED = {
    name: to_data(any_rows(program_of(formula))) for name, formula in FORMULAS.items()
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.sampled_from(["", "c0", "float64", "int32", "object", "matmul", "x", "pad"]),
    st.lists(st.integers(-3, 9), max_size=3),
    st.fixed_dictionaries(
        {"rows": st.lists(st.integers(-3, 2**41), min_size=2, max_size=2)}
    ),
)


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(FORMULAS)),
    st.lists(st.tuples(st.integers(0, 10**6), VALUES), min_size=1, max_size=3),
    st.integers(1, 9),
)
def test_garbled_data_is_a_program_error_or_a_program_that_runs(
    name: str, changes: list[tuple[int, Any]], rows: int
) -> None:
    data, constants = SAVED[name]
    data = copy.deepcopy(data)
    for number, value in changes:
        every = places(data)
        *path, last = every[number % len(every)]
        place = data
        for key in path:
            place = place[key]
        place[last] = copy.deepcopy(value)
    started = time.process_time()
    tracemalloc.start()
    try:
        program = from_data(data, constants, rows)
    except ProgramError:
        return
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10_000_000
        assert time.process_time() - started < 5
    sizes = [t.size for t in program.inputs.values()]
    sizes += [i.type.size for i in program.instructions]
    if sum(sizes) < 10**6:
        given_inputs = {
            name: np.zeros(type.shape, type.dtype)
            for name, type in program.inputs.items()
        }
        types = program.output_types()
        for name, array in interpret(program, given_inputs).items():
            assert (array.shape, array.dtype) == (types[name].shape, types[name].dtype)


def test_a_truth_value_that_depends_on_the_rows_is_refused() -> None:
    type = ArrayType((3, 3), "float64")

    def program(rows: int) -> Program:
        turned = {"transpose_a": rows == ROW_COUNTS[0], "transpose_b": False}
        return Program(
            {"x": type}, (Instruction("matmul", (0, 0), turned, type),), {"y": 1}
        )

    with pytest.raises(ProgramError, match="attributes depend on the number of rows"):
        to_data(any_rows(program))
