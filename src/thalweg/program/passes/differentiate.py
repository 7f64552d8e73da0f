"""Reverse-mode differentiation: a program becomes one that also gives gradients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from thalweg.errors import ArgumentError, ShapeError
from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.loop_gradients import Kept, scan_and_keep
from thalweg.program.passes.stretches import Stretch, stretches_of
from thalweg.program.trace import Trace, Tracer


def differentiate(program: Program, of: str, by: Sequence[str]) -> Program:
    """The program with the gradient of one output by some inputs.

    ∂L/∂x = Σ ∂L/∂y · ∂y/∂x over every instruction y that reads x, from the last
    instruction to the first. A stretch of elementwise instructions between x and y
    counts as one, so that its ∂y/∂x is one array.

    Arguments:
        program: the forward program.
        of: the name of a scalar output L.
        by: names of floating-point inputs.

    Returns:
        A program with the same inputs, and the output ``gradient.<name>`` for every
        name in `by` beside the outputs of `program`.

    Raises:
        ShapeError: `of` isn't a single number.
        ArgumentError: a name in `by` is no floating-point input.
    """
    objective = program.type(program.outputs[of])
    if objective.shape or not objective.is_float:
        raise ShapeError(
            f"the gradient is that of one real number, got {of} of {objective}"
        )
    positions = [input_position(program, name) for name in by]
    recording = Trace()
    inputs = {
        name: recording.input(name, type) for name, type in program.inputs.items()
    }
    wanted = reached_from(program, positions)
    values, kept = recorded(program, recording, inputs, wanted)
    seed = ops.ones_like(values[program.outputs[of]])
    cotangents: dict[int, Tracer] = {program.outputs[of]: seed}
    stretches = stretches_of(program, wanted)
    for value in reversed(list(program.computed())):
        if value not in cotangents or value not in wanted:
            continue
        if value in stretches:
            pull_through(program, stretches[value], values, cotangents)
        else:
            pull_back(program, value, values, cotangents, wanted, kept)
    outputs = {name: values[value] for name, value in program.outputs.items()}
    for name, position in zip(by, positions, strict=True):
        zero = values[position]
        outputs[f"gradient.{name}"] = (
            cotangents[position] if position in cotangents else ops.zeros_like(zero)
        )
    return recording.program(outputs)


def input_position(program: Program, name: str) -> int:
    """The value number of a floating-point input."""
    if name not in program.inputs or not program.inputs[name].is_float:
        raise ArgumentError(f"gradients are by real-number inputs; {name} is none")
    return list(program.inputs).index(name)


def reached_from(program: Program, positions: Sequence[int]) -> set[int]:
    """The values that depend, in a differentiable way, on some inputs."""
    reached = set(positions)
    for value in program.computed():
        instruction = program.instruction(value)
        if instruction is None or isinstance(instruction.primitive.gradient, str):
            continue
        if instruction.type.is_float and reached.intersection(instruction.inputs):
            reached.add(value)
    return reached


def recorded(
    program: Program,
    into: Trace,
    inputs: Mapping[str, Tracer],
    wanted: set[int],
) -> tuple[list[Tracer], dict[int, Kept]]:
    """The tracer of every value, and what loops keep for their gradients."""
    values = list(inputs.values())
    kept: dict[int, Kept] = {}
    for value, each in enumerate(program.instructions, len(values)):
        read = [values[v] for v in each.inputs]
        if each.primitive.kind == "loop" and value in wanted:
            found, kept[value] = scan_and_keep(differentiate, *read, **each.attributes)
        else:
            found = into.emit(each.opcode, read, **each.attributes)
        values.append(found)
    return values, kept


def pull_back(
    program: Program,
    value: int,
    values: list[Tracer],
    cotangents: dict[int, Tracer],
    wanted: Collection[int],
    kept: Mapping[int, Kept],
) -> None:
    """Add one instruction's share to the cotangents of its inputs."""
    instruction = program.instruction(value)
    assert instruction is not None
    arguments = [values[v] for v in instruction.inputs]
    gradient = instruction.primitive.gradient
    assert not isinstance(gradient, str)
    if value in kept:
        gradient = partial(gradient, kept[value])
    shares = gradient(
        cotangents[value], values[value], *arguments, **instruction.attributes
    )
    for source, share in zip(instruction.inputs, shares, strict=True):
        if share is not None and source in wanted:
            add_share(cotangents, source, share)


def pull_through(
    program: Program,
    stretch: Stretch,
    values: list[Tracer],
    cotangents: dict[int, Tracer],
) -> None:
    """Add a stretch's share, ∂L/∂y · ∂y/∂x, to the cotangent of its entry x."""
    last = stretch.values[-1]
    inside: dict[int, Tracer] = {last: ops.ones_like(values[last])}
    for value in reversed(stretch.values):
        if value in inside:
            pull_back(
                program, value, values, inside, (stretch.entry, *stretch.values), {}
            )
    if stretch.entry in inside:
        add_share(cotangents, stretch.entry, cotangents[last] * inside[stretch.entry])


def add_share(cotangents: dict[int, Tracer], source: int, share: Tracer) -> None:
    """Add to the cotangent of a value."""
    earlier = cotangents.get(source)
    cotangents[source] = share if earlier is None else earlier + share
