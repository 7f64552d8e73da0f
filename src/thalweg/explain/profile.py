"""How long each kernel takes: the training step as the engine runs it, measured."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.backends.alignment import aligned_copy
from thalweg.backends.engine.costs import Cost, cost_of
from thalweg.backends.engine.native import (
    Compiled,
    NativeProgram,
    clear_errors,
    default_threads,
)
from thalweg.backends.layout import Step
from thalweg.explain.lines import wrapped
from thalweg.explain.plans import Subject, subject_of
from thalweg.model.record import NetworkRecord
from thalweg.program.types import ArrayType, NumpyArray
from thalweg.words import counted

SEED = 0  # of the rows that are run on
ROUNDS = 15  # of which the median counts
ROUND_SECONDS = 0.01
MOST_REPEATS = 1000
NOTE = """\
Each time is the median of {rounds} rounds of {repeats}, with a look at the clock before
and after every kernel. The rows are random numbers of seed {seed}. Operations: 2mnk for
a product of m × k by k × n, else one for each line and element. Bytes: of each array
once a block, whether or not a cache has them."""

Seconds = Mapping[tuple[str, int], float]  # of a run, by a kernel's part and number


def profile(network: NetworkRecord) -> str:
    """How long each kernel of the training step takes; prediction's if it isn't known.

    Arguments:
        network: initialized, fitted or loaded.

    Raises:
        NotFittedError: the network has no parameters yet.
    """
    subject = subject_of(network)
    found = measured(subject, network)
    rows = counted(subject.rows, "row")
    title = f"Profile of {subject.name}, as the engine runs it on {rows}"
    note = NOTE.format(rounds=ROUNDS, repeats=counted(found.repeats, "run"), seed=SEED)
    return "\n".join([*wrapped(title), *table(subject, found), *wrapped(note)])


# Measuring ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """How long kernels take, and how that was found.

    Arguments:
        seconds: of one run.
        repeats: runs of a round.
        isa: the instruction set.
        threads: at most.
    """

    seconds: Seconds
    repeats: int
    isa: str
    threads: int


def measured(subject: Subject, network: NetworkRecord) -> Measured:
    """Run many times, on copies and at learning rate 0, so that nothing is learned."""
    program = NativeProgram(subject.compiled, buffers_of(network))
    if "step" in program.arrays:
        program.arrays["step"][...] = 1
    program.bind_rows(random_rows(subject, network))
    program.bind_rows(program.row_outputs(subject.rows))
    # Shards run side by side: a kernel is timed as the one thread of its shard sees it.
    threads = 1 if subject.shards > 1 else default_threads()

    def round_of(repeats: int) -> Seconds:
        with clear_errors():
            timings = program.engine.profile(subject.rows, threads, repeats)
        return by_kernel(subject.compiled, timings, repeats)

    round_of(1)  # makes room, and wakes threads up
    once = max(sum(round_of(1).values()), 1e-9)
    repeats = min(max(int(ROUND_SECONDS / once), 1), MOST_REPEATS)
    rounds = [round_of(repeats) for _ in range(ROUNDS)]
    seconds = {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}
    return Measured(seconds, repeats, program.engine.isa, threads)


def by_kernel(
    compiled: Compiled, timings: Iterable[tuple[str, int, float, int]], repeats: int
) -> Seconds:
    """Seconds of a run for each kernel, which may be several steps of the engine."""
    seconds: dict[tuple[str, int], float] = {}
    for part, step, total, _ in timings:
        kernel = (part, compiled.parts[part].encoded.kernels[step])
        seconds[kernel] = seconds.get(kernel, 0.0) + total / repeats
    return seconds


def buffers_of(network: NetworkRecord) -> dict[str, NumpyArray]:
    """Copies of what a network has learned, as its programs take it."""
    parts = [array.ravel() for array in network.parameters.values()]
    flat = np.concatenate([np.zeros(0, network.dtype), *parts])
    return {"parameters": aligned_copy(flat), **network.state}


def random_rows(subject: Subject, network: NetworkRecord) -> dict[str, NumpyArray]:
    """Numbers in [0, 1), all of them the category 0 to an embedding; class numbers.

    Bytes are 0 or 1.
    """
    generator = np.random.default_rng(SEED)
    classes = max(network.shapes.outputs[-1][-1], 2)

    def drawn(type: ArrayType) -> NumpyArray:
        if type.is_float:
            return generator.random(type.shape).astype(type.dtype)
        last = 2 if type.dtype == "uint8" else classes
        return generator.integers(0, last, type.shape).astype(type.dtype)

    return {name: drawn(type) for name, type in subject.batch.items()}


# The table ----------------------------------------------------------------------------

HEADER = ("kernel", "result", "read", "written", "operations", "time", "share")
WIDTHS = (26, 14, 8, 8, 10, 8, 6)


def table(subject: Subject, found: Measured) -> list[str]:
    """A line for each kernel under the title of its part, the sums, and the speed."""
    total = sum(found.seconds.values())
    whole = Cost(0, 0, 0)
    lines = ["", line_of(HEADER)]
    for part, compiled in subject.compiled.parts.items():
        lines.append(subject.titles[part])
        for number, step in enumerate(compiled.plan.steps):
            if (part, number) not in found.seconds:
                continue  # in place it has nothing to do, and the engine leaves it out
            cost = cost_in(subject, part, step)
            seconds = found.seconds[part, number]
            whole += cost
            lines.append(
                line_of(
                    (
                        primitives(step),
                        str(step.outputs[-1][1].type),
                        *figures(cost, seconds),
                        f"{seconds / total:.1%}",
                    )
                )
            )
    lines.append(line_of(("all", "", *figures(whole, total), "100%")))
    speed = scaled(whole.operations / total, "FLOP/s")
    threads = counted(found.threads, "thread")
    return [*lines, "", f"{speed} with {found.isa}, {threads} at most", ""]


def cost_in(subject: Subject, part: str, step: Step) -> Cost:
    """What a kernel costs in one run of all blocks."""
    if part != "block":
        return cost_of(step)
    return cost_of(step, subject.blocks, subject.rows / subject.block_rows)


def primitives(step: Step) -> str:
    """What a kernel does, in the order in which it begins to."""
    counts = Counter(line.opcode for line in step.lines)
    words = [f"{name}×{n}" if n > 1 else name for name, n in counts.items()]
    return textwrap.shorten(" ".join(words), WIDTHS[0], placeholder=" …")


def figures(cost: Cost, seconds: float) -> tuple[str, ...]:
    """Bytes, operations and time as texts."""
    return (
        scaled(cost.read, "B"),
        scaled(cost.written, "B"),
        scaled(cost.operations, ""),
        scaled(seconds, "s"),
    )


def line_of(cells: Sequence[str]) -> str:
    """Cells in columns: texts to the left, numbers to the right."""
    texts, numbers = cells[:2], cells[2:]
    left = [f"{cell:{width}}" for cell, width in zip(texts, WIDTHS, strict=False)]
    right = [f"{cell:>{w}}" for cell, w in zip(numbers, WIDTHS[2:], strict=True)]
    return "  " + " ".join([*left, *right]).rstrip()


def scaled(value: float, unit: str) -> str:
    """A value in three digits with the prefix that fits.

    >>> scaled(8192, "B"), scaled(0.00000123, "s"), scaled(0, "B"), scaled(12, "")
    ('8.19 kB', '1.23 µs', '0 B', '12')
    """
    power = 0 if not value else math.floor(math.log10(abs(value) * 1.0005) / 3)
    power = min(max(power, -3), 4)
    prefix = ("n", "µ", "m", "", "k", "M", "G", "T")[power + 3]
    return f"{value / 1000**power:.3g} {prefix}{unit}".strip()
