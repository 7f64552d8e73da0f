"""A program over a batch as three: before its rows, on some of them, and after.

The rows of a batch are worked on in blocks that fit into a processor's cache, and by
several threads at once. What depends on the parameters alone is computed before, what
follows from sums over rows, such as the optimizer's step, after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from thalweg.program.ir import Instruction, Program, without_dead_code
from thalweg.program.row_axes import RowAxes, find_rows
from thalweg.program.sizes import ROWS


@dataclass(frozen=True)
class Parts:
    """A program in parts that run one after the other, `block` once for each block.

    What one part leaves for a later one has the name ``%7`` of its value. `sums` names
    the outputs of `block` that are added up over blocks, `by_row` those that have a row
    for every row, `axes` the axis of rows in each value of `block`. A program whose
    rows meet is all in `block`, which then runs once.
    """

    before: Program | None
    block: Program
    after: Program | None
    sums: tuple[str, ...] = ()
    by_row: tuple[str, ...] = ()
    by_blocks: bool = False
    axes: Mapping[int, int] = field(default_factory=dict[int, int])

    def at(self, rows: int, block_rows: int) -> Parts:
        """The parts for a number of rows, and for as many in a block."""
        return replace(
            self,
            before=self.before and self.before.at(rows=rows),
            block=self.block.counting(rows=rows).at(rows=block_rows),
            after=self.after and self.after.at(rows=rows),
        )


def split(program: Program, rows: RowAxes) -> Parts | None:
    """Cut a program into what can run on blocks of rows, and the rest.

    Arguments:
        program: finished, over `ROWS` rows, and so are its parts.
        rows: how the rows run through it.

    Returns:
        None if it can't run so: it gives rows along another axis, or nothing of them,
        or reads none.
    """
    if not rows_come_first(program, rows):
        return None
    outputs = program.outputs.values()
    if not rows.later and not any(v in rows.axes or v in rows.sums for v in outputs):
        return None
    return ProgramSplitter(program, rows).run()


def rows_come_first(program: Program, rows: RowAxes) -> bool:
    """Whether every output that holds rows has a row of them in its first axis."""
    found = [v for v in program.outputs.values() if v in rows.axes]
    shapes = [program.type(v).shape for v in found]
    return all(rows.axes[v] == 0 for v in found) and all(
        shape[0] == ROWS for shape in shapes
    )


class ProgramSplitter:
    """The state of one cut."""

    def __init__(self, program: Program, rows: RowAxes) -> None:
        self.program = program
        self.rows = rows
        self.in_block = self._in_block()
        self.later = self._later()

    def _in_block(self) -> set[int]:
        """What blocks compute: values that hold rows, and sums over them.

        Blocks add to a sum where it stays, so nothing else in the block may read it.
        What does is linear in the sum, and runs after the block as well as in it.
        """
        found = set(self.rows.axes) | self.rows.sums
        while True:
            uses = self._uses(found)
            moved = {
                value
                for value in found & self.rows.sums
                if self._is_made(value)
                and any(uses[v] > 1 for v in self._read(value) if v in self.rows.sums)
            }
            if not moved:
                return found
            found -= moved

    def _uses(self, in_block: set[int]) -> Counter[int]:
        """How often a value is an output or is read, through views or not."""
        uses = Counter(self.program.outputs.values())
        for value in self.program.computed():
            if self._is_made(value) or value not in in_block:
                uses.update(self._read(value))
        return uses

    def _is_made(self, value: int) -> bool:
        """Whether a part writes it somewhere: it takes work, or is an output."""
        return not self._is_free(value) or value in self.program.outputs.values()

    def _later(self) -> set[int]:
        """What runs after the block: it follows from sums, or only such things read it.

        Those that only outputs need run after, too.
        """
        needed_by_rows = self._needed(self.in_block)
        return {
            value
            for value in self.program.computed()
            if value not in self.in_block and value not in needed_by_rows
        }

    def _needed(self, values: Iterable[int]) -> set[int]:
        """All values that some follow from, without those that hold rows or sums."""
        found: set[int] = set()
        waiting = list(values)
        while waiting:
            for source in self._sources(waiting.pop()):
                if source not in found and source not in self.in_block:
                    found.add(source)
                    waiting.append(source)
        return found

    def _sources(self, value: int) -> tuple[int, ...]:
        instruction = self.program.instruction(value)
        return () if instruction is None else instruction.inputs

    def _is_free(self, value: int) -> bool:
        """An input, a constant or a view: each part can have it for itself."""
        instruction = self.program.instruction(value)
        return instruction is None or instruction.primitive.is_free

    def _read(self, reader: int) -> Iterable[int]:
        """What an instruction reads, through views to what they look at."""
        for source in self._sources(reader):
            yield source
            if self._is_free(source):
                yield from self._read(source)

    def run(self) -> Parts | None:
        """Give each part its outputs: its own of the program's, and what crosses."""
        early = set(self.program.computed()) - self.in_block - self.later
        named: dict[int, set[str]] = {}
        for name, value in self.program.outputs.items():
            named.setdefault(value, set()).add(name)
        outputs = {
            "before": self._outputs(early, self.in_block | self.later, named),
            "block": self._outputs(self.in_block, self.later, named),
        }
        after = {
            name: value
            for name, value in self.program.outputs.items()
            if name not in outputs["before"] and name not in outputs["block"]
        }
        parts = {
            name: self._part({**outputs, "after": after}[name], where)
            for name, where in (
                ("before", early),
                ("block", self.in_block),
                ("after", self.later),
            )
        }
        block = parts["block"]
        assert block is not None
        value_of, block_rows = outputs["block"], find_rows(block)
        if block_rows is None:  # it reads no row that could be counted
            return None
        return Parts(
            parts["before"],
            block,
            parts["after"],
            tuple(n for n, v in value_of.items() if v in self.rows.sums),
            tuple(n for n, v in value_of.items() if v in self.rows.axes),
            by_blocks=True,
            axes=block_rows.axes,
        )

    def _outputs(
        self, own: set[int], readers: set[int], named: Mapping[int, set[str]]
    ) -> dict[str, int]:
        """The outputs of a part by name.

        A carried output is left for the last part: the block still reads the old value.
        """
        outputs: dict[str, int] = {}
        read = {source for reader in readers for source in self._read(reader)}
        for value in sorted(own):
            names = [
                name
                for name in sorted(named.get(value, ()))
                if name not in self.program.inputs
            ]
            carried = len(names) < len(named.get(value, ()))
            if value in self.rows.sums:  # which blocks add to in one place
                names = names[:1]
            outputs |= dict.fromkeys(names, value)
            if (value in read or carried) and not names and not self._is_free(value):
                outputs[f"%{value}"] = value
        return outputs

    def _part(self, outputs: Mapping[str, int], own: set[int]) -> Program | None:
        """The instructions of a part, its inputs, and what crosses into it."""
        if not outputs:
            return None
        wanted = self._wanted(outputs.values(), own)
        crossing = [v for v in sorted(wanted) if self._crosses(v, own)]
        instructions = [
            v
            for v in sorted(wanted)
            if v not in crossing and v >= len(self.program.inputs)
        ]
        names = {v: self._crossing_name(v) for v in crossing}
        inputs = {
            name: type
            for value, (name, type) in enumerate(self.program.inputs.items())
            if value in wanted or (value in outputs.values())
        }
        number = {list(self.program.inputs).index(n): i for i, n in enumerate(inputs)}
        for value in crossing:
            number[value] = len(inputs)
            inputs[names[value]] = self.program.type(value)
        kept: list[Instruction] = []
        for value in instructions:
            number[value] = len(inputs) + len(kept)
            kept.append(self._renumbered(value, number))
        return without_dead_code(
            Program(
                inputs, tuple(kept), {name: number[v] for name, v in outputs.items()}
            )
        )

    def _wanted(self, values: Iterable[int], own: set[int]) -> set[int]:
        """What a part computes, and what it reads of others."""
        found = set(values)
        waiting = list(found)
        while waiting:
            value = waiting.pop()
            if self._crosses(value, own):
                continue
            for source in self._sources(value):
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return found

    def _crosses(self, value: int, own: set[int]) -> bool:
        """Whether a part finds a value ready, left by one before it."""
        return value not in own and not self._is_free(value)

    def _crossing_name(self, value: int) -> str:
        """The name under which an earlier part leaves a value."""
        names = sorted(
            name
            for name, v in self.program.outputs.items()
            if v == value and name not in self.program.inputs
        )
        return names[0] if names else f"%{value}"

    def _renumbered(self, value: int, number: Mapping[int, int]) -> Instruction:
        """An instruction of a part, which reads by the part's numbers."""
        instruction = self.program.instruction(value)
        assert instruction is not None
        inputs = tuple(number[v] for v in instruction.inputs)
        return instruction.reading(inputs)
