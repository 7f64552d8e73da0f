"""The words that formulas are written in.

Each works on NumPy arrays and numbers, where it computes as NumPy does, and on
tracers, where it records. A plain number, or an array that a formula brings along,
takes the dtype of the traced array that it meets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program.arguments import (
    Array,
    Axis,
    broadcast_shape,
    common_dtype,
    elementwise,
    emit_broadcast,
    is_bool,
    is_float,
    lift,
    record,
    shape_of,
    tracing,
)
from thalweg.program.indexing import (
    bounds,
    whole_numbers,
    with_ellipsis_spelled_out,
)
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import Size, as_size
from thalweg.program.trace import Tracer, location, operation, require_outside_loops
from thalweg.program.types import (
    FLOATS,
    Dtype,
    DtypeLike,
    NumpyArray,
    Shape,
    dtype_from,
    type_of,
)

__all__ = [
    "absolute",
    "argmax",
    "broadcast_to",
    "cast",
    "concatenate",
    "contract",
    "cos",
    "equal",
    "erf",
    "exp",
    "expm1",
    "floor",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "not_equal",
    "one_hot",
    "ones_like",
    "reshape",
    "sign",
    "sin",
    "sqrt",
    "square",
    "stop_gradient",
    "sum",
    "take",
    "transpose",
    "where",
    "windows",
    "xlogy",
    "zeros_like",
]
"""What users have of it.

The others are for formulas in the house, or the operators of arrays."""

# Arithmetic and functions, element by element ----------------------------------------


@operation
def add(x: Array, y: Array) -> Array:
    """x + y."""
    return elementwise("add", x, y)


@operation
def subtract(x: Array, y: Array) -> Array:
    """x − y."""
    return elementwise("subtract", x, y)


@operation
def multiply(x: Array, y: Array) -> Array:
    """x · y."""
    return elementwise("multiply", x, y)


@operation
def divide(x: Array, y: Array) -> Array:
    """x / y."""
    return elementwise("divide", *as_floats(x, y))


@operation
def negative(x: Array) -> Array:
    """−x."""
    return elementwise("negative", x)


@operation
def power(x: Array, y: Array) -> Array:
    """x to the power y."""
    return elementwise("power", *as_floats(x, y))


@operation
def maximum(x: Array, y: Array) -> Array:
    """The larger of x and y; NaN wins. At a tie the derivative goes to y."""
    return elementwise("maximum", x, y)


@operation
def minimum(x: Array, y: Array) -> Array:
    """The smaller of x and y; NaN wins. At a tie the derivative goes to y."""
    return elementwise("minimum", x, y)


@operation
def absolute(x: Array) -> Array:
    """|x|."""
    return elementwise("absolute", x)


@operation
def sign(x: Array) -> Array:
    """−1, 0 or 1."""
    return elementwise("sign", *as_floats(x))


@operation
def floor(x: Array) -> Array:
    """The largest whole number that is at most x."""
    return elementwise("floor", *as_floats(x))


@operation
def exp(x: Array) -> Array:
    """e to the power x."""
    return elementwise("exp", *as_floats(x))


@operation
def expm1(x: Array) -> Array:
    """e^x − 1, exact also near 0."""
    return elementwise("expm1", *as_floats(x))


@operation
def log(x: Array) -> Array:
    """The natural logarithm."""
    return elementwise("log", *as_floats(x))


@operation
def log1p(x: Array) -> Array:
    """log(1 + x), exact also near 0."""
    return elementwise("log1p", *as_floats(x))


@operation
def sqrt(x: Array) -> Array:
    """The square root."""
    return elementwise("sqrt", *as_floats(x))


@operation
def square(x: Array) -> Array:
    """x²."""
    return multiply(x, x)


@operation
def sin(x: Array) -> Array:
    """The sine of x radians."""
    return elementwise("sin", *as_floats(x))


@operation
def cos(x: Array) -> Array:
    """The cosine of x radians."""
    return elementwise("cos", *as_floats(x))


@operation
def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return elementwise("tanh", *as_floats(x))


@operation
def erf(x: Array) -> Array:
    """The error function, 2/√π ∫ e^(−t²) dt from 0 to x."""
    return elementwise("erf", *as_floats(x))


def logistic(x: Array) -> Array:
    """1 / (1 + e^−x) as one primitive, which never overflows."""
    return elementwise("sigmoid", *as_floats(x))


def softplus(x: Array) -> Array:
    """log(1 + e^x) as one primitive, which never overflows."""
    return elementwise("softplus", *as_floats(x))


@operation
def xlogy(x: Array, y: Array) -> Array:
    """x log y, where 0 log 0 = 0 as entropies have it."""
    return multiply(x, log(where(equal(x, 0), 1, y)))


@operation
def stop_gradient(x: Array) -> Array:
    """x, taken as a constant by differentiation."""
    return elementwise("stop_gradient", x)


def as_floats(*arguments: Array) -> tuple[Array, ...]:
    """Whole-number tracers cast, for functions of real numbers."""
    recording = tracing(*arguments)
    if recording is None or common_dtype(arguments) in FLOATS:
        return arguments
    dtype = recording.float_dtype
    return tuple(cast(a, dtype) if isinstance(a, Tracer) else a for a in arguments)


# Comparing and choosing --------------------------------------------------------------


@operation
def equal(x: Array, y: Array) -> Array:
    """Whether x = y."""
    return elementwise("equal", x, y)


@operation
def not_equal(x: Array, y: Array) -> Array:
    """Whether x ≠ y."""
    return logical_not(equal(x, y))


@operation
def less(x: Array, y: Array) -> Array:
    """Whether x < y."""
    return elementwise("less", x, y)


@operation
def less_equal(x: Array, y: Array) -> Array:
    """Whether x ≤ y."""
    return elementwise("less_equal", x, y)


@operation
def greater(x: Array, y: Array) -> Array:
    """Whether x > y."""
    return elementwise("less", y, x)


@operation
def greater_equal(x: Array, y: Array) -> Array:
    """Whether x ≥ y."""
    return elementwise("less_equal", y, x)


@operation
def logical_not(x: Array) -> Array:
    """Whether x is false."""
    return elementwise("logical_not", x)


@operation
def logical_and(x: Array, y: Array) -> Array:
    """Whether both hold."""
    return elementwise("logical_and", x, y)


@operation
def logical_or(x: Array, y: Array) -> Array:
    """Whether one holds, or both."""
    return logical_not(logical_and(logical_not(x), logical_not(y)))


@operation
def where(condition: Array, x: Array, y: Array) -> Array:
    """x where the condition holds, else y."""
    recording = tracing(condition, x, y)
    if recording is None:
        return PRIMITIVES["select"].meaning(condition, x, y)
    dtype = common_dtype([x, y])
    arguments = [lift(recording, condition, "bool")]
    arguments += [lift(recording, a, dtype) for a in (x, y)]
    return emit_broadcast("select", arguments)


@operation
def cast(x: Array, dtype: DtypeLike) -> Array:
    """The same values in another dtype; integers have their fractions cut off.

    Arguments:
        x: any shape.
        dtype: its name, or as NumPy has it: ``y.dtype``, ``np.float32``.

    Raises:
        DtypeError: it isn't float32, float64, int32, uint32 or bool.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([0.5, 2.0], np.float32)
        >>> tw.cast(x > 1, x.dtype)
        array([0., 1.], dtype=float32)
    """
    if isinstance(x, Tracer) and x.type.dtype == dtype:
        return x
    return record("cast", x, dtype=known_dtype(dtype))


def known_dtype(dtype: DtypeLike) -> Dtype:
    """The dtype that the user named, with the formula's line if there is none."""
    try:
        return dtype_from(dtype)
    except DtypeError as error:
        raise DtypeError(f"{error}{location()}") from None


@operation
def zeros_like(x: Array) -> Array:
    """Zeros of the shape and dtype of x."""
    return full_like(x, 0)


@operation
def ones_like(x: Array) -> Array:
    """Ones of the shape and dtype of x."""
    return full_like(x, 1)


def full_like(x: Array, value: float) -> Array:
    """One value in the shape and dtype of x."""
    if not isinstance(x, Tracer):
        return np.full_like(np.asarray(x), value)
    return broadcast_to(lift(x.trace, value, x.type.dtype), x.shape)


# Reductions --------------------------------------------------------------------------


def axes_of(shape: Shape, axis: Axis) -> tuple[int, ...]:
    """Axes as rising numbers from 0; None is all of them."""
    if axis is None:
        return tuple(range(len(shape)))
    axes = (axis,) if isinstance(axis, int | np.integer) else axis
    for each in axes:
        if not -len(shape) <= each < len(shape):
            raise ShapeError(f"axis {each} doesn't exist in shape {shape}{location()}")
    return tuple(sorted({int(each) % len(shape) for each in axes}))


def reduce(opcode: str, x: Array, axis: Axis, keepdims: bool) -> Array:
    """Apply a reduction, and take the reduced axes away unless they are to stay."""
    axes = axes_of(shape_of(x), axis)
    reduced = record(opcode, x, axes=axes)
    if keepdims:
        return reduced
    shape = tuple(n for i, n in enumerate(shape_of(x)) if i not in axes)
    result = reshape(reduced, shape)
    return result if isinstance(result, Tracer) or shape else result[()]


@operation
def sum(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Σ x over all axes, or over some."""
    return reduce("sum", cast_bool(x), axis, keepdims)


@operation
def max(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The largest element over all axes, or over some; NaN wins."""
    return reduce("max", x, axis, keepdims)


@operation
def min(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The smallest element over all axes, or over some; NaN wins."""
    return negative(max(negative(x), axis, keepdims))


@operation
def mean(x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Σ x / n over all axes, or over some."""
    shape = shape_of(x)
    count = math.prod(shape[a] for a in axes_of(shape, axis))
    if count == 0:
        raise ShapeError(f"the mean of no elements: shape {shape}{location()}")
    return divide(sum(x, axis, keepdims), count)


@operation
def argmax(x: Array, axis: int = -1) -> Array:
    """The position of the largest element along an axis."""
    (each,) = axes_of(shape_of(x), axis)
    return record("argmax", x, axis=each)


def cast_bool(x: Array) -> Array:
    """Booleans as numbers, so that they can be counted."""
    return cast(x, "int32") if is_bool(x) else x


# Shapes ------------------------------------------------------------------------------


@operation
def reshape(x: Array, shape: int | Sequence[int]) -> Array:
    """The elements in order, in another shape; one size may be −1."""
    sizes = (shape,) if isinstance(shape, int | Size) else shape
    wanted = tuple(as_size(n) for n in sizes)
    if -1 in wanted:
        known = math.prod(n for n in wanted if n != -1)
        if wanted.count(-1) > 1 or known == 0 or math.prod(shape_of(x)) % known:
            raise ShapeError(f"{shape_of(x)} can't be reshaped to {wanted}{location()}")
        rest = math.prod(shape_of(x)) // known
        wanted = tuple(rest if n == -1 else n for n in wanted)
    return record("reshape", x, shape=wanted)


@operation
def transpose(x: Array, axes: Sequence[int] | None = None) -> Array:
    """The axes in another order; in reverse unless told."""
    rank = len(shape_of(x))
    order = tuple(reversed(range(rank))) if axes is None else tuple(axes)
    return record(
        "transpose", x, axes=tuple(int(a) % rank for a in order) if rank else ()
    )


@operation
def broadcast_to(x: Array, shape: Shape) -> Array:
    """Size 1 repeated and new axes put first, up to a shape."""
    if isinstance(x, Tracer) and x.shape == tuple(shape):
        return x
    return record("broadcast", x, shape=tuple(as_size(n) for n in shape))


@operation
def concatenate(arrays: Sequence[Array], axis: int = 0) -> Array:
    """Arrays one after the other along an axis."""
    if not arrays:
        raise ArgumentError("concatenate needs at least one array, got none")
    recording = tracing(*arrays)
    if recording is None:
        return np.concatenate([np.asarray(a) for a in arrays], axis=axis)
    dtype = common_dtype(arrays)
    (each,) = axes_of(shape_of(arrays[0]), axis)
    return recording.emit(
        "concatenate", [lift(recording, a, dtype) for a in arrays], axis=each
    )


def index(x: Tracer, key: Any) -> Tracer:
    """x[key]: whole numbers, slices, None, Ellipsis, or one array of row numbers."""
    if isinstance(key, Tracer | np.ndarray | list):
        return take(x, key)
    keys: list[Any] = list(key) if isinstance(key, tuple) else [key]  # pyright: ignore[reportUnknownArgumentType]
    spelled_out = with_ellipsis_spelled_out(keys, x.shape)
    along = [each for each in spelled_out if each is not None]
    cut = [bounds(each, size) for each, size in zip(along, x.shape, strict=True)]
    starts, stops, steps = zip(*cut, strict=True) if cut else ((), (), ())
    part = record("slice", x, starts=starts, stops=stops, steps=steps)
    sizes = iter(part.shape)
    shape: list[int] = []
    for each in spelled_out:
        size = 1 if each is None else next(sizes)
        if each is None or isinstance(each, slice):
            shape.append(size)
    return reshape(part, tuple(shape))


operation(index)


# Products, rows, randomness ----------------------------------------------------------


@operation
def matmul(a: Array, b: Array) -> Array:
    """The matrix product, by NumPy's rules for vectors and stacks of matrices."""
    recording = tracing(a, b)
    if recording is None:
        return known_product(np.asarray(a), np.asarray(b))
    dtype = common_dtype([a, b])
    left, right = lift(recording, a, dtype), lift(recording, b, dtype)
    if not left.ndim or not right.ndim:
        raise ShapeError(f"a matrix product takes no single numbers{location()}")
    matrix_a = reshape(left, (1, -1)) if left.ndim == 1 else left
    matrix_b = reshape(right, (-1, 1)) if right.ndim == 1 else right
    if matrix_b.ndim == 2 < matrix_a.ndim:  # as many products as there are rows, in one
        product = contract(matrix_a, matrix_b)
        return product[..., 0] if right.ndim == 1 else product
    stack = broadcast_shape([matrix_a.shape[:-2], matrix_b.shape[:-2]])
    product = recording.emit(
        "matmul",
        [broadcast_to(m, stack + m.shape[-2:]) for m in (matrix_a, matrix_b)],
        transpose_a=False,
        transpose_b=False,
    )
    rows = () if left.ndim == 1 else product.shape[-2:-1]
    columns = () if right.ndim == 1 else product.shape[-1:]
    return reshape(product, stack + rows + columns)


@operation
def windows(
    x: Array,
    axes: int | Sequence[int],
    sizes: int | Sequence[int],
    steps: int | Sequence[int] = 1,
    spacing: int | Sequence[int] = 1,
) -> Array:
    """All parts of one size along some axes; no element is copied.

    y[i, k] = x[i · step + k · spacing], for each window i and its element k

    Arguments:
        x: any shape.
        axes: one or several.
        sizes: how many elements a window has along each of them.
        steps: how far a window is from the one before.
        spacing: how far an element is from the one before, in its window.

    Returns:
        An array with a window for each place along the axes; the windows' own axes come
        behind the last of them.

    Raises:
        ArgumentError: a number isn't whole.
        ShapeError: a window doesn't fit, there is no such axis, or a number isn't 1 or
            more.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.windows(np.array([1, 2, 3, 4]), axes=0, sizes=2).tolist()
        [[1, 2], [2, 3], [3, 4]]

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning",
    2016.
    """
    along = axes_of(shape_of(x), whole_numbers("axes", axes, 1))
    given = {"sizes": sizes, "steps": steps, "spacing": spacing}
    several = {k: whole_numbers(k, each, len(along)) for k, each in given.items()}
    return record("windows", x, axes=along, **several)


@operation
def contract(x: Array, y: Array, batch: int = 0, summed: int = 1) -> Array:
    """The sum of products over the last axes of x and the first of y.

    z[b, i, j] = Σₖ x[b, i, k] y[b, k, j], where each letter is several axes

    Arguments:
        x: axes that are shared, then free ones, then those summed over.
        y: axes that are shared, then those summed over, then free ones.
        batch: how many axes come first in both, and are shared.
        summed: how many axes are summed over.

    Returns:
        An array of the shared axes, the free ones of x, and those of y.

    Raises:
        ArgumentError: batch or summed isn't a whole number of 0 or more.
        ShapeError, DtypeError: the sizes or dtypes of x and y don't go together.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> image, filters = np.ones((6, 6, 3)), np.ones((6, 3, 2))
        >>> tw.contract(image, filters, summed=2).tolist()[0]
        [18.0, 18.0]
    """
    require_whole("batch", batch, least=0)
    require_whole("summed", summed, least=0)
    recording = tracing(x, y)
    attributes = {"batch": int(batch), "summed": int(summed)}
    if recording is None:
        arrays = [np.asarray(each) for each in (x, y)]
        PRIMITIVES["contract"].infer(*map(type_of, arrays), **attributes)
        return PRIMITIVES["contract"].meaning(*arrays, **attributes)
    dtype = common_dtype([x, y])
    factors = [lift(recording, each, dtype) for each in (x, y)]
    return recording.emit("contract", factors, **attributes)


def known_product(a: NumpyArray, b: NumpyArray) -> Array:
    """NumPy's matrix product, with thalweg's error where the shapes don't fit."""
    try:
        return np.matmul(a, b)
    except ValueError:
        raise ShapeError(
            f"a matrix product of {a.shape} and {b.shape}: the last size of the first "
            f"must equal the first size of the second{location()}"
        ) from None


@operation
def take(table: Array, indices: Array) -> Array:
    """Rows of a table by their numbers: shape of the indices, then that of a row."""
    recording = tracing(table, indices)
    if recording is None:
        return np.take(np.asarray(table), np.asarray(indices), axis=0)
    if isinstance(indices, Tracer) and indices.type.dtype != "int32":
        raise DtypeError(f"row numbers must be int32, got {indices.type}{location()}")
    if not isinstance(indices, Tracer) and not holds_row_numbers(np.asarray(indices)):
        raise DtypeError(f"row numbers must be whole, got {indices!r}{location()}")
    rows = lift(
        recording,
        table,
        common_dtype([table, indices]) if is_float(table) else dtype_of_rows(table),
    )
    return recording.emit("take", (rows, lift(recording, indices, "int32")))


def holds_row_numbers(indices: NumpyArray) -> bool:
    """Whether known indices are whole; an empty list has no dtype of its own."""
    return indices.size == 0 or indices.dtype.kind in "iu"


def dtype_of_rows(table: Array) -> Dtype:
    """The dtype of rows that are taken: a tracer's own, or the one a trace gives."""
    return (
        table.type.dtype
        if isinstance(table, Tracer)
        else type_of(np.asarray(table)).dtype
    )


@operation
def one_hot(labels: Array, classes: int, dtype: DtypeLike | None = None) -> Array:
    """Class numbers of shape (…) as rows of shape (…, classes) with a single 1.

    Arguments:
        labels: class numbers, from 0.
        classes: how many there are.
        dtype: as in `cast`; None for that of the real numbers.

    Raises:
        DtypeError: as `cast` has it.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.one_hot(np.array([2, 0]), 3, np.int32)
        array([[0, 0, 1],
               [1, 0, 0]], dtype=int32)
    """
    columns = np.arange(classes, dtype=np.int32)
    recording = tracing(labels)
    if dtype is None:
        dtype = recording.float_dtype if recording else "float64"
    return cast(equal(reshape(labels, (*shape_of(labels), 1)), columns), dtype)


def random_bits(seed: Tracer, step: Tracer, operation: int, shape: Shape) -> Tracer:
    """Counter-based random 32-bit words; the same for the same four arguments."""
    require_outside_loops("draw random numbers")
    return seed.trace.emit(
        "random_bits", (seed, step), operation=operation, shape=shape
    )


def random_uniform(
    seed: Tracer, step: Tracer, operation: int, shape: Shape, dtype: Dtype
) -> Tracer:
    """Counter-based uniform numbers in [0, 1): 24 random bits each."""
    bits = random_bits(seed, step, operation, shape)
    upper = floor(divide(cast(bits, "float64"), 256.0))
    return multiply(cast(upper, dtype), 2.0**-24)
