"""A plan that the engine accepts can be run: random plans, and rules of overlap."""

import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from support.plan_runs import draw_program
from support.plans import (
    Buffer,
    Line,
    Map,
    Place,
    Plan,
    Product,
    RandomBits,
    Reduce,
    Step,
    dense,
    overlaps,
)
from thalweg import _engine
from thalweg.backends.engine.encode import KINDS, STEPS
from thalweg.errors import ProgramError

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_plans.py"
OVER = "a step writes over what it reads"
DOUBLED = (Line("add", "float32", (0, 0)),)


def test_random_plans_are_refused_or_run_as_numpy_would() -> None:
    """In a process of its own, which a crash may end."""
    command = [sys.executable, SCRIPT, "--count=400", "--seed=1"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    said = dict(re.findall(r"([\d,]+)  ([a-zA-Z]+)", ended.stdout))
    counts = {words: int(count.replace(",", "")) for count, words in said.items()}
    assert counts["cases"] == 400
    assert counts["ran"] > 130  # and were compared
    assert counts["changed"] > 0


def test_drawn_plans_have_every_step_and_every_kind_of_buffer() -> None:
    steps, buffers = Counter[str](), Counter[str]()
    for number in range(200):
        program = draw_program(random.Random(number))
        for plan in program.plans:
            if plan is not None:
                steps.update(step.kind for step in plan.steps)
                buffers.update(buffer.kind for buffer in plan.buffers)
    assert set(steps) == set(STEPS)
    assert set(buffers) == {"arena", *KINDS}


# The rules of overlap -----------------------------------------------------------------


def at(offset: int, *extents: int, dtype: str = "float32") -> Place:
    """A place in the arena."""
    return dense(0, offset, dtype, extents)  # pyright: ignore[reportArgumentType]


def a_map(reads: list[Place], writes: list[Place]) -> Map:
    registers = tuple(len(reads) for _ in writes)
    extents = writes[0].extents
    return Map("map", tuple(reads), tuple(writes), extents, -1, DOUBLED, registers)


def a_tail(reads: list[Place], writes: list[Place]) -> Map:
    return replace(a_map(reads, writes), tail=True)


def step(kind: str, *places: Place) -> Step:
    return Step(kind, places[:-1], places[-1:])


def product(*reads: Place, out: Place) -> Product:
    return Product("product", reads, (out,))


def plan_of(*steps: Step) -> Plan:
    plan = Plan(4096)
    plan.steps += steps
    return plan


A, B, OUT = at(0, 8, 4), at(128, 4, 8), at(256, 8, 8)
BIAS = Place(0, 512, "float32", (8, 8), (0, 4))
COLUMNS = Place(0, 0, "float32", (8, 4), (32, 4))  # the left of a matrix
ELSEWHERE = at(1024, 8, 8)
TABLE, NUMBERS, TAKEN = at(0, 4, 8), at(128, 8, dtype="int32"), at(256, 8, 8)
MATRIX = product(A, B, BIAS, out=OUT)

REFUSED: dict[str, tuple[Plan, str]] = {
    "a map over a part of its input": (plan_of(a_map([at(0, 8)], [at(4, 8)])), "part"),
    "a map over its input transposed": (
        plan_of(a_map([at(0, 4, 4)], [Place(0, 0, "float32", (4, 4), (4, 16))])),
        "part",
    ),
    "a map over the one number that it repeats": (
        plan_of(a_map([Place(0, 0, "float32", (8,), (0,))], [at(0, 8)])),
        "part",
    ),
    "two outputs of a map in one place": (
        plan_of(a_map([at(0, 8)], [at(64, 8), at(64, 8)])),
        "two outputs",
    ),
    "two outputs of a map in a part": (
        plan_of(a_map([at(0, 8)], [at(64, 8), at(68, 8)])),
        "two outputs",
    ),
    "numbers that lie on each other": (
        plan_of(step("zero", Place(0, 0, "float32", (4, 4), (8, 4)))),
        "on each other",
    ),
    "a number that many write": (
        plan_of(step("zero", Place(0, 0, "float32", (4,), (0,)))),
        "on each other",
    ),
    "a copy moved by one": (plan_of(step("copy", at(0, 8), at(4, 8))), OVER),
    "a copy onto itself": (plan_of(step("copy", at(0, 8), at(0, 8))), OVER),
    "a product over its left side": (plan_of(product(A, B, out=at(0, 8, 8))), OVER),
    "a product over its right side": (plan_of(product(A, B, out=at(128, 8, 8))), OVER),
    "a product over its bias": (plan_of(product(A, B, BIAS, out=at(508, 8, 8))), OVER),
    "a tail over its product's left side": (
        plan_of(MATRIX, a_tail([OUT], [at(0, 8, 8)])),
        OVER,
    ),
    "a tail over its product's bias": (
        plan_of(MATRIX, a_tail([OUT], [at(512, 8, 8)])),
        OVER,
    ),
    "a tail over a part of what its product gives": (
        plan_of(product(at(0, 8, 4), B, out=OUT), a_tail([OUT], [at(260, 8, 8)])),
        "part",
    ),
    "a tail that reads its product's result moved": (
        plan_of(MATRIX, a_tail([at(288, 8, 8), OUT], [ELSEWHERE])),
        "elsewhere",
    ),
    "a tail that writes its product's result moved": (
        plan_of(MATRIX, a_tail([ELSEWHERE], [at(1024, 8, 8), at(288, 8, 8)])),
        "must read or write",
    ),
    "a sum over its numbers": (
        plan_of(Reduce("reduce", (at(0, 8),), (at(4, 1),), "sum", (0,))),
        OVER,
    ),
    "taken over its table": (plan_of(step("take", TABLE, NUMBERS, at(64, 8, 8))), OVER),
    "taken over its numbers": (
        plan_of(step("take", TABLE, NUMBERS, at(156, 8, 8))),
        OVER,
    ),
    "added over its numbers": (
        plan_of(step("scatter_add", TAKEN, NUMBERS, at(132, 4, 8))),
        OVER,
    ),
    "added over what is added": (
        plan_of(step("scatter_add", TAKEN, NUMBERS, at(256, 4, 8))),
        OVER,
    ),
    "bits over their seed": (
        plan_of(
            RandomBits(
                "random_bits",
                (at(4, dtype="uint32"), at(64, dtype="int32")),
                (at(0, 8, dtype="uint32"),),
            )
        ),
        OVER,
    ),
}
ACCEPTED: dict[str, Plan] = {
    "a map over its input": plan_of(a_map([at(0, 8)], [at(0, 8)])),
    "a map over one of its inputs": plan_of(a_map([at(0, 8), at(64, 8)], [at(64, 8)])),
    "columns beside those that are read": plan_of(
        a_map([COLUMNS], [replace(COLUMNS, offset=16)])
    ),
    "a copy to the columns beside": plan_of(
        step("copy", replace(COLUMNS, offset=16), COLUMNS)
    ),
    "a tail over its product": plan_of(MATRIX, a_tail([OUT], [OUT])),
    "a tail over another input": plan_of(MATRIX, a_tail([OUT, ELSEWHERE], [ELSEWHERE])),
    "what comes next to each other": plan_of(step("copy", at(0, 8), at(32, 8))),
    "nothing over something": plan_of(step("copy", at(0, 0, 8), at(0, 0, 8))),
}


def make(plan: Plan) -> _engine.Program:
    return _engine.Program(None, plan.source(), None)


@pytest.mark.parametrize(("plan", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_step_that_reads_what_it_writes_is_refused(plan: Plan, rule: str) -> None:
    assert list(overlaps(plan))
    with pytest.raises(ProgramError, match=rule):
        make(plan)


@pytest.mark.parametrize("plan", ACCEPTED.values(), ids=ACCEPTED)
def test_a_step_that_reads_what_is_elsewhere_is_run(plan: Plan) -> None:
    assert not list(overlaps(plan))
    assert make(plan).run()


def test_rows_are_apart_where_their_columns_are() -> None:
    plan = Plan(0, rows=2)
    plan.buffers.append(Buffer("rows", "float32", (2, 8), "x"))
    left = Place(1, 0, "float32", (2, 4), (32, 4), rows_axis=0)
    doubled = replace(a_map([left], [replace(left, offset=16)]), rows_axis=0)
    plan.steps.append(doubled)
    engine, x = make(plan), np.arange(40, dtype=np.float32).reshape(5, 8)
    engine.bind({"x": x})
    engine.run(5, threads=2)
    assert_array_equal(x[:, 4:], 2 * x[:, :4])


def test_a_copy_of_what_stands_still_fills_the_rows_of_its_block() -> None:
    plan = Plan(0, rows=8)
    plan.buffers.append(Buffer("whole", "float32", (4,), "x"))
    plan.buffers.append(Buffer("rows", "float32", (8, 4), "y"))
    still = Place(1, 0, "float32", (8, 4), (0, 4))
    plan.steps.append(step("copy", still, dense(2, 0, "float32", (8, 4), 0)))
    engine, room = make(plan), np.zeros((40, 4), np.float32)
    engine.bind({"x": np.arange(4, dtype=np.float32), "y": room[:9]})
    engine.run(9)
    assert_array_equal(room[:9], [[0, 1, 2, 3]] * 9)
    assert not room[9:].any()


# Other plans that crashed -------------------------------------------------------------


def test_a_total_holds_numbers() -> None:
    plan = Plan(0, rows=2)
    plan.buffers.append(Buffer("total", "bool", (4,), "t"))
    with pytest.raises(ProgramError, match="a total must hold numbers"):
        make(plan)


def test_two_buffers_of_a_plan_have_two_names() -> None:
    plan = Plan(0)
    plan.buffers += [Buffer("whole", "float32", (4,), "x") for _ in range(2)]
    with pytest.raises(ProgramError, match="two buffers named x"):
        make(plan)


def test_strides_of_nothing_are_looked_at_too() -> None:
    far = Place(0, 0, "float32", (0, 2**30), (4, 2**40))
    with pytest.raises(ProgramError, match="leaves its buffer"):
        make(plan_of(step("zero", far)))


@pytest.mark.parametrize("kind", ["take", "scatter_add"])
@pytest.mark.parametrize("isa", _engine.available())
def test_a_number_of_no_row_ends_a_run_before_anything_else(
    kind: str, isa: str
) -> None:
    plan = Plan(4096)
    plan.buffers.append(Buffer("whole", "int32", (8,), "numbers"))
    plan.buffers.append(Buffer("whole", "float32", (4,), "parameters"))
    numbers = dense(1, 0, "int32", (8,))
    parameters = dense(2, 0, "float32", (4,))
    places = (TABLE, numbers, TAKEN) if kind == "take" else (TAKEN, numbers, TABLE)
    plan.steps += [step(kind, *places), a_map([parameters], [parameters])]
    engine = _engine.Program(None, plan.source(), None, isa=isa)
    own = np.ones(4, np.float32)
    for bad in (-1, 4, 2**31 - 1, -(2**31)):
        rows = np.array([0, 1, 2, 3, bad, 0, 1, 2], np.int32)
        engine.bind({"numbers": rows, "parameters": own})
        with pytest.raises(IndexError, match="index of step 0"):
            engine.run()
        assert_array_equal(own, 1)


RACE = """
import sys, threading, time
import numpy as np
sys.path.insert(0, sys.argv[1])
from support.plans import Buffer, Plan, Step, dense
from thalweg import _engine

kind, rows, numbers = sys.argv[2], (100000, 32), np.zeros(100000, np.int32)
plan = Plan(0)
plan.buffers += [Buffer("whole", "float32", (4, 32), "table")]
plan.buffers += [Buffer("whole", "int32", numbers.shape, "numbers")]
plan.buffers += [Buffer("whole", "float32", rows, "rows")]
table, rows_of = dense(1, 0, "float32", (4, 32)), dense(3, 0, "float32", rows)
first, last = (table, rows_of) if kind == "take" else (rows_of, table)
indices = dense(2, 0, "int32", numbers.shape)
plan.steps.append(Step(kind, (first, indices), (last,)))
engine = _engine.Program(None, plan.source(), None)
arrays = {"table": np.ones((4, 32), np.float32), "rows": np.ones(rows, np.float32)}
engine.bind({**arrays, "numbers": numbers})
done = threading.Event()

def change():
    while not done.is_set():
        numbers.fill(2**30)
        numbers.fill(0)
        time.sleep(0.0005)

changing = threading.Thread(target=change)
changing.start()
for _ in range(500):
    try:
        engine.run()
    except IndexError:
        pass
done.set()
changing.join()
"""


@pytest.mark.parametrize("kind", ["take", "scatter_add"])
def test_numbers_that_another_thread_changes_are_checked_as_they_are_used(
    kind: str,
) -> None:
    command = [sys.executable, "-c", RACE, str(Path(__file__).parents[1]), kind]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
