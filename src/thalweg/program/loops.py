"""Loops: a formula of one step, gone through for every time of a sequence.

The worked example of this file is a leaky sum, s_t = s_{t−1}/2 + x_t:

    scan(lambda s, x: s / 2 + x, initial, sequence)

traces the step once, over one time, into a body

    body(s: f32[rows,1], x: f32[rows,1]) { … return s=add(divide(s, 2), x) }

and is one instruction whatever the number of times. Its gradient is a loop backwards.
With the cotangent c_t of each state, λ_t = c_t + κ_{t+1} is that of all that follows
from it, and κ_t = (∂s_t/∂s_{t−1})ᵀ λ_t, here λ_t / 2, is handed on to the time before.
All other gradients follow from λ without a loop: ∂/∂x_t = λ_t, and those by whole
arrays are sums over all times and rows, found at once over rows · times.

Source: Werbos, "Backpropagation through time: what it does and how to do it", 1990.
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
from thalweg.program.loop_rules import column_starts, parts_of, turns_of
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import ROWS, RecipeArray, Size, UnknownSizeError
from thalweg.program.trace import (
    Trace,
    Tracer,
    as_tracer,
    inline,
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


# The gradient -------------------------------------------------------------------------


def pull_back(program: Program, differentiate: Any) -> Program:
    """A body's gradients by its inputs, of Σ λ·s over the new states; λ are inputs.

    Arguments:
        program: the body.
        differentiate: the pass.
    """
    recording = Trace()
    arrays = {n: recording.input(n, t) for n, t in program.inputs.items()}
    types = list(program.output_types().values())
    adjoints = [
        recording.input(f"adjoint.{number}", type) for number, type in enumerate(types)
    ]
    values = inline(program, recording, arrays)
    new = [values[value] for value in program.outputs.values()]
    terms = [
        ops.sum(c * s) for c, s in zip(adjoints, new, strict=True) if s.type.is_float
    ]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    with_total = recording.program({"objective": total})
    by = [name for name, type in program.inputs.items() if type.is_float]
    found = differentiate(with_total, "objective", by)
    outputs = {n: v for n, v in found.outputs.items() if n.startswith("gradient.")}
    return Program(found.inputs, found.instructions, outputs)


def scan_gradient(
    differentiate: Any,
    cotangent: Tracer,
    result: Tracer,
    turns: Tracer,
    *inputs: Tracer,
    body: Program,
    states: int,
    sequences: int,
    reverse: bool,
) -> tuple[Any, ...]:
    """Backwards through the times, then everything else at once.

    Arguments:
        differentiate: the pass, for the body.
        cotangent: of the states, as they lie in `result`.
        result: the states.
        turns, inputs: what the loop reads.
        body, states, sequences, reverse: the loop's own.
    """
    initial, moving, whole = parts_of(inputs, states, sequences)
    types = [each.type for each in initial]
    pulled = pull_back(body, differentiate)
    cotangents = unpacked(cotangent, types)
    before = [
        shifted(first, all_, turns, reverse)
        for first, all_ in zip(initial, unpacked(result, types), strict=True)
    ]
    back, names = backward_body(pulled, body, states, sequences)
    zeros = [ops.zeros_like(each) for each in initial]
    found = result.trace.emit(
        "scan",
        [turns, *zeros, *zeros, *cotangents, *before, *moving, *whole],
        body=back,
        states=2 * states,
        sequences=2 * states + sequences,
        reverse=not reverse,
    )
    handed_on = unpacked(found, [*types, *types])
    kappa, adjoints = handed_on[:states], handed_on[states:]
    by_start = [first_of(each, turns, reverse) for each in kappa]
    rest = gradients_at_once(pulled, [*before, *moving], whole, adjoints, names)
    by_sequence, by_whole = rest[:sequences], rest[sequences:]
    return (None, *by_start, *by_sequence, *by_whole)


def shifted(first: Tracer, states: Tracer, turns: Tracer, reverse: bool) -> Tracer:
    """The state before each time."""
    column = ops.reshape(first, (first.shape[0], 1, *first.shape[1:]))
    if not reverse:
        return ops.concatenate([column, states[:, :-1]], axis=1)
    later = ops.concatenate([states[:, 1:], column], axis=1)
    if are_all(turns, states.shape[1]):
        return later
    return ops.where(is_last_turn(turns, states), column, later)


def first_of(kappa: Tracer, turns: Tracer, reverse: bool) -> Tracer:
    """What the state before the first turn gets: κ of that turn's time."""
    if not reverse:
        return kappa[:, 0]
    times = kappa.shape[1]
    if are_all(turns, times):
        return kappa[:, times - 1]
    return ops.sum(ops.where(is_last_turn(turns, kappa), kappa, 0.0), axis=1)


def are_all(turns: Tracer, times: int) -> bool:
    """Whether it is known that every time has its turn."""
    instruction = turns.trace.instructions[turns.value]
    if instruction is None or instruction.opcode != "constant":
        return False
    value = instruction.attributes["value"]
    return value.recipe == times if isinstance(value, RecipeArray) else value == times


def is_last_turn(turns: Tracer, states: Tracer) -> Tracer:
    """Which time is the last that has a turn: the first backwards."""
    times = states.shape[1]
    last = ops.equal(np.arange(times, dtype=np.int32), turns - 1)
    return ops.reshape(last, (1, times, *(1 for _ in states.shape[2:])))


def backward_body(
    pulled: Program, body: Program, states: int, sequences: int
) -> tuple[Program, list[str]]:
    """One time backwards: λ = c + κ, then κ = (∂s/∂s₋)ᵀ λ; and the inputs' names.

    Its states are κ and λ; of λ the one before isn't read.
    """
    names = list(body.inputs)
    kept, given, whole = parts_of(names, states, sequences)
    recording = Trace()
    of = [body.inputs[name] for name in kept]
    arrays: dict[str, Tracer] = {}

    def enter(prefix: str, over: Sequence[str], types: Sequence[ArrayType]) -> None:
        for name, type in zip(over, types, strict=True):
            arrays[prefix + name] = recording.input(prefix + name, type)

    enter("back.", kept, of)
    enter("all.", kept, of)
    enter("d.", kept, of)
    enter("", kept, of)
    enter("", given, [body.inputs[name] for name in given])
    enter("", whole, [body.inputs[name] for name in whole])
    adjoints = [arrays[f"d.{name}"] + arrays[f"back.{name}"] for name in kept]
    values = {name: arrays[name] for name in names}
    values |= {f"adjoint.{number}": each for number, each in enumerate(adjoints)}
    recorded = inline(pulled, recording, values)
    outputs: dict[str, Tracer] = {}
    for name in kept:
        found = pulled.outputs.get(f"gradient.{name}")
        zero = ops.zeros_like(arrays[name])
        outputs[f"new.back.{name}"] = zero if found is None else recorded[found]
    for name, adjoint in zip(kept, adjoints, strict=True):
        outputs[f"new.all.{name}"] = adjoint
    return recording.program(outputs), names


def gradients_at_once(
    pulled: Program,
    moving: Sequence[Tracer],
    whole: Sequence[Tracer],
    adjoints: Sequence[Tracer],
    names: Sequence[str],
) -> list[Tracer | None]:
    """The gradients by sequences and whole arrays, over all rows and times together.

    Arguments:
        pulled: the gradients of one time.
        moving: the states before each time, and the sequences.
        whole: arrays that are the same each time.
        adjoints: λ.
        names: of the body's inputs, in their order.
    """
    rows, times = moving[0].shape[:2]
    lanes = rows * times
    states = len(adjoints)
    given: dict[str, Tracer] = {}
    for name, array in zip(names[: len(moving)], moving, strict=True):
        given[name] = ops.reshape(array, (lanes, *array.shape[2:]))
    for name, array in zip(names[len(moving) :], whole, strict=True):
        given[name] = in_lanes(array, pulled.inputs[name], rows, times)
    for number, array in enumerate(adjoints):
        given[f"adjoint.{number}"] = ops.reshape(array, (lanes, *array.shape[2:]))
    into = moving[0].trace
    wanted = {f"gradient.{name}" for name in names[states:]}
    outputs = {n: v for n, v in pulled.outputs.items() if n in wanted}
    at_lanes = Program(pulled.inputs, pulled.instructions, outputs).at(rows=lanes)
    values = inline(at_lanes, into, given)
    found: list[Tracer | None] = []
    for name in names[states:]:
        value = outputs.get(f"gradient.{name}")
        if value is None:
            found.append(None)
        elif name in names[: len(moving)]:
            found.append(values[value].reshape(rows, times, *values[value].shape[1:]))
        else:
            type = pulled.inputs[name]
            found.append(out_of_lanes(values[value], type, rows, times))
    return found


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


def out_of_lanes(array: Tracer, type: ArrayType, rows: int, times: int) -> Tracer:
    """The gradient by a whole array: one of rows is a sum over times."""
    if not has_rows(type):
        return array
    return ops.sum(ops.reshape(array, (rows, times, *array.shape[1:])), axis=1)
