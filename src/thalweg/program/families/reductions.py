"""What goes over axes, and leaves them with size 1 or takes them away."""

# The lambdas of the rows are typed by `Primitive`.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from functools import partial

import numpy as np

from thalweg.errors import ShapeError
from thalweg.program import ops
from thalweg.program.expressions import Attributes, Parts, Written, call, reduced
from thalweg.program.primitives import one_an_input, register
from thalweg.program.row_rules import SUM, Case, RowRule, RowsMeetError, common_axis
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
    if x.type.is_float and len(x.shape) - 1 not in axes:
        return (ct.trace.emit("share_max", (x, ct), axes=axes),)
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


# Its adjoint -------------------------------------------------------------------------


def share_max_type(x: ArrayType, part: ArrayType, axes: Shape) -> ArrayType:
    """The shape of x; a part for each maximum."""
    if not x.is_float or part != without(x, axes):
        raise ShapeError(
            f"what the largest elements of {x} share along axes {axes} must be "
            f"{without(x, axes)}, got {part}"
        )
    return x


def share_max(
    x: NumpyArray, part: NumpyArray, axes: Shape, out: NumpyArray | None = None
) -> NumpyArray:
    """The part of each maximum, shared by the elements that are as large; else 0."""
    is_largest = x == np.maximum.reduce(x, axis=axes, keepdims=True)
    count = np.add.reduce(is_largest, axis=axes, dtype=x.dtype, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # where NaN is the largest
        return put(np.where(is_largest, part / count, x.dtype.type(0)), out)


def share_max_gradient(
    ct: Tracer, _: Tracer, x: Tracer, part: Tracer, axes: Shape
) -> tuple[None, Tracer]:
    """What the shares of 1 make of the cotangent."""
    shares = ct.trace.emit("share_max", (x, ops.ones_like(part)), axes=axes)
    return None, ops.sum(ct * shares, axis=axes, keepdims=True)


def share_max_axis(case: Case) -> int:
    """Over other axes only; a part may stand still along the rows."""
    if case.axes[0] is None or case.axes[0] in case.attributes["axes"]:
        raise RowsMeetError
    return common_axis(case)


def share_max_text(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """share_max(x, part, axes=(3, 4))."""
    return call("share_max", *(part.text for part in parts), **attributes)


reduction(
    name="share_max",
    inputs=2,
    infer=share_max_type,
    meaning=share_max,
    gradient=share_max_gradient,
    rows=RowRule(share_max_axis),
    notation=share_max_text,
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
