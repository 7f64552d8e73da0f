"""A loop as the engine runs it: its body's steps, over places that move.

The body is planned like any program, for one time. What it reads and writes lies
around it:

    a state            in room of its own, copied from its start before the first
                       turn, and from what the body gave after each, if it is read
    a sequence         in a *moving* buffer: where it is at time 0, and by how many
                       bytes it moves from one time to the next
    the states' array  in moving buffers too, a few columns for each state
    a whole array      where it is

So a turn costs no copy but that of the state. All of a body's own values lie in one
arena behind that of the steps around it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from thalweg.backends.engine.fuse import fuse
from thalweg.backends.layout import ARENA, Location, Step, contiguous
from thalweg.backends.plan import plan_within, rounded
from thalweg.program.ir import Program
from thalweg.program.loop_rules import column_starts, parts_of
from thalweg.program.row_axes import find_rows
from thalweg.program.types import ITEMSIZE, ArrayType, NumpyArray, Shape

AROUND = "%around"  # the arena of the steps around a loop, while its body is planned
Words = list[int]
Copy = tuple[Location, Location]  # from, to


class PlanWriter(Protocol):
    """What writes a plan down."""

    arena_bytes: int
    steps: list[Words]
    number: dict[str, int]
    known: dict[str, NumpyArray]

    def enter_buffer(self, name: str, words: Words) -> None:
        """One more buffer."""

    def enter_constant(self, name: str, value: NumpyArray) -> None:
        """One more constant."""

    def place(self, place: Location) -> Words:
        """A place as words."""
        ...

    def copy(self, source: Location, target: Location) -> None:
        """A step that copies."""

    def emit(self, kind: str, words: Words) -> None:
        """One more step."""

    def step(self, step: Step) -> None:
        """One kernel, as one step of the engine or several."""

    def moving(self, place: Location, move: int, times: int) -> Words:
        """A buffer that moves, as words."""
        ...


@dataclass
class Loop:
    """One loop while it is written.

    Arguments:
        writer: of the plan around it.
        step: the loop's.
        body: its program for a number of rows.
        axes: the axis of rows of the body's values.
        prefix: of the names of its buffers.
        moving: the buffers that move.
    """

    writer: PlanWriter
    step: Step
    body: Program
    axes: Mapping[int, int]
    prefix: str
    moving: list[str]

    @property
    def attributes(self) -> Mapping[str, int]:
        """Those of the instruction."""
        return self.step.lines[0].attributes

    @property
    def out(self) -> Location:
        """Where the states of all times go."""
        return self.step.outputs[0][1]

    @property
    def times(self) -> int:
        """How many times there are."""
        return self.out.type.shape[1]

    def write(self) -> None:
        """The states' start, the loop, and after each turn the states again."""
        turns, *rest = self.step.inputs_of(self.step.lines[0])
        states, sequences = self.attributes["states"], self.attributes["sequences"]
        initial, moving, whole = parts_of(rest, states, sequences)
        names = list(self.body.inputs)
        kept = self._rooms(initial)
        homes = {name: _around(place) for name, place in kept.items()}
        for name, place in zip(names[states:], moving, strict=False):
            homes[name] = self._moving(name, at_time_0(place), place.strides[1])
        for name, place in zip(names[states + sequences :], whole, strict=True):
            homes[name] = _around(place)
        written = self._written([each.type for each in initial])
        homes |= dict(zip(self.body.outputs, written, strict=True))
        starts = dict(zip(names, initial, strict=False))
        self._starts(turns, [(starts[name], room) for name, room in kept.items()])
        ends = dict(zip(names, written, strict=False))
        steps = self._steps(homes, [(ends[name], room) for name, room in kept.items()])
        self.writer.emit(
            "loop",
            [
                *self.writer.place(turns),
                int(self.attributes["reverse"]),
                self.times,
                len(self.moving),
                *(self.writer.number[name] for name in self.moving),
                len(steps),
                *(word for step in steps for word in step),
            ],
        )

    def _rooms(self, initial: Sequence[Location]) -> dict[str, Location]:
        """Room for each state that the body reads, in the arena behind all else."""
        read = {v for each in self.body.instructions for v in each.inputs}
        read.update(self.body.outputs.values())
        places: dict[str, Location] = {}
        names = enumerate(self.body.inputs)
        for (value, name), place in zip(names, initial, strict=False):
            if value in read:
                offset = self._room(place.type.nbytes)
                places[name] = contiguous(ARENA, offset, place.type, self.out.rows)
        return places

    def _room(self, nbytes: int) -> int:
        offset = self.writer.arena_bytes
        self.writer.arena_bytes += rounded(nbytes)
        return offset

    def _starts(self, turns: Location, copies: Sequence[Copy]) -> None:
        """States before the first turn; zeros where a time may have no turn."""
        if not self._are_all(turns):
            self.writer.emit("zero", self.writer.place(self.out))
        for place, room in copies:
            self.writer.copy(place, room)

    def _are_all(self, turns: Location) -> bool:
        """Whether it is known that every time has its turn."""
        value = self.writer.known.get(turns.buffer)
        if value is None:
            return False
        (count,) = np.frombuffer(value.tobytes(), np.int32, 1, turns.offset)
        return bool(count >= self.times)

    def _moving(self, name: str, place: Location, move: int) -> Location:
        """A place in a buffer of its own, which moves."""
        buffer = f"{self.prefix}{name}"
        self.writer.enter_buffer(buffer, self.writer.moving(place, move, self.times))
        self.moving.append(buffer)
        return replace(place, buffer=buffer, offset=0)

    def _written(self, types: Sequence[ArrayType]) -> list[Location]:
        """Where each state of one time goes: its columns of the states' array."""
        out, starts = self.out, column_starts(types)
        places: list[Location] = []
        for number, (type, name) in enumerate(
            zip(types, self.body.outputs, strict=True)
        ):
            one = at_time_0(out)
            if len(types) > 1:
                offset = out.offset + starts[number] * ITEMSIZE[type.dtype]
                strides = (out.strides[0], *contiguous("", 0, type).strides[1:])
                one = Location(out.buffer, offset, strides, type, out.rows)
            places.append(self._moving(name, one, out.strides[1]))
        return places

    def _steps(
        self,
        homes: Mapping[str, Location],
        copies: Sequence[Copy],
    ) -> list[Words]:
        """The body's steps, and the copies of the states."""
        plan = plan_within(fuse(self.body, self.axes), self.axes, homes)
        base = self._room(plan.arena_bytes)
        for name, value in plan.constants.items():
            self.writer.enter_constant(f"{self.prefix}{name}", value)
        around, self.writer.steps = self.writer.steps, []

        def placed(place: Location) -> Location:
            if place.buffer == ARENA:
                return replace(place, offset=place.offset + base)
            if place.buffer in plan.constants:
                return replace(place, buffer=f"{self.prefix}{place.buffer}")
            return replace(place, buffer=ARENA) if place.buffer == AROUND else place

        for step in plan.steps:
            inputs = tuple(map(placed, step.inputs))
            outputs = tuple((number, placed(each)) for number, each in step.outputs)
            self.writer.step(Step(step.lines, inputs, outputs))
        for place, room in copies:
            self.writer.copy(place, room)
        steps, self.writer.steps = self.writer.steps, around
        return steps


def write_loop(writer: PlanWriter, step: Step) -> None:
    """Write a loop down."""
    line = step.lines[0]
    body: Program = line.attributes["body"]
    first = step.inputs_of(line)[1]
    has_rows = step.outputs[0][1].rows is not None
    rows = find_rows(body) if has_rows else None
    Loop(
        writer,
        step,
        body.at(rows=first.type.shape[0]),
        {} if rows is None else rows.axes,
        f"%loop{len(writer.number)}.",
        [],
    ).write()


def at_time_0(place: Location) -> Location:
    """What a sequence is at its first time."""
    shape: Shape = place.type.shape
    return Location(
        place.buffer,
        place.offset,
        (place.strides[0], *place.strides[2:]),
        ArrayType((shape[0], *shape[2:]), place.type.dtype),
        place.rows,
    )


def _around(place: Location) -> Location:
    return replace(place, buffer=AROUND) if place.buffer == ARENA else place
