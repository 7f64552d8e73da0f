"""Algebra: the same values with less work."""

# The lambdas of the table are typed by the table.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.pieces import slice_of_pad, sum_of_pieces
from thalweg.program.passes.rewrite import (
    Constant,
    Rule,
    Variable,
    definition,
    pattern,
    rewrite,
    single_value,
)
from thalweg.program.primitives import PRIMITIVES
from thalweg.program.sizes import holds
from thalweg.program.trace import Trace, Tracer
from thalweg.program.types import Shape

x, y, z, c = Variable("x"), Variable("y"), Variable("z"), Variable("c")
a, b = Constant("a"), Constant("b")
add, subtract, multiply = pattern("add"), pattern("subtract"), pattern("multiply")
divide, negative, power = pattern("divide"), pattern("negative"), pattern("power")
select, equal, cast = pattern("select"), pattern("equal"), pattern("cast")
reshape, broadcast = pattern("reshape"), pattern("broadcast")
transpose, total = pattern("transpose"), pattern("sum")
logical_not, part = pattern("logical_not"), pattern("slice")


def without_leading_ones(shape: Shape) -> Shape:
    """A shape from its first size that isn't 1."""
    kept = next((i for i, n in enumerate(shape) if n != 1), len(shape))
    return shape[kept:]


def is_real(x: Tracer, **_: Any) -> bool:
    """Whether a factor may change its sign: whole numbers would wrap."""
    return x.type.is_float


def is_normal(x: Tracer, a: float, b: float) -> bool:
    """Whether the product of two factors neither overflows, vanishes nor wraps."""
    if not x.type.is_float:
        return False
    limits = np.finfo(x.dtype)
    least, most = float(limits.tiny), float(limits.max)
    return holds(lambda product: least <= abs(product) <= most, a * b)


def negative_sum(x: Tracer, axes: Shape) -> Tracer:
    """Σ -x = -Σ x: fewer signs are turned."""
    return -ops.sum(x, axes, keepdims=True)


# Each keeps NaN and infinity: x·0 = 0 and x − x = 0 are no rules.
RULES = (
    Rule("x + 0 = x", add(x, 0), lambda x: x),
    Rule("x - 0 = x", subtract(x, 0), lambda x: x),
    Rule("0 - x = -x", subtract(0, x), lambda x: -x),
    Rule("x * 1 = x", multiply(x, 1), lambda x: x),
    Rule("x * -1 = -x", multiply(x, -1), lambda x: -x),
    Rule("x / 1 = x", divide(x, 1), lambda x: x),
    Rule("-(-x) = x", negative(negative(x)), lambda x: x),
    Rule("x + -y = x - y", add(x, negative(y)), lambda x, y: x - y),
    Rule("x - -y = x + y", subtract(x, negative(y)), lambda x, y: x + y),
    Rule("-x * -y = x * y", multiply(negative(x), negative(y)), lambda x, y: x * y),
    Rule("-x * a = x * -a", multiply(negative(x), a), lambda x, a: x * -a, is_real),
    Rule("-(x * a) = x * -a", negative(multiply(x, a)), lambda x, a: x * -a, is_real),
    Rule("-(x - y) = y - x", negative(subtract(x, y)), lambda x, y: y - x),
    Rule(
        "x * a * b = x * ab",
        multiply(multiply(x, a), b),
        lambda x, a, b: x * (a * b),
        when=is_normal,
    ),
    Rule("x^1 = x", power(x, 1), lambda x: x),
    Rule("x^2 = x x", power(x, 2), lambda x: x * x),
    Rule("x^3 = x x x", power(x, 3), lambda x: x * x * x),
    Rule("x^0 = 1", power(x, 0), lambda x: 1),
    Rule("x^-1 = 1 / x", power(x, -1), lambda x: 1 / x),
    Rule("x^(1/2) = sqrt x", power(x, 0.5), lambda x: ops.sqrt(x)),
    Rule("select(c, x, x) = x", select(c, x, x), lambda c, x: x),
    Rule(
        "select(x = 0, 0, x * a) = x * a",
        select(equal(x, 0), 0, multiply(x, a)),
        lambda x, a: x * a,
        when=lambda x, a: holds(math.isfinite, a),
    ),
    Rule("not not x = x", logical_not(logical_not(x)), lambda x: x),
    Rule(
        "reshape of reshape",
        reshape(reshape(x), shape="shape"),
        lambda x, shape: ops.reshape(x, shape),
    ),
    Rule(
        "reshape to the same",
        reshape(x, shape="shape"),
        lambda x, shape: x,
        when=lambda x, shape: x.shape == shape,
    ),
    Rule(
        "reshape of one number repeated",
        reshape(broadcast(x), shape="shape"),
        lambda x, shape: ops.broadcast_to(ops.reshape(x, ()), shape),
        when=lambda x, shape: x.type.size == 1,
    ),
    Rule(
        "broadcast to the same",
        broadcast(x, shape="shape"),
        lambda x, shape: x,
        when=lambda x, shape: x.shape == shape,
    ),
    Rule(
        "broadcast of reshape by leading axes of size 1",
        broadcast(reshape(x, shape="inner"), shape="shape"),
        lambda x, inner, shape: ops.broadcast_to(x, shape),
        when=lambda x, inner, shape: (
            x.ndim <= len(shape)
            and without_leading_ones(x.shape) == without_leading_ones(inner)
        ),
    ),
    Rule(
        "slice of everything",
        part(x, starts="starts", stops="stops", steps="steps"),
        lambda x, starts, stops, steps: x,
        when=lambda x, starts, stops, steps: (
            not any(starts) and stops == x.shape and set(steps) <= {1}
        ),
    ),
    Rule(
        "broadcast of broadcast",
        broadcast(broadcast(x), shape="shape"),
        lambda x, shape: ops.broadcast_to(x, shape),
    ),
    Rule(
        "transpose in the same order",
        transpose(x, axes="axes"),
        lambda x, axes: x,
        when=lambda x, axes: axes == tuple(range(len(axes))),
    ),
    Rule(
        "transpose of transpose",
        transpose(transpose(x, axes="inner"), axes="axes"),
        lambda x, axes, inner: ops.transpose(x, [inner[i] for i in axes]),
    ),
    Rule(
        "sum over no axis",
        total(x, axes="axes"),
        lambda x, axes: x,
        when=lambda x, axes: all(x.shape[i] == 1 for i in axes),
    ),
    Rule("sum of -x", total(negative(x), axes="axes"), negative_sum),
    Rule(
        "cast to the same",
        cast(x, dtype="dtype"),
        lambda x, dtype: x,
        when=lambda x, dtype: x.type.dtype == dtype,
    ),
)


def views_last(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """f(view(x), view(y), constant) = view(f(x, y, constant)) for elementwise f.

    A broadcast then repeats what was computed once, and a reshape stands in nobody's
    way; constants of a single value fit every shape.
    """
    if PRIMITIVES[opcode].kind != "elementwise":
        return None
    views = [i for i in inputs if single_value(i) is None]
    if not views:
        views = list(inputs[:1])
    first = definition(views[0])
    if first is None or first[0] not in ("broadcast", "reshape", "transpose"):
        return None
    source = first[1][0].type.shape
    if any(not is_same_view(v, first[0], first[2], source) for v in views):
        return None
    inner = [
        constant_in(recording, i, source)
        if single_value(i) is not None
        else source_of(i)
        for i in inputs
    ]
    result = recording.emit(opcode, inner, **attributes)
    return recording.emit(first[0], (result,), **first[2])


def is_same_view(
    tracer: Tracer, opcode: str, attributes: Mapping[str, Any], source: tuple[int, ...]
) -> bool:
    """Whether a value is such a view of something of the source's shape."""
    found = definition(tracer)
    return (
        found is not None
        and found[0] == opcode
        and found[2] == attributes
        and found[1][0].shape == source
    )


def source_of(tracer: Tracer) -> Tracer:
    """What a view looks at."""
    found = definition(tracer)
    assert found is not None
    return found[1][0]


def constant_in(recording: Trace, tracer: Tracer, shape: tuple[int, ...]) -> Tracer:
    """A constant of a single value, in another shape."""
    found = definition(tracer)
    while found is not None and found[0] != "constant":
        tracer, found = found[1][0], definition(found[1][0])
    if tracer.shape == shape:
        return tracer
    scalar = recording.emit("reshape", (tracer,), shape=()) if tracer.shape else tracer
    return recording.emit("broadcast", (scalar,), shape=shape) if shape else scalar


def sum_of_repeated(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """Σ of one number repeated n times is n times the number."""
    if opcode != "sum" or not inputs[0].type.is_float:
        return None
    found = definition(inputs[0])
    if found is None or found[0] != "broadcast" or found[1][0].type.size != 1:
        return None
    shape = inputs[0].shape
    count = math.prod(shape[i] for i in attributes["axes"])
    if not count:
        return None
    once = tuple(1 if i in attributes["axes"] else n for i, n in enumerate(shape))
    return ops.broadcast_to(ops.reshape(found[1][0], ()) * count, once)


def transposed_factors(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """A product reads a transposed matrix as it lies.

    Other axes may be in another order, too: of heads, what is last in memory stays so.
    """
    if opcode != "matmul":
        return None
    flags = [attributes["transpose_a"], attributes["transpose_b"]]
    factors = list(inputs)
    for i, factor in enumerate(inputs):
        found = definition(factor)
        rank = len(factor.shape)
        if found is None or found[0] != "transpose":
            continue
        *others, row, column = found[2]["axes"]
        if row == rank - 1:
            factors[i] = ops.transpose(found[1][0], (*others, column, row))
            flags[i] = not flags[i]
    if flags == [attributes["transpose_a"], attributes["transpose_b"]]:
        return None
    return recording.emit("matmul", factors, transpose_a=flags[0], transpose_b=flags[1])


def rising_after_maximum(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """max over windows of f(x) = f(max over windows of x), where f never falls.

    So a bias and a rectifier behind a convolution work on what a pooling leaves: of
    max(windows(maximum(z + b, 0))) remains maximum(max(windows(z)) + b, 0). Rounding
    keeps order, and NaN stays NaN, so every value is the same but for one: where b is
    inf and a window holds -inf beside larger numbers, what was NaN is inf.
    """
    seen = definition(inputs[0]) if opcode == "max" else None
    if seen is None or seen[0] != "windows":
        return None
    found = definition(seen[1][0])
    if found is None or found[0] not in ("maximum", "minimum", "add"):
        return None
    if not inputs[0].type.is_float:  # sums of whole numbers wrap
        return None
    first, second = found[1]
    for x, other in ((first, second), (second, first)):
        # Behind all that windows and maximum touch, it's one number a channel.
        if not stands_still(other, seen[2]["axes"], attributes["axes"]):
            continue
        windows = recording.emit("windows", (x,), **seen[2])
        largest = recording.emit("max", (windows,), **attributes)
        repeated = source_of(other)
        return recording.emit(
            found[0],
            (largest, ops.broadcast_to(repeated, largest.shape)),
        )
    return None


def stands_still(x: Tracer, axes: Shape, reduced: Shape) -> bool:
    """Whether a value is repeated but for axes behind those of windows and maximum."""
    found = definition(x)
    if found is None or found[0] != "broadcast":
        return False
    own = without_leading_ones(found[1][0].shape)
    behind = len(x.shape) - 1 - max(axes)  # axes behind those of windows
    after = len(x.shape) + len(axes) - 1 - max(reduced)  # and behind those reduced
    return len(own) <= min(behind, after)


GENERAL = (
    *(views_last, rising_after_maximum, sum_of_repeated, transposed_factors),
    *(sum_of_pieces, slice_of_pad),
)


def simplify(program: Program) -> Program:
    """The program with common subexpressions merged and algebra done.

    Every value stays the same but for rounding, NaN and infinity included; where a
    bias is infinite, `rising_after_maximum` names one that doesn't.
    """
    return rewrite(program, RULES, GENERAL)
