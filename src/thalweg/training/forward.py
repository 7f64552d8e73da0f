"""Programs without learning, run over any number of rows: prediction and scoring."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from thalweg.backends.engine.assemble import compile_rows
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.native import (
    Compiled,
    NativeProgram,
    Threads,
    clear_errors,
)
from thalweg.backends.numpy.interpret import Executable, make_executable
from thalweg.program.extent import peak_bytes
from thalweg.program.types import NumpyArray

Arrays = Mapping[str, NumpyArray]
Quick = Callable[[Any], NumpyArray | None]

INTERPRETED_ROWS = 1024  # at a time, which bounds the memory
MOST_BYTES = 2**27  # of values that are there together, unless one row has more
CHUNK_BYTES = 2**20  # of inputs at a time, where they must be converted
MOST_CHUNK_ROWS = 65_536  # summed in the network's own precision
KEPT_PROGRAMS = 8  # of different numbers of rows


def rows_at_a_time(program: Batch) -> int:
    """The most rows that a program takes at a time that are all there together."""
    a_row = peak_bytes(program.at(INTERPRETED_ROWS)) // INTERPRETED_ROWS
    return min(max(MOST_BYTES // max(a_row, 1), 1), INTERPRETED_ROWS)


class Forward(ABC):
    """A program over rows.

    `chunk_rows` is the most rows that `run` takes at a time.
    """

    chunk_rows: int

    def quick(self) -> Quick | None:
        """A shorter way from one array of rows to one output, if there is one.

        It gives None for an array that isn't what the program reads as it is.
        """
        return None

    @abstractmethod
    def run(self, rows: Arrays) -> Arrays:
        """Run on some rows.

        Arguments:
            rows: the arrays of the program's row inputs, of their dtypes.

        Returns:
            The program's outputs, which stay as they are until the next run.
        """

    def bound(self, rows: Arrays) -> Callable[[], Arrays]:
        """What runs on the same rows, until others are run on."""
        return partial(self.run, rows)

    def chunks(self, rows: int) -> Iterator[slice]:
        """All rows, in parts that `run` takes."""
        for start in range(0, rows, self.chunk_rows):
            yield slice(start, min(start + self.chunk_rows, rows))


class InterpretedForward(Forward):
    """By NumPy, one instruction after the other."""

    def __init__(self, program: Batch, memory: Arrays) -> None:
        self._program = program
        self._memory = memory
        self.chunk_rows = rows_at_a_time(program)
        self._executables: dict[int, Executable] = {}

    def run(self, rows: Arrays) -> Arrays:
        """Run on some rows, through a program made for that many."""
        executable = self._executable(len(next(iter(rows.values()))))
        for name, array in rows.items():
            np.copyto(executable.inputs[name], array)
        with np.errstate(all="ignore"):
            executable.run()
        return executable.outputs

    def _executable(self, rows: int) -> Executable:
        if rows not in self._executables:
            if len(self._executables) >= KEPT_PROGRAMS:
                self._executables.pop(next(iter(self._executables)))
            program = self._program.at(rows)
            self._executables[rows] = make_executable(program, self._memory)
        return self._executables[rows]


class NativeForward(Forward):
    """By the engine: one program for any number of rows, or if rows meet, one each."""

    def __init__(
        self,
        compiled: Compiled | None,
        program: Batch,
        memory: Arrays,
        threads: Threads,
    ) -> None:
        self._program = program
        self._memory = memory
        self._threads = threads
        self._any = None if compiled is None else NativeProgram(compiled, memory)
        self._sized: dict[int, NativeProgram] = {}
        if self._any is None:
            self.chunk_rows = rows_at_a_time(program)
        else:
            fitting = CHUNK_BYTES // max(self._any.bytes_of_a_row, 1)
            self.chunk_rows = min(max(fitting, INTERPRETED_ROWS), MOST_CHUNK_ROWS)
            each = self._any.compiled.block.plan.arena_bytes
            self._threads = threads.at_most(MOST_BYTES // max(each, 1))

    def run(self, rows: Arrays) -> Arrays:
        """Run on some rows, which are read where they are."""
        return self.bound(rows)()

    def bound(self, rows: Arrays) -> Callable[[], Arrays]:
        """What runs on the same rows, each time into the same arrays."""
        count = len(next(iter(rows.values())))
        program = self._any or self._for(count)
        outputs = program.row_outputs(count)
        program.bind_rows({**rows, **outputs})
        found = {**program.arrays, **outputs}

        def run() -> Arrays:
            with clear_errors():
                program.engine.run(
                    count, threads=self._threads.most, adapts=self._threads.adapts
                )
            return found

        return run

    def quick(self) -> Quick | None:
        """The engine's own call for one array, which takes a microsecond."""
        if self._any is None or not self._any.predicts:
            return None
        return partial(
            self._any.engine.predict,
            threads=self._threads.most,
            adapts=self._threads.adapts,
        )

    def _for(self, rows: int) -> NativeProgram:
        if rows not in self._sized:
            if len(self._sized) >= KEPT_PROGRAMS:
                self._sized.pop(next(iter(self._sized)))
            self._sized[rows] = NativeProgram(
                compile_rows(self._program, rows), self._memory
            )
        return self._sized[rows]
