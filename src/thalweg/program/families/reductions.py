"""What goes over axes, and leaves them with size 1 or takes them away."""

# The lambdas of the rows are typed by `Primitive`.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from functools import partial

import numpy as np

from thalweg.errors import ShapeError
from thalweg.program import ops
from thalweg.program.expressions import reduced
from thalweg.program.primitives import one_an_input, register
from thalweg.program.row_rules import SUM, Case, RowRule, RowsMeetError
from thalweg.program.shape_rules import check_axes, numbers
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, NumpyArray, Shape, put

WHOLE = "positions are whole numbers, which have no derivative"
reduction = partial(register, kind="reduction", cost=one_an_input)


def without(x: ArrayType, axes: Shape) -> ArrayType:
    """The reduced axes stay, with size 1."""
    check_axes(x, axes)
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return ArrayType(shape, x.dtype)


# Sum ---------------------------------------------------------------------------------


def sum_type(x: ArrayType, axes: Shape) -> ArrayType:
    """A sum of numbers."""
    return without(numbers(x), axes)


def sum_array(x: NumpyArray, axes: Shape, out: NumpyArray | None = None) -> NumpyArray:
    """Sum over the axes, which stay with size 1."""
    return np.add.reduce(x, axis=axes, dtype=x.dtype, out=out, keepdims=True)


def sum_axis(case: Case) -> int:
    """Over the rows: a sum; over other axes: the axis stays."""
    return SUM if case.only in case.attributes["axes"] else case.only


reduction(
    name="sum",
    inputs=1,
    infer=sum_type,
    meaning=sum_array,
    gradient=lambda ct, out, x, axes: (ops.broadcast_to(ct, x.shape),),
    rows=RowRule(sum_axis),
    notation=reduced("sum"),
    attributes=("axes",),
)


# Maximum -----------------------------------------------------------------------------


def max_type(x: ArrayType, axes: Shape) -> ArrayType:
    """A maximum of at least one number."""
    if any(x.shape[a] == 0 for a in axes if 0 <= a < len(x.shape)):
        raise ShapeError(f"the maximum of no elements: shape {x.shape}, axes {axes}")
    return without(numbers(x), axes)


def max_array(x: NumpyArray, axes: Shape, out: NumpyArray | None = None) -> NumpyArray:
    """Maximum over the axes, which stay with size 1; NaN wins."""
    return np.maximum.reduce(x, axis=axes, out=out, keepdims=True)


def max_gradient(ct: Tracer, largest: Tracer, x: Tracer, axes: Shape) -> tuple[Tracer]:
    """The largest elements share the cotangent."""
    is_largest = ops.cast(ops.equal(x, largest), x.type.dtype)
    return (ct * is_largest / ops.sum(is_largest, axis=axes, keepdims=True),)


def max_axis(case: Case) -> int:
    """Over other axes only."""
    if case.only in case.attributes["axes"]:
        raise RowsMeetError
    return case.only


reduction(
    name="max",
    inputs=1,
    infer=max_type,
    meaning=max_array,
    gradient=max_gradient,
    rows=RowRule(max_axis),
    notation=reduced("max"),
    attributes=("axes",),
)


# Where the maximum is ----------------------------------------------------------------


def argmax_type(x: ArrayType, axis: int) -> ArrayType:
    """Positions along one axis, which goes."""
    max_type(x, (axis,))
    return ArrayType(x.shape[:axis] + x.shape[axis + 1 :], "int32")


def argmax_array(x: NumpyArray, axis: int, out: NumpyArray | None = None) -> NumpyArray:
    """Position of the first largest element."""
    return put(np.argmax(x, axis=axis).astype(np.int32), out)


def argmax_axis(case: Case) -> int:
    """The reduced axis goes."""
    gone: int = case.attributes["axis"]
    if gone == case.only:
        raise RowsMeetError
    return case.only - (gone < case.only)


reduction(
    name="argmax",
    inputs=1,
    infer=argmax_type,
    meaning=argmax_array,
    gradient=WHOLE,
    rows=RowRule(argmax_axis),
    attributes=("axis",),
)
