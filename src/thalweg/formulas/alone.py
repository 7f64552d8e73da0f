"""A layer that works on each time alone, at one time.

That it does is found in the program that its formula writes, for any number of times:
the axis of times is followed from x by the rule of each primitive, as rows are. Where
times meet, or their number counts, or a time has numbers of its own, it isn't known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from thalweg.errors import ArgumentError
from thalweg.formulas.chain import OWN, LayerValues, describe
from thalweg.formulas.layers import Layer, Namespace, Shape
from thalweg.formulas.moments import needs_later_times
from thalweg.program import ops
from thalweg.program.ir import Instruction, Program
from thalweg.program.row_axes import case_of, row_axes
from thalweg.program.row_rules import SUM, RowsMeetError
from thalweg.program.sizes import LENGTH, ROWS, RecipeArray
from thalweg.program.trace import Tracer, call, trace
from thalweg.program.types import ArrayType

# What follows an axis knows that of rows, so that of times bears its name.
TIMES, LANES = "rows", "length"


def alone(layer: Layer, shape: Shape, x: ops.Array, p: Namespace) -> ops.Array:
    """What a layer gives at one time, if it works on each time alone.

    Arguments:
        layer: which doesn't say what it keeps.
        shape: of a row, (times, …).
        x: inputs at this time, (rows, 1, …).
        p: parameters and state.

    Raises:
        ArgumentError: it doesn't, or it isn't known.
    """
    declared = layer.parameters_and_state(shape, x.dtype.name)
    names = [name for each in declared for name in each]
    arrays = {OWN + name: getattr(p, name) for name in names}
    types = {n: a.type for n, a in arrays.items()}
    program = program_of_times(layer, ArrayType(x.shape[2:], x.dtype.name), types)
    at_time = program.at(**{TIMES: 1, LANES: x.shape[0]})
    return call(at_time, {"x": turned(x), **arrays})["y"]


def turned(x: ops.Array) -> Tracer:
    """The axes of rows and times the other way round."""
    return ops.transpose(x, (1, 0, *range(2, x.ndim)))


def program_of_times(
    layer: Layer, each: ArrayType, types: Mapping[str, ArrayType]
) -> Program:
    """A layer's formula for any number of times, which are alone in it, and rows.

    Arguments:
        layer: whose formula it is.
        each: of x, for a row and a time.
        types: of the layer's own.
    """

    def formula(a: dict[str, Any]) -> dict[str, Any]:
        own = LayerValues.among(describe(layer), a)
        return {"y": layer.forward(turned(a["x"]), own)}

    try:
        x = ArrayType((ROWS, LENGTH, *each.shape), each.dtype)
        program = trace(formula, {"x": x, **types})
    except Exception:  # it needs the number of times, or has as many of something
        raise unknown() from None
    y = program.outputs["y"]
    is_kept = program.type(y).shape[:2] == (LENGTH, ROWS)
    if not is_kept or axes_of_times(program).get(y) != 1:
        raise unknown()
    return program


def unknown() -> ArgumentError:
    """The error of a layer that may look at other times."""
    return needs_later_times(
        "this isn't known to work on each time alone; a layer of your own that looks "
        "at earlier times says so by Remembering"
    )


def axes_of_times(program: Program) -> dict[int, int]:
    """The axis of times of every value that has one, up to where times meet."""
    axes = {
        value: 0 for value, type in enumerate(program.inputs.values()) if row_axes(type)
    }
    for value in program.computed():
        instruction = cast(Instruction, program.instruction(value))
        try:
            axis = axis_of_times(program, instruction, axes)
        except RowsMeetError:
            return {}
        if axis is not None:
            axes[value] = axis
    return axes


def axis_of_times(
    program: Program, instruction: Instruction, axes: Mapping[int, int]
) -> int | None:
    """The axis of times in the result of an instruction; None where it has none.

    Raises:
        RowsMeetError: times meet, or something follows from their number.
    """
    if isinstance(instruction.attributes.get("value"), RecipeArray):
        raise RowsMeetError
    read = [axes.get(source) for source in instruction.inputs]
    if all(axis is None for axis in read):
        if row_axes(instruction.type) and instruction.opcode != "broadcast":
            raise RowsMeetError
        return None
    axis = rule_of(instruction)(program, instruction, read)
    if axis is SUM:
        raise RowsMeetError
    shared = [axis] if instruction.primitive.rows.shared else []
    for source, own in zip(instruction.inputs, read, strict=True):
        if own is None and row_axes(program.type(source)) not in ([], shared):
            raise RowsMeetError
    return axis


Rule = Callable[[Program, Instruction, list[int | None]], int]


def rule_of(instruction: Instruction) -> Rule:
    """What becomes of the axis of times: as of rows, wherever they stand."""
    return of_contraction if instruction.opcode == "contract" else as_of_rows


def as_of_rows(
    program: Program, instruction: Instruction, read: list[int | None]
) -> int:
    """By the rule of the primitive."""
    return instruction.primitive.rows.axis(case_of(program, instruction, read))


def of_contraction(
    program: Program, instruction: Instruction, read: list[int | None]
) -> int:
    """An axis of the left factor that is free stays, whatever stands before it."""
    batch, summed = (instruction.attributes[name] for name in ("batch", "summed"))
    left, right = read
    end = len(program.type(instruction.inputs[0]).shape) - summed
    if right is not None or left is None or not batch <= left < end:
        raise RowsMeetError
    return left
