"""What moves elements: other strides over the same bytes, and their adjoints."""

# The lambdas of the rows are typed by `Primitive`.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from functools import partial

import numpy as np

from thalweg.errors import DtypeError, ShapeError
from thalweg.program import ops
from thalweg.program.expressions import (
    ATOM,
    Attributes,
    Parts,
    Written,
    added_ones,
    call,
)
from thalweg.program.primitives import register
from thalweg.program.row_rules import Case, RowRule, RowsMeetError, common_axis
from thalweg.program.shape_rules import check_axes
from thalweg.program.sizes import names_in
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, NumpyArray, Shape, put

view = partial(register, kind="view")


# Reshape -----------------------------------------------------------------------------


def reshape_type(x: ArrayType, shape: Shape) -> ArrayType:
    """The same number of elements."""
    if math.prod(shape) != x.size or any(n < 0 for n in shape):
        raise ShapeError(f"shape {x.shape} can't be reshaped to {shape}")
    return ArrayType(shape, x.dtype)


def reshape(x: NumpyArray, shape: Shape, out: NumpyArray | None = None) -> NumpyArray:
    """The elements in order, in another shape."""
    return put(np.reshape(x, shape), out)


def reshape_axis(case: Case) -> int:
    """The axis with as many elements before it, if its size still counts rows."""
    before = math.prod(case.types[0].shape[: case.only])
    shape: Shape = case.attributes["shape"]
    for axis, size in enumerate(shape):
        if math.prod(shape[:axis]) == before and "rows" in names_in(size):
            return axis
    raise RowsMeetError


def reshape_text(parts: Parts, _: Attributes, shape: Shape) -> Written:
    """x[:, None], x[:, 0] or reshape(x, shape)."""
    (part,) = parts
    added, dropped = added_ones(part.shape, shape), added_ones(shape, part.shape)
    for places, key in ((added, "None"), (dropped, "0")):
        if places:
            keys = [key if i in places else ":" for i in range(places[-1] + 1)]
            return f"{part.inside(ATOM)}[{', '.join(keys)}]", ATOM
    if shape[:1] == part.shape[:1] and math.prod(shape):
        return call("reshape", part.text, (-1, *shape[1:]))
    return call("reshape", part.text, shape)


view(
    name="reshape",
    inputs=1,
    infer=reshape_type,
    meaning=reshape,
    gradient=lambda ct, out, x, shape: (ops.reshape(ct, x.shape),),
    rows=RowRule(reshape_axis, linear=True),
    notation=reshape_text,
    attributes=("shape",),
)


# Transpose ---------------------------------------------------------------------------


def transpose_type(x: ArrayType, axes: Shape) -> ArrayType:
    """The axes in another order."""
    if sorted(axes) != list(range(len(x.shape))):
        raise ShapeError(f"axes {axes} are no order of the axes of shape {x.shape}")
    return ArrayType(tuple(x.shape[a] for a in axes), x.dtype)


def transpose(x: NumpyArray, axes: Shape, out: NumpyArray | None = None) -> NumpyArray:
    """The axes in another order."""
    return put(np.transpose(x, axes), out)


def transpose_gradient(ct: Tracer, _: Tracer, x: Tracer, axes: Shape) -> tuple[Tracer]:
    """Back in their order."""
    return (ops.transpose(ct, [axes.index(i) for i in range(len(axes))]),)


def transpose_axis(case: Case) -> int:
    """Where the axis went."""
    return case.attributes["axes"].index(case.only)


def transpose_text(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """x.T."""
    axes = attributes["axes"]
    if axes == (1, 0):
        return f"{parts[0].inside(ATOM)}.T", ATOM
    return call("transpose", parts[0].text, axes)


view(
    name="transpose",
    inputs=1,
    infer=transpose_type,
    meaning=transpose,
    gradient=transpose_gradient,
    rows=RowRule(transpose_axis, linear=True),
    notation=transpose_text,
    attributes=("axes",),
)


# Broadcast ---------------------------------------------------------------------------


def broadcast_type(x: ArrayType, shape: Shape) -> ArrayType:
    """Size 1 is repeated, new axes come first."""
    kept = shape[len(shape) - len(x.shape) :] if len(shape) >= len(x.shape) else None
    if kept is None or any(a not in (1, b) for a, b in zip(x.shape, kept, strict=True)):
        raise ShapeError(f"shape {x.shape} can't be broadcast to {shape}")
    return ArrayType(shape, x.dtype)


def broadcast(x: NumpyArray, shape: Shape, out: NumpyArray | None = None) -> NumpyArray:
    """Size 1 repeated, new axes first."""
    return put(np.broadcast_to(x, shape), out)


def broadcast_gradient(ct: Tracer, _: Tracer, x: Tracer, shape: Shape) -> tuple[Tracer]:
    """What was repeated adds up."""
    new = ct.ndim - x.ndim
    repeated = [a for a, n in enumerate(x.shape, new) if n == 1 != ct.shape[a]]
    total = ops.sum(ct, axis=(*range(new), *repeated), keepdims=True)
    return (ops.reshape(total, x.shape),)


def broadcast_axis(case: Case) -> int:
    """New axes come first."""
    return case.only + len(case.attributes["shape"]) - len(case.types[0].shape)


view(
    name="broadcast",
    inputs=1,
    infer=broadcast_type,
    meaning=broadcast,
    gradient=broadcast_gradient,
    rows=RowRule(broadcast_axis),
    attributes=("shape",),
)


# Slice -------------------------------------------------------------------------------


def slice_type(x: ArrayType, starts: Shape, stops: Shape, steps: Shape) -> ArrayType:
    """From start to stop by step along every axis; backwards at least one element."""
    if not len(x.shape) == len(starts) == len(stops) == len(steps):
        raise ShapeError(f"a slice of shape {x.shape} needs a start for every axis")
    sizes: list[int] = []
    for n, start, stop, step in zip(x.shape, starts, stops, steps, strict=True):
        forwards = step >= 1 and 0 <= start <= stop <= n
        backwards = step <= -1 and -1 <= stop < start < n
        if not (forwards or backwards):
            raise ShapeError(f"slice {start}:{stop}:{step} leaves an axis of size {n}")
        sizes.append(count_of(start, stop, step))
    return ArrayType(tuple(sizes), x.dtype)


def count_of(start: int, stop: int, step: int) -> int:
    """How many elements there are from start to stop, which isn't one of them.

    >>> count_of(0, 5, 2), count_of(4, -1, -2)
    (3, 3)
    """
    way, each = (stop - start, step) if step > 0 else (start - stop, -step)
    return way if each == 1 else -(-way // each)


def slice_array(
    x: NumpyArray,
    starts: Shape,
    stops: Shape,
    steps: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """From start to stop by step along every axis."""
    ends = [None if stop < 0 else stop for stop in stops]
    return put(x[(..., *map(slice, starts, ends, steps))], out)


def slice_gradient(
    ct: Tracer, _: Tracer, x: Tracer, starts: Shape, stops: Shape, steps: Shape
) -> tuple[Tracer]:
    """Back to its place, among zeros; what ran backwards is turned around before."""
    turned = [step < 0 for step in steps]
    if any(turned):
        ct = ct[tuple(slice(None, None, -1 if each else 1) for each in turned)]
    firsts = tuple(
        start + (n - 1) * step if step < 0 else start
        for n, start, step in zip(ct.shape, starts, steps, strict=True)
    )
    apart = tuple(map(abs, steps))
    return (ct.trace.emit("pad", (ct,), starts=firsts, steps=apart, shape=x.shape),)


def slice_axis(case: Case) -> int:
    """All rows, or rows meet with their numbers."""
    axis, size = case.only, case.types[0].shape[case.only]
    bounds = [case.attributes[name][axis] for name in ("starts", "stops", "steps")]
    if bounds != [0, size, 1]:
        raise RowsMeetError
    return axis


def slice_text(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """x[:, 2:5]."""
    (part,) = parts
    bounds = zip(
        part.shape,
        *(attributes[name] for name in ("starts", "stops", "steps")),
        strict=True,
    )
    keys = [key_text(*each) for each in bounds]
    for axis in attributes.get("dropped", ()):
        keys[axis] = str(attributes["starts"][axis])
    while len(keys) > 1 and keys[-1] == ":":
        keys.pop()
    return f"{part.inside(ATOM)}[{', '.join(keys)}]", ATOM


def key_text(size: int, start: int, stop: int, step: int) -> str:
    """2:5, with nothing where the axis begins or ends.

    >>> key_text(6, 2, 5, 1), key_text(6, 0, 6, 2), key_text(6, 5, -1, -1)
    ('2:5', '::2', '::-1')
    """
    ends = (0, size) if step > 0 else (size - 1, -1)
    first, last = (
        "" if place == end else str(place)
        for place, end in zip((start, stop), ends, strict=True)
    )
    return f"{first}:{last}" + (f":{step}" if step != 1 else "")


view(
    name="slice",
    inputs=1,
    infer=slice_type,
    meaning=slice_array,
    gradient=slice_gradient,
    rows=RowRule(slice_axis),
    notation=slice_text,
    attributes=("starts", "stops", "steps"),
)


# Pad, the adjoint of slice -----------------------------------------------------------


def pad_type(x: ArrayType, starts: Shape, steps: Shape, shape: Shape) -> ArrayType:
    """The array set into zeros of a larger shape, from start by step."""
    if not len(x.shape) == len(starts) == len(steps) == len(shape):
        raise ShapeError(f"a pad of shape {x.shape} needs a start for every axis")
    for n, start, step, total in zip(x.shape, starts, steps, shape, strict=True):
        last = start + (n - 1) * step if n else start
        if start < 0 or step < 1 or total < 0 or (n and last >= total):
            raise ShapeError(f"shape {x.shape} at {starts} by {steps} leaves {shape}")
    return ArrayType(shape, x.dtype)


def pad(
    x: NumpyArray,
    starts: Shape,
    steps: Shape,
    shape: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """The array set into zeros, from start by step."""
    result = np.empty(shape, x.dtype) if out is None else out
    result[...] = 0
    sizes = zip(starts, steps, x.shape, strict=True)
    result[tuple(slice(a, a + s * n, s) for a, s, n in sizes)] = x
    return result


def pad_gradient(
    ct: Tracer, _: Tracer, x: Tracer, starts: Shape, steps: Shape, shape: Shape
) -> tuple[Tracer]:
    """Out of its place again."""
    sizes = zip(starts, steps, x.shape, strict=True)
    place = tuple(slice(a, a + s * (n - 1) + 1 if n else a, s) for a, s, n in sizes)
    return (ct[place],)


def pad_axis(case: Case) -> int:
    """Along other axes only."""
    axis, size = case.only, case.types[0].shape[case.only]
    bounds = [case.attributes[name][axis] for name in ("starts", "steps", "shape")]
    if bounds != [0, 1, size]:
        raise RowsMeetError
    return axis


def pad_text(parts: Parts, attributes: Attributes, shape: Shape) -> Written:
    """pad(x, zeros before and after)."""
    (part,) = parts
    if not shape:
        return part.text, part.level
    if any(step != 1 for step in attributes["steps"]):
        return call("spread", part.text, **attributes)
    sizes = zip(attributes["starts"], part.shape, shape, strict=True)
    return call("pad", part.text, tuple((a, total - a - n) for a, n, total in sizes))


register(
    name="pad",
    inputs=1,
    infer=pad_type,
    meaning=pad,
    gradient=pad_gradient,
    kind="index",
    rows=RowRule(pad_axis),
    notation=pad_text,
    attributes=("starts", "steps", "shape"),
)


# Concatenate -------------------------------------------------------------------------


def concatenate_type(*types: ArrayType, axis: int) -> ArrayType:
    """Sizes add up along one axis, and agree along the others."""
    first = types[0]
    check_axes(first, (axis,))
    total = 0
    for each in types:
        rest = each.shape[:axis] + each.shape[axis + 1 :]
        if rest != first.shape[:axis] + first.shape[axis + 1 :]:
            raise ShapeError(
                f"shapes {first.shape} and {each.shape} can't be joined on axis {axis}"
            )
        if each.dtype != first.dtype:
            raise DtypeError(f"dtypes must be equal: {first.dtype} and {each.dtype}")
        total += each.shape[axis]
    return ArrayType(
        (*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype
    )


def concatenate(
    *arrays: NumpyArray, axis: int, out: NumpyArray | None = None
) -> NumpyArray:
    """One after the other along an axis."""
    return np.concatenate(arrays, axis=axis, out=out)


def concatenate_gradient(
    ct: Tracer, _: Tracer, *parts: Tracer, axis: int
) -> tuple[Tracer, ...]:
    """Each part gets its piece."""
    pieces: list[Tracer] = []
    start = 0
    for part in parts:
        stop = start + part.shape[axis]
        pieces.append(ct[(slice(None),) * axis + (slice(start, stop),)])
        start = stop
    return tuple(pieces)


def concatenate_axis(case: Case) -> int:
    """Side by side, not one below the other."""
    axis = common_axis(case)
    if axis == case.attributes["axis"]:
        raise RowsMeetError
    return axis


def concatenate_text(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """concatenate([x, y], axis=1)."""
    return call("concatenate", f"[{', '.join(p.text for p in parts)}]", **attributes)


register(
    name="concatenate",
    inputs=None,
    infer=concatenate_type,
    meaning=concatenate,
    gradient=concatenate_gradient,
    kind="index",
    rows=RowRule(concatenate_axis, shared=True, linear=True),
    notation=concatenate_text,
    attributes=("axis",),
)
