"""Memory: where every value of a program lies, decided before anything runs.

Inputs and outputs lie in buffers of their own, constants in buffers that are filled
once, and all else in one arena, in which values whose lives don't overlap share room.
Views (reshape, transpose, broadcast, slice) are other strides over the same bytes, and
cost nothing. An output with the name of an input is carried: the run leaves it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from thalweg.backends.kernels import Kernel, Kernels, roots_of, singly
from thalweg.backends.layout import (
    ALIGNMENT,
    ARENA,
    Line,
    Location,
    Plan,
    Step,
    check,
    contiguous,
    contiguous_strides,
    single,
)
from thalweg.backends.views import (
    Runs,
    can_be_gathered,
    copying_order,
    has_adjacent_columns,
    merged,
    permuted,
    runs_of_product,
    view_of,
)
from thalweg.errors import ProgramError
from thalweg.program.ir import Instruction, Program
from thalweg.program.types import ArrayType, NumpyArray

COPYING = ("pad", "concatenate")
"""What reads elements to copy them, in any order."""


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


class Planner:
    """The state of one planning: a walk over the kernels in order."""

    def __init__(
        self,
        kernels: Kernels,
        rows: Mapping[int, int],
        homes: Mapping[str, Location] | None = None,
    ) -> None:
        self.kernels = kernels
        self.program = kernels.program
        self.rows = rows
        self.homes = homes or {}
        self.root = roots_of(self.program)
        self.carried = {
            name: value
            for name, value in self.program.outputs.items()
            if name in self.program.inputs
        }
        # The instruction that the kernel of a value begins with.
        self.first = {
            value: self.kernels.instruction(kernel.values[0])
            for kernel in kernels.kernels
            for value in kernel.values
        }
        self.home = self._parts_of_concatenations()
        self.given = self._given_buffers()
        self.views = self._views()
        self.readers = self._readers()
        self.last_use = self._last_uses()
        self.parts: dict[int, list[int]] = {}  # of each concatenation, those in place
        for part, (owner, _) in self.home.items():
            self.parts.setdefault(owner, []).append(part)
        self.fresh: list[int] = []  # roots whose room or last reader is new
        self.copies: list[tuple[int, int]] = []  # rooms that one kernel reads
        # The roots of which a kernel is the last reader.
        self.ending: dict[int, list[int]] = {}
        for root, number in self.last_use.items():
            self.ending.setdefault(number, []).append(root)
        self.arena = Arena()
        self.places: dict[int, Location] = {}
        self.rooms: dict[int, tuple[int, int]] = {}  # root -> arena offset and bytes
        self.constants: dict[str, NumpyArray] = {}
        self.steps: list[Step] = []

    # What is known before the walk ----------------------------------------------------

    def _views(self) -> dict[int, list[int]]:
        """The views of each value."""
        views: dict[int, list[int]] = {}
        for value in self.program.computed():
            instruction = self.kernels.instruction(value)
            if instruction.primitive.kind == "view":
                views.setdefault(instruction.inputs[0], []).append(value)
        return views

    def _readers(self) -> dict[int, int]:
        """The last kernel that reads a value itself; outputs live on."""
        last: dict[int, int] = {}
        for number, kernel in enumerate(self.kernels.kernels):
            last |= dict.fromkeys(kernel.inputs, number)
        return last | dict.fromkeys(
            self.program.outputs.values(), len(self.kernels.kernels)
        )

    def _last_uses(self) -> dict[int, int]:
        """The last kernel that reads any view of a root."""
        last: dict[int, int] = {}
        for value, number in self.readers.items():
            root = self.root[value]
            last[root] = max(last.get(root, -1), number)
        for part, (owner, _) in self.home.items():
            last[owner] = max(last.get(owner, -1), last.get(part, -1))
        return last

    def _look_again(self, root: int) -> None:
        """Find out anew which kernel is the last to read a root, or a part of it."""
        waiting, last = [root], -1
        while waiting:
            own = waiting.pop()
            last = max(last, self.readers.get(own, -1))
            waiting += [v for v in self.views.get(own, ()) if self.root[v] == root]
        for part in self.parts.get(root, ()):
            last = max(last, self.last_use.get(part, -1))
        self.last_use[root] = last
        self.ending.setdefault(last, []).append(root)
        self.fresh.append(root)
        if root in self.home:
            self._look_again(self.home[root][0])

    def _parts_of_concatenations(self) -> dict[int, tuple[int, int]]:
        """Values that can be written straight into their place of a concatenation.

        For each, the concatenation and where it begins along the axis: the part is
        computed, and fills its root. Along the first axis its place is contiguous;
        along others it has gaps, which what is elementwise doesn't mind. Two places
        that one kernel writes must be seen to lie apart: behind the second axis they
        interleave in more than one, so that one of them is joined by a copy.
        """
        home: dict[int, tuple[int, int]] = {}
        for value in self.program.computed():
            instruction = self.kernels.instruction(value)
            if instruction.opcode != "concatenate":
                continue
            axis: int = instruction.attributes["axis"]
            start = 0
            writers: list[Instruction] = []
            for part in instruction.inputs:
                root = self._filled_root(part)
                fits = root is not None and self._can_be_a_part(root)
                has_gaps = axis != 0
                if root is None or not fits or root in home:
                    pass
                elif not has_gaps or (
                    root == part
                    and self._is_mapped(root)
                    and (axis == 1 or all(self.first[root] is not w for w in writers))
                ):
                    home[root] = (value, start)
                    writers.append(self.first[root])
                start += self.program.type(part).shape[axis]
        return home

    def _is_mapped(self, value: int) -> bool:
        """Whether a value is computed element by element, by a kernel that does so."""
        kinds = (self.first[value], self.kernels.instruction(value))
        return all(each.primitive.kind == "elementwise" for each in kinds)

    def _filled_root(self, value: int) -> int | None:
        """The computed value that a value is, or is only a reshape of."""
        instruction = self.program.instruction(value)
        while instruction is not None and instruction.opcode == "reshape":
            value = instruction.inputs[0]
            instruction = self.program.instruction(value)
        if instruction is None or instruction.primitive.is_free:
            return None
        return value

    def _can_be_a_part(self, root: int) -> bool:
        is_output = root in self.program.outputs.values()
        return not is_output and self.kernels.instruction(root).opcode != "concatenate"

    def _given_buffers(self) -> dict[int, str]:
        """Values that are written straight into an output's buffer."""
        given: dict[int, str] = {}
        for name, value in self.program.outputs.items():
            root = self._filled_root(value)
            if name in self.homes and not self._fits(self.homes[name], root, value):
                continue
            if root is not None and name not in self.carried and root not in self.home:
                given.setdefault(root, name)
        return given

    def _fits(self, home: Location, root: int | None, value: int) -> bool:
        """Whether a kernel can write to a place whose elements have gaps."""
        if root is None or root != value:
            return False
        first = self.first[root]
        if first.opcode == "contract":  # which writes a matrix
            *_, result = self._runs(first)
            return merged(home, result) is not None
        return first.opcode != "concatenate" or first.attributes["axis"] != 0

    def _runs(self, contraction: Instruction) -> tuple[Runs, Runs, Runs]:
        """The axes of its factors and its result that are those of matrices."""
        x, y = (self.program.type(value) for value in contraction.inputs)
        return runs_of_product(contraction.attributes, x, y)

    def _home(self, name: str, type: ArrayType, rows: int | None) -> Location:
        """Where an input or output lies: a buffer of its own, or as it is said."""
        found = self.homes.get(name)
        return contiguous(name, 0, type, rows) if found is None else found

    # The walk -------------------------------------------------------------------------

    def plan(self) -> Plan:
        """Walk the kernels, then fill the outputs that nothing was written into."""
        for value, (name, type) in enumerate(self.program.inputs.items()):
            self.places[value] = self._home(name, type, self.rows.get(value))
        for number, kernel in enumerate(self.kernels.kernels):
            self._place(number, kernel)
            self._release(number)
        self._fill_outputs()
        self._carry()
        return Plan(
            self.program.inputs,
            self.constants,
            self.arena.size,
            tuple(self.steps),
            self.program.output_types(),
        )

    def _place(self, number: int, kernel: Kernel) -> None:
        """Give a kernel's outputs their places, and enter its step."""
        inputs = {value: self._read(value) for value in kernel.inputs}
        inputs = {v: self._readable(kernel, place) for v, place in inputs.items()}
        first = self.kernels.instruction(kernel.values[0])
        if first.opcode == "take":
            inputs |= {first.inputs[0]: self._whole_rows(inputs[first.inputs[0]])}
        elif first.opcode == "contract":
            inputs = self._as_matrices(kernel, inputs)
        for value in kernel.outputs:
            self.places[value] = self._output_location(number, kernel, value, inputs)
        if first.opcode == "concatenate" and self._is_in_parts(kernel.values[0], first):
            self._join(kernel.values[0], first)
        else:
            self.steps.append(self._step(kernel, inputs))

    def _readable(self, kernel: Kernel, place: Location) -> Location:
        """A place, or a copy of it that runs forwards for what can't read it else."""
        opcode = self.kernels.instruction(kernel.values[0]).opcode
        turns = self.kernels.is_elementwise(kernel) or opcode in COPYING
        return place if turns or not place.runs_backwards else self._copied(place)

    def _step(self, kernel: Kernel, inputs: Mapping[int, Location]) -> Step:
        """A kernel with the places that it reads and writes."""
        number = {value: i for i, value in enumerate(inputs)}
        lines: list[Line] = []
        for value in kernel.values:
            number[value] = len(inputs) + len(lines)
            instruction = self.kernels.instruction(value)
            operands = tuple(number[v] for v in instruction.inputs)
            lines.append(
                Line(
                    instruction.opcode,
                    instruction.attributes,
                    operands,
                    instruction.type,
                )
            )
        outputs = [(number[v] - len(inputs), self.places[v]) for v in kernel.outputs]
        return Step(tuple(lines), tuple(inputs.values()), tuple(outputs))

    def _read(self, value: int) -> Location:
        """Where a value lies; views and constants find their place when first read."""
        if value not in self.places:
            instruction = self.kernels.instruction(value)
            if instruction.opcode == "constant":
                self.places[value] = self._constant(value)
            else:
                self.places[value] = self._view(value)
        return self.places[value]

    def _constant(self, value: int) -> Location:
        name = f"%constant{value}"  # unlike what crosses between parts
        self.constants[name] = self.kernels.instruction(value).attributes["value"]
        return contiguous(name, 0, self.program.type(value))

    def _view(self, value: int) -> Location:
        """Other strides over the same bytes, or where there are none, a copy."""
        instruction = self.kernels.instruction(value)
        source = self._read(instruction.inputs[0])
        rows = self.rows.get(value)
        view = view_of(source, instruction.opcode, instruction.attributes, rows)
        if view is not None:
            return view
        self._become_root(value)
        place = contiguous(ARENA, self._room(value), self.program.type(value), rows)
        self.steps.append(
            single(instruction.opcode, instruction.attributes, (source,), place)
        )
        return place

    def _become_root(self, value: int) -> None:
        """A view that must be copied has bytes of its own from here on."""
        before = self.root[value]
        waiting = [value]
        while waiting:
            own = waiting.pop()
            self.root[own] = value
            waiting += self.views.get(own, ())
        for root in (before, value):
            self._look_again(root)

    def _output_location(
        self, number: int, kernel: Kernel, value: int, inputs: Mapping[int, Location]
    ) -> Location:
        """An output's buffer, a concatenation, the place of a dying input, or new room.

        Over an input, because a kernel reads element by element what it replaces.
        """
        type, rows = self.program.type(value), self.rows.get(value)
        if value in self.given:
            return self._home(self.given[value], type, rows)
        carried = self._carried_input(number, kernel, value, inputs)
        if carried is not None:
            return contiguous(carried, 0, type, rows)
        if value in self.home:
            owner, start = self.home[value]
            return self._part_of(self._base(owner), owner, start, type, rows)
        reused = self._dying_input(number, kernel, value, inputs)
        if reused is not None:
            self.rooms[value] = self.rooms.pop(reused)
            self.fresh.append(value)
        order = self._order_in_memory(kernel, value)
        return in_order(self._room(value), type, rows, order)

    def _order_in_memory(self, kernel: Kernel, value: int) -> Sequence[int]:
        """The axes of a result as they are to lie in memory.

        Matrices that are read through a transpose alone, as those of heads are, lie as
        that has them: then its axes can be joined without a copy.
        """
        own = range(len(self.program.type(value).shape))
        views = self.views.get(value, ())
        is_product = self.first[value].opcode == "matmul" and len(kernel.values) == 1
        if not is_product or value in self.readers or len(views) != 1:
            return own
        view, rows = self.kernels.instruction(views[0]), self.rows.get(value)
        axes: Sequence[int] = view.attributes["axes"] if is_transpose(view) else own
        keeps_rows = rows is None or axes[rows] == rows
        return axes if keeps_rows and axes[-1] == own[-1] else own

    def _base(self, owner: int) -> Location:
        """Where a concatenation lies."""
        type, rows = self.program.type(owner), self.rows.get(owner)
        if owner in self.given:
            return self._home(self.given[owner], type, rows)
        return contiguous(ARENA, self._room(owner), type, rows)

    def _part_of(
        self, base: Location, owner: int, start: int, type: ArrayType, rows: int | None
    ) -> Location:
        """The place of a part that begins somewhere along a concatenation's axis."""
        axis: int = self.kernels.instruction(owner).attributes["axis"]
        offset = base.offset + start * base.strides[axis]
        if axis == 0:
            return contiguous(base.buffer, offset, type, rows)
        return Location(base.buffer, offset, base.strides, type, rows)

    def _room(self, root: int) -> int:
        """The offset of a root's room, which is taken at the first call."""
        if root not in self.rooms:
            nbytes = self.program.type(root).nbytes
            self.rooms[root] = (self.arena.allocate(nbytes), nbytes)
            self.fresh.append(root)
        return self.rooms[root][0]

    def _carried_input(
        self, number: int, kernel: Kernel, value: int, inputs: Mapping[int, Location]
    ) -> str | None:
        """The input that an elementwise result may overwrite, as its new value."""
        if not self.kernels.is_elementwise(kernel):
            return None
        for name, output in self.carried.items():
            position = list(self.program.inputs).index(name)
            is_last_reader = self.last_use.get(position, -1) <= number
            if (
                output == value
                and is_last_reader
                and self._reads_aligned(position, inputs)
            ):
                return name
        return None

    def _reads_aligned(self, root: int, inputs: Mapping[int, Location]) -> bool:
        """Whether a kernel reads a root only element for element."""
        readings = [place for v, place in inputs.items() if self.root[v] == root]
        whole = self.program.type(root).nbytes
        return all(p.is_contiguous and p.type.nbytes == whole for p in readings)

    def _dying_input(
        self, number: int, kernel: Kernel, value: int, inputs: Mapping[int, Location]
    ) -> int | None:
        """An input of an elementwise kernel whose room the output can have."""
        if not self.kernels.is_elementwise(kernel):
            return None
        nbytes = self.program.type(value).nbytes
        for source in inputs:
            root = self.root[source]
            if (
                root in self.rooms
                and self.last_use[root] == number
                and self.program.type(root).nbytes == nbytes
                and self._reads_aligned(root, inputs)
                and not self._is_joined(root)
            ):
                return root
        return None

    def _is_in_parts(self, value: int, instruction: Instruction) -> bool:
        return instruction.attributes["axis"] == 0 or self._is_joined(value)

    def _is_joined(self, root: int) -> bool:
        return any(owner == root for owner, _ in self.home.values())

    def _join(self, owner: int, instruction: Instruction) -> None:
        """Copy the parts of a concatenation that weren't written into their places."""
        base, start = self.places[owner], 0
        axis: int = instruction.attributes["axis"]
        for value in instruction.inputs:
            part = self._read(value)
            place = self._part_of(base, owner, start, part.type, part.rows)
            if part != place:
                self._copy(part, place)
            start += part.type.shape[axis]

    def _copy(self, source: Location, target: Location) -> None:
        shape = {"shape": target.type.shape}
        self.steps.append(single("reshape", shape, (source,), target))

    def _release(self, number: int) -> None:
        """Give back the room of what no kernel reads after this one."""
        for root in (*self.ending.pop(number, ()), *self.fresh):
            if root in self.rooms and self.last_use.get(root, number) <= number:
                self.arena.release(*self.rooms.pop(root))
        self.fresh.clear()
        for room in self.copies:
            self.arena.release(*room)
        self.copies.clear()

    # Outputs --------------------------------------------------------------------------

    def _fill_outputs(self) -> None:
        """Copy what wasn't written straight into its output's buffer."""
        for name, value in self.program.outputs.items():
            if name in self.carried:
                continue
            place = self._read(value)
            home = self._home(name, place.type, place.rows)
            if (place.buffer, place.offset) != (home.buffer, home.offset):
                self._copy(place, home)

    def _carry(self) -> None:
        """Copy what wasn't written into its input; through the arena if inputs swap."""
        pending: list[tuple[Location, Location]] = []
        for name, value in self.carried.items():
            home = contiguous(name, 0, self.program.inputs[name])
            place = self._read(value)
            if (place.buffer, place.offset, place.strides) == (name, 0, home.strides):
                continue
            if self.root[value] < len(self.program.inputs):
                place = self._copied(place)
            pending.append((place, home))
        for place, home in pending:
            self._copy(place, home)

    def _whole_rows(self, table: Location) -> Location:
        """A table of which a row can be taken as it lies, or a copy that is one."""
        row = ArrayType(table.type.shape[1:], table.type.dtype)
        apart = not row.size or table.strides[1:] == contiguous_strides(row)
        return table if apart else self._copied(table)

    def _as_matrices(
        self, kernel: Kernel, inputs: Mapping[int, Location]
    ) -> dict[int, Location]:
        """What a contraction and its tail read, copied where axes can't be one."""
        first, *tail = (self.kernels.instruction(value) for value in kernel.values)
        x, y = first.inputs
        left, right, result = self._runs(first)
        runs: dict[int, set[Runs]] = {value: set() for value in inputs}
        if not self._is_gathered(first, tail, inputs[x]):
            runs[x].add(left)
        runs[y].add(right)
        for value in (value for each in tail for value in each.inputs):
            if value in runs:
                runs[value].add(result)
        rows = self.rows.get(kernel.values[0])
        found = {
            value: place
            if all(merged(place, each) is not None for each in runs[value])
            else self._copied(
                place,
                copying_order(place, runs[value]),
                rows if result in runs[value] else place.rows,
            )
            for value, place in inputs.items()
        }
        has_windows = is_added(tail) or merged(found[x], left) is None
        if has_windows and not has_adjacent_columns(found[y], right):
            found[y] = self._copied(inputs[y])
        return found

    def _is_gathered(
        self, first: Instruction, tail: Sequence[Instruction], place: Location
    ) -> bool:
        """Whether a contraction's kernel reads its left factor as it lies."""
        return not is_added(tail) and can_be_gathered(place, first.attributes)

    def _copied(
        self,
        place: Location,
        order: Sequence[int] | None = None,
        rows: int | None = None,
    ) -> Location:
        """A place of its own for the kernel that reads it next.

        Arguments:
            place: what is copied.
            order: its axes as they are to lie in memory; None for their own order.
            rows: the axis of rows where the place repeats one for all of them.
        """
        rows = place.rows if rows is None else rows
        nbytes = place.type.nbytes
        offset = self.arena.allocate(nbytes)
        self.copies.append((offset, nbytes))
        order = range(len(place.strides)) if order is None else order
        source = permuted(place, order)
        room = in_order(offset, place.type, rows, order)
        self._copy(source, permuted(room, order))
        return room


def in_order(
    offset: int, type: ArrayType, rows: int | None, order: Sequence[int]
) -> Location:
    """A place in the arena whose axes lie in some order.

    >>> in_order(0, ArrayType((2, 3), "float64"), None, (1, 0)).strides
    (8, 16)
    """
    turned = ArrayType(tuple(type.shape[axis] for axis in order), type.dtype)
    axis = None if rows is None else [*order].index(rows)
    room = contiguous(ARENA, offset, turned, axis)
    return permuted(room, [[*order].index(axis) for axis in range(len(order))])


def is_transpose(instruction: Instruction) -> bool:
    """Whether an instruction gives the axes of an array another order."""
    return instruction.opcode == "transpose"


def is_added(tail: Iterable[Instruction]) -> bool:
    """Whether what a contraction gives is added to windows."""
    return any(each.opcode == "add_windows" for each in tail)


def plan(kernels: Kernels, rows: Mapping[int, int] | None = None) -> Plan:
    """Give every value of a program that crosses between its kernels a place.

    Arguments:
        kernels: the program, cut.
        rows: the axis along which a value holds a batch's rows, for values that do.

    Raises:
        ProgramError: an output has the name of an input but another type.
    """
    program = kernels.program
    for name, type in program.output_types().items():
        if program.inputs.get(name, type) != type:
            raise ProgramError(
                f"output {name} is {type}, but the input of that name "
                f"is {program.inputs[name]}"
            )
    return check(Planner(kernels, rows or {}).plan())


def plan_within(
    kernels: Kernels, rows: Mapping[int, int], homes: Mapping[str, Location]
) -> Plan:
    """The plan of a loop's body, whose inputs and outputs lie in places around it.

    Arguments:
        kernels: of the body, for a number of rows.
        rows: the axis of rows, for values that hold any.
        homes: the place of each input and output.
    """
    return Planner(kernels, rows, homes).plan()


def plan_singly(program: Program) -> Plan:
    """The plan of a program with a kernel for every instruction."""
    return plan(singly(program))
