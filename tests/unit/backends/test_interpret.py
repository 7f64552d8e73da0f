"""Running: a training step by its plan, its memory, and the interpreter's inputs."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from thalweg.backends.layout import ARENA
from thalweg.backends.numpy.interpret import Executable, interpret
from thalweg.backends.plan import plan_singly
from thalweg.errors import ShapeError
from thalweg.program import ops
from thalweg.program.compile import training_program
from thalweg.program.ir import Program
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

N = 4
INPUTS = {name: ArrayType((N, N), "float64") for name in "ab"}


def values() -> dict[str, NumpyArray]:
    random = np.random.default_rng(0)
    return {name: random.normal(size=(N, N)) for name in INPUTS}


def record(build: Any) -> Program:
    return trace(build, INPUTS)


ROWS, WIDTH = 16, 32
PARAMETERS = {
    "w1": ArrayType((8, WIDTH), "float32"),
    "b1": ArrayType((WIDTH,), "float32"),
    "w2": ArrayType((WIDTH, WIDTH), "float32"),
    "b2": ArrayType((WIDTH,), "float32"),
    "w3": ArrayType((WIDTH, 1), "float32"),
}
BATCH = {
    "x": ArrayType((ROWS, 8), "float32"),
    "y": ArrayType((ROWS, 1), "float32"),
    "learning_rate": ArrayType((), "float32"),
    "step": ArrayType((), "int32"),
}


def objective(p: dict[str, Any], a: dict[str, Any]) -> dict[str, Any]:
    hidden = ops.tanh(a["x"] @ p["w1"] + p["b1"])
    hidden = ops.maximum(hidden @ p["w2"] + p["b2"], 0)
    return {"objective": ops.mean((hidden @ p["w3"] - a["y"]) ** 2)}


def momentum(
    theta: Any, gradient: Any, state: dict[str, Any], rate: Any, step: Any
) -> tuple[Any, dict[str, Any]]:
    velocity = 0.9 * state["velocity"] + gradient
    return theta - rate * velocity, {"velocity": velocity}


def training_step() -> Program:
    return training_program(objective, PARAMETERS, BATCH, momentum, ["velocity"])[
        "step"
    ]


def started() -> tuple[Executable, dict[str, NumpyArray]]:
    program = training_step()
    random = np.random.default_rng(0)
    inputs = {
        name: np.asarray(random.normal(0, 0.3, type.shape), type.dtype)
        for name, type in program.inputs.items()
    }
    inputs["learning_rate"][...] = 0.05
    inputs["step"][...] = 1
    inputs["state.velocity"][...] = 0
    executable = Executable(plan_singly(program))
    for name, array in inputs.items():
        executable.inputs[name][...] = array
    return executable, inputs


def test_training_runs_like_the_interpreter_and_learns() -> None:
    executable, inputs = started()
    program = training_step()
    assert list(executable.outputs) == ["parameters", "state.velocity"]
    for _ in range(5):
        executable._buffers[ARENA][...] = 255
        executable.run()
        inputs |= interpret(program, inputs)
        for name in ("parameters", "state.velocity"):
            assert_allclose(executable.inputs[name], inputs[name], 1e-4, 1e-6)


def test_the_arena_of_a_training_step_is_less_than_its_values() -> None:
    program = training_step()
    sizes = [
        i.type.nbytes
        for i in program.instructions
        if i.primitive.kind not in ("view", "constant")
    ]
    assert plan_singly(program).arena_bytes < 0.6 * sum(sizes)


def test_a_run_leaves_nothing_allocated() -> None:
    executable, _ = started()
    executable.run()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            executable.run()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 2_000
    assert peak - before < 20_000


def test_executables_can_share_their_inputs() -> None:
    first, _ = started()
    second = Executable(first.plan, {"parameters": first.inputs["parameters"]})
    assert second.inputs["parameters"] is first.inputs["parameters"]
    before = first.inputs["parameters"].copy()
    first.run()
    assert not np.array_equal(before, second.outputs["parameters"])


@pytest.mark.parametrize(
    "wrong",
    [np.zeros(3), np.zeros((N, N), "f4"), np.zeros((N, 2 * N))[:, ::2]],
    ids=["shape", "dtype", "gaps"],
)
def test_a_given_buffer_must_be_right(wrong: NumpyArray) -> None:
    planned = plan_singly(record(lambda a: {"y": a["a"] * 2}))
    with pytest.raises(ShapeError, match=r"buffer a must be.*float64.*\(4, 4\)"):
        Executable(planned, {"a": wrong})


def test_an_input_of_the_wrong_shape_is_named() -> None:
    program = record(lambda a: {"y": a["a"]})
    with pytest.raises(ShapeError, match=r"input b must have shape \(4, 4\), got \(2,"):
        interpret(program, {**values(), "b": np.zeros((2, 2))})


def test_the_interpreter_leaves_its_inputs_alone() -> None:
    def carrying(a: dict[str, Tracer]) -> dict[str, Tracer]:
        x = ops.logistic(a["a"]) - a["a"].T
        return {"a": x * 0.5, "b": ops.concatenate([a["b"][:2], x[2:]]), "y": a["b"]}

    inputs = values()
    kept = {name: array.copy() for name, array in inputs.items()}
    interpret(record(carrying), inputs)
    for name, array in kept.items():
        assert_array_equal(inputs[name], array)
