"""Rows of a table by their numbers, and added up by their numbers."""

# The lambdas of the rows are typed by `Primitive`.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program import ops
from thalweg.program.expressions import ATOM, Attributes, Parts, Written
from thalweg.program.primitives import one_an_input, register
from thalweg.program.row_rules import SUM, Case, RowRule, RowsMeetError
from thalweg.program.shape_rules import not_bytes
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, NumpyArray, Shape


def check_numbers(indices: NumpyArray, rows: int) -> None:
    """Row numbers name rows that exist."""
    if indices.size and (indices.min() < 0 or indices.max() >= rows):
        raise ArgumentError(
            f"row numbers must lie in 0..{rows - 1}, "
            f"got {indices.min()}..{indices.max()}"
        )


# Taking ------------------------------------------------------------------------------


def take_type(table: ArrayType, indices: ArrayType) -> ArrayType:
    """Rows of a table by their numbers."""
    if indices.dtype != "int32":
        raise DtypeError(f"indices must be int32, got {indices.dtype}")
    if not table.shape or (table.shape[0] == 0 and indices.size):
        raise ShapeError(f"rows can't be taken from an array of shape {table.shape}")
    return ArrayType(indices.shape + table.shape[1:], table.dtype)


def take(
    table: NumpyArray, indices: NumpyArray, out: NumpyArray | None = None
) -> NumpyArray:
    """Rows of the table; a number outside it is an error, never a wrong row."""
    check_numbers(indices, len(table))
    return np.take(
        table, indices, axis=0, out=out, mode="clip" if out is not None else "raise"
    )


def take_gradient(
    ct: Tracer, _: Tracer, table: Tracer, indices: Tracer
) -> tuple[Tracer, None]:
    """Rows taken more than once add up."""
    return ct.trace.emit("scatter_add", (ct, indices), rows=table.shape[0]), None


def take_axis(case: Case) -> int:
    """Rows that name rows of a table."""
    table, indices = case.axes
    if table is not None or indices is None:
        raise RowsMeetError
    return indices


def take_text(parts: Parts, _: Attributes, shape: Shape) -> Written:
    """table[indices]."""
    table, indices = parts
    return f"{table.inside(ATOM)}[{indices.text}]", ATOM


register(
    name="take",
    inputs=2,
    infer=take_type,
    meaning=take,
    gradient=take_gradient,
    kind="index",
    rows=RowRule(take_axis),
    notation=take_text,
)


# Adding ------------------------------------------------------------------------------


def scatter_add_type(x: ArrayType, indices: ArrayType, rows: int) -> ArrayType:
    """The adjoint of `take`: x is added into rows of zeros."""
    not_bytes(x)
    if indices.dtype != "int32":
        raise DtypeError(f"indices must be int32, got {indices.dtype}")
    if x.shape[: len(indices.shape)] != indices.shape or rows < 0:
        raise ShapeError(f"shape {x.shape} doesn't go with indices of {indices.shape}")
    return ArrayType((rows, *x.shape[len(indices.shape) :]), x.dtype)


def scatter_add(
    x: NumpyArray, indices: NumpyArray, rows: int, out: NumpyArray | None = None
) -> NumpyArray:
    """Zeros, and every row of x added to the row that its index names."""
    check_numbers(indices, rows)
    shape = (rows, *x.shape[indices.ndim :])
    result = np.empty(shape, x.dtype) if out is None else out
    result[...] = 0
    np.add.at(result, indices, x)
    return result


def scatter_add_axis(case: Case) -> int:
    """Rows added into a table."""
    x, indices = case.axes
    if x is None or x != indices:
        raise RowsMeetError
    return SUM


register(
    name="scatter_add",
    inputs=2,
    infer=scatter_add_type,
    meaning=scatter_add,
    gradient=lambda ct, out, x, indices, rows: (ops.take(ct, indices), None),
    kind="index",
    rows=RowRule(scatter_add_axis),
    cost=one_an_input,
    attributes=("rows",),
)
