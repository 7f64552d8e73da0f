"""Convolutions: layers that look at one window of a row at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thalweg.checks import look_up, require_whole
from thalweg.errors import ShapeError
from thalweg.formulas.activations import Activation, activation
from thalweg.formulas.initializers import (
    Initializer,
    initializer,
    initializer_for,
    zeros,
)
from thalweg.formulas.layers import Namespace, Parameter, Shape
from thalweg.formulas.lengths import Lengths, in_place_of_padding, windows_within
from thalweg.formulas.moments import Kept, Moment, Remembering, needs_later_times
from thalweg.formulas.places import (
    PADDINGS,
    WHOLE,
    PerAxis,
    Window,
    Windowed,
    count_of,
    padded,
    padding_of,
    per_axis,
    rank_of,
    require_per_axis,
)
from thalweg.program import ops
from thalweg.program.arguments import record


@dataclass(frozen=True)
class Conv(Windowed, Remembering):
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

    knows_lengths = True

    def lengths_behind(
        self, lengths: Lengths, input_shape: Shape, output_shape: Shape
    ) -> Lengths:
        """As many as there are windows of times that a row has.

        Raises:
            ShapeError: how windows lie depends on how many times there are.
        """
        sizes, strides, dilations = self._windows(input_shape)
        reach, stride = (sizes[0] - 1) * dilations[0] + 1, strides[0]
        fits = self.padding in ("valid", "causal")
        if not fits and (self.padding != "same" or stride > 1):
            raise ShapeError(
                "Conv must have padding='valid' or 'causal', or 'same' with stride 1, "
                "where rows have lengths of their own: how windows lie would depend on "
                f"the longest row, got {self.padding!r} with stride {stride}"
            )
        return windows_within(lengths, reach if self.padding == "valid" else 1, stride)

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
        if self.padding == "same":
            x = in_place_of_padding(x, p, 0.0)
        around = padded(x, sizes, strides, dilations, self.padding)
        return self._of_windows(around, p, sizes, strides, dilations)

    def _of_windows(
        self,
        around: ops.Array,
        p: Namespace,
        sizes: Shape,
        strides: Shape,
        dilations: Shape,
    ) -> ops.Array:
        """The same of the windows of x with what is set around it."""
        axes = range(1, len(sizes) + 1)
        seen = ops.windows(around, tuple(axes), sizes, strides, dilations)
        z = convolved(seen, p.weights, len(sizes), self.groups)
        return activation(self.activation)(z + p.bias if self.bias else z)

    def kept(self, input_shape: Shape, times: int) -> dict[str, Shape]:
        """The inputs of the times before that a window reaches."""
        (size, *_), (stride, *_), (dilation, *_) = self._windows(input_shape)
        sees_later = size > 1 and self.padding != "causal"
        if sees_later or stride > 1 or len(input_shape) != 2:
            raise needs_later_times(
                "this sees later times, or leaves some out; padding='causal' of a "
                "series, with stride 1, does neither"
            )
        reach = (size - 1) * dilation
        return {"inputs": (reach, *input_shape[1:])} if reach else {}

    def at_time(
        self, x: ops.Array, kept: Kept, p: Namespace, moment: Moment
    ) -> tuple[ops.Array, Kept]:
        """The window that ends at this time."""
        sizes, strides, dilations = self._windows(tuple(x.shape[1:]))
        around = ops.concatenate([*kept.values(), x], axis=1)
        y = self._of_windows(around, p, sizes, strides, dilations)
        return y, dict.fromkeys(kept, around[:, 1:])

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
