"""Streams: a network is given one time after the other, and keeps what it needs."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg.backends.alignment import aligned_copy
from thalweg.backends.engine.native import clear_errors
from thalweg.checks import require_whole
from thalweg.errors import ArgumentError, ShapeError
from thalweg.model.memory import Memory, parts_of
from thalweg.model.record import NetworkRecord
from thalweg.model.stream import Going, going_of
from thalweg.program.types import NumpyArray
from thalweg.training.execution import Execution
from thalweg.training.rows import numbers_from, require_finite

FALSE = b"\0"


class Stream:
    """A network that goes from time to time; `Network.stream` makes one.

    y_t = f(x₁, …, x_t)_t, by what is kept of the times before

    It keeps a copy of the parameters, too. One thread at a time may call it.

    Arguments:
        network: with parameters; it has no layer that needs later times.
        rows: how many sequences go side by side.
        times: room for as many, where a layer keeps every time; None for as many as the
            network was made for.
        execution: what runs it.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> network = tw.Network([tw.GRU(4), tw.Dense(2)]).initialize((5, 3))
        >>> x = np.ones((1, 5, 3), np.float32)
        >>> stream = network.stream()
        >>> given = [stream(x[:, t]) for t in range(5)]
        >>> bool((np.stack(given, axis=1) == network.predict(x)).all())
        True
    """

    def __init__(
        self,
        network: NetworkRecord,
        rows: int,
        times: int | None,
        execution: Execution,
    ) -> None:
        require_whole("rows", rows, least=1)
        if times is not None:
            require_whole("times", times, least=1)
        self.going: Going = going_of(
            network.layers, network.shapes, network.dtype, times
        )
        # Its own, as what follows from parameters alone is computed now.
        own = network.memory
        state = {name: array.copy() for name, array in own.state.items()}
        self._memory = Memory(aligned_copy(own.parameters), state)
        self._turns = execution.turns(self.going, int(rows), self._memory.buffers())
        self._shape = self._turns.x.shape
        self._end = None if self.going.is_endless else self.going.times

    @property
    def values(self) -> dict[str, NumpyArray]:
        """The parameters and the layers' state that it computes with, by name."""
        own = parts_of(self._memory.parameters, self.going.shapes)
        return {n: a.copy() for n, a in {**own, **self._memory.state}.items()}

    @property
    def time(self) -> int:
        """How many times there were."""
        return self._turns.time

    def __call__(self, x: Any) -> NumpyArray:
        """What the network gives at this time.

        Arguments:
            x: inputs at this time, (rows, …): what stands in rows at one of their
                times. Class numbers (rows,) where the first layer is an `Embedding`.

        Returns:
            An array (rows, outputs), of the newest time also where the network gives
            that of the last one alone.

        Raises:
            ArgumentError: x isn't finite, a class number isn't in its table, or there
                were as many times as there is room for.
            ShapeError: x has another shape.
            DtypeError: x doesn't hold numbers.
        """
        turns = self._turns
        if turns.time == self._end:
            raise self._full()
        try:  # a with statement would take longer
            if type(x) is np.ndarray and x.shape == self._shape:
                given = turns.quick_turn(x)
                if given is not None:
                    return given
            self._read(x)
            turns.turn()
        except IndexError:
            with clear_errors():
                raise
        return turns.predictions.copy()

    def reset(self) -> None:
        """Begin again, as if nothing had been given."""
        self._turns.reset()

    def _read(self, x: Any) -> None:
        """Take the inputs of this time; only finite ones."""
        own = self._turns.x
        is_ready = type(x) is np.ndarray and x.dtype == own.dtype
        given = x if is_ready else numbers_from(x, "x")
        if given.shape != own.shape:
            raise ShapeError(
                f"x must be of shape {own.shape}, inputs at one time, got {given.shape}"
            )
        if is_ready:
            own[...] = given
        else:
            with np.errstate(over="ignore"):
                own[...] = given
        if FALSE in np.isfinite(own).tobytes():  # a tenth of the time of all()
            require_finite(own, "x", given=given)

    def _full(self) -> ArgumentError:
        """The error where there is no room for another time."""
        return ArgumentError(
            f"a stream has room for {self._end} times, as the network was made for, or "
            "as many as times= says, and so many there were: reset() begins again"
        )
