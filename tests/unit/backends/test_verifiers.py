"""Both sides of the rules for places: what the engine takes, and what it refuses.

`test_refusals.py` shows that every rule refuses a plan; here are plans at the edge of
those that weigh several things.
"""

import pytest

from support.plan_words import (
    Words,
    line,
    map_step,
    numbers,
    place,
    plan,
    refusal,
    step,
)
from thalweg.backends.engine.encode import OPCODES

FAR = 2**40  # the largest word of an extent or a stride
# So many steps of this stride are 2^63 - 1 bytes, and the last element is one more.
STEPS, STRIDE = 337 * 649_657, 7 * 7 * 73 * 127 * 92_737
SUM = [OPCODES["sum"]]


def map_in_arena(read: Words, written: Words, arena: int = 64) -> Words:
    """The exponential of one place of the arena in another."""
    shape = tuple(read[5 : 5 + read[3]])
    return plan(
        [map_step(shape, [read], [line("exp", 0)], [(1, written)])], arena=arena
    )


def one_line(opcode: str, read: str, written: str) -> Words:
    """A map of one number."""
    made = line(opcode, 0, dtype=written)
    places = place(1, (1,), read), place(0, (1,), written)
    return plan(
        [map_step((1,), [places[0]], [made], [(1, places[1])])],
        numbers((1,), dtype=read),
        arena=8,
    )


def product(
    a: Words, b: Words, out: Words, *buffers: Words, bias: Words | None = None
) -> Words:
    """A product of places in buffers of their own, for two rows."""
    added = [0] if bias is None else [1, *bias]
    return plan([step("product", a, b, out, added)], buffers, rows=2)


def copy(read: Words, written: Words, *buffers: Words) -> Words:
    return plan([step("copy", read, written)], buffers, rows=2)


def zero(written: Words, *buffers: Words, rows: int = 0, arena: int = 0) -> Words:
    return plan([step("zero", written)], buffers, rows, arena)


ROWS = numbers((2, 3), kind="rows")[0]
SUMS = numbers((3, 4), kind="total")[0]
BATCH = numbers((2, 2, 4))[0]
LEFT = numbers((2, 2, 3), kind="rows")[0]
RIGHT = numbers((2, 3, 4), kind="rows")[0]

TAKEN = {
    "columns of a matrix beside others": map_in_arena(
        place(0, (2, 2), strides=(32, 8)), place(0, (2, 2), strides=(32, 8), offset=16)
    ),
    "a value without its gradient": one_line("stop_gradient", "float64", "float64"),
    "numbers before those that are read": map_in_arena(
        place(0, (2,), offset=16), place(0, (2,))
    ),
    "numbers behind those that are read": map_in_arena(
        place(0, (2,)), place(0, (2,), offset=16)
    ),
    "no rows of a table, where it is": plan(
        [step("take", place(0, (5, 2)), place(1, (0,), "int32"), place(0, (0, 2)))],
        numbers((0,), dtype="int32"),
        arena=80,
    ),
    "no elements over others": map_in_arena(place(0, (0,)), place(0, (0,))),
    "a product of no elements, where they would be": plan(
        [step("product", place(0, (2, 0)), place(0, (0, 4)), place(0, (2, 4)), [0])],
        arena=64,
    ),
    "no elements in rows": zero(
        place(1, (2, 0), rows=0, strides=(0, 8)),
        *numbers((2, 0), kind="rows"),
        rows=2,
    ),
    "a sum over rows, of which the right matrix has one": product(
        place(1, (3, 2), rows=1, strides=(8, 24)),
        place(2, (2, 4), strides=(0, 8)),
        place(3, (3, 4)),
        *(ROWS, *numbers((4,)), SUMS),
    ),
    "a sum over rows, of which the left matrix has one": product(
        place(1, (3, 2), strides=(8, 0)),
        place(2, (2, 4), rows=0),
        place(3, (3, 4)),
        *(*numbers((3,)), *numbers((2, 4), kind="rows"), SUMS),
    ),
    "products for each row of both matrices": product(
        place(1, (2, 2, 3), rows=0),
        place(2, (2, 3, 4), rows=0),
        place(3, (2, 2, 4), rows=0),
        *(LEFT, RIGHT, *numbers((2, 2, 4), kind="rows")),
    ),
    "products for each row of the left matrix": product(
        place(1, (2, 2, 3), rows=0),
        place(2, (2, 3, 4), strides=(0, 32, 8)),
        place(3, (2, 2, 4), rows=0),
        *(LEFT, *numbers((3, 4)), *numbers((2, 2, 4), kind="rows")),
    ),
    "a bias of one row, wherever the next would be": product(
        place(1, (1, 3)),
        place(2, (3, 4)),
        place(3, (1, 4)),
        *numbers((1, 3), (3, 4), (1, 4), (1, 4)),
        bias=place(4, (1, 4)),
    ),
    "a bias of one column, wherever the next would be": product(
        place(1, (2, 3)),
        place(2, (3, 1)),
        place(3, (2, 1)),
        *numbers((2, 3), (3, 1), (2, 1), (1,)),
        bias=place(4, (2, 1), strides=(0, 0)),
    ),
    "a copy of one row into all": copy(
        place(1, (2, 3), strides=(0, 8)), place(2, (2, 3), rows=0), *numbers((3,)), ROWS
    ),
}

REFUSED = {
    "a size that overflows": (
        zero(place(0, ()), *numbers((FAR, FAR), dtype="bool"), arena=8),
        "a size of more than 2^40 bytes",
    ),
    "a stride that overflows when multiplied": (
        zero(place(0, (2**30,), "bool", strides=(FAR,)), arena=8),
        "a place leaves its buffer",
    ),
    "a stride that overflows when added": (
        zero(place(0, (STEPS + 1,), "bool", strides=(STRIDE,)), arena=8),
        "a place leaves its buffer",
    ),
    "a stride that leads out of all buffers": (
        zero(place(0, (2,), "bool", strides=(FAR,)), arena=8),
        "a place leaves its buffer",
    ),
    "a stride of rows that overflows": (
        zero(
            place(1, (2**30,), "bool", rows=0, strides=(FAR,)),
            *numbers((1,), kind="rows", dtype="bool"),
            rows=1,
        ),
        "a place's stride along its rows axis is not that of the rows of its buffer",
    ),
    "columns of a matrix over others": (
        map_in_arena(
            place(0, (2, 3), strides=(32, 8)),
            place(0, (2, 3), strides=(32, 8), offset=16),
            arena=72,
        ),
        "a map's output lies over a part of an input",
    ),
    "columns that start within others": (
        map_in_arena(
            place(0, (2, 2), strides=(40, 8), offset=8),
            place(0, (2, 2), strides=(40, 8)),
            arena=80,
        ),
        "a map's output lies over a part of an input",
    ),
    "an axis that stands still over an input": (
        map_in_arena(
            place(0, (1, 3), strides=(0, 8), offset=8),
            place(0, (1, 3), strides=(0, 8)),
        ),
        "a map's output lies over a part of an input",
    ),
    "columns over the next row's": (
        map_in_arena(
            place(0, (2, 2), strides=(32, 8), offset=24),
            place(0, (2, 2), strides=(32, 8)),
            arena=72,
        ),
        "a map's output lies over a part of an input",
    ),
    "numbers of twice the size, where others are": (
        plan(
            [
                map_step(
                    (2,),
                    [place(0, (2,), "float32")],
                    [line("cast", 0)],
                    [(1, place(0, (2,)))],
                )
            ],
            arena=16,
        ),
        "a map's output lies over a part of an input",
    ),
    "the negative of truth values": (
        one_line("negative", "bool", "bool"),
        "a line's dtypes don't fit negative",
    ),
    "the exponential of whole numbers": (
        one_line("exp", "int32", "int32"),
        "a line's dtypes don't fit exp",
    ),
    "an exponential of another precision": (
        one_line("exp", "float64", "float32"),
        "a line's dtypes don't fit exp",
    ),
    "a value without its gradient that is another": (
        one_line("stop_gradient", "float64", "float32"),
        "a line's dtypes don't fit stop_gradient",
    ),
    "a seed of two numbers": (
        plan(
            [
                step(
                    "random_bits",
                    place(1, (2,), "uint32"),
                    place(2, (), "int32"),
                    place(0, (2,), "uint32"),
                    [0],
                )
            ],
            [*numbers((2,), dtype="uint32"), *numbers((), dtype="int32")],
            arena=8,
        ),
        "a seed must be a uint32 scalar",
    ),
    "a product of a vector and a matrix": (
        product(place(0, ()), place(0, (1, 1)), place(0, (1, 1))),
        "a product takes and gives matrices of one rank",
    ),
    "a product of a matrix and a vector": (
        product(place(0, (1, 1)), place(0, ()), place(0, (1, 1))),
        "a product takes and gives matrices of one rank",
    ),
    "a sum over rows that one matrix lacks": (
        product(
            place(1, (3, 2), rows=1, strides=(8, 24)),
            place(2, (2, 4)),
            place(3, (3, 4)),
            *(ROWS, *numbers((2, 4)), SUMS),
        ),
        "the rows axes of a product differ",
    ),
    "rows of the left matrix in one place": (
        product(
            place(1, (2, 2, 3), rows=0),
            place(2, (2, 3, 4)),
            place(3, (2, 2, 4), strides=(0, 32, 8)),
            *(LEFT, *numbers((2, 3, 4)), BATCH),
        ),
        "the rows axes of a product differ",
    ),
    "rows of the right matrix in one place": (
        product(
            place(1, (2, 2, 3)),
            place(2, (2, 3, 4), rows=0),
            place(3, (2, 2, 4), strides=(0, 32, 8)),
            *(*numbers((2, 2, 3)), RIGHT, BATCH),
        ),
        "the rows axes of a product differ",
    ),
    "a sum without an axis that is left": (
        plan(
            [step("reduce", SUM, place(1, (2, 3)), place(2, (1,)), [1, 0])],
            numbers((2, 3), (1,)),
        ),
        "the extents of a reduction's result are wrong",
    ),
    "a copy of a matrix into a vector": (
        copy(place(1, (2, 3)), place(2, (6,)), *numbers((2, 3), (6,))),
        "a copy changes extents or dtype",
    ),
    "rows copied to where none are": (
        copy(place(1, (2, 3), rows=0), place(2, (2, 3)), ROWS, *numbers((2, 3))),
        "the rows axes of a copy differ",
    ),
    "rows of no table": (
        plan(
            [step("take", place(1, ()), place(2, (1,), "int32"), place(3, ()))],
            [*numbers(()), *numbers((1,), dtype="int32"), *numbers(())],
        ),
        "a table's dtype differs",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_engine_takes(name: str) -> None:
    assert refusal(TAKEN[name]) == ""


@pytest.mark.parametrize("name", REFUSED)
def test_the_engine_refuses(name: str) -> None:
    words, rule = REFUSED[name]
    assert rule in refusal(words)
