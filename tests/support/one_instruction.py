"""Programs of one instruction, by the engine and by the interpreter."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.testing import assert_array_equal

from thalweg.backends.engine.assemble import compile_program
from thalweg.backends.engine.native import NativeProgram, clear_errors
from thalweg.backends.numpy.interpret import interpret
from thalweg.program.ir import Program, verify
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray, type_of

# Units in the last place from the interpreter's value; 0 where no name stands here.
ULPS = {
    "divide": 1,
    "power": 16,
    "exp": 4,
    "expm1": 8,
    "log": 4,
    "log1p": 8,
    "sin": 4,
    "cos": 4,
    "tanh": 6,
    "sigmoid": 8,
    "softplus": 8,
    "erf": 8,
}
# Another order of the same numbers, or a product and a sum that are rounded once.
SUMMING = ("sum", "matmul", "contract", "scatter_add", "scan")


# Running -----------------------------------------------------------------------------


def run(program: Program, arrays: list[NumpyArray], isa: str) -> NumpyArray:
    """The output y by the engine, in memory that held something else before."""
    given = dict(zip(program.inputs, map(np.array, arrays), strict=True))
    type = program.output_types()["y"]
    y = np.full(type.shape, 1, type.dtype)
    bound = NativeProgram(compile_program(program), {**given, "y": y}, isa)
    with clear_errors():
        bound.engine.run()
    for name, array in zip(program.inputs, arrays, strict=True):
        assert_array_equal(given[name], array)
    return y


# Views: for an array, another one and what makes the first of it.
View = Callable[[NumpyArray], tuple[NumpyArray, Callable[[Tracer], Tracer]]]


def emit(x: Tracer, opcode: str, **attributes: Any) -> Tracer:
    return x.trace.emit(opcode, (x,), **attributes)


def plain(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    return array, lambda x: x


def transposed(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    axes = tuple(reversed(range(array.ndim)))
    return np.array(array.T, order="C"), lambda x: emit(x, "transpose", axes=axes)


def backwards(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    """From the last element to the first along every axis that has any."""
    turned = [n > 0 for n in array.shape]
    base = np.array(array[tuple(slice(None, None, -1 if t else 1) for t in turned)])
    starts = tuple(n - 1 if n else 0 for n in array.shape)
    ends, steps = ([-1 if t else 0 for t in turned], [-1 if t else 1 for t in turned])
    kept = {"starts": starts, "stops": tuple(ends), "steps": tuple(steps)}
    return base, lambda x: emit(x, "slice", **kept)


def every_second(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    wide = np.full([2 * n + 1 for n in array.shape], 1, array.dtype)
    wide[(slice(1, None, 2),) * array.ndim] = array
    starts, steps = (1,) * array.ndim, (2,) * array.ndim
    stops = tuple(2 * n + 1 if n else 1 for n in array.shape)
    return wide, lambda x: emit(x, "slice", starts=starts, stops=stops, steps=steps)


def repeated(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    """Its first element along the first axis, for all of them."""
    if not array.size or not array.ndim:
        return array, lambda x: x
    return array[:1], lambda x: emit(x, "broadcast", shape=array.shape)


def repeated_last(array: NumpyArray) -> tuple[NumpyArray, Callable[[Tracer], Tracer]]:
    if not array.size or not array.ndim:
        return array, lambda x: x
    return array[..., :1], lambda x: emit(x, "broadcast", shape=array.shape)


VIEWS: tuple[View, ...] = (
    *(plain, transposed, every_second, backwards),
    *(repeated, repeated_last),
)


def own_type(array: NumpyArray) -> ArrayType:
    """The type of an input that holds an array; bytes are bytes."""
    if array.dtype == np.uint8:
        return ArrayType(array.shape, "uint8")
    return type_of(array)


def program_of(
    opcode: str,
    arrays: list[NumpyArray],
    attributes: Mapping[str, Any],
    view: View = plain,
) -> tuple[Program, list[NumpyArray]]:
    """A program of one instruction that reads its inputs through views."""
    seen = [view(array) for array in arrays]

    def build(values: dict[str, Tracer]) -> dict[str, Tracer]:
        pairs = zip(seen, values.values(), strict=True)
        inputs = [make(value) for (_, make), value in pairs]
        return {"y": inputs[0].trace.emit(opcode, inputs, **attributes)}

    bases = [base for base, _ in seen]
    types = {f"x{i}": own_type(base) for i, base in enumerate(bases)}
    return verify(trace(build, types)), bases


def interpreted(program: Program, arrays: list[NumpyArray]) -> NumpyArray:
    return interpret(program, dict(zip(program.inputs, arrays, strict=True)))["y"]


# Comparing ---------------------------------------------------------------------------


def is_near(got: NumpyArray, expected: NumpyArray, allowed: Any) -> NumpyArray:
    """Where two arrays hold the same; zero stands for subnormal numbers, too."""
    same = (got == expected) | ((got != got) & (expected != expected))
    if got.dtype.kind != "f":
        return same
    with np.errstate(all="ignore"):
        smallest = np.finfo(got.dtype).smallest_normal
        flushed = (got == 0) & (np.abs(expected) <= smallest)
        return same | flushed | (np.abs(got - expected) <= allowed)


def allowance(opcode: str, expected: NumpyArray, magnitude: NumpyArray) -> Any:
    """How far a result may be from the interpreter's.

    Arguments:
        magnitude: what a sum's result would be if no number was negative.
    """
    if expected.dtype.kind != "f":
        return 0
    if opcode in SUMMING:
        return 32 * np.finfo(expected.dtype).eps * magnitude
    finite = np.where(np.isfinite(expected), expected, 0)
    return ULPS.get(opcode, 0) * np.spacing(np.abs(finite))


def magnitude_of(program: Program, opcode: str, arrays: list[NumpyArray]) -> NumpyArray:
    if opcode not in SUMMING:
        return np.zeros(())
    return interpreted(program, [np.abs(array) for array in arrays])


def assert_conforms(
    program: Program, opcode: str, arrays: list[NumpyArray], isa: str
) -> None:
    """The engine's y is the interpreter's, within what the primitive is allowed."""
    got, expected = run(program, arrays, isa), interpreted(program, arrays)
    assert own_type(got) == own_type(expected)
    allowed = allowance(opcode, expected, magnitude_of(program, opcode, arrays))
    near = is_near(got, expected, allowed)
    if not near.all():
        where = tuple(np.argwhere(~near)[0])
        raise AssertionError(
            f"{opcode} in {isa} at {where}: got {got[where]!r}, "
            f"expected {expected[where]!r}\n{program}"
        )
