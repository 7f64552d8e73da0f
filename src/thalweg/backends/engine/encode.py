"""A plan as whole numbers, which is what the engine reads.

The engine knows places, not views: a transposed matrix is one with other strides, a
pad is zeros and a copy into the middle of them, a concatenation several copies. The
engine checks every number again before it runs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from thalweg.backends.engine.loops import write_loop
from thalweg.backends.layout import (
    ALIGNMENT,
    ARENA,
    Line,
    Location,
    Plan,
    Step,
    contiguous,
)
from thalweg.backends.views import (
    Runs,
    are_apart,
    merged,
    permuted,
    runs_of_product,
    view_of,
)
from thalweg.errors import ProgramError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import DTYPES, ITEMSIZE, ArrayType, NumpyArray

MAGIC = 0x7448_414C_5745_4731  # tHALWEG1
VERSION = 1
OPCODES = {
    name: number
    for number, name in enumerate(
        name for name, row in PRIMITIVES.items() if row.kind != "loop"
    )
}
DTYPE_NUMBERS = {dtype: number for number, dtype in enumerate(DTYPES)}

Kind = Literal["whole", "rows", "total"]
KINDS: Mapping[str, int] = {
    "whole": 0,
    "rows": 1,
    "total": 2,
    "constant": 3,
    "moving": 4,
}
STEPS: Mapping[str, int] = {
    kind: number
    for number, kind in enumerate(
        (
            *("map", "product", "product_of_windows", "product_to_windows", "reduce"),
            *("copy", "zero", "share_max", "add_copy", "take", "scatter_add"),
            *("random_bits", "loop"),
        )
    )
}
Words = list[int]


@dataclass(frozen=True)
class EncodedPlan:
    """A plan as the engine takes it.

    Arguments:
        words: int64 numbers, as ``engine/core/plan.h`` has them.
        constants: the bytes of all constants.
        names: of all buffers but the arena, in their order.
        kernels: for every step of the words, the number of the plan's.
    """

    words: NumpyArray
    constants: bytes
    names: tuple[str, ...]
    kernels: tuple[int, ...]


def encode(plan: Plan, kinds: Mapping[str, Kind], rows: int) -> EncodedPlan:
    """Write a plan down.

    Arguments:
        plan: checked.
        kinds: what a buffer holds, where that isn't one whole array: rows of a batch,
            or a sum over rows that blocks add to.
        rows: the most rows that a block has; 0 where nothing holds rows.

    Raises:
        ProgramError: a step has a form that the engine doesn't know.
    """
    return PlanEncoder(plan, kinds, rows).run()


class PlanEncoder:
    """The state of one encoding."""

    def __init__(self, plan: Plan, kinds: Mapping[str, Kind], rows: int) -> None:
        self.plan = plan
        self.kinds = kinds
        self.rows = rows
        self.names: list[str] = []  # of the buffers behind the arena
        self.number = {ARENA: 0}
        self.buffers: list[Words] = []
        self.constants = bytearray()
        self.known: dict[str, NumpyArray] = {}  # the constants by their buffers
        self.arena_bytes = plan.arena_bytes
        self.steps: list[Words] = []
        self.kernels: list[int] = []

    def run(self) -> EncodedPlan:
        """Buffers first, then steps."""
        for name, type in self.plan.buffers.items():
            kind = KINDS[self.kinds.get(name, "whole")]
            self.enter_buffer(name, [kind, *type_words(type), 0])
        for name, value in self.plan.constants.items():
            self.enter_constant(name, value)
        for kernel, step in enumerate(self.plan.steps):
            self.step(step)
            self.kernels += [kernel] * (len(self.steps) - len(self.kernels))
        header = [MAGIC, VERSION, self.arena_bytes, self.rows, len(self.buffers)]
        header += [len(self.steps), len(self.constants)]
        words = [*header, *joined(self.buffers), *joined(self.steps)]
        return EncodedPlan(
            np.array(words, np.int64),
            bytes(self.constants),
            tuple(self.names),
            tuple(self.kernels),
        )

    def enter_buffer(self, name: str, words: Words) -> None:
        """One more buffer, which places may name."""
        self.number[name] = len(self.number)
        self.names.append(name)
        self.buffers.append(words)

    def enter_constant(self, name: str, value: NumpyArray) -> None:
        """One more constant, whose bytes the engine keeps."""
        self.constants += bytes(-len(self.constants) % ALIGNMENT)
        type = ArrayType(tuple(value.shape), value.dtype.name)  # pyright: ignore[reportArgumentType]
        words = [KINDS["constant"], *type_words(type), len(self.constants)]
        self.enter_buffer(name, words)
        self.known[name] = value
        self.constants += np.ascontiguousarray(value).tobytes()

    def moving(self, place: Location, move: int, times: int) -> Words:
        """A buffer that is a place at time 0, and moves."""
        return [KINDS["moving"], *self.place(place), move, times]

    def step(self, step: Step) -> None:
        """One kernel, as one step of the engine or several."""
        encoder, *_ = (encoder_of(line.opcode) for line in step.lines)
        if isinstance(encoder, str):
            raise ProgramError(f"the engine doesn't run {step.opcode}: {encoder}")
        encoder(self, step)

    def emit(self, kind: str, words: Words) -> None:
        """One more step of the engine."""
        self.steps.append([STEPS[kind], len(words), *words])

    def place(self, place: Location) -> Words:
        """A place: buffer, offset, dtype, rank, axis of rows, extents, strides."""
        if place.buffer not in self.number:
            raise ProgramError(f"{place} names a buffer that doesn't exist")
        shape = place.type.shape
        return [
            self.number[place.buffer],
            place.offset,
            DTYPE_NUMBERS[place.type.dtype],
            len(shape),
            axis_word(place.rows),
            *shape,
            *place.strides,
        ]

    # Elementwise ----------------------------------------------------------------------

    def map(self, step: Step) -> None:
        """Elementwise lines."""
        self._map(step.lines, step.inputs, step.outputs, is_tail=False)

    def _map(
        self,
        lines: Sequence[Line],
        inputs: Sequence[Location],
        outputs: Sequence[tuple[int, Location]],
        is_tail: bool,
    ) -> None:
        """Lines over one shape; outputs by the numbers of their lines."""
        shape, rows = lines[0].type.shape, outputs[0][1].rows
        words = [int(is_tail), len(shape), axis_word(rows), *shape, len(inputs)]
        for place in inputs:
            words += self.place(place)
        words.append(len(lines))
        for line in lines:
            words += [OPCODES[line.opcode], DTYPE_NUMBERS[line.type.dtype]]
            words += [len(line.operands), *line.operands]
        words.append(len(outputs))
        for number, place in outputs:
            words += [len(inputs) + number, *self.place(place)]
        self.emit("map", words)

    # Products -------------------------------------------------------------------------

    def product(self, step: Step, row_axes: int = 0) -> None:
        """A product, its bias, and the lines that follow it as a map of its own.

        The product is written where one of the outputs will be if nobody else reads it.
        Its left factor has so many axes that are its rows, or is a matrix.
        """
        first = step.lines[0]
        left, right = (step.inputs[operand] for operand in first.operands)
        a = swapped(left) if first.attributes["transpose_a"] else left
        b = swapped(right) if first.attributes["transpose_b"] else right
        outputs = dict(step.outputs)
        done = 0
        bias = bias_of(step, outputs)
        if bias is not None:
            done = 1
        out = outputs.pop(done, None)
        if out is None:
            out = next(place for place in outputs.values() if place.type == first.type)
        words = [*self.place(a), *self.place(b), *self.place(out)]
        words += [0] if bias is None else [1, *self.place(bias)]
        if row_axes:
            self.emit("product_of_windows", [*words, row_axes])
        else:
            self.emit("product", words)
        if len(step.lines) > done + 1:
            self._tail(step, done, out, outputs)

    def contract(self, step: Step) -> None:
        """A product over several axes, as one of matrices: runs of axes are one."""
        first, *tail = step.lines
        x, y = step.inputs_of(first)
        left, right, result = runs_of_product(first.attributes, x.type, y.type)
        if tail and tail[0].opcode == "add_windows":
            self._added(step, in_runs(x, left), in_runs(y, right))
            return
        is_matrix = merged(x, left) is not None
        inputs = [in_runs(x, left) if is_matrix else x, in_runs(y, right)]
        number: dict[int, int] = {}
        for operand in sorted({o for line in tail for o in line.operands}):
            if operand < len(step.inputs):
                number[operand] = len(inputs)
                inputs.append(in_runs(step.inputs[operand], result))
        for position in range(len(step.lines)):
            number[len(step.inputs) + position] = len(inputs) + position
        outputs = tuple((n, in_runs(place, result)) for n, place in step.outputs)
        shape = outputs[0][1].type.shape
        plain = {"transpose_a": False, "transpose_b": False}
        lines = [Line("matmul", plain, (0, 1), ArrayType(shape, first.type.dtype))]
        for line in tail:
            operands = tuple(number[operand] for operand in line.operands)
            type = ArrayType(shape, line.type.dtype)
            lines.append(Line(line.opcode, line.attributes, operands, type))
        row_axes = 0 if is_matrix else len(x.strides) - first.attributes["summed"]
        self.product(Step(tuple(lines), tuple(inputs), outputs), row_axes)

    def _added(self, step: Step, x: Location, y: Location) -> None:
        """A product that is added to windows of what it gives."""
        first, added = step.lines
        ((_, out),) = step.outputs
        self.emit("zero", self.place(out))
        places = [self.place(each) for each in (x, y, windows_in(out, added))]
        rows = len(step.inputs_of(first)[0].strides) - first.attributes["summed"]
        self.emit("product_to_windows", [*joined(places), 0, rows])

    def _tail(
        self, step: Step, done: int, out: Location, outputs: Mapping[int, Location]
    ) -> None:
        """The lines after a product, which read it where it was written."""
        lines = step.lines[done + 1 :]
        read = {operand for line in lines for operand in line.operands}
        product = len(step.inputs) + done
        kept = [i for i in range(len(step.inputs)) if i in read]
        number = {product: 0, **{i: n for n, i in enumerate(kept, 1)}}
        for position in range(len(lines)):
            number[product + 1 + position] = 1 + len(kept) + position
        self._map(
            [
                replace(line, operands=tuple(number[o] for o in line.operands))
                for line in lines
            ],
            [out, *(step.inputs[i] for i in kept)],
            [(n - done - 1, place) for n, place in outputs.items()],
            is_tail=True,
        )

    # Reductions -----------------------------------------------------------------------

    def reduce(self, step: Step) -> None:
        """A sum, a maximum, or its position."""
        line, (place,), ((_, out),) = step.lines[0], step.inputs, step.outputs
        axes = line.attributes.get("axes", (line.attributes.get("axis"),))
        words = [OPCODES[line.opcode], *self.place(place), *self.place(out)]
        self.emit("reduce", [*words, len(axes), *axes])

    # Moving ---------------------------------------------------------------------------

    def copy(self, source: Location, target: Location) -> None:
        """A step that copies elements."""
        self.emit("copy", [*self.place(source), *self.place(target)])

    def copied_view(self, step: Step) -> None:
        """A view whose elements are written out in order."""
        line, (place,), ((_, out),) = step.lines[0], step.inputs, step.outputs
        if place.type == out.type and line.opcode == "reshape":
            self.copy(place, out)
            return
        if line.opcode == "reshape":
            target = contiguous(out.buffer, out.offset, place.type, place.rows)
            self.copy(place, target)
            return
        view = view_of(place, line.opcode, line.attributes, out.rows)
        assert view is not None
        self.copy(view, out)

    def pad(self, step: Step) -> None:
        """Zeros, and the array set into them."""
        line, (place,), ((_, out),) = step.lines[0], step.inputs, step.outputs
        self.emit("zero", self.place(out))
        starts, steps = line.attributes["starts"], line.attributes["steps"]
        if place.type.size:
            self.copy(place, part_of(out, starts, steps, place))

    def add_windows(self, step: Step) -> None:
        """Zeros, and the elements of the windows added where they belong."""
        line, (place,), ((_, out),) = step.lines[0], step.inputs, step.outputs
        target = windows_in(out, line)
        if are_apart(line.attributes):
            self.zero_around(out, target)
            self.copy(place, target)
            return
        self.emit("zero", self.place(out))
        order = elements_first(line.attributes, len(target.strides))
        places = [permuted(each, order) for each in (place, target)]
        self.emit("add_copy", joined([self.place(each) for each in places]))

    def zero_around(self, out: Location, windows: Location) -> None:
        """Zeros, unless windows that lie apart cover all of it."""
        if windows.type.size < out.type.size:
            self.emit("zero", self.place(out))

    def share_max(self, step: Step) -> None:
        """What the largest elements share, straight into windows where those are."""
        first, *tail = step.lines
        ((_, out),) = step.outputs
        place = windows_in(out, tail[0]) if tail else out
        self.zero_around(out, place)
        places = [self.place(each) for each in (*step.inputs_of(first), place)]
        axes = first.attributes["axes"]
        self.emit("share_max", [*joined(places), len(axes), *axes])

    def concatenate(self, step: Step) -> None:
        """The parts side by side."""
        line, ((_, out),) = step.lines[0], step.outputs
        axis: int = line.attributes["axis"]
        start = 0
        for place in step.inputs_of(line):
            starts = [0] * len(place.type.shape)
            starts[axis] = start
            if place.type.size:
                self.copy(place, part_of(out, starts, [1] * len(starts), place))
            start += place.type.shape[axis]

    # By number ------------------------------------------------------------------------

    def by_number(self, step: Step) -> None:
        """Rows of a table, taken or added up by their numbers."""
        self.emit(step.opcode, self._places(step))

    def _places(self, step: Step) -> Words:
        """What the one line of a step reads, in its order, and where it writes."""
        places = [*step.inputs_of(step.lines[0]), step.outputs[0][1]]
        return [word for place in places for word in self.place(place)]

    def random_bits(self, step: Step) -> None:
        """Counted random words."""
        operation: int = step.lines[0].attributes["operation"]
        self.emit("random_bits", [*self._places(step), operation])

    def scan(self, step: Step) -> None:
        """A loop, whose steps are those of its body."""
        write_loop(self, step)


Encode = Callable[[PlanEncoder, Step], None]
ENCODERS: Mapping[str, Encode | str] = {
    "constant": "its bytes come with the plan",
    "scan": PlanEncoder.scan,
    "sum": PlanEncoder.reduce,
    "max": PlanEncoder.reduce,
    "share_max": PlanEncoder.share_max,
    "argmax": PlanEncoder.reduce,
    "pad": PlanEncoder.pad,
    "concatenate": PlanEncoder.concatenate,
    "add_windows": PlanEncoder.add_windows,
    "matmul": PlanEncoder.product,
    "contract": PlanEncoder.contract,
    "take": PlanEncoder.by_number,
    "scatter_add": PlanEncoder.by_number,
    "random_bits": PlanEncoder.random_bits,
}
"""How a step of each primitive is written, or why there is none."""

ENCODERS_OF_KINDS: Mapping[str, Encode] = {
    "elementwise": PlanEncoder.map,
    "view": PlanEncoder.copied_view,
}
"""The same for all primitives of a kind."""


def encoder_of(opcode: str) -> Encode | str:
    """How a step of a primitive is written, or why there is none.

    Raises:
        ProgramError: the engine doesn't have it.
    """
    found = ENCODERS.get(opcode)
    if found is None and opcode in OPCODES:
        found = ENCODERS_OF_KINDS.get(PRIMITIVES[opcode].kind)
    if found is None:
        raise ProgramError(
            f"the engine has no kernel for {opcode}; engine='interpreter' runs it"
        )
    return found


def joined(parts: Sequence[Words]) -> Words:
    """Words after words."""
    return [word for part in parts for word in part]


def type_words(type: ArrayType) -> Words:
    """A dtype, a rank and the extents."""
    return [DTYPE_NUMBERS[type.dtype], len(type.shape), *type.shape]


def axis_word(axis: int | None) -> int:
    """−1 where there is no axis of rows."""
    return -1 if axis is None else axis


def in_runs(place: Location, runs: Runs) -> Location:
    """A place whose runs of axes are one each, as it was planned."""
    found = merged(place, runs)
    assert found is not None
    return found


def windows_in(out: Location, line: Line) -> Location:
    """The windows of what they are added up to."""
    windows = view_of(out, "windows", windows_of(line.attributes), out.rows)
    assert windows is not None
    return windows


def windows_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of the windows that are added up."""
    return {name: value for name, value in attributes.items() if name != "shape"}


def elements_first(attributes: Mapping[str, Any], rank: int) -> list[int]:
    """The axes of windows, those of their elements first: in this order they add up."""
    behind, count = attributes["axes"][-1] + 1, len(attributes["axes"])
    own = list(range(behind, behind + count))
    return own + [axis for axis in range(rank) if axis not in own]


def swapped(place: Location) -> Location:
    """The place of a matrix read by columns: its last two axes change places."""
    last = len(place.strides) - 1
    rows = place.rows
    if rows is not None and rows >= last - 1:
        rows = 2 * last - 1 - rows
    shape, strides = place.type.shape, place.strides
    return Location(
        place.buffer,
        place.offset,
        (*strides[:-2], strides[-1], strides[-2]),
        ArrayType((*shape[:-2], shape[-1], shape[-2]), place.type.dtype),
        rows,
    )


def bias_of(step: Step, outputs: Mapping[int, Location]) -> Location | None:
    """The row that every row of a product begins with, if its next line adds one."""
    if len(step.lines) < 2 or 0 in outputs or step.lines[1].opcode != "add":
        return None
    product = len(step.inputs)
    if any(product in line.operands for line in step.lines[2:]):
        return None
    others = [o for o in step.lines[1].operands if o != product]
    if len(others) != 1 or others[0] >= len(step.inputs):
        return None
    bias = step.inputs[others[0]]
    is_row = bias.strides[-1] == ITEMSIZE[bias.type.dtype] or bias.type.shape[-1] == 1
    return bias if is_row and not any(bias.strides[:-1]) else None


def part_of(
    out: Location, starts: Sequence[int], steps: Sequence[int], part: Location
) -> Location:
    """The place in a larger array that a part of it has."""
    offset = out.offset + sum(a * s for a, s in zip(starts, out.strides, strict=True))
    strides = tuple(a * s for a, s in zip(steps, out.strides, strict=True))
    return Location(out.buffer, offset, strides, part.type, part.rows)
