"""Layers that look at a part of a row at a time: convolutions and pooling.

x has the shape (rows, places…, channels), with one, two or three axes of places: a
series, an image, a volume. A window of size k along an axis has the elements

    x[i·s + j·d],  j = 0 … k − 1

of place i, with the stride s and the dilation d.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from thalweg.checks import is_whole, look_up, require, require_whole
from thalweg.errors import ShapeError
from thalweg.formulas.activations import Activation, activation
from thalweg.formulas.initializers import (
    Initializer,
    initializer,
    initializer_for,
    zeros,
)
from thalweg.formulas.layers import Layer, Namespace, Parameter, Shape
from thalweg.program import ops
from thalweg.program.arguments import record

PerAxis: TypeAlias = int | tuple[int, ...]

PADDINGS: Mapping[str, None] = dict.fromkeys(("valid", "same", "causal", "reflect"))
WHOLE: Mapping[str, None] = dict.fromkeys(("valid", "same"))  # of windows that add up


@dataclass(frozen=True)
class Window:
    """How windows lie along an axis: that of place i starts at i · stride − before."""

    size: int
    stride: int
    dilation: int = 1
    before: int = 0


class Windowed(Layer):
    """A layer that reads windows of a row, which take more room than it gives."""

    @abc.abstractmethod
    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """The shapes of a row's arrays on the way."""


@dataclass(frozen=True)
class Conv(Windowed):
    """A convolution: every unit sees one window, and all windows share its weights.

    y[i] = φ(Σⱼ x[i·s + j·d] W[j] + b), over the elements j of the window of place i

    Arguments:
        filters: how many outputs a place has.
        size: of a window, one number for all axes or one for each.
        stride: s, from a window to the next.
        padding: ``valid`` takes the windows that fit. ``same`` sets zeros around x, so
            that there are ⌈n / s⌉ of n; ``reflect`` what lies on the other side of the
            edge, as in a mirror. ``causal`` sets all of them before the first place of
            a series, so that nothing sees what comes later.
        dilation: d, from an element of a window to the next.
        groups: the channels are so many groups, each with filters of its own.
        activation: φ, a name or any function of an array.
        bias: whether there is b.
        initializer: of W, a name or an `Initializer`; None takes the one that goes
            with the activation. b starts at zero.

    Returns:
        When applied to x of shape (rows, places…, channels), an array (rows, places…,
        filters). W has the shape (size…, channels / groups, filters).

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.
        ShapeError: x has no places, a window doesn't fit into them, or groups don't
            divide channels and filters.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np, thalweg as tw
        >>> p = SimpleNamespace(weights=np.array([[[1.0]], [[-1.0]]]), bias=np.zeros(1))
        >>> series = np.array([[[1.0], [4.0], [9.0], [16.0]]])
        >>> tw.Conv(1, 2).forward(series, p)[0, :, 0].tolist()
        [-3.0, -5.0, -7.0]

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
    document recognition", 1998.
    """

    filters: int
    size: PerAxis
    stride: PerAxis = 1
    padding: str = "valid"
    dilation: PerAxis = 1
    groups: int = 1
    activation: str | Activation = "identity"
    bias: bool = True
    initializer: str | Initializer | None = None

    def __post_init__(self) -> None:
        require_whole("filters", self.filters, least=1)
        for name in ("size", "stride", "dilation"):
            require_per_axis(name, getattr(self, name))
        look_up("padding", self.padding, PADDINGS)
        require_whole("groups", self.groups, least=1)
        activation(self.activation)
        if self.initializer is not None:
            initializer(self.initializer)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Weights (size…, channels / groups, filters), and a bias if there is one."""
        sizes, *_ = self._windows(input_shape)
        channels = input_shape[-1]
        if channels % self.groups or self.filters % self.groups:
            raise ShapeError(
                f"Conv must have channels and filters that {self.groups} groups "
                f"divide, got {channels} and {self.filters}"
            )
        chosen = self.initializer or initializer_for(self.activation)
        shape = (*sizes, channels // self.groups, self.filters)
        weights = Parameter(shape, initializer(chosen), penalized=True)
        bias = {"bias": Parameter((self.filters,), zeros)} if self.bias else {}
        return {"weights": weights, **bias}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """φ(Σⱼ x[i·s + j·d] W[j] + b)."""
        sizes, strides, dilations = self._windows(tuple(x.shape[1:]))
        around = padded(x, sizes, strides, dilations, self.padding)
        axes = range(1, len(sizes) + 1)
        seen = ops.windows(around, tuple(axes), sizes, strides, dilations)
        z = convolved(seen, p.weights, len(sizes), self.groups)
        return activation(self.activation)(z + p.bias if self.bias else z)

    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """The padded row, and its windows."""
        sizes, strides, dilations = self._windows(input_shape)
        given = zip(input_shape, sizes, strides, dilations, strict=False)
        amounts = [padding_of(*each, self.padding) for each in given]
        wide = [n + sum(each) for n, each in zip(input_shape, amounts, strict=False)]
        seen = [
            count_of(*each)
            for each in zip(wide, sizes, strides, dilations, strict=True)
        ]
        channels = input_shape[-1:]
        return [(*wide, *channels), (*seen, *sizes, *channels)]

    def windows_along(self, input_shape: Shape) -> list[Window]:
        """How windows lie along each axis of places."""
        sizes, strides, dilations = self._windows(input_shape)
        given = zip(input_shape, sizes, strides, dilations, strict=False)
        return [
            Window(size, stride, dilation, before)
            for n, size, stride, dilation in given
            for before, _ in [padding_of(n, size, stride, dilation, self.padding)]
        ]

    def _windows(self, input_shape: Shape) -> tuple[Shape, Shape, Shape]:
        """Size, stride and dilation along each axis of places."""
        rank = rank_of(self, input_shape)
        if self.padding == "causal" and rank != 1:
            raise ShapeError(
                f"padding='causal' is for series, (rows, times, channels), got {rank} "
                "axes of places"
            )
        each = (self.size, self.stride, self.dilation)
        names = ("size", "stride", "dilation")
        sizes, strides, dilations = (
            per_axis(name, value, rank) for name, value in zip(names, each, strict=True)
        )
        return sizes, strides, dilations


def convolved(seen: ops.Array, weights: ops.Array, rank: int, groups: int) -> ops.Array:
    """Σ over a window and its channels, those of each group by its own filters."""
    if groups == 1:
        return ops.contract(seen, weights, summed=rank + 1)
    *sizes, own, filters = weights.shape
    # An array has eight axes at most: in volumes those of a window become one.
    window = (math.prod(sizes),) if rank == 3 else tuple(sizes)
    x = ops.reshape(seen, (*seen.shape[: rank + 1], *window, groups, own))
    w = ops.reshape(weights, (*window, own, groups, filters // groups))
    # The group comes first, where it is an axis that both share.
    z = ops.contract(
        first_of(x, x.ndim - 2), first_of(w, w.ndim - 2), 1, len(window) + 1
    )
    z = ops.transpose(z, (*range(1, rank + 2), 0, rank + 2))
    return ops.reshape(z, (*z.shape[: rank + 1], filters))


def first_of(x: ops.Array, axis: int) -> ops.Array:
    """x with an axis in front of the others."""
    others = (number for number in range(x.ndim) if number != axis)
    return ops.transpose(x, (axis, *others))


@dataclass(frozen=True)
class ConvTranspose(Windowed):
    """A convolution backwards: every place gives a window, and windows add up.

    y[i·s + j] = φ(Σ x[i] W[j] + b), over all places i and elements j that meet there

    It is the adjoint of `Conv`: what this makes larger, that makes smaller.

    Arguments:
        filters: how many outputs a place has.
        size: of a window, one number for all axes or one for each.
        stride: s, from a window to the next.
        padding: ``valid`` keeps all of every window; ``same`` the n · s places in the
            middle.
        activation: φ, a name or any function of an array.
        bias: whether there is b.
        initializer: of W, a name or an `Initializer`; None takes the one that goes
            with the activation. b starts at zero.

    Returns:
        When applied to x of shape (rows, places…, channels), an array (rows, places…,
        filters), with (n − 1) · s + size places for n, or n · s. W has the shape
        (channels, size…, filters).

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.
        ShapeError: x has no places; with ``same``, a window is smaller than the stride.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np, thalweg as tw
        >>> p = SimpleNamespace(weights=np.array([[[1.0], [2.0]]]), bias=np.zeros(1))
        >>> tw.ConvTranspose(1, 2).forward(np.array([[[1.0], [10.0]]]), p)[0, :, 0]
        array([ 1., 12., 20.])

    Source: Zeiler, Krishnan, Taylor and Fergus, "Deconvolutional networks", 2010.
    """

    filters: int
    size: PerAxis
    stride: PerAxis = 1
    padding: str = "valid"
    activation: str | Activation = "identity"
    bias: bool = True
    initializer: str | Initializer | None = None

    def __post_init__(self) -> None:
        require_whole("filters", self.filters, least=1)
        for name in ("size", "stride"):
            require_per_axis(name, getattr(self, name))
        look_up("padding", self.padding, WHOLE)
        activation(self.activation)
        if self.initializer is not None:
            initializer(self.initializer)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Weights (channels, size…, filters), and a bias if there is one."""
        sizes, _ = self._windows(input_shape)
        chosen = self.initializer or initializer_for(self.activation)
        shape = (input_shape[-1], *sizes, self.filters)
        weights = Parameter(shape, initializer(chosen), penalized=True)
        bias = {"bias": Parameter((self.filters,), zeros)} if self.bias else {}
        return {"weights": weights, **bias}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The windows that places give, added up."""
        sizes, strides = self._windows(tuple(x.shape[1:]))
        rank = len(sizes)
        given = ops.contract(x, p.weights)
        places = tuple(x.shape[1 : rank + 1])
        z = record(
            "add_windows",
            given,
            axes=tuple(range(1, rank + 1)),
            sizes=sizes,
            steps=strides,
            spacing=(1,) * rank,
            shape=(x.shape[0], *self._whole(places, sizes, strides), self.filters),
        )
        if self.padding == "same":
            for axis, (n, size, step) in enumerate(
                zip(places, sizes, strides, strict=True), 1
            ):
                before = (size - step) // 2
                z = z[(slice(None),) * axis + (slice(before, before + n * step),)]
        return activation(self.activation)(z + p.bias if self.bias else z)

    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """The windows that places give, and their sum."""
        sizes, strides = self._windows(input_shape)
        places = input_shape[:-1]
        whole = self._whole(places, sizes, strides)
        return [(*places, *sizes, self.filters), (*whole, self.filters)]

    def _whole(self, places: Shape, sizes: Shape, strides: Shape) -> Shape:
        """As many places as all windows together have."""
        each = zip(places, sizes, strides, strict=True)
        return tuple((n - 1) * step + size for n, size, step in each)

    def _windows(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """Size and stride along each axis of places."""
        rank = rank_of(self, input_shape)
        sizes = per_axis("size", self.size, rank)
        strides = per_axis("stride", self.stride, rank)
        if self.padding == "same" and any(
            size < step for size, step in zip(sizes, strides, strict=True)
        ):
            raise ShapeError(
                "with padding='same' a window must be as large as the stride, "
                f"{strides}, got {sizes}"
            )
        return sizes, strides


# Pooling ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool(Windowed):
    """What poolings share: their windows, side by side unless told."""

    size: PerAxis
    stride: PerAxis | None = None

    def __post_init__(self) -> None:
        require_per_axis("size", self.size)
        if self.stride is not None:
            require_per_axis("stride", self.stride)

    def windows(self, x: ops.Array) -> tuple[ops.Array, tuple[int, ...]]:
        """The windows, and their own axes."""
        sizes, strides = self._each(tuple(x.shape[1:]))
        rank = len(sizes)
        seen = ops.windows(x, tuple(range(1, rank + 1)), sizes, strides)
        return seen, tuple(range(rank + 1, 2 * rank + 1))

    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """The windows."""
        sizes, strides = self._each(input_shape)
        each = zip(input_shape, sizes, strides, strict=False)
        places = (count_of(n, size, stride) for n, size, stride in each)
        return [(*places, *sizes, *input_shape[-1:])]

    def windows_along(self, input_shape: Shape) -> list[Window]:
        """How windows lie along each axis of places."""
        return [Window(*each) for each in zip(*self._each(input_shape), strict=True)]

    def _each(self, input_shape: Shape) -> tuple[Shape, Shape]:
        """Size and stride along each axis of places."""
        rank = rank_of(self, input_shape)
        sizes = per_axis("size", self.size, rank)
        given = self.stride
        return sizes, sizes if given is None else per_axis("stride", given, rank)


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest number of each window, for each channel.

    y[i] = maxⱼ x[i·s + j]

    Arguments:
        size: of a window, one number for all axes or one for each.
        stride: s, from a window to the next; None for windows side by side.

    Returns:
        When applied to x of shape (rows, places…, channels), an array with a place for
        each window that fits.

    Raises:
        ArgumentError: an argument is out of its range.
        ShapeError: x has no places, or a window doesn't fit into them.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([[[1.0], [4.0], [2.0], [3.0]]])
        >>> tw.MaxPool(2).forward(x, None)[0, :, 0].tolist()
        [4.0, 3.0]

    Source: Riesenhuber and Poggio, "Hierarchical models of object recognition in
    cortex", 1999.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """maxⱼ x[i·s + j]."""
        return ops.max(*self.windows(x))


@dataclass(frozen=True)
class MeanPool(Pool):
    """The mean of each window, for each channel.

    y[i] = 1/k Σⱼ x[i·s + j]

    Arguments:
        size: of a window, one number for all axes or one for each.
        stride: s, from a window to the next; None for windows side by side.

    Returns:
        When applied to x of shape (rows, places…, channels), an array with a place for
        each window that fits.

    Raises:
        ArgumentError: an argument is out of its range.
        ShapeError: x has no places, or a window doesn't fit into them.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([[[1.0], [4.0], [2.0], [3.0]]])
        >>> tw.MeanPool(2).forward(x, None)[0, :, 0].tolist()
        [2.5, 2.5]

    Source: LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel, "Handwritten
    digit recognition with a back-propagation network", 1990.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """1/k Σⱼ x[i·s + j]."""
        return ops.mean(*self.windows(x))


@dataclass(frozen=True)
class GlobalMax(Layer):
    """The largest number of all places, for each channel.

    y = maxᵢ x[i]

    Returns:
        When applied to x of shape (rows, places…, channels), an array (rows, channels).

    Raises:
        ShapeError: x has no places.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.GlobalMax().forward(np.array([[[1.0, 5.0], [4.0, 2.0]]]), None).tolist()
        [[4.0, 5.0]]

    Source: Oquab, Bottou, Laptev and Sivic, "Is object localization for free?", 2015.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """maxᵢ x[i]."""
        return ops.max(x, places_of(self, x))


@dataclass(frozen=True)
class GlobalMean(Layer):
    """The mean of all places, for each channel.

    y = 1/n Σᵢ x[i]

    Returns:
        When applied to x of shape (rows, places…, channels), an array (rows, channels).

    Raises:
        ShapeError: x has no places.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.GlobalMean().forward(np.array([[[1.0, 5.0], [4.0, 2.0]]]), None).tolist()
        [[2.5, 3.5]]

    Source: Lin, Chen and Yan, "Network in network", 2014.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """1/n Σᵢ x[i]."""
        return ops.mean(x, places_of(self, x))


@dataclass(frozen=True)
class Flatten(Layer):
    """All numbers of a row side by side.

    y = x, in the order of its axes

    Returns:
        When applied to x of shape (rows, …), an array (rows, numbers).

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.Flatten().forward(np.array([[[1.0, 5.0], [4.0, 2.0]]]), None).tolist()
        [[1.0, 5.0, 4.0, 2.0]]

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
    document recognition", 1998.
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x, in the order of its axes."""
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def places_of(layer: Layer, x: ops.Array) -> tuple[int, ...]:
    """The axes of places."""
    rank = rank_of(layer, tuple(x.shape[1:]))
    return tuple(range(1, rank + 1))


# What windows need --------------------------------------------------------------------


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
            raise ShapeError(
                f"{name} must be one number, or one for each of {rank} axes of places, "
                f"got {value}"
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

    def place(number: int) -> ops.Array:
        return x[(slice(None),) * axis + (slice(number, number + 1),)]

    ahead = [place(number) for number in range(before, 0, -1)]
    after = [place(n - 2 - number) for number in range(behind)]
    return ops.concatenate([*ahead, x, *after], axis)
