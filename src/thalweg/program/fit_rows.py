"""The program of a formula that needs its number of rows, for any number of them.

``losses / len(losses)`` can't be traced without a number. So it is traced for three:
a size, or a single constant, that differs is a·rows + b by two of them, and must agree
with the third.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from thalweg.errors import ProgramError
from thalweg.program.ir import Instruction, Program, key_of
from thalweg.program.sizes import ROWS, RecipeArray
from thalweg.program.types import ArrayType, NumpyArray

ROW_COUNTS = (1009, 1013, 1021)  # that no formula has as a number of its own


def any_rows(make: Callable[[int], Program]) -> Program:
    """The program that a function gives for any number of rows.

    Raises:
        ProgramError: it depends on the number in a way that isn't linear.
    """
    try:
        return make(ROWS)
    except Exception:  # it needs a number, or it is wrong for any
        return fit_rows(make)


def fit_rows(make: Callable[[int], Program]) -> Program:
    """The program for any number of rows, by the programs for three.

    Arguments:
        make: gives the program for a number of rows.

    Raises:
        ProgramError: the program depends on the number of rows in a way that isn't
            linear.
    """
    programs = [make(rows) for rows in ROW_COUNTS]
    first = programs[0]
    if any(wiring(each) != wiring(first) for each in programs):
        raise ProgramError("the formula's instructions depend on the number of rows")
    instructions = [
        instruction([each.instructions[i] for each in programs])
        for i in range(len(first.instructions))
    ]
    inputs = {n: type_of([p.inputs[n] for p in programs]) for n in first.inputs}
    return Program(inputs, tuple(instructions), first.outputs)


def wiring(program: Program) -> Any:
    """What of a program must be the same for every number of rows."""
    inputs = [(name, type.dtype) for name, type in program.inputs.items()]
    steps = [(i.opcode, i.inputs, i.type.dtype) for i in program.instructions]
    return inputs, steps, program.outputs


def instruction(versions: Sequence[Instruction]) -> Instruction:
    """One instruction, traced at three numbers of rows."""
    first = versions[0]
    type = type_of([each.type for each in versions])
    if first.opcode == "constant":
        values = [cast(NumpyArray, each.attributes["value"]) for each in versions]
        attributes: dict[str, Any] = {"value": constant(values, type)}
    else:
        attributes = {
            name: linear([each.attributes[name] for each in versions])
            for name in first.attributes
        }
    return Instruction(first.opcode, first.inputs, attributes, type)


def constant(values: Sequence[NumpyArray], type: ArrayType) -> NumpyArray | RecipeArray:
    """The constant, or how a single number follows from the rows."""
    first = values[0]
    if all(np.array_equal(v, first, equal_nan=v.dtype.kind == "f") for v in values):
        return first
    if any(v.size != 1 or v.shape != first.shape for v in values):
        raise ProgramError(
            "the formula has an array that depends on the number of rows"
        )
    return RecipeArray(size([v.item() for v in values]), type)


def type_of(types: Sequence[ArrayType]) -> ArrayType:
    """A type, of which some sizes may depend on the rows."""
    return ArrayType(linear([type.shape for type in types]), types[0].dtype)


def linear(versions: Sequence[Any]) -> Any:
    """An attribute at three numbers of rows as one: equal, or a·rows + b."""
    first = versions[0]
    if isinstance(first, Program):
        if len({key_of(cast(Program, each)) for each in versions}) > 1:
            raise ProgramError("the formula's loops depend on the number of rows")
        return first
    if isinstance(first, tuple):
        parts = [cast(tuple[Any, ...], each) for each in versions]
        if any(len(part) != len(parts[0]) for part in parts):
            raise ProgramError("the formula's axes depend on the number of rows")
        return tuple(linear(part) for part in zip(*parts, strict=True))
    if all(each == first for each in versions):
        return first
    if not all(type(each) is int for each in versions):
        raise ProgramError("the formula's attributes depend on the number of rows")
    return size(versions)


def size(values: Sequence[Any]) -> Any:
    """a·rows + b, with whole a and b, that is these values at the three numbers."""
    a, b, c = ROW_COUNTS
    slope = (values[1] - values[0]) / (b - a)
    offset = values[0] - slope * a
    whole_numbers = math.isfinite(offset) and slope == int(slope)
    if not whole_numbers or offset != int(offset) or slope * c + offset != values[2]:
        raise ProgramError(
            f"the formula has {list(values)} for {list(ROW_COUNTS)} rows: they must be "
            "a·rows + b, with whole numbers a and b"
        )
    return ROWS * int(slope) + int(offset)
