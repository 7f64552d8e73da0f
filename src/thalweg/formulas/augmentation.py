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
MOST_TURNED = 2**16  # places along a side, which a formula holds as numbers


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
            flipped vertically; a shift would leave nothing of a row; there are more
            than 2¹⁶ places along a side of images to be turned.

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
        if self.rotate and max(input_shape[:-1]) > MOST_TURNED:
            raise ShapeError(
                f"rotate takes images of up to {MOST_TURNED:,} places along a side, "
                f"got {tuple(input_shape[:-1])}"
            )
        if self.shift >= min(input_shape[:-1]):
            raise ShapeError(
                f"shift must be less than what a row has of places, "
                f"{tuple(input_shape[:-1])}, got {self.shift}"
            )
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
            x = ops.where(of_rows(random.uniform(rows), x) < 0.5, turned, x)
        if self.rotate:
            most = math.radians(self.rotate)
            x = rotated(x, most * (2 * random.uniform(rows) - 1), most)
        for axis in places if self.shift else ():
            drawn = ops.floor((2 * self.shift + 1) * random.uniform(rows))
            x = shifted(x, axis, of_rows(drawn - self.shift, x), self.shift)
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


def flipped(x: ops.Array, axis: int) -> ops.Array:
    """x from its end to its start along an axis.

    >>> flipped(np.array([[1.0, 2.0, 3.0]]), 1).tolist()
    [[3.0, 2.0, 1.0]]
    """
    return x[(slice(None),) * axis + (slice(None, None, -1),)]


# Moving -------------------------------------------------------------------------------


def moved(x: ops.Array, axis: int, distance: ops.Array, most: int) -> ops.Array:
    """x moved along an axis, and between its places interpolated.

    y[i] = (1 − f) x[i − w] + f x[i − w − 1], with d = w + f, w whole, 0 ≤ f < 1

    Arguments:
        x: rows first.
        axis: along which.
        distance: d, for each row, or for places along other axes: of as many axes as x.
        most: a whole number that no distance is larger than.
    """
    whole = ops.floor(distance)
    part = distance - whole
    seen = shifted(x, axis, whole, most, before=1)
    every = (slice(None),) * axis
    near, far = seen[(*every, slice(1, None))], seen[(*every, slice(None, -1))]
    return (1 - part) * near + part * far


def shifted(
    x: ops.Array, axis: int, distance: ops.Array, most: int, before: int = 0
) -> ops.Array:
    """x moved by whole distances: in each step by a power of two, or not at all.

    Arguments:
        x, axis, distance, most: as `moved` has them.
        before: how many places more there are to be, in front of the others.
    """
    bits = (2 * most).bit_length()
    reach = 2**bits - 1
    x = widened(x, axis, most + before, reach - most)
    left, every = most - distance, (slice(None),) * axis
    for step in (2**bit for bit in reversed(range(bits))):
        goes = left >= step
        left = ops.where(goes, left - step, left)
        near, far = x[(*every, slice(None, -step))], x[(*every, slice(step, None))]
        x = ops.where(goes, far, near)
    return x


def of_rows(numbers: ops.Array, x: ops.Array) -> ops.Array:
    """A number for each row as an array of as many axes as x."""
    return ops.reshape(numbers, (x.shape[0], *(1,) * (len(x.shape) - 1)))


def sheared(
    x: ops.Array, axis: int, other: int, slope: ops.Array, most: float
) -> ops.Array:
    """Images moved along an axis, in proportion to the place along the other one.

    Arguments:
        x: (rows, height, width, channels).
        axis, other: of the two in the middle.
        slope: of each row: how far from a place to the next. The middle stays.
        most: no slope is larger.
    """
    n: int = x.shape[other]
    middle = (n - 1) / 2
    away = np.arange(n) - middle
    along = away.reshape((-1, 1, 1) if other == 1 else (-1, 1))
    return moved(x, axis, of_rows(slope, x) * along, math.ceil(most * middle))


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
        x = ops.where(of_rows(beyond, x), flipped(flipped(x, 1), 2), x)
        angle = ops.where(beyond, angle - math.pi * ops.sign(angle), angle)
    most = min(most, math.pi / 2)
    height, width = x.shape[1:3]
    across, down = math.tan(most / 2), math.sin(most)
    tangent = ops.sin(angle / 2) / ops.cos(angle / 2)
    room = math.ceil(across * (height - 1) / 2)
    x = widened(x, 2, room, room)
    x = sheared(x, 2, 1, tangent, across)
    room = math.ceil(down * (x.shape[2] - 1) / 2)
    x = widened(x, 1, room, room)
    x = sheared(x, 1, 2, -ops.sin(angle), down)
    x = narrowed(x, 1, height)
    x = sheared(x, 2, 1, tangent, across)
    return narrowed(x, 2, width)


def widened(x: ops.Array, axis: int, before: int, behind: int) -> ops.Array:
    """x with so many zeros before and behind an axis."""
    shape = list(x.shape)
    shape[axis] += before + behind
    starts = tuple(before if each == axis else 0 for each in range(len(shape)))
    return record("pad", x, starts=starts, steps=(1,) * len(shape), shape=tuple(shape))


def narrowed(x: ops.Array, axis: int, size: int) -> ops.Array:
    """The middle of x along an axis."""
    start = (x.shape[axis] - size) // 2
    return x[(slice(None),) * axis + (slice(start, start + size),)]
