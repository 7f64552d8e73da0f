"""Running a program by the engine in C++."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

import thalweg._engine as _engine
from thalweg.backends.alignment import aligned_copy
from thalweg.backends.engine.encode import (
    DTYPE_NUMBERS,
    KINDS,
    MAGIC,
    OPCODES,
    STEPS,
    VERSION,
    EncodedPlan,
)
from thalweg.backends.layout import Plan
from thalweg.errors import ArgumentError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import NumpyArray

Enumerations = Mapping[str, Mapping[str, int]]


def enumerations() -> Enumerations:
    """Every name of plans that is written as a number, by what it is of."""
    return {
        "opcodes": OPCODES,
        "versions of opcodes": {
            row.name: row.version for row in PRIMITIVES.values() if row.kind != "loop"
        },
        "dtypes": DTYPE_NUMBERS,
        "kinds of steps": STEPS,
        "kinds of buffers": KINDS,
        "format of plans": {"magic": MAGIC, "version": VERSION},
    }


def require_same_enumerations(ours: Enumerations, theirs: Enumerations) -> None:
    """Python and the engine mean the same by every number.

    Raises:
        ImportError: they don't; it names what differs.
    """
    missing = sorted(ours.keys() ^ theirs.keys())
    differ = [f"the {what}" for what in missing] + [
        f"{name} of the {what}: {numbers.get(name)} here, {known.get(name)} there"
        for what, numbers in ours.items()
        if (known := theirs.get(what)) is not None
        for name in sorted(numbers.keys() | known.keys())
        if numbers.get(name) != known.get(name)
    ]
    if differ:
        raise ImportError(
            "the engine was built for other plans; install thalweg again. "
            f"They differ in {'; '.join(differ)}"
        )


require_same_enumerations(enumerations(), _engine.enumerations())


def default_threads() -> int:
    """As many threads as this process may use processors.

    Raises:
        ArgumentError: ``THALWEG_THREADS`` says something else that can't be.
    """
    try:
        return _engine.default_threads()
    except ValueError as error:
        raise ArgumentError(str(error)) from None


def require_environment() -> None:
    """The variables ``THALWEG_THREADS`` and ``THALWEG_ISA`` have a value, if any.

    Raises:
        ArgumentError: that they can't have.
    """
    default_threads()
    try:
        _engine.default_isa()
    except ValueError as error:
        raise ArgumentError(f"THALWEG_ISA: {error}") from None


def usual_isa() -> str:
    """The instruction set that programs run on: the one of THALWEG_ISA, or the best."""
    require_environment()
    return _engine.default_isa()


@dataclass(frozen=True)
class Threads:
    """How many threads a run takes.

    Arguments:
        most: that may run.
        adapts: whether fewer are taken where that is faster; else work is shared by all
            of them wherever it can be cut.
    """

    most: int
    adapts: bool = False

    def at_most(self, number: int) -> Threads:
        """No more than this number of them, but one."""
        return replace(self, most=max(min(self.most, number), 1))


@dataclass(frozen=True)
class Part:
    """One plan of a program, and its numbers for the engine."""

    plan: Plan
    encoded: EncodedPlan

    @property
    def source(self) -> tuple[NumpyArray, bytes, tuple[str, ...]]:
        """What the engine takes."""
        return self.encoded.words, self.encoded.constants, self.encoded.names


@dataclass(frozen=True)
class Compiled:
    """A program ready for the engine, which may be bound to memory many times.

    Arguments:
        before, block, after: its parts, as `split` cuts them.
        shards: into how many runs of blocks the rows of a batch are cut.
        any_rows: whether it runs on any number of rows, or only on as many as a block
            has.
    """

    before: Part | None
    block: Part
    after: Part | None
    shards: int
    any_rows: bool

    @property
    def parts(self) -> dict[str, Part]:
        """The parts that there are, in order."""
        named = {"before": self.before, "block": self.block, "after": self.after}
        return {name: part for name, part in named.items() if part is not None}


class NativeProgram:
    """A compiled program bound to its memory.

    Arguments:
        compiled: what to run.
        buffers: arrays to use instead of new ones; names that the program hasn't are
            ignored.

    Arrays of rows are bound by each run.
    """

    def __init__(
        self,
        compiled: Compiled,
        buffers: Mapping[str, NumpyArray],
        isa: str | None = None,
    ) -> None:
        sources = {name: part.source for name, part in compiled.parts.items()}
        self.compiled = compiled
        self.engine = _engine.Program(
            sources.get("before"),
            sources.get("block"),
            sources.get("after"),
            shards=compiled.shards,
            isa=isa,
        )
        self.arrays: dict[str, NumpyArray] = {}
        for name, (dtype, shape, has_rows, _) in self.engine.buffers.items():
            if not has_rows:
                given = buffers.get(name)
                zeros = aligned_copy(np.zeros(shape, dtype))
                self.arrays[name] = zeros if given is None else given
        self.engine.bind(self.arrays)

    @property
    def bytes_of_a_row(self) -> int:
        """The bytes of one row of all inputs that hold rows.

        One of uint8 has as many as if it were of the program's numbers.
        """
        buffers = self.engine.buffers.values()
        widest = max(np.dtype(dtype).itemsize for dtype, *_ in buffers)
        return sum(
            math.prod(shape)
            * (widest if dtype == "uint8" else np.dtype(dtype).itemsize)
            for dtype, shape, has_rows, written in buffers
            if has_rows and not written
        )

    @property
    def predicts(self) -> bool:
        """Whether it has one input and one output of rows."""
        buffers = self.engine.buffers.values()
        written = [written for _, _, has_rows, written in buffers if has_rows]
        return sorted(written) == [False, True]

    def bind_rows(self, rows: Mapping[str, NumpyArray]) -> None:
        """Use these arrays of rows from now on; those it doesn't read are ignored."""
        known = self.engine.buffers
        self.engine.bind({name: a for name, a in rows.items() if name in known})

    def row_outputs(self, rows: int) -> dict[str, NumpyArray]:
        """New arrays for the outputs that have a row for every row."""
        return {
            name: np.empty((rows, *shape), dtype)
            for name, (dtype, shape, has_rows, written) in self.engine.buffers.items()
            if has_rows and written
        }


@contextmanager
def clear_errors() -> Generator[None]:
    """What the engine raises, as errors of thalweg."""
    try:
        yield
    except IndexError as error:
        raise ArgumentError(
            f"row numbers must lie in their table, from 0 up: {error}"
        ) from None
