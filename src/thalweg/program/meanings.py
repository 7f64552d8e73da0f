"""Meanings that NumPy doesn't have as one function that takes `out`."""

from __future__ import annotations

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.program.random import random_bits
from thalweg.program.types import NumpyArray, Shape


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
