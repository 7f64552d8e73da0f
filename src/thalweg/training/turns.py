"""One time after the other: a program whose run leaves what the next run finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial

import numpy as np

from thalweg.backends.alignment import aligned_copy
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.native import Compiled, NativeProgram, Threads
from thalweg.backends.numpy.interpret import Executable, make_executable
from thalweg.model.stream import KEPT, NEW, TIME, Going
from thalweg.program.types import NumpyArray

Arrays = Mapping[str, NumpyArray]


class Turns(ABC):
    """The times of a stream.

    Arguments:
        going: the network.
        rows: how many there are.

    Attributes:
        x: inputs at this time, which are written before each turn.
        predictions: what the last turn gave.
        time: how many turns there were.
    """

    def __init__(self, going: Going, rows: int) -> None:
        self.x = np.zeros((rows, *going.input_shape), going.dtype)
        self.predictions = np.zeros((rows, *going.output_shape), going.dtype)
        self.time = 0
        # What is kept before even turns and before odd ones: a block of rows may still
        # read the one while another writes the other.
        self._kept = [
            {n: zeros(t.shape, t.dtype) for n, t in going.kept(rows).items()}
            for _ in range(2)
        ]

    def reset(self) -> None:
        """Before the first time again."""
        self.time = 0
        for array in self._kept[0].values():
            array[...] = 0

    @abstractmethod
    def turn(self) -> None:
        """One time more; nothing has changed if it fails.

        Raises:
            IndexError: a class number has no row in its table.
        """

    def quick_turn(self, x: NumpyArray) -> NumpyArray | None:
        """The same of inputs where they lie: what it gives, in an array of its own.

        None, and no turn, if there is no quick way, or if x isn't finite or not of the
        network's numbers.

        Arguments:
            x: of the shape of `self.x`.

        Raises:
            IndexError: a class number has no row in its table.
        """
        del x
        return None


def zeros(shape: tuple[int, ...], dtype: str) -> NumpyArray:
    """Zeros where the engine likes them to lie."""
    return aligned_copy(np.zeros(shape, dtype))


class InterpretedTurns(Turns):
    """By NumPy, one instruction after the other."""

    def __init__(self, program: Batch, going: Going, rows: int, memory: Arrays) -> None:
        super().__init__(going, rows)
        own = {"X": self.x, **self._kept[0]}
        self._run: Executable = make_executable(program.at(rows), {**memory, **own})

    def turn(self) -> None:
        """One time more."""
        if TIME in self._run.inputs:
            self._run.inputs[TIME][...] = self.time
        with np.errstate(all="ignore"):
            self._run.run()
        for name, array in self._kept[0].items():
            np.copyto(array, self._run.outputs[NEW + name.removeprefix(KEPT)])
        np.copyto(self.predictions, self._run.outputs["predictions"])
        self.time += 1


class NativeTurns(Turns):
    """By the engine: two programs, each of which reads what the other one left."""

    def __init__(
        self,
        compiled: Compiled,
        going: Going,
        rows: int,
        memory: Arrays,
        threads: Threads,
    ) -> None:
        super().__init__(going, rows)
        self._clock = np.zeros((), np.int32)
        programs = [
            self._bound(compiled, before, after, memory)
            for before, after in zip(self._kept, self._kept[::-1], strict=True)
        ]
        self._counts = TIME in programs[0].arrays
        how = threads.most, threads.adapts
        self._runs = [partial(each.engine.run, rows, *how) for each in programs]
        self._quick = [each.engine.predict for each in programs]
        self._most, self._adapts = how

    def _bound(
        self, compiled: Compiled, before: Arrays, after: Arrays, memory: Arrays
    ) -> NativeProgram:
        """The program that reads what was kept before, and writes what is after."""
        new = {NEW + name.removeprefix(KEPT): array for name, array in after.items()}
        bound = NativeProgram(compiled, {**memory, TIME: self._clock})
        bound.bind_rows({"X": self.x, "predictions": self.predictions, **before, **new})
        bound.engine.predict_between("X", "predictions")
        return bound

    def turn(self) -> None:
        """One time more."""
        if self._counts:
            self._clock[...] = self.time
        self._runs[self.time & 1]()
        self.time += 1

    def quick_turn(self, x: NumpyArray) -> NumpyArray | None:
        """One time more, by one call for all that is asked, copied and run."""
        if self._counts:
            self._clock[...] = self.time
        given = self._quick[self.time & 1](x, self._most, self._adapts)
        if given is not None:
            self.time += 1
        return given
