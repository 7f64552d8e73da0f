"""How many rows a block has, and how many shards of blocks there are.

Two ways of work, chosen by sizes alone, so that a run has the same bits on any machine
with the same instructions, with any number of threads:

- wide: all rows of a batch are one block, and each large kernel is cut over threads,
  which meet after each.
- sharded: blocks of rows, whose values fit into a core's cache, go through all kernels
  one after the other; each shard of them adds up sums of its own, and threads meet
  once.
"""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.backends.kernels import Kernels
from thalweg.program.ir import Program
from thalweg.program.row_axes import RowAxes
from thalweg.program.sizes import FEWEST

BLOCK_BYTES = 128 * 1024  # of values that hold rows: an eighth of today's second cache
WIDE_BYTES = 512 * 1024  # of the same for a whole batch, up to which one block does
SUM_BYTES = 512 * 1024  # of sums over rows, up to which each shard has a copy
MOST_BLOCK_BYTES = 32 * 1024**2  # of values that hold rows, where so few can be taken
LEAST_ROWS, MOST_ROWS = 32, 1024  # of a block
LEAST_WINDOW_ROWS = 8  # where a row has places, each of which is a row of a product
# On rows, for each byte of a shard's sums: then a copy more costs a tenth of its time.
OPERATIONS_A_BYTE = 200
LEAST_LOOP_ROWS = 8  # of a block that goes through times: threads can't meet in a loop
# Of its values, of which two fifths are held at a time; and of all shards' sums.
MOST_LOOP_BYTES = 128 * 1024**2
ROWS_STEP = 16
WEIGHTY_ROWS = 256  # at least, where weights don't stay in a core's cache
MOST_SHARDS = 16
SHARD_OPERATIONS = 4_000_000  # at least: some 40 µs, beside 1 µs for a shard's sums
MANY_SHARDS = 256  # where a shard's sums are a few numbers


@dataclass(frozen=True)
class Blocks:
    """How the rows of a batch are cut.

    Arguments:
        rows: of a block, at most.
        shards: runs of blocks that are summed apart.
    """

    rows: int
    shards: int = 1


def choose_blocks(kernels: Kernels, rows: RowAxes, count: int) -> Blocks:
    """How to cut a batch's rows.

    Arguments:
        kernels: of the program for `count` rows.
        rows: how they run through it.
        count: the number of rows.
    """
    program = kernels.program
    a_row = bytes_of_a_row(kernels, rows, count)
    sums = bytes_of_sums(program, rows)
    if has_loops(program):
        size = rows_of_a_block(a_row, LEAST_LOOP_ROWS)
        size = min(size, count, most_rows(a_row, MOST_LOOP_BYTES))
        copies = max(MOST_LOOP_BYTES // max(sums, 1), 1)
        return Blocks(size, min(-(-count // size), MOST_SHARDS, copies))
    if has_windows(program):
        size = min(rows_of_a_block(a_row, LEAST_WINDOW_ROWS), count)
        worth = operations_on_rows(program, rows) // (OPERATIONS_A_BYTE * max(sums, 1))
        shards = min(-(-count // size), MOST_SHARDS, worth)
        return Blocks(size, shards) if shards > 1 else Blocks(count)
    if sums > SUM_BYTES or count < 2 * LEAST_ROWS:
        return Blocks(count)
    if a_row * count <= WIDE_BYTES:
        fits = sums <= BLOCK_BYTES
        return choose_shards(program, rows, count) if fits else Blocks(count)
    size = min(rows_of_a_block(a_row), count)
    return Blocks(size, min(-(-count // size), MOST_SHARDS))


def has_loops(program: Program) -> bool:
    """Whether a program goes through times."""
    return any(each.primitive.kind == "loop" for each in program.instructions)


def has_windows(program: Program) -> bool:
    """Whether a row has places, of which a program takes windows."""
    return any(each.opcode == "windows" for each in program.instructions)


def choose_shards(program: Program, rows: RowAxes, count: int) -> Blocks:
    """As many shards of one block as are worth sums of their own."""
    most = min(count // LEAST_ROWS, MOST_SHARDS)
    worth = operations_on_rows(program, rows) // SHARD_OPERATIONS
    shards = max(min(most, worth), 1)
    size = -(-count // (shards * ROWS_STEP)) * ROWS_STEP
    return Blocks(min(size, count), -(-count // size))


def choose_any_blocks(kernels: Kernels, rows: RowAxes) -> Blocks:
    """How to cut any number of rows, for a program without learning.

    Arguments:
        kernels: of the program for `MOST_ROWS` rows.
        rows: how they run through it.
    """
    a_row = bytes_of_a_row(kernels, rows, MOST_ROWS)
    size = rows_of_a_block(a_row)
    inputs = enumerate(kernels.program.inputs.values())
    weights = sum(type.nbytes for v, type in inputs if v not in rows.axes)
    if weights > BLOCK_BYTES:  # they are read anew for every block
        size = max(size, WEIGHTY_ROWS)
    return Blocks(min(size, MOST_ROWS, most_rows(a_row, MOST_BLOCK_BYTES)), MANY_SHARDS)


def rows_of_a_block(bytes_a_row: float, least: int = LEAST_ROWS) -> int:
    """As many rows as fit into a block's bytes, within bounds."""
    fitting = int(BLOCK_BYTES / max(bytes_a_row, 1)) // ROWS_STEP * ROWS_STEP
    return min(max(fitting, least), MOST_ROWS)


def most_rows(bytes_a_row: float, most_bytes: int) -> int:
    """The rows of which a thread may hold all values, however few they are."""
    return max(int(most_bytes / max(bytes_a_row, 1)), FEWEST)


def bytes_of_a_row(kernels: Kernels, rows: RowAxes, count: int) -> float:
    """The bytes that kernels leave for each other, for one row of so many.

    Bytes that come in are numbers before anything else: they count as if they had come
    as numbers, so that blocks, and with them bits, are the same.
    """
    program = kernels.program
    left = [v for kernel in kernels.kernels for v in kernel.outputs if v in rows.axes]
    own = [v for v in left if not program.is_input_as_numbers(v)]
    return sum(program.type(v).nbytes for v in own) / count


def bytes_of_sums(program: Program, rows: RowAxes) -> int:
    """The bytes of what is added up over rows, without other views of the same."""
    joined = {
        source
        for value, instruction in zip(
            program.computed(), program.instructions, strict=True
        )
        if value in rows.sums
        for source in instruction.inputs
    }
    return sum(program.type(v).nbytes for v in rows.sums - joined)


def operations_on_rows(program: Program, rows: RowAxes) -> int:
    """The operations that rows take: those of the optimizer are left out."""
    return sum(
        i.primitive.cost([program.type(v) for v in i.inputs], i.attributes, i.type)
        for value, i in zip(program.computed(), program.instructions, strict=True)
        if (value in rows.axes or value in rows.sums)
        and not program.is_input_as_numbers(value)
    )
