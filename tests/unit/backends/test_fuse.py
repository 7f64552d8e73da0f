"""Which instructions run together, and how many rows at a time."""

from collections.abc import Callable
from typing import Any

import pytest

import thalweg as tw
from thalweg.backends.engine.assemble import compile_any_rows, compile_rows
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.blocks import LEAST_ROWS, MOST_ROWS, MOST_SHARDS
from thalweg.backends.engine.fuse import fuse
from thalweg.backends.engine.native import Compiled
from thalweg.backends.kernels import Kernel, Kernels, roots_of, singly
from thalweg.model.metrics import Accuracy, SquaredError
from thalweg.model.step import Objective, prediction_program, step_programs
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import ROWS
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType

Build = Callable[[dict[str, Tracer]], dict[str, Any]]

SHAPES = {"x": (8, 5), "w": (5, 3), "b": (3,), "z": (8, 3), "v": (3, 2), "c": ()}
TYPES = {name: ArrayType(shape, "float32") for name, shape in SHAPES.items()}


def fused(build: Build) -> Kernels:
    return fuse(simplify(trace(build, TYPES)), {})


def texts(kernels: Kernels) -> list[str]:
    """The opcodes of every kernel."""
    return [
        " ".join(kernels.instruction(value).opcode for value in kernel.values)
        for kernel in kernels.kernels
    ]


# Kernels -----------------------------------------------------------------------------


def test_bias_and_activation_are_in_the_products_kernel() -> None:
    kernels = fused(lambda a: {"y": ops.tanh(a["x"] @ a["w"] + a["b"])})
    assert texts(kernels) == ["matmul add tanh"]


def test_two_layers_are_two_kernels() -> None:
    kernels = fused(
        lambda a: {"y": ops.exp(ops.tanh(a["x"] @ a["w"] + a["b"]) @ a["v"])}
    )
    assert texts(kernels) == ["matmul add tanh", "matmul exp"]


def test_a_chain_is_one_kernel_with_the_outputs_that_others_need() -> None:
    def build(a: dict[str, Tracer]) -> dict[str, Any]:
        y = ops.exp(a["z"] * 2)
        return {"y": y, "s": ops.sum(ops.sin(y), axis=0)}

    kernels = fused(build)
    assert texts(kernels) == ["multiply exp sin", "sum"]
    chain, total = kernels.kernels
    assert chain.outputs == chain.values[1:]
    assert total.inputs == (chain.values[2],)


def test_what_follows_a_sum_is_a_kernel_after_it() -> None:
    def softmax(a: dict[str, Tracer]) -> dict[str, Any]:
        e = ops.exp(a["z"])
        return {"y": e / ops.sum(e, axis=1, keepdims=True)}

    assert texts(fused(softmax)) == ["exp", "sum", "divide"]


def test_other_shapes_are_other_kernels() -> None:
    kernels = fused(lambda a: {"y": ops.exp(a["z"]), "x": ops.exp(a["x"])})
    assert texts(kernels) == ["exp", "exp"]


def test_a_chain_that_does_not_read_a_product_is_not_its_tail() -> None:
    kernels = fused(lambda a: {"p": a["x"] @ a["w"], "y": ops.exp(a["z"])})
    assert texts(kernels) == ["matmul", "exp"]


def test_nothing_reads_a_view_of_its_own_kernel() -> None:
    """A transposed element is another thread's, or not there yet."""

    def build(a: dict[str, Tracer]) -> dict[str, Any]:
        square = ops.exp(a["z"][:3])
        return {"y": square + square.T}

    kernels = fused(build)
    assert texts(kernels) == ["exp", "add"]
    assert_views_are_of_others(kernels)


def assert_views_are_of_others(kernels: Kernels) -> None:
    roots = roots_of(kernels.program)
    for kernel in kernels.kernels:
        seen_through = [v for v in kernel.inputs if roots[v] != v]
        assert not {roots[v] for v in seen_through} & set(kernel.values)


def test_singly_is_a_kernel_for_each_instruction_that_takes_work() -> None:
    program = trace(lambda a: {"y": ops.exp(a["z"].T * 2)}, TYPES)
    assert texts(singly(program)) == ["multiply", "exp"]


# Whole steps -------------------------------------------------------------------------


def step_of(units: tuple[int, ...], rows: int, activation: Any = "relu") -> Program:
    """The step of a classifier with these units, features first, and Adam."""
    last = tw.Dense(units[-1], "softmax")
    layers = [*(tw.Dense(n, activation) for n in units[1:-1]), last]
    network = tw.Network(layers).initialize(units[0])
    batch = {
        "X": ArrayType((rows, units[0]), "float32"),
        "y": ArrayType((rows,), "int32"),
    }
    objective = Objective(
        tw.Loss.of("cross_entropy"), Accuracy(), tw.Adam(), None, None
    )
    layers, shapes = network.layers, network.shapes
    return step_programs(layers, shapes, objective, batch, "float32")["step"]


def compile_step(
    rows: int, units: tuple[int, ...], activation: Any = "relu"
) -> Compiled:
    """The step, ready for the engine."""
    step = Batch(lambda count: step_of(units, count, activation), ["X", "y"])
    return compile_rows(step, rows)


def test_adams_rule_is_one_kernel() -> None:
    compiled = compile_step(32, (5, 4, 3))
    assert compiled.after is not None
    corrections, rule = compiled.after.plan.steps
    assert all(line.type.shape == () for line in corrections.lines)
    written = [place.buffer for _, place in rule.outputs]
    assert sorted(written) == ["parameters", "state.mean", "state.mean_square"]


@pytest.mark.parametrize("rows", [7, 64])
def test_every_value_is_computed_once_and_before_it_is_read(rows: int) -> None:
    program = step_of((5, 8, 3), rows, "silu")
    found = find_rows(step_of((5, 8, 3), ROWS, "silu"))
    assert found is not None
    for kernels in (fuse(program, found.axes), fuse(program, {}), singly(program)):
        computed = [v for kernel in kernels.kernels for v in kernel.values]
        assert len(computed) == len(set(computed))
        assert_read_after_computed(kernels)
        assert_views_are_of_others(kernels)


def assert_read_after_computed(kernels: Kernels) -> None:
    roots = roots_of(kernels.program)
    done = set(range(len(kernels.program.inputs)))
    for kernel in kernels.kernels:
        for value in kernel.inputs:
            instruction = kernels.program.instruction(roots[value])
            is_constant = instruction is not None and instruction.opcode == "constant"
            assert is_constant or roots[value] in done
        done |= set(kernel.values)


@pytest.mark.parametrize("rows", [7, 64])
def test_kernels_leave_what_others_read(rows: int) -> None:
    program = step_of((5, 8, 3), rows)
    kernels = fuse(program, {})
    left = {v for kernel in kernels.kernels for v in kernel.outputs}
    roots = roots_of(program)
    for kernel in kernels.kernels:
        assert_reads_what_was_left(kernels, kernel, left, roots)


def assert_reads_what_was_left(
    kernels: Kernels, kernel: Kernel, left: set[int], roots: list[int]
) -> None:
    for value in kernel.inputs:
        instruction = kernels.program.instruction(roots[value])
        if instruction is not None and instruction.opcode != "constant":
            assert roots[value] in left


def test_a_step_takes_less_than_half_as_many_kernels_as_instructions() -> None:
    program = step_of((20, 64, 64, 2), 32)
    assert 2 * len(fuse(program, {}).kernels) < len(singly(program).kernels)


# Blocks ------------------------------------------------------------------------------


def rows_of(compiled: Compiled) -> int:
    """The most rows of a block."""
    return int(compiled.block.encoded.words[3])


@pytest.mark.parametrize(
    ("units", "rows"),
    [
        ((20, 64, 64, 2), 32),
        ((784, 256, 128, 10), 256),
        ((784, 100, 100, 10), 200),
        ((1024, 1024, 1024, 10), 1024),
    ],
)
def test_these_batches_are_one_block(units: tuple[int, ...], rows: int) -> None:
    compiled = compile_step(rows, units)
    assert (rows_of(compiled), compiled.shards) == (rows, 1)


@pytest.mark.parametrize(
    ("units", "rows"), [((64, 128, 128, 10), 64), ((100, 100, 10), 200)]
)
def test_these_batches_are_two_shards(units: tuple[int, ...], rows: int) -> None:
    compiled = compile_step(rows, units)
    assert compiled.shards == 2
    assert rows_of(compiled) < rows


def test_a_large_batch_of_a_small_network_is_cut_into_shards_of_small_blocks() -> None:
    compiled = compile_step(10_000, (4, 32, 16, 4), "tanh")
    assert LEAST_ROWS <= rows_of(compiled) <= MOST_ROWS
    assert 1 < compiled.shards <= MOST_SHARDS
    assert compiled.block.plan.arena_bytes < 2**20
    assert rows_of(compiled) * compiled.shards <= 10_000


def test_batch_norm_keeps_a_batch_together() -> None:
    layers = [tw.Dense(4), tw.BatchNorm(), tw.Dense(1)]
    network = tw.Network(layers).initialize(3)
    batch = {
        "X": ArrayType((ROWS, 3), "float32"),
        "y": ArrayType((ROWS, 1), "float32"),
    }
    loss = tw.Loss.of("mean_squared_error")
    objective = Objective(loss, SquaredError((1.0,)), tw.SGD(), None, None)
    program = step_programs(network.layers, network.shapes, objective, batch, "float32")
    compiled = compile_rows(Batch(lambda _: program["step"], ["X", "y"]), 5000)
    assert (rows_of(compiled), compiled.shards) == (5000, 1)
    assert not compiled.any_rows


def test_prediction_takes_any_number_of_rows_in_small_blocks() -> None:
    layers = [tw.Dense(256, "relu"), tw.Dense(10, "softmax")]
    network = tw.Network(layers).initialize(784)
    layers, shapes = network.layers, network.shapes
    prediction = Batch(
        lambda rows: prediction_program(layers, shapes, rows, "float32"), ["X"]
    )
    compiled = compile_any_rows(prediction)
    assert compiled is not None
    assert compiled.any_rows
    assert LEAST_ROWS <= rows_of(compiled) <= MOST_ROWS
    assert compiled.after is None
