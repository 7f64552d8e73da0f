"""The gradient of a loop: a loop backwards, and everything else at once.

For a step s_t = f(s_{t−1}, x_t, θ) and the cotangents c_t of its states,
λ_t = c_t + κ_{t+1} is the cotangent of all that follows from s_t, and
κ_t = (∂s_t/∂s_{t−1})ᵀ λ_t is handed on to the time before. All other gradients follow
without a loop, over rows · times: those by x_t for each time, those by θ as sums.

What is known isn't computed again:

    forwards   a loop whose gradient is taken *keeps* what that reads of a step, such as
               gates, beside its states: in further states that no step reads
    backwards  the loop keeps what all other gradients follow from: in the leaky sum
               s/2 + x that is λ_t, in a recurrent layer the cotangents of its product

Source: Werbos, "Backpropagation through time: what it does and how to do it", 1990.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.loop_rules import column_starts, parts_of
from thalweg.program.loops import has_rows, in_lanes, unpacked
from thalweg.program.row_axes import find_rows
from thalweg.program.sizes import RecipeArray, type_at
from thalweg.program.trace import Trace, Tracer, inline
from thalweg.program.types import ArrayType

Arrays = dict[str, Tracer]
KNOWN, SEAM, BACK, GIVEN = "known.", "seam.", "back.", "given."  # before inputs' names
GRADIENT, ADJOINT = "gradient.", "adjoint."
CHEAP = (
    *("add", "subtract", "multiply", "negative", "absolute", "sign", "maximum"),
    *("minimum", "select", "equal", "less", "less_equal", "logical_and"),
    *("logical_not", "cast", "stop_gradient"),
)
"""What is as quickly computed again as read, and finite where all is 0."""


@dataclass(frozen=True)
class Kept:
    """What a loop keeps for its gradient.

    Arguments:
        pulled: the gradients of a step by its inputs; adjoints are inputs, too.
        of_body: which values of `pulled` are those of the step.
        at_all_times: what is kept, by the step's values: (rows, times, …).
        knows_states: whether every time has a turn, so that the states are those of
            steps.
    """

    pulled: Program
    of_body: Mapping[int, int]
    at_all_times: Mapping[int, Tracer]
    knows_states: bool


# Forwards -----------------------------------------------------------------------------


def scan_and_keep(
    differentiate: Any,
    turns: Tracer,
    *inputs: Tracer,
    body: Program,
    states: int,
    sequences: int,
    reverse: bool,
) -> tuple[Tracer, Kept]:
    """A loop's states, and what it keeps beside them for its gradient.

    Arguments:
        differentiate: the pass, for the body.
        turns, inputs, body, states, sequences, reverse: the loop's.
    """
    initial, moving, whole = parts_of(inputs, states, sequences)
    rows, times = moving[0].shape[:2]
    pulled, of_body = pull_back(body, differentiate)
    is_whole = are_all(turns, times)
    # At a time without a turn what is kept would be 0, which a formula needn't take.
    kept = values_to_keep(body, pulled, of_body, states) if is_whole else []
    zeros = [zeros_of(turns.trace, body.type(value), rows) for value in kept]
    result = turns.trace.emit(
        "scan",
        [turns, *initial, *zeros, *moving, *whole],
        body=keeping(body, states, kept),
        states=states + len(kept),
        sequences=sequences,
        reverse=reverse,
    )
    types = [each.type for each in (*initial, *zeros)]
    found = unpacked(result, types)
    own = found[0] if states == 1 else result[:, :, : column_starts(types)[states]]
    at_all_times = dict(zip(kept, found[states:], strict=True))
    return own if kept else result, Kept(pulled, of_body, at_all_times, is_whole)


def are_all(turns: Tracer, times: int) -> bool:
    """Whether it is known that every time has its turn."""
    instruction = turns.trace.instructions[turns.value]
    if instruction is None or instruction.opcode != "constant":
        return False
    value = instruction.attributes["value"]
    return value.recipe == times if isinstance(value, RecipeArray) else value == times


def zeros_of(recording: Trace, type: ArrayType, rows: int) -> Tracer:
    """Zeros for what a step gives."""
    zero = recording.constant(np.zeros((), type.dtype))
    return ops.broadcast_to(zero, type_at(type, {"rows": rows}).shape)


def pull_back(program: Program, differentiate: Any) -> tuple[Program, dict[int, int]]:
    """A step's gradients by its inputs, of Σ λ·s over the new states; λ are inputs.

    Arguments:
        program: the step.
        differentiate: the pass.

    Returns:
        The gradients, and which of their values are the step's.
    """
    recording = Trace()
    arrays = {n: recording.input(n, t) for n, t in program.inputs.items()}
    types = list(program.output_types().values())
    adjoints = [
        recording.input(f"{ADJOINT}{number}", type) for number, type in enumerate(types)
    ]
    values = inline(program, recording, arrays)
    new = [values[value] for value in program.outputs.values()]
    terms = [
        ops.sum(c * s) for c, s in zip(adjoints, new, strict=True) if s.type.is_float
    ]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    own = {f"{KNOWN}{value}": values[value] for value in program.computed()}
    with_total = recording.program({"objective": total, **own})
    by = [name for name, type in program.inputs.items() if type.is_float]
    found = differentiate(with_total, "objective", by)
    outputs = {n: v for n, v in found.outputs.items() if n.startswith(GRADIENT)}
    of_body = {found.outputs[f"{KNOWN}{v}"]: v for v in program.computed()}
    return Program(found.inputs, found.instructions, outputs), of_body


def values_to_keep(
    body: Program, pulled: Program, of_body: Mapping[int, int], states: int
) -> list[int]:
    """What the gradients read of a step that isn't known or cheap without it."""
    found = find_rows(body)
    return Keeping(body, {} if found is None else found.axes, states).of(
        sorted(of_body[value] for value in first_met(pulled, of_body))
    )


def first_met(program: Program, known: Mapping[int, Any]) -> set[int]:
    """The known values that the outputs follow from, through unknown ones alone."""
    met, seen = set[int](), set[int]()
    waiting = list(program.outputs.values())
    while waiting:
        value = waiting.pop()
        instruction = program.instruction(value)
        if value in known:
            met.add(value)
        elif value not in seen and instruction is not None:
            seen.add(value)
            waiting += instruction.inputs
    return met


class Keeping:
    """What a loop keeps, while it is chosen: the step's values one after the other."""

    def __init__(self, body: Program, axes: Mapping[int, int], states: int) -> None:
        self.body = body
        self.axes = axes
        self.kept: list[int] = []
        self.known = set(body.outputs.values()) | set(range(len(body.inputs)))
        moved = set(range(states))  # what follows from states
        for value, instruction in enumerate(body.instructions, len(body.inputs)):
            if moved.isdisjoint(instruction.inputs):
                self.known.add(value)
            else:
                moved.add(value)

    def of(self, wanted: Iterable[int]) -> list[int]:
        """The values to be kept so that all that is wanted can be had."""
        for value in wanted:
            self._require(value)
        return self.kept

    def _require(self, value: int) -> None:
        if self._is_cheap(value):
            return
        instruction = self.body.instruction(value)
        assert instruction is not None
        type = instruction.type
        is_state = type.dtype == self.body.type(0).dtype and self.axes.get(value) == 0
        if is_state and instruction.primitive.kind != "view":
            self.known.add(value)
            self.kept.append(value)
            return
        for source in instruction.inputs:
            self._require(source)

    def _is_cheap(self, value: int) -> bool:
        if value in self.known:
            return True
        instruction = self.body.instruction(value)
        assert instruction is not None
        is_view = instruction.primitive.kind == "view"
        if not (is_view or instruction.opcode in CHEAP):
            return False
        return all(map(self._is_cheap, instruction.inputs))


def keeping(body: Program, states: int, kept: Sequence[int]) -> Program:
    """The step that gives some of its values as further states, which nothing reads."""
    recording = Trace()
    names = list(body.inputs)
    arrays = {name: recording.input(name, body.inputs[name]) for name in names[:states]}
    for value in kept:
        recording.input(f"{KNOWN}{value}", body.type(value))
    for name in names[states:]:
        arrays[name] = recording.input(name, body.inputs[name])
    values = inline(body, recording, arrays)
    outputs = {name: values[value] for name, value in body.outputs.items()}
    outputs |= {f"new.{KNOWN}{value}": values[value] for value in kept}
    return recording.program(outputs)


# Backwards ----------------------------------------------------------------------------


def scan_gradient(
    kept: Kept,
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
        kept: what `scan_and_keep` has kept.
        cotangent: of the states, as they lie in `result`.
        result: the states.
        turns, inputs: what the loop reads.
        body, states, sequences, reverse: the loop's own.
    """
    initial, moving, whole = parts_of(inputs, states, sequences)
    types = [each.type for each in initial]
    after = unpacked(result, types)
    names, first = list(body.inputs), states + sequences
    at_times = {
        name: shifted(start, all_, turns, reverse)
        for name, start, all_ in zip(names, initial, after, strict=False)
    }
    at_times |= dict(zip(names[states:first], moving, strict=True))
    known = dict(kept.at_all_times)
    if kept.knows_states:
        known |= dict(zip(body.outputs.values(), after, strict=True))
    at_times |= {f"{KNOWN}{value}": array for value, array in known.items()}
    once = dict(zip(names[first:], whole, strict=True))
    pulled = cut(
        kept.pulled,
        {v: f"{KNOWN}{own}" for v, own in kept.of_body.items() if own in known},
        kept.pulled.outputs,
    )
    by_state = [f"{GRADIENT}{name}" for name in names[:states]]
    seam = seam_of(pulled, by_state)
    back = Backwards(pulled, {n: body.inputs[n] for n in names[:states]}, seam)
    given = dict(zip(back.given, unpacked(cotangent, types), strict=True))
    found = back.run(turns, {**given, **at_times}, once, not reverse)
    kappa, across = found[:states], found[states:]
    by_start = [first_of(each, turns, reverse) for each in kappa]
    across_names = [f"{SEAM}{value}" for value in seam]
    rest = {n: v for n, v in pulled.outputs.items() if n not in by_state}
    others = at_once(
        cut(pulled, dict(zip(seam, across_names, strict=True)), rest),
        {**at_times, **dict(zip(across_names, across, strict=True))},
        once,
        kept.pulled.inputs,
    )
    by_others = [others.get(f"{GRADIENT}{name}") for name in names[states:]]
    return (None, *by_start, *by_others)


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


def is_last_turn(turns: Tracer, states: Tracer) -> Tracer:
    """Which time is the last that has a turn: the first backwards."""
    times = states.shape[1]
    last = ops.equal(np.arange(times, dtype=np.int32), turns - 1)
    return ops.reshape(last, (1, times, *(1 for _ in states.shape[2:])))


def cut(program: Program, at: Mapping[int, str], outputs: Mapping[str, int]) -> Program:
    """The program of some outputs, in which some values are inputs by new names.

    It has those inputs alone that it reads.
    """
    needed: set[int] = set()
    waiting = list(outputs.values())
    while waiting:
        value = waiting.pop()
        instruction = program.instruction(value)
        if value not in needed:
            needed.add(value)
            if value not in at and instruction is not None:
                waiting += instruction.inputs
    recording = Trace()
    values: dict[int, Tracer] = {}
    for value, (name, type) in enumerate(program.inputs.items()):
        if value in needed and value not in at:
            values[value] = recording.input(name, type)
    for value, name in at.items():
        if value in needed:
            values[value] = recording.input(name, program.type(value))
    for value, each in enumerate(program.instructions, len(program.inputs)):
        if value in needed and value not in at:
            read = [values[v] for v in each.inputs]
            values[value] = recording.emit(each.opcode, read, **each.attributes)
    return recording.program({name: values[value] for name, value in outputs.items()})


def seam_of(pulled: Program, by_state: Sequence[str]) -> list[int]:
    """What the other gradients follow from of what the loop backwards computes.

    These are the last values on the way to them that are computed for κ, too, and that
    follow from λ; λ itself where there are none.
    """
    outputs = pulled.outputs
    by_loop = ancestors(pulled, [outputs[n] for n in by_state if n in outputs])
    found = find_rows(pulled)
    axes = {} if found is None else found.axes
    dtype = next(t.dtype for n, t in pulled.inputs.items() if is_adjoint(n))
    adjoint = {v for v, name in enumerate(pulled.inputs) if is_adjoint(name)}
    follows = set(adjoint)  # from λ
    for value, each in enumerate(pulled.instructions, len(pulled.inputs)):
        if not follows.isdisjoint(each.inputs):
            follows.add(value)
    stops = {
        value
        for value in follows & by_loop
        if pulled.type(value).dtype == dtype and axes.get(value) == 0
    }
    rest = {n: v for n, v in outputs.items() if n not in by_state}
    others = Program(pulled.inputs, pulled.instructions, rest)
    return sorted(first_met(others, dict.fromkeys(stops | adjoint)))


def is_adjoint(name: str) -> bool:
    """Whether an input is λ."""
    return name.startswith(ADJOINT)


def ancestors(program: Program, values: Iterable[int]) -> set[int]:
    """All values that some follow from, themselves included."""
    found, waiting = set[int](), list(values)
    while waiting:
        value = waiting.pop()
        instruction = program.instruction(value)
        if value not in found:
            found.add(value)
            waiting += () if instruction is None else instruction.inputs
    return found


class Backwards:
    """The loop backwards: λ = c + κ, then κ = (∂s/∂s₋)ᵀ λ, and what it keeps.

    Arguments:
        pulled: the gradients of a step.
        states: their types by name.
        seam: the values of `pulled` that are kept.
    """

    def __init__(
        self, pulled: Program, states: Mapping[str, ArrayType], seam: Sequence[int]
    ) -> None:
        self.states = states
        self.given = [f"{GIVEN}{name}" for name in states]
        self.kept = [pulled.type(value) for value in seam]
        outputs = {
            name: pulled.outputs[f"{GRADIENT}{name}"]
            for name in states
            if f"{GRADIENT}{name}" in pulled.outputs
        }
        outputs |= {f"{SEAM}{n}": value for n, value in enumerate(seam)}
        self.step = cut(pulled, {}, outputs)

    def run(
        self, turns: Tracer, at_times: Arrays, once: Arrays, reverse: bool
    ) -> tuple[Tracer, ...]:
        """κ and what is kept, at all times.

        Arguments:
            turns: after how many to stop.
            at_times: arrays by the names of inputs, of all times: (rows, times, …).
            once: those that are the same at each time.
            reverse: the direction.
        """
        rows = at_times[self.given[0]].shape[0]
        moving = [*self.given, *(n for n in self.step.inputs if n in at_times)]
        whole = [n for n in self.step.inputs if n in once]
        kept = [zeros_of(turns.trace, type, rows) for type in self.kept]
        zeros = [zeros_of(turns.trace, type, rows) for type in self.states.values()]
        found = turns.trace.emit(
            "scan",
            [
                *(turns, *zeros, *kept),
                *(at_times[name] for name in moving),
                *(once[name] for name in whole),
            ],
            body=self._body(moving[len(self.given) :], whole),
            states=len(self.states) + len(self.kept),
            sequences=len(moving),
            reverse=reverse,
        )
        return unpacked(found, [each.type for each in (*zeros, *kept)])

    def _body(self, moving: Sequence[str], whole: Sequence[str]) -> Program:
        """One time: its states are κ, which it reads, and what it keeps."""
        recording = Trace()
        kappa = [recording.input(f"{BACK}{n}", t) for n, t in self.states.items()]
        for number, type in enumerate(self.kept):
            recording.input(f"{SEAM}{number}", type)
        given = [
            recording.input(name, type)
            for name, type in zip(self.given, self.states.values(), strict=True)
        ]
        arrays = {
            name: recording.input(name, self.step.inputs[name])
            for name in (*moving, *whole)
        }
        for number, (c, k) in enumerate(zip(given, kappa, strict=True)):
            if f"{ADJOINT}{number}" in self.step.inputs:
                arrays[f"{ADJOINT}{number}"] = c + k
        values = inline(self.step, recording, arrays)
        outputs: Arrays = {}
        for name, k in zip(self.states, kappa, strict=True):
            found = self.step.outputs.get(name)
            new = ops.zeros_like(k) if found is None else values[found]
            outputs[f"new.{BACK}{name}"] = new
        for number in range(len(self.kept)):
            seam = f"{SEAM}{number}"
            outputs[f"new.{seam}"] = values[self.step.outputs[seam]]
        return recording.program(outputs)


def at_once(
    rest: Program, at_times: Arrays, once: Arrays, types: Mapping[str, ArrayType]
) -> dict[str, Tracer]:
    """The other gradients, over all rows and times together.

    Arguments:
        rest: these gradients of one time.
        at_times: arrays by the names of inputs, of all times: (rows, times, …).
        once: those that are the same at each time.
        types: of a step's inputs.
    """
    some = next(iter(at_times.values()))
    into, (rows, times) = some.trace, some.shape[:2]
    lanes = rows * times
    given: Arrays = {}
    for name, type in rest.inputs.items():
        if name in once:
            given[name] = in_lanes(once[name], type, rows, times)
        else:
            array = at_times[name]
            given[name] = ops.reshape(array, (lanes, *array.shape[2:]))
    values = inline(rest.at(rows=lanes), into, given)
    found: dict[str, Tracer] = {}
    for name, value in rest.outputs.items():
        of, array = name.removeprefix(GRADIENT), values[value]
        if of in at_times:
            found[name] = array.reshape(rows, times, *array.shape[1:])
        else:
            found[name] = out_of_lanes(array, types[of], rows, times)
    return found


def out_of_lanes(array: Tracer, type: ArrayType, rows: int, times: int) -> Tracer:
    """The gradient by a whole array: one of rows is a sum over times."""
    if not has_rows(type):
        return array
    return ops.sum(ops.reshape(array, (rows, times, *array.shape[1:])), axis=1)
