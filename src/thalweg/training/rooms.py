"""Room for times: a batch of shorter rows is computed with fewer of them.

Rows of different lengths lie in an array of as many times as the longest has. A batch
needs no more than its own longest row; it gets a few more, so that few programs are
made:

    room(n) = the smallest of 8, 12, 16, 24, 32, 48, 64, … that is at least n

and never more than there are.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields, is_dataclass
from typing import cast

import numpy as np

from thalweg.backends.engine.batch import Batch
from thalweg.errors import ThalwegError
from thalweg.formulas.chain import Shapes, lengths_through
from thalweg.formulas.layers import Layer
from thalweg.formulas.recurrence import Recurring
from thalweg.model.lengths import require_same_parameters
from thalweg.model.programs import FUNCTIONS, Programs, is_of_the_package
from thalweg.model.stack import shapes_once
from thalweg.model.step import Objective, step_key, step_programs
from thalweg.model.traced import TracedLayer, TracedLoss
from thalweg.program.ir import Program
from thalweg.program.types import Dtype, NumpyArray
from thalweg.training.rows import Rows

LEAST_TIMES = 8  # fewer save less than another program costs


def room(times: int) -> int:
    """So many times, or a few more: a power of two, or one and a half of them.

    >>> [room(n) for n in (1, 8, 9, 13, 24, 25, 100)]
    [8, 8, 12, 16, 24, 32, 128]
    """
    double = 1 << (times - 1).bit_length()
    fewer = double // 4 * 3
    return max(fewer if times <= fewer else double, LEAST_TIMES)


def is_for_any_times(part: object) -> bool:
    """Whether a layer or a loss holds no formula of a user's own, cells apart.

    A file has such a formula as it was for one number of times. A run that goes on from
    there would compute a batch of fewer in another way than the run that it was.

    >>> from thalweg.formulas.layers import Dense
    >>> is_for_any_times(Dense(3, "relu")), is_for_any_times(Dense(3, abs))
    (True, False)
    """
    if isinstance(part, tuple):
        return all(map(is_for_any_times, cast("tuple[object, ...]", part)))
    if isinstance(part, Recurring):  # whose cell sees one time
        return True
    if isinstance(part, Layer) or is_dataclass(part):
        names = [each.name for each in fields(part)] if is_dataclass(part) else []
        known = not isinstance(part, TracedLayer | TracedLoss)
        known = known and is_of_the_package(type(part))
        return known and all(is_for_any_times(getattr(part, name)) for name in names)
    if callable(part):
        return isinstance(part, FUNCTIONS) and is_of_the_package(part)
    return True  # a number or a name


@dataclass(frozen=True)
class Room:
    """A step of training on rows with so many times.

    Arguments:
        rows: to train on, without the times behind.
        program: of a step on a batch of them.
        key: of all that the program depends on, but for the number of rows.
    """

    rows: Rows
    program: Batch
    key: Hashable


class Rooms:
    """A step of training, for each number of times that batches of some rows need.

    Which one a batch gets follows from its own rows and from the layers, and so do its
    bits.

    Arguments:
        layers, shapes, dtype: of the network.
        objective: what it is to learn.
        rows: to train on.
        programs: shared with other runs, formulas of a user's own too.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: Shapes,
        objective: Objective,
        rows: Rows,
        dtype: Dtype,
        programs: Programs | None = None,
    ) -> None:
        self.rows = rows
        self.most = rows.X.shape[1]
        self._layers, self._shapes = layers, shapes
        self._objective = objective
        self._dtype: Dtype = dtype
        self._programs = programs
        self._rooms = {self.most: self._room(rows, shapes)}

    def at(self, times: int) -> Room:
        """The step on rows of so many times, as `times_of` gives them."""
        return self._rooms[times]

    def times_of(self, order: NumpyArray | None, batch_size: int) -> NumpyArray:
        """How many times each batch is given.

        Arguments:
            order: the numbers of the rows, in the order in which they are taken.
            batch_size: the rows of each.
        """
        lengths = self.rows.lengths
        starts = np.arange(0, len(self.rows), batch_size)
        if lengths is None:
            return np.full(len(starts), self.most)
        own = lengths if order is None else lengths[order]
        longest, which = np.unique(
            np.maximum.reduceat(own, starts), return_inverse=True
        )
        return np.array([self._times_for(int(n)) for n in longest])[which]

    def _times_for(self, longest: int) -> int:
        """Times enough for so many, for which there is a step."""
        times = min(room(longest), self.most)
        if times not in self._rooms:
            self._rooms[times] = self._shorter(times) or self._rooms[self.most]
        return self._rooms[times].rows.X.shape[1]

    def _shorter(self, times: int) -> Room | None:
        """The step on fewer times; None if the layers go with all of them only."""
        layers, rows, loss = self._layers, self.rows, self._objective.loss
        if not is_for_any_times((*layers, loss)):
            return None
        shape = (times, *rows.X.shape[2:])
        try:
            shapes = shapes_once(layers, shape, self._dtype, self._programs)
            require_same_parameters(self._shapes, shapes)
        except ThalwegError:
            return None
        has_times = lengths_through(layers, shapes.outputs, rows.lengths) is not None
        behind = shapes.outputs[-1][0] if has_times else None
        return self._room(rows.within(times, behind), shapes)

    def _room(self, rows: Rows, shapes: Shapes) -> Room:
        """The step on these rows, whatever there are."""
        layers, objective, dtype = self._layers, self._objective, self._dtype

        def step(count: int) -> Program:
            types = rows.types(count)
            return step_programs(layers, shapes, objective, types, dtype)["step"]

        key = step_key(layers, shapes, objective, rows.types(1), dtype)
        return Room(rows, Batch(step, rows.arrays()), key)
