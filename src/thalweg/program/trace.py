"""Recording: a formula called with tracers writes a program instead of computing."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np

from thalweg.errors import DtypeError, ShapeError, TracingError
from thalweg.program.ir import Instruction, Program, without_dead_code
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import RecipeArray
from thalweg.program.types import (
    ArrayType,
    Dtype,
    NumpyArray,
    Shape,
    as_numpy,
    type_of,
)

MOST_AXES = 8  # of an array that the engine knows
PROGRAM_FOLDER = str(Path(__file__).parent)

# `ops` enters its functions here by their names, so that a tracer's operators and
# NumPy's own functions find them without this file knowing the file above it.
OPERATIONS: dict[str, Callable[..., Any]] = {}
# NumPy's functions of these names flatten first, or split the first axis.
OTHER_DEFAULTS = ("argmax", "take", "split")
OTHER_NAMES = {
    "amax": "max",
    "amin": "min",
    "cumsum": "cumulative_sum",
    "std": "standard_deviation",
    "var": "variance",
}

Operation = TypeVar("Operation", bound=Callable[..., Any])
Rewriter = Callable[
    ["Trace", str, tuple["Tracer", ...], Mapping[str, Any]], "Tracer | None"
]


def depth_of(recording: Trace) -> int:
    """In how many others a trace stands."""
    return recording.depth


def operation(function: Operation) -> Operation:
    """Enter a function of `ops` under its name."""
    OPERATIONS[function.__name__] = function
    return function


class Trace:
    """A program in the making.

    A rewriter sees every instruction before it is recorded, and may give another
    value in its place.
    """

    def __init__(
        self, rewriter: Rewriter | None = None, outer: Trace | None = None
    ) -> None:
        self.inputs: dict[str, ArrayType] = {}
        self.instructions: list[Instruction | None] = []  # None for an input
        self.outer = outer
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.captured: dict[int, Tracer] = {}  # of the outer trace, by their values
        self._rewriter = rewriter

    @property
    def float_dtype(self) -> Dtype:
        """The dtype of this trace's real numbers: that of its first such input."""
        for type in self.inputs.values():
            if type.is_float:
                return type.dtype
        return "float64"

    def input(self, name: str, type: ArrayType) -> Tracer:
        """A named input; all inputs come before the first instruction."""
        if len(self.instructions) != len(self.inputs):
            raise TracingError(f"input {name} comes after the first instruction")
        if name in self.inputs:
            raise TracingError(f"two inputs are named {name}")
        self.inputs[name] = type
        self.instructions.append(None)
        return Tracer(self, len(self.instructions) - 1, type)

    def emit(self, opcode: str, inputs: Sequence[Tracer], **attributes: Any) -> Tracer:
        """Record one instruction, and give its value."""
        arguments = tuple(inputs)
        if any(each.trace is not self for each in arguments):
            inner = max((each.trace for each in arguments), key=depth_of)
            if inner.depth > self.depth:
                return inner.emit(opcode, arguments, **attributes)
            arguments = tuple(map(self.own, arguments))
        if self._rewriter is not None:
            replaced = self._rewriter(self, opcode, arguments, attributes)
            if replaced is not None:
                return replaced
        return self.record(opcode, arguments, attributes)

    def own(self, tracer: Tracer) -> Tracer:
        """A value of this trace; one of the trace around it becomes an input."""
        if tracer.trace is self:
            return tracer
        if self.outer is None:
            raise TracingError(
                "a formula mixes values of two traces; give it every array that it "
                f"needs as an argument{location()}"
            )
        outer = self.outer.own(tracer)
        if outer.value not in self.captured:
            self.captured[outer.value] = self._capture(outer)
        return self.captured[outer.value]

    def _capture(self, outer: Tracer) -> Tracer:
        """A value of the trace around this one, which becomes an input."""
        self.instructions.append(None)
        return Tracer(self, len(self.instructions) - 1, outer.type)

    def record(
        self, opcode: str, inputs: tuple[Tracer, ...], attributes: Mapping[str, Any]
    ) -> Tracer:
        """Append an instruction as it is."""
        types = [argument.type for argument in inputs]
        try:
            type = PRIMITIVES[opcode].infer(*types, **attributes)
        except (ShapeError, DtypeError) as error:
            raise error.__class__(f"{opcode}: {error}{location()}") from None
        if len(type.shape) > MOST_AXES and _WITHIN.labels:
            raise ShapeError(
                f"an array in a network may have {MOST_AXES} axes at most, "
                f"got shape {type.shape}{location()}"
            )
        values = tuple(argument.value for argument in inputs)
        self.instructions.append(Instruction(opcode, values, attributes, type))
        return Tracer(self, len(self.instructions) - 1, type)

    def constant(self, value: NumpyArray | RecipeArray) -> Tracer:
        """An array that is known while tracing, or as soon as all sizes are."""
        if isinstance(value, RecipeArray):
            return self.emit("constant", (), value=value)
        frozen = np.array(value)
        frozen.flags.writeable = False
        return self.emit("constant", (), value=frozen)

    def value_of(self, value: int) -> Tracer:
        """The tracer of a value number."""
        instruction = self.instructions[value]
        if instruction is not None:
            return Tracer(self, value, instruction.type)
        for captured in self.captured.values():
            if captured.value == value:
                return captured
        return Tracer(self, value, list(self.inputs.values())[value])

    def program(self, outputs: Mapping[str, Tracer]) -> Program:
        """What was recorded, without what no output needs.

        What was captured is an input after the others, ``w1``, ``w2``, ….
        """
        captured = enumerate(self.captured.values(), 1)
        inputs = {**self.inputs, **{f"w{k}": each.type for k, each in captured}}
        instructions = tuple(i for i in self.instructions if i is not None)
        values = {name: tracer.value for name, tracer in outputs.items()}
        if self.captured:
            number = self._numbers()
            instructions = tuple(
                each.reading(tuple(number[v] for v in each.inputs))
                for each in instructions
            )
            values = {name: number[value] for name, value in values.items()}
        return without_dead_code(Program(inputs, instructions, values))

    def _numbers(self) -> dict[int, int]:
        """The numbers of values where those that were captured come first."""
        every = range(len(self.instructions))
        first = [v for v in every if self.instructions[v] is None]
        rest = [v for v in every if self.instructions[v] is not None]
        return {value: number for number, value in enumerate([*first, *rest])}


class Tracer:
    """A value of a program in the making: it has a type, and no numbers yet."""

    __slots__ = ("trace", "type", "value")
    __hash__ = object.__hash__

    def __init__(self, trace: Trace, value: int, type: ArrayType) -> None:
        self.trace = trace
        self.value = value
        self.type = type

    def __repr__(self) -> str:
        return f"Tracer(%{self.value} {self.type})"

    @property
    def shape(self) -> Shape:
        """The shape, known while tracing."""
        return self.type.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.type.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.type.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype, as NumPy names it."""
        return np.dtype(self.type.dtype)

    @property
    def T(self) -> Tracer:  # noqa: N802 - NumPy's name
        """The axes in reverse order."""
        return OPERATIONS["transpose"](self)

    def __len__(self) -> int:
        if not self.type.shape:
            raise TypeError("a single number has no length")
        return self.type.shape[0]

    def __iter__(self) -> Iterator[Tracer]:
        return iter([self[i] for i in range(len(self))])

    def __getitem__(self, index: Any) -> Tracer:
        return OPERATIONS["index"](self, index)

    def reshape(self, *shape: Any) -> Tracer:
        """The elements in order, in another shape."""
        return OPERATIONS["reshape"](self, shape[0] if len(shape) == 1 else shape)

    def astype(self, dtype: Any) -> Tracer:
        """The values in another dtype."""
        return OPERATIONS["cast"](self, dtype)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        """Sum over all axes, or over some."""
        return OPERATIONS["sum"](self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        """Mean over all axes, or over some."""
        return OPERATIONS["mean"](self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        """Maximum over all axes, or over some."""
        return OPERATIONS["max"](self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tracer:
        """Minimum over all axes, or over some."""
        return OPERATIONS["min"](self, axis, keepdims)

    def __bool__(self) -> bool:
        self._has_no_value("true or false", "choose by tw.where(condition, x, y)")

    def __float__(self) -> float:
        self._has_no_value("a number", "keep it as an array")

    def __int__(self) -> int:
        self._has_no_value("a whole number", "keep it as an array")

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        self._has_no_value("a NumPy array", "use thalweg's functions of the same name")

    def _has_no_value(self, what: str, advice: str) -> NoReturn:
        raise TracingError(
            f"a formula needs {self.type} as {what}, but while it is traced there are "
            f"no values yet: {advice}{location()}"
        )

    def __array_ufunc__(
        self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        called: str = ufunc.__name__
        name = {"true_divide": "divide", "abs": "absolute"}.get(called, called)
        if method != "__call__" or kwargs or name not in OPERATIONS:
            raise TracingError(
                f"np.{called} can't be recorded; use thalweg's functions{location()}"
            )
        return OPERATIONS[name](*inputs)

    def __array_function__(self, function: Any, _: Any, args: Any, kwargs: Any) -> Any:
        called: str = function.__name__
        name = OTHER_NAMES.get(called, called)
        try:
            if name in OTHER_DEFAULTS:
                raise TypeError("it has other defaults")
            inspect.signature(OPERATIONS[name]).bind(*args, **kwargs)
        except (KeyError, TypeError) as error:
            raise TracingError(
                f"np.{called} can't be recorded ({error}); "
                f"use thalweg's functions{location()}"
            ) from None
        return OPERATIONS[name](*args, **kwargs)

    def __add__(self, other: Any) -> Tracer:
        return OPERATIONS["add"](self, other)

    def __radd__(self, other: Any) -> Tracer:
        return OPERATIONS["add"](other, self)

    def __sub__(self, other: Any) -> Tracer:
        return OPERATIONS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Tracer:
        return OPERATIONS["subtract"](other, self)

    def __mul__(self, other: Any) -> Tracer:
        return OPERATIONS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Tracer:
        return OPERATIONS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Tracer:
        return OPERATIONS["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Tracer:
        return OPERATIONS["divide"](other, self)

    def __pow__(self, other: Any) -> Tracer:
        return OPERATIONS["power"](self, other)

    def __rpow__(self, other: Any) -> Tracer:
        return OPERATIONS["power"](other, self)

    def __matmul__(self, other: Any) -> Tracer:
        return OPERATIONS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Tracer:
        return OPERATIONS["matmul"](other, self)

    def __neg__(self) -> Tracer:
        return OPERATIONS["negative"](self)

    def __pos__(self) -> Tracer:
        return self

    def __abs__(self) -> Tracer:
        return OPERATIONS["absolute"](self)

    def __invert__(self) -> Tracer:
        return OPERATIONS["logical_not"](self)

    def __lt__(self, other: Any) -> Tracer:
        return OPERATIONS["less"](self, other)

    def __le__(self, other: Any) -> Tracer:
        return OPERATIONS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Tracer:
        return OPERATIONS["less"](other, self)

    def __ge__(self, other: Any) -> Tracer:
        return OPERATIONS["less_equal"](other, self)

    def __and__(self, other: Any) -> Tracer:
        return OPERATIONS["logical_and"](self, other)

    def __or__(self, other: Any) -> Tracer:
        return OPERATIONS["logical_or"](self, other)

    # Comparing arrays gives an array, where object's own methods give a bool.
    def __eq__(self, other: Any) -> Tracer:  # pyright: ignore
        return OPERATIONS["equal"](self, other)

    def __ne__(self, other: Any) -> Tracer:  # pyright: ignore
        return OPERATIONS["not_equal"](self, other)


# Where a formula stands --------------------------------------------------------------


class Within(threading.local):
    """Where the formula stands that this thread traces; others trace their own.

    Attributes:
        labels: what errors say of it, the innermost last.
        bodies: of loops that are traced now, the innermost last.
    """

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.bodies: list[Trace] = []


_WITHIN = Within()


@contextmanager
def tracing_body(body: Trace) -> Generator[None]:
    """What is recorded inside is the step of a loop, which runs again and again."""
    _WITHIN.bodies.append(body)
    try:
        yield
    finally:
        _WITHIN.bodies.pop()


def require_outside_loops(what: str) -> None:
    """What a step would do alike at each time is done before the loop.

    Raises:
        TracingError: the step of a loop is traced now.
    """
    if _WITHIN.bodies:
        raise TracingError(
            f"the step of a loop can't {what}, which would be the same at each time: "
            "do it for all times before the loop, and give it as a sequence"
            f"{location()}"
        )


@contextmanager
def labeled(label: str) -> Generator[None]:
    """Errors raised inside say the label, such as ``layer 2, Dense(64)``."""
    _WITHIN.labels.append(label)
    try:
        yield
    finally:
        _WITHIN.labels.pop()


def location() -> str:
    """The layer and the formula's line, as the end of an error's sentence."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back and frame.f_code.co_filename.startswith(PROGRAM_FOLDER):
        frame = frame.f_back
    labels = _WITHIN.labels
    label = f"{', '.join(labels)}; " if labels else ""
    return f" ({label}{frame.f_code.co_filename}, line {frame.f_lineno})"


# Tracing a function ------------------------------------------------------------------


def trace(
    function: Callable[[dict[str, Tracer]], Mapping[str, Any]],
    inputs: Mapping[str, ArrayType],
) -> Program:
    """The program that a function of named arrays writes when it is called once.

    Arguments:
        function: takes the inputs by name, gives the outputs by name.
        inputs: the type of every input.

    Raises:
        ShapeError, DtypeError: with the layer and the formula's line.

    Example:
        >>> from thalweg.program.types import ArrayType
        >>> x = ArrayType((3,), "float32")
        >>> print(trace(lambda arrays: {"y": arrays["x"] * 2.0}, {"x": x}))
        program(x: f32[3]) {
          %1 f32[] = constant(value=2.0)
          %2 f32[3] = broadcast(%1, shape=(3,))
          %3 f32[3] = multiply(x, %2)
          return y=%3
        }
    """
    recording = Trace()
    tracers = {name: recording.input(name, type) for name, type in inputs.items()}
    outputs = function(tracers)
    return recording.program({k: as_tracer(recording, v) for k, v in outputs.items()})


def as_tracer(recording: Trace, value: Any) -> Tracer:
    """A formula's result as a value of this trace; a constant becomes one."""
    if isinstance(value, Tracer):
        return recording.own(value)
    try:
        array = np.asarray(value)
        return recording.constant(as_numpy(array, type_of(array).dtype))
    except (TypeError, ValueError):
        raise TracingError(
            f"a formula must give an array, got {type(value).__name__}{location()}"
        ) from None


def inline(program: Program, into: Trace, inputs: Mapping[str, Tracer]) -> list[Tracer]:
    """Record a program's instructions in another trace; the tracer of every value."""
    values = [inputs[name] for name in program.inputs]
    for instruction in program.instructions:
        arguments = [values[v] for v in instruction.inputs]
        values.append(
            into.emit(instruction.opcode, arguments, **instruction.attributes)
        )
    return values


def call(program: Program, inputs: Mapping[str, Tracer]) -> dict[str, Tracer]:
    """Use a program as a function while another is traced."""
    into = next(iter(inputs.values())).trace
    values = inline(program, into, inputs)
    return {name: values[value] for name, value in program.outputs.items()}
