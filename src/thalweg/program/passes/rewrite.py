"""The engine behind the rewriting passes: patterns, rules, and one walk over a program.

Every instruction is offered to the rules before it is recorded; a rule that matches
records something else instead, which is offered to the rules again. Inputs come
before what reads them, so one walk reaches a program to which no rule applies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from thalweg.program.ir import Instruction, Program, attribute_key
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import Recipe, RecipeArray
from thalweg.program.trace import Trace, Tracer, inline
from thalweg.program.types import NumpyArray

Bindings = dict[str, Any]


@dataclass(frozen=True)
class Variable:
    """Matches any value; the same one wherever the same name stands."""

    name: str


@dataclass(frozen=True)
class Number:
    """Matches a constant of which every element is this number."""

    value: float


@dataclass(frozen=True)
class Constant:
    """Matches any constant with a single value, and binds it as a Python number."""

    name: str


@dataclass(frozen=True)
class Apply:
    """Matches an instruction: its opcode, its inputs, and attributes to bind."""

    opcode: str
    inputs: tuple[Pattern, ...]
    attributes: tuple[tuple[str, str], ...] = ()


Pattern = Variable | Number | Constant | Apply


def pattern(opcode: str) -> Callable[..., Apply]:
    """A word for patterns: ``log = pattern("log")``, then ``log(x)``."""

    def apply(*inputs: Pattern | float, **attributes: str) -> Apply:
        spelled = [Number(p) if isinstance(p, int | float) else p for p in inputs]
        return Apply(opcode, tuple(spelled), tuple(attributes.items()))

    return apply


def always(**_: Any) -> bool:
    """Whether a rule without a condition applies."""
    return True


@dataclass(frozen=True)
class Rule:
    """What is replaced, by what, and when."""

    name: str
    pattern: Apply
    replacement: Callable[..., Any]
    when: Callable[..., bool] = always


def instruction_of(tracer: Tracer) -> Instruction | None:
    """The instruction behind a value, by its numbers; None for an input."""
    return tracer.trace.instructions[tracer.value]


def definition(tracer: Tracer) -> tuple[str, list[Tracer], Mapping[str, Any]] | None:
    """The instruction behind a value; None for an input."""
    instruction = instruction_of(tracer)
    if instruction is None:
        return None
    return instruction.opcode, inputs_of(tracer), instruction.attributes


def inputs_of(tracer: Tracer) -> list[Tracer]:
    """The values that the instruction behind a value reads."""
    instruction = instruction_of(tracer)
    assert instruction is not None
    value_of = tracer.trace.value_of
    return [value_of(v) for v in instruction.inputs]


REPEATING = ("broadcast", "reshape", "transpose")  # views of a number give that number


def single_value(tracer: Tracer) -> Any:
    """The one number of which a constant consists, seen through views; or None.

    It is a `Recipe` where it follows from sizes.
    """
    instruction = instruction_of(tracer)
    while instruction is not None and instruction.opcode in REPEATING:
        instruction = tracer.trace.instructions[instruction.inputs[0]]
    if instruction is None or instruction.opcode != "constant":
        return None
    array: NumpyArray | RecipeArray = instruction.attributes["value"]
    return array.item() if array.size == 1 else None


def match(pattern: Pattern, tracer: Tracer, bindings: Bindings) -> bool:
    """Whether a value has the pattern's form; fills the bindings."""
    if isinstance(pattern, Variable):
        bound = bindings.setdefault(pattern.name, tracer)
        return bound.value == tracer.value
    if isinstance(pattern, Number):
        return single_value(tracer) == pattern.value
    if isinstance(pattern, Constant):
        value = single_value(tracer)
        bindings[pattern.name] = value
        return value is not None
    instruction = instruction_of(tracer)
    if instruction is None or instruction.opcode != pattern.opcode:
        return False
    inputs = inputs_of(tracer)
    return match_apply(
        pattern, pattern.opcode, inputs, instruction.attributes, bindings
    )


def match_apply(
    pattern: Apply,
    opcode: str,
    inputs: Sequence[Tracer],
    attributes: Mapping[str, Any],
    bindings: Bindings,
) -> bool:
    """Whether an instruction has the pattern's form, in either order if it may."""
    if opcode != pattern.opcode or len(inputs) != len(pattern.inputs):
        return False
    bound = dict(bindings)
    for name, word in pattern.attributes:
        if bound.setdefault(word, attributes[name]) != attributes[name]:
            return False
    orders = [inputs, inputs[::-1]] if PRIMITIVES[opcode].commutative else [inputs]
    for order in orders:
        attempt = dict(bound)
        if all(map(match, pattern.inputs, order, repeat(attempt))):
            bindings.update(attempt)
            return True
    return False


# The walk ----------------------------------------------------------------------------

FOLDED_SIZE = 4096  # larger constants stay as the computation that makes them


class Rewriter:
    """Offers every instruction to what is known, to folding, and to the rules."""

    def __init__(
        self, rules: Sequence[Rule], general: Sequence[GeneralRule] = ()
    ) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.pattern.opcode, []).append(rule)
        self._general = general
        self._known: dict[Any, Tracer] = {}

    def __call__(
        self,
        recording: Trace,
        opcode: str,
        inputs: tuple[Tracer, ...],
        attributes: Mapping[str, Any],
    ) -> Tracer:
        """The value that takes the instruction's place."""
        key = (opcode, tuple(i.value for i in inputs), attribute_key(attributes))
        if key not in self._known:
            self._known[key] = self._rewritten(recording, opcode, inputs, attributes)
        return self._known[key]

    def _rewritten(
        self,
        recording: Trace,
        opcode: str,
        inputs: tuple[Tracer, ...],
        attributes: Mapping[str, Any],
    ) -> Tracer:
        for general in self._general:
            replaced = general(recording, opcode, inputs, attributes)
            if replaced is not None:
                return replaced
        for rule in self._rules.get(opcode, ()):
            bindings: Bindings = {}
            matches = match_apply(rule.pattern, opcode, inputs, attributes, bindings)
            if matches and rule.when(**bindings):
                type = PRIMITIVES[opcode].infer(*(i.type for i in inputs), **attributes)
                return fitted(recording, rule.replacement(**bindings), type)
        return recording.record(opcode, inputs, attributes)


GeneralRule = Callable[
    [Trace, str, tuple[Tracer, ...], Mapping[str, Any]], "Tracer | None"
]


def fitted(recording: Trace, result: Any, type: Any) -> Tracer:
    """A replacement in exactly the type that it replaces."""
    if not isinstance(result, Tracer):
        result = recording.constant(np.asarray(result, type.dtype))
    if result.shape != type.shape:
        result = recording.emit("broadcast", (result,), shape=type.shape)
    return result


def fold(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """What depends on constants alone is computed now."""
    if not inputs or PRIMITIVES[opcode].kind in ("view", "random", "loop"):
        return None
    values: list[NumpyArray | RecipeArray] = []
    for each in inputs:
        found = instruction_of(each)
        if found is None or found.opcode != "constant" or found.type.size > FOLDED_SIZE:
            return None
        values.append(found.attributes["value"])
    type = PRIMITIVES[opcode].infer(*(i.type for i in inputs), **attributes)
    if type.size > FOLDED_SIZE:
        return None
    if any(isinstance(value, RecipeArray) for value in values):
        later = Recipe(PRIMITIVES[opcode].meaning, tuple(values), attributes)
        return recording.constant(RecipeArray(later, type))
    with np.errstate(all="ignore"):
        result = PRIMITIVES[opcode].meaning(*values, **attributes)
    return recording.constant(np.asarray(result, type.dtype))


def rewrite(
    program: Program, rules: Sequence[Rule], general: Sequence[GeneralRule] = ()
) -> Program:
    """The program after every rule was applied wherever it can be."""

    def rewritten_body(
        recording: Trace,
        opcode: str,
        inputs: tuple[Tracer, ...],
        attributes: Mapping[str, Any],
    ) -> Tracer | None:
        if "body" not in attributes:
            return None
        body = rewrite(attributes["body"], rules, general)
        return recording.record(opcode, inputs, {**attributes, "body": body})

    recording = Trace(Rewriter(rules, (fold, rewritten_body, *general)))
    inputs = {
        name: recording.input(name, type) for name, type in program.inputs.items()
    }
    values = inline(program, recording, inputs)
    return recording.program({k: values[v] for k, v in program.outputs.items()})
