"""How a batch's rows are cut into blocks and shards."""

from __future__ import annotations

from typing import Any

import pytest

from support.loops import objective, with_gradients
from thalweg.backends.engine.blocks import (
    LEAST_LOOP_ROWS,
    LEAST_ROWS,
    LEAST_WINDOW_ROWS,
    MOST_LOOP_BYTES,
    MOST_SHARDS,
    OPERATIONS_A_BYTE,
    ROWS_STEP,
    SHARD_OPERATIONS,
    Blocks,
    bytes_of_a_row,
    choose_blocks,
    operations_on_rows,
)
from thalweg.backends.engine.fuse import fuse
from thalweg.program import ops
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.loops import scan
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import FEWEST, ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType


def products(rows: int, width: int) -> Program:
    """A product of rows with weights, and one that adds up over rows."""

    def function(a: dict[str, Any]) -> dict[str, Any]:
        h = a["X"] @ a["W"]
        return {"sums": a["X"].T @ h}

    f32 = {
        "X": ArrayType((rows, width), "float32"),
        "W": ArrayType((width, width), "float32"),
    }
    return trace(function, f32)


def chosen(rows: int, width: int) -> Blocks:
    found = find_rows(products(ROWS, width))
    assert found is not None
    return choose_blocks(fuse(products(rows, width), found.axes), found, rows)


@pytest.mark.parametrize("rows", [2, 31, 63, 64, 200, 256, 1000])
@pytest.mark.parametrize("width", [3, 64, 128, 400])
def test_blocks_hold_all_rows_in_as_many_shards_as_there_are_blocks(
    rows: int, width: int
) -> None:
    blocks = chosen(rows, width)
    count = -(-rows // blocks.rows)
    assert blocks.shards <= min(count, MOST_SHARDS)
    assert blocks.shards == 1 or blocks.rows >= LEAST_ROWS
    assert blocks.rows == rows or blocks.rows % ROWS_STEP == 0


def test_little_work_is_one_shard_and_much_is_several() -> None:
    assert chosen(256, 16) == Blocks(256, 1)
    found = find_rows(products(ROWS, 128))
    assert found is not None
    work = operations_on_rows(products(256, 128), found)
    assert chosen(256, 128).shards == work // SHARD_OPERATIONS > 1


def test_work_counts_products_of_rows_and_sums_over_them() -> None:
    program = products(10, 7)
    found = find_rows(products(ROWS, 7))
    assert found is not None
    assert operations_on_rows(program, found) == 2 * (2 * 10 * 7 * 7)


def test_large_sums_are_not_copied_for_shards() -> None:
    assert chosen(256, 400) == Blocks(256, 1)


@pytest.mark.parametrize("times", [5, 4_000, 400_000, 40_000_000])
def test_a_loop_holds_a_few_rows_whatever_the_batch(times: int) -> None:
    """So that threads share a small batch, and long sequences fit into memory."""
    program = with_gradients(objective("lstm", True), ROWS, "float32", times)
    found, count = find_rows(program), 256
    assert found is not None
    kernels = fuse(program.at(rows=count), found.axes)
    blocks = choose_blocks(kernels, found, count)
    held = bytes_of_a_row(kernels, found, count) * blocks.rows
    assert blocks.rows == FEWEST or held <= MOST_LOOP_BYTES
    assert blocks.shards == min(-(-count // blocks.rows), MOST_SHARDS) > 1
    assert (blocks.rows < LEAST_LOOP_ROWS) == (times > 100_000)


def test_shards_of_a_loop_hold_bounded_sums() -> None:
    units = 2048
    f32 = {
        "x": ArrayType((ROWS, 5, units), "float32"),
        "s": ArrayType((ROWS, units), "float32"),
        "U": ArrayType((units, units), "float32"),
    }

    def loss(a: Any) -> Any:
        states = scan(lambda s, x: ops.tanh(x + s @ a["U"]), a["s"], a["x"])
        return {"loss": ops.sum(states)}

    program = finish(differentiate(make_safe(trace(loss, f32)), "loss", ["U"]))
    found, count = find_rows(program), 256
    assert found is not None
    blocks = choose_blocks(fuse(program.at(rows=count), found.axes), found, count)
    sums = 4 * units**2
    assert blocks.shards == MOST_LOOP_BYTES // (sums + 4) < MOST_SHARDS


def convolution(size: int, filters: int, units: int) -> Program:
    """A convolution of images and a dense layer, with their gradients."""
    f32 = {
        "x": ArrayType((ROWS, size, size, 1), "float32"),
        "F": ArrayType((3, 3, 1, filters), "float32"),
        "W": ArrayType(((size - 2) ** 2 * filters, units), "float32"),
    }

    def loss(a: Any) -> Any:
        seen = ops.windows(a["x"], (1, 2), (3, 3))
        maps = ops.tanh(ops.contract(seen, a["F"], summed=3))
        flat = ops.reshape(maps, (maps.shape[0], a["W"].shape[0]))
        return {"loss": ops.sum(ops.tanh(flat @ a["W"]))}

    return finish(differentiate(make_safe(trace(loss, f32)), "loss", ["F", "W"]))


@pytest.mark.parametrize(
    ("size", "filters", "units", "sharded"),
    [(28, 32, 1, True), (64, 8, 1, True), (8, 4, 512, False)],
)
def test_shards_of_images_are_as_many_as_their_sums_are_worth(
    size: int, filters: int, units: int, sharded: bool
) -> None:
    program, count = convolution(size, filters, units), 64
    found = find_rows(program)
    assert found is not None
    at = program.at(rows=count)
    blocks = choose_blocks(fuse(at, found.axes), found, count)
    sums = 4 * (9 * filters + (size - 2) ** 2 * filters * units + 1)
    worth = operations_on_rows(at, found) // (OPERATIONS_A_BYTE * sums)
    assert (blocks.shards > 1) == sharded
    if sharded:
        assert blocks.shards <= worth
        assert LEAST_WINDOW_ROWS <= blocks.rows < count
    else:
        assert blocks == Blocks(count, 1)
