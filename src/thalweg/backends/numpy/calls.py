"""Formulas on arrays: traced, made safe, and run by NumPy."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np

from thalweg.backends.numpy.interpret import interpret
from thalweg.errors import ArgumentError
from thalweg.program.arguments import tracing
from thalweg.program.compile import (
    gradient_program,
    make_safe,
    trace_structure,
)
from thalweg.program.ir import Program
from thalweg.program.passes.simplify import simplify
from thalweg.program.structure import with_leaves
from thalweg.program.trace import Tracer, call
from thalweg.program.types import (
    ArrayType,
    NumpyArray,
    as_numpy,
    require_unmasked,
    type_of,
)

Function = Callable[..., Any]
Arrays = dict[str, Any]
FunctionType = TypeVar("FunctionType", bound=Function)


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
        if tracing(*arrays, *settings.values()):
            return function(*arrays, **settings)
        return compiled(*arrays, **settings)

    return cast(FunctionType, call_formula)


def compile(function: Function) -> Function:
    """The function, traced once for every combination of shapes, and run from then on.

    Arguments:
        function: takes arrays and numbers by position, and plain settings by keyword;
            gives an array, or arrays in tuples, lists and dicts, which may hold each
            other.

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
        >>> tw.compile(tw.value_and_gradient(lambda w, x: w * x, (0, 1)))(2.0, 3.0)
        (6.0, (3.0, 2.0))
    """
    signature = inspect.signature(function)
    defaults = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    }

    @functools.lru_cache(maxsize=256)
    def program_of(
        types: tuple[ArrayType, ...], settings: tuple[Any, ...]
    ) -> tuple[Program, Any]:
        traced, structure = trace_structure(function, types, dict(settings))
        return simplify(make_safe(traced)), structure

    @functools.wraps(function)
    def run(*arrays: Any, **settings: Any) -> Any:
        if tracing(*arrays, *settings.values()):
            return function(*arrays, **settings)
        given = without_defaults(move_arrays(signature, arrays, settings))
        values = [as_input(array) for array in given]
        types = tuple(type_of(value) for value in values)
        program, structure = program_of(types, tuple(sorted(settings.items())))
        results = interpret(program, dict(zip(program.inputs, values, strict=True)))
        numbers = all(map(is_number, given))
        return with_leaves(structure, lambda name: as_result(results[name], numbers))

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


def without_defaults(given: list[Any]) -> list[Any]:
    """Positional arrays without the last ones that are None, which none is.

    >>> without_defaults([1, None, 2, None])
    [1, None, 2]
    """
    count = len(given)
    while count and given[count - 1] is None:
        count -= 1
    return given[:count]


def is_number(value: object) -> bool:
    """Whether the user gave a plain number, and so gets one back."""
    return isinstance(value, int | float)


def as_input(value: Any) -> NumpyArray:
    """The user's array as an input: plain numbers are real, whole arrays stay whole."""
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
    recording = tracing(*arrays)
    if recording:
        inputs = [
            a if isinstance(a, Tracer) else recording.constant(as_input(a))
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
    if recording:
        recorded = call(program, cast(dict[str, Tracer], given))
        return recorded["result"], [recorded[name] for name in wanted]
    results = interpret(program, given)
    value = as_result(results["result"], numbers=results["result"].ndim == 0)
    shown = [
        as_result(results[name], numbers=is_number(arrays[p]))
        for name, p in zip(wanted, positions, strict=True)
    ]
    return value, shown
