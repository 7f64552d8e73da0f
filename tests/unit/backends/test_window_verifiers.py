"""The engine takes the plans of windows that keep the rules, and refuses the others.

Plans on both sides of each rule of products of windows, shares, and what is added.
"""

from functools import partial

import pytest

from support.plan_words import (
    Words,
    buffer,
    line,
    map_step,
    numbers,
    place,
    plan,
    refusal,
    step,
)

# Windows of 2 of 4 numbers, of two channels, in each of two rows.
IMAGES, WINDOWS, OVER = (2, 4, 2), (2, 3, 2, 2), (64, 16, 16, 8)
SEEN = numbers(IMAGES, kind="rows")[0]
FOUND = numbers((2, 3, 3), kind="rows")[0]
FILTERS = numbers((4, 3))[0]


def windows(number: int, rows: int = 0) -> Words:
    return place(number, WINDOWS, rows=rows, strides=OVER)


def turned(number: int, rows: int = 2) -> Words:
    """The same with rows and positions behind."""
    return place(number, (2, 2, 2, 3), rows=rows, strides=(16, 8, 64, 16))


def product(
    kind: str,
    a: Words,
    b: Words,
    out: Words,
    *buffers: Words,
    axes: int = 2,
    bias: Words | None = None,
    arena: int = 0,
) -> Words:
    """A product of which one array's rows are so many axes."""
    extra = [0] if bias is None else [1, *bias]
    return plan([step(kind, a, b, out, [*extra, axes])], buffers, 2, arena)


gathered = partial(product, "product_of_windows")
added = partial(product, "product_to_windows")


def shares(
    x: Words, part: Words, out: Words, *buffers: Words, axes: tuple[int, ...] = (2,)
) -> Words:
    return plan([step("share_max", x, part, out, [len(axes), *axes])], buffers, 2, 400)


def addition(x: Words, out: Words, *buffers: Words, rows: int = 2) -> Words:
    return plan([step("add_copy", x, out)], buffers, rows, 400)


def tail(shape: tuple[int, ...], read: Words, written: Words, rows: int = 0) -> Words:
    lines = [line("exp", 0)]
    return map_step(shape, [read], lines, [(1, written)], rows=rows, tail=True)


FILTER_SUMS = numbers((4, 3), kind="total")[0]
WEIGHTS = numbers((3, 4))[0]
PARTS = place(2, (2, 3, 1, 2), rows=0)
SHARED = numbers(WINDOWS, kind="rows")[0]
SHARING = [SEEN, *numbers((2, 3, 2), kind="rows"), SHARED]
ONE = numbers(())[0]
CONSTANT = buffer("constant", IMAGES)
DIFFERENT = "the rows axes of a product differ"
EXTENTS = "the extents of a product differ"
TOGETHER = "rows are the first axis of those that go together"
GATHERED = "a product of windows takes and gives a matrix"
ADDED = "a product that is added to windows is one of matrices without a bias"
SHARES = "the places of shares have other extents or rows"
ADDITION = "what is added has other extents, rows or another dtype"
OUTSIDE = "a place leaves its buffer"
OVERLAP = "a step writes over what it reads"

TAKEN = {
    "windows times filters": gathered(
        windows(1), place(2, (4, 3)), place(3, (6, 3), rows=0), SEEN, FILTERS, FOUND
    ),
    "windows of no rows times filters": gathered(
        windows(1, rows=-1),
        place(2, (4, 3)),
        place(3, (6, 3)),
        *numbers(IMAGES, (4, 3), (6, 3)),
    ),
    "windows whose positions are columns": gathered(
        windows(1),
        place(2, (12, 3)),
        place(3, (2, 3), rows=0),
        *(SEEN, *numbers((12, 3)), *numbers((2, 3), kind="rows")),
        axes=1,
    ),
    "windows that all are one number": gathered(
        place(1, WINDOWS, rows=0, strides=(8, 0, 0, 0)),
        place(2, (4, 3)),
        place(3, (6, 3), rows=0),
        *(*numbers((2,), kind="rows"), FILTERS, FOUND),
    ),
    "no windows": gathered(
        place(1, (0, 3, 2, 2), strides=OVER),
        place(2, (4, 3)),
        place(3, (0, 3)),
        *numbers(IMAGES, (4, 3), (0, 3)),
    ),
    "windows of nothing": gathered(
        place(1, (2, 3, 0, 2), rows=0, strides=OVER),
        place(2, (0, 3)),
        place(3, (6, 3), rows=0),
        *(SEEN, *numbers((0, 3)), FOUND),
    ),
    "windows up to the rank that there is": gathered(
        place(1, (1, 1, 1, 2, 3, 2, 2, 1), strides=(0, 0, 0, *OVER, 0)),
        place(2, (4, 3)),
        place(3, (6, 3)),
        *numbers(IMAGES, (4, 3), (6, 3)),
        axes=5,
    ),
    "windows times filters that lie transposed": gathered(
        windows(1),
        place(2, (4, 3), strides=(8, 32)),
        place(3, (6, 3), rows=0),
        *(SEEN, FILTERS, FOUND),
    ),
    "a sum over rows and windows into a total": gathered(
        turned(1), place(2, (6, 3), rows=0), place(3, (4, 3)), SEEN, FOUND, FILTER_SUMS
    ),
    "a sum over rows and windows into the arena": gathered(
        turned(1),
        place(2, (6, 3), rows=0),
        place(0, (4, 3)),
        *(SEEN, FOUND),
        arena=96,
    ),
    "a sum over windows into a total": gathered(
        turned(1, rows=-1),
        place(2, (6, 3)),
        place(3, (4, 3)),
        *(*numbers(IMAGES, (6, 3)), FILTER_SUMS),
    ),
    "a product added to windows": added(
        place(1, (6, 3), rows=0), place(2, (3, 4)), windows(3), FOUND, WEIGHTS, SEEN
    ),
    "a product without rows added to windows": added(
        place(1, (6, 3)),
        place(2, (3, 4)),
        windows(3, rows=-1),
        *numbers((6, 3), (3, 4), IMAGES),
    ),
    "a product without rows added to windows of which the first lie on each other": (
        added(
            place(1, (6, 3)),
            place(2, (3, 4)),
            place(0, WINDOWS, strides=(8, 8, 8, 8)),
            *numbers((6, 3), (3, 4)),
            arena=128,
        )
    ),
    "a product added to one number of each row": added(
        place(1, (6, 3), rows=0),
        place(2, (3, 4)),
        place(3, WINDOWS, rows=0, strides=(8, 0, 0, 0)),
        *(FOUND, WEIGHTS, *numbers((2,), kind="rows")),
    ),
    "a product of nothing added to windows": added(
        place(1, (6, 0), rows=0),
        place(2, (0, 4)),
        windows(3),
        *(*numbers((2, 3, 0), kind="rows"), *numbers((0, 4)), SEEN),
    ),
    "a product added to windows that run through the arena": added(
        place(1, (6, 3), rows=0),
        place(2, (3, 4)),
        place(0, WINDOWS, rows=0, strides=(64, 16, 16, 8)),
        *(FOUND, WEIGHTS),
        arena=128,
    ),
    "shares of windows": shares(windows(1), PARTS, place(3, WINDOWS, rows=0), *SHARING),
    "shares of windows, to windows": shares(
        place(1, (2, 2, 2, 2), rows=0),
        place(2, (2, 2, 1, 2), rows=0),
        place(3, (2, 2, 2, 2), rows=0, strides=(64, 16, 32, 8)),
        *numbers((2, 2, 2, 2), (2, 2, 2), (2, 4, 2), kind="rows"),
    ),
    "a part that stands still along the rows": shares(
        windows(1),
        place(2, (2, 3, 1, 2), strides=(0, 16, 16, 8)),
        place(3, WINDOWS, rows=0),
        *(SEEN, *numbers((3, 2)), SHARED),
    ),
    "shares along all axes but the rows": shares(
        windows(1),
        place(2, (2, 1, 1, 1), rows=0),
        place(3, WINDOWS, rows=0),
        *(SEEN, *numbers((2,), kind="rows"), SHARED),
        axes=(1, 2, 3),
    ),
    "shares along no axis": shares(
        windows(1), windows(1), place(3, WINDOWS, rows=0), *SHARING, axes=()
    ),
    "shares of nothing": shares(
        place(0, (3, 0, 2)), place(0, (3, 1, 2)), place(0, (3, 0, 2)), axes=(1,)
    ),
    "shares of a number": shares(
        place(0, ()), place(0, (), offset=8), place(1, ()), ONE, axes=()
    ),
    "windows that are added": addition(
        place(1, WINDOWS, rows=0), windows(2), SHARED, SEEN
    ),
    "whole numbers that are added": addition(
        place(1, (2, 3), "int32"),
        place(2, (2, 3), "int32", strides=(4, 4)),
        *numbers((2, 3), (4,), dtype="int32"),
    ),
    "a number to which many are added": addition(
        place(1, (5,)), place(2, (5,), strides=(0,)), *numbers((5,), ())
    ),
    "nothing that is added to rows that would lie on each other": addition(
        place(1, (2, 3, 0), rows=0),
        place(0, (2, 3, 0), rows=0, strides=(8, 8, 8)),
        *numbers((2, 3, 0), kind="rows"),
    ),
    "no numbers that are added": addition(place(0, (0, 2)), place(0, (0, 2))),
    "numbers that are added to rows that lie apart in the arena": addition(
        place(1, (2, 2), rows=0),
        place(0, (2, 2), rows=0, strides=(8, 0)),
        *numbers((2, 2), kind="rows"),
    ),
    "a tail behind a product of windows": plan(
        [
            step(
                "product_of_windows",
                windows(1),
                place(2, (4, 3)),
                place(3, (6, 3), rows=0),
                [0, 2],
            ),
            tail((6, 3), place(3, (6, 3), rows=0), place(3, (6, 3), rows=0)),
        ],
        [SEEN, FILTERS, FOUND],
        rows=2,
    ),
}

REFUSED = {
    "windows of which nothing is a column": (
        gathered(
            windows(1),
            place(2, (1, 3)),
            place(3, (24, 3), rows=0),
            *(SEEN, *numbers((1, 3)), *numbers((2, 12, 3), kind="rows")),
            axes=4,
        ),
        GATHERED,
    ),
    "windows times filters of three axes": (
        gathered(
            windows(1),
            place(2, (4, 3, 1)),
            place(3, (6, 3), rows=0),
            *(SEEN, FILTERS, FOUND),
        ),
        GATHERED,
    ),
    "a product of windows that gives three axes": (
        gathered(
            windows(1),
            place(2, (4, 3)),
            place(3, (2, 3, 3), rows=0),
            *(SEEN, FILTERS, FOUND),
        ),
        GATHERED,
    ),
    "windows of other dtypes than their filters": (
        gathered(
            windows(1),
            place(2, (4, 3), "float32"),
            place(3, (6, 3), rows=0),
            *(SEEN, *numbers((4, 3), dtype="float32"), FOUND),
        ),
        "a product takes and gives float32 or float64",
    ),
    "windows of whole numbers": (
        gathered(
            place(1, (2, 2), "int32"),
            place(2, (2, 2), "int32"),
            place(0, (2, 2), "int32"),
            *numbers((2, 2), (2, 2), dtype="int32"),
            axes=1,
            arena=16,
        ),
        "a product takes and gives float32 or float64",
    ),
    "more windows than results": (
        gathered(
            windows(1), place(2, (4, 3)), place(3, (4, 3), rows=0), SEEN, FILTERS, FOUND
        ),
        EXTENTS,
    ),
    "windows of other sizes than the filters": (
        gathered(
            windows(1),
            place(2, (5, 3)),
            place(3, (6, 3), rows=0),
            *(SEEN, *numbers((5, 3)), FOUND),
        ),
        EXTENTS,
    ),
    "results of fewer filters": (
        gathered(
            windows(1),
            place(2, (4, 3)),
            place(3, (6, 2), rows=0, strides=(24, 8)),
            *(SEEN, FILTERS, FOUND),
        ),
        EXTENTS,
    ),
    "rows of windows that the results lack": (
        gathered(
            windows(1),
            place(2, (4, 3)),
            place(3, (6, 3)),
            *(SEEN, FILTERS, *numbers((6, 3))),
        ),
        DIFFERENT,
    ),
    "rows of results that windows lack": (
        gathered(
            windows(1, rows=-1),
            place(2, (4, 3)),
            place(3, (6, 3), rows=0),
            *(*numbers(IMAGES), FILTERS, FOUND),
        ),
        DIFFERENT,
    ),
    "rows of windows behind positions": (
        gathered(
            place(1, (3, 2, 2, 2), rows=1, strides=(16, 64, 16, 8)),
            place(2, (4, 3)),
            place(3, (6, 3)),
            *(SEEN, FILTERS, *numbers((6, 3))),
        ),
        TOGETHER,
    ),
    "rows behind a window's sizes": (
        gathered(
            place(1, (3, 2, 2, 2), rows=3, strides=(16, 16, 8, 64)),
            place(2, (4, 3)),
            place(3, (6, 3)),
            *(SEEN, FILTERS, *numbers((6, 3))),
            axes=2,
        ),
        TOGETHER,
    ),
    "windows with rows and filters with rows": (
        gathered(
            windows(1),
            place(2, (4, 2), rows=1, strides=(8, 32)),
            place(3, (6, 2), rows=0, strides=(24, 8)),
            *(SEEN, *numbers((2, 4), kind="rows"), FOUND),
        ),
        DIFFERENT,
    ),
    "filters with rows": (
        gathered(
            windows(1, rows=-1),
            place(2, (4, 2), rows=1, strides=(8, 32)),
            place(3, (6, 2)),
            *(*numbers(IMAGES), *numbers((2, 4), kind="rows"), *numbers((6, 2))),
        ),
        DIFFERENT,
    ),
    "results whose columns have rows": (
        gathered(
            windows(1, rows=-1),
            place(2, (4, 2), rows=1, strides=(8, 32)),
            place(0, (6, 2), rows=1),
            *(*numbers(IMAGES), *numbers((2, 4), kind="rows")),
            arena=96,
        ),
        DIFFERENT,
    ),
    "filters with rows for results that stand still": (
        gathered(
            windows(1, rows=-1),
            place(2, (4, 2), rows=1, strides=(8, 32)),
            place(0, (6, 2), strides=(8, 0)),
            *(*numbers(IMAGES), *numbers((2, 4), kind="rows")),
            arena=96,
        ),
        DIFFERENT,
    ),
    "a sum over rows that what is multiplied lacks": (
        gathered(
            turned(1),
            place(2, (6, 3)),
            place(3, (4, 3)),
            SEEN,
            *numbers((6, 3), (4, 3)),
        ),
        DIFFERENT,
    ),
    "a sum over rows that windows lack": (
        gathered(
            turned(1, rows=-1),
            place(2, (6, 3), rows=0),
            place(3, (4, 3)),
            *(*numbers(IMAGES), FOUND, *numbers((4, 3))),
        ),
        DIFFERENT,
    ),
    "a sum over rows with a bias": (
        gathered(
            turned(1),
            place(2, (6, 3), rows=0),
            place(3, (4, 3)),
            *(SEEN, FOUND, *numbers((4, 3), (3,))),
            bias=place(4, (4, 3), strides=(0, 8)),
        ),
        "a sum over rows has no bias",
    ),
    "a total of windows with a bias": (
        gathered(
            turned(1, rows=-1),
            place(2, (6, 3)),
            place(3, (4, 3)),
            *(*numbers(IMAGES, (6, 3)), FILTER_SUMS, *numbers((3,))),
            bias=place(4, (4, 3), strides=(0, 8)),
        ),
        "a total has no bias",
    ),
    "results that lie on each other": (
        gathered(
            windows(1, rows=-1),
            place(2, (4, 3)),
            place(0, (6, 3), strides=(16, 8)),
            *numbers(IMAGES, (4, 3)),
            arena=144,
        ),
        "elements of a written place lie on each other",
    ),
    "results whose columns lie apart": (
        gathered(
            windows(1, rows=-1),
            place(2, (4, 3)),
            place(0, (6, 3), strides=(8, 48)),
            *numbers(IMAGES, (4, 3)),
            arena=144,
        ),
        "the columns of a product's result must be adjacent",
    ),
    "windows over what is written": (
        gathered(
            place(0, (2, 3), strides=(8, 8)),
            place(1, (3, 3)),
            place(0, (2, 3)),
            *numbers((3, 3)),
            axes=1,
            arena=48,
        ),
        OVERLAP,
    ),
    "filters over what is written": (
        gathered(
            windows(1, rows=-1),
            place(0, (4, 3)),
            place(0, (6, 3)),
            *numbers(IMAGES),
            arena=144,
        ),
        OVERLAP,
    ),
    "windows beyond their buffer": (
        gathered(
            place(1, (2, 4, 2, 2), strides=OVER),
            place(2, (4, 3)),
            place(3, (8, 3)),
            *numbers(IMAGES, (4, 3), (8, 3)),
        ),
        OUTSIDE,
    ),
    "windows beyond their row": (
        gathered(
            place(1, (2, 4, 2, 2), rows=0, strides=OVER),
            place(2, (4, 3)),
            place(3, (8, 3), rows=0),
            *(SEEN, FILTERS, *numbers((2, 4, 3), kind="rows")),
        ),
        "a place leaves its row",
    ),
    "windows that run backwards": (
        gathered(
            place(1, WINDOWS, strides=(64, 16, 16, -8), offset=8),
            place(2, (4, 3)),
            place(3, (6, 3)),
            *numbers(IMAGES, (4, 3), (6, 3)),
        ),
        "a place runs backwards",
    ),
    "a constant as the result of windows": (
        gathered(
            place(1, (2, 2), strides=(8, 8)),
            place(2, (2, 2)),
            place(3, (2, 2)),
            *(*numbers((3,), (2, 2)), buffer("constant", (2, 2))),
            axes=1,
        ),
        "a constant is written",
    ),
    "a product of whole numbers added to windows": (
        added(
            place(1, (6, 3), "int32", rows=0),
            place(2, (3, 4)),
            windows(3),
            *(*numbers((2, 3, 3), kind="rows", dtype="int32"), WEIGHTS, SEEN),
        ),
        "a product takes and gives float32 or float64",
    ),
    "a product with a bias added to windows": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            windows(3),
            *(FOUND, WEIGHTS, SEEN, *numbers((4,))),
            bias=place(4, (6, 4), strides=(0, 8)),
        ),
        ADDED,
    ),
    "a product added to windows without columns": (
        added(
            place(1, (24, 3), rows=0),
            place(2, (3, 1)),
            windows(3),
            *(*numbers((2, 12, 3), kind="rows"), *numbers((3, 1)), SEEN),
            axes=4,
        ),
        ADDED,
    ),
    "products of three axes added to windows": (
        added(
            place(1, (2, 3, 3), rows=0),
            place(2, (3, 4)),
            windows(3),
            *(FOUND, WEIGHTS, SEEN),
        ),
        ADDED,
    ),
    "a product with rows added to windows without": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            windows(3, rows=-1),
            *(FOUND, WEIGHTS, *numbers(IMAGES)),
        ),
        DIFFERENT,
    ),
    "a product with rows in its columns added to windows": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4), rows=1, strides=(8, 24)),
            place(3, (2, 3, 4), rows=0, strides=(64, 16, 8)),
            *(FOUND, *numbers((2, 2, 3), kind="rows"), SEEN),
        ),
        DIFFERENT,
    ),
    "a product of more sums than numbers added to windows": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (4, 4)),
            windows(3),
            *(FOUND, *numbers((4, 4)), SEEN),
        ),
        EXTENTS,
    ),
    "a product added to fewer windows": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            place(3, (2, 2, 2, 2), rows=0, strides=OVER),
            *(FOUND, WEIGHTS, SEEN),
        ),
        EXTENTS,
    ),
    "a product added to smaller windows": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            place(3, (2, 3, 1, 2), rows=0, strides=OVER),
            *(FOUND, WEIGHTS, SEEN),
        ),
        EXTENTS,
    ),
    "a product added to windows whose rows come second": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            place(3, (3, 2, 2, 2), rows=1, strides=(16, 64, 16, 8)),
            *(FOUND, WEIGHTS, SEEN),
        ),
        DIFFERENT,
    ),
    "a product added to windows of a constant": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            windows(3),
            *(FOUND, WEIGHTS, CONSTANT),
        ),
        "a constant is written",
    ),
    "a product added to windows of a total": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            windows(3),
            *(FOUND, WEIGHTS, *numbers(IMAGES, kind="total")),
        ),
        "this step can't write a total",
    ),
    "a product added to windows beyond their row": (
        added(
            place(1, (8, 3), rows=0),
            place(2, (3, 4)),
            place(3, (2, 4, 2, 2), rows=0, strides=OVER),
            *(*numbers((2, 4, 3), kind="rows"), WEIGHTS, SEEN),
        ),
        "a place leaves its row",
    ),
    "a product added to rows over each other in the arena": (
        added(
            place(1, (6, 3), rows=0),
            place(2, (3, 4)),
            place(0, WINDOWS, rows=0, strides=(56, 16, 16, 8)),
            *(FOUND, WEIGHTS),
            arena=128,
        ),
        "rows that are added to lie on each other",
    ),
    "a product added to what it reads": (
        added(
            place(0, (6, 3), rows=0),
            place(1, (3, 4)),
            place(0, WINDOWS, rows=0, strides=OVER),
            WEIGHTS,
            arena=144,
        ),
        OVERLAP,
    ),
    "a product added to the weights that it reads": (
        added(
            place(1, (6, 3), rows=0),
            place(0, (3, 4)),
            place(0, WINDOWS, rows=0, strides=OVER),
            FOUND,
            arena=128,
        ),
        OVERLAP,
    ),
    "a tail behind a product that is added": (
        plan(
            [
                step(
                    "product_to_windows",
                    place(1, (6, 3), rows=0),
                    place(2, (3, 4)),
                    place(3, (2, 3, 4), rows=0),
                    [0, 2],
                ),
                tail(
                    (2, 3, 4), place(3, (2, 3, 4), rows=0), place(3, (2, 3, 4), rows=0)
                ),
            ],
            [FOUND, WEIGHTS, *numbers((2, 3, 4), kind="rows")],
            rows=2,
        ),
        "a tail must follow a product",
    ),
    "shares of whole numbers": (
        shares(
            place(0, (2,), "int32"),
            place(0, (1,), "int32", offset=8),
            place(0, (2,), "int32", offset=16),
            axes=(0,),
        ),
        "shares are float32 or float64",
    ),
    "a part of another precision": (
        shares(
            place(0, (2,)),
            place(0, (1,), "float32", offset=64),
            place(0, (2,), offset=16),
            axes=(0,),
        ),
        "shares are float32 or float64",
    ),
    "a part without an axis that is left": (
        shares(
            windows(1),
            place(2, (2, 3, 2), rows=0),
            place(3, WINDOWS, rows=0),
            *SHARING,
        ),
        SHARES,
    ),
    "shares for other windows": (
        shares(
            windows(1),
            PARTS,
            place(3, (2, 2, 2, 2), rows=0, strides=(96, 32, 16, 8)),
            *SHARING,
        ),
        SHARES,
    ),
    "shares of rows where none are": (
        shares(windows(1), PARTS, place(0, WINDOWS), *SHARING),
        SHARES,
    ),
    "shares where rows are, of none": (
        shares(
            windows(1, rows=-1),
            place(2, (2, 3, 1, 2)),
            place(3, WINDOWS, rows=0),
            *(*numbers(IMAGES, (2, 3, 2)), SHARED),
        ),
        SHARES,
    ),
    "a part of rows for shares of none": (
        shares(
            windows(1, rows=-1),
            PARTS,
            place(0, WINDOWS),
            *(*numbers(IMAGES), *numbers((2, 3, 2), kind="rows")),
        ),
        SHARES,
    ),
    "a part for each of some rows alone": (
        shares(
            windows(1),
            place(2, (2, 3, 1, 2)),
            place(3, WINDOWS, rows=0),
            *(SEEN, *numbers((2, 3, 2)), SHARED),
        ),
        SHARES,
    ),
    "a part of as many as the windows": (
        shares(windows(1), windows(1), place(3, WINDOWS, rows=0), *SHARING),
        "the extents of a part are wrong",
    ),
    "a part of too few": (
        shares(
            windows(1),
            place(2, (2, 2, 1, 2), rows=0, strides=(48, 16, 16, 8)),
            place(3, WINDOWS, rows=0),
            *SHARING,
        ),
        "the extents of a part are wrong",
    ),
    "shares on each other": (
        shares(windows(1), PARTS, windows(3), *SHARING[:2], SEEN),
        "elements of a written place lie on each other",
    ),
    "shares over what they are of": (
        shares(
            place(0, (2, 2)),
            place(1, (1, 2)),
            place(0, (2, 2)),
            *numbers((2,)),
            axes=(0,),
        ),
        OVERLAP,
    ),
    "shares over the parts": (
        shares(
            place(1, (2, 2)),
            place(0, (1, 2)),
            place(0, (2, 2)),
            *numbers((2, 2)),
            axes=(0,),
        ),
        OVERLAP,
    ),
    "shares into a total": (
        shares(
            place(0, (2, 2)),
            place(0, (1, 2), offset=64),
            place(1, (2, 2)),
            *numbers((2, 2), kind="total"),
            axes=(0,),
        ),
        "this step can't write a total",
    ),
    "shares into a constant": (
        shares(
            place(0, (2, 4, 2)),
            place(0, (2, 1, 2), offset=256),
            place(1, (2, 4, 2)),
            CONSTANT,
            axes=(1,),
        ),
        "a constant is written",
    ),
    "truth values that are added": (
        addition(place(0, (2,), "bool"), place(0, (2,), "bool", offset=8)),
        ADDITION,
    ),
    "numbers added to those of another dtype": (
        addition(place(0, (2,)), place(0, (2,), "float32", offset=64)),
        ADDITION,
    ),
    "numbers added to fewer": (
        addition(place(0, (2, 2)), place(0, (2, 1), offset=64)),
        ADDITION,
    ),
    "rows added to where none are": (
        addition(
            place(1, WINDOWS, rows=0), windows(2, rows=-1), SHARED, *numbers(IMAGES)
        ),
        ADDITION,
    ),
    "what stands still added to rows": (
        addition(
            place(0, (2, 4, 2), strides=(0, 16, 8)), place(1, IMAGES, rows=0), SEEN
        ),
        ADDITION,
    ),
    "numbers added to a constant": (
        addition(place(0, IMAGES), place(1, IMAGES), CONSTANT),
        "a constant is written",
    ),
    "numbers added to a total": (
        addition(place(0, IMAGES), place(1, IMAGES), *numbers(IMAGES, kind="total")),
        "this step can't write a total",
    ),
    "numbers added beyond their buffer": (
        addition(place(0, (5,)), place(1, (5,)), *numbers((4,))),
        OUTSIDE,
    ),
    "numbers added to themselves": (
        addition(place(0, (5,)), place(0, (5,))),
        OVERLAP,
    ),
    "numbers added to those between them": (
        addition(place(0, (5,)), place(0, (5,), offset=32)),
        OVERLAP,
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_the_engine_takes(name: str) -> None:
    assert refusal(TAKEN[name]) == ""


@pytest.mark.parametrize("name", REFUSED)
def test_the_engine_refuses(name: str) -> None:
    words, rule = REFUSED[name]
    assert rule in refusal(words)
