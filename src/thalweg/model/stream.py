"""The program of a network at one time, which gives what the next time needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.errors import ShapeError
from thalweg.formulas.chain import Shapes
from thalweg.formulas.layers import Layer
from thalweg.formulas.moments import Moment
from thalweg.formulas.streaming import Remembered, chain_at_time, remembered
from thalweg.model.stack import values_by_layer
from thalweg.model.step import network_inputs, values_in
from thalweg.program import ops
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, Dtype, Shape

KEPT, NEW = "kept.", "new."
"""Before the names of what was kept at the time before, and of what is from now on."""

TIME = "time"
"""How many times went before."""


@dataclass(frozen=True)
class Going:
    """A network that goes from time to time.

    Arguments:
        layers, shapes, dtype: of the network.
        times: how many there is room for, where a layer keeps every time.
        remembered: what its layers keep.
    """

    layers: tuple[Layer, ...]
    shapes: Shapes
    dtype: Dtype
    times: int
    remembered: Remembered

    @property
    def is_endless(self) -> bool:
        """Whether it goes on for any number of times."""
        return self.remembered.is_endless

    @property
    def input_shape(self) -> Shape:
        """What a row is given at a time."""
        return self.shapes.outputs[0][1:]

    @property
    def output_shape(self) -> Shape:
        """What a row gives at a time."""
        last = self.shapes.outputs[-1]
        return last[1:] if self.remembered.has_times else last

    def kept(self, rows: int) -> dict[str, ArrayType]:
        """What is kept from time to time, by the names that programs have for it."""
        return {
            KEPT + name: ArrayType((rows, *shape), self.dtype)
            for name, shape in self.remembered.shapes.items()
        }

    def formula(
        self,
        X: ops.Array,
        kept: Mapping[str, Any],
        values: Mapping[str, Any],
        time: Any,
    ) -> dict[str, Any]:
        """What is predicted at a time, and what is kept from then on.

        Arguments:
            X: inputs at this time, (rows, …).
            kept: by the names that programs have for it.
            values: parameters and state by names such as ``1.weights``.
            time: how many times went before, int32 of shape ().
        """
        x = ops.reshape(ops.cast(X, self.dtype), (X.shape[0], 1, *X.shape[1:]))
        given = chain_at_time(
            self.layers,
            self.shapes.outputs,
            x,
            {name.removeprefix(KEPT): array for name, array in kept.items()},
            values_by_layer(self.layers, values),
            Moment(time, self.times),
        )
        y = given.x[:, 0] if given.has_times else given.x
        new = {NEW + name: array for name, array in given.kept.items()}
        return {"predictions": y, **new}

    def program(self, rows: int) -> Program:
        """The finished program for a number of rows."""
        kept = self.kept(rows)
        inputs = network_inputs(self.shapes, rows, self.dtype)
        X = ArrayType((rows, *self.input_shape), self.dtype)

        def at_time(arrays: dict[str, Any]) -> dict[str, Any]:
            before = {name: arrays[name] for name in kept}
            values = values_in(arrays, self.shapes, self.dtype)
            return self.formula(arrays["X"], before, values, arrays[TIME])

        types = {**inputs, "X": X, **kept, TIME: ArrayType((), "int32")}
        return finish(make_safe(trace(at_time, types)))


def going_of(
    layers: Sequence[Layer], shapes: Shapes, dtype: Dtype, times: int | None
) -> Going:
    """A network with room for a number of times; None for those it was made for.

    Raises:
        ArgumentError: a layer needs later times; it is named.
        ShapeError: a row has no times.
    """
    row = shapes.outputs[0]
    if not row:
        raise ShapeError("a stream is of rows of times, got rows of one number")
    room = row[0] if times is None else times
    kept = remembered(layers, shapes.outputs, dtype, room)
    return Going(tuple(layers), shapes, dtype, room, kept)
