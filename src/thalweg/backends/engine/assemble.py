"""From a finished program to one that the engine runs: split, fuse, plan, encode.

The one place that knows the order of these steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.blocks import (
    MOST_ROWS,
    Blocks,
    choose_any_blocks,
    choose_blocks,
)
from thalweg.backends.engine.encode import Kind, encode
from thalweg.backends.engine.fuse import fuse
from thalweg.backends.engine.native import Compiled, Part
from thalweg.backends.engine.split import Parts
from thalweg.backends.plan import plan
from thalweg.program.ir import Instruction, Program
from thalweg.program.sizes import RecipeArray

Function = Callable[..., Any]
Arrays = dict[str, Any]
FunctionType = TypeVar("FunctionType", bound=Function)


def compile_program(program: Program) -> Compiled:
    """Make a finished program without rows ready for the engine."""
    return compile_parts(Parts(None, program, None), Blocks(0), ())


def compile_rows(batch: Batch, rows: int) -> Compiled:
    """Make a program over a batch ready for the engine, for a number of rows."""
    program, parts = batch.at(rows), batch.parts_at(rows)
    if batch.rows is None or parts is None:
        whole = Parts(None, program, None)
        return compile_parts(whole, Blocks(rows), batch.inputs)
    blocks = choose_blocks(fuse(program, batch.rows.axes), batch.rows, rows)
    return compile_parts(parts.at(rows, blocks.rows), blocks, batch.inputs)


def compile_any_rows(batch: Batch) -> Compiled | None:
    """The same for any number of rows; None if rows meet, or are counted."""
    parts = batch.parts_at(MOST_ROWS)
    if parts is None or batch.rows is None or counts_rows(batch.traced):
        return None
    most = fuse(batch.at(MOST_ROWS), batch.rows.axes)
    blocks = choose_any_blocks(most, batch.rows)
    return compile_parts(parts.at(MOST_ROWS, blocks.rows), blocks, batch.inputs)


def counts_rows(program: Program | None) -> bool:
    """Whether the number of rows is one of a program's own numbers."""
    if program is None:
        return True
    values = (i.attributes["value"] for i in program.instructions if is_constant(i))
    return any(isinstance(value, RecipeArray) for value in values)


def is_constant(instruction: Instruction) -> bool:
    """Whether an instruction is an array that is known."""
    return instruction.opcode == "constant"


def compile_parts(parts: Parts, blocks: Blocks, inputs: Collection[str]) -> Compiled:
    """Fuse, plan and encode every part of a program.

    Arguments:
        parts: for numbers of rows.
        blocks: how rows are cut.
        inputs: the names of the inputs that hold rows.
    """
    kinds: dict[str, Kind] = {
        **dict.fromkeys(inputs, "rows"),
        **dict.fromkeys(parts.by_row, "rows"),
        **dict.fromkeys(parts.sums, "total"),
    }

    def compiled(program: Program | None) -> Part | None:
        if program is None:
            return None
        planned = plan(fuse(program, {}))
        return Part(planned, encode(planned, {}, 0))

    planned = plan(fuse(parts.block, parts.axes), parts.axes)
    block = Part(planned, encode(planned, kinds, blocks.rows))
    return Compiled(
        compiled(parts.before),
        block,
        compiled(parts.after),
        blocks.shards,
        any_rows=parts.by_blocks,
    )
