"""What plans mean: the engine's steps by NumPy, on whole numbers, which stay exact."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from support.plans import (
    Loop,
    Map,
    Moving,
    Place,
    Plan,
    RandomBits,
    Reduce,
    Share,
    Step,
    WindowProduct,
    adds_up,
    origin_of,
)
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.random import random_bits
from thalweg.program.types import NumpyArray

LARGEST = 2**22  # to which float32 has every whole number, and sums of some of them


class InexactError(Exception):
    """Results depend on rounding, or on what memory held before."""


@dataclass
class Program:
    """Plans over arrays of the same names.

    Arguments:
        before, block, after: in the order in which they run; None: there is none.
        shards: how many sums of blocks are added up in the end.
    """

    before: Plan | None
    block: Plan
    after: Plan | None
    shards: int

    @property
    def plans(self) -> tuple[Plan | None, Plan | None, Plan | None]:
        """In their order."""
        return self.before, self.block, self.after


def run(program: Program, arrays: Mapping[str, NumpyArray], rows: int) -> None:
    """Run a program on so many rows, changing the arrays as the engine does.

    Raises:
        InexactError: results aren't exact, so another order gives others.
        IndexError: a number names no row of its table.
    """
    memory = {name: array.reshape(-1).view(np.uint8) for name, array in arrays.items()}
    with np.errstate(all="ignore"):
        if program.before:
            Run(program.before, memory).block(0, 0, adds=False)
        run_blocks(program, memory, rows)
        if program.after:
            Run(program.after, memory).block(0, 0, adds=False)


def run_blocks(program: Program, memory: dict[str, NumpyArray], rows: int) -> None:
    """All blocks, shard by shard, and the sum of the shards."""
    plan = program.block
    totals = [buffer.name for buffer in plan.buffers if buffer.kind == "total"]
    blocks = -(-rows // plan.rows) if plan.rows else 1
    shards = min(program.shards, blocks) if totals else blocks
    if not blocks:
        for name in totals:
            memory[name][:] = 0
    for shard in range(shards):
        own = dict(memory)
        if shard:
            own |= {name: np.zeros_like(memory[name]) for name in totals}
        start, end = blocks * shard // shards, blocks * (shard + 1) // shards
        for block in range(start, end):
            first = block * plan.rows
            count = min(plan.rows, rows - first) if plan.rows else rows
            Run(plan, own).block(first, count, adds=block > start)
        for buffer in plan.buffers:
            if shard and buffer.kind == "total":
                sums = memory[buffer.name].view(buffer.dtype)
                sums += own[buffer.name].view(buffer.dtype)
                require_exact(sums)


class Run:
    """One plan over its memory."""

    def __init__(self, plan: Plan, memory: Mapping[str, NumpyArray]) -> None:
        self.plan = plan
        self.memory = memory

    def block(self, first: int, rows: int, adds: bool) -> None:
        """Its steps on a block of rows; `adds`: totals are added to."""
        self.rows, self.adds = rows, adds
        self.first = first
        self.bases = [np.zeros(self.plan.buffers[0].bytes, np.uint8)]
        for number, buffer in enumerate(self.plan.buffers[1:], 1):
            if buffer.kind == "constant":
                values = self.plan.constants[number]
                self.bases.append(values.reshape(-1).view(np.uint8))
            elif buffer.kind == "rows":
                row = buffer.bytes // self.plan.rows
                part = slice(first * row, (first + rows) * row)
                self.bases.append(self.memory[buffer.name][part])
            elif buffer.kind == "moving":  # it is there in its loop
                self.bases.append(np.zeros(0, np.uint8))
            else:
                self.bases.append(self.memory[buffer.name])
        for step in self.plan.steps:
            self._step(step)

    def _view(self, place: Place) -> NumpyArray:
        """The elements of a place, to read or to write."""
        extents = list(place.extents)
        if place.rows_axis >= 0:
            parts = extents[place.rows_axis] // self.plan.rows
            extents[place.rows_axis] = parts * self.rows
        if 0 in extents:
            return np.zeros(extents, place.dtype)
        base = self.bases[place.buffer]
        return np.ndarray(extents, place.dtype, base, place.offset, place.strides)

    def _loop(self, step: Loop) -> None:
        """Its steps again and again, over buffers that move."""
        (turns,) = step.reads
        self._require_no_totals(step.reads)
        times = range(min(max(int(self._view(turns)), 0), step.times))
        for time in reversed(times) if step.reverse else times:
            for number in step.moving:
                buffer = self.plan.buffers[number]
                assert isinstance(buffer, Moving)
                at = buffer.start.offset + time * buffer.move
                self.bases[number] = self.bases[buffer.start.buffer][at:]
            for each in step.steps:
                self._step(each)

    def _require_no_totals(self, reads: Sequence[Place]) -> None:
        """What is added up is there when all blocks have run."""
        if any(origin_of(self.plan.buffers, p).kind == "total" for p in reads):
            raise InexactError

    def _step(self, step: Step) -> None:
        if isinstance(step, Loop):
            self._loop(step)
            return
        self._require_no_totals(step.reads)
        reads = [self._view(place).copy() for place in step.reads]
        for read in reads:
            require_exact(read)
        if adds_up(step):
            self._add(step.writes[0], added_to(step, reads))
            return
        for place, result in zip(step.writes, self._results(step, reads), strict=True):
            require_exact(result)
            out = self._view(place)
            is_total = origin_of(self.plan.buffers, place).kind == "total"
            if is_total and self.adds:
                out += result
                require_exact(out)
            else:
                out[...] = result

    def _add(self, place: Place, values: NumpyArray) -> None:
        """Each number where its element lies, which may be where others do."""
        out = self._view(place)
        require_exact(out)
        given = first_of(values.reshape(-1), (out.size,)).reshape(out.shape)
        for at in np.ndindex(out.shape):
            out[at] += given[at]
        require_exact(out)

    def _results(self, step: Step, reads: list[NumpyArray]) -> list[NumpyArray]:
        if isinstance(step, Map):
            shape = self._view(step.writes[0]).shape
            return map_results(step, [first_of(read, shape) for read in reads])
        if isinstance(step, Reduce):
            if not reads[0].size:
                return [np.zeros_like(self._view(step.writes[0]))]
            return [reduced(step, reads[0])]
        if isinstance(step, RandomBits):
            return [self._bits(step, int(reads[0]), int(reads[1]))]
        if isinstance(step, WindowProduct):
            return [product_of_windows(step, reads)]
        if isinstance(step, Share):
            return [shared(step, *reads)]
        if step.kind == "product":
            *first, m, n = self._view(step.writes[0]).shape
            k = min(reads[0].shape[-1], reads[1].shape[-2])
            a, b = (
                first_of(reads[0], (*first, m, k)),
                first_of(reads[1], (*first, k, n)),
            )
            require_exact(np.abs(a) @ np.abs(b))
            return [a @ b + sum(first_of(bias, (*first, m, n)) for bias in reads[2:])]
        if step.kind == "copy":
            return [first_of(reads[0], self._view(step.writes[0]).shape)]
        if step.kind == "zero":
            return [np.zeros_like(self._view(step.writes[0]))]
        if step.kind == "take":
            table, indices = reads
            require_rows(indices, len(table))
            return [table[indices]]
        x, indices = reads
        out = np.zeros_like(self._view(step.writes[0]))
        require_rows(indices, len(out))
        np.add.at(out, indices, x)
        return [out]

    def _bits(self, step: RandomBits, seed: int, number: int) -> NumpyArray:
        shape = self._view(step.writes[0]).shape
        if step.writes[0].rows_axis < 0:
            return random_bits(seed, number, step.operation, shape)
        each = shape[0] // self.rows if self.rows else 0
        before = self.first * each
        return random_bits(
            seed, number, step.operation, (before + shape[0], *shape[1:])
        )[before:]


def first_of(values: NumpyArray, shape: Sequence[int]) -> NumpyArray:
    """What a block reads of a place that stands still along the rows of any block."""
    return values[tuple(slice(extent) for extent in shape)]


def added_to(step: Step, reads: Sequence[NumpyArray]) -> NumpyArray:
    """What a step adds to what is there."""
    if not isinstance(step, WindowProduct):
        return reads[0]
    a, b = reads
    require_exact(np.abs(a) @ np.abs(b))
    return a @ b


def product_of_windows(step: WindowProduct, reads: Sequence[NumpyArray]) -> NumpyArray:
    """The axes of a as those of a matrix, times b, and a bias."""
    windows, b, *bias = reads
    m = math.prod(windows.shape[: step.axes])
    a = windows.reshape(m, math.prod(windows.shape[step.axes :]))
    require_exact(np.abs(a) @ np.abs(b))
    return a @ b + sum(first_of(each, (m, b.shape[1])) for each in bias)


def shared(step: Share, x: NumpyArray, part: NumpyArray) -> NumpyArray:
    """The part of each maximum, shared by as many as are as large."""
    extents = [1 if i in step.axes else n for i, n in enumerate(x.shape)]
    part = first_of(part, extents)
    if not x.size:
        return x
    is_largest = x == x.max(step.axes, keepdims=True)
    return np.where(is_largest, part / is_largest.sum(step.axes, keepdims=True), 0)


def reduced(step: Reduce, x: NumpyArray) -> NumpyArray:
    """A sum, a maximum or its position."""
    if step.opcode == "argmax":
        return x.argmax(step.axes[0]).astype(np.int32)
    if step.opcode == "max":
        return x.max(step.axes, keepdims=True)
    require_exact(np.abs(x).sum(dtype=np.float64))
    return x.sum(step.axes, x.dtype, keepdims=True)


def map_results(step: Map, reads: Sequence[NumpyArray]) -> list[NumpyArray]:
    """The registers that a map writes."""
    registers = list(reads)
    for line in step.lines:
        operands = [registers[i] for i in line.operands]
        if line.opcode == "cast":
            require_in_range(operands[0], line.dtype)
            registers.append(operands[0].astype(line.dtype))
        else:
            meaning = PRIMITIVES[line.opcode].meaning
            registers.append(np.asarray(meaning(*operands)))
        require_exact(registers[-1])
    return [registers[i] for i in step.registers]


def require_exact(values: NumpyArray) -> None:
    """Whole numbers of which float32 has the neighbors too."""
    if values.dtype.kind == "f":
        small = np.abs(values) <= LARGEST
        if not (small.all() and (values == np.floor(values)).all()):
            raise InexactError


def require_in_range(values: NumpyArray, dtype: str) -> None:
    """Numbers whose conversion to a dtype is defined."""
    if values.dtype.kind == "f" and dtype == "uint32" and (values < 0).any():
        raise InexactError
    if dtype.startswith("f") and values.dtype.kind in "iu":
        require_exact(values.astype(np.float64))


def require_rows(indices: NumpyArray, rows: int) -> None:
    """Raises IndexError if there is no such row."""
    if ((indices < 0) | (indices >= rows)).any():
        raise IndexError
