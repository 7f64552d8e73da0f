"""Loops: scan, its gradient, hoisting, and what is read and written of it."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from support.formulas import read
from support.loops import (
    BY,
    CELLS,
    COUNT,
    TIMES,
    Arrays,
    arrays,
    elman,
    objective,
    types,
    unrolled,
    with_gradients,
)
from thalweg.backends.numpy.interpret import interpret
from thalweg.backends.text.render import render
from thalweg.errors import ProgramError, ShapeError, TracingError
from thalweg.model.stack import RANDOM_INPUTS
from thalweg.program import ops, serialize
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program, verify
from thalweg.program.loops import scan
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.simplify import simplify
from thalweg.program.row_axes import find_rows
from thalweg.program.serialize import from_data, to_data
from thalweg.program.sizes import LENGTH, ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("turns", [None, 3, 0])
def test_a_loop_is_what_python_goes_through(
    name: str, reverse: bool, turns: int | None
) -> None:
    given = arrays()
    loop = with_gradients(objective(name, True, reverse, turns), ROWS)
    plain = with_gradients(objective(name, False, reverse, turns), COUNT)
    assert any(each.opcode == "scan" for each in loop.instructions)
    found = interpret(loop.at(rows=COUNT), given)
    for key, wanted in interpret(plain, given).items():
        np.testing.assert_allclose(found[key], wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_differences(name: str) -> None:
    given, program = arrays(1), with_gradients(objective(name, True), ROWS)
    one = program.at(rows=COUNT)
    found = interpret(one, given)
    generator = np.random.default_rng(2)
    for by in BY:
        way = generator.normal(size=given[by].shape)
        up = interpret(one, {**given, by: given[by] + 1e-6 * way})["loss"]
        down = interpret(one, {**given, by: given[by] - 1e-6 * way})["loss"]
        slope = float((found[f"gradient.{by}"] * way).sum())
        assert slope == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-8)


def test_what_needs_no_state_is_done_for_all_times_at_once() -> None:
    program = with_gradients(objective("lstm", True), ROWS)
    loops = [each for each in program.instructions if each.opcode == "scan"]
    products = [
        [i for i in each.attributes["body"].instructions if i.opcode == "matmul"]
        for each in loops
    ]
    # Forwards the state's product, backwards that of its gradient: all others are out.
    assert [len(each) for each in products] == [1, 1]


def test_as_many_instructions_for_any_number_of_times() -> None:
    def length(times: int) -> int:
        formula = objective("lstm", True)
        traced = make_safe(trace(formula, types(ROWS, times)))
        return len(finish(differentiate(traced, "loss", BY)).instructions)

    assert length(5) == length(300)


def test_the_number_of_times_may_be_a_size() -> None:
    traced = trace(objective("lstm", True), types(ROWS, LENGTH))
    program = verify(finish(differentiate(make_safe(traced), "loss", BY)))
    found = interpret(program.at(rows=COUNT, length=TIMES), arrays())
    plain = with_gradients(objective("lstm", False), COUNT)
    for key, wanted in interpret(plain, arrays()).items():
        np.testing.assert_allclose(found[key], wanted, rtol=1e-12, atol=1e-12)


def test_rows_are_kept_apart_and_found() -> None:
    program = with_gradients(objective("lstm", True), ROWS)
    rows = find_rows(program)
    assert rows is not None
    assert rows.axes[program.outputs["states"]] == 0
    assert program.outputs["gradient.U"] in rows.sums


def test_a_step_that_mixes_rows_is_gone_through_by_itself() -> None:
    def formula(a: Arrays) -> Arrays:
        return {"y": scan(lambda s, x: s + ops.mean(x, axis=0), a["m"][:, :2], a["x"])}

    program = trace(formula, types(COUNT))
    assert all(each.opcode != "scan" for each in program.instructions)
    given = arrays()
    means = given["x"].mean(axis=0)
    wanted = given["m"][:, None, :2] + np.cumsum(means, axis=0)
    np.testing.assert_allclose(interpret(program, given)["y"], wanted)


def test_on_arrays_it_computes() -> None:
    given = arrays()
    found = scan(elman(given), given["s"], given["x"])
    np.testing.assert_allclose(found, unrolled(elman(given), (given["s"],), given["x"]))


@pytest.mark.parametrize("name", CELLS)
def test_it_is_written_and_read(name: str) -> None:
    program = with_gradients(objective(name, True), ROWS)
    data, constants = to_data(program)
    again = from_data(json.loads(json.dumps(data)), constants, COUNT)
    given = arrays()
    wanted = interpret(program.at(rows=COUNT), given)
    for key, found in interpret(again, given).items():
        assert found.tobytes() == wanted[key].tobytes()


@pytest.mark.parametrize("name", CELLS)
def test_its_text_computes_what_it_does(name: str) -> None:
    program = with_gradients(objective(name, True), ROWS).at(rows=COUNT)
    given = arrays()
    names = read(render(program).splitlines(), given)
    for key, wanted in interpret(program, given).items():
        name_of_it = key.replace(".", "_")
        np.testing.assert_allclose(names[name_of_it], wanted, rtol=1e-6, atol=1e-9)


def test_a_file_holds_loops_of_bounded_work_and_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, constants = to_data(with_gradients(objective("nested", True), ROWS))
    monkeypatch.setattr(serialize, "DEEPEST", 2)
    with pytest.raises(ProgramError, match="2 deep"):
        from_data(data, constants, COUNT)
    monkeypatch.undo()
    monkeypatch.setattr(serialize, "MOST_COMPUTED", 10)
    monkeypatch.setattr(serialize, "MOST_COMPUTED_A_ROW", 10)
    with pytest.raises(ProgramError, match="may compute"):
        from_data(data, constants, COUNT)


@pytest.mark.parametrize(
    ("formula", "must"),
    [
        (lambda a: scan(lambda s, x: s, a["s"], a["x"][:2]), "the same rows"),
        (lambda a: scan(lambda s, x: s, a["s"], a["s"][:, 0]), "equally long"),
        (lambda a: scan(lambda s, x: (s, s), a["s"], a["x"]), "must give one state"),
        (lambda a: scan(lambda s, x: s[:, :1], a["s"], a["x"]), "a step must give"),
    ],
)
def test_what_is_no_loop_is_refused(formula: Any, must: str) -> None:
    with pytest.raises(ShapeError, match=must):
        trace(lambda a: {"y": formula(a)}, types(COUNT))


def test_a_step_draws_no_random_numbers() -> None:
    """Those drawn before the loop are a sequence; after it, drawing goes on."""
    drawing = RANDOM_INPUTS

    def uniform(a: Arrays, shape: tuple[int, ...]) -> Any:
        return ops.random_uniform(a["seed"], a["step"], 0, shape, "float64")

    def inside(a: Arrays) -> Arrays:
        found = scan(lambda s, x: s + uniform(a, s.shape), a["s"], a["x"])
        return {"y": found}

    def before(a: Arrays) -> Arrays:
        noise = uniform(a, (ROWS, TIMES, a["s"].shape[1]))
        return {"y": scan(lambda s, x: s + x, a["s"], noise)}

    with pytest.raises(TracingError, match="can't draw random numbers"):
        trace(inside, {**types(ROWS), **drawing})
    assert trace(before, {**types(ROWS), **drawing}).instructions


def test_another_thread_may_draw_while_a_step_is_traced() -> None:
    inside, drawn = threading.Event(), threading.Event()

    def step(s: Any, x: Any) -> Any:
        inside.set()
        assert drawn.wait(60)
        return s * 2

    def looping() -> None:
        trace(lambda a: {"y": scan(step, a["s"], a["x"])}, types(ROWS))

    def drawing(a: Arrays) -> Arrays:
        return {"y": ops.random_uniform(a["seed"], a["step"], 0, (ROWS, 2), "float64")}

    with ThreadPoolExecutor(1) as pool:
        traced = pool.submit(looping)
        try:
            assert inside.wait(60)
            program = trace(drawing, {**types(ROWS), **RANDOM_INPUTS})
        finally:
            drawn.set()
        traced.result()
    assert program.instructions


def test_a_body_is_verified() -> None:
    program = simplify(trace(objective("elman", True), types(COUNT)))
    place = next(n for n, i in enumerate(program.instructions) if i.opcode == "scan")
    loop = program.instructions[place]
    body: Program = loop.attributes["body"]
    broken = Program(body.inputs, body.instructions[:-1], body.outputs)
    attributes = {**loop.attributes, "body": broken}
    wrong = list(program.instructions)
    wrong[place] = type(loop)(loop.opcode, loop.inputs, attributes, loop.type)
    with pytest.raises(ProgramError):
        verify(Program(program.inputs, tuple(wrong), program.outputs))


def products(program: Program) -> int:
    """How many there are, in loops and around them."""
    bodies = [i.attributes["body"] for i in program.instructions if i.opcode == "scan"]
    own = sum(i.primitive.kind == "product" for i in program.instructions)
    return own + sum(map(products, bodies))


@pytest.mark.parametrize("reverse", [False, True])
def test_no_product_is_made_again_for_a_gradient(reverse: bool) -> None:
    """x W, then h U a time; backwards by h, at once by x, W and U."""
    formula = objective("lstm", True, reverse)
    assert products(with_gradients(formula, COUNT)) == 6


def test_what_turns_may_leave_out_is_computed_again() -> None:
    """Kept numbers would be 0 there, by which a formula may divide."""

    def step(h: Any, x: Any) -> Any:
        scale = ops.exp(h)
        return ops.tanh(x / scale)

    def formula(a: Arrays) -> Arrays:
        found = scan(step, a["s"], a["weights"], turns=a["turns"])
        return {"loss": ops.sum(found)}

    given_types = {"turns": ArrayType((), "int32"), **types(COUNT)}
    program = finish(differentiate(trace(formula, given_types), "loss", ["weights"]))
    given = {**arrays(2), "turns": np.array(2, np.int32)}
    found = interpret(program, given)["gradient.weights"]
    assert np.isfinite(found).all()
    assert not found[:, 2:].any()
