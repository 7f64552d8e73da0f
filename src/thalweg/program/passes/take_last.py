"""Rows of a table are taken last: what is linear in them is done on the table.

    take(T, i) @ W = take(T @ W, i)
    take(T, i) + b = take(T + b, i)

where T has fewer rows than are taken of it. So what the characters of a text mean to a
recurrent layer is computed once for each character there is, not for each of the text,
and so are its gradients. Every number taken is made of the same products, in the same
order: the values are the same to the bit, as long as the engine adds up a sum in one
piece, whatever is added to it then. A row of T that is infinite is found by the
gradients even if nothing takes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.rewrite import definition, rewrite
from thalweg.program.sizes import at, names_in
from thalweg.program.trace import Trace, Tracer

MOST_SUMMED = 256  # products that are added up in one piece
USUAL_ROWS = 8  # what a number that isn't known is taken for


def take_last(program: Program) -> Program:
    """The program that takes rows of products and sums from a table, where it pays."""
    if all(each.opcode != "take" for each in program.instructions):
        return program
    return rewrite(program, (), (product_of_taken, sum_with_taken))


def product_of_taken(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """take(T, i) @ W = take(T @ W, i), whatever shape the rows taken were given."""
    if opcode != "matmul" or attributes["transpose_a"] or inputs[0].ndim != 2:
        return None
    rows, factor = inputs
    found = taken_rows(rows)
    if found is None:
        return None
    table, indices = found
    if not is_summed_at_once(table):
        return None
    product = recording.emit("matmul", (table, factor), **attributes)
    taken = recording.emit("take", (product, indices))
    return ops.reshape(taken, (rows.shape[0], product.shape[1]))


def sum_with_taken(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """take(T, i) + b = take(T + b, i), where b is the same for all rows."""
    del attributes
    if opcode != "add":
        return None
    for rows, other in (inputs, inputs[::-1]):
        found, repeated = taken_rows(rows), definition(other)
        if found is None or repeated is None or repeated[0] != "broadcast":
            continue
        table, indices = found
        (once,) = repeated[1]
        is_one_row = not any(names_in(n) or n != 1 for n in once.shape[:-1])
        if not is_one_row or once.shape[-1:] != table.shape[1:]:
            continue
        added = table + ops.reshape(once, table.shape[1:])
        return ops.reshape(recording.emit("take", (added, indices)), rows.shape)
    return None


def taken_rows(rows: Tracer) -> tuple[Tracer, Tracer] | None:
    """The table and the numbers of rows taken of it, where they are more than it has.

    They may have got another shape, but each is still a row.
    """
    found = definition(rows)
    if found is not None and found[0] == "reshape":
        found = definition(found[1][0])
    if found is None or found[0] != "take":
        return None
    table, indices = found[1]
    is_rows = table.ndim == 2 and table.shape[1:] == rows.shape[-1:]
    return (table, indices) if is_rows and is_smaller(table, indices) else None


def is_summed_at_once(table: Tracer) -> bool:
    """Whether products with a row of a table are added up in one piece."""
    size = table.shape[1]
    return not names_in(size) and size <= MOST_SUMMED


def is_smaller(table: Tracer, indices: Tracer) -> bool:
    """Whether a table surely has fewer rows than are taken, for the usual batch."""
    known, count = table.shape[0], math.prod(indices.shape)
    if names_in(known):
        return False
    return known < at(count, dict.fromkeys(names_in(count), USUAL_ROWS))
