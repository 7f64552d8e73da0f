"""How the arguments of a word meet: in one trace, in one dtype, in one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from thalweg.errors import ArgumentError, DtypeError, ShapeError
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import Recipe, Size, number_array
from thalweg.program.trace import OPERATIONS, Trace, Tracer, location
from thalweg.program.types import FLOATS, Dtype, Shape, as_numpy, require_unmasked

# A tracer, an array or a number: no static type covers what all three can do.
Array: TypeAlias = Any
Axis: TypeAlias = int | tuple[int, ...] | None


def tracing(*arguments: object) -> Trace | None:
    """The trace that the arguments belong to, the innermost; None for known ones.

    Raises:
        ArgumentError: one is an array with a masked cell.
    """
    found = None
    for argument in arguments:
        if not isinstance(argument, Tracer):
            require_unmasked(argument)
        elif found is None or argument.trace.depth > found.depth:
            found = argument.trace
    return found


def common_dtype(arguments: Sequence[object]) -> Dtype:
    """The dtype in which arguments meet: the tracers' own, floats before integers."""
    dtypes = {a.type.dtype for a in arguments if isinstance(a, Tracer)}
    floats: list[Dtype] = [dtype for dtype in FLOATS if dtype in dtypes]
    if len(floats) == 2:
        raise DtypeError(f"float32 meets float64: cast one of them{location()}")
    if floats:
        return floats[0]
    recording = tracing(*arguments)
    if recording and any(is_float(a) for a in arguments):
        return recording.float_dtype
    wholes: tuple[Dtype, ...] = ("uint32", "int32")
    for whole in wholes:
        if whole in dtypes:
            return whole
    return "bool" if all(is_bool(a) for a in arguments) else "int32"


def is_float(argument: object) -> bool:
    """Whether a known argument holds floating-point numbers."""
    if isinstance(argument, Recipe):
        return True
    return not isinstance(argument, Tracer) and np.asarray(argument).dtype.kind == "f"


def is_bool(argument: object) -> bool:
    """Whether an argument holds booleans."""
    if isinstance(argument, Tracer):
        return argument.type.dtype == "bool"
    return np.asarray(argument).dtype.kind == "b"


def lift(recording: Trace, argument: object, dtype: Dtype) -> Tracer:
    """An argument as a tracer of this dtype."""
    if isinstance(argument, Tracer):
        return recording.own(argument.astype(dtype))
    if isinstance(argument, Size | Recipe):
        return recording.constant(number_array(argument, dtype))
    array = np.asarray(argument)
    if array.dtype.kind not in "biuf":
        raise DtypeError(f"must be numbers or booleans, got {array.dtype}{location()}")
    try:
        with np.errstate(over="raise"):
            return recording.constant(as_numpy(array, dtype))
    except DtypeError as error:
        raise DtypeError(f"{error}{location()}") from None
    except FloatingPointError:
        most = np.finfo(dtype).max
        raise ArgumentError(
            f"a number in a formula must be at most {most:.2g} in size to be {dtype}, "
            f"got {np.abs(array).max():.2g}{location()}"
        ) from None


def broadcast_shape(shapes: Sequence[Shape]) -> Shape:
    """The shape that all shapes repeat to, by NumPy's rule."""
    rank = max((len(shape) for shape in shapes), default=0)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result: list[int] = []
    for sizes in zip(*padded, strict=True):
        others = [n for n in sizes if n != 1]
        if any(n != others[0] for n in others[1:]):
            shown = " and ".join(map(str, shapes))
            raise ShapeError(f"shapes {shown} don't fit together{location()}")
        result.append(others[0] if others else 1)
    return tuple(result)


def elementwise(opcode: str, *arguments: Array) -> Array:
    """Apply an elementwise primitive, in one dtype and one shape."""
    recording = tracing(*arguments)
    if recording is None:
        broadcast_shape([np.shape(a) for a in arguments])
        return PRIMITIVES[opcode].meaning(*arguments)
    dtype = common_dtype(arguments)
    return emit_broadcast(opcode, [lift(recording, a, dtype) for a in arguments])


def emit_broadcast(opcode: str, arguments: Sequence[Tracer]) -> Tracer:
    """Record an elementwise primitive of tracers that are broadcast first."""
    shape = broadcast_shape([a.shape for a in arguments])
    repeated = [OPERATIONS["broadcast_to"](a, shape) for a in arguments]
    return arguments[0].trace.emit(opcode, repeated)


def record(opcode: str, x: Array, **attributes: Any) -> Array:
    """Apply a primitive of one array, which has attributes."""
    if isinstance(x, Tracer):
        return x.trace.emit(opcode, (x,), **attributes)
    require_unmasked(x)
    return PRIMITIVES[opcode].meaning(np.asarray(x), **attributes)


def shape_of(x: Array) -> Shape:
    """The shape of a tracer, an array or a number."""
    return tuple(x.shape) if isinstance(x, Tracer) else np.shape(x)
