"""What primitives mean, written without NumPy's function of the same name."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg.program.types import NumpyArray


def sum_by_hand(x: NumpyArray, axes: tuple[int, ...]) -> NumpyArray:
    """One element after the other."""
    shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
    total = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        total[tuple(0 if i in axes else p for i, p in enumerate(at))] += x[at]
    return total


def max_by_hand(x: NumpyArray, axes: tuple[int, ...]) -> NumpyArray:
    """By sorting, which puts NaN last."""
    for axis in axes:
        x = np.sort(x, axis=axis).take([-1], axis=axis)
    return x


def share_max_by_hand(
    x: NumpyArray, part: NumpyArray, axes: tuple[int, ...]
) -> NumpyArray:
    """Lane after lane; where one holds NaN, nothing is the largest."""
    lanes = np.moveaxis(x, axes, range(-len(axes), 0))
    result = np.zeros(lanes.shape, x.dtype)
    parts = np.squeeze(part, axes)
    for at in np.ndindex(parts.shape):
        numbers = lanes[at].ravel().tolist()
        largest = [n == max(numbers) for n in numbers]
        if all(n == n for n in numbers):
            share = parts[at] / x.dtype.type(sum(largest))
            given = np.array([share if each else 0 for each in largest], x.dtype)
            result[at] = given.reshape(lanes[at].shape)
    return np.moveaxis(result, range(-len(axes), 0), axes)


def argmax_by_hand(x: NumpyArray, axis: int) -> NumpyArray:
    lanes = np.moveaxis(x, axis, -1)
    found = [
        next((i for i, v in enumerate(lane) if v != v), lane.index(max(lane)))
        for lane in lanes.reshape(-1, lanes.shape[-1]).tolist()
    ]
    return np.array(found, np.int32).reshape(lanes.shape[:-1])


def transpose_by_hand(x: NumpyArray, axes: tuple[int, ...]) -> NumpyArray:
    result = np.empty([x.shape[a] for a in axes], x.dtype)
    for at in np.ndindex(x.shape):
        result[tuple(at[a] for a in axes)] = x[at]
    return result


def broadcast_by_hand(x: NumpyArray, shape: tuple[int, ...]) -> NumpyArray:
    return (
        x + np.zeros(shape, x.dtype) if x.dtype != bool else x | np.zeros(shape, bool)
    )


def slice_by_hand(x: NumpyArray, starts: Any, stops: Any, steps: Any) -> NumpyArray:
    for axis, each in enumerate(zip(starts, stops, steps, strict=True)):
        x = np.take(x, np.arange(*each), axis=axis)
    return x


def pad_by_hand(x: NumpyArray, starts: Any, steps: Any, shape: Any) -> NumpyArray:
    result = np.zeros(shape, x.dtype)
    for at in np.ndindex(x.shape):
        places = zip(starts, at, steps, strict=True)
        result[tuple(start + i * step for start, i, step in places)] = x[at]
    return result


def concatenate_by_hand(*arrays: NumpyArray, axis: int) -> NumpyArray:
    lanes = [lane for a in arrays for lane in np.moveaxis(a, axis, 0)]
    rest = np.moveaxis(arrays[0], axis, 0).shape[1:]
    joined = np.array(lanes, arrays[0].dtype).reshape((len(lanes), *rest))
    return np.moveaxis(joined, 0, axis)


def matmul_by_hand(
    a: NumpyArray, b: NumpyArray, transpose_a: bool, transpose_b: bool
) -> NumpyArray:
    rows = "...km" if transpose_a else "...mk"
    columns = "...nk" if transpose_b else "...kn"
    return np.einsum(f"{rows},{columns}->...mn", a, b)


def contract_by_hand(
    x: NumpyArray, y: NumpyArray, batch: int, summed: int
) -> NumpyArray:
    each = [np.tensordot(x[at], y[at], summed) for at in np.ndindex(x.shape[:batch])]
    return np.array(each, x.dtype).reshape((*x.shape[:batch], *np.shape(each[0])))


def windows_by_hand(
    x: NumpyArray, axes: Any, sizes: Any, steps: Any, spacing: Any
) -> NumpyArray:
    """Element by element: where each is from."""
    places = [
        len(range(0, x.shape[a] - (k - 1) * d, s))
        for a, k, s, d in zip(axes, sizes, steps, spacing, strict=True)
    ]
    shape = list(x.shape)
    for a, n in zip(axes, places, strict=True):
        shape[a] = n
    behind = axes[-1] + 1
    result = np.empty((*shape[:behind], *sizes, *shape[behind:]), x.dtype)
    for at in np.ndindex(result.shape):
        element = at[behind : behind + len(sizes)]
        source = [*at[:behind], *at[behind + len(sizes) :]]
        for a, k, s, d in zip(axes, element, steps, spacing, strict=True):
            source[a] = source[a] * s + k * d
        result[at] = x[tuple(source)]
    return result


def add_windows_by_hand(x: NumpyArray, shape: Any, **attributes: Any) -> NumpyArray:
    """By the numbers of the elements that windows show."""
    numbers = np.arange(math.prod(shape)).reshape(shape)
    shown = windows_by_hand(numbers, **attributes)
    result = np.zeros(math.prod(shape), x.dtype)
    for number, value in zip(shown.flat, x.flat, strict=True):
        result[number] += value
    return result.reshape(shape)


def take_by_hand(table: NumpyArray, indices: NumpyArray) -> NumpyArray:
    result = np.empty(indices.shape + table.shape[1:], table.dtype)
    for at in np.ndindex(indices.shape):
        result[at] = table[indices[at]]
    return result


def scatter_by_hand(x: NumpyArray, indices: NumpyArray, rows: int) -> NumpyArray:
    result = np.zeros((rows, *x.shape[indices.ndim :]), x.dtype)
    for at in np.ndindex(indices.shape):
        result[indices[at]] += x[at]
    return result


def philox_word(key: int, step: int, operation: int, element: int) -> int:
    """Philox4x32-10 in whole numbers, one word at a time."""
    words = [element // 4, operation, step, 0]
    keys = [key, 0]
    for _ in range(10):
        high0, low0 = divmod(words[0] * 0xD2511F53, 1 << 32)
        high1, low1 = divmod(words[2] * 0xCD9E8D57, 1 << 32)
        words = [high1 ^ words[1] ^ keys[0], low1, high0 ^ words[3] ^ keys[1], low0]
        keys = [(keys[0] + 0x9E3779B9) % 2**32, (keys[1] + 0xBB67AE85) % 2**32]
    return words[element % 4]


def random_by_hand(
    seed: NumpyArray, step: NumpyArray, operation: int, shape: tuple[int, ...]
) -> NumpyArray:
    words = [
        philox_word(int(seed), int(step), operation, element)
        for element in range(math.prod(shape))
    ]
    return np.array(words, np.uint32).reshape(shape)


def squares(s: Any, x: Any) -> Any:
    return s + x * x


def pair(s: Any, m: Any, x: Any, w: Any) -> Any:
    return s * w + x, m + s * x


STEPS: dict[tuple[str, ...], Callable[..., Any]] = {
    ("s", "x"): squares,
    ("s", "m", "x", "w"): pair,
}
"""The formulas of loops' bodies, by the inputs' names."""


def scan_by_hand(
    turns: NumpyArray,
    *arrays: NumpyArray,
    body: Any,
    states: int,
    sequences: int,
    reverse: bool,
) -> NumpyArray:
    """The body's formula, row by row and time by time."""
    step, rest = STEPS[tuple(body.inputs)], arrays[states + sequences :]
    rows, times = arrays[states].shape[:2]
    width = sum(math.prod(each.shape[1:]) for each in arrays[:states])
    result = np.zeros((rows, times, width), arrays[0].dtype)
    order = list(range(int(turns)))
    for row in range(rows):
        current = [each[row] for each in arrays[:states]]
        for time in order[::-1] if reverse else order:
            at_time = [each[row, time] for each in arrays[states : states + sequences]]
            given = step(*current, *at_time, *rest)
            current = list(given) if isinstance(given, tuple) else [given]
            result[row, time] = [n for state in current for n in state.ravel()]
    return result if states > 1 else result.reshape(rows, times, *arrays[0].shape[1:])


def larger(x: NumpyArray, y: NumpyArray) -> NumpyArray:
    return np.where((x > y) | (x != x), x, y)


def smaller(x: NumpyArray, y: NumpyArray) -> NumpyArray:
    return np.where((x < y) | (x != x), x, y)


def sign_by_hand(x: NumpyArray) -> NumpyArray:
    return np.where(x != x, x, (x > 0) * 1.0 - (x < 0) * 1.0)


def floor_by_hand(x: NumpyArray) -> NumpyArray:
    whole = np.trunc(x)
    return np.where(whole > x, whole - 1, whole)


erf_by_hand = np.vectorize(math.erf, otypes=[np.float64])
