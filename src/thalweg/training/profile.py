"""What the engine runs for a network: its plans, and how long each kernel takes."""

from __future__ import annotations

import functools
import operator
import statistics
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thalweg.program.blocks import MOST_ROWS
from thalweg.program.compile import compile_any_rows, compile_rows
from thalweg.program.costs import Cost, cost_of
from thalweg.program.layout import Step
from thalweg.program.native import (
    Compiled,
    NativeProgram,
    clear_errors,
    default_threads,
)
from thalweg.program.types import ArrayType, NumpyArray
from thalweg.training.settings import batch_types, rows_of, task_of
from thalweg.training.step import prediction_program, step_programs
from thalweg.training.words import PAGE_WIDTH, counted, wrapped

if TYPE_CHECKING:
    from thalweg.training.network import Network

TRAINING = "the training step"
PREDICTION = "prediction, as the training step isn't known"
SEED = 0  # of the rows that are run on
ROUNDS = 15  # of which the median counts
ROUND_SECONDS = 0.01
MOST_REPEATS = 1000
NOTE = """\
Each time is the median of {rounds} rounds of {repeats}, with a look at the clock before
and after every kernel. The rows are random numbers of seed {seed}. Operations: 2mnk of
a product of m × k by k × n, else one for each line and element. Bytes: of each array
once for each block, whether or not a cache has them."""


@dataclass(frozen=True)
class Subject:
    """What the engine runs for a network.

    Arguments:
        name: what it is.
        compiled: its plans.
        batch: the types of the arrays of rows that it reads.
        block_rows: the rows of a block, at most.
    """

    name: str
    compiled: Compiled
    batch: Mapping[str, ArrayType]
    block_rows: int

    @property
    def rows(self) -> int:
        """How many rows a run has."""
        return self.batch["X"].shape[0]

    @property
    def blocks(self) -> int:
        """How many blocks the rows make."""
        return -(-self.rows // self.block_rows)

    @property
    def shards(self) -> int:
        """How many runs of blocks can go side by side."""
        return min(self.compiled.shards, self.blocks)

    @property
    def titles(self) -> dict[str, str]:
        """What each part is, in words."""
        blocks = counted(self.blocks, "block")
        shards = f" in {self.shards} shards" if self.shards > 1 else ""
        block_rows = counted(min(self.block_rows, self.rows), "row")
        return {
            "before": "before the rows",
            "block": f"for a block of {block_rows}; there {is_or_are(blocks)}{shards}",
            "after": "after the rows",
        }

    def cost(self, part: str, step: Step) -> Cost:
        """What a kernel costs in one run of all."""
        if part != "block":
            return cost_of(step)
        return cost_of(step, self.blocks, self.rows / self.block_rows)


def is_or_are(counted: str) -> str:
    """Is 1 block, are 2 blocks."""
    return f"{'is' if counted.startswith('1 ') else 'are'} {counted}"


def subject_of(network: Network) -> Subject:
    """The training step; prediction where that isn't known."""
    task, rows = task_of(network), rows_of(network)
    layers, shapes, dtype = network.layers, network.shapes, network.dtype
    if task is not None:
        batch = batch_types(network, task.loss)
        step = step_programs(layers, shapes, task, batch, dtype)["step"]
        return subject(TRAINING, compile_rows(step, tuple(batch)), batch)
    batch = {"X": ArrayType((rows, *shapes.outputs[0]), dtype)}
    compiled = compile_any_rows(
        prediction_program(layers, shapes, MOST_ROWS, dtype), tuple(batch)
    ) or compile_rows(prediction_program(layers, shapes, rows, dtype), tuple(batch))
    return subject(PREDICTION, compiled, batch)


def subject(
    name: str, compiled: Compiled, batch: Mapping[str, ArrayType]
) -> Subject:
    """What is run on a batch, with the rows of its blocks as the engine has them."""
    rows = batch["X"].shape[0]
    block_rows = NativeProgram(compiled, {}).engine.block_rows
    return Subject(name, compiled, batch, block_rows or rows)


# Measuring ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """How long kernels take, and how that was found.

    Arguments:
        seconds: of one run, by a kernel's part and number.
        repeats: runs of a round.
        isa: the instruction set.
        threads: at most.
    """

    seconds: Mapping[tuple[str, int], float]
    repeats: int
    isa: str
    threads: int


def measured(subject: Subject, network: Network) -> Measured:
    """Run many times, at learning rate 0 and on copies, so that nothing is learned."""
    given = {name: array.copy() for name, array in network.buffers().items()}
    program = NativeProgram(subject.compiled, given)
    if "step" in program.arrays:
        program.arrays["step"][...] = 1
    program.bind_rows({**random_rows(subject, network), **outputs_of(program, subject)})
    # Shards run side by side, so each kernel is timed as one thread sees it.
    threads = 1 if subject.shards > 1 else default_threads()

    def round_of(repeats: int) -> dict[tuple[str, int], float]:
        with clear_errors():
            timings = program.engine.profile(subject.rows, threads, repeats)
        return by_kernel(subject.compiled, timings, repeats)

    round_of(1)
    once = max(sum(round_of(1).values()), 1e-9)
    repeats = min(max(int(ROUND_SECONDS / once), 1), MOST_REPEATS)
    rounds = [round_of(repeats) for _ in range(ROUNDS)]
    seconds = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    return Measured(seconds, repeats, program.engine.isa, threads)


def outputs_of(program: NativeProgram, subject: Subject) -> dict[str, NumpyArray]:
    """Room for the outputs that have a row for every row."""
    return program.row_outputs(subject.rows)


def by_kernel(
    compiled: Compiled, timings: Iterable[tuple[str, int, float, int]], repeats: int
) -> dict[tuple[str, int], float]:
    """Seconds of a run for each kernel, which may be several steps of the engine."""
    seconds: dict[tuple[str, int], float] = {}
    for part, step, total, _ in timings:
        kernel = (part, compiled.parts[part].encoded.kernels[step])
        seconds[kernel] = seconds.get(kernel, 0.0) + total / repeats
    return seconds


def random_rows(subject: Subject, network: Network) -> dict[str, NumpyArray]:
    """Numbers in [0, 1), which are also the category 0, and class numbers."""
    generator = np.random.default_rng(SEED)
    classes = max(network.shapes.outputs[-1][0], 2)

    def drawn(type: ArrayType) -> NumpyArray:
        if type.is_float:
            return generator.random(type.shape).astype(type.dtype)
        return generator.integers(0, classes, type.shape).astype(type.dtype)

    return {name: drawn(type) for name, type in subject.batch.items()}


# The table ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    kernel: str
    result: str
    cost: Cost
    seconds: float

    def cells(self, total: float) -> tuple[str, ...]:
        """The line as texts."""
        return (
            self.kernel,
            self.result,
            scaled(self.cost.read, "B"),
            scaled(self.cost.written, "B"),
            scaled(self.cost.operations, ""),
            scaled(self.seconds, "s"),
            f"{self.seconds / total:.1%}" if total else "",
        )


HEADER = ("kernel", "result", "read", "written", "operations", "time", "share")
WIDTHS = (26, 14, 8, 8, 10, 8, 6)


def profile(network: Network) -> str:
    """How long each kernel of the training step takes; prediction's if it isn't known.

    Arguments:
        network: initialized, fitted or loaded.

    Raises:
        NotFittedError: the network has no parameters yet.
    """
    subject = subject_of(network)
    found = measured(subject, network)
    rows = {
        part: [row_of(subject, found, part, n) for n in range(len(compiled.plan.steps))]
        for part, compiled in subject.compiled.parts.items()
    }
    whole = whole_of([row for part in rows.values() for row in part])
    title = f"Profile of {subject.name}, as the engine runs it on {subject.rows} rows"
    note = NOTE.format(rounds=ROUNDS, repeats=counted(found.repeats, "run"), seed=SEED)
    lines = [*wrapped(title), "", line_of(HEADER)]
    for part, each in rows.items():
        lines.append(subject.titles[part])
        lines += [line_of(row.cells(whole.seconds)) for row in each]
    lines += [line_of(whole.cells(whole.seconds)), "", speed(whole, found), ""]
    return "\n".join([*lines, *wrapped(note)])
