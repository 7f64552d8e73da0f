"""Positions: what tells the times of a sequence apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import look_up, require
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.initializers import normal
from thalweg.formulas.layers import Namespace, Parameter, Shape, sequence_of
from thalweg.formulas.moments import Kept, Moment, Remembering
from thalweg.program import ops
from thalweg.program.arguments import lift, tracing
from thalweg.program.composed import stack

BASE = 10_000.0  # the slowest wave is nearly so many times as long as the fastest
KINDS: Mapping[str, None] = dict.fromkeys(("learned", "sine"))


def times_of(x: ops.Array) -> ops.Array:
    """0, 1, 2, … for the times of x, as a column (times, 1).

    It is recorded where x is: what follows from it takes no room while a layer is
    traced, of which a file may ask for any number of times.

    >>> times_of(np.zeros((5, 3, 2))).tolist()
    [[0.0], [1.0], [2.0]]
    """
    return counted(x, x.shape[-2])


def counted(x: ops.Array, times: int) -> ops.Array:
    """0, 1, 2, … for so many times, as a column in the dtype of x."""
    column = np.arange(times, dtype=x.dtype)[:, None]
    recording = tracing(x)
    return column if recording is None else lift(recording, column, x.dtype.name)


def speeds(size: int) -> NDArray[np.float64]:
    """How far each pair of so many numbers turns from a time to the next.

    10000^(−2i / size), for pair i

    >>> speeds(4).tolist()
    [1.0, 0.01]
    """
    return BASE ** (-np.arange(0, size, 2) / size)


def waves(x: ops.Array, times: int) -> ops.Array:
    """A sine and a cosine for each pair of features, by turns: (times, features)."""
    features = x.shape[-1]
    angle = counted(x, times) * np.repeat(speeds(features), 2)[:features]
    return ops.where(np.arange(features) % 2 == 0, ops.sin(angle), ops.cos(angle))


def rotated(x: ops.Array) -> ops.Array:
    """Pairs of numbers as points of a plane, each turned by an angle that its time has.

    (a, b) becomes (a cos φ − b sin φ, a sin φ + b cos φ), φ = t · 10000^(−2i / size)

    Arguments:
        x: array (…, times, size), whose size is even.

    Raises:
        ShapeError: the size is odd.

    >>> rotated(np.array([[0.0, 1.0], [0.0, 1.0]])).round(2).tolist()
    [[0.0, 1.0], [-0.84, 0.54]]
    """
    return turned_by(x, *turns(x, x.shape[-2]))


def rotated_at(x: ops.Array, moment: Moment) -> ops.Array:
    """The same of one time, x of shape (…, 1, size)."""
    cos, sin = turns(x, moment.times)
    return turned_by(x, moment.of(cos), moment.of(sin))


def turns(x: ops.Array, times: int) -> tuple[ops.Array, ops.Array]:
    """cos φ and sin φ of each pair at so many times, (times, size / 2)."""
    size = x.shape[-1]
    if size % 2:
        raise ShapeError(
            "rotary positions must have heads of an even size, as they turn pairs of "
            f"numbers, got {size}"
        )
    angle = counted(x, times) * speeds(size)
    return ops.cos(angle), ops.sin(angle)


def turned_by(x: ops.Array, cos: ops.Array, sin: ops.Array) -> ops.Array:
    """Pairs of numbers as points, turned."""
    *others, times, size = x.shape
    pairs = ops.reshape(x, (*others, times, size // 2, 2))
    a, b = pairs[..., 0], pairs[..., 1]
    turned = stack([a * cos - b * sin, a * sin + b * cos], axis=-1)
    return ops.reshape(turned, x.shape)


@dataclass(frozen=True)
class Positions(Remembering):
    """Adds to every time of a sequence something that says which time it is.

    y[t] = x[t] + P[t]

    What compares all times, as attention does, is blind to their order without it.

    Arguments:
        kind: where P comes from. ``learned`` learns a vector for each time. ``sine``
            learns nothing: P[t] has sines and cosines of t, by turns, whose waves grow
            longer along the features,

            P[t, 2i] = sin(t / 10000^(2i / features)),
            P[t, 2i + 1] = cos(t / 10000^(2i / features)).

            Positions that turn queries and keys instead are no layer of their own, but
            ``Attention(heads, positions="rotary")``.

    Returns:
        When applied to x of shape (rows, times, features), an array of that shape.

    Raises:
        ArgumentError: kind names nothing known.
        ShapeError: x isn't of shape (rows, times, features).

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.Positions("sine").forward(np.zeros((1, 3, 2)), None).round(2)[0].tolist()
        [[0.0, 1.0], [0.84, 0.54], [0.91, -0.42]]

    Source: ``sine``: Vaswani et al., "Attention is all you need", 2017; ``learned``:
    Gehring et al., "Convolutional sequence to sequence learning", 2017.
    """

    kind: str = "learned"

    knows_lengths = True  # what it adds to a time depends on no other

    def __post_init__(self) -> None:
        require(
            self.kind != "rotary",
            "positions that are added",
            'learned or sine; rotary ones are Attention(heads, positions="rotary")',
            self.kind,
        )
        look_up("positions", self.kind, KINDS)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """A vector for each time (times, features), if they are learned."""
        shape = sequence_of(self, input_shape)
        learned = {"table": Parameter(shape, normal, penalized=True)}
        return learned if self.kind == "learned" else {}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """x + P."""
        sequence_of(self, x.shape[1:])
        return x + self._table(x, p, x.shape[1])

    @property
    def is_endless(self) -> bool:
        """There are so many positions."""
        return False

    def kept(self, input_shape: Shape, times: int) -> dict[str, Shape]:
        """Nothing: the stream counts the times."""
        learned = self.kind == "learned"
        if learned and times > input_shape[0]:
            raise ArgumentError(
                f"learned positions are those of {input_shape[0]} times, got {times}"
            )
        return {}

    def at_time(
        self, x: ops.Array, kept: Kept, p: Namespace, moment: Moment
    ) -> tuple[ops.Array, Kept]:
        """x + P[t]."""
        return x + moment.of(self._table(x, p, moment.times)), {}

    def _table(self, x: ops.Array, p: Namespace, times: int) -> ops.Array:
        """P, (times, features)."""
        return p.table if self.kind == "learned" else waves(x, times)
