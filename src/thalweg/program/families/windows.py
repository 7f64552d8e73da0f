"""Windows: all parts of one size of an array, as other strides over the same bytes.

Of x = (1, 2, 3, 4) the windows of size 2 are the rows of

    1 2
    2 3
    3 4

so a product with (w₁, w₂) is a convolution, and a maximum over the rows a pooling. With
a step of 2 only every second one is there; with a spacing of 2 a window leaves one
element out between two. The adjoint adds each window up where it was taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.expressions import Attributes, Parts, Written, call
from thalweg.program.primitives import one_an_input, register
from thalweg.program.row_rules import Case, RowRule, RowsMeetError
from thalweg.program.shape_rules import check_axes, not_bytes
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, NumpyArray, Shape, put

ATTRIBUTES = ("axes", "sizes", "steps", "spacing")


def windows_type(
    x: ArrayType, axes: Shape, sizes: Shape, steps: Shape, spacing: Shape
) -> ArrayType:
    """Each axis has as many elements as windows; theirs come behind the last one."""
    check_axes(x, axes)
    if not axes or not len(axes) == len(sizes) == len(steps) == len(spacing):
        raise ShapeError(
            "windows must have a size, a step and a spacing for each axis, got axes "
            f"{axes}, sizes {sizes}, steps {steps} and spacing {spacing}"
        )
    shape = list(x.shape)
    for axis, size, step, apart in zip(axes, sizes, steps, spacing, strict=True):
        if min(size, step, apart) < 1:
            raise ShapeError(
                f"sizes, steps and spacing of windows must be 1 or more, got {size}, "
                f"{step} and {apart}"
            )
        rest = shape[axis] - (size - 1) * apart - 1
        if rest < 0:
            raise ShapeError(
                f"a window over {(size - 1) * apart + 1} elements doesn't fit into "
                f"axis {axis} of shape {x.shape}"
            )
        shape[axis] = rest + 1 if step == 1 else rest // step + 1
    behind = axes[-1] + 1
    return ArrayType((*shape[:behind], *sizes, *shape[behind:]), x.dtype)


def windows(
    x: NumpyArray,
    axes: Shape,
    sizes: Shape,
    steps: Shape,
    spacing: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """All windows, over the same bytes, which can't be written through them."""
    view = windows_over(x, axes, sizes, steps, spacing)
    view.flags.writeable = False
    return put(view, out)


def windows_over(
    x: NumpyArray, axes: Shape, sizes: Shape, steps: Shape, spacing: Shape
) -> NumpyArray:
    """All windows, over the same bytes."""
    kind = ArrayType(tuple(x.shape), "float32")  # the dtype doesn't matter
    shape = windows_type(kind, axes, sizes, steps, spacing).shape
    strides = list(x.strides)
    inner = [x.strides[axis] * n for axis, n in zip(axes, spacing, strict=True)]
    for axis, step in zip(axes, steps, strict=True):
        strides[axis] *= step
    behind = axes[-1] + 1
    strides[behind:behind] = inner
    return np.lib.stride_tricks.as_strided(x, shape, strides)


def windows_gradient(
    ct: Tracer, _: Tracer, x: Tracer, **attributes: Shape
) -> tuple[Tracer]:
    """Each window's cotangent is added where the window was taken."""
    return (ct.trace.emit("add_windows", (ct,), **attributes, shape=x.shape),)


def windows_axis(case: Case) -> int:
    """Rows are no axis of windows; theirs may come before the axis of rows."""
    axes = case.attributes["axes"]
    if case.only in axes:
        raise RowsMeetError
    return case.only + (len(axes) if case.only > axes[-1] else 0)


def windows_text(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """windows(x, axes=(1,), sizes=(3,), steps=(1,), spacing=(1,))."""
    return call("windows", parts[0].text, **attributes)


register(
    name="windows",
    inputs=1,
    infer=windows_type,
    meaning=windows,
    gradient=windows_gradient,
    kind="view",
    rows=RowRule(windows_axis),
    notation=windows_text,
    attributes=ATTRIBUTES,
)


# The adjoint --------------------------------------------------------------------------


def add_windows_type(
    x: ArrayType,
    axes: Shape,
    sizes: Shape,
    steps: Shape,
    spacing: Shape,
    shape: Shape,
) -> ArrayType:
    """The windows of an array of this shape, added up."""
    not_bytes(x)
    if x.dtype == "bool":
        raise DtypeError("windows that are added up must be numbers, got booleans")
    result = ArrayType(shape, x.dtype)
    wanted = windows_type(result, axes, sizes, steps, spacing)
    if wanted != x:
        raise ShapeError(f"the windows of {result} are {wanted}, got {x}")
    return result


def add_windows(
    x: NumpyArray,
    axes: Shape,
    sizes: Shape,
    steps: Shape,
    spacing: Shape,
    shape: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """Zeros to which each window is added where it belongs."""
    result = np.empty(shape, x.dtype) if out is None else out
    result[...] = 0
    if not x.size:
        return result
    places = windows_over(result, axes, sizes, steps, spacing)
    behind = (slice(None),) * (axes[-1] + 1)
    for element in np.ndindex(*sizes):  # one after the other, since windows overlap
        places[(*behind, *element)] += x[(*behind, *element)]
    return result


def add_windows_gradient(
    ct: Tracer, _: Tracer, x: Tracer, shape: Shape, **attributes: Shape
) -> tuple[Tracer]:
    """The same windows of the cotangent."""
    return (ct.trace.emit("windows", (ct,), **attributes),)


def add_windows_axis(case: Case) -> int:
    """Rows are no axis of windows, and none within one."""
    axes: Sequence[int] = case.attributes["axes"]
    last, count = axes[-1], len(axes)
    if case.only in axes or last < case.only <= last + count:
        raise RowsMeetError
    return case.only - (count if case.only > last else 0)


def add_windows_text(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """add_windows(x, axes=(1,), sizes=(3,), steps=(1,), spacing=(1,), shape=(…))."""
    return call("add_windows", parts[0].text, **attributes)


register(
    name="add_windows",
    inputs=1,
    infer=add_windows_type,
    meaning=add_windows,
    gradient=add_windows_gradient,
    kind="index",
    rows=RowRule(add_windows_axis),
    cost=one_an_input,
    notation=add_windows_text,
    attributes=(*ATTRIBUTES, "shape"),
)
