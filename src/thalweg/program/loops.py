"""Loops: a formula of one step, gone through for every time of a sequence.

The worked example of this file is a leaky sum, s_t = s_{t−1}/2 + x_t:

    scan(lambda s, x: s / 2 + x, initial, sequence)

traces the step once, over one time, into a body

    body(s: f32[rows,1], x: f32[rows,1]) { … return s=add(divide(s, 2), x) }

and is one instruction whatever the number of times. `loop_gradients` has its gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from thalweg.errors import ShapeError, TracingError
from thalweg.program import ops
from thalweg.program.arguments import common_dtype, lift, shape_of, tracing
from thalweg.program.composed import stack
from thalweg.program.ir import Program
from thalweg.program.loop_rules import column_starts, turns_of
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import ROWS, Size, UnknownSizeError
from thalweg.program.trace import (
    Trace,
    Tracer,
    as_tracer,
    location,
    tracing_body,
)
from thalweg.program.types import ArrayType, Shape

Array = Any
Step = Callable[..., Any]
USUAL = ("self", "args", "kwargs")  # names of no argument of its own


def scan(
    step: Step,
    initial: Array | tuple[Array, ...],
    sequences: Array | tuple[Array, ...],
    *,
    turns: Array | None = None,
    reverse: bool = False,
) -> Any:
    """The states of a recurrence, after each time.

    s_t = f(s_{t−1}, x_t), for t = 1 … T

    Arguments:
        step: f, a formula of a state (rows, …) and of a sequence at one time (rows, …),
            each as many arguments as there are; gives the new state, or a tuple. It may
            read any array around it, and must keep the rows apart.
        initial: s₀, shape (rows, …), or a tuple of several.
        sequences: x, shape (rows, times, …), or a tuple of several.
        turns: after how many times to stop, a whole number; None for all of them. The
            states of times that have no turn are 0.
        reverse: go from the last time to the first.

    Returns:
        The states, shape (rows, times, …), or a tuple of several.

    Raises:
        ShapeError, DtypeError: with the formula's line.
        TracingError: the step draws random numbers, which would be the same each time.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> x = np.array([[1.0, 0.0, 0.0, 8.0]])
        >>> tw.scan(lambda s, x: s / 2 + x, np.zeros(1), x).tolist()
        [[1.0, 0.5, 0.25, 8.125]]

    Source: Elman, "Finding structure in time", 1990.
    """
    states, moving = as_tuple(initial), as_tuple(sequences)
    recording = tracing(*states, *moving, turns)
    several = isinstance(initial, tuple)
    if recording is None:
        return unrolled(step, states, moving, turns, reverse, several)
    lifted = [lift(recording, each, dtype_in(recording, each)) for each in states]
    sequence = [lift(recording, each, dtype_in(recording, each)) for each in moving]
    require_sequences(lifted, sequence)
    body = body_of(step, lifted, sequence)
    if body is None:  # it mixes rows, or needs their number
        return unrolled(step, tuple(lifted), tuple(sequence), turns, reverse, several)
    program, whole = body
    if turns is None:
        turns = sequence[0].shape[1]
    result = recording.emit(
        "scan",
        [lift(recording, turns, "int32"), *lifted, *sequence, *whole],
        body=program,
        states=len(lifted),
        sequences=len(sequence),
        reverse=reverse,
    )
    found = unpacked(result, [each.type for each in lifted])
    return found if several else found[0]


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One or several, as several."""
    return cast(tuple[Any, ...], value) if isinstance(value, tuple) else (value,)


def dtype_in(recording: Trace, value: Any) -> Any:
    """The dtype that an array has, or takes in a trace."""
    if isinstance(value, Tracer):
        return value.type.dtype
    kind = np.asarray(value).dtype.kind
    return recording.float_dtype if kind == "f" else common_dtype([value])


def require_sequences(states: Sequence[Tracer], sequences: Sequence[Tracer]) -> None:
    """States have rows, sequences the same rows and a second axis of times."""
    shown = [each.shape for each in (*states, *sequences)]
    rows = {each.shape[:1] for each in (*states, *sequences)}
    if len(rows) != 1 or () in rows:
        raise ShapeError(
            f"states (rows, …) and sequences (rows, times, …) must have the same rows, "
            f"got shapes {', '.join(map(str, shown))}{location()}"
        )
    times = {each.shape[1:2] for each in sequences}
    if len(times) != 1 or () in times:
        raise ShapeError(
            f"sequences must be (rows, times, …) and equally long, got shapes "
            f"{', '.join(str(each.shape) for each in sequences)}{location()}"
        )


def unrolled(
    step: Step,
    states: tuple[Array, ...],
    sequences: tuple[Array, ...],
    turns: Array | None,
    reverse: bool,
    several: bool,
) -> Any:
    """The same, time after time as Python goes: what a loop means."""
    times = shape_of(sequences[0])[1]
    if isinstance(turns, Tracer):
        raise TracingError(
            "a loop whose step mixes rows must know its number of turns; scan went "
            f"through its times one by one{location()}"
        )
    found: list[tuple[Array, ...] | None] = [None] * times
    count = times if turns is None else int(turns)
    zeros = tuple(each * 0 for each in states)
    for time in turns_of(count, times, reverse):
        given = step(*states, *(x[:, time] for x in sequences))
        states = require_states(given, len(states))
        found[time] = states
    each = [zeros if state is None else state for state in found]
    stacked = [stack([state[k] for state in each], 1) for k in range(len(zeros))]
    return tuple(stacked) if several else stacked[0]


def require_states(given: Any, count: int) -> tuple[Array, ...]:
    """What a step gives is a new state for each."""
    states = as_tuple(given)
    if len(states) != count:
        wanted = "one state" if count == 1 else f"a tuple of {count} states"
        raise ShapeError(f"a step must give {wanted}, it gives {len(states)}")
    return states


# The body -----------------------------------------------------------------------------


def body_of(
    step: Step, states: Sequence[Tracer], sequences: Sequence[Tracer]
) -> tuple[Program, list[Tracer]] | None:
    """A step as a program over rows, and what it reads of the trace around it.

    None if the step needs the number of rows, or if rows meet in it.
    """
    types = [over_rows(each.type) for each in states]
    types += [at_one_time(each.type) for each in sequences]
    names = names_for(step, len(states), len(sequences))
    inputs = dict(zip(names, types, strict=True))
    try:
        program, whole = trace_body(step, inputs, len(states), states[0].trace)
    except UnknownSizeError:
        return None
    except ShapeError:
        if isinstance(states[0].shape[0], Size):
            raise
        return None  # an array around it may have so many rows, where a step has any
    return (program, whole) if keeps_rows_apart(program) else None


def over_rows(type: ArrayType) -> ArrayType:
    """A type with any number of rows."""
    return ArrayType((ROWS, *type.shape[1:]), type.dtype)


def at_one_time(type: ArrayType) -> ArrayType:
    """What a sequence is at one time."""
    return ArrayType((ROWS, *type.shape[2:]), type.dtype)


def names_for(step: Step, states: int, sequences: int) -> list[str]:
    """The names that a step gives its arguments, or ``s`` and ``x`` with numbers."""
    usual = [*numbered("s", states), *numbered("x", sequences)]
    try:
        names = [*inspect.signature(step).parameters][: states + sequences]
    except (TypeError, ValueError):
        return usual
    taken = any(name in USUAL or name.startswith("w") for name in names)
    return usual if len(names) < len(usual) or taken else names


def numbered(letter: str, count: int) -> list[str]:
    """Names for one or several: ``s``, or ``s1`` and ``s2``."""
    return [letter] if count == 1 else [f"{letter}{k}" for k in range(1, count + 1)]


def trace_body(
    step: Step, types: dict[str, ArrayType], states: int, outer: Trace
) -> tuple[Program, list[Tracer]]:
    """The program of a step, and the values of the trace around it that it reads."""
    inner = Trace(outer=outer)
    arguments = [inner.input(name, type) for name, type in types.items()]
    with tracing_body(inner):
        given = require_states(step(*arguments), states)
    results = [as_tracer(inner, each) for each in given]
    names = list(types)[:states]
    new = {f"new.{name}": each for name, each in zip(names, results, strict=True)}
    return inner.program(new), [outer.value_of(value) for value in inner.captured]


def keeps_rows_apart(program: Program) -> bool:
    """Whether each row of the states follows from the same row alone."""
    rows = find_rows(program)
    return rows is not None and all(
        rows.axes.get(value) == 0 for value in program.outputs.values()
    )


def unpacked(result: Tracer, types: Sequence[ArrayType]) -> tuple[Tracer, ...]:
    """The states, one by one, of those side by side."""
    if len(types) == 1:
        return (result,)
    starts = column_starts(types)
    return tuple(
        ops.reshape(
            result[:, :, starts[k] : starts[k + 1]],
            (*result.shape[:2], *type.shape[1:]),
        )
        for k, type in enumerate(types)
    )


# Rows and times together --------------------------------------------------------------


def has_rows(type: ArrayType) -> bool:
    """Whether an array that is the same each time differs by rows."""
    return bool(type.shape) and type.shape[0] == ROWS


def in_lanes(array: Tracer, type: ArrayType, rows: int, times: int) -> Tracer:
    """A whole array for rows · times: one of rows is repeated."""
    if not has_rows(type):
        return array
    rest: Shape = array.shape[1:]
    column = ops.reshape(array, (rows, 1, *rest))
    repeated = ops.broadcast_to(column, (rows, times, *rest))
    return ops.reshape(repeated, (rows * times, *rest))
