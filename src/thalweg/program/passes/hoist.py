"""Hoisting: what a loop's step does without its state is done for all times at once.

In the step of a recurrent layer, tanh(x @ W + s @ U + b), the product x @ W reads no
state. Inside it would be one small product a time; outside it is one large product,

    xW = reshape(x, (rows · times, features)) @ W

and the step becomes tanh(xW + s @ U + b), with xW for a sequence in place of x. The
rows of the body are resized to rows · times for that: it keeps them apart.

Hoisted are products, sums and their like, and whatever follows from them alone; other
work costs the same inside. Views are taken again inside, of what was hoisted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.loop_rules import parts_of
from thalweg.program.loops import has_rows, in_lanes
from thalweg.program.row_axes import find_rows, row_axes
from thalweg.program.sizes import at
from thalweg.program.trace import Trace, Tracer, inline

LIGHT = ("view", "constant", "elementwise")  # kinds that are as good inside
FREE = ("view", "constant")


def hoist(program: Program) -> Program:
    """The program with what its loops do each time in vain outside of them."""
    if all(each.primitive.kind != "loop" for each in program.instructions):
        return program
    recording = Trace(rewritten)
    inputs = {name: recording.input(name, t) for name, t in program.inputs.items()}
    values = inline(program, recording, inputs)
    return recording.program({k: values[v] for k, v in program.outputs.items()})


def rewritten(
    recording: Trace, opcode: str, inputs: tuple[Tracer, ...], attributes: Any
) -> Tracer | None:
    """A loop with less in its body; None for what stays as it is."""
    if "body" not in attributes:
        return None
    attributes = {**attributes, "body": hoist(attributes["body"])}
    found = Hoisting.of(recording, inputs, **attributes).run()
    if found is None:
        return recording.record(opcode, inputs, attributes)
    return recording.record(opcode, *found)


@dataclass
class Hoisting:
    """The state of one hoisting.

    Arguments:
        recording: the trace around the loop.
        inputs, body, states, sequences, reverse: the loop's.
        hoisted: the values of the body that are computed outside.
        moving: those that follow from sequences.
    """

    recording: Trace
    inputs: tuple[Tracer, ...]
    body: Program
    states: int
    sequences: int
    reverse: bool
    hoisted: set[int]
    moving: set[int]
    axes: dict[int, int]

    @classmethod
    def of(
        cls,
        recording: Trace,
        inputs: tuple[Tracer, ...],
        body: Program,
        states: int,
        sequences: int,
        reverse: bool,
    ) -> Hoisting:
        """Find what can be computed outside."""
        rows = find_rows(body)
        axes = {} if rows is None else rows.axes
        inside = set(range(states))
        moving = set(range(states, states + sequences))
        hoisted: set[int] = set()
        first = len(body.inputs)
        for value, each in enumerate(body.instructions, first):
            kind, read = each.primitive.kind, set(each.inputs)
            if read & inside or kind in ("loop", "random"):
                inside.add(value)
            elif read & moving:
                moving.add(value)
                if axes.get(value, 0) != 0:  # rows aren't first, so times can't be
                    inside.add(value)
            if value in inside:
                continue
            if kind not in LIGHT or read & hoisted:
                hoisted.add(value)
        return cls(
            recording, inputs, body, states, sequences, reverse, hoisted, moving, axes
        )

    def run(self) -> tuple[tuple[Tracer, ...], dict[str, Any]] | None:
        """The inputs and attributes of the loop that is left; None: it is all of it."""
        crossing = self._crossing()
        if not crossing:
            return None
        self.outside: dict[tuple[int, bool], Tracer] = {}
        turns, rest = self.inputs[0], self.inputs[1:]
        initial, sequences, whole = parts_of(rest, self.states, self.sequences)
        self.rows, self.times = sequences[0].shape[:2]
        new_sequences = [self._sequence(v) for v in crossing if v in self.moving]
        new_whole = [self._value(v, False) for v in crossing if v not in self.moving]
        body, used = self._body(crossing)
        first, start = self.states, self.states + self.sequences
        kept = [s for n, s in enumerate(sequences, first) if n in used]
        kept_whole = [w for n, w in enumerate(whole, start) if n in used]
        moved = [*kept, *new_sequences]
        if not moved:  # a loop has a sequence, which says how many times there are
            moved = [sequences[0]]
        attributes = {
            "body": body,
            "states": self.states,
            "sequences": len(moved),
            "reverse": self.reverse,
        }
        return (turns, *initial, *moved, *kept_whole, *new_whole), attributes

    def _crossing(self) -> list[int]:
        """What is hoisted and read by what isn't, looked at behind views."""
        found: set[int] = set()
        first = len(self.body.inputs)
        readers = [
            each.inputs
            for value, each in enumerate(self.body.instructions, first)
            if value not in self.hoisted
        ]
        for read in [*readers, tuple(self.body.outputs.values())]:
            found.update(self._behind(v) for v in read if v in self.hoisted)
        return sorted(found)

    def _behind(self, value: int) -> int:
        """The hoisted value of which this one is a view."""
        instruction = self.body.instruction(value)
        while instruction is not None and instruction.primitive.kind in FREE:
            source = instruction.inputs[0]
            if source not in self.hoisted:
                return value
            value, instruction = source, self.body.instruction(source)
        return value

    # Outside --------------------------------------------------------------------------

    def _sequence(self, value: int) -> Tracer:
        """A value at all times, as a sequence."""
        lanes = self._value(value, True)
        return ops.reshape(lanes, (self.rows, self.times, *lanes.shape[1:]))

    def _value(self, value: int, in_all: bool) -> Tracer:
        """A value of the body outside: for all times, or for once."""
        key = value, in_all
        if key not in self.outside:
            self.outside[key] = self._computed(value, in_all)
        return self.outside[key]

    def _computed(self, value: int, in_all: bool) -> Tracer:
        instruction = self.body.instruction(value)
        if instruction is None:
            array = self.inputs[1 + value]
            if value in self.moving:
                return ops.reshape(array, (self.rows * self.times, *array.shape[2:]))
            type = self.body.type(value)
            return in_lanes(array, type, self.rows, self.times) if in_all else array
        if in_all and value not in self.moving:
            once = has_rows(instruction.type) and value in self.axes
            if once or not row_axes(instruction.type):
                array = self._value(value, False)
                return in_lanes(array, instruction.type, self.rows, self.times)
        rows = self.rows * self.times if in_all else self.rows
        read = [self._value(v, in_all) for v in instruction.inputs]
        attributes = {
            name: at(attribute, {"rows": rows})
            for name, attribute in instruction.attributes.items()
        }
        return self.recording.emit(instruction.opcode, read, **attributes)

    # Inside ---------------------------------------------------------------------------

    def _body(self, crossing: Sequence[int]) -> tuple[Program, set[int]]:
        """What stays, and the numbers of the old inputs that it reads."""
        inside = self._needed_inside(crossing)
        recording = Trace()
        values: dict[int, Tracer] = {}
        names = list(self.body.inputs)
        start = self.states + self.sequences
        used = {value for value in inside if value < len(names)}

        def enter(value: int, name: str) -> None:
            values[value] = recording.input(name, self.body.type(value))

        for value in range(self.states):
            enter(value, names[value])
        for value in sorted(used):
            if self.states <= value < start:
                enter(value, names[value])
        for value in crossing:
            if value in self.moving:
                enter(value, self._name(value))
        if len(values) == self.states:
            enter(self.states, names[self.states])
        for value in sorted(used):
            if value >= start:
                enter(value, names[value])
        for value in crossing:
            if value not in self.moving:
                enter(value, self._name(value))
        for value, each in enumerate(self.body.instructions, len(names)):
            if value in inside and value not in values:
                read = [values[v] for v in each.inputs]
                values[value] = recording.emit(each.opcode, read, **each.attributes)
        outputs = {n: values[v] for n, v in self.body.outputs.items()}
        return recording.program(outputs), used

    def _name(self, value: int) -> str:
        """A name for what was hoisted, that no input of the body has."""
        name = f"h{value}"
        while name in self.body.inputs:
            name += "'"
        return name

    def _needed_inside(self, crossing: Sequence[int]) -> set[int]:
        """The values that the outputs follow from, up to what crosses."""
        found = set(self.body.outputs.values())
        waiting = list(found)
        while waiting:
            value = waiting.pop()
            instruction = self.body.instruction(value)
            if value in crossing or instruction is None:
                continue
            for source in instruction.inputs:
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return found
