"""Plans as the engine's words have them, written by hand or drawn at random."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from thalweg.backends.engine.encode import (
    DTYPE_NUMBERS,
    KINDS,
    MAGIC,
    OPCODES,
    STEPS,
    VERSION,
)
from thalweg.program.types import ITEMSIZE, Dtype, NumpyArray

Words = list[int]
Extents = tuple[int, ...]
Source = tuple[NumpyArray, bytes, tuple[str, ...]]
CONSTANT_ALIGNMENT = 64


@dataclass(frozen=True)
class Buffer:
    """An array that a plan works on; the first buffer of a plan is its arena."""

    kind: str  # of KINDS, or "arena"
    dtype: Dtype
    extents: Extents
    name: str = ""

    @property
    def bytes(self) -> int:
        """The size of all of it."""
        return math.prod(self.extents) * ITEMSIZE[self.dtype]

    def words(self, offset: int) -> Words:
        """As the engine reads it; the offset is that of a constant."""
        head = [KINDS[self.kind], DTYPE_NUMBERS[self.dtype]]
        return [*head, len(self.extents), *self.extents, offset]


@dataclass(frozen=True)
class Place:
    """Elements of a buffer; offset and strides count bytes."""

    buffer: int
    offset: int
    dtype: Dtype
    extents: Extents
    strides: Extents
    rows_axis: int = -1

    def words(self) -> Words:
        """As the engine reads it."""
        head = [self.buffer, self.offset, DTYPE_NUMBERS[self.dtype]]
        return [*head, len(self.extents), self.rows_axis, *self.extents, *self.strides]

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.extents)

    @property
    def start(self) -> int:
        """The first byte of what it has, if it has any."""
        steps = zip(self.extents, self.strides, strict=True)
        return self.offset + sum(min((n - 1) * s, 0) for n, s in steps)

    @property
    def end(self) -> int:
        """The first byte after its last element, if it has any."""
        steps = zip(self.extents, self.strides, strict=True)
        ways = sum(max((n - 1) * s, 0) for n, s in steps)
        return self.offset + ways + ITEMSIZE[self.dtype]

    def addresses(self) -> NumpyArray:
        """The offset of each element in its buffer, in their order."""
        at = np.array(self.offset)
        for extent, stride in zip(self.extents, self.strides, strict=True):
            at = np.add.outer(at, np.arange(extent) * stride)
        return at.reshape(-1)

    def bytes(self) -> NumpyArray:
        """The offset of each byte in its buffer; what is repeated is there once."""
        sizes = zip(self.extents, self.strides, strict=True)
        extents = [extent if stride else 1 for extent, stride in sizes]
        once = replace(self, extents=tuple(extents)).addresses()
        return np.add.outer(once, np.arange(ITEMSIZE[self.dtype])).ravel()


@dataclass(frozen=True)
class Moving(Buffer):
    """A buffer that is another place at each time of a loop.

    Arguments:
        start: where it is at time 0.
        move: the bytes from one time to the next.
        times: how many there are.
    """

    start: Place = Place(0, 0, "bool", (), ())
    move: int = 0
    times: int = 0

    def words(self, offset: int) -> Words:
        """Its type is that of its start."""
        return [KINDS[self.kind], *self.start.words(), self.move, self.times]


@dataclass(frozen=True)
class Line:
    """One operation of a map, on registers: inputs first, then results of lines."""

    opcode: str
    dtype: Dtype
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """A step: what it reads and where it writes."""

    kind: str
    reads: tuple[Place, ...]
    writes: tuple[Place, ...]

    def words(self) -> Words:
        """As the engine reads it, without its kind."""
        return [w for place in (*self.reads, *self.writes) for w in place.words()]

    def all_words(self) -> Words:
        """As the engine reads it."""
        own = self.words()
        return [STEPS[self.kind], len(own), *own]


@dataclass(frozen=True)
class Map(Step):
    """Lines over the elements of its space; each output is a register."""

    extents: Extents = ()
    rows_axis: int = -1
    lines: tuple[Line, ...] = ()
    registers: tuple[int, ...] = ()
    tail: bool = False

    def words(self) -> Words:
        """Inputs, lines, outputs."""
        words = [self.tail, len(self.extents), self.rows_axis, *self.extents]
        words.append(len(self.reads))
        for place in self.reads:
            words += place.words()
        words.append(len(self.lines))
        for line in self.lines:
            words += [OPCODES[line.opcode], DTYPE_NUMBERS[line.dtype]]
            words += [len(line.operands), *line.operands]
        words.append(len(self.writes))
        for register, place in zip(self.registers, self.writes, strict=True):
            words += [register, *place.words()]
        return [int(word) for word in words]


@dataclass(frozen=True)
class Product(Step):
    """Reads a, b and perhaps a bias."""

    def words(self) -> Words:
        """The bias comes last."""
        a, b, *bias = self.reads
        words = [*a.words(), *b.words(), *self.writes[0].words(), len(bias)]
        return words + (bias[0].words() if bias else [])


@dataclass(frozen=True)
class WindowProduct(Product):
    """A product whose left matrix, or whose result, has rows and columns of axes.

    Arguments:
        axes: how many of its first axes are its rows.
    """

    axes: int = 1

    def words(self) -> Words:
        """The number of axes last."""
        return [*super().words(), self.axes]


@dataclass(frozen=True)
class Share(Step):
    """Reads x and a part for each window; its axes are those of a window."""

    axes: tuple[int, ...] = ()

    def words(self) -> Words:
        """The axes last."""
        return [*super().words(), len(self.axes), *self.axes]


@dataclass(frozen=True)
class Reduce(Step):
    """A sum, a maximum or its position."""

    opcode: str = "sum"
    axes: tuple[int, ...] = ()

    def words(self) -> Words:
        """The opcode first, the axes last."""
        words = [OPCODES[self.opcode], *super().words()]
        return [*words, len(self.axes), *self.axes]


@dataclass(frozen=True)
class RandomBits(Step):
    """Reads a seed and a step."""

    operation: int = 0

    def words(self) -> Words:
        """The operation last."""
        return [*super().words(), self.operation]


@dataclass(frozen=True)
class Loop(Step):
    """Reads the number of its turns; its steps run in each.

    Arguments:
        times: the most turns.
        reverse: from the last to the first.
        moving: the numbers of the buffers that move.
        steps: the body.
    """

    times: int = 0
    reverse: bool = False
    moving: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()

    def words(self) -> Words:
        """Turns, what moves, steps."""
        words = [*super().words(), int(self.reverse), self.times, len(self.moving)]
        words += [*self.moving, len(self.steps)]
        return [*words, *(word for step in self.steps for word in step.all_words())]


@dataclass
class Plan:
    """Buffers, of which the first is the arena, and steps."""

    arena_bytes: int
    rows: int = 0
    buffers: list[Buffer] = field(default_factory=list[Buffer])
    steps: list[Step] = field(default_factory=list[Step])
    constants: dict[int, NumpyArray] = field(default_factory=dict[int, NumpyArray])

    def __post_init__(self) -> None:
        self.buffers.insert(0, Buffer("arena", "bool", (self.arena_bytes,)))

    def source(self) -> Source:
        """What the engine takes."""
        words, constants = [], bytearray()
        for number, buffer in enumerate(self.buffers[1:], 1):
            if buffer.kind != "constant":
                words += buffer.words(0)
                continue
            constants += bytes(-len(constants) % CONSTANT_ALIGNMENT)
            words += buffer.words(len(constants))
            constants += self.constants[number].tobytes()
        counts = [len(self.buffers) - 1, len(self.steps), len(constants)]
        words = [MAGIC, VERSION, self.arena_bytes, self.rows, *counts, *words]
        for step in self.steps:
            words += step.all_words()
        names = tuple(buffer.name for buffer in self.buffers[1:])
        return np.array(words, np.int64), bytes(constants), names


def dense(
    buffer: int, offset: int, dtype: Dtype, extents: Sequence[int], rows_axis: int = -1
) -> Place:
    """A place whose elements lie in order without gaps."""
    strides: list[int] = []
    step = ITEMSIZE[dtype]
    for extent in reversed(extents):
        strides.insert(0, step)
        step *= max(extent, 1)
    return Place(buffer, offset, dtype, tuple(extents), tuple(strides), rows_axis)


# Where moving buffers are -------------------------------------------------------------

Turn = Mapping[int, int]  # the time of each buffer that moves


def placed(buffers: Sequence[Buffer], place: Place, turn: Turn) -> Place:
    """Where a place lies in a buffer that doesn't move."""
    while isinstance(buffer := buffers[place.buffer], Moving):
        offset = buffer.start.offset + turn[place.buffer] * buffer.move
        place = replace(place, buffer=buffer.start.buffer, offset=place.offset + offset)
    return place


def origin_of(buffers: Sequence[Buffer], place: Place) -> Buffer:
    """The buffer that holds a place's bytes in the end."""
    buffer = buffers[place.buffer]
    return origin_of(buffers, buffer.start) if isinstance(buffer, Moving) else buffer


def turns_within(turns: Sequence[Turn], loop: Loop) -> list[Turn]:
    """Every turn of a loop in each of those around it."""
    return [
        {**turn, **dict.fromkeys(loop.moving, time)}
        for turn in turns
        for time in range(loop.times)
    ]


# What may lie over what, byte by byte -------------------------------------------------


def overlaps(plan: Plan) -> Iterator[str]:
    """Each way in which a step reads what it writes, by the bytes that it touches."""
    yield from overlaps_in(plan, plan.steps, [{}])


def overlaps_in(
    plan: Plan, steps: Sequence[Step], turns: Sequence[Turn]
) -> Iterator[str]:
    """The same of some steps, in every turn of the loops around them."""
    for turn in turns:
        before: Step | None = None
        for number, step in enumerate(steps):
            now = at_turn(plan, step, turn)
            for fault in step_faults(now, before):
                yield f"step {number}: {fault}"
            before = now
    for step in steps:
        if isinstance(step, Loop):
            yield from overlaps_in(plan, step.steps, turns_within(turns, step))


def at_turn(plan: Plan, step: Step, turn: Turn) -> Step:
    """A step with its places where they lie."""
    reads, writes = (
        tuple(placed(plan.buffers, place, turn) for place in places)
        for places in (step.reads, step.writes)
    )
    return replace(step, reads=reads, writes=writes)


def step_faults(step: Step, before: Step | None) -> Iterator[str]:
    """Those of one step, and of a product's tail with the product."""
    yield from faults(step.reads, step.writes, isinstance(step, Map), adds_up(step))
    if isinstance(step, Map) and step.tail and before is not None:
        for fault in faults(before.reads, step.writes, in_place=False):
            yield f"the product before it: {fault}"
        for fault in faults(step.reads, before.writes, in_place=True):
            yield f"the product's result: {fault}"
        for fault in faults(before.writes, step.writes, in_place=True):
            yield f"over the product's result: {fault}"


def adds_up(step: Step) -> bool:
    """Whether a step adds to what it writes, of which elements may lie on others."""
    return step.kind in ("product_to_windows", "add_copy")


def faults(
    reads: Sequence[Place],
    writes: Sequence[Place],
    in_place: bool,
    adds: bool = False,
) -> Iterator[str]:
    """Bytes that are written twice, or are read and written in different elements."""
    for number, out in enumerate(writes):
        if adds:
            yield from row_faults(out)
        elif len(np.unique(out.addresses())) < out.size:
            yield f"two elements of {out}"
        for other in (*reads, *writes[:number]):
            same = in_place and other in reads and are_same(out, other)
            if not same and touches(out, other):
                yield f"{out} over {other}"


def row_faults(out: Place) -> Iterator[str]:
    """Rows that are added to at once, and have a byte in common."""
    if out.rows_axis >= 0 and out.size:
        rows = np.moveaxis(out.addresses().reshape(out.extents), out.rows_axis, 0)
        each = [np.unique(row) for row in rows]
        if len(np.unique(np.concatenate(each))) < sum(map(len, each)):
            yield f"two rows of {out}"


def touches(a: Place, b: Place) -> bool:
    """Whether two places have a byte in common."""
    if a.buffer != b.buffer or not a.size or not b.size:
        return False
    if a.start >= b.end or b.start >= a.end:
        return False
    used = np.zeros(max(a.end, b.end), np.bool_)
    used[a.bytes()] = True
    return bool(used[b.bytes()].any())


def are_same(a: Place, b: Place) -> bool:
    """Whether elements of the same number have the same bytes."""
    sizes = ITEMSIZE[a.dtype] == ITEMSIZE[b.dtype]
    return sizes and np.array_equal(a.addresses(), b.addresses())
