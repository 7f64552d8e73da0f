"""Recurrent layers of a program, for which ONNX has operators.

A program has no word for them: such a layer is a loop, and what stands around it. It is
found by comparing with what the layer itself is traced to, so that a cell has one
formula, its own. What isn't found stays a loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from thalweg.exports.traced import Traced
from thalweg.formulas.chain import OWN, LayerValues, describe
from thalweg.formulas.lengths import within
from thalweg.formulas.recurrence import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Cell,
    Recurrent,
)
from thalweg.model.step import LENGTHS
from thalweg.program.ir import Instruction, Program, attribute_key, key_of
from thalweg.program.loop_rules import parts_of
from thalweg.program.sizes import ROWS
from thalweg.program.types import ArrayType

ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}
"""Those of an `RNN` that every runtime has, by their names there."""


@dataclass(frozen=True)
class Recurrence:
    """The operator RNN, LSTM or GRU, in one direction or both.

    Arguments:
        layer: what it computes.
        x: the value that it goes through.
        lengths: the value that says how many times each row has, or None.
        parameters: the layer's, by their names.
    """

    layer: Recurrent | Bidirectional
    x: int
    lengths: int | None
    parameters: Mapping[str, int]

    @property
    def cell(self) -> Cell:
        """What goes through the times."""
        return self.layer.own_cell

    @property
    def direction(self) -> str:
        """Where it goes, as ONNX calls it."""
        if isinstance(self.layer, Bidirectional):
            return "bidirectional"
        return "reverse" if self.layer.reverse else "forward"

    @property
    def reads(self) -> list[int]:
        """The values that it reads; parameters are constants."""
        return [self.x] if self.lengths is None else [self.x, self.lengths]


def recurrences_in(traced: Traced) -> dict[int, Recurrence]:
    """What there is, by the value that it gives, where its parameters are known."""
    program = traced.program
    found: dict[int, Recurrence] = {}
    for loop in loops_of(program):
        for layer in layers_of(loop):
            pattern = pattern_of(layer, loop.x, loop.with_lengths)
            for value in program.computed():
                met = matched(pattern, program, value)
                if met is not None and has_parameters(traced, met):
                    found[value] = recurrence(layer, met)
    return found


def has_parameters(traced: Traced, met: Mapping[str, int]) -> bool:
    """Whether the layer's parameters are inputs with numbers that are known."""
    own = [value for name, value in met.items() if name.startswith(OWN)]
    names = map(traced.program.name, own)
    return all(name in traced.values for name in names)


def recurrence(layer: Recurrent | Bidirectional, met: Mapping[str, int]) -> Recurrence:
    """What was found, by what the inputs of the layer's pattern stand for."""
    own = {
        name.removeprefix(OWN): value
        for name, value in met.items()
        if name.startswith(OWN)
    }
    return Recurrence(layer, met["x"], met.get(LENGTHS), own)


# What may be there --------------------------------------------------------------------


@dataclass(frozen=True)
class Loop:
    """What of a loop says to which layer it may belong.

    Arguments:
        body: the key of its body.
        x: the type of what it goes through.
        units: how many numbers its first state has.
        with_lengths: whether it is told which times each row has.
    """

    body: Any
    x: ArrayType
    units: int
    with_lengths: bool


def loops_of(program: Program) -> set[Loop]:
    """The loops of a program over rows of vectors; runtimes know float32 alone."""
    found: set[Loop] = set()
    for line in program.instructions:
        if line.opcode != "scan":
            continue
        types = [program.type(value) for value in line.inputs[1:]]
        counts = line.attributes["states"], line.attributes["sequences"]
        (state, *_), (x, *others), _ = parts_of(types, *counts)
        flags = [ArrayType(x.shape[:2], "bool")]
        is_plain = (
            x.dtype == state.dtype == "float32"
            and (len(x.shape), len(state.shape)) == (3, 2)
            and x.shape[0] == ROWS
            and 0 not in (*x.shape[1:], state.shape[1])
        )
        if is_plain and others in ([], flags):
            body = key_of(line.attributes["body"])
            found.add(Loop(body, x, state.shape[1], others == flags))
    return found


def layers_of(loop: Loop) -> list[Recurrent | Bidirectional]:
    """The layers whose cell has such a loop: every direction, all times or the last."""
    units = loop.units
    for cell in (LSTM(units), GRU(units), *(RNN(units, each) for each in ACTIVATIONS)):
        if loops_of(pattern_of(Recurrent(cell), loop.x, loop.with_lengths)) == {loop}:
            both = [Recurrent(cell, sequences=each) for each in (True, False)]
            back = [replace(each, reverse=True) for each in both]
            return [*both, *back, *map(Bidirectional, both)]
    return []


@lru_cache(maxsize=64)
def pattern_of(
    layer: Recurrent | Bidirectional, x: ArrayType, with_lengths: bool
) -> Program:
    """What a layer computes of x, of lengths, and of its parameters."""
    lengths = {LENGTHS: ArrayType((ROWS,), "int32")} if with_lengths else {}
    own = {
        OWN + name: ArrayType(parameter.shape, x.dtype)
        for name, parameter in layer.parameters(x.shape[1:]).items()
    }

    def y(a: dict[str, Any]) -> dict[str, Any]:
        values = LayerValues.among(describe(layer), a)
        return {"y": layer.forward(a["x"], within(values, a.get(LENGTHS)))}

    return Traced.of(y, {"x": x, **lengths, **own}, {}).program


# Comparing ----------------------------------------------------------------------------


def matched(pattern: Program, program: Program, value: int) -> dict[str, int] | None:
    """The values that a pattern's inputs stand for, if a value is computed as it says.

    A reshape at the pattern's end isn't compared: those of a program move behind what
    is done element by element.
    """
    (end,) = pattern.outputs.values()
    last = pattern.instruction(end)
    if last is not None and last.opcode == "reshape":
        (end,) = last.inputs
    met: dict[int, int] = {}
    open_pairs = [(end, value)]
    while open_pairs:
        one, other = open_pairs.pop()
        if met.setdefault(one, other) != other:
            return None
        meant, line = pattern.instruction(one), program.instruction(other)
        if meant is None:
            if not are_same(pattern.type(one), program.type(other)):
                return None
        elif line is None or not are_same(step_of(meant), step_of(line)):
            return None
        else:
            open_pairs += zip(meant.inputs, line.inputs, strict=True)
    return {name: met[number] for number, name in enumerate(pattern.inputs)}


def step_of(line: Instruction) -> Any:
    """What an instruction does, whatever it reads."""
    return line.opcode, len(line.inputs), attribute_key(line.attributes), line.type


def are_same(one: Any, other: Any) -> bool:
    """Whether keys are the same; the hash comes first, as a size that isn't known is
    only compared with one that it may be.
    """
    return hash(one) == hash(other) and one == other
