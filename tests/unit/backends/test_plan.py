"""Plans: values keep their room as long as they are read, and no longer."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from thalweg.backends.layout import (
    ALIGNMENT,
    ARENA,
    Location,
    Step,
    check,
    contiguous,
    single,
)
from thalweg.backends.numpy.interpret import Executable, interpret
from thalweg.backends.plan import Arena, plan_singly
from thalweg.errors import ProgramError
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

Build = Callable[[dict[str, Tracer]], Mapping[str, Any]]
N = 4
INPUTS = {
    "a": ArrayType((N, N), "float64"),
    "b": ArrayType((N, N), "float64"),
    "c": ArrayType((N, N), "float64"),
    "v": ArrayType((2 * N * N,), "float64"),
}


def values() -> dict[str, NumpyArray]:
    random = np.random.default_rng(0)
    return {name: random.normal(size=type.shape) for name, type in INPUTS.items()}


def record(build: Build) -> Program:
    return trace(build, INPUTS)


def assert_runs_like_the_interpreter(program: Program, runs: int = 3) -> None:
    """Also with memory poisoned between runs, and outputs carried to the next."""
    executable = Executable(plan_singly(program))
    expected = values()
    for name, array in expected.items():
        executable.inputs[name][...] = array
    for _ in range(runs):
        executable._buffers[ARENA][...] = 255
        executable.run()
        results = interpret(program, expected)
        for name, result in results.items():
            assert_allclose(executable.outputs[name], result, 1e-12, err_msg=name)
        expected |= {name: results[name] for name in results if name in expected}
        for name, array in expected.items():
            assert_allclose(executable.inputs[name], array, 1e-12, err_msg=name)


def flat(*arrays: Any) -> Any:
    return ops.concatenate([ops.reshape(array, (-1,)) for array in arrays])


def in_place_with_transposed_second_read(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.exp(a["a"])
    return {"y": x + x.T}


def in_place_with_shifted_second_read(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.exp(a["v"])
    ahead = ops.concatenate([x[1:], x[:1]])
    return {"y": x * ahead + x[0]}


def in_place_with_repeated_second_read(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.exp(a["a"])
    return {"y": x - ops.broadcast_to(x[0], (N, N))}


def read_after_it_was_joined(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x, y = ops.exp(a["a"]), ops.sin(a["b"])
    joined = flat(x, y)
    return {"y": joined * 2, "z": (x + y) * ops.cos(x), "s": ops.sum(joined)}


def joined_value_read_by_the_last_reader_of_the_join(
    a: dict[str, Tracer],
) -> Mapping[str, Any]:
    x = ops.exp(a["a"])
    joined = ops.concatenate([x])
    return {"y": joined + x.T}


def joined_twice(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.exp(a["a"])
    return {"y": ops.sin(flat(x, x)), "v": flat(x, x.T)}


def joined_in_two_joins(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x, y = ops.exp(a["a"]), ops.sin(a["b"])
    return {"y": flat(x, y) + flat(y, x), "z": ops.cos(flat(x, flat(y, x)))}


def joined_views(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.exp(a["a"])
    parts = [x.T, x[1:], x[:, ::2].T, ops.broadcast_to(x[0], (2, N)), a["b"], x]
    return {"y": ops.concatenate(parts), "z": ops.concatenate([x.T, x], axis=1)}


def joined_copies_of_copies(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.reshape(ops.exp(a["a"]).T, (-1,))
    return {"v": ops.concatenate([x, x]), "z": ops.sin(x)}


def carried_join(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x, y = a["v"][: N * N].reshape(N, N), a["v"][N * N :].reshape(N, N)
    return {"v": a["v"] - 0.1 * flat(x @ y, y @ x.T), "y": ops.sum(x)}


def swapped(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"a": a["b"], "b": a["a"]}


def rotated(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"a": a["b"], "b": a["c"], "c": a["a"]}


def turned_into_each_other(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"a": a["b"].T, "b": a["a"] + a["b"], "c": a["c"].T}


def one_value_carried_twice(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = a["a"] * 0.5 + a["b"]
    return {"a": x, "b": x, "c": x.T, "y": x}


def carried_and_read_before_and_after(a: dict[str, Tracer]) -> Mapping[str, Any]:
    new = a["a"] * 0.5
    return {"a": new, "y": new + a["a"], "z": new @ a["a"]}


def old_values_beside_new_ones(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {
        "a": a["a"] + 1,
        "old": a["a"],
        "old transposed": a["a"].T,
        "old row": a["a"][1],
        "b": a["b"] + a["a"].T,
    }


def carried_unchanged(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"a": a["a"], "b": a["b"].T.T, "y": a["a"] + a["b"]}


def carried_in_place_with_transposed_read(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"a": a["a"] + a["a"].T}


def carried_constant(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"a": a["a"].trace.constant(np.ones((N, N))), "y": a["a"] * 2}


def output_that_is_an_input_or_constant(a: dict[str, Tracer]) -> Mapping[str, Any]:
    return {"y": a["a"], "z": a["b"][1:, ::2], "one": 1.0, "w": ops.zeros_like(a["c"])}


def empty_parts(a: dict[str, Tracer]) -> Mapping[str, Any]:
    none = ops.exp(a["a"][N:, N:])
    return {"y": flat(none, a["a"]), "z": none, "s": ops.sum(none)}


def repeated_to_nothing(a: dict[str, Tracer]) -> Mapping[str, Any]:
    none = ops.broadcast_to(a["v"][:1], (0,))
    return {"y": ops.exp(none) * a["v"][:0], "z": ops.where(none > 0, none, 0.0)}


def repeated_before_it_is_read(a: dict[str, Tracer]) -> Mapping[str, Any]:
    row, column = a["a"][0], a["b"][:, :1]
    wide = ops.broadcast_to(row, (N, N))
    return {
        "y": ops.maximum(wide, ops.broadcast_to(column, (N, N))),
        "z": ops.where(wide > 0, wide, 0.0) + ops.where(a["a"] > 0, 0.0, a["a"]),
        "w": ops.where(wide > 0, a["c"], -0.0)
        + ops.logistic(wide) * ops.softplus(wide),
    }


def chain_of_copied_views(a: dict[str, Tracer]) -> Mapping[str, Any]:
    x = ops.exp(a["a"])
    once = ops.reshape(x.T, (2, -1))
    twice = ops.reshape(once.T, (-1,))
    return {"y": twice * ops.reshape(once, (-1,)), "z": ops.reshape(x.T[::2], (-1,))}


def long_lives(a: dict[str, Tracer]) -> Mapping[str, Any]:
    early = ops.exp(a["a"])
    late = early
    for _ in range(6):
        late = ops.tanh(late @ early)
    return {"y": late + early, "z": late.T @ early}


def mixed_dtypes(a: dict[str, Tracer]) -> Mapping[str, Any]:
    positive = a["a"] > 0
    narrow = ops.cast(ops.exp(a["a"]), "float32")
    return {
        "y": ops.where(positive, ops.cast(narrow, "float64"), a["b"]),
        "count": ops.sum(positive),
        "where": ops.argmax(ops.sin(a["a"]), axis=0),
    }


BUILDS: list[Build] = [
    in_place_with_transposed_second_read,
    in_place_with_shifted_second_read,
    in_place_with_repeated_second_read,
    read_after_it_was_joined,
    joined_value_read_by_the_last_reader_of_the_join,
    joined_twice,
    joined_in_two_joins,
    joined_views,
    joined_copies_of_copies,
    carried_join,
    swapped,
    rotated,
    turned_into_each_other,
    one_value_carried_twice,
    carried_and_read_before_and_after,
    old_values_beside_new_ones,
    carried_unchanged,
    carried_in_place_with_transposed_read,
    carried_constant,
    output_that_is_an_input_or_constant,
    empty_parts,
    repeated_to_nothing,
    repeated_before_it_is_read,
    chain_of_copied_views,
    long_lives,
    mixed_dtypes,
]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_values_are_safe_as_long_as_they_are_read(build: Build) -> None:
    assert_runs_like_the_interpreter(record(build))


def overlap(a: Location, b: Location) -> bool:
    return a.buffer == b.buffer and a.offset < b.end and b.offset < a.end


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)
def test_a_step_writes_over_what_it_reads_only_element_by_element(
    build: Build,
) -> None:
    # NumPy copies what overlaps before it writes; an engine won't.
    for step in plan_singly(record(build)).steps:
        for read in step.inputs:
            if overlap(read, step.outputs[0][1]):
                assert PRIMITIVES[step.opcode].kind == "elementwise"
                assert read.offset == step.outputs[0][1].offset
                assert read.is_contiguous


def test_an_input_may_have_any_name() -> None:
    program = trace(
        lambda a: {"y": ops.exp(a["arena"]) * 2 + ops.sum(a["constant1"])},
        {"arena": INPUTS["a"], "constant1": INPUTS["a"]},
    )
    executable = Executable(plan_singly(program))
    executable.inputs["arena"][...] = 1
    executable.run()
    assert_allclose(executable.outputs["y"], 2 * np.e * np.ones((N, N)))


# Memory ------------------------------------------------------------------------------

BYTES = 8 * N * N


def needed(build: Build) -> int:
    return plan_singly(record(build)).arena_bytes


def test_a_chain_of_elementwise_steps_takes_one_room() -> None:
    def chain(a: dict[str, Tracer]) -> Mapping[str, Any]:
        x = a["a"]
        for _ in range(10):
            x = ops.sin(ops.exp(x) + 1)
        return {"y": x}

    assert needed(chain) <= 2 * BYTES


def test_a_chain_of_products_takes_two_rooms() -> None:
    def chain(a: dict[str, Tracer]) -> Mapping[str, Any]:
        x = a["a"]
        for _ in range(10):
            x = x @ a["b"]
        return {"y": x}

    assert needed(chain) == 2 * BYTES


def test_views_take_no_room() -> None:
    def views(a: dict[str, Tracer]) -> Mapping[str, Any]:
        x = ops.exp(a["a"])
        return {"y": x.T[1:, ::2], "z": ops.broadcast_to(x[0], (9, N)), "w": x[None]}

    assert needed(views) == BYTES
    steps = plan_singly(record(views)).steps
    assert [step.opcode for step in steps] == ["exp", "reshape", "reshape", "reshape"]
    assert [step.outputs[0][1].buffer for step in steps[1:]] == ["y", "z", "w"]


def test_parts_are_computed_in_their_place_of_a_join() -> None:
    def join(a: dict[str, Tracer]) -> Mapping[str, Any]:
        return {"v": flat(ops.exp(a["a"]), a["a"] @ a["b"])}

    planned = plan_singly(record(join))
    assert [step.opcode for step in planned.steps] == ["exp", "matmul", "reshape"]
    assert planned.arena_bytes == 2 * BYTES


def test_heads_are_written_where_they_are_joined() -> None:
    """Matrices lie as the transpose has them through which alone they are read."""
    shapes = {"weights": (2, 3, 4, 4), "values": (2, 3, 4, 5)}
    random = np.random.default_rng(0)
    given = {name: random.normal(size=shape) for name, shape in shapes.items()}

    def joined(a: dict[str, Tracer]) -> Mapping[str, Any]:
        heads = ops.transpose(a["weights"] @ a["values"], (0, 2, 1, 3))
        return {"y": ops.sum(ops.reshape(heads, (2, 4, 15)), axis=-1)}

    types = {name: ArrayType(shape, "float64") for name, shape in shapes.items()}
    program = simplify(trace(joined, types))
    planned = plan_singly(program)
    assert [step.lines[0].opcode for step in planned.steps] == ["matmul", "sum"]
    executable = Executable(planned)
    for name, array in given.items():
        executable.inputs[name][...] = array
    executable.run()
    assert_allclose(executable.outputs["y"], interpret(program, given)["y"], 1e-12)


def test_an_update_happens_in_the_input_itself() -> None:
    planned = plan_singly(record(lambda a: {"a": a["a"] - a["b"]}))
    assert [str(step.outputs[0][1]) for step in planned.steps] == ["a+0:f64[4,4]"]
    assert planned.arena_bytes == 0


def test_room_that_was_given_back_is_merged_and_given_again() -> None:
    arena = Arena()
    first, second, third = (arena.allocate(100) for _ in range(3))
    assert (first, second, third, arena.size) == (0, 128, 256, 384)
    arena.release(first, 100)
    arena.release(third, 100)
    assert arena.allocate(129) == 384
    arena.release(second, 100)
    assert arena.free == [(0, 384)]
    assert arena.allocate(300) == 0
    assert arena.allocate(64) == 320


def test_the_smallest_room_that_fits_is_given() -> None:
    arena = Arena()
    rooms = [arena.allocate(n) for n in (256, 64, 128, 64)]
    arena.release(rooms[0], 256)
    arena.release(rooms[2], 128)
    assert arena.allocate(100) == rooms[2]


def test_the_arena_starts_aligned() -> None:
    for build in BUILDS:
        planned = plan_singly(record(build))
        memory = Executable(planned)._buffers[ARENA]
        assert not planned.arena_bytes or memory.ctypes.data % ALIGNMENT == 0
        assert memory.nbytes == planned.arena_bytes


# Refusals ----------------------------------------------------------------------------


def test_an_output_must_have_the_type_of_the_input_of_its_name() -> None:
    with pytest.raises(ProgramError, match=r"output a is f64\[4\].*f64\[4,4\]"):
        plan_singly(record(lambda a: {"a": a["a"][0]}))


def place(buffer: str, offset: int, shape: tuple[int, ...] = (N, N)) -> Location:
    return contiguous(buffer, offset, ArrayType(shape, "float64"))


def with_step(step: Step) -> Any:
    planned = plan_singly(record(lambda a: {"y": ops.exp(a["a"]) + np.ones((N, N))}))
    return replace(planned, steps=(*planned.steps, step))


WRONG_STEPS = [
    (single("exp", {}, (place("a", 8),), place(ARENA, 0)), "leaves its buffer"),
    (single("exp", {}, (place("a", -8),), place(ARENA, 0)), "leaves its buffer"),
    (single("exp", {}, (place("a", 0),), place(ARENA, 10**6)), "leaves its buffer"),
    (single("exp", {}, (place("nowhere", 0),), place(ARENA, 0)), "doesn't exist"),
    (single("exp", {}, (place("a", 0),), place("nowhere", 0)), "doesn't exist"),
    (single("nonsense", {}, (place("a", 0),), place(ARENA, 0)), "no primitive"),
    (single("exp", {}, (place("a", 0),), place(ARENA, 0, (N,))), "gives"),
    (
        single(
            "exp",
            {},
            (replace(place("a", 8 * N), strides=(-8 * N, 8)),),
            place(ARENA, 0),
        ),
        "leaves its buffer",
    ),
    (
        single(
            "exp",
            {},
            (replace(place("a", 0), strides=(8 * N, 16)),),
            place(ARENA, 0),
        ),
        "leaves its buffer",
    ),
]


@pytest.mark.parametrize(("step", "words"), WRONG_STEPS)
def test_check_refuses(step: Step, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        check(with_step(step))


def test_check_refuses_to_write_a_constant() -> None:
    planned = plan_singly(record(lambda a: {"y": a["a"] + np.ones((N, N))}))
    (constant,) = planned.constants
    step = single("exp", {}, (place("a", 0),), place(constant, 0))
    with pytest.raises(ProgramError, match="writes a constant"):
        check(replace(planned, steps=(*planned.steps, step)))


def test_check_refuses_an_output_outside_its_buffer() -> None:
    planned = plan_singly(record(lambda a: {"y": ops.exp(a["a"])}))
    with pytest.raises(ProgramError, match="leaves its buffer"):
        check(replace(planned, outputs={"y": ArrayType((N,), "float64")}))


def test_check_refuses_an_arena_that_is_too_small() -> None:
    planned = plan_singly(record(lambda a: {"y": ops.sum(ops.exp(a["a"]))}))
    with pytest.raises(ProgramError, match="leaves its buffer"):
        check(replace(planned, arena_bytes=planned.arena_bytes - 1))


def test_a_plan_prints_its_steps() -> None:
    planned = plan_singly(record(lambda a: {"y": ops.sum(ops.exp(a["a"]), axis=0)}))
    assert str(planned).splitlines() == [
        "plan: arena of 128 bytes, 2 kernels",
        f"  {ARENA}+0:f64[4,4] = exp(a+0:f64[4,4])",
        f"  y+0:f64[1,4] = sum({ARENA}+0:f64[4,4]) axes=(0,)",
        "  return y:f64[4]",
    ]


def test_check_refuses_a_place_of_another_type_than_its_line() -> None:
    step = single("exp", {}, (place("a", 0),), place(ARENA, 0))
    step = replace(step, outputs=((0, place(ARENA, 0, (N,))),))
    with pytest.raises(ProgramError, match=r"gives f64\[4,4\]"):
        check(with_step(step))
