"""Every rule by which the engine refuses a plan refuses one.

Each word of some plans is replaced in turn, and what that doesn't reach is written down
too. The rules are those that stand in the sources; plans on both sides of them are in
`test_verifiers.py` and `test_window_verifiers.py`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from support.plan_words import (
    Shape,
    Words,
    line,
    loop,
    map_step,
    moving,
    numbers,
    place,
    plan,
    refusal,
    step,
)
from thalweg.backends.engine.encode import MAGIC, OPCODES

ENGINE = Path(__file__).parents[3] / "engine" / "core"
RULE = re.compile(r'(?:demand\(|verify_scalar\(|PlanError\()[^;"]*"([^"]+)"\s*\)')
# What a word is replaced by; each reaches rules that the others don't.
NEAR = (0, 1, 2, 3, 8, 2**40, -8)
FAR = (1, -1, 4, 8)


# Plans --------------------------------------------------------------------------------


def product(rank: int = 2) -> Words:
    """(…, 2, 3) @ (…, 3, 4), with a bias."""
    batch = (2,) * (rank - 2)
    bias = place(4, (*batch, 2, 4), strides=(*(0,) * (rank - 1), 8))
    return plan(
        [
            step(
                "product",
                place(1, (*batch, 2, 3)),
                place(2, (*batch, 3, 4)),
                place(3, (*batch, 2, 4)),
                [1],
                bias,
            )
        ],
        numbers((*batch, 2, 3), (*batch, 3, 4), (*batch, 2, 4), (4,)),
    )


def product_of_rows(kind: str, shape: Shape, out_rows: int, bias: bool) -> Words:
    """A product of a block of rows, and a map behind it."""
    out = place(3, shape, rows=out_rows)
    a = place(1, (2, 3), rows=0) if out_rows == 0 else place(1, (3, 2), rows=0)
    if out_rows < 0:  # a sum over rows
        a = place(1, (3, 2), rows=1, strides=(8, 24))
    b = place(2, (3, 4)) if out_rows == 0 else place(2, (2, 4), rows=0)
    behind = map_step(shape, [out], [line("exp", 0)], [(1, out)], rows=0, tail=True)
    buffers = [
        *numbers((2, 3), kind="rows"),
        *(numbers((3, 4)) if out_rows == 0 else numbers((2, 4), kind="rows")),
        *numbers(shape, kind=kind),
        *numbers((shape[1],)),
    ]
    added = [1, *place(4, shape, strides=(0, 8))] if bias else [0]
    steps = [step("product", a, b, out, added)]
    return plan([*steps, behind] if out_rows == 0 else steps, buffers, rows=2)


def reduction(opcode: str, axes: Shape, shape: Shape, dtype: str = "float64") -> Words:
    return plan(
        [
            step(
                "reduce",
                [OPCODES[opcode]],
                place(1, (2, 3)),
                place(2, shape, dtype),
                [len(axes), *axes],
            )
        ],
        [*numbers((2, 3)), *numbers(shape, dtype=dtype)],
    )


def looked_up(kind: str, *, dtype: str = "float64") -> Words:
    """Rows of a table by number: taken, or added."""
    indices = place(2, (3,), "int32")
    table, rows = place(1, (5, 2), dtype), place(3, (3, 2), dtype)
    parts = (table, indices, rows) if kind == "take" else (rows, indices, table)
    sizes = [*numbers((5, 2), dtype=dtype), *numbers((3,), dtype="int32")]
    return plan([step(kind, *parts)], [*sizes, *numbers((3, 2), dtype=dtype)])


def recurrence(kind: str = "whole", parts: int = 1) -> Words:
    """s = s + x at each of three times, of two rows of four numbers."""
    rows = 0 if kind == "rows" else -1
    count = 2 * parts

    def one(number: int) -> Words:
        return place(number, (count, 4), strides=(96, 8), rows=rows)

    state = place(0, (count, 4), rows=rows)
    turn = map_step(
        (count, 4), [one(4), state], [line("add", 0, 1)], [(2, one(5))], rows=rows
    )
    steps = [
        step("zero", state),
        loop(place(1, (), "int32"), 3, [4, 5], [turn, step("copy", one(5), state)]),
    ]
    shape = (2, 3 * parts, 4)
    buffers = [
        *numbers((), dtype="int32"),
        *numbers(shape, shape, kind=kind),
        *(moving(one(number), 32, 3) for number in (2, 3)),
    ]
    return plan(steps, buffers, 2 if kind == "rows" else 0, 64 * parts)


def loops_within(count: int) -> Words:
    """Loops, one in another, in the last of which there is a zero."""
    each = step("zero", place(2, (3,)))
    for _ in range(count):
        each = loop(place(1, (), "int32"), 2, [], [each])
    return plan([each], [*numbers((), dtype="int32"), *numbers((3,))])


def sequence(start: Words, *steps: Words, kind: str = "whole") -> Words:
    """Steps, with a buffer 3 that moves over buffer 2."""
    buffers = [
        *numbers((), dtype="int32"),
        *numbers((2, 3), kind=kind),
        moving(start, 8, 3),
    ]
    return plan(steps, buffers, 2 if kind == "rows" else 0)


# Windows of 2 of 4 numbers, of two channels, in each of two rows.
WINDOWS = (2, 3, 2, 2)
OVER = (64, 16, 16, 8)


def gathered(rows: int = -1) -> Words:
    """Windows times filters, and a bias."""
    kind = "whole" if rows < 0 else "rows"
    parts = [
        place(1, WINDOWS, rows=rows, strides=OVER),
        place(2, (4, 3)),
        place(3, (6, 3), rows=rows),
        [1, *place(4, (6, 3), strides=(0, 8)), 2],
    ]
    buffers = [
        *numbers((2, 4, 2), kind=kind),
        *numbers((4, 3)),
        *numbers((6, 3) if rows < 0 else (2, 3, 3), kind=kind),
        *numbers((3,)),
    ]
    return plan([step("product_of_windows", *parts)], buffers, 2 if rows >= 0 else 0)


def gathered_sum() -> Words:
    """The gradient of filters: a sum over rows and positions."""
    parts = [
        place(1, (2, 2, 2, 3), rows=2, strides=(16, 8, 64, 16)),
        place(2, (6, 3), rows=0),
        place(3, (4, 3)),
        [0, 2],
    ]
    buffers = [
        *numbers((2, 4, 2), (2, 3, 3), kind="rows"),
        *numbers((4, 3), kind="total"),
    ]
    return plan([step("product_of_windows", *parts)], buffers, 2)


def added_product() -> Words:
    """The gradient of what was gathered."""
    parts = [
        place(1, (6, 3), rows=0),
        place(2, (3, 4)),
        place(3, WINDOWS, rows=0, strides=OVER),
        [0, 2],
    ]
    buffers = [
        *numbers((2, 3, 3), kind="rows"),
        *numbers((3, 4)),
        *numbers((2, 4, 2), kind="rows"),
    ]
    return plan([step("product_to_windows", *parts)], buffers, 2)


def shares(part_rows: int = 0) -> Words:
    """What the largest of each window get, of a part for each row or one for all."""
    each = 0 if part_rows < 0 else 48
    parts = [
        place(1, WINDOWS, rows=0, strides=OVER),
        place(2, (2, 3, 1, 2), rows=part_rows, strides=(each, 16, 16, 8)),
        place(3, WINDOWS, rows=0),
        [1, 2],
    ]
    buffers = [
        *numbers((2, 4, 2), kind="rows"),
        *numbers((2, 3, 2), kind="whole" if part_rows < 0 else "rows"),
        *numbers(WINDOWS, kind="rows"),
    ]
    return plan([step("share_max", *parts)], buffers, 2)


def added() -> Words:
    """Windows that are added where they were taken."""
    given, taken = place(1, WINDOWS, rows=0), place(2, WINDOWS, rows=0, strides=OVER)
    buffers = numbers(WINDOWS, (2, 4, 2), kind="rows")
    return plan([step("add_copy", given, taken)], buffers, 2)


TURNS = place(1, (), "int32")

PLANS: dict[str, Words] = {
    "a loop": recurrence(),
    "a loop of rows": recurrence("rows"),
    "a loop of rows in parts": recurrence("rows", parts=2),
    "loops within loops": loops_within(4),
    "a map": plan(
        [
            map_step(
                (2, 3),
                [place(1, (2, 3)), place(2, (2, 3), strides=(0, 8))],
                [
                    line("add", 0, 1),
                    line("less", 0, 2, dtype="bool"),
                    line("select", 3, 0, 2),
                    line("logical_not", 3, dtype="bool"),
                    line("cast", 4, dtype="int32"),
                ],
                [(4, place(0, (2, 3), offset=8)), (6, place(3, (2, 3), "int32"))],
            )
        ],
        [
            *numbers((2, 3)),
            *numbers((3,), kind="constant"),
            *numbers((2, 3), dtype="int32"),
        ],
        arena=56,
    ),
    "a map of rows": plan(
        [
            map_step(
                (2, 3),
                [place(1, (2, 3), rows=0), place(2, (2, 3), strides=(0, 8))],
                [line("multiply", 0, 1)],
                [(2, place(3, (2, 3), rows=0))],
                rows=0,
            )
        ],
        [*numbers((2, 3), kind="rows"), *numbers((3,)), *numbers((2, 3), kind="rows")],
        rows=2,
    ),
    "a product": product(),
    "products": product(rank=3),
    "a product of rows": product_of_rows("rows", (2, 4), 0, bias=True),
    "a sum over rows": product_of_rows("total", (3, 4), -1, bias=False),
    "a product of windows": gathered(),
    "a product of windows of rows": gathered(rows=0),
    "a sum over rows of windows": gathered_sum(),
    "a product to windows": added_product(),
    "shares": shares(),
    "shares of one row": shares(part_rows=-1),
    "an addition": added(),
    "a sum": reduction("sum", (0,), (1, 3)),
    "a maximum": reduction("max", (1,), (2, 1)),
    "a place of the largest": reduction("argmax", (1,), (2,), "int32"),
    "a copy": plan(
        [step("copy", place(1, (2, 3)), place(2, (2, 3)))],
        [*numbers((2, 3)), *numbers((2, 3), kind="total")],
        rows=1,
    ),
    "zeros": plan([step("zero", place(1, (2, 3)))], numbers((2, 3))),
    "take": looked_up("take"),
    "scatter_add": looked_up("scatter_add"),
    "bits": plan(
        [
            step(
                "random_bits",
                place(1, (), "uint32"),
                place(2, (), "int32"),
                place(3, (2, 3), "uint32", rows=0),
                [7],
            )
        ],
        [
            *numbers((), dtype="uint32"),
            *numbers((), dtype="int32"),
            *numbers((2, 3), kind="rows", dtype="uint32"),
        ],
        rows=2,
    ),
}


def one_row(out: Words, bias: Words) -> Words:
    """A product whose columns are a block of one row."""
    buffers = [*numbers((3, 2)), *numbers((1, 2), kind="rows"), *numbers((1, 3))]
    b = place(2, (2, 1), rows=1, strides=(8, 16))
    return plan([step("product", place(1, (3, 2)), b, out, [1], bias)], buffers, 1, 24)


def tail_without_rows() -> Words:
    """A map that forgets the rows of the product before it."""
    out = place(0, (2, 4), rows=0)
    behind = place(0, (2, 4))
    steps = [
        step("product", place(1, (2, 3), rows=0), place(2, (3, 4)), out, [0]),
        map_step((2, 4), [behind], [line("exp", 0)], [(1, behind)], tail=True),
    ]
    buffers = [*numbers((2, 3), kind="rows"), *numbers((3, 4))]
    return plan(steps, buffers, rows=2, arena=64)


RESULT = place(0, (2, 4))


def tail_of(inputs: Sequence[Words], out: Words) -> Words:
    """A product into the arena, and a map behind it."""
    shape = tuple(out[5 : 5 + out[3]])
    lines = [line("add", 0, len(inputs) - 1)]
    tail = map_step(shape, inputs, lines, [(len(inputs), out)], tail=True)
    steps = [step("product", place(1, (2, 3)), place(2, (3, 4)), RESULT, [0]), tail]
    return plan(steps, numbers((2, 3), (3, 4), (4,), (2, 4)), arena=80)


def tail_over_result() -> Words:
    """A map that writes between the numbers that the product before it gives.

    That it writes elsewhere shows the stride of an axis of one element alone, and only
    the map's input has it.
    """
    result = place(0, (2, 1), strides=(8, 8), offset=8)
    read = place(0, (2, 1), strides=(8, 24), offset=8)
    written = place(0, (2, 1), strides=(24, 8))
    tail = map_step((2, 1), [read], [line("exp", 0)], [(1, written)], tail=True)
    steps = [step("product", place(1, (2, 3)), place(2, (3, 1)), result, [0]), tail]
    return plan(steps, numbers((2, 3), (3, 1)), arena=32)


NUMBER = place(1, (1,))
TWO = numbers((1,), (1,))
WRONG: dict[str, Words] = {
    "more than 4 loops, one in another": loops_within(5),
    "a place names a moving buffer outside of its loop": sequence(
        place(2, (2,), strides=(24,)), step("zero", place(3, (2,), strides=(24,)))
    ),
    "a moving buffer has too many axes": sequence(
        place(2, (1,) * 8), loop(TURNS, 3, [3], [])
    ),
    "a place has a rows axis and its moving buffer none, or the other way": sequence(
        place(2, (2,), strides=(24,), rows=0),
        loop(TURNS, 3, [3], [step("zero", place(3, (2,), strides=(24,)))]),
        kind="rows",
    ),
    "these words are no plan": [MAGIC + 1, *PLANS["zeros"][1:]],
    "a map has no output": plan([map_step((1,), [NUMBER], [], [])], TWO),
    "a place has another rank than its map": plan(
        [map_step((), [NUMBER], [], [(0, place(2, ()))])], TWO
    ),
    "more than 2^14 registers": plan(
        [map_step((1,), [NUMBER], [line("exp", 0)] * 2**14, [(1, place(2, (1,)))])], TWO
    ),
    "an output has another rows axis than its map": plan(
        [
            map_step(
                (1,),
                [place(1, (1,), rows=0)],
                [],
                [(0, place(2, (1,), strides=(0,)))],
                rows=0,
            )
        ],
        [*numbers((1,), kind="rows"), *numbers((1,))],
        rows=1,
    ),
    "a reduction takes numbers": plan(
        [step("reduce", [OPCODES["max"]], place(1, (1,), "bool"), NUMBER, [1, 0])],
        numbers((1,), dtype="bool"),
    ),
    "the columns of a product's result must be adjacent": plan(
        [
            step(
                "product",
                place(1, (2, 3)),
                place(2, (3, 4)),
                place(3, (2, 4), strides=(8, 16)),
                [0],
            )
        ],
        numbers((2, 3), (3, 4), (2, 4)),
    ),
    "a tail has another rows axis than its product": tail_without_rows(),
    "a tail must read or write what the product before it gives": tail_of(
        [place(0, (4, 2))], place(4, (4, 2))
    ),
    "a tail reads a product's result elsewhere": tail_of(
        [RESULT, place(0, (2, 4), offset=8)], place(4, (2, 4))
    ),
    "a tail writes over a product's result": tail_over_result(),
    "a total must hold numbers, which can be added up": plan(
        [], numbers((1,), kind="total", dtype="bool"), rows=1
    ),
    "a total that is copied to must be contiguous": plan(
        [step("copy", place(1, (2,)), place(2, (2,), strides=(16,)))],
        [*numbers((2,)), *numbers((3,), kind="total")],
        rows=1,
    ),
    "a table that is added to must be contiguous": plan(
        [
            step(
                "scatter_add",
                place(3, (3, 2)),
                place(2, (3,), "int32"),
                place(1, (5, 2), strides=(8, 40)),
            )
        ],
        [*numbers((5, 2)), *numbers((3,), dtype="int32"), *numbers((3, 2))],
    ),
    "a product takes and gives matrices of one rank": plan(
        [step("product", NUMBER, NUMBER, place(2, (1,)), [0])], TWO
    ),
    "a bias along a rows axis": one_row(
        place(0, (3, 1), rows=1), place(3, (3, 1), strides=(0, 8))
    ),
    "rows that are added to lie on each other": plan(
        [
            step(
                "add_copy",
                place(1, (2, 2), rows=0),
                place(0, (2, 2), rows=0, strides=(8, 8)),
            )
        ],
        numbers((2, 2), kind="rows"),
        rows=2,
        arena=24,
    ),
    "a sum over rows has no bias": plan(
        [
            step(
                "product_of_windows",
                place(1, (2, 2), rows=1, strides=(8, 16)),
                place(1, (2, 2), rows=0),
                place(0, (2, 2)),
                [1, *place(2, (2, 2), strides=(0, 8)), 1],
            )
        ],
        [*numbers((2, 2), kind="rows"), *numbers((2,))],
        rows=2,
        arena=32,
    ),
    "rows share nothing": plan(
        [
            step(
                "share_max",
                place(1, (1, 2), rows=0),
                place(2, (1, 2), rows=0),
                place(0, (1, 2), rows=0),
                [1, 0],
            )
        ],
        numbers((1, 2), (1, 2), kind="rows"),
        rows=1,
        arena=16,
    ),
    "an axis is named twice": reduction("sum", (0, 0), (1, 3)),
    "argmax takes one axis": reduction("argmax", (0, 1), (), "int32"),
    "the rank of a reduction's result is wrong": reduction("sum", (0,), (1, 3, 1)),
    "a table's rank doesn't fit": plan(
        [step("take", place(1, (1,)), place(2, (1,), "int32"), place(1, (1, 1)))],
        [*numbers((1,)), *numbers((1,), dtype="int32")],
    ),
    "rows that are added must be numbers": looked_up("scatter_add", dtype="bool"),
}


def changed(words: Words) -> Iterator[Words]:
    """The plan with one word replaced."""
    for at, word in enumerate(words[2:], 2):
        for other in {*NEAR, *(word + more for more in FAR)} - {word}:
            yield [*words[:at], other, *words[at + 1 :]]


def rules() -> set[str]:
    """All that the engine's sources say against plans."""
    sources = (ENGINE / "plan.cpp", *ENGINE.glob("verify_*.cpp"))
    return {rule for s in sources for rule in RULE.findall(s.read_text("utf-8"))}


# Tests --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
def test_the_plans_are_taken_as_they_are(name: str) -> None:
    assert refusal(PLANS[name]) == ""


@pytest.mark.parametrize("rule", WRONG)
def test_a_plan_against_a_rule_is_refused_by_it(rule: str) -> None:
    assert rule in refusal(WRONG[rule])


def test_every_rule_refuses_a_plan() -> None:
    said = {refusal(words) for each in PLANS.values() for words in changed(each)}
    found = {rule for rule in rules() if any(rule in each for each in said)}
    assert len(rules()) > 60
    assert rules() - found - WRONG.keys() == set()
