"""The gradient of every primitive, one formula each, in the words of `ops`.

Each takes the cotangent of the output (the derivative of the objective by it), the
output and the inputs, and gives a cotangent for every input; None where an input has
none.
"""

# The lambdas of the table are typed by the table.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from thalweg.program import ops
from thalweg.program.loops import scan_gradient
from thalweg.program.primitives import TABLE
from thalweg.program.trace import Tracer
from thalweg.program.types import Shape

Cotangents = tuple[Any, ...]
Gradient = Callable[..., Cotangents]


def unbroadcast(cotangent: Tracer, shape: Shape) -> Tracer:
    """What was repeated adds up."""
    new = cotangent.ndim - len(shape)
    repeated = [
        new + i for i, n in enumerate(shape) if n == 1 != cotangent.shape[new + i]
    ]
    total = ops.sum(cotangent, axis=(*range(new), *repeated), keepdims=True)
    return ops.reshape(total, shape)


def max_gradient(
    cotangent: Tracer, largest: Tracer, x: Tracer, axes: Shape
) -> Cotangents:
    """The largest elements share the cotangent."""
    is_largest = ops.cast(ops.equal(x, largest), x.type.dtype)
    return (cotangent * is_largest / ops.sum(is_largest, axis=axes, keepdims=True),)


def matmul_gradient(
    cotangent: Tracer,
    _: Tracer,
    a: Tracer,
    b: Tracer,
    transpose_a: bool,
    transpose_b: bool,
) -> Cotangents:
    """∂(A B): the cotangent times Bᵀ, and Aᵀ times the cotangent."""

    def product(x: Tracer, y: Tracer, transpose_x: bool, transpose_y: bool) -> Tracer:
        return x.trace.emit(
            "matmul", (x, y), transpose_a=transpose_x, transpose_b=transpose_y
        )

    by_a = (
        product(b, cotangent, transpose_b, True)
        if transpose_a
        else product(cotangent, b, False, not transpose_b)
    )
    by_b = (
        product(cotangent, a, True, transpose_a)
        if transpose_b
        else product(a, cotangent, not transpose_a, False)
    )
    return by_a, by_b


def concatenate_gradient(
    cotangent: Tracer, _: Tracer, *parts: Tracer, axis: int
) -> Cotangents:
    """Each part gets its piece."""
    pieces: list[Tracer] = []
    start = 0
    for part in parts:
        stop = start + part.shape[axis]
        pieces.append(cotangent[(slice(None),) * axis + (slice(start, stop),)])
        start = stop
    return tuple(pieces)


def slice_gradient(
    cotangent: Tracer, _: Tracer, x: Tracer, starts: Shape, stops: Shape, steps: Shape
) -> Cotangents:
    """Back to its place, among zeros."""
    return (
        cotangent.trace.emit(
            "pad", (cotangent,), starts=starts, steps=steps, shape=x.shape
        ),
    )


def pad_gradient(
    cotangent: Tracer, _: Tracer, x: Tracer, starts: Shape, steps: Shape, shape: Shape
) -> Cotangents:
    """Out of its place again."""
    sizes = zip(starts, steps, x.shape, strict=True)
    place = tuple(slice(a, a + s * (n - 1) + 1 if n else a, s) for a, s, n in sizes)
    return (cotangent[place],)


def take_gradient(
    cotangent: Tracer, _: Tracer, table: Tracer, indices: Tracer
) -> Cotangents:
    """Rows taken more than once add up."""
    rows = table.shape[0]
    return cotangent.trace.emit("scatter_add", (cotangent, indices), rows=rows), None


def power_gradient(cotangent: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Cotangents:
    """y x^(y−1), and x^y log x."""
    by_y = ops.where(
        ops.equal(x, 0), 0.0, out * ops.log(ops.where(ops.equal(x, 0), 1.0, x))
    )
    return cotangent * y * x ** (y - 1), cotangent * by_y


def cast_gradient(cotangent: Tracer, _: Tracer, x: Tracer, dtype: str) -> Cotangents:
    """Back to the dtype that it had, if that has derivatives."""
    return (ops.cast(cotangent, x.type.dtype) if x.type.is_float else None,)


# ct: cotangent of the output.
GRADIENTS: dict[str, Gradient] = {
    "add": lambda ct, out, x, y: (ct, ct),
    "subtract": lambda ct, out, x, y: (ct, -ct),
    "multiply": lambda ct, out, x, y: (ct * y, ct * x),
    "divide": lambda ct, out, x, y: (ct / y, -ct * out / y),
    "negative": lambda ct, out, x: (-ct,),
    "power": power_gradient,
    "maximum": lambda ct, out, x, y: (
        ops.where(x > y, ct, 0.0),
        ops.where(x > y, 0.0, ct),
    ),
    "minimum": lambda ct, out, x, y: (
        ops.where(x < y, ct, 0.0),
        ops.where(x < y, 0.0, ct),
    ),
    "absolute": lambda ct, out, x: (ct * ops.sign(x),),
    "exp": lambda ct, out, x: (ct * out,),
    "expm1": lambda ct, out, x: (ct * (out + 1),),
    "log": lambda ct, out, x: (ct / x,),
    "log1p": lambda ct, out, x: (ct / (1 + x),),
    "sqrt": lambda ct, out, x: (ct / (2 * out),),
    "sin": lambda ct, out, x: (ct * ops.cos(x),),
    "cos": lambda ct, out, x: (-ct * ops.sin(x),),
    "tanh": lambda ct, out, x: (ct * (1 - out * out),),
    "sigmoid": lambda ct, out, x: (ct * (out * (1 - out)),),
    "softplus": lambda ct, out, x: (ct * ops.logistic(x),),
    "erf": lambda ct, out, x: (ct * (2 / math.sqrt(math.pi)) * ops.exp(-x * x),),
    "select": lambda ct, out, c, x, y: (
        None,
        ops.where(c, ct, 0.0),
        ops.where(c, 0.0, ct),
    ),
    "cast": cast_gradient,
    "sum": lambda ct, out, x, axes: (ops.broadcast_to(ct, x.shape),),
    "max": max_gradient,
    "reshape": lambda ct, out, x, shape: (ops.reshape(ct, x.shape),),
    "transpose": lambda ct, out, x, axes: (
        ops.transpose(ct, [axes.index(i) for i in range(len(axes))]),
    ),
    "broadcast": lambda ct, out, x, shape: (unbroadcast(ct, x.shape),),
    "slice": slice_gradient,
    "pad": pad_gradient,
    "concatenate": concatenate_gradient,
    "matmul": matmul_gradient,
    "take": take_gradient,
    "scan": scan_gradient,
    "scatter_add": lambda ct, out, x, indices, rows: (ops.take(ct, indices), None),
}

_missing = {row.name for row in TABLE if not row.no_gradient} ^ set(GRADIENTS)
if _missing:
    raise ImportError(f"gradient formulas and primitives disagree: {sorted(_missing)}")
