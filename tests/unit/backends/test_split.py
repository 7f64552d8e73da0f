"""A program cut at its rows gives what it gave whole."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.split import Parts, split
from thalweg.backends.numpy.interpret import interpret
from thalweg.model.metrics import Accuracy, Metric, SquaredError
from thalweg.model.step import Objective, scoring_program, step_programs
from thalweg.program import ops
from thalweg.program.ir import Program, verify
from thalweg.program.passes.simplify import simplify
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import ROWS
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

COUNT = 12
BATCH = ("X", "y", "sample_weight")


def step_of(
    layers: list[Any],
    loss: str,
    metric: Metric,
    targets: ArrayType,
    features: int = 5,
    penalty: Any = None,
    clip_norm: float | None = None,
) -> Program:
    network = tw.Network(layers).initialize(features, dtype="float64")
    batch = {
        "X": ArrayType((ROWS, features), "float64"),
        "y": targets,
        "sample_weight": ArrayType((ROWS,), "float64"),
    }
    objective = Objective(tw.Loss.of(loss), metric, tw.Adam(), penalty, clip_norm)
    return step_programs(network.layers, network.shapes, objective, batch, "float64")[
        "step"
    ]


def classes() -> Program:
    layers = [tw.Dense(7, "relu"), tw.LayerNorm(), tw.Dense(3, "softmax")]
    return step_of(layers, "cross_entropy", Accuracy(), ArrayType((ROWS,), "int32"))


def numbers() -> Program:
    layers = [tw.Dense(7, "tanh"), tw.Dense(2)]
    targets = ArrayType((ROWS, 2), "float64")
    metric = SquaredError((1.0, 1.0))
    penalty = tw.L2(0.1) + tw.L1(0.1)
    return step_of(
        layers, "mean_squared_error", metric, targets, penalty=penalty, clip_norm=1.0
    )


def embedded() -> Program:
    parts = ((0, 2, tw.Embedding(2, 3)), (2, 5, None))
    layers = [tw.Columns(parts), tw.Dense(4, "gelu"), tw.Dense(3, "softmax")]
    return step_of(layers, "cross_entropy", Accuracy(), ArrayType((ROWS,), "int32"))


STEPS: dict[str, Callable[[], Program]] = {
    "classes": classes,
    "numbers": numbers,
    "embedded": embedded,
}


def values_for(program: Program) -> dict[str, NumpyArray]:
    random = np.random.default_rng(0)
    drawn: dict[str, NumpyArray] = {}
    for name, type in program.at(rows=COUNT).inputs.items():
        if type.is_float:
            drawn[name] = random.uniform(0.1, 1.9, type.shape).astype(type.dtype)
        else:
            drawn[name] = random.integers(0, 2, type.shape).astype(type.dtype)
    if "step" in drawn:
        drawn["step"] = np.array(3, np.int32)
    return drawn


def cut(program: Program) -> Parts:
    """The parts of a program that can be cut."""
    found = find_rows(program)
    assert found is not None
    parts = split(program, found)
    assert parts is not None
    return parts


def run_in_blocks(
    parts: Parts, inputs: Mapping[str, NumpyArray], block: int
) -> dict[str, NumpyArray]:
    """As the engine does, by the interpreter."""
    known: dict[str, NumpyArray] = dict(inputs)
    given: dict[str, NumpyArray] = {}
    if parts.before is not None:
        given |= interpret(parts.before, known)
    summed: list[dict[str, NumpyArray]] = []
    for start in range(0, COUNT, block):
        cut = {n: a[start : start + block] for n, a in inputs.items() if n in BATCH}
        summed.append(interpret(parts.block, {**known, **given, **cut}))
    if not parts.by_blocks:
        return summed[0]
    for name in parts.sums:
        given[name] = np.sum([each[name] for each in summed], axis=0)
    for name in parts.by_row:
        given[name] = np.concatenate([each[name] for each in summed])
    if parts.after is not None:
        given |= interpret(parts.after, {**known, **given})
    return given


@pytest.mark.parametrize("block", [2, 4, 12])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_in_blocks_gives_what_it_gives_whole(name: str, block: int) -> None:
    program = STEPS[name]()
    parts = cut(program).at(COUNT, block)
    for part in (parts.before, parts.block, parts.after):
        assert part is None or verify(part)
    inputs = values_for(program)
    given = run_in_blocks(parts, inputs, block)
    for output, expected in interpret(program.at(rows=COUNT), inputs).items():
        assert_allclose(given[output], expected, 1e-11, 1e-13, err_msg=output)


def test_the_gradient_is_one_sum() -> None:
    parts = cut(classes())
    assert len(parts.sums) == 3  # loss, metric, gradient
    assert parts.before is None
    assert all(parts.block.output_types()[n].is_float for n in parts.sums)


def record(
    build: Callable[[dict[str, Tracer]], Any], **shapes: tuple[int, ...]
) -> Program:
    types = {name: ArrayType(shape, "float64") for name, shape in shapes.items()}
    return simplify(trace(lambda a: {"y": build(a)}, types))


MEETING: dict[str, Callable[[dict[str, Tracer]], Any]] = {
    "a mean taken off": lambda a: a["X"] - ops.mean(a["X"], axis=0),
    "the largest row": lambda a: ops.max(a["X"], axis=0),
    "rows in another order": lambda a: ops.take(a["X"], np.arange(COUNT)[::-1]),
    "neighbours": lambda a: a["X"][1:] - a["X"][:-1],
    "all pairs": lambda a: a["X"] @ a["X"].T,
    "one below the other": lambda a: ops.concatenate([a["X"], a["X"]]),
    "columns first": lambda a: a["X"].T,
    "a constant for each row": lambda a: a["X"] * np.arange(36.0).reshape(12, 3),
    "repeated for rows, and whole": lambda a: (a["X"] + many(a)) @ many(a).T,
    "repeated for rows, and seen whole": lambda a: (
        (a["X"] + many(a)) @ many(a).reshape(3, ROWS)
    ),
    "seen whole, and repeated for rows": lambda a: (
        a["X"] @ many(a).reshape(3, ROWS) @ (a["X"] + many(a))
    ),
    "repeated for rows, and across them": lambda a: (
        (a["X"] @ a["W"].T + square(a)) * ops.exp((a["X"] @ a["W"].T).T + square(a)).T
    ),
    "a product in which rows come second": lambda a: (
        ops.transpose(ops.reshape(a["X"], (ROWS, 1, 3)), (1, 0, 2)) @ a["W"]
    )[0],
    "a product of what is repeated, without a row that is read": lambda a: (
        many(a) @ a["W"]
    ),
    "what is repeated, but for the first row": lambda a: (
        a["X"] + ops.concatenate([a["W"][:1], many(a)], axis=0)[:-1]
    ),
}


def many(arrays: dict[str, Tracer]) -> Tracer:
    """One row, as often as there are rows."""
    return ops.broadcast_to(arrays["W"][0], (ROWS, 3))


def square(arrays: dict[str, Tracer]) -> Tracer:
    """One number, for each pair of rows."""
    return ops.broadcast_to(arrays["W"][0, 0], (ROWS, ROWS))


@pytest.mark.parametrize("name", MEETING)
def test_rows_that_meet_are_not_cut(name: str) -> None:
    batch = Batch(lambda rows: record(MEETING[name], X=(rows, 3), W=(rows, 3)), ["X"])
    assert batch.parts is None


APART: dict[str, Callable[[dict[str, Tracer]], Any]] = {
    "a product": lambda a: ops.tanh(a["X"] @ a["W"]),
    "a product with what is computed before": lambda a: a["X"] @ ops.exp(a["W"]),
    "a view of what is computed before": lambda a: a["X"] + ops.exp(a["W"])[:, 0],
    "a row's own mean": lambda a: a["X"] - ops.mean(a["X"], axis=1, keepdims=True),
    "columns beside each other": lambda a: ops.concatenate([a["X"], a["X"]], axis=1),
    "columns beside what is repeated": lambda a: ops.concatenate(
        [a["X"], many(a)], axis=1
    ),
    "times behind what is repeated": lambda a: ops.concatenate(
        [ops.reshape(many(a), (ROWS, 1, 3)), ops.reshape(a["X"], (ROWS, 1, 3))], axis=1
    ),
    "a formula of a view of what is repeated": lambda a: (
        ops.max(ops.reshape(many(a), (ROWS, 1, 3)), axis=2)
        + ops.reshape(a["X"], (ROWS, 3, 1))[:, 0]
    ),
    "each time by the same weights": lambda a: ops.tanh(
        ops.reshape(a["X"], (ROWS, 1, 3)) @ a["W"]
    ),
    "a product of rows and times with themselves": lambda a: ops.contract(
        ops.transpose(ops.reshape(a["X"], (ROWS, 1, 3)), (2, 0, 1)),
        ops.reshape(ops.exp(a["X"]), (ROWS, 1, 3)),
        summed=2,
    ),
    "each row by its own": lambda a: ops.contract(
        a["X"], ops.reshape(ops.exp(a["X"]), (ROWS, 3, 1)), batch=1
    ),
    "some columns": lambda a: a["X"][:, ::2] * 2,
    "flattened": lambda a: (a["X"].reshape(-1) * 2).reshape(ROWS, 3),
    "turned and back": lambda a: (a["X"].T * 2).T,
    "a sum of rows, then a formula": lambda a: ops.exp(-ops.sum(a["X"], axis=0)),
    "what rows don't matter for": lambda a: ops.exp(a["W"]),
    "one product of many": lambda a: (
        ops.broadcast_to(a["X"], (1, ROWS, 3)) @ ops.broadcast_to(a["W"], (1, 3, 3))
    )[0],
    "a repeated product": lambda a: a["X"] @ ops.broadcast_to(a["W"][0], (3, 3)),
    "a view of what is repeated": lambda a: (
        a["X"] + ops.broadcast_to(a["W"][0], (2, 3))[1]
    ),
    "a table's rows": lambda a: ops.take(a["W"], ops.cast(a["X"][:, 0], "int32")),
}


@pytest.mark.parametrize("name", APART)
def test_rows_apart_are_cut(name: str) -> None:
    program = record(APART[name], X=(ROWS, 3), W=(3, 3))
    found = find_rows(program)
    assert found is not None
    parts, inputs = split(program, found), values_for(program)
    if parts is None:  # nothing of it is over rows
        return
    given = run_in_blocks(parts.at(COUNT, 4), inputs, 4)
    assert_allclose(given["y"], interpret(program.at(rows=COUNT), inputs)["y"], 1e-12)


def test_scoring_is_a_block_alone() -> None:
    layers = [tw.Dense(4, "relu"), tw.Dense(3, "softmax")]
    network = tw.Network(layers).initialize(5, dtype="float64")
    batch = {"X": ArrayType((ROWS, 5), "float64"), "y": ArrayType((ROWS,), "int32")}
    loss = tw.Loss.of("cross_entropy")
    program = scoring_program(
        network.layers, network.shapes, loss, Accuracy(), batch, "float64"
    )
    parts = cut(program)
    assert parts.before is None
    assert parts.after is None
    assert set(parts.sums) == {"loss_sum", "metric_sum"}


def test_one_row_is_not_cut() -> None:
    batch = Batch(lambda rows: record(lambda a: a["X"] * 2, X=(rows, 3)), ["X"])
    assert batch.parts_at(2) is not None
    assert batch.parts_at(1) is None
