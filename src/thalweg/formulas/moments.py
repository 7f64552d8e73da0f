"""Layers at one time: what they keep of the times before, and what they make of it."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.errors import ArgumentError
from thalweg.formulas.layers import Layer, Namespace, Shape
from thalweg.program import ops

Kept = dict[str, ops.Array]
"""What a layer keeps, by name: arrays (rows, …), or one number of the time."""


@dataclass(frozen=True)
class Moment:
    """Where a stream is.

    Arguments:
        time: how many times went before, int32 of shape ().
        times: how many there is room for.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.Moment(np.int32(2), times=4).of(np.array([0.0, 0.5, 1.0, 1.5]))
        np.float64(1.0)
    """

    time: ops.Array
    times: int

    def of(self, table: ops.Array) -> ops.Array:
        """What a table (times, …) has for this time; an error where it has nothing."""
        return ops.take(table, self.time)


class Remembering(Layer):
    """A layer in which a time follows from those before it.

    A layer of one's own that looks at other times is one, too, if it can say what it
    keeps. `forward` stays what it computes of all times at once; `at_time`, time after
    time, must give the same.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np, thalweg as tw
        >>> @dataclass(frozen=True)
        ... class Change(tw.Remembering):
        ...     def forward(self, x, p):
        ...         before = tw.concatenate([0 * x[:, :1], x[:, :-1]], axis=1)
        ...         return x - before
        ...     def kept(self, input_shape, times):
        ...         return {"before": (1, *input_shape[1:])}
        ...     def at_time(self, x, kept, p, moment):
        ...         return x - kept["before"], {"before": x}
        >>> stream = tw.Network([Change()]).initialize((4, 1)).stream()
        >>> [stream([[x]]).item() for x in (1.0, 4.0, 9.0)]
        [1.0, 3.0, 5.0]
    """

    @property
    def is_endless(self) -> bool:
        """Whether it needs as much room after any number of times."""
        return True

    @property
    def has_times(self) -> bool:
        """Whether it gives something at each time; else that of the newest, alone."""
        return True

    @abc.abstractmethod
    def kept(self, input_shape: Shape, times: int) -> Mapping[str, Shape]:
        """The shape of what is kept of a row, by name; all of it starts as zeros.

        Arguments:
            input_shape: of a row, (times, …), as it is for `parameters`.
            times: how many there must be room for.

        Raises:
            ArgumentError: it needs later times as well.
        """

    @abc.abstractmethod
    def at_time(
        self, x: ops.Array, kept: Kept, p: Namespace, moment: Moment
    ) -> tuple[ops.Array, Kept]:
        """What `forward` gives at this time, and what is kept from now on.

        Arguments:
            x: inputs at this time, (rows, 1, …).
            kept: what was kept at the time before, (rows, …) each.
            p: parameters and state, as attributes.
            moment: where the stream is.
        """


def needs_later_times(why: str) -> ArgumentError:
    """The error of a layer that no stream can have."""
    return ArgumentError(
        f"a stream gives each time before the next is known, but {why}"
    )
