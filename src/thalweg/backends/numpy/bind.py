"""The calls by which NumPy does a step fastest, with its arrays bound to it.

They mean what the primitive's row says, to the bit or within rounding; a primitive
that isn't here is bound to its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import NumpyArray, Shape

Call = Callable[[], object]
Binder = Callable[[Sequence[NumpyArray], NumpyArray, Mapping[str, Any]], list[Call]]

FEW = 512  # elements below which one slow call costs less than several fast ones
FEW_SUMMED = 16_384  # above, NumPy adds pairwise, which is more exact
FEW_REPEATED = 65_536  # elements of a constant that may be kept in full
WHOLE_OF_SIZE = {1: np.int8, 4: np.int32, 8: np.int64}
NAMED_OUT = (np.maximum, np.minimum)  # NumPy wants their `out` by its name


def bind(
    opcode: str,
    inputs: Sequence[NumpyArray],
    out: NumpyArray,
    attributes: Mapping[str, Any],
) -> list[Call]:
    """The calls that do one step, in order.

    Arguments:
        opcode: a primitive's name.
        inputs: where it reads.
        out: where it writes.
        attributes: of the step.
    """
    if opcode in BINDERS:
        return BINDERS[opcode](inputs, out, attributes)
    meaning = PRIMITIVES[opcode].meaning
    if not out.ndim and PRIMITIVES[opcode].kind == "elementwise":
        # One element costs NumPy less in an array with an axis than without.
        inputs, out = [x.reshape(1) for x in inputs], out.reshape(1)
    if isinstance(meaning, np.ufunc):
        return [call(meaning, [unrepeated(x) for x in inputs], out)]
    return [partial(meaning, *inputs, out=out, **attributes)]


def call(function: Any, inputs: Sequence[NumpyArray], out: NumpyArray) -> Call:
    """An elementwise function; `out` by position saves NumPy reading a name."""
    if function in NAMED_OUT:
        return partial(function, *(spelled_out(x, out) for x in inputs), out=out)
    return partial(function, *inputs, out)


def spelled_out(array: NumpyArray, out: NumpyArray) -> NumpyArray:
    """A small constant in the output's shape: extrema of full arrays run faster."""
    if array.flags.writeable or out.size > FEW_REPEATED:
        return array
    return np.ascontiguousarray(np.broadcast_to(array, out.shape))


def unrepeated(array: NumpyArray) -> NumpyArray:
    """Without leading axes that only repeat, which NumPy repeats faster by itself."""
    while array.ndim and array.strides[0] == 0:
        array = array[0, ...]  # a view also where no axis is left
    return array


def like(out: NumpyArray, value: float) -> NumpyArray:
    """A single number of the output's dtype, which NumPy needn't convert."""
    return np.array(value, out.dtype)


def bind_sigmoid(
    inputs: Sequence[NumpyArray], out: NumpyArray, _: Mapping[str, Any]
) -> list[Call]:
    """1 / (1 + e^−x) in place."""
    one = like(out, 1)
    return [
        partial(np.negative, inputs[0], out),
        partial(np.exp, out, out),
        partial(np.add, out, one, out),
        partial(np.divide, one, out, out),
    ]


def bind_softplus(
    inputs: Sequence[NumpyArray], out: NumpyArray, _: Mapping[str, Any]
) -> list[Call]:
    """max(x, 0) + log(1 + e^−|x|), the second part in memory of its own."""
    x, tail = inputs[0], np.empty_like(out)
    if out.size <= FEW:
        return [partial(np.logaddexp, x, like(out, 0), out)]
    return [
        partial(np.absolute, x, tail),
        partial(np.negative, tail, tail),
        partial(np.exp, tail, tail),
        partial(np.log1p, tail, tail),
        partial(np.maximum, x, like(out, 0), out=out),
        partial(np.add, out, tail, out),
    ]


def bind_select(
    inputs: Sequence[NumpyArray], out: NumpyArray, _: Mapping[str, Any]
) -> list[Call]:
    """x or y by their bits, y ^ ((x ^ y) · c), which needs no memory in each step."""
    whole = WHOLE_OF_SIZE[out.itemsize]
    condition, x, y = inputs[0], inputs[1].view(whole), inputs[2].view(whole)
    result = out.view(whole)
    if is_zero(inputs[2]):
        return [partial(np.multiply, x, condition, result)]
    differing = np.empty(out.shape, whole)
    return [
        partial(np.bitwise_xor, x, y, differing),
        partial(np.multiply, differing, condition, differing),
        partial(np.bitwise_xor, y, differing, result),
    ]


def is_zero(array: NumpyArray) -> bool:
    """Whether an array is a constant +0, repeated or not."""
    value = unrepeated(array)
    constant = value.ndim == 0 and not value.flags.writeable
    return constant and not any(value.tobytes())


def bind_matmul(
    inputs: Sequence[NumpyArray], out: NumpyArray, attributes: Mapping[str, Any]
) -> list[Call]:
    """`np.dot` of two matrices, which has less to decide than `np.matmul`."""
    if out.ndim != 2:
        return [partial(PRIMITIVES["matmul"].meaning, *inputs, out=out, **attributes)]
    left = inputs[0].T if attributes["transpose_a"] else inputs[0]
    right = inputs[1].T if attributes["transpose_b"] else inputs[1]
    return [partial(np.dot, left, right, out)]


def bind_sum(
    inputs: Sequence[NumpyArray], out: NumpyArray, attributes: Mapping[str, Any]
) -> list[Call]:
    """A sum; few numbers are added up by a product with ones, which starts faster."""
    x, axes = inputs[0], attributes["axes"]
    if len(axes) == 1 and x.dtype.kind == "f" and 0 < x.size <= FEW_SUMMED:
        ones = np.ones(x.shape[axes[0]], x.dtype)
        if x.flags.c_contiguous and x.ndim <= 2:
            factors = (ones, x) if axes == (0,) else (x, ones)
            return [partial(np.dot, *factors, kept(out, axes))]
    return [reduction(np.add, x, out, axes)]


def bind_max(
    inputs: Sequence[NumpyArray], out: NumpyArray, attributes: Mapping[str, Any]
) -> list[Call]:
    """A maximum."""
    return [reduction(np.maximum, inputs[0], out, attributes["axes"])]


def reduction(function: Any, x: NumpyArray, out: NumpyArray, axes: Shape) -> Call:
    """Over axes that are gone from the output's view already."""
    axis = axes[0] if len(axes) == 1 else axes
    return partial(function.reduce, x, axis, None, kept(out, axes))


def kept(out: NumpyArray, axes: Shape) -> NumpyArray:
    """An output without the axes of size 1 that were reduced."""
    return out.reshape([n for i, n in enumerate(out.shape) if i not in axes])


def bind_argmax(
    inputs: Sequence[NumpyArray], out: NumpyArray, attributes: Mapping[str, Any]
) -> list[Call]:
    """Positions in NumPy's own whole numbers, in memory of their own, then in ours."""
    found = np.empty(out.shape, np.intp)
    return [
        partial(inputs[0].argmax, attributes["axis"], found),
        partial(np.copyto, out, found, "same_kind"),
    ]


BINDERS: Mapping[str, Binder] = {
    "sigmoid": bind_sigmoid,
    "softplus": bind_softplus,
    "select": bind_select,
    "matmul": bind_matmul,
    "sum": bind_sum,
    "max": bind_max,
    "argmax": bind_argmax,
}
