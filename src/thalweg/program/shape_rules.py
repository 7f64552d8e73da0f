"""Shape rules: the type that a primitive gives, from the types that it is given."""

from __future__ import annotations

import math

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.types import DTYPES, ArrayType, Dtype, NumpyArray, Shape


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
    return ArrayType(tuple(taken(a, b, s) for a, b, s in sizes), x.dtype)


def taken(start: int, stop: int, step: int) -> int:
    """How many numbers there are from start to stop by step."""
    return stop - start if step == 1 else -(-(stop - start) // step)


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
