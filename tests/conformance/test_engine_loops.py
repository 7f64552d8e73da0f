"""Loops by the engine give what the interpreter gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thalweg as tw
from support.engine import CUTS, by_engine, every_dtype, every_isa
from support.loops import (
    CELLS,
    TIMES,
    UNITS,
    Recurrent,
    arrays,
    objective,
    with_gradients,
)
from support.loops import types as types_with
from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.blocks import Blocks
from thalweg.backends.engine.native import NativeProgram
from thalweg.backends.engine.split import split
from thalweg.backends.numpy.interpret import interpret
from thalweg.program import ops
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.loops import scan
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype

COUNT = 37


def close(found: Any, wanted: Any, dtype: str) -> None:
    tolerance = {"float32": 3e-5, "float64": 1e-11}[dtype]
    for name, array in wanted.items():
        scale = float(np.abs(array).max(initial=1))
        np.testing.assert_allclose(
            found[name], array, tolerance, tolerance * scale, err_msg=name
        )


@every_dtype
@every_isa
@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_loops_and_their_gradients(
    name: str, reverse: bool, isa: str, dtype: Dtype
) -> None:
    program = with_gradients(objective(name, True, reverse), ROWS, dtype)
    given = arrays(3, COUNT, dtype)
    wanted = interpret(program.at(rows=COUNT), given)
    for blocks in CUTS:
        close(by_engine(program, given, blocks, isa), wanted, dtype)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("turns", [0, 1, 3, TIMES, TIMES + 2, -1])
def test_the_number_of_turns_is_an_input(name: str, reverse: bool, turns: int) -> None:
    """One plan for all of them."""
    cell, count = CELLS[name]

    def formula(a: Any) -> Any:
        states = (a["s"], a["m"])[:count]
        options = {"turns": a["turns"], "reverse": reverse}
        return {"y": scan(cell(a), states, a["x"], **options)[0]}

    types = {"turns": ArrayType((), "int32"), **types_with(ROWS)}
    program = finish(make_safe(trace(formula, types))).at(rows=COUNT)
    given = {**arrays(4, COUNT), "turns": np.array(turns, np.int32)}
    close(run(program, given), interpret(program, given), "float64")


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("turns", [0, 1, TIMES - 1, TIMES, TIMES + 2, -1])
def test_the_number_of_turns_is_a_constant(
    name: str, reverse: bool, turns: int
) -> None:
    """The states of times without a turn are 0, in memory that was used before."""
    cell, count = CELLS[name]

    def formula(a: Any) -> Any:
        states = (a["s"], a["m"])[:count]
        sequence = ops.tanh(a["x"] @ a["W"]) @ ops.transpose(a["W"])
        found = scan(cell(a), states, sequence, turns=turns, reverse=reverse)[0]
        return {"y": found @ a["U"]}

    program = finish(make_safe(trace(formula, types_with(ROWS))))
    given = arrays(6, COUNT)
    wanted = interpret(program.at(rows=COUNT), given)
    for blocks in CUTS:
        close(by_engine(program, given, blocks), wanted, "float64")


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_from_zeros_is_cut_into_blocks(name: str, reverse: bool) -> None:
    """Zeros for each row hold no row, and need no other rows."""

    def formula(a: Any) -> Any:
        zeros = ops.zeros_like(a["x"][:, 0, :1]) * np.zeros(UNITS)
        return objective(name, True, reverse)({**a, "s": zeros, "m": zeros})

    traced = make_safe(trace(formula, types_with(ROWS)))
    by = ["W", "U", "b", "x"]
    program = finish(differentiate(traced, "loss", by))
    rows = find_rows(program)
    assert rows is not None
    assert split(program, rows) is not None
    given = arrays(8, COUNT)
    wanted = interpret(program.at(rows=COUNT), given)
    for blocks in CUTS:
        close(by_engine(program, given, blocks), wanted, "float64")


STEPS: dict[str, Any] = {
    "a product": lambda a, s, x: s @ a["V"],
    "what follows a product": lambda a, s, x: ops.tanh(x @ a["V"] + s @ a["V"]),
    "a product of what is turned": lambda a, s, x: (
        ops.transpose(ops.reshape(s, (s.shape[0], 3, 2)), (0, 2, 1)) @ a["V"] + x
    ),
    "windows that are added up": lambda a, s, x: (
        ops.sum(ops.windows(s, 1, 2), axis=2) @ a["V"] + x
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_state_may_have_several_axes(name: str) -> None:
    """Where a state is written rows have gaps, between which a matrix has none."""
    random = np.random.default_rng(9)
    types = {
        "s": ArrayType((ROWS, 2, 3), "float64"),
        "x": ArrayType((ROWS, TIMES, 2, 3), "float64"),
        "V": ArrayType((3, 3), "float64"),
    }
    given = {
        "s": random.normal(size=(COUNT, 2, 3)),
        "x": random.normal(size=(COUNT, TIMES, 2, 3)),
        "V": random.normal(size=(3, 3)),
    }

    def formula(a: Any) -> Any:
        states = scan(lambda s, x: STEPS[name](a, s, x), a["s"], a["x"])
        return {"loss": ops.sum(ops.square(states)), "states": states}

    traced = make_safe(trace(formula, types))
    for program in (traced, differentiate(traced, "loss", ["s", "x", "V"])):
        finished = finish(program)
        wanted = interpret(finished.at(rows=COUNT), given)
        for blocks in CUTS:
            close(by_engine(finished, given, blocks), wanted, "float64")


def run(program: Program, given: Any) -> Any:
    own = {name: np.array(given[name]) for name in program.inputs}
    bound = NativeProgram(compile_program(program), own)
    bound.engine.run(0, threads=1)
    return bound.arrays


def test_the_same_bits_for_any_number_of_threads_and_any_cut() -> None:
    program = with_gradients(objective("lstm", True), ROWS, "float32")
    given = arrays(5, COUNT, "float32")
    states = [
        by_engine(program, given, blocks)["states"].tobytes()
        for blocks in (Blocks(COUNT, 1), Blocks(5, 3), Blocks(1, 16))
    ]
    assert len(set(states)) == 1


@pytest.mark.parametrize("name", CELLS)
def test_rows_may_meet_around_a_loop(name: str) -> None:
    """Then a step has all of a batch's rows at once."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(50, TIMES, 2)), random.normal(size=50)
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = tw.Network([Recurrent(name), tw.BatchNorm(), tw.Dense(1)])
        settings: dict[str, Any] = {"epochs": 3, "dtype": "float64", "batch_size": 16}
        network.fit(X, y, engine=engine, **settings)
        found.append(network.predict(X))
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9)
