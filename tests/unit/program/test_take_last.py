"""Products of rows taken from a table are made on the table, where that is less."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.compile import finish, move_work
from thalweg.program.ir import Program, verify
from thalweg.program.loops import scan
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.take_last import take_last
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType

TIMES = 4


def traced(formula: Any, table: int, rows: Any = 5) -> Program:
    types = {
        "T": ArrayType((table, 3), "float64"),
        "W": ArrayType((3, 2), "float64"),
        "U": ArrayType((2, 2), "float64"),
        "i": ArrayType((rows, TIMES), "int32"),
    }
    return trace(formula, types)


def given(table: int, rows: int = 5) -> dict[str, Any]:
    random = np.random.default_rng(3)
    return {
        "T": random.normal(size=(table, 3)),
        "W": random.normal(size=(3, 2)),
        "U": random.normal(size=(2, 2)),
        "i": random.integers(0, table, (rows, TIMES)).astype(np.int32),
    }


def product(a: Any) -> Any:
    taken = ops.reshape(ops.take(a["T"], a["i"]), (a["i"].shape[0] * TIMES, 3))
    return {"y": taken @ a["W"]}


def recurrent(a: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        return ops.tanh(x @ a["W"] + h @ a["U"])

    x = ops.take(a["T"], a["i"])
    h = scan(step, ops.zeros_like(x[:, 0, :2]), x)
    return {"loss": ops.sum(ops.square(h))}


def sizes_of_products(program: Program) -> list[Any]:
    return [i.type.shape for i in program.instructions if i.opcode == "matmul"]


@pytest.mark.parametrize(
    ("rows", "table", "size"), [(5, 7, 7), (5, 21, 20), (ROWS, 31, 31), (ROWS, 32, 0)]
)
def test_a_product_is_as_large_as_the_smaller(rows: Any, table: int, size: int) -> None:
    """Rows that aren't known are taken for eight."""
    wanted = (size or ROWS * TIMES, 2)
    assert sizes_of_products(take_last(traced(product, table, rows))) == [wanted]


@pytest.mark.parametrize("special", [False, True])
def test_values_are_the_same(special: bool) -> None:
    program, values = traced(product, 7), given(7)
    if special:
        values["T"][2] = np.nan, 0.0, 1.0
        values["T"][4] = np.inf, -np.inf, -0.0
    changed = verify(take_last(program))
    with np.errstate(all="ignore"):
        before, after = (interpret(p, values)["y"] for p in (program, changed))
    if special:
        assert_array_equal(np.isnan(after), np.isnan(before))
    assert_allclose(after, before, 1e-14)


def test_gradients_are_the_same_and_taken_on_the_table() -> None:
    program, values = traced(recurrent, 7), given(7)
    plain = differentiate(program, "loss", ["T", "W", "U"])
    moved = verify(finish(differentiate(move_work(program), "loss", ["T", "W", "U"])))
    wanted, found = interpret(plain, values), interpret(moved, values)
    for name, array in wanted.items():
        assert_allclose(found[name], array, 1e-12, 1e-13, err_msg=name)
    lanes = [size for size in sizes_of_products(moved) if size == (20, 2)]
    assert lanes == []
    added = next(i for i in moved.instructions if i.opcode == "scatter_add")
    assert added.type.shape == (7, 2)


SUMS: dict[str, Any] = {
    "a bias": lambda a: ops.take(a["T"], a["i"]) + a["W"][:, 0],
    "a bias first": lambda a: a["W"][:, 0] + ops.take(a["T"], a["i"]),
    "a bias with axes": lambda a: ops.take(a["T"], a["i"]) + a["W"][:, 0][None, None],
    "a bias of what is taken flat": lambda a: (
        ops.reshape(ops.take(a["T"], a["i"]), (-1, 3)) + a["W"][:, 0]
    ),
}
OTHER_SUMS: dict[str, Any] = {
    "of each row": lambda a: (
        ops.take(a["T"], a["i"]) + ops.cast(a["i"], "float64")[:, :1, None]
    ),
    "of each time": lambda a: ops.take(a["T"], a["i"]) + a["T"][:TIMES],
    "of one number": lambda a: ops.take(a["T"], a["i"]) + a["W"][0, 0],
    "of all rows as one": lambda a: (
        ops.reshape(ops.take(a["T"], a["i"]), (1, -1)) + a["T"][:1, :1]
    ),
}


def added(program: Program) -> list[Any]:
    """The shapes of sums."""
    return [i.type.shape for i in program.instructions if i.opcode == "add"]


@pytest.mark.parametrize("name", SUMS)
def test_a_bias_is_added_to_the_table(name: str) -> None:
    program, values = traced(lambda a: {"y": SUMS[name](a)}, 7), given(7)
    changed = verify(take_last(program))
    assert added(changed) == [(7, 3)]
    before, after = (interpret(p, values)["y"] for p in (program, changed))
    assert_array_equal(after, before)


@pytest.mark.parametrize("name", OTHER_SUMS)
@pytest.mark.parametrize("rows", [5, ROWS])
def test_nothing_else_is(name: str, rows: Any) -> None:
    program = traced(lambda a: {"y": OTHER_SUMS[name](a)}, 7, rows)
    assert added(take_last(program)) == added(program)


def test_a_bias_is_not_added_to_more_rows_than_are_taken() -> None:
    program = traced(lambda a: {"y": SUMS["a bias"](a)}, 21)
    assert added(take_last(program)) == [(5, TIMES, 3)]
