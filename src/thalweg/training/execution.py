"""What runs the programs of a network: the engine, or NumPy."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial

import thalweg.defaults as defaults
from thalweg.backends.engine.assemble import (
    compile_any_rows,
    compile_program,
    compile_rows,
)
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.native import (
    Compiled,
    NativeProgram,
    Threads,
    default_threads,
    require_environment,
)
from thalweg.checks import is_whole, look_up, require
from thalweg.model.once import cut
from thalweg.model.programs import Programs, compiled_once
from thalweg.model.stream import TIME, Going
from thalweg.program.ir import Program
from thalweg.program.types import NumpyArray
from thalweg.training.forward import Forward, InterpretedForward, NativeForward
from thalweg.training.rooms import Room, Rooms
from thalweg.training.steps import InterpretedSteps, NativeSteps, Steps
from thalweg.training.turns import InterpretedTurns, NativeTurns, Turns

Arrays = Mapping[str, NumpyArray]
MOST_THREADS = 2**31 - 1  # that the engine can be asked for; it takes fewer
ENGINES = {"native": "the engine in C++", "interpreter": "NumPy"}


@dataclass(frozen=True)
class Execution:
    """What runs programs, and on how many threads.

    Arguments:
        engine: ``native``, the engine in C++, or ``interpreter``, NumPy.
        threads: at most; None for as many as are fastest.
        programs: shared with other runs, formulas of a user's own too.
    """

    engine: str = defaults.ENGINE
    threads: int | None = None
    programs: Programs | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        look_up("engine", self.engine, ENGINES)
        if self.threads is not None:
            fits = is_whole(self.threads) and self.threads >= 1
            require(fits, "threads", "a whole number, 1 or more, or None", self.threads)
        if self.engine == defaults.ENGINE:
            require_environment()

    @property
    def thread_count(self) -> int:
        """The most threads that may run."""
        if self.threads is None:
            return default_threads()
        return min(int(self.threads), MOST_THREADS)

    @property
    def _threads(self) -> Threads:
        return Threads(self.thread_count, adapts=self.threads is None)

    def forward(
        self,
        program: Batch,
        memory: Arrays,
        key: Hashable,
    ) -> Forward:
        """A program without learning, over any number of rows.

        Arguments:
            program: over a batch.
            memory: arrays to use for other inputs.
            key: of all that the program depends on.
        """
        if self.engine == "interpreter":
            return InterpretedForward(program, memory)

        def any_rows() -> Compiled | None:
            return compile_any_rows(program)

        compiled = compiled_once(key, any_rows, self.programs)
        return NativeForward(compiled, program, memory, self._threads)

    def turns(self, going: Going, rows: int, memory: Arrays) -> Turns:
        """A network at one time after the other.

        Arguments:
            going: the network.
            rows: how many there are.
            memory: arrays to use for parameters and the layers' state.
        """
        changing = ["X", *going.kept(rows)]
        if self.engine == "interpreter":
            program = Batch(going.program, changing)
            return InterpretedTurns(program, going, rows, memory)
        row = going.shapes.outputs[0]
        key = ("turns", going.layers, row, going.dtype, going.times)

        def rest(count: int) -> Program:
            return cut(going.program(count), [*changing, TIME]).rest

        def once() -> Compiled | None:
            program = cut(going.program(rows), [*changing, TIME]).once
            return None if program is None else compile_program(program)

        program = Batch(rest, changing)
        known = dict(memory)
        first = compiled_once((key, "once"), once, self.programs)
        if first is not None:
            before = NativeProgram(first, memory)
            before.engine.run()
            known |= before.arrays
        compiled = compiled_once(
            key, partial(compile_any_rows, program), self.programs
        ) or compiled_once(
            (key, rows), partial(compile_rows, program, rows), self.programs
        )
        return NativeTurns(compiled, going, rows, known, self._threads)

    def steps(
        self,
        rooms: Rooms,
        batch_size: int,
        seed: int,
        memory: Arrays,
    ) -> Steps:
        """The steps of training on some rows.

        Arguments:
            rooms: a step on them, for as many times as batches need.
            batch_size: the rows of a step.
            seed: of random numbers.
            memory: arrays to use for other inputs.
        """
        if self.engine == "interpreter":
            return InterpretedSteps(rooms, batch_size, seed, memory)

        def compiled_for(room: Room, count: int) -> Compiled:
            make = partial(compile_rows, room.program, count)
            return compiled_once((room.key, count), make, self.programs)

        how = seed, memory, self._threads
        return NativeSteps(compiled_for, rooms, batch_size, *how)
