"""Random programs of plans given to the engine, and what came of it in a word."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from support.plan_meaning import InexactError, Program, run
from support.plan_samples import draw_plan, mutated, numbers
from support.plans import Buffer, Plan, Source, overlaps
from thalweg import _engine
from thalweg.errors import ProgramError
from thalweg.program.types import NumpyArray

Arrays = dict[str, NumpyArray]
Act = Callable[[Any, Arrays], object]

MOST_NUMBERS = 10**6  # of an array of a plan whose words were changed
MOST_MEMORY = 1 << 28
REFUSALS = (ValueError, IndexError, MemoryError)  # of a run


def judge(choose: random.Random) -> str:
    """Draw a program, run it in several ways, compare; what it was good for.

    Raises:
        AssertionError: the engine accepts what it must not, or gives other numbers than
            the meaning or than itself on another number of threads.
    """
    program = draw_program(choose)
    sources = [plan.source() if plan else None for plan in program.plans]
    is_mutated = choose.random() < 0.3
    if is_mutated:
        sources = [source and mutated_source(choose, source) for source in sources]
    isa = choose.choice(_engine.available())
    make = maker(sources, program.shards, isa)
    try:
        engine = make()
    except ProgramError as error:
        rule = str(error).rsplit(": ", 1)[-1]
        return "refused: " + "".join(c for c in rule if not c.isdigit())
    except (MemoryError, ValueError) as error:
        return f"refused: {type(error).__name__}"
    if not is_mutated:
        broken = [fault for plan in program.plans if plan for fault in overlaps(plan)]
        assert not broken, broken
    rows = draw_rows(choose, program.block.rows)
    arrays = draw_arrays(choose, engine.buffers, rows)
    if arrays is None:
        return "accepted: too large to be run"
    used = use(choose, make, arrays, rows)
    if is_mutated or used != "ran":
        return f"changed: {used}" if is_mutated else used
    return compare(program, make, arrays, rows)


def draw_program(choose: random.Random) -> Program:
    """A block, often with plans before and after it that share its whole arrays."""
    rows = choose.choice((0, 1, 2, 3, 5, 8, 16, 33))
    shards = choose.choice((1, 1, 2, 3, 8, 65536))
    block = draw_plan(choose, rows, "b", ())
    whole = [replace(b, kind="whole") for b in block.buffers if is_shared(b)]

    def other(prefix: str) -> Plan | None:
        some = [buffer for buffer in whole if choose.random() < 0.5]
        return draw_plan(choose, 0, prefix, some) if choose.random() < 0.25 else None

    return Program(other("a"), block, other("c"), shards)


def is_shared(buffer: Buffer) -> bool:
    """Whether plans around a block may use it."""
    return buffer.kind in ("whole", "total")


def mutated_source(choose: random.Random, source: Source) -> Source:
    """The same with other words."""
    words, constants, names = source
    return mutated(choose, words), constants, names


def maker(sources: list[Source | None], shards: int, isa: str) -> Callable[[], Any]:
    """What makes the engine's program anew."""
    before, block, after = sources
    return lambda: _engine.Program(before, block, after, shards=shards, isa=isa)


def draw_rows(choose: random.Random, most: int) -> int:
    """Of a run: often what a block has, or several blocks."""
    return choose.choice((0, 1, most, most, 2 * most + 1, 5 * most))


def draw_arrays(
    choose: random.Random, buffers: Mapping[str, Any], rows: int
) -> Arrays | None:
    """Numbers for every buffer; None if there are too many."""
    arrays: Arrays = {}
    for name, (dtype, shape, has_rows, _) in buffers.items():
        extents = (rows, *shape) if has_rows else tuple(shape)
        if np.prod(extents, dtype=np.float64) > MOST_NUMBERS:
            return None
        drawn = numbers(choose, Buffer("whole", dtype, extents))
        arrays[name] = np.require(drawn, requirements=["C", "A", "W"])
    return arrays


def use(
    choose: random.Random, make: Callable[[], Any], arrays: Arrays, rows: int
) -> str:
    """Run, run again on fewer rows, measure, train: what of it was refused."""
    engine, own = make(), copies(arrays)
    try:
        engine.bind(own)
        if engine.memory > MOST_MEMORY:
            return "accepted: takes much memory"
        engine.run(rows, threads=choose.choice((1, 2, 3)))
        if choose.random() < 0.3:
            engine.run(choose.randint(0, rows), threads=2)
        if choose.random() < 0.2:
            engine.profile(rows, threads=1, repeats=2)
        if choose.random() < 0.3:
            train(choose, engine, rows)
    except REFUSALS as error:
        words = "".join(c for c in str(error) if not c.isdigit()).split()
        return f"{type(error).__name__}: {' '.join(words[-5:])}"
    return "ran"


def train(choose: random.Random, engine: Any, rows: int) -> None:
    """Some batches in an order, in which a row's number may be wrong."""
    random = np.random.default_rng(choose.randrange(2**32))
    low = -1 if choose.random() < 0.1 else 0
    size = choose.choice((0, 1, rows, 3 * rows))
    order = random.integers(low, max(rows, 1), size).astype(np.int64)
    logged = [
        name for name, (_, _, has_rows, _) in engine.buffers.items() if not has_rows
    ]
    logged = logged[:1]
    width = sum(int(np.prod(engine.buffers[name][1])) for name in logged)
    each = choose.choice((1, 2, max(rows, 1), 10**9))
    batches = -(-size // max(min(each, size), 1))
    engine.train(
        order=order,
        batch_size=each,
        batches=batches,
        log=np.zeros((batches, width)),
        log_names=logged,
        threads=choose.choice((1, 2)),
    )


def copies(arrays: Arrays) -> Arrays:
    """Arrays of their own, in C order."""
    return {name: np.array(array, order="C") for name, array in arrays.items()}


def compare(
    program: Program, make: Callable[[], Any], arrays: Arrays, rows: int
) -> str:
    """One run by the meaning, and by the engine on one thread and on three."""
    expected, is_exact = copies(arrays), True
    try:
        run(program, expected, rows)
    except InexactError:
        is_exact = False
    found: list[Arrays] = []
    for threads in (1, 3):
        engine, own = make(), copies(arrays)
        engine.bind(own)
        engine.run(rows, threads=threads)
        found.append(own)
    for name, array in found[0].items():
        assert array.tobytes() == found[1][name].tobytes(), f"{name} on three threads"
        if is_exact:
            assert_array_equal(array, expected[name], name)
    return "ran: exact" if is_exact else "ran: rounded"
