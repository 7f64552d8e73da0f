"""The C++ engine: runs encoded plans. Its source is the folder `engine`."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

type_name = Literal["float32", "float64", "int32", "uint32", "bool", "uint8"]

EncodedPlan = tuple[NDArray[np.int64], bytes | NDArray[np.uint8], Sequence[str]]
"""Words, the bytes of constants, and a name for every buffer (a constant's: unread)."""

def enumerations() -> dict[str, dict[str, int]]:
    """Every number of plans that a name stands for, by what it is of."""

def available() -> list[str]:
    """Instruction sets that this build and this machine can run, best first."""

def default_isa() -> str:
    """The one of THALWEG_ISA, or the best.

    Raises:
        ValueError: THALWEG_ISA names none that is available.
    """

def cpu_count() -> int:
    """Processors that this process may use, by affinity and by its cgroup's quota."""

def default_threads() -> int:
    """What THALWEG_THREADS says, or `cpu_count()`.

    Raises:
        ValueError: THALWEG_THREADS is no whole number from 1 to 256.
    """

@final
class ThreadChoice:
    """Which number of threads is fastest, learned from the time that steps take.

    Arguments:
        most: threads.
        work: of a step, by estimate, in nanoseconds on one thread.
    """

    def __init__(self, most: int, work: float) -> None: ...
    @property
    def threads(self) -> int:
        """Of the next step."""

    def took(self, time: float) -> None:
        """Learn that the step took so many nanoseconds."""

@final
class Program:
    """Plans over named buffers: one before, one on and one after blocks of rows.

    Raises:
        ProgramError: a plan breaks a rule; the message says which step and which rule.
        ValueError: `isa` is not available, or `shards` is not in 1..65536.
    """

    def __init__(
        self,
        before: EncodedPlan | None,
        block: EncodedPlan | None,
        after: EncodedPlan | None,
        *,
        shards: int = 1,
        isa: str | None = None,
    ) -> None: ...
    @property
    def buffers(self) -> dict[str, tuple[type_name, tuple[int, ...], bool, bool]]:
        """Of every name: dtype, shape (of a row, if it has rows), has rows, written."""

    @property
    def isa(self) -> str:
        """The instruction set that it runs on."""

    @property
    def block_rows(self) -> int:
        """The most rows of a block; 0 if nothing has rows."""

    @property
    def memory(self) -> int:
        """Bytes that it holds besides the arrays that are bound."""

    def bind(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Use arrays, held until others are bound to their names.

        Arrays must be contiguous; those of rows only within each row, unless written.

        Raises:
            ValueError: an unknown name, or an array of another dtype, shape or layout.
        """

    def run(
        self,
        rows: int = 0,
        threads: int = 1,
        adapts: bool = False,
        poll: Callable[[], object] | None = None,
    ) -> bool:
        """Run once on the first rows; False if `poll` ended it.

        Arguments:
            adapts: takes no more threads than the work is worth, by estimate.

        Raises:
            ValueError: nothing is bound to a name, or too few rows.
            IndexError: an index lies outside its table.
            MemoryError: there is no room.
        """

    def predict_between(self, input: str, output: str) -> None:
        """Which of several arrays of rows `predict` reads and gives.

        Raises:
            ValueError: the program has no such input or output of rows.
        """

    def predict(
        self,
        x: NDArray[Any],
        threads: int = 1,
        adapts: bool = False,
        poll: Callable[[], object] | None = None,
    ) -> NDArray[Any] | None:
        """Run on the rows of x, for a program with one input and one output of rows.

        Of several they are those that `predict_between` has named; the others stay what
        they are bound to. None if x has another dtype or shape, numbers that aren't
        finite, or the poll ended it.
        """

    def train(
        self,
        *,
        order: NDArray[np.int64] | None = None,
        rows: int = 0,
        batch_size: int,
        first_batch: int = 0,
        batches: int,
        learning_rates: NDArray[np.float64] | None = None,
        first_step: int = 0,
        log: NDArray[np.float64],
        log_names: Sequence[str],
        learning_rate: str = "learning_rate",
        step: str = "step",
        poll: Callable[[], object] | None = None,
        seconds: float = 0.03,
        threads: int = 1,
        adapts: bool = False,
    ) -> tuple[int, float, Literal["done", "time", "not_finite", "interrupted"]]:
        """Run on batch after batch of an epoch's rows.

        Arguments:
            order: rows in the order of the epoch; None takes `rows` rows as they lie.
            learning_rates: one for each of the batches, written to the buffer named
                `learning_rate`, if there is one; so is first_step, first_step + 1, …
                to the buffer named `step`.
            log: a row for each batch, a column for each number of the buffers
                `log_names`, one buffer after the other. A batch that is done leaves
                their values here. The first must be finite, or the run ends.
            poll: asked every 50 ms of a long batch; true leaves the batch undone.
            seconds: the run ends when they have passed.
            adapts: takes fewer threads where steps are faster with them, by their time.

        Returns:
            Batches done, seconds, and why it ended.
        """

    def profile(
        self, rows: int = 0, threads: int = 1, repeats: int = 1
    ) -> list[tuple[Literal["before", "block", "after"], int, float, int]]:
        """Run, and look at the clock around every step.

        Returns:
            Part, number of the step, seconds and calls, all repeats together. A tail
            counts to its product.
        """
