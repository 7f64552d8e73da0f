"""Room for times: a batch of shorter rows is computed with fewer of them.

Rows of different lengths lie in an array of as many times as the longest has. A batch
needs no more than its own longest row; it gets a few more, so that few programs are
made:

    room(n) = the smallest of 8, 12, 16, 24, 32, 48, 64, … that is at least n

or all that there are, if that is about as many or more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import cast

import numpy as np

from thalweg.backends.engine.batch import Batch
from thalweg.errors import ThalwegError
from thalweg.formulas.chain import Shapes, lengths_through
from thalweg.formulas.layers import Layer
from thalweg.formulas.losses import Loss
from thalweg.formulas.recurrence import Recurring
from thalweg.model.lengths import require_same_parameters
from thalweg.model.metrics import Metric
from thalweg.model.programs import (
    FUNCTIONS,
    Programs,
    is_of_the_package,
    shapes_once,
)
from thalweg.model.step import Objective, scoring_program, step_key, step_programs
from thalweg.model.traced import TracedLayer, TracedLoss
from thalweg.program.ir import Program
from thalweg.program.types import Dtype, NumpyArray
from thalweg.training.rows import Rows

LEAST_TIMES = 8  # fewer save less than another program costs
WORTH_IT = 7 / 8  # of all times, at most, for another program


def room(times: int, most: int) -> int:
    """So many times, or a few more: a power of two, or one and a half of them.

    Arguments:
        times: that are needed.
        most: that there are.

    >>> [room(n, 200) for n in (1, 8, 9, 13, 24, 25, 100, 180)]
    [8, 8, 12, 16, 24, 32, 128, 200]
    """
    double = 1 << (times - 1).bit_length()
    fewer = double // 4 * 3
    found = max(fewer if times <= fewer else double, LEAST_TIMES)
    return found if found <= WORTH_IT * most else most


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
    """Rows with so many times, and what is to be done with them.

    Arguments:
        rows: without the times behind.
        program: of a batch of them.
        key: of all that the program depends on, but for the number of rows.
    """

    rows: Rows
    program: Batch
    key: Hashable


class Rooms:
    """A program over rows, for each number of times that some of them need.

    Which one they get follows from their own lengths and the layers, and so do the
    bits.

    Arguments:
        layers, shapes, loss, dtype: of the network.
        rows: all of them.
        make: gives the program for rows, and for shapes of as many times.
        programs: shared with other runs, formulas of a user's own too.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        shapes: Shapes,
        loss: Loss,
        rows: Rows,
        dtype: Dtype,
        make: Callable[[Rows, Shapes], Room],
        programs: Programs | None = None,
    ) -> None:
        self.rows = rows
        self.most = rows.X.shape[1]
        self._layers, self._shapes, self._loss = layers, shapes, loss
        self._dtype: Dtype = dtype
        self._make, self._programs = make, programs
        self._rooms = {self.most: make(rows, shapes)}

    def at(self, times: int) -> Room:
        """The room of so many times, as `times_of` gives them."""
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

    def by_times(self) -> Iterator[Room]:
        """Rooms for the rows, each of those that get the same."""
        times = self.times_of(self.rows.numbers, 1)
        # `np.unique` without places waits for Python's lock where C++ may not unwind: a
        # process that ends meanwhile would abort, up to Python 3.13.
        for each in sorted(set(times.tolist())):
            room, own = self.at(each), times == each
            rows = room.rows if own.all() else room.rows.take(own)
            yield replace(room, rows=rows.copied())

    def _times_for(self, longest: int) -> int:
        """Times enough for so many, for which there is a program."""
        times = room(longest, self.most)
        if times not in self._rooms:
            self._rooms[times] = self._shorter(times) or self._rooms[self.most]
        return self._rooms[times].rows.X.shape[1]

    def _shorter(self, times: int) -> Room | None:
        """The room of fewer times; None if the layers go with all of them only."""
        layers, rows = self._layers, self.rows
        if not is_for_any_times((*layers, self._loss)):
            return None
        shape = (times, *rows.X.shape[2:])
        try:
            shapes = shapes_once(layers, shape, self._dtype, self._programs)
            require_same_parameters(self._shapes, shapes)
        except ThalwegError:
            return None
        has_times = lengths_through(layers, shapes.outputs, rows.lengths) is not None
        behind = shapes.outputs[-1][0] if has_times else None
        return self._make(rows.within(times, behind), shapes)


def training_rooms(
    layers: tuple[Layer, ...],
    shapes: Shapes,
    objective: Objective,
    rows: Rows,
    dtype: Dtype,
    programs: Programs | None = None,
) -> Rooms:
    """Steps of training on rows.

    Arguments:
        objective: what the network is to learn.
        layers, shapes, rows, dtype, programs: as `Rooms` takes them.
    """

    def make(rows: Rows, shapes: Shapes) -> Room:
        def step(count: int) -> Program:
            types = rows.types(count)
            return step_programs(layers, shapes, objective, types, dtype)["step"]

        key = step_key(layers, shapes, objective, rows.types(1), dtype)
        return Room(rows, Batch(step, rows.arrays()), key)

    return Rooms(layers, shapes, objective.loss, rows, dtype, make, programs)


def scoring_rooms(
    layers: tuple[Layer, ...],
    shapes: Shapes,
    loss: Loss,
    metric: Metric,
    rows: Rows,
    dtype: Dtype,
    programs: Programs | None = None,
) -> Rooms:
    """The sums of loss and metric over rows.

    Arguments:
        metric: of the network.
        layers, shapes, loss, rows, dtype, programs: as `Rooms` takes them.
    """

    def make(rows: Rows, shapes: Shapes) -> Room:
        def scoring(count: int) -> Program:
            types = rows.types(count)
            return scoring_program(layers, shapes, loss, metric, types, dtype)

        types = tuple(rows.types(1).items())
        key = ("scores", layers, shapes.outputs[0], loss, type(metric), types, dtype)
        return Room(rows, Batch(scoring, rows.arrays()), key)

    return Rooms(layers, shapes, loss, rows, dtype, make, programs)
