"""What runs the programs of a network: the engine, or NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from thalweg.formulas.names import is_whole, look_up, require
from thalweg.program.ir import Program
from thalweg.program.native import default_threads
from thalweg.program.types import NumpyArray
from thalweg.training.forward import Forward, InterpretedForward, NativeForward
from thalweg.training.rows import Rows
from thalweg.training.steps import InterpretedSteps, NativeSteps, Steps

ProgramFor = Callable[[int], Program]  # the program for a number of rows
Arrays = Mapping[str, NumpyArray]
ENGINES = {"native": "the engine in C++", "interpreter": "NumPy"}


class Programs:
    """Compiled programs that runs of the same structure share."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Compiled] = {}

    def compiled(self, key: Hashable, make: Callable[[], Compiled]) -> Compiled:
        """The program of a key, made at its first use."""
        try:
            known = self._known.get(key)
        except TypeError:  # a layer holds an array, and so can't be told by its value
            return make()
        if known is None:
            known = self._known.setdefault(key, make())
        return known


@dataclass(frozen=True)
class Execution:
    """What runs programs, and on how many threads.

    Arguments:
        engine: ``native``, the engine in C++, or ``interpreter``, NumPy.
        threads: at most; None for as many as the work is worth.
    """

    engine: str = "native"
    threads: int | None = None

    def __post_init__(self) -> None:
        look_up("engine", self.engine, ENGINES)
        if self.threads is not None:
            fits = is_whole(self.threads) and self.threads >= 1
            require(fits, "threads", "a whole number, 1 or more, or None", self.threads)

    @property
    def thread_count(self) -> int:
        """The most threads that may run."""
        return default_threads() if self.threads is None else int(self.threads)

    def forward(
        self, program_for: ProgramFor, inputs: tuple[str, ...], memory: Arrays
    ) -> Forward:
        """A program without learning, over any number of rows.

        Arguments:
            program_for: gives the program for a number of rows.
            inputs: the names of the inputs that hold rows.
            memory: arrays to use for other inputs.
        """
        if self.engine == "interpreter":
            return InterpretedForward(program_for, memory)
        return NativeForward(program_for, inputs, memory, self.thread_count)

    def steps(
        self,
        program_for: ProgramFor,
        rows: Rows,
        batch_size: int,
        seed: int,
        memory: Arrays,
    ) -> Steps:
        """The steps of training on some rows."""
        if self.engine == "interpreter":
            return InterpretedSteps(program_for, rows, batch_size, seed, memory)
        count = self.thread_count
        return NativeSteps(program_for, rows, batch_size, seed, memory, count)
