"""Windows along the axes of places of x, and what is set around it.

x has the shape (rows, places…, channels), with one, two or three axes of places: a
series, an image, a volume. A window of size k along an axis has the elements

    x[i·s + j·d],  j = 0 … k − 1

of place i, with the stride s and the dilation d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from thalweg.checks import is_whole, require
from thalweg.errors import ShapeError
from thalweg.formulas.layers import Layer, Roomy, Shape
from thalweg.program import ops
from thalweg.program.arguments import record

PerAxis: TypeAlias = int | tuple[int, ...]

PADDINGS: Mapping[str, None] = dict.fromkeys(("valid", "same", "causal", "reflect"))
WHOLE: Mapping[str, None] = dict.fromkeys(("valid", "same"))  # the same for any window


@dataclass(frozen=True)
class Window:
    """How windows lie along an axis: that of place i starts at i · stride − before."""

    size: int
    stride: int
    dilation: int = 1
    before: int = 0


class Windowed(Roomy):
    """A layer that reads windows of a row, which take more room than it gives."""

    size: PerAxis


def places_of(layer: Layer, x: ops.Array) -> tuple[int, ...]:
    """The axes of places."""
    rank = rank_of(layer, tuple(x.shape[1:]))
    return tuple(range(1, rank + 1))


def rank_of(layer: Layer, input_shape: Shape) -> int:
    """How many axes of places there are: one, two or three.

    Raises:
        ShapeError: there are none, or more.
    """
    rank = len(input_shape) - 1
    if not 1 <= rank <= 3:
        got = ", ".join(["rows", *map(str, input_shape)])
        raise ShapeError(
            f"{type(layer).__name__} must be given x of shape (rows, places…, "
            "channels) with one to three axes of places, got "
            f"({got}{'' if input_shape else ','})"
        )
    return rank


def per_axis(name: str, value: PerAxis, rank: int) -> Shape:
    """A number for each axis of places.

    Raises:
        ShapeError: there are so many numbers, but not so many axes.
    """
    if isinstance(value, tuple):
        if len(value) != rank:
            more = ": channels are the last axis of x, which Reshape adds"
            raise ShapeError(
                f"{name} must be one number, or one for each of {rank} axes of places, "
                f"got {value}{more if len(value) == rank + 1 else ''}"
            )
        return value
    return (value,) * rank


def require_per_axis(name: str, value: object) -> None:
    """A whole number of 1 or more, or several."""
    require(
        are_counts(value),
        name,
        "a whole number of 1 or more, or one for each axis",
        value,
    )


def are_counts(value: object) -> bool:
    """Whether it's a whole number of 1 or more, or several of them."""
    several = cast(tuple[object, ...], value) if isinstance(value, tuple) else (value,)
    counts = (is_whole(each) and cast(int, each) >= 1 for each in several)
    return len(several) > 0 and all(counts)


def count_of(n: int, size: int, stride: int, dilation: int = 1) -> int:
    """How many windows fit into n places."""
    return max((n - (size - 1) * dilation - 1) // stride + 1, 0)


def padding_of(
    n: int, size: int, stride: int, dilation: int, padding: str
) -> tuple[int, int]:
    """How many places are set before n places, and behind them.

    >>> padding_of(5, 3, 1, 1, "same"), padding_of(5, 3, 2, 1, "same")
    ((1, 1), (1, 1))
    >>> padding_of(4, 3, 2, 1, "same"), padding_of(4, 3, 1, 2, "causal")
    ((0, 1), (4, 0))
    """
    reach = (size - 1) * dilation + 1
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
    missing = max((-(-n // stride) - 1) * stride + reach - n, 0)
    return missing // 2, missing - missing // 2


def padded(
    x: ops.Array, sizes: Shape, strides: Shape, dilations: Shape, padding: str
) -> ops.Array:
    """x with what padding sets around it."""
    given = zip(x.shape[1:-1], sizes, strides, dilations, strict=True)
    amounts = [padding_of(*each, padding) for each in given]
    if not any(map(any, amounts)):
        return x
    if padding == "reflect":
        for axis, (before, behind) in enumerate(amounts, 1):
            x = mirrored(x, axis, before, behind)
        return x
    wide = [
        n + before + behind
        for n, (before, behind) in zip(x.shape[1:-1], amounts, strict=True)
    ]
    return record(
        "pad",
        x,
        starts=(0, *(before for before, _ in amounts), 0),
        steps=(1,) * len(x.shape),
        shape=(x.shape[0], *wide, x.shape[-1]),
    )


def mirrored(x: ops.Array, axis: int, before: int, behind: int) -> ops.Array:
    """x with its places before the first and behind the last, as in a mirror there."""
    n = x.shape[axis]
    if max(before, behind) >= n:
        raise ShapeError(
            f"padding='reflect' must find {max(before, behind)} places behind an edge, "
            f"got {n - 1} of shape {tuple(x.shape)}"
        )

    def backwards(start: int, count: int) -> list[ops.Array]:
        stop = start - count
        key = slice(start, None if stop < 0 else stop, -1)
        return [x[(slice(None),) * axis + (key,)]] if count else []

    ahead, after = backwards(before, before), backwards(n - 2, behind)
    return ops.concatenate([*ahead, x, *after], axis)
