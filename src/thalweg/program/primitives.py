"""The closed list of what a program can do, one row a primitive.

A row holds the name, the kind, the shape rule and the meaning in NumPy; the gradient
formula stands in `gradients`, or the row says why there is none. Elementwise
primitives take arrays of one shape: whatever has to be repeated is broadcast by an
instruction of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program.random import random_bits
from thalweg.program.types import DTYPES, ArrayType, Dtype, NumpyArray, Shape

Kind = Literal[
    "constant", "elementwise", "reduction", "view", "product", "index", "random"
]
ShapeRule = Callable[..., ArrayType]
Meaning = Callable[..., NumpyArray]


@dataclass(frozen=True)
class Primitive:
    """One row of the table.

    `infer(*types, **attributes)` is the shape rule, `meaning(*arrays, out=None,
    **attributes)` the meaning. `attributes` names what an instruction carries.
    `no_gradient` is empty, or the reason why there is no gradient formula.
    """

    name: str
    kind: Kind
    inputs: int | None
    infer: ShapeRule
    meaning: Meaning
    attributes: tuple[str, ...] = ()
    no_gradient: str = ""
    commutative: bool = False
    version: int = 1  # raised when the meaning changes, so that old files are refused


# Shape rules ---------------------------------------------------------------------


def same_shape(types: tuple[ArrayType, ...]) -> Shape:
    """The one shape that all types share."""
    shape = types[0].shape
    for other in types[1:]:
        if other.shape != shape:
            raise ShapeError(f"shapes must be equal, got {shape} and {other.shape}")
    return shape


def same_type(*types: ArrayType) -> ArrayType:
    """The one type that all inputs share, and so does the output."""
    same_shape(types)
    for other in types[1:]:
        if other.dtype != types[0].dtype:
            raise DtypeError(
                f"dtypes must be equal, got {types[0].dtype} and {other.dtype}"
            )
    return types[0]


def numbers(*types: ArrayType) -> ArrayType:
    """Arithmetic: one type, not boolean."""
    if types[0].dtype == "bool":
        raise DtypeError("arithmetic takes numbers, got booleans: cast them first")
    return same_type(*types)


def floats(*types: ArrayType) -> ArrayType:
    """A function of real numbers: one floating-point type."""
    for each in types:
        if not each.is_float:
            raise DtypeError(f"must be float32 or float64, got {each.dtype}")
    return same_type(*types)


def comparison(*types: ArrayType) -> ArrayType:
    """Two arrays of one type give booleans."""
    return ArrayType(same_type(*types).shape, "bool")


def booleans(*types: ArrayType) -> ArrayType:
    """Booleans give booleans."""
    if types[0].dtype != "bool":
        raise DtypeError(f"must be booleans, got {types[0].dtype}")
    return same_type(*types)


def select_type(condition: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
    """A boolean condition and two arrays of one type."""
    booleans(condition)
    same_shape((condition, x, y))
    return same_type(x, y)


def cast_type(x: ArrayType, dtype: Dtype) -> ArrayType:
    """The same shape in another dtype."""
    if dtype not in DTYPES:
        raise DtypeError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype}")
    return ArrayType(x.shape, dtype)


def constant_type(value: NumpyArray) -> ArrayType:
    """A constant has its own type."""
    if value.dtype.name not in DTYPES:
        raise DtypeError(f"dtype must be one of {', '.join(DTYPES)}, got {value.dtype}")
    return ArrayType(tuple(value.shape), value.dtype.name)


def check_axes(x: ArrayType, axes: tuple[int, ...]) -> None:
    """Axes must exist, in rising order, each once."""
    if list(axes) != sorted(set(axes)) or any(not 0 <= a < len(x.shape) for a in axes):
        raise ShapeError(f"axes {axes} don't fit an array of shape {x.shape}")


def reduced(x: ArrayType, axes: tuple[int, ...]) -> ArrayType:
    """The reduced axes stay, with size 1."""
    check_axes(x, axes)
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    return ArrayType(shape, x.dtype)


def sum_type(x: ArrayType, axes: tuple[int, ...]) -> ArrayType:
    """A sum of numbers."""
    numbers(x)
    return reduced(x, axes)


def max_type(x: ArrayType, axes: tuple[int, ...]) -> ArrayType:
    """A maximum of at least one number."""
    if any(x.shape[a] == 0 for a in axes if 0 <= a < len(x.shape)):
        raise ShapeError(f"the maximum of no elements: shape {x.shape}, axes {axes}")
    return reduced(numbers(x), axes)


def argmax_type(x: ArrayType, axis: int) -> ArrayType:
    """Positions along one axis, which goes."""
    max_type(x, (axis,))
    return ArrayType(x.shape[:axis] + x.shape[axis + 1 :], "int32")


def reshape_type(x: ArrayType, shape: Shape) -> ArrayType:
    """The same number of elements."""
    if math.prod(shape) != x.size or any(n < 0 for n in shape):
        raise ShapeError(f"shape {x.shape} can't be reshaped to {shape}")
    return ArrayType(shape, x.dtype)


def transpose_type(x: ArrayType, axes: tuple[int, ...]) -> ArrayType:
    """The axes in another order."""
    if sorted(axes) != list(range(len(x.shape))):
        raise ShapeError(f"axes {axes} are no order of the axes of shape {x.shape}")
    return ArrayType(tuple(x.shape[a] for a in axes), x.dtype)


def broadcast_type(x: ArrayType, shape: Shape) -> ArrayType:
    """Size 1 is repeated, new axes come first."""
    kept = shape[len(shape) - len(x.shape) :] if len(shape) >= len(x.shape) else None
    if kept is None or any(a not in (1, b) for a, b in zip(x.shape, kept, strict=True)):
        raise ShapeError(f"shape {x.shape} can't be broadcast to {shape}")
    return ArrayType(shape, x.dtype)


def slice_type(x: ArrayType, starts: Shape, stops: Shape, steps: Shape) -> ArrayType:
    """From start to stop by step along every axis."""
    if not len(x.shape) == len(starts) == len(stops) == len(steps):
        raise ShapeError(f"a slice of shape {x.shape} needs a start for every axis")
    for n, start, stop, step in zip(x.shape, starts, stops, steps, strict=True):
        if not (0 <= start <= stop <= n and step >= 1):
            raise ShapeError(f"slice {start}:{stop}:{step} leaves an axis of size {n}")
    sizes = zip(starts, stops, steps, strict=True)
    return ArrayType(tuple(len(range(a, b, s)) for a, b, s in sizes), x.dtype)


def pad_type(x: ArrayType, starts: Shape, steps: Shape, shape: Shape) -> ArrayType:
    """The array set into zeros of a larger shape, from start by step."""
    if not len(x.shape) == len(starts) == len(steps) == len(shape):
        raise ShapeError(f"a pad of shape {x.shape} needs a start for every axis")
    for n, start, step, total in zip(x.shape, starts, steps, shape, strict=True):
        last = start + (n - 1) * step if n else start
        if start < 0 or step < 1 or total < 0 or (n and last >= total):
            raise ShapeError(f"shape {x.shape} at {starts} by {steps} leaves {shape}")
    return ArrayType(shape, x.dtype)


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


def matmul_type(
    a: ArrayType, b: ArrayType, transpose_a: bool, transpose_b: bool
) -> ArrayType:
    """(…, m, k) times (…, k, n) is (…, m, n)."""
    if len(a.shape) < 2 or len(a.shape) != len(b.shape) or a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(
            f"a matrix product takes matrices, got {a.shape} and {b.shape}"
        )
    m, k = a.shape[:-3:-1] if transpose_a else a.shape[-2:]
    k_of_b, n = b.shape[:-3:-1] if transpose_b else b.shape[-2:]
    if k != k_of_b:
        raise ShapeError(
            f"a matrix product of ({m}, {k}) and ({k_of_b}, {n}): "
            f"{k} must equal {k_of_b}"
        )
    if a.dtype != b.dtype or not a.is_float:
        raise DtypeError(f"a matrix product of {a.dtype} and {b.dtype}")
    return ArrayType((*a.shape[:-2], m, n), a.dtype)


def take_type(table: ArrayType, indices: ArrayType) -> ArrayType:
    """Rows of a table by their numbers."""
    if indices.dtype != "int32":
        raise DtypeError(f"indices must be int32, got {indices.dtype}")
    if not table.shape or (table.shape[0] == 0 and indices.size):
        raise ShapeError(f"rows can't be taken from an array of shape {table.shape}")
    return ArrayType(indices.shape + table.shape[1:], table.dtype)


def scatter_add_type(x: ArrayType, indices: ArrayType, rows: int) -> ArrayType:
    """The adjoint of `take`: x is added into rows of zeros."""
    if indices.dtype != "int32":
        raise DtypeError(f"indices must be int32, got {indices.dtype}")
    if x.shape[: len(indices.shape)] != indices.shape or rows < 0:
        raise ShapeError(f"shape {x.shape} doesn't go with indices of {indices.shape}")
    return ArrayType((rows, *x.shape[len(indices.shape) :]), x.dtype)


def random_bits_type(
    seed: ArrayType, step: ArrayType, operation: int, shape: Shape
) -> ArrayType:
    """32 random bits an element."""
    if seed != ArrayType((), "uint32") or step != ArrayType((), "int32"):
        raise DtypeError(
            f"seed and step must be u32[] and i32[], got {seed} and {step}"
        )
    if operation < 0 or any(n < 0 for n in shape):
        raise ShapeError(f"operation {operation} or shape {shape} is negative")
    return ArrayType(shape, "uint32")


# Meanings that NumPy doesn't have as one function that takes `out` -----------------


def put(result: NumpyArray, out: NumpyArray | None) -> NumpyArray:
    """The result, in the array that was given for it."""
    if out is None:
        return result
    np.copyto(out, result)
    return out


def sigmoid(x: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """1 / (1 + e^−x); where e^−x overflows, the quotient is 0 all the same."""
    with np.errstate(over="ignore"):
        power = np.exp(np.negative(x, out=out), out=out)
    return np.divide(1, np.add(power, 1, out=out), out=out)


def softplus(x: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """log(1 + e^x) = max(x, 0) + log(1 + e^−|x|), which never overflows."""
    tail = np.log1p(np.exp(-np.abs(x)))
    return np.add(np.maximum(x, 0), tail, out=out)


def erf(x: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """2/√π ∫ e^(−t²) dt from 0 to x."""
    from scipy.special import erf as scipy_erf  # 0.1 s to import, for gelu alone

    return scipy_erf(x, out=out)


def select(
    condition: NumpyArray, x: NumpyArray, y: NumpyArray, out: NumpyArray | None = None
) -> NumpyArray:
    """x where the condition holds, else y."""
    return put(np.where(condition, x, y), out)


def cast_array(x: NumpyArray, dtype: str, out: NumpyArray | None = None) -> NumpyArray:
    """The same values in another dtype, fractions cut off."""
    if out is None:
        return np.asarray(x).astype(dtype)
    np.copyto(out, x, casting="unsafe")
    return out


def constant(value: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """The value itself."""
    return put(value, out)


def sum_array(
    x: NumpyArray, axes: tuple[int, ...], out: NumpyArray | None = None
) -> NumpyArray:
    """Sum over the axes, which stay with size 1."""
    return np.add.reduce(x, axis=axes, dtype=x.dtype, out=out, keepdims=True)


def max_array(
    x: NumpyArray, axes: tuple[int, ...], out: NumpyArray | None = None
) -> NumpyArray:
    """Maximum over the axes, which stay with size 1; NaN wins."""
    return np.maximum.reduce(x, axis=axes, out=out, keepdims=True)


def argmax_array(x: NumpyArray, axis: int, out: NumpyArray | None = None) -> NumpyArray:
    """Position of the first largest element."""
    return put(np.argmax(x, axis=axis).astype(np.int32), out)


def reshape_array(
    x: NumpyArray, shape: Shape, out: NumpyArray | None = None
) -> NumpyArray:
    """The elements in order, in another shape."""
    return np.reshape(x, shape) if out is None else put(np.reshape(x, shape), out)


def transpose_array(
    x: NumpyArray, axes: tuple[int, ...], out: NumpyArray | None = None
) -> NumpyArray:
    """The axes in another order."""
    return put(np.transpose(x, axes), out)


def broadcast_array(
    x: NumpyArray, shape: Shape, out: NumpyArray | None = None
) -> NumpyArray:
    """Size 1 repeated, new axes first."""
    return put(np.broadcast_to(x, shape), out)


def slice_array(
    x: NumpyArray,
    starts: Shape,
    stops: Shape,
    steps: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """From start to stop by step along every axis."""
    return put(x[(..., *map(slice, starts, stops, steps))], out)


def pad_array(
    x: NumpyArray,
    starts: Shape,
    steps: Shape,
    shape: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """The array set into zeros, from start by step: the adjoint of `slice`."""
    result = np.empty(shape, x.dtype) if out is None else out
    result[...] = 0
    sizes = zip(starts, steps, x.shape, strict=True)
    result[tuple(slice(a, a + s * n, s) for a, s, n in sizes)] = x
    return result


def concatenate_array(
    *arrays: NumpyArray, axis: int, out: NumpyArray | None = None
) -> NumpyArray:
    """One after the other along an axis."""
    return np.concatenate(arrays, axis=axis, out=out)


def matmul_array(
    a: NumpyArray,
    b: NumpyArray,
    transpose_a: bool,
    transpose_b: bool,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """The product of matrices, either of them transposed."""
    left = a.swapaxes(-1, -2) if transpose_a else a
    right = b.swapaxes(-1, -2) if transpose_b else b
    return np.matmul(left, right, out=out)


def check_rows(indices: NumpyArray, rows: int) -> None:
    """Row numbers name rows that exist."""
    if indices.size and (indices.min() < 0 or indices.max() >= rows):
        raise ArgumentError(
            f"row numbers must lie in 0..{rows - 1}, "
            f"got {indices.min()}..{indices.max()}"
        )


def take_array(
    table: NumpyArray, indices: NumpyArray, out: NumpyArray | None = None
) -> NumpyArray:
    """Rows of the table; a number outside it is an error, never a wrong row."""
    check_rows(indices, len(table))
    return np.take(
        table, indices, axis=0, out=out, mode="clip" if out is not None else "raise"
    )


def scatter_add_array(
    x: NumpyArray, indices: NumpyArray, rows: int, out: NumpyArray | None = None
) -> NumpyArray:
    """Zeros, and every row of x added to the row that its index names."""
    check_rows(indices, rows)
    shape = (rows, *x.shape[indices.ndim :])
    result = np.empty(shape, x.dtype) if out is None else out
    result[...] = 0
    np.add.at(result, indices, x)
    return result


def random_bits_array(
    seed: NumpyArray,
    step: NumpyArray,
    operation: int,
    shape: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """Counter-based random words."""
    return put(random_bits(int(seed), int(step), operation, shape), out)


# The table -------------------------------------------------------------------------

STEPS = "it is constant between its jumps, so the derivative is zero wherever it exists"
WHOLE = "whole numbers and booleans have no derivative"


def elementwise(
    name: str,
    inputs: int,
    infer: ShapeRule,
    meaning: Any,
    *,
    attributes: tuple[str, ...] = (),
    no_gradient: str = "",
    commutative: bool = False,
) -> Primitive:
    """A row of the table that works element by element."""
    return Primitive(
        name,
        "elementwise",
        inputs,
        infer,
        meaning,
        attributes,
        no_gradient,
        commutative,
    )


TABLE: tuple[Primitive, ...] = (
    Primitive(
        "constant", "constant", 0, constant_type, constant, ("value",), "no input"
    ),
    elementwise("add", 2, numbers, np.add, commutative=True),
    elementwise("subtract", 2, numbers, np.subtract),
    elementwise("multiply", 2, numbers, np.multiply, commutative=True),
    elementwise("divide", 2, floats, np.divide),
    elementwise("negative", 1, numbers, np.negative),
    elementwise("power", 2, floats, np.power),
    elementwise("maximum", 2, numbers, np.maximum),
    elementwise("minimum", 2, numbers, np.minimum),
    elementwise("absolute", 1, numbers, np.absolute),
    elementwise("sign", 1, floats, np.sign, no_gradient=STEPS),
    elementwise("floor", 1, floats, np.floor, no_gradient=STEPS),
    elementwise("exp", 1, floats, np.exp),
    elementwise("expm1", 1, floats, np.expm1),
    elementwise("log", 1, floats, np.log),
    elementwise("log1p", 1, floats, np.log1p),
    elementwise("sqrt", 1, floats, np.sqrt),
    elementwise("sin", 1, floats, np.sin),
    elementwise("cos", 1, floats, np.cos),
    elementwise("tanh", 1, floats, np.tanh),
    elementwise("sigmoid", 1, floats, sigmoid),
    elementwise("softplus", 1, floats, softplus),
    elementwise("erf", 1, floats, erf),
    elementwise("equal", 2, comparison, np.equal, no_gradient=WHOLE, commutative=True),
    elementwise("less", 2, comparison, np.less, no_gradient=WHOLE),
    elementwise("less_equal", 2, comparison, np.less_equal, no_gradient=WHOLE),
    elementwise(
        "logical_and", 2, booleans, np.logical_and, no_gradient=WHOLE, commutative=True
    ),
    elementwise("logical_not", 1, booleans, np.logical_not, no_gradient=WHOLE),
    elementwise("select", 3, select_type, select),
    elementwise("cast", 1, cast_type, cast_array, attributes=("dtype",)),
    elementwise("stop_gradient", 1, same_type, np.positive, no_gradient="it stops it"),
    Primitive("sum", "reduction", 1, sum_type, sum_array, ("axes",)),
    Primitive("max", "reduction", 1, max_type, max_array, ("axes",)),
    Primitive("argmax", "reduction", 1, argmax_type, argmax_array, ("axis",), WHOLE),
    Primitive("reshape", "view", 1, reshape_type, reshape_array, ("shape",)),
    Primitive("transpose", "view", 1, transpose_type, transpose_array, ("axes",)),
    Primitive("broadcast", "view", 1, broadcast_type, broadcast_array, ("shape",)),
    Primitive(
        "slice", "view", 1, slice_type, slice_array, ("starts", "stops", "steps")
    ),
    Primitive("pad", "index", 1, pad_type, pad_array, ("starts", "steps", "shape")),
    Primitive(
        "concatenate", "index", None, concatenate_type, concatenate_array, ("axis",)
    ),
    Primitive(
        "matmul",
        "product",
        2,
        matmul_type,
        matmul_array,
        ("transpose_a", "transpose_b"),
    ),
    Primitive("take", "index", 2, take_type, take_array),
    Primitive(
        "scatter_add", "index", 2, scatter_add_type, scatter_add_array, ("rows",)
    ),
    Primitive(
        "random_bits",
        "random",
        2,
        random_bits_type,
        random_bits_array,
        ("operation", "shape"),
        WHOLE,
    ),
)

PRIMITIVES: dict[str, Primitive] = {row.name: row for row in TABLE}
