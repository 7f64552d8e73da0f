"""Bytes and operations of kernels, against counts by hand."""

from typing import Any

import thalweg as tw
from thalweg.backends.engine.assemble import compile_any_rows, compile_program
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.costs import Cost, cost_of
from thalweg.backends.engine.native import NativeProgram
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


def only_step(formula: Any, **types: ArrayType) -> Any:
    program = simplify(trace(lambda arrays: {"result": formula(**arrays)}, types))
    (step,) = compile_program(program).block.plan.steps
    return step


def f32(*shape: int) -> ArrayType:
    return ArrayType(shape, "float32")


def test_a_product_does_2mnk_and_reads_its_bias_once() -> None:
    step = only_step(
        lambda x, w, b: tw.tanh(x @ w + b), x=f32(5, 7), w=f32(7, 3), b=f32(3)
    )
    assert cost_of(step) == Cost(4 * (35 + 21 + 3), 4 * 15, 2 * 5 * 7 * 3 + 15 + 15)


def test_a_transposed_product_does_as_much() -> None:
    step = only_step(lambda x, z: x.T @ z, x=f32(5, 7), z=f32(5, 3))
    assert cost_of(step).operations == 2 * 7 * 5 * 3


def test_a_chain_does_one_for_each_line_and_element() -> None:
    step = only_step(lambda x: tw.exp(x) * x + 1.0, x=f32(6, 2))
    assert cost_of(step) == Cost(4 * 12 + 4, 4 * 12, 3 * 12)


def test_a_sum_does_one_for_each_element_that_it_reads() -> None:
    step = only_step(lambda x: tw.sum(x, axis=1), x=f32(6, 2))
    assert cost_of(step) == Cost(4 * 12, 4 * 6, 12)


def test_of_a_table_only_what_is_taken_is_read() -> None:
    step = only_step(tw.take, table=f32(1000, 4), indices=ArrayType((3,), "int32"))
    assert cost_of(step) == Cost(4 * 12 + 4 * 3, 4 * 12, 0)


def test_weights_are_read_for_every_block_and_rows_only_once() -> None:
    def program_for(rows: int) -> Program:
        types = {"x": f32(rows, 4), "w": f32(4, 2)}
        return trace(lambda a: {"result": a["x"] @ a["w"]}, types)

    compiled = compile_any_rows(Batch(program_for, ["x"]))
    assert compiled is not None
    (step,) = compiled.block.plan.steps
    rows = NativeProgram(compiled, {}).engine.block_rows
    count = 2 * rows + rows // 2  # in three blocks
    assert cost_of(step, 3, count / rows) == Cost(
        4 * (4 * count + 3 * 8), 4 * 2 * count, 2 * count * 4 * 2
    )
