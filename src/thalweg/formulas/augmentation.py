"""Rows that look a little different in every step of training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.checks import (
    is_number,
    look_up,
    require,
    require_non_negative,
    require_whole,
)
from thalweg.errors import ShapeError
from thalweg.formulas.layers import Layer, Namespace, Parameter, Random, Shape, State
from thalweg.program import ops
from thalweg.program.arguments import record

FLIPS: Mapping[str, tuple[int, ...]] = {
    "horizontal": (-1,),
    "vertical": (0,),
    "both": (-1, 0),
}
"""Along which of the axes of places the ends are exchanged."""
MOST_DEGREES = 180


@dataclass(frozen=True)
class Augment(Layer):
    """Shifts, flips and rotates the images of a batch, each by chance, and adds noise.

    y = rotated(x) at (i − s, j − t), flipped or not, + σ ε, ε normal

    All is drawn anew for each row in every step of training, from the seed and the
    step's number. What comes from beyond an edge is 0. Prediction leaves x alone.

    Arguments:
        shift: the most places that a row is moved along each axis, forth or back; it
            is moved by a whole number of them, each equally likely.
        flip: ``horizontal``, ``vertical`` or ``both``: each with probability 1/2.
        rotate: the most degrees that an image is turned about its middle, either way,
            up to 180; between places it is interpolated.
        noise: σ, the standard deviation of what is added, on the scale of x.

    Returns:
        When applied to images of shape (rows, height, width, channels), or to series
        (rows, times, channels), whose one axis is horizontal: an array of that shape.

    Raises:
        ArgumentError: an argument is out of its range.
        ShapeError: x isn't made of images or series; series are to be turned, or
            flipped vertically.

    Example:
        >>> import thalweg as tw
        >>> network = tw.Network([tw.Augment(shift=2, rotate=10), tw.Flatten()])
        >>> network.initialize((8, 8, 1)).predict([[[[1.0]] * 8] * 8]).min()
        np.float32(1.0)

    Source: Simard, Steinkraus and Platt, "Best practices for convolutional neural
    networks applied to visual document analysis", 2003; rotation by three shears:
    Paeth, "A fast algorithm for general raster rotation", 1986.
    """

    shift: int = 0
    flip: str | None = None
    rotate: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        require_whole("shift", self.shift, least=0)
        if self.flip is not None:
            look_up("flip", self.flip, FLIPS)
        fits = is_number(self.rotate) and 0 <= self.rotate <= MOST_DEGREES
        require(
            fits, "rotate", f"a number of degrees, 0 to {MOST_DEGREES}", self.rotate
        )
        require_non_negative("noise", self.noise)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """None, of images or series."""
        places = places_of(input_shape)
        if self.rotate or self.flip in ("vertical", "both"):
            require_image("rotate" if self.rotate else f"flip={self.flip!r}", places)
        return {}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x as it is."""
        return x

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """x, flipped, turned, moved and with noise."""
        (x,) = ops.as_floats(x)
        places = places_of(tuple(x.shape[1:]))
        rows = (x.shape[0],)
        for place in FLIPS[self.flip] if self.flip else ():
            turned = flipped(x, places[place])
            x = chosen(random.uniform(rows) < 0.5, turned, x)
        if self.rotate:
            most = math.radians(self.rotate)
            x = rotated(x, most * (2 * random.uniform(rows) - 1), most)
        for axis in places if self.shift else ():
            drawn = ops.floor((2 * self.shift + 1) * random.uniform(rows))
            x = moved(x, axis, drawn - self.shift, self.shift)
        if self.noise:
            x = x + self.noise * normal(random, x.shape)
        return x, {}


def places_of(input_shape: Shape) -> Shape:
    """The axes along which a row can be moved: of images two, of series one."""
    rank = len(input_shape) - 1
    if rank not in (1, 2):
        got = ", ".join(["rows", *map(str, input_shape)])
        raise ShapeError(
            "Augment must be given images (rows, height, width, channels) or series "
            f"(rows, times, channels), got ({got})"
        )
    return tuple(range(1, rank + 1))


def require_image(what: str, places: Shape) -> None:
    """There are two axes of places."""
    if len(places) != 2:
        raise ShapeError(
            f"{what} is for images, (rows, height, width, channels), got x of shape "
            "(rows, times, channels)"
        )


def normal(random: Random, shape: Shape) -> ops.Array:
    """Normal numbers of mean 0 and variance 1, by Box and Muller's formula of 1958."""
    length = ops.sqrt(-2 * ops.log(1 - random.uniform(shape)))
    return length * ops.cos(2 * math.pi * random.uniform(shape))


def chosen(condition: ops.Array, x: ops.Array, y: ops.Array) -> ops.Array:
    """The rows of x where the condition of a row is true, else those of y."""
    ones = (1,) * (len(x.shape) - 1)
    return ops.where(ops.reshape(condition, (x.shape[0], *ones)), x, y)


def flipped(x: ops.Array, axis: int) -> ops.Array:
    """x from its end to its start along an axis.

    >>> flipped(np.array([[1.0, 2.0, 3.0]]), 1).tolist()
    [[3.0, 2.0, 1.0]]
    """
    backwards = np.eye(x.shape[axis], dtype=x.dtype)[::-1]
    order = axis_last(len(x.shape), axis)
    turned = ops.contract(ops.transpose(x, order), backwards)
    return ops.transpose(turned, tuple(np.argsort(order).tolist()))


def axis_last(rank: int, axis: int) -> tuple[int, ...]:
    """All axes in their order, but for one that comes last."""
    return (*(each for each in range(rank) if each != axis), axis)


# Moving -------------------------------------------------------------------------------


def moved(x: ops.Array, axis: int, distance: ops.Array, most: int) -> ops.Array:
    """x moved along an axis, each row by its own distance; between places, linearly.

    y[i] = Σₖ max(0, 1 − |k − m + d|) x[i + k − m], over k = 0 … 2m

    Arguments:
        x: rows first.
        axis: along which.
        distance: d, of each row.
        most: m, a whole number that no distance is larger than.
    """
    seen = neighbors(x, axis, most)
    return ops.contract(hats(distance, most, x), seen, batch=1)


def neighbors(x: ops.Array, axis: int, most: int) -> ops.Array:
    """What is up to so many places away along an axis: (rows, 2 · most + 1, …)."""
    seen = ops.windows(widened(x, axis, most), axis, x.shape[axis])
    order = (0, axis, *range(1, axis), *range(axis + 1, len(x.shape) + 1))
    return ops.transpose(seen, order)


def hats(distance: ops.Array, most: int, like: ops.Array) -> ops.Array:
    """How much each neighbor counts, in a last axis: one if the distance is whole."""
    away = np.arange(-most, most + 1)
    shape = (*distance.shape, 1)
    found = ops.maximum(0, 1 - ops.absolute(away + ops.reshape(distance, shape)))
    return ops.cast(found, like.dtype)


def sheared(
    x: ops.Array, axis: int, other: int, slope: ops.Array, most: float
) -> ops.Array:
    """x moved along an axis in proportion to the place along another, from its middle.

    Arguments:
        x: images.
        axis: along which.
        other: the axis on whose place it depends how far.
        slope: of each row, in places a place.
        most: no slope is larger.
    """
    n: int = x.shape[other]
    middle = (n - 1) / 2
    distance = ops.reshape(slope, (x.shape[0], 1)) * (np.arange(n) - middle)
    reach = math.ceil(most * middle)
    seen = neighbors(x, axis, reach)  # (rows, neighbors, height, width, channels)
    along = 1 + other
    order = (0, along, 1, 5 - along, 4)
    found = ops.contract(hats(distance, reach, x), ops.transpose(seen, order), batch=2)
    return found if other == 1 else ops.transpose(found, (0, 2, 1, 3))


def rotated(x: ops.Array, angle: ops.Array, most: float) -> ops.Array:
    """Images turned about their middle, counterclockwise, by three shears.

    Arguments:
        x: (rows, height, width, channels).
        angle: of each row, in radians.
        most: no angle is larger, in radians.
    """
    if most > math.pi / 2:
        # Half a turn is exact; what is left to turn is a right angle at the most.
        beyond = ops.absolute(angle) > math.pi / 2
        x = chosen(beyond, flipped(flipped(x, 1), 2), x)
        angle = ops.where(beyond, angle - math.pi * ops.sign(angle), angle)
    most = min(most, math.pi / 2)
    height, width = x.shape[1:3]
    across, down = math.tan(most / 2), math.sin(most)
    tangent = ops.sin(angle / 2) / ops.cos(angle / 2)
    x = widened(x, 2, math.ceil(across * (height - 1) / 2))
    x = sheared(x, 2, 1, tangent, across)
    x = widened(x, 1, math.ceil(down * (x.shape[2] - 1) / 2))
    x = sheared(x, 1, 2, -ops.sin(angle), down)
    x = narrowed(x, 1, height)
    x = sheared(x, 2, 1, tangent, across)
    return narrowed(x, 2, width)


def widened(x: ops.Array, axis: int, by: int) -> ops.Array:
    """x with so many zeros at both ends of an axis."""
    shape = list(x.shape)
    shape[axis] += 2 * by
    starts = tuple(by if each == axis else 0 for each in range(len(shape)))
    return record("pad", x, starts=starts, steps=(1,) * len(shape), shape=tuple(shape))


def narrowed(x: ops.Array, axis: int, size: int) -> ops.Array:
    """The middle of x along an axis."""
    start = (x.shape[axis] - size) // 2
    return x[(slice(None),) * axis + (slice(start, start + size),)]
