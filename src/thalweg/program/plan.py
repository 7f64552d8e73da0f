"""Memory: where every value of a program lies, decided before anything runs.

Inputs lie in buffers of their own, constants in buffers that are filled once, and all
else in one arena, in which values whose lives don't overlap share room. Views
(reshape, transpose, broadcast, slice) are other strides over the same bytes, and cost
nothing. An output with the name of an input is carried: the run leaves it there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from thalweg.errors import ProgramError
from thalweg.program.ir import Instruction, Program
from thalweg.program.layout import (
    ALIGNMENT,
    ARENA,
    Location,
    Plan,
    Step,
    check,
    contiguous,
)
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.types import ArrayType, NumpyArray


@dataclass
class Arena:
    """Room by offsets: what is given back is merged and given again."""

    size: int = 0
    free: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def allocate(self, nbytes: int) -> int:
        """The offset of the smallest free room that fits, or of new room at the end."""
        need = rounded(nbytes)
        fitting = [(length, start) for start, length in self.free if length >= need]
        if not fitting:
            start = self.size
            self.size += need
            return start
        length, start = min(fitting)
        self.free.remove((start, length))
        if length > need:
            self.free.append((start + need, length - need))
        return start

    def release(self, start: int, nbytes: int) -> None:
        """Give room back, merged with the free room beside it."""
        merged: list[tuple[int, int]] = []
        for other, length in sorted([*self.free, (start, rounded(nbytes))]):
            if merged and merged[-1][0] + merged[-1][1] == other:
                merged[-1] = (merged[-1][0], merged[-1][1] + length)
            else:
                merged.append((other, length))
        self.free = merged


def rounded(nbytes: int) -> int:
    """Room in whole multiples of the alignment."""
    return max(-(-nbytes // ALIGNMENT), 1) * ALIGNMENT


def view_of(
    location: Location, opcode: str, attributes: Mapping[str, Any]
) -> Location | None:
    """The location that a view has; None where its elements must be copied.

    NumPy's own rules decide, on an array of the same strides that is never read.
    """
    ghost = np.lib.stride_tricks.as_strided(
        np.empty(1, location.type.dtype), location.type.shape, location.strides
    )
    if opcode == "reshape":
        try:
            view = np.reshape(ghost, attributes["shape"], copy=False)
        except ValueError:
            return None
    else:
        view = PRIMITIVES[opcode].meaning(ghost, **attributes)
    if not view.size:  # an empty slice's start may lie behind the buffer
        return contiguous(
            location.buffer,
            location.offset,
            ArrayType(tuple(view.shape), location.type.dtype),
        )
    moved = view.__array_interface__["data"][0] - ghost.__array_interface__["data"][0]
    type = ArrayType(tuple(view.shape), location.type.dtype)
    return Location(location.buffer, location.offset + moved, tuple(view.strides), type)


class Planner:
    """The state of one planning: a walk over the program in order."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.root = self._roots()
        self.carried = {
            name: value
            for name, value in program.outputs.items()
            if name in program.inputs and program.inputs[name] == program.type(value)
        }
        self.home = self._parts_of_concatenations()
        self.last_use = self._last_uses()
        self.arena = Arena()
        self.places: dict[int, Location] = {}
        self.rooms: dict[int, tuple[int, int]] = {}  # root -> arena offset and bytes
        self.constants: dict[str, NumpyArray] = {}
        self.steps: list[Step] = []

    def _instruction(self, value: int) -> Instruction:
        instruction = self.program.instruction(value)
        assert instruction is not None
        return instruction

    def _roots(self) -> list[int]:
        """For every value, the one whose bytes it may be a view of."""
        root = list(range(len(self.program.inputs)))
        for instruction in self.program.instructions:
            is_view = instruction.primitive.kind == "view"
            root.append(root[instruction.inputs[0]] if is_view else len(root))
        return root

    def _last_uses(self) -> dict[int, int]:
        """The last instruction that reads any view of a root; outputs live on."""
        last: dict[int, int] = {}
        for value in self.program.computed():
            instruction = self._instruction(value)
            for source in instruction.inputs:
                last[self.root[source]] = value
        for value in self.program.outputs.values():
            last[self.root[value]] = len(self.root)
        for part, (owner, _) in self.home.items():
            last[owner] = max(last.get(owner, owner), last.get(part, part))
        return last

    def _parts_of_concatenations(self) -> dict[int, tuple[int, int]]:
        """Values that can be written straight into their place of a concatenation.

        For each, the concatenation and the offset in bytes: the part is computed, fills
        its root, and is joined along the first axis, so its place is contiguous.
        """
        home: dict[int, tuple[int, int]] = {}
        for value in self.program.computed():
            instruction = self._instruction(value)
            if (
                instruction.opcode != "concatenate"
                or instruction.attributes["axis"] != 0
            ):
                continue
            offset = 0
            for part in instruction.inputs:
                root = self.root[part]
                if self._fills_its_root(part) and root not in home:
                    home[root] = (value, offset)
                offset += self.program.type(part).nbytes
        return home

    def _fills_its_root(self, value: int) -> bool:
        """Whether a value is its root, or only a reshape of it, and is computed."""
        instruction = self.program.instruction(value)
        while instruction is not None and instruction.opcode == "reshape":
            value = instruction.inputs[0]
            instruction = self.program.instruction(value)
        return (
            instruction is not None
            and instruction.primitive.kind not in ("view", "constant")
            and instruction.opcode != "concatenate"
            and value not in self.program.outputs.values()
        )

    def plan(self) -> Plan:
        """Walk the program, then leave carried outputs where their inputs were."""
        for value, (name, type) in enumerate(self.program.inputs.items()):
            self.places[value] = contiguous(name, 0, type)
        for value in self.program.computed():
            self._place(value)
        outputs = {name: self.places[v] for name, v in self.program.outputs.items()}
        self._keep_old_values(outputs)
        self._carry(outputs)
        return Plan(
            self.program.inputs,
            self.constants,
            self.arena.size,
            tuple(self.steps),
            outputs,
        )

    def _place(self, value: int) -> None:
        instruction = self._instruction(value)
        opcode, attributes = instruction.opcode, instruction.attributes
        if opcode == "constant":
            self._place_constant(value, attributes["value"])
            return
        inputs = tuple(self.places[v] for v in instruction.inputs)
        if instruction.primitive.kind == "view":
            view = view_of(inputs[0], opcode, attributes)
            if view is not None:
                self.places[value] = view
                return
            self._become_root(value)
        self.places[value] = self._output_location(value)
        if opcode == "concatenate" and attributes["axis"] == 0:
            self._join(self.places[value], inputs)
        else:
            self.steps.append(Step(opcode, attributes, inputs, self.places[value]))
        self._release_dying(value)

    def _place_constant(self, value: int, constant: NumpyArray) -> None:
        name = f"%{value}"
        type = self.program.type(value)
        self.constants[name] = constant
        self.places[value] = contiguous(name, 0, type)

    def _become_root(self, value: int) -> None:
        """A view that must be copied has bytes of its own from here on."""
        self.root[value] = value
        for later in range(value + 1, len(self.root)):
            instruction = self.program.instruction(later)
            if instruction is not None and instruction.primitive.kind == "view":
                self.root[later] = self.root[instruction.inputs[0]]
        self.last_use = self._last_uses()

    def _output_location(self, value: int) -> Location:
        """Into the carried input, a concatenation, a dying input, or new room."""
        type = self.program.type(value)
        carried = self._carried_input(value)
        if carried is not None:
            return contiguous(carried, 0, type)
        if value in self.home:
            owner, offset = self.home[value]
            return contiguous(ARENA, self._room(owner) + offset, type)
        reused = self._dying_input(value)
        if reused is not None:
            self.rooms[value] = self.rooms.pop(reused)
            return contiguous(ARENA, self.rooms[value][0], type)
        return contiguous(ARENA, self._room(value), type)

    def _room(self, root: int) -> int:
        """The offset of a root's room, which is taken at the first call."""
        if root not in self.rooms:
            nbytes = self.program.type(root).nbytes
            self.rooms[root] = (self.arena.allocate(nbytes), nbytes)
        return self.rooms[root][0]

    def _carried_input(self, value: int) -> str | None:
        """The input that an elementwise result may overwrite, as its new value."""
        instruction = self._instruction(value)
        if instruction.primitive.kind != "elementwise":
            return None
        for name, output in self.carried.items():
            position = list(self.program.inputs).index(name)
            is_last_reader = self.last_use.get(position, -1) <= value
            if (
                output == value
                and is_last_reader
                and self._reads_aligned(value, position)
            ):
                return name
        return None

    def _reads_aligned(self, value: int, root: int) -> bool:
        """Whether an instruction reads a root only element for element."""
        instruction = self._instruction(value)
        readings = [self.places[v] for v in instruction.inputs if self.root[v] == root]
        whole = self.program.type(root).nbytes
        return all(p.is_contiguous and p.type.nbytes == whole for p in readings)

    def _dying_input(self, value: int) -> int | None:
        """An input of an elementwise instruction whose room the output can have."""
        instruction = self._instruction(value)
        if instruction.primitive.kind != "elementwise":
            return None
        nbytes = self.program.type(value).nbytes
        for source in instruction.inputs:
            root = self.root[source]
            if (
                root in self.rooms
                and self.last_use[root] == value
                and self.program.type(root).nbytes == nbytes
                and self._reads_aligned(value, root)
                and not self._is_joined(root)
            ):
                return root
        return None

    def _is_joined(self, root: int) -> bool:
        return any(owner == root for owner, _ in self.home.values())

    def _join(self, base: Location, parts: tuple[Location, ...]) -> None:
        """Copy the parts of a concatenation that weren't written into their places."""
        offset = base.offset
        for part in parts:
            place = contiguous(base.buffer, offset, part.type)
            if part != place:
                self._copy(part, place)
            offset += part.type.nbytes

    def _copy(self, source: Location, target: Location) -> None:
        shape = {"shape": target.type.shape}
        self.steps.append(Step("reshape", shape, (source,), target))

    def _release_dying(self, value: int) -> None:
        instruction = self._instruction(value)
        for root in {self.root[v] for v in instruction.inputs} | {value}:
            if self.last_use.get(root, value) <= value and root in self.rooms:
                self.arena.release(*self.rooms.pop(root))

    def _keep_old_values(self, outputs: dict[str, Location]) -> None:
        """Copy outputs that look at an input which gets a new value after them."""
        for name, place in outputs.items():
            is_input = self.root[self.program.outputs[name]] < len(self.program.inputs)
            if is_input and name not in self.carried and place.buffer in self.carried:
                outputs[name] = self._copied(place)

    def _copied(self, place: Location) -> Location:
        room = contiguous(ARENA, self.arena.allocate(place.type.nbytes), place.type)
        self._copy(place, room)
        return room

    def _carry(self, outputs: dict[str, Location]) -> None:
        """Copy what wasn't written into its input; through the arena if inputs swap."""
        pending: list[tuple[str, Location]] = []
        for name, value in self.carried.items():
            type = self.program.inputs[name]
            home = contiguous(name, 0, type)
            place = outputs[name]
            if place == home:
                continue
            if self.root[value] < len(self.program.inputs):
                place = self._copied(place)
            pending.append((name, place))
        for name, place in pending:
            outputs[name] = contiguous(name, 0, self.program.inputs[name])
            self._copy(place, outputs[name])


def plan(program: Program) -> Plan:
    """Give every value of a program its place.

    Raises:
        ProgramError: an output has the name of an input but another type.
    """
    for name, type in program.output_types().items():
        if program.inputs.get(name, type) != type:
            raise ProgramError(
                f"output {name} is {type}, but the input of that name "
                f"is {program.inputs[name]}"
            )
    return check(Planner(program).plan())
