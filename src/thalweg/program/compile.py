"""From a formula to a finished program. The one place that knows the passes' order.

trace → simplify → stabilize → move work → differentiate → simplify → move work, where
work is moved by hoist, take_last and divide_once
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from thalweg.program import ops
from thalweg.program.ir import Program, verify
from thalweg.program.passes.differentiate import differentiate
from thalweg.program.passes.divide_once import divide_once
from thalweg.program.passes.hoist import hoist
from thalweg.program.passes.simplify import simplify
from thalweg.program.passes.stabilize import stabilize
from thalweg.program.passes.take_last import take_last
from thalweg.program.structure import leaves_of, with_leaves
from thalweg.program.trace import Tracer, call, trace
from thalweg.program.types import (
    ArrayType,
    Dtype,
)

Function = Callable[..., Any]
Arrays = dict[str, Any]
FunctionType = TypeVar("FunctionType", bound=Function)


def make_safe(program: Program) -> Program:
    """The forward program in its numerically safe form."""
    return stabilize(simplify(program))


def trace_positional(
    function: Function, types: Sequence[ArrayType], settings: Mapping[str, Any]
) -> Program:
    """The program of a function of positional arrays, with one output, ``result``."""
    return trace(
        lambda arrays: {"result": function(*arrays.values(), **settings)},
        positional_types(function, types),
    )


def trace_structure(
    function: Function, types: Sequence[ArrayType], settings: Mapping[str, Any]
) -> tuple[Program, Any]:
    """The program of a function that may give arrays in tuples, lists and dicts.

    Returns:
        The program, and what the function gives with the name of an output in the place
        of each array.
    """
    found: Any = None

    def outputs(arrays: Arrays) -> Arrays:
        nonlocal found
        result = function(*arrays.values(), **settings)
        named = {f"result{n}": array for n, array in enumerate(leaves_of(result))}
        names = iter(named)
        found = with_leaves(result, lambda _: next(names))
        return named

    return trace(outputs, positional_types(function, types)), found


def positional_types(
    function: Function, types: Sequence[ArrayType]
) -> dict[str, ArrayType]:
    """The types of a function's positional arrays, by their names."""
    names = positional_names(function, len(types))
    return dict(zip(names, types, strict=True))


def positional_names(function: Function, count: int) -> list[str]:
    """The names of the first positional parameters, for the program to print."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds][:count]
    return names + [f"argument{i}" for i in range(len(names), count)]


def finish(program: Program) -> Program:
    """A safe program as it is run: simplified, with its work where it is least."""
    simple = simplify(program)
    moved = move_work(simple)
    return simple if moved is simple else simplify(moved)


def move_work(program: Program) -> Program:
    """The program with what it can out of its loops, and on tables before they're read.

    What many numbers share is divided by once. A gradient is best taken of this: it
    then has its own work there.
    """
    return divide_once(take_last(hoist(program)))


def gradient_program(
    function: Function, types: Sequence[ArrayType], positions: Sequence[int]
) -> Program:
    """The program that gives ``result`` and ``gradient.<name>`` for some arguments."""
    forward = make_safe(trace_positional(function, types, {}))
    names = list(forward.inputs)
    summed = trace(
        lambda arrays: with_sum(call(forward, arrays)["result"]), forward.inputs
    )
    return simplify(differentiate(summed, "sum", [names[p] for p in positions]))


def with_sum(result: Tracer) -> Arrays:
    """A result and the single number whose gradient is taken."""
    return {"result": result, "sum": ops.sum(result)}


# Training steps ----------------------------------------------------------------------

Objective = Callable[[Arrays, Arrays], Arrays]
Update = Callable[
    [Tracer, Tracer, Arrays, Tracer, Tracer], tuple[Any, Mapping[str, Any]]
]


def training_program(
    objective: Objective,
    parameters: Mapping[str, ArrayType],
    inputs: Mapping[str, ArrayType],
    update: Update,
    slots: Sequence[str],
) -> dict[str, Program]:
    """One whole training step as a program, and what it was after each pass.

    θ ← update(θ, ∇J(θ), state, η, t), on one flat vector θ that holds all parameters.

    Arguments:
        objective: takes parameters and inputs by name; gives ``objective``, the single
            number to make small, and whatever else the step should report or carry.
        parameters: the type of every parameter, in their order in θ.
        inputs: the batch and other inputs; must hold ``learning_rate`` and ``step``.
        update: the optimizer's rule.
        slots: the names of the optimizer's state, each a vector like θ.

    Returns:
        Programs by the name of the pass, in order; the last, ``step``, is the finished
        one. Its inputs are ``parameters`` (θ), ``state.<slot>`` and `inputs`.
    """
    traced = trace(
        lambda arrays: objective(
            {name: arrays[name] for name in parameters},
            {name: arrays[name] for name in inputs},
        ),
        {**parameters, **inputs},
    )
    safe = make_safe(traced)
    differentiated = differentiate(move_work(safe), "objective", list(parameters))
    step = trace(
        functools.partial(step_of, differentiated, parameters, inputs, update, slots),
        step_inputs(parameters, inputs, slots),
    )
    finished = verify(finish(step))
    return {
        "trace": traced,
        "stabilize": safe,
        "differentiate": differentiated,
        "step": finished,
    }


def step_inputs(
    parameters: Mapping[str, ArrayType],
    inputs: Mapping[str, ArrayType],
    slots: Sequence[str],
) -> dict[str, ArrayType]:
    """The inputs of a training step: θ, the optimizer's state, the batch."""
    flat = flat_type(parameters)
    return {"parameters": flat, **{f"state.{slot}": flat for slot in slots}, **inputs}


def flat_type(parameters: Mapping[str, ArrayType]) -> ArrayType:
    """The type of one vector that holds all parameters."""
    dtypes: set[Dtype] = {type.dtype for type in parameters.values()}
    (dtype,) = dtypes or {"float32"}
    return ArrayType((sum(type.size for type in parameters.values()),), dtype)


def step_of(
    differentiated: Program,
    parameters: Mapping[str, ArrayType],
    inputs: Mapping[str, ArrayType],
    update: Update,
    slots: Sequence[str],
    arrays: dict[str, Tracer],
) -> Arrays:
    """The step as a formula: unpack θ, take the gradient, apply the rule."""
    leaves = unpack(arrays["parameters"], parameters)
    results = call(
        differentiated, {**leaves, **{name: arrays[name] for name in inputs}}
    )
    gradients = [
        ops.reshape(results.pop(f"gradient.{name}"), (-1,)) for name in parameters
    ]
    results.pop("objective", None)
    dtype = arrays["parameters"].type.dtype
    updated, state = update(
        arrays["parameters"],
        ops.concatenate(gradients),
        {slot: arrays[f"state.{slot}"] for slot in slots},
        arrays["learning_rate"],
        ops.cast(arrays["step"], dtype),
    )
    carried = {f"state.{slot}": value for slot, value in state.items()}
    return {**results, "parameters": updated, **carried}


def unpack(flat: Any, parameters: Mapping[str, ArrayType]) -> Arrays:
    """The named parameters as parts of the one vector that holds them all."""
    parts: Arrays = {}
    start = 0
    for name, type in parameters.items():
        stop = start + math.prod(type.shape)
        parts[name] = flat[start:stop].reshape(type.shape)
        start = stop
    return parts


# Reading ------------------------------------------------------------------------------


def backward_program(
    forward: Program, of: str, by: Sequence[str], through: Mapping[str, int]
) -> Program:
    """A forward program with the gradients by its inputs and by values on the way.

    dx = ∂J/∂x, where J is the output itself, or Σ y·dy of one that is an array.

    Arguments:
        forward: in its safe form.
        of: the name of the output y; if it's an array, dy is an input, ``d<of>``.
        by: names of inputs.
        through: values that instructions compute on the way, by names.

    Returns:
        The program with the further outputs ``value.<name>`` for each value on the way,
        and ``gradient.<name>`` for inputs and for values that are real numbers.
    """
    types = dict(forward.inputs)
    if forward.output_types()[of].shape:
        types[f"d{of}"] = forward.output_types()[of]
    passed = {f"probe.{name}": forward.type(v) for name, v in through.items()}
    probes = {name: type for name, type in passed.items() if type.is_float}
    probed = trace(
        lambda arrays: with_objective(
            with_probes(forward, through, arrays), of, arrays
        ),
        {**types, **probes},
    )
    differentiated = differentiate(probed, "objective", [*by, *probes])

    def without_probes(arrays: dict[str, Tracer]) -> Arrays:
        into = next(iter(arrays.values())).trace
        zeros = {
            name: ops.broadcast_to(into.constant(np.zeros((), type.dtype)), type.shape)
            for name, type in probes.items()
        }
        results = call(differentiated, {**arrays, **zeros})
        return {name.replace("probe.", ""): value for name, value in results.items()}

    return simplify(trace(without_probes, types))


def with_probes(
    forward: Program, through: Mapping[str, int], arrays: dict[str, Tracer]
) -> Arrays:
    """A program's outputs where a probe is added to some values.

    The gradient by what is added to a value is the gradient by the value.
    """
    names = {value: name for name, value in through.items()}
    values = [arrays[name] for name in forward.inputs]
    into = values[0].trace
    for value, instruction in zip(
        forward.computed(), forward.instructions, strict=True
    ):
        inputs = [values[v] for v in instruction.inputs]
        result = into.emit(instruction.opcode, inputs, **instruction.attributes)
        if f"probe.{names.get(value)}" in arrays:
            result = ops.add(result, arrays[f"probe.{names[value]}"])
        values.append(result)
    outputs = {name: values[value] for name, value in forward.outputs.items()}
    return {**outputs, **{f"value.{name}": values[v] for name, v in through.items()}}


def with_objective(outputs: Arrays, of: str, arrays: dict[str, Tracer]) -> Arrays:
    """Outputs, and the single number whose gradient is taken."""
    cotangent = arrays.get(f"d{of}")
    objective = outputs[of] if cotangent is None else ops.sum(outputs[of] * cotangent)
    return {**outputs, "objective": objective}
