"""From a formula to a program that runs. The one place that knows the passes' order.

trace → simplify → stabilize → differentiate → simplify → split → fuse → plan → run
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.program import ops
from thalweg.program.batch import Batch
from thalweg.program.blocks import (
    MOST_ROWS,
    Blocks,
    choose_any_blocks,
    choose_blocks,
)
from thalweg.program.differentiate import differentiate
from thalweg.program.encode import Kind, encode
from thalweg.program.fuse import fuse
from thalweg.program.interpret import Executable, interpret
from thalweg.program.ir import Instruction, Program, verify
from thalweg.program.native import Compiled, Part
from thalweg.program.plan import plan, plan_singly
from thalweg.program.simplify import simplify
from thalweg.program.sizes import RecipeArray
from thalweg.program.split import Parts
from thalweg.program.stabilize import stabilize
from thalweg.program.trace import Tracer, call, trace
from thalweg.program.types import (
    ArrayType,
    Dtype,
    NumpyArray,
    as_numpy,
    require_unmasked,
    type_of,
)

Function = Callable[..., Any]
Arrays = dict[str, Any]
FunctionType = TypeVar("FunctionType", bound=Function)


def make_safe(program: Program) -> Program:
    """The forward program in its numerically safe form."""
    return stabilize(simplify(program))


def make_executable(
    program: Program, buffers: Mapping[str, NumpyArray] | None = None
) -> Executable:
    """Plan a finished program and bind it to memory."""
    return Executable(plan_singly(program), buffers)


def compile_program(program: Program) -> Compiled:
    """Make a finished program without rows ready for the engine."""
    return compile_parts(Parts(None, program, None), Blocks(0), ())


def compile_rows(batch: Batch, rows: int) -> Compiled:
    """Make a program over a batch ready for the engine, for a number of rows."""
    program, parts = batch.at(rows), batch.parts_at(rows)
    if batch.rows is None or parts is None:
        whole = Parts(None, program, None)
        return compile_parts(whole, Blocks(rows), batch.inputs)
    blocks = choose_blocks(fuse(program, batch.rows.axes), batch.rows, rows)
    return compile_parts(parts.at(rows, blocks.rows), blocks, batch.inputs)


def compile_any_rows(batch: Batch) -> Compiled | None:
    """The same for any number of rows; None if rows meet, or are counted."""
    parts = batch.parts_at(MOST_ROWS)
    if parts is None or batch.rows is None or counts_rows(batch.traced):
        return None
    most = fuse(batch.at(MOST_ROWS), batch.rows.axes)
    blocks = choose_any_blocks(most, batch.rows)
    return compile_parts(parts.at(MOST_ROWS, blocks.rows), blocks, batch.inputs)


def counts_rows(program: Program | None) -> bool:
    """Whether the number of rows is one of a program's own numbers."""
    if program is None:
        return True
    values = (i.attributes["value"] for i in program.instructions if is_constant(i))
    return any(isinstance(value, RecipeArray) for value in values)


def is_constant(instruction: Instruction) -> bool:
    """Whether an instruction is an array that is known."""
    return instruction.opcode == "constant"


def compile_parts(parts: Parts, blocks: Blocks, inputs: Collection[str]) -> Compiled:
    """Fuse, plan and encode every part of a program.

    Arguments:
        parts: for numbers of rows.
        blocks: how rows are cut.
        inputs: the names of the inputs that hold rows.
    """
    kinds: dict[str, Kind] = {
        **dict.fromkeys(inputs, "rows"),
        **dict.fromkeys(parts.by_row, "rows"),
        **dict.fromkeys(parts.sums, "total"),
    }

    def compiled(program: Program | None) -> Part | None:
        if program is None:
            return None
        planned = plan(fuse(program, {}))
        return Part(planned, encode(planned, {}, 0))

    planned = plan(fuse(parts.block, parts.axes), parts.axes)
    block = Part(planned, encode(planned, kinds, blocks.rows))
    return Compiled(
        compiled(parts.before),
        block,
        compiled(parts.after),
        blocks.shards,
        any_rows=parts.by_blocks,
    )


# Formulas on arrays ------------------------------------------------------------------


def formula(function: FunctionType) -> FunctionType:
    """Make a function of arrays a formula: safe on numbers, recorded on tracers.

    Called on arrays or numbers it is traced, made numerically safe and interpreted, as
    in training. Called while another formula is traced, it is recorded in that one.
    Keyword-only parameters are plain numbers, fixed while tracing.

    Example:
        >>> import thalweg as tw
        >>> @tw.formula
        ... def log_odds(p):
        ...     return tw.log(p / (1 - p))
        >>> log_odds(0.5)
        0.0
    """
    compiled = compile(function)

    @functools.wraps(function)
    def call_formula(*arrays: Any, **settings: Any) -> Any:
        if ops.tracing(*arrays, *settings.values()):
            return function(*arrays, **settings)
        return compiled(*arrays, **settings)

    return cast(FunctionType, call_formula)


def compile(function: Function) -> Function:
    """The function, traced once for every combination of shapes, and run from then on.

    Arguments:
        function: takes arrays and numbers by position, and plain settings by keyword;
            gives one array.

    Returns:
        A function of the same arguments. What `function` reads from around it is read
        once, at the first call.

    Raises:
        ShapeError, DtypeError: with the formula's file and line.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> surprise = tw.compile(lambda z: -tw.log(tw.softmax(z)))
        >>> surprise(np.array([1000.0, 0.0])).tolist()
        [0.0, 1000.0]
    """
    signature = inspect.signature(function)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    }

    @functools.lru_cache(maxsize=256)
    def program_of(types: tuple[ArrayType, ...], settings: tuple[Any, ...]) -> Program:
        return simplify(make_safe(trace_positional(function, types, dict(settings))))

    @functools.wraps(function)
    def run(*arrays: Any, **settings: Any) -> Any:
        if ops.tracing(*arrays, *settings.values()):
            return function(*arrays, **settings)
        given = move_arrays(signature, arrays, settings)
        values = [as_input(array) for array in given]
        types = tuple(type_of(value) for value in values)
        program = program_of(types, tuple(sorted(settings.items())))
        results = interpret(program, dict(zip(program.inputs, values, strict=True)))
        return as_result(results["result"], numbers=all(map(is_number, given)))

    run.__defaults__ = tuple(defaults.values()) or None  # pyright: ignore
    return run


def move_arrays(
    signature: inspect.Signature, arrays: tuple[Any, ...], settings: dict[str, Any]
) -> list[Any]:
    """Positional arrays, with those that were given by keyword put at their places."""
    names = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    given = list(arrays)
    for name in names[len(given) :]:
        if name in settings:
            given.append(settings.pop(name))
        else:
            break
    return given


def trace_positional(
    function: Function, types: Sequence[ArrayType], settings: Mapping[str, Any]
) -> Program:
    """The program of a function of positional arrays, with one output, ``result``."""
    names = positional_names(function, len(types))
    return trace(
        lambda arrays: {"result": function(*arrays.values(), **settings)},
        dict(zip(names, types, strict=True)),
    )


def positional_names(function: Function, count: int) -> list[str]:
    """The names of the first positional parameters, for the program to print."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds][:count]
    return names + [f"argument{i}" for i in range(len(names), count)]


def is_number(value: object) -> bool:
    """Whether a person gave a plain number, and so gets one back."""
    return isinstance(value, int | float)


def as_input(value: Any) -> NumpyArray:
    """A person's array as an input: plain numbers are real, whole arrays stay whole."""
    require_unmasked(value)
    array = np.asarray(float(value) if is_number(value) else value)
    return as_numpy(array, type_of(array).dtype)


def as_result(array: NumpyArray, numbers: bool) -> Any:
    """A plain number for plain numbers, else an array of one's own, to write to."""
    return array.item() if numbers and array.ndim == 0 else array.copy()[()]


# Gradients ---------------------------------------------------------------------------


def value_and_gradient(
    function: Function, argument: int | tuple[int, ...] = 0
) -> Function:
    """A function that gives f and its gradient by one or some of its arguments.

    ∇f(w) = (∂f/∂w₁, …, ∂f/∂wₙ)

    Arguments:
        function: a formula; an output that is an array counts as the sum of its
            entries, so an elementwise formula gives its derivative at every point.
        argument: the position of the argument, or a tuple of positions.

    Returns:
        A function of the same arguments that gives ``(value, gradient)``; the gradient
        has the shape of the argument, or is a tuple of such.

    Raises:
        ArgumentError: there is no such argument.
        ShapeError, DtypeError: with the formula's file and line.

    Example:
        >>> import thalweg as tw
        >>> tw.value_and_gradient(lambda w: w**3)(2.0)
        (8.0, 12.0)

    Source: Linnainmaa, "Taylor expansion of the accumulated rounding error", 1976.
    """
    positions = (argument,) if isinstance(argument, int) else tuple(argument)

    def run(*arrays: Any) -> tuple[Any, Any]:
        if any(not 0 <= p < len(arrays) for p in positions):
            raise ArgumentError(
                f"argument must be a position from 0 to {len(arrays) - 1}, "
                f"got {argument}"
            )
        values = [as_real(a) if i in positions else a for i, a in enumerate(arrays)]
        value, gradients = gradients_at(function, values, positions)
        return value, gradients[0] if isinstance(argument, int) else tuple(gradients)

    return run


def gradient(function: Function, argument: int | tuple[int, ...] = 0) -> Function:
    """A function that gives the gradient of f by one or some of its arguments.

    ∇f(w) = (∂f/∂w₁, …, ∂f/∂wₙ)

    Arguments:
        function: a formula; an output that is an array counts as the sum of its
            entries, so an elementwise formula gives its derivative at every point.
        argument: the position of the argument, or a tuple of positions.

    Returns:
        A function of the same arguments that gives the gradient, an array of the
        argument's shape, or a tuple of such.

    Raises:
        ArgumentError: there is no such argument.
        ShapeError, DtypeError: with the formula's file and line.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> tw.gradient(lambda w: tw.sum(w**2))(np.array([1.0, 2.0]))
        array([2., 4.])

    Source: Linnainmaa, "Taylor expansion of the accumulated rounding error", 1976.
    """
    both = value_and_gradient(function, argument)

    def run(*arrays: Any) -> Any:
        return both(*arrays)[1]

    return run


def as_real(array: Any) -> Any:
    """What a gradient is taken by is real: whole numbers become float64."""
    if isinstance(array, Tracer) or is_number(array):
        return array
    require_unmasked(array)
    values = np.asarray(array)
    return values.astype(np.float64) if values.dtype.kind in "biu" else values


def gradients_at(
    function: Function, arrays: Sequence[Any], positions: Sequence[int]
) -> tuple[Any, list[Any]]:
    """The value and the gradients at arrays, or recorded at tracers."""
    tracing = ops.tracing(*arrays)
    if tracing:
        inputs = [
            a if isinstance(a, Tracer) else tracing.constant(as_input(a))
            for a in arrays
        ]
        types = [a.type for a in inputs]
    else:
        inputs = [as_input(a) for a in arrays]
        types = [type_of(a) for a in inputs]
    program = gradient_program(function, types, positions)
    names = list(program.inputs)
    given = dict(zip(names, inputs, strict=True))
    wanted = [f"gradient.{names[p]}" for p in positions]
    if tracing:
        recorded = call(program, cast(dict[str, Tracer], given))
        return recorded["result"], [recorded[name] for name in wanted]
    results = interpret(program, given)
    value = as_result(results["result"], numbers=results["result"].ndim == 0)
    shown = [
        as_result(results[name], numbers=is_number(arrays[p]))
        for name, p in zip(wanted, positions, strict=True)
    ]
    return value, shown


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
    differentiated = differentiate(safe, "objective", list(parameters))
    step = trace(
        functools.partial(step_of, differentiated, parameters, inputs, update, slots),
        step_inputs(parameters, inputs, slots),
    )
    finished = verify(simplify(step))
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
