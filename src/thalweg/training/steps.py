"""Steps of training over rows: by the engine, whole epochs a call, or by NumPy."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.backends.engine.native import (
    Compiled,
    NativeProgram,
    Threads,
    clear_errors,
)
from thalweg.backends.numpy.interpret import Executable, make_executable
from thalweg.program.types import NumpyArray
from thalweg.training.rooms import Room, Rooms
from thalweg.training.rows import batches

SLICE_SECONDS = 0.03  # between two looks at the user's wish to stop


@dataclass(frozen=True)
class Log:
    """What the steps of one epoch gave: sums over their rows.

    Arguments:
        losses: shape (steps,).
        metrics: shape (steps, …).
        every: both side by side, shape (steps, numbers), float64.
    """

    losses: NumpyArray
    metrics: NumpyArray
    every: NumpyArray


@dataclass(frozen=True)
class Epoch:
    """What the steps of one epoch take, and where they leave what they gave.

    Arguments:
        order: the numbers of the rows, in the order in which they are taken; None for
            all rows as they lie.
        rates: the learning rate of every step.
        first: the number of steps before this epoch.
        log: is filled.
        done: the steps of this epoch that were taken, and logged, before.
        last: how many are done behind those that are taken now.
    """

    order: NumpyArray | None
    rates: NumpyArray
    first: int
    log: Log
    done: int
    last: int


class Steps(ABC):
    """The steps of training on the same rows, epoch by epoch."""

    def __init__(self, rooms: Rooms, batch_size: int) -> None:
        self.rooms = rooms
        self.rows = rows = rooms.rows
        self.batch_size = batch_size
        self.count = -(-len(rows) // batch_size)

    def sizes(self) -> list[int]:
        """The rows of a full batch, and of the smaller last one if there is one."""
        full, rest = min(self.batch_size, len(self.rows)), len(self.rows)
        return list(dict.fromkeys(n for n in (full, rest % self.batch_size) if n))

    def rows_in(self, step: int) -> int:
        """The rows of a step of the epoch, 0 for the first."""
        return min(self.batch_size, len(self.rows) - step * self.batch_size)

    def alike(self, epoch: Epoch) -> Iterator[tuple[int, int, int]]:
        """The steps that an epoch has left, those together that one program does.

        Returns:
            The times and the rows of their batches, and the number of steps that are
            done behind them.
        """
        times = self.rooms.times_of(epoch.order, self.batch_size)
        rows = np.full(self.count, self.batch_size)
        rows[-1] = len(self.rows) - (self.count - 1) * self.batch_size
        changes = (np.diff(times) != 0) | (np.diff(rows) != 0)
        done = epoch.done
        for until in (*np.flatnonzero(changes) + 1, self.count):
            if done < min(until, epoch.last):
                done = min(int(until), epoch.last)
                yield int(times[done - 1]), int(rows[done - 1]), done

    def log(self) -> Log:
        """Room for what the steps of an epoch give."""
        shape = self.metric_shape()
        every = np.empty((self.count, 1 + math.prod(shape)), np.float64)
        return Log(every[:, 0], every[:, 1:].reshape(self.count, *shape), every)

    @abstractmethod
    def metric_shape(self) -> tuple[int, ...]:
        """The shape of what the metric sums up for a batch."""

    @abstractmethod
    def train(self, epoch: Epoch, interrupted: Callable[[], bool]) -> Iterator[int]:
        """Train through an epoch, or a part of it.

        Arguments:
            epoch: the rows' order, the rates, the log to fill, and how far to go.
            interrupted: whether to stop; asked during long steps.

        Returns:
            From time to time the number of steps of the epoch that are done. The last
            is that of a step whose loss isn't finite, if there is one.

        Raises:
            KeyboardInterrupt: in a step, which is left undone.
        """


class InterpretedSteps(Steps):
    """Steps by NumPy, one instruction after the other."""

    def __init__(
        self,
        rooms: Rooms,
        batch_size: int,
        seed: int,
        memory: Mapping[str, NumpyArray],  # θ, the layers' state, the optimizer's slots
    ) -> None:
        super().__init__(rooms, batch_size)
        self._seed, self._memory = seed, memory
        self._executables: dict[tuple[int, int], Executable] = {}
        for count in self.sizes():
            self._executable(rooms.most, count)

    def metric_shape(self) -> tuple[int, ...]:
        """The shape of what the metric sums up for a batch."""
        return next(iter(self._executables.values())).outputs["metric_sum"].shape

    def train(self, epoch: Epoch, interrupted: Callable[[], bool]) -> Iterator[int]:
        """Train through one epoch; every step is told."""
        log, order, size = epoch.log, epoch.order, self.batch_size
        numbers = np.arange(len(self.rows)) if order is None else order
        done = epoch.done
        for times, count, until in self.alike(epoch):
            executable = self._executable(times, count)
            rows, taken = self.rooms.at(times).rows, numbers[done * size : until * size]
            for step, batch in enumerate(batches(rows, taken, size), done):
                for name, array in batch.items():
                    executable.inputs[name][...] = array
                executable.inputs["learning_rate"][...] = epoch.rates[step]
                executable.inputs["step"][...] = epoch.first + step + 1
                with np.errstate(all="ignore"):
                    executable.run()
                log.losses[step] = executable.outputs["loss_sum"]
                log.metrics[step] = executable.outputs["metric_sum"]
                yield step + 1
                if not np.isfinite(log.losses[step]):
                    return
            done = until

    def _executable(self, times: int, count: int) -> Executable:
        """The step on so many rows of so many times, made at its first use."""
        form = times, count
        if form not in self._executables:
            program = self.rooms.at(times).program.at(count)
            executable = make_executable(program, self._memory)
            executable.inputs["seed"][...] = self._seed
            self._executables[form] = executable
        return self._executables[form]


class NativeSteps(Steps):
    """Steps by the engine, many a call."""

    def __init__(
        self,
        compiled_for: Callable[[Room, int], Compiled],
        rooms: Rooms,
        batch_size: int,
        seed: int,
        memory: Mapping[str, NumpyArray],
        threads: Threads,
    ) -> None:
        super().__init__(rooms, batch_size)
        self._compiled_for, self._threads = compiled_for, threads
        self._seed, self._memory = seed, memory
        self._programs: dict[tuple[int, int], NativeProgram] = {}
        for count in self.sizes():
            self._program(rooms.most, count)

    def metric_shape(self) -> tuple[int, ...]:
        """The shape of what the metric sums up for a batch."""
        return next(iter(self._programs.values())).arrays["metric_sum"].shape

    def train(self, epoch: Epoch, interrupted: Callable[[], bool]) -> Iterator[int]:
        """Train through one epoch; told every few hundredths of a second."""
        done = epoch.done
        for times, count, until in self.alike(epoch):
            program = self._program(times, count)
            while done < until:
                with clear_errors():
                    batches, _, reason = program.engine.train(
                        order=epoch.order,
                        rows=len(self.rows),
                        batch_size=self.batch_size,
                        first_batch=done,
                        batches=until - done,
                        learning_rates=epoch.rates[done:],
                        first_step=epoch.first + done + 1,
                        log=epoch.log.every[done:],
                        log_names=["loss_sum", "metric_sum"],
                        poll=interrupted,
                        seconds=SLICE_SECONDS,
                        threads=self._threads.most,
                        adapts=self._threads.adapts,
                    )
                done += batches
                if batches:
                    yield done
                if reason == "interrupted":
                    raise KeyboardInterrupt
                if reason == "not_finite":
                    return

    def _program(self, times: int, count: int) -> NativeProgram:
        """The step on so many rows of so many times, made at its first use."""
        form = times, count
        if form not in self._programs:
            room = self.rooms.at(times)
            bound = NativeProgram(self._compiled_for(room, count), self._memory)
            bound.bind_rows(room.rows.arrays())
            if "seed" in bound.arrays:
                bound.arrays["seed"][...] = self._seed
            self._programs[form] = bound
        return self._programs[form]
