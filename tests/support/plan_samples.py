"""Random plans, nearly all legal: what is read is known, what is written not needed.

Now and then a place is drawn carelessly, so that rules are broken too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from support.plans import (
    Buffer,
    Extents,
    Line,
    Loop,
    Map,
    Moving,
    Place,
    Plan,
    Product,
    RandomBits,
    Reduce,
    Share,
    Step,
    Turn,
    WindowProduct,
    dense,
    faults,
    origin_of,
    placed,
    touches,
    turns_within,
)
from thalweg.program.types import COMPUTED, DTYPES, ITEMSIZE, Dtype, NumpyArray

Choose = random.Random

NUMBERS: tuple[Dtype, ...] = ("float32", "float32", "float64", "int32", "uint32")
EXTENTS = (1, 2, 3, 4, 5, 7, 8, 16, 17, 33)
EXACT = ("add", "subtract", "multiply", "maximum", "minimum")  # on whole numbers
EXACT_ONE = ("negative", "absolute")
ROUNDED = (
    *("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh"),
    *("sigmoid", "softplus", "erf"),
)
COMPARED = ("equal", "less", "less_equal")
ROOM = 1 << 11  # bytes of the arena in which places begin
CARELESS = 0.02  # of places that are written
TRIES = 30
MOST_LOOPS = 2  # one in another
MOST_SIZE = 1 << 11  # elements of a value from which others take their extents


@dataclass(frozen=True)
class Wanted:
    """A place that a step needs: along which axis it has rows, and what it is for.

    `orderly`: its elements lie in order. `adds`: its step could add to a total.
    `in_place`: it may lie where the step reads.
    """

    dtype: Dtype
    extents: Extents
    axis: int = -1
    orderly: bool = False
    adds: bool = False
    in_place: bool = False


@dataclass(frozen=True)
class Form:
    """Windows of an array: rows or others first, then places, and channels last.

    Arguments:
        first: the extent of the first axis.
        axis: 0 where that has rows, else -1.
        channels: of each place.
        more: how many places there are behind the last window.
        counts: of windows, along each axis of places.
        sizes, steps, spacing: of the windows, along the same.
    """

    first: int
    axis: int
    channels: int
    more: int
    counts: Extents
    sizes: Extents
    steps: Extents
    spacing: Extents

    @property
    def extents(self) -> Extents:
        """Of the array."""
        each = zip(self.counts, self.sizes, self.steps, self.spacing, strict=True)
        places = [
            (count - 1) * step + max(size - 1, 0) * apart + 1 + self.more
            for count, size, step, apart in each
        ]
        return (self.first, *places, self.channels)

    def of(self, base: Place) -> Place:
        """The windows; their own axes come behind those of places."""
        first, *inner, last = base.strides
        at = [stride * step for stride, step in zip(inner, self.steps, strict=True)]
        own = [
            stride * apart for stride, apart in zip(inner, self.spacing, strict=True)
        ]
        extents = (self.first, *self.counts, *self.sizes, self.channels)
        return replace(base, extents=extents, strides=(first, *at, *own, last))


def rotated(place: Place, axes: int) -> Place:
    """The place with so many first axes behind the others."""
    rows = place.rows_axis
    return replace(
        place,
        extents=place.extents[axes:] + place.extents[:axes],
        strides=place.strides[axes:] + place.strides[:axes],
        rows_axis=rows if rows < 0 else len(place.extents) - axes + rows,
    )


def draw_plan(choose: Choose, rows: int, prefix: str, shared: Sequence[Buffer]) -> Plan:
    """A plan of a few steps.

    Arguments:
        choose: what decides.
        rows: the most rows of a block; 0 where nothing has rows.
        prefix: of its buffers' names.
        shared: buffers of other plans that it may use too.
    """
    return Drawing(choose, rows, prefix, shared).draw()


class Drawing:
    """The state of one plan under way."""

    def __init__(
        self, choose: Choose, rows: int, prefix: str, shared: Sequence[Buffer]
    ) -> None:
        self.choose = choose
        self.prefix = prefix
        self.plan = Plan(0, rows)
        self.arena_bytes = 0
        self.values: list[Place] = []  # that hold something
        self.targets: list[Place] = []  # in buffers that move, to be written to
        self.turns: list[Turn] = [{}]  # of the loops that are drawn now
        self.depth = 0
        self.rounds = choose.random() < 0.2  # whether results depend on rounding
        for buffer in shared:
            self._add(buffer)
            self.values.append(dense(self._last, 0, buffer.dtype, buffer.extents))

    def draw(self) -> Plan:
        """Steps, one after the other."""
        self._steps(6)
        self.plan.arena_bytes = self.arena_bytes
        self.plan.buffers[0] = Buffer("arena", "bool", (self.arena_bytes,))
        return self.plan

    def _steps(self, most: int) -> None:
        kinds: list[Callable[[], None]] = [self._map] * 4 + [self._product] * 3
        kinds += [self._reduce] * 2 + [self._windows] * 4
        kinds += [self._copy, self._zero, self._take, self._scatter_add, self._bits]
        if self.depth < MOST_LOOPS:
            kinds += [self._loop] * 2
        for _ in range(self.choose.randint(1, most)):
            self.choose.choice(kinds)()

    # Buffers --------------------------------------------------------------------------

    @property
    def _last(self) -> int:
        return len(self.plan.buffers) - 1

    def _add(self, buffer: Buffer) -> int:
        named = buffer.name or f"{self.prefix}{len(self.plan.buffers)}"
        self.plan.buffers.append(replace(buffer, name=named))
        return self._last

    def _lay(
        self, dtype: Dtype, extents: Extents, orderly: bool
    ) -> tuple[Extents, int]:
        """Strides in some order, perhaps with gaps, and the bytes that they reach."""
        order = list(range(len(extents)))
        if not orderly and self.choose.random() < 0.3:
            self.choose.shuffle(order)
        strides = [0] * len(extents)
        step = ITEMSIZE[dtype]
        for axis in reversed(order):
            gap = 1 if orderly else self.choose.choice((1, 1, 1, 1, 2))
            strides[axis] = step * gap
            step = strides[axis] * max(extents[axis], 1)
        return tuple(strides), step

    def _new_place(self, kind: str, wanted: Wanted, axis: int) -> Place:
        """A place in a buffer of its own, of rows along an axis where it has such."""
        dtype, extents = wanted.dtype, wanted.extents
        item = ITEMSIZE[dtype]
        if kind != "rows":
            strides, size = self._lay(dtype, extents, wanted.orderly)
            shape = extents if wanted.orderly else (size // item,)
            buffer = self._add(Buffer(kind, dtype, shape))
            return Place(buffer, 0, dtype, extents, strides)
        rows = self.plan.rows
        inner = (*extents[:axis], *extents[axis + 1 :])
        strides, size = self._lay(dtype, inner, wanted.orderly)
        size = max(size, item)
        shape = (rows, extents[axis] // rows, size // item)
        buffer = self._add(Buffer("rows", dtype, shape))
        strides = (*strides[:axis], size, *strides[axis:])
        return Place(buffer, 0, dtype, extents, strides, axis)

    # Reading --------------------------------------------------------------------------

    def _read(self, dtype: Dtype, extents: Extents, axis: int = -1) -> Place:
        """A value of these extents, often one that there is."""
        found = [
            view
            for value in self.values
            if value.dtype == dtype
            for view in self._views(value, extents, axis)
        ]
        if found and self.choose.random() < 0.8:
            return self.choose.choice(found)
        return self._new_value(dtype, extents, axis)

    def _views(self, value: Place, extents: Extents, axis: int) -> list[Place]:
        if value.extents == extents and value.rows_axis == axis:
            return [value]
        rank = len(value.extents)
        if value.rows_axis >= 0 or axis >= 0 or rank != len(extents):
            return []
        if sorted(value.extents) == sorted(extents):  # transposed
            axes = sorted(range(rank), key=lambda i: value.extents[i])
            targets = sorted(range(rank), key=lambda i: extents[i])
            strides = dict(zip(targets, (value.strides[i] for i in axes), strict=True))
            moved = tuple(strides[i] for i in range(rank))
            return [replace(value, extents=extents, strides=moved)]
        if all(a >= b for a, b in zip(value.extents, extents, strict=True)):  # a part
            free = [a - b for a, b in zip(value.extents, extents, strict=True)]
            starts = [self.choose.randint(0, n) for n in free]
            offset = sum(a * b for a, b in zip(starts, value.strides, strict=True))
            return [replace(value, offset=value.offset + offset, extents=extents)]
        return []

    def _turned(self, place: Place) -> Place:
        """A place, or the same with an axis that runs backwards."""
        axes = [i for i, n in enumerate(place.extents) if n and i != place.rows_axis]
        if not axes or self.choose.random() < 0.8:
            return place
        axis = self.choose.choice(axes)
        stride, strides = place.strides[axis], list(place.strides)
        strides[axis] = -stride
        offset = place.offset + (place.extents[axis] - 1) * stride
        return replace(place, offset=offset, strides=tuple(strides))

    def _new_value(self, dtype: Dtype, extents: Extents, axis: int) -> Place:
        """An input: rows, or what stands still along some axes."""
        if axis >= 0 and self.choose.random() < 0.7:
            place = self._new_place("rows", Wanted(dtype, extents), axis)
            self.values.append(place)
            return place
        still = [self.choose.random() < 0.2 or i == axis for i in range(len(extents))]
        own = tuple(1 if s else n for s, n in zip(still, extents, strict=True))
        kind = self.choose.choice(("whole", "whole", "constant"))
        place = self._new_place(kind, Wanted(dtype, own), -1)
        if kind == "constant":
            buffer = self.plan.buffers[place.buffer]
            self.plan.constants[place.buffer] = numbers(self.choose, buffer)
        self.values.append(place)
        strides = (0 if s else n for s, n in zip(still, place.strides, strict=True))
        return replace(place, extents=extents, strides=tuple(strides))

    # Writing --------------------------------------------------------------------------

    def _write(
        self, wanted: Wanted, reads: Sequence[Place], writes: Sequence[Place] = ()
    ) -> Place:
        """A place to write to, which the step has no other use for."""
        for _ in range(TRIES):
            place = self._target(wanted, reads)
            if self.choose.random() < CARELESS * (1 + 3 * self.depth):
                return place
            if not self._has_faults(reads, [*writes, place], wanted.in_place):
                return place
        return self._new_place("whole", wanted, -1)

    def _has_faults(
        self, reads: Sequence[Place], writes: Sequence[Place], in_place: bool
    ) -> bool:
        """Whether a step would read what it writes, in some turn."""
        buffers = self.plan.buffers
        return any(
            any(
                faults(
                    [placed(buffers, place, turn) for place in reads],
                    [placed(buffers, place, turn) for place in writes],
                    in_place,
                )
            )
            for turn in self.turns
        )

    def _touches(self, a: Place, b: Place) -> bool:
        """Whether two places have a byte in common, in some turn."""
        buffers = self.plan.buffers
        turns = self.turns
        return any(
            touches(placed(buffers, a, one), placed(buffers, b, other))
            for one in turns
            for other in (turns if self.depth else [one])
        )

    def _target(self, wanted: Wanted, reads: Sequence[Place]) -> Place:
        """Over what is read, in a buffer of its own, or somewhere in the arena."""
        moving = [place for place in self.targets if fits(place, wanted)]
        if moving and self.choose.random() < 0.6:
            return self.choose.choice(moving)
        chance, axis, has_rows = self.choose.random(), wanted.axis, self.plan.rows > 0
        over = [place for place in reads if self._can_be_over(place, wanted)]
        if over and chance < 0.4:
            return self.choose.choice(over)
        if axis >= 0 and chance < 0.6:
            return self._new_place("rows", wanted, axis)
        adds = wanted.adds and ITEMSIZE[wanted.dtype] > 1 and not self.depth
        if adds and has_rows and axis < 0 and chance < 0.7:
            return self._new_place("total", replace(wanted, orderly=True), -1)
        if axis < 0 and chance < (0.05 if has_rows else 0.4):
            return self._new_place("whole", wanted, -1)
        strides, size = self._lay(wanted.dtype, wanted.extents, wanted.orderly)
        step = self.choose.choice((ITEMSIZE[wanted.dtype], 64))
        offset = self.choose.randrange(0, ROOM, step)
        self.arena_bytes = max(self.arena_bytes, offset + size)
        return Place(0, offset, wanted.dtype, wanted.extents, strides, axis)

    def _can_be_over(self, place: Place, wanted: Wanted) -> bool:
        """Whether a map may leave its result where one of its inputs lies."""
        return (
            wanted.in_place
            and min(place.strides, default=0) >= 0
            and (place.dtype, place.rows_axis) == (wanted.dtype, wanted.axis)
            and origin_of(self.plan.buffers, place).kind in ("arena", "rows")
        )

    def _emit(self, step: Step) -> None:
        """Values that it writes over are gone; what it writes is one."""
        for out in step.writes:
            self.values = [p for p in self.values if not self._touches(out, p)]
            if self.plan.buffers[out.buffer].kind != "total":
                self.values.append(out)
        self.plan.steps.append(step)

    # Steps ----------------------------------------------------------------------------

    def _extents(self, rank: int | None = None) -> tuple[Extents, int]:
        """Extents and the axis of rows, often those of a value."""
        known = [
            value
            for value in self.values
            if rank in (None, len(value.extents)) and value.size <= MOST_SIZE
        ]
        if known and self.choose.random() < 0.6:
            value = self.choose.choice(known)
            return value.extents, value.rows_axis
        rank = self.choose.randint(0, 4) if rank is None else rank
        extents = [self.choose.choice(EXTENTS[:7]) for _ in range(rank)]
        axis = -1
        if self.plan.rows and rank and self.choose.random() < 0.7:
            axis = self.choose.choice((0, 0, self.choose.randrange(rank)))
            extents[axis] = self.plan.rows * self.choose.choice((1, 1, 1, 2))
        elif rank and self.choose.random() < 0.04:
            extents[self.choose.randrange(rank)] = 0
        return tuple(extents), axis

    def _map(self, product: Product | None = None) -> None:
        """Lines on arrays of one shape; with a product, its tail."""
        extents, axis = self._extents()
        dtype = self.choose.choice(NUMBERS)
        reads: list[Place] = []
        others: list[Place] = []  # that are used by the product
        if product:
            given = product.writes[0]
            extents, axis, dtype = given.extents, given.rows_axis, given.dtype
            reads.append(given)
            others += [*product.reads, given]
        for _ in range(self.choose.randint(0 if product else 1, 2)):
            reads.append(self._turned(self._read(dtype, extents, axis)))
        lines = self._lines(dtype, [place.dtype for place in reads])
        types: list[Dtype] = []
        types.extend(place.dtype for place in reads)
        types.extend(line.dtype for line in lines)
        registers: list[int] = []
        writes: list[Place] = []
        for register in self.choose.choices(range(len(types)), k=2):
            wanted = Wanted(types[register], extents, axis, in_place=True)
            place = self._write(wanted, reads, [*others, *writes])
            if place.rows_axis == axis and (not writes or self.choose.random() < 0.3):
                registers.append(register)
                writes.append(place)
        if not writes:
            return
        made = Map("map", tuple(reads), tuple(writes), extents, axis)
        code = replace(made, lines=tuple(lines), registers=tuple(registers))
        self._emit(replace(code, tail=product is not None))

    def _lines(self, dtype: Dtype, types: Sequence[Dtype]) -> list[Line]:
        known, lines = list(types), list[Line]()
        for _ in range(self.choose.randint(0, 5)):
            line = self._line(dtype, known)
            if line is not None:
                lines.append(line)
                known.append(line.dtype)
        return lines

    def _line(self, dtype: Dtype, known: Sequence[Dtype]) -> Line | None:
        pick = self.choose.choice
        same = [i for i, type in enumerate(known) if type == dtype]
        truths = [i for i, type in enumerate(known) if type == "bool"]
        chance = self.choose.random()
        if chance < 0.4:
            return Line(pick(EXACT), dtype, (pick(same), pick(same)))
        if chance < 0.65:
            floats = ("sign", "floor") + (ROUNDED if self.rounds else ())
            real = floats if dtype.startswith("f") else ()
            return Line(pick((*EXACT_ONE, *real)), dtype, (pick(same),))
        if chance < 0.75:
            return Line(pick(COMPARED), "bool", (pick(same), pick(same)))
        if chance < 0.85 and truths:
            return Line("select", dtype, (pick(truths), pick(same), pick(same)))
        if chance < 0.92:
            return Line("cast", pick(COMPUTED), (self.choose.randrange(len(known)),))
        if truths:
            return Line("logical_not", "bool", (pick(truths),))
        return None

    def _product(self) -> None:
        m, n, k = (self.choose.choice(EXTENTS) for _ in range(3))
        if self.choose.random() < 0.03:
            m, n, k = 64, 64, 64  # large enough for zeros to be left out
        dtype = self.choose.choice(("float32", "float32", "float64"))
        first = [self.choose.choice((1, 2, 3))] if self.choose.random() < 0.3 else []
        axes = [-1, -1, -1]  # of rows, in a, b and the result
        last = len(first) + 1
        chance = self.choose.random() if self.plan.rows else 1.0
        if chance < 0.4:
            m, axes = self.plan.rows, [last - 1, -1, last - 1]
        elif chance < 0.6:
            k, axes = self.plan.rows, [last, last - 1, -1]
        elif chance < 0.7 and first:
            first, axes = [self.plan.rows], [0, 0, 0]
        a = self._read(dtype, (*first, m, k), axes[0])
        b = self._read(dtype, (*first, k, n), axes[1])
        reads = [a, b]
        extents = (*first, m, n)
        if self.choose.random() < 0.3:
            row = self._read(dtype, (n,))
            if row.strides == (ITEMSIZE[dtype],) or n == 1:
                strides = (*[0] * (len(extents) - 1), *row.strides)
                reads.append(replace(row, extents=extents, strides=strides))
        adds = len(reads) == 2
        out = self._write(
            Wanted(dtype, extents, axes[2], orderly=True, adds=adds), reads
        )
        is_total = self.plan.buffers[out.buffer].kind == "total"
        step = Product("product", tuple(reads), (out,))
        self._emit(step)
        if self.choose.random() < 0.5 and not is_total and out.rows_axis == axes[2]:
            self._map(step)

    # Windows --------------------------------------------------------------------------

    def _windows(self) -> None:
        """A step on windows of an array, along which rows come first."""
        form = self._form()
        pick = self.choose.choice
        draw = pick((self._gathered, self._gathered, self._added, self._share))
        draw(form, pick(("float32", "float32", "float64")))

    def _form(self) -> Form:
        counts, sizes, steps, spacing = (
            tuple(self.choose.choices(each, k=2))
            for each in ((1, 2, 3, 5, 9), (1, 2, 2, 3), (1, 1, 2, 3), (1, 1, 2))
        )
        rank, axis = self.choose.choice((1, 1, 2)), -1
        first = self.choose.choice(
            (0, 1, 2, 3, 3) if self.choose.random() < 0.2 else (2,)
        )
        if self.plan.rows and self.choose.random() < 0.7:
            first, axis = self.plan.rows * self.choose.choice((1, 1, 2)), 0
        channels = self.choose.choice((1, 2, 3, 16, 17))
        more = self.choose.choice((0, 0, 0, 1, 4))
        if self.choose.random() < 0.05:
            sizes = (0, *sizes[1:])
        cut = slice(rank)
        return Form(
            *(first, axis, channels, more),
            *(counts[cut], sizes[cut], steps[cut], spacing[cut]),
        )

    def _gathered(self, form: Form, dtype: Dtype) -> None:
        """A product whose left matrix are windows, or windows turned."""
        base = self._read(dtype, form.extents, form.axis)
        a = form.of(base)
        axes = 1 + len(form.counts)
        if is_turned := self.choose.random() < 0.4:
            a, axes = rotated(a, axes), len(a.extents) - axes
        elif self.choose.random() < 0.3:
            axes = self.choose.randrange(1, len(a.extents))
        m, k = math.prod(a.extents[:axes]), math.prod(a.extents[axes:])
        n = self.choose.choice(EXTENTS)
        rows = 0 if a.rows_axis == axes else -1
        b = self._read(dtype, (k, n), rows)
        if b.rows_axis != rows:
            return
        reads = [a, b]
        if rows < 0 and self.choose.random() < 0.3:
            bias = self._read(dtype, (n,))
            if bias.strides == (ITEMSIZE[dtype],) or n == 1:
                strides = (0, *bias.strides)
                reads.append(replace(bias, extents=(m, n), strides=strides))
        axis = 0 if a.rows_axis == 0 else -1
        wanted = Wanted(dtype, (m, n), axis, orderly=True, adds=len(reads) == 2)
        out = self._write(wanted, reads)
        is_total = self.plan.buffers[out.buffer].kind == "total"
        step = WindowProduct("product_of_windows", tuple(reads), (out,), axes)
        self._emit(step)
        if not (is_turned or is_total) and self.choose.random() < 0.5:
            self._map(step)

    def _added(self, form: Form, dtype: Dtype) -> None:
        """A product, or any numbers, added to windows of what is there."""
        shape = form.of(dense(0, 0, dtype, form.extents)).extents
        if self.choose.random() < 0.4:
            dtype = self.choose.choice(NUMBERS)
            x = self._read(dtype, shape, form.axis)
            if x.rows_axis == form.axis:
                self._add_to(form, "add_copy", (x,))
            return
        axes = 1 + len(form.counts)
        if self.choose.random() < 0.3:
            axes = self.choose.randrange(1, len(shape))
        m, n = math.prod(shape[:axes]), math.prod(shape[axes:])
        k = self.choose.choice(EXTENTS)
        a, b = self._read(dtype, (m, k), form.axis), self._read(dtype, (k, n))
        if a.rows_axis == form.axis:
            self._add_to(form, "product_to_windows", (a, b), axes)

    def _add_to(
        self, form: Form, kind: str, reads: tuple[Place, ...], axes: int = 0
    ) -> None:
        """Zeros, and what is added to their windows."""
        orderly = self.choose.random() < 0.9
        wanted = Wanted(reads[0].dtype, form.extents, form.axis, orderly)
        base = self._write(wanted, reads)
        if base.rows_axis != form.axis:
            return
        self._emit(Step("zero", (), (base,)))
        out = (form.of(base),)
        is_product = kind == "product_to_windows"
        self._emit(
            WindowProduct(kind, reads, out, axes)
            if is_product
            else Step(kind, reads, out)
        )
        self.values.append(base)

    def _share(self, form: Form, dtype: Dtype) -> None:
        """What the largest of each window get."""
        x = form.of(self._read(dtype, form.extents, form.axis))
        chosen = range(1 if form.axis == 0 else 0, len(x.extents))
        count = self.choose.randint(0, len(chosen))
        axes = tuple(sorted(self.choose.sample(chosen, count)))
        if self.choose.random() < 0.6:
            axes = tuple(range(1 + len(form.counts), len(x.extents) - 1))
        each = tuple(1 if i in axes else n for i, n in enumerate(x.extents))
        part = self._read(dtype, each, x.rows_axis)
        out = self._write(Wanted(dtype, x.extents, x.rows_axis), [x, part])
        self._emit(Share("share_max", (x, part), (out,), axes))

    def _reduce(self) -> None:
        extents, axis = self._extents(self.choose.randint(1, 4))
        opcode = self.choose.choice(("sum", "sum", "max", "argmax"))
        count = 1 if opcode == "argmax" else self.choose.randint(0, len(extents))
        axes = sorted(self.choose.sample(range(len(extents)), count))
        if opcode != "sum" and any(extents[i] == 0 for i in axes):
            return
        dtype = self.choose.choice(NUMBERS)
        kept = [
            (i, 1 if i in axes else n)
            for i, n in enumerate(extents)
            if opcode != "argmax" or i not in axes
        ]
        left = next((j for j, (i, _) in enumerate(kept) if i == axis), -1)
        rows = -1 if axis in axes else left
        place = self._read(dtype, extents, axis)
        if place.rows_axis != axis:
            rows = -1
            if axis >= 0 and axis not in axes:
                return
        result: Dtype = "int32" if opcode == "argmax" else dtype
        shape = tuple(n for _, n in kept)
        out = self._write(Wanted(result, shape, rows, adds=opcode == "sum"), [place])
        self._emit(Reduce("reduce", (place,), (out,), opcode, tuple(axes)))

    def _copy(self) -> None:
        extents, axis = self._extents()
        dtype = self.choose.choice(DTYPES)
        place = self._turned(self._read(dtype, extents, axis))
        adds = place.rows_axis == axis
        out = self._write(Wanted(dtype, extents, axis, adds=adds), [place])
        self._emit(Step("copy", (place,), (out,)))

    def _zero(self) -> None:
        extents, axis = self._extents()
        dtype = self.choose.choice(DTYPES)
        out = self._write(Wanted(dtype, extents, axis, adds=True), [])
        self._emit(Step("zero", (), (out,)))

    def _table(self) -> tuple[Extents, Extents, int]:
        """Extents of a table and of numbers of its rows."""
        inner = [
            self.choose.choice((1, 3, 4)) for _ in range(self.choose.randint(0, 2))
        ]
        extents, axis = self._extents(self.choose.randint(0, 2))
        return (self.choose.choice((2, 3, 6)), *inner), extents, axis

    def _take(self) -> None:
        table, extents, axis = self._table()
        dtype = self.choose.choice(DTYPES)
        rows = self._new_place("whole", Wanted(dtype, table, orderly=True), -1)
        self.values.append(rows)
        indices = self._read("int32", extents, axis)
        shape = (*extents, *table[1:])
        axis = indices.rows_axis
        out = self._write(Wanted(dtype, shape, axis), [rows, indices])
        self._emit(Step("take", (rows, indices), (out,)))

    def _scatter_add(self) -> None:
        table, extents, axis = self._table()
        dtype = self.choose.choice(NUMBERS)
        indices = self._read("int32", extents, axis)
        axis = indices.rows_axis
        x = self._read(dtype, (*extents, *table[1:]), axis)
        if x.rows_axis != axis:
            return
        wanted = Wanted(dtype, table, orderly=True, adds=True)
        out = self._write(wanted, [x, indices])
        self._emit(Step("scatter_add", (x, indices), (out,)))

    def _bits(self) -> None:
        extents, axis = self._extents()
        if axis > 0:
            return
        seed, step = self._read("uint32", ()), self._read("int32", ())
        wanted = Wanted("uint32", extents, axis, orderly=True)
        out = self._write(wanted, [seed, step])
        number = self.choose.randrange(9)
        self._emit(RandomBits("random_bits", (seed, step), (out,), number))

    # Loops ----------------------------------------------------------------------------

    def _loop(self) -> None:
        """A loop over parts of what is known, or of what is 0 so far."""
        times = self.choose.choice((0, 1, 2, 2, 3, 3, 5))
        turns = self._turns()
        moving = [self._moving(times) for _ in range(self.choose.randint(1, 2))]
        recurrence = self._recurrence(times)
        moving += [place for place in recurrence if place.buffer]
        around = self.plan.steps, self.values, self.targets, self.turns
        loop = Loop("loop", (turns,), (), times, self.choose.random() < 0.5)
        loop = replace(loop, moving=tuple(place.buffer for place in moving))
        self.plan.steps, self.values = [], [*self.values, *moving]
        self.targets = [*self.targets, *moving]
        self.turns = turns_within(self.turns, loop)
        self.depth += 1
        self._recur(*recurrence)
        self._steps(2)
        written = [
            placed(self.plan.buffers, out, turn)
            for step in self.plan.steps
            for out in step.writes
            for turn in self.turns
        ]
        self.depth -= 1
        loop = replace(loop, steps=tuple(self.plan.steps))
        self.plan.steps, known, self.targets, self.turns = around
        # What the body wrote may never have been written; what was there before is
        # still numbers of its dtype, unless others were written over them.
        self.values = [
            place
            for place in known
            if not any(
                out.dtype != place.dtype
                and touches(out, placed(self.plan.buffers, place, turn))
                for out in written
                for turn in self.turns
            )
        ]
        self._emit(loop)

    def _turns(self) -> Place:
        """How many there are: mostly known, and several."""
        if self.choose.random() < 0.2:
            return self._read("int32", ())
        place = self._new_place("constant", Wanted("int32", ()), -1)
        turns = np.array(self.choose.randint(-1, 6), np.int32)
        self.plan.constants[place.buffer] = turns
        return place

    def _recurrence(self, times: int) -> tuple[Place, Place, Place]:
        """A state in the arena, what it follows from, and where it is kept."""
        extents, axis = self._extents()
        dtype = self.choose.choice(NUMBERS)
        offset = -(-max(self.arena_bytes, ROOM) // 64) * 64
        state = dense(0, offset, dtype, extents, axis)
        self.arena_bytes = state.end
        self._emit(Step("zero", (), (state,)))
        wanted = Wanted(dtype, extents, axis)
        return state, self._moving(times, wanted), self._moving(times, wanted)

    def _recur(self, state: Place, given: Place, kept: Place) -> None:
        """2 s + x, which depends on the order of times."""
        lines = tuple(
            Line("add", state.dtype, operands) for operands in ((0, 0), (2, 1))
        )
        writes = [state]
        if not self._has_faults((state, given), (state, kept), in_place=True):
            writes.append(kept)
        step = Map("map", (state, given), tuple(writes), state.extents, state.rows_axis)
        registers = (3,) * len(writes)
        self._emit(replace(step, lines=lines, registers=registers))

    def _moving(self, times: int, wanted: Wanted | None = None) -> Place:
        """All of a buffer that moves along an axis of a value."""
        if wanted is None:
            wanted = Wanted(self.choose.choice(NUMBERS), *self._extents())
        dtype, extents, axis = wanted.dtype, wanted.extents, wanted.axis
        along = self.choose.randint(0, len(extents))
        extents = (*extents[:along], times, *extents[along:])
        axis += axis >= along
        if self.choose.random() < 0.5:
            every = self._read(dtype, extents, axis)
        else:
            every = self._write(Wanted(dtype, extents, axis), [])
            self._emit(Step("zero", (), (every,)))
        sizes, strides = list(every.extents), list(every.strides)
        del sizes[along]
        move = strides.pop(along)
        rows = every.rows_axis - (every.rows_axis > along)
        start = Place(
            every.buffer, every.offset, dtype, tuple(sizes), tuple(strides), rows
        )
        number = self._add(
            Moving("moving", dtype, start.extents, "", start, move, times)
        )
        return replace(start, buffer=number, offset=0)


def fits(place: Place, wanted: Wanted) -> bool:
    """Whether a place is one that a step needs."""
    if (place.dtype, place.extents, place.rows_axis) != (
        wanted.dtype,
        wanted.extents,
        wanted.axis,
    ):
        return False
    in_order = dense(0, 0, place.dtype, place.extents)
    return not wanted.orderly or place.strides == in_order.strides


# What plans run on --------------------------------------------------------------------


def numbers(
    choose: Choose, buffer: Buffer, extents: Extents | None = None
) -> NumpyArray:
    """Small whole numbers, whose sums and products are exact."""
    shape = buffer.extents if extents is None else extents
    random = np.random.default_rng(choose.randrange(2**32))
    if buffer.dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    low, high = (-2, 3) if buffer.dtype.startswith("f") else (0, 2)
    drawn = random.integers(low, high, shape)
    if choose.random() < 0.3:
        drawn *= random.random(shape) < 0.1  # mostly zeros
    if buffer.dtype == "int32" and choose.random() < 0.1:
        drawn += random.integers(-1, 4, shape)  # some are no row of a table
    return drawn.astype(buffer.dtype).reshape(shape)


def mutated(choose: Choose, words: NumpyArray) -> NumpyArray:
    """Some words changed, moved or lost."""
    words = words.copy()
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(len(words))
        value = int(words[at])
        odd = (-1, 0, 1, value + 1, value - 1, value * 2, 8, 64)
        far = (2**31, 2**40, 2**62, -(2**62))
        drawn = choose.choice((*odd, *odd, *far))
        words[at] = max(min(drawn, 2**63 - 1), -(2**63))
    return words if choose.random() < 0.95 else words[: choose.randrange(len(words))]
