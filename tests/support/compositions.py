"""Random compositions of primitives.

A composition is a list of steps, each an operation and the positions of what it reads
and how. Every operation fits its operands to each other, so every list is a program.
"""

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from thalweg.errors import ShapeError
from thalweg.program import ops
from thalweg.program.arguments import broadcast_shape
from thalweg.program.ir import Program
from thalweg.program.row_axes import row_axes
from thalweg.program.sizes import UnknownSizeError, at
from thalweg.program.trace import Tracer, trace
from thalweg.program.types import ArrayType, NumpyArray

Choice = tuple[str, int, int, int]
Recipe = list[Choice]
Operation = Callable[[Tracer, Tracer, int], Tracer]

SHAPES = {"a": (3,), "b": (2, 3), "c": (), "d": (3, 1, 2), "e": (2, 3), "f": (3, 3)}
INPUTS = {name: ArrayType(shape, "float64") for name, shape in SHAPES.items()}
LARGEST = 96
ROW_COUNT = 6  # where a composition is over rows


# Operations that take any operands ---------------------------------------------------


def fits(x: Tracer, y: Tracer) -> bool:
    try:
        shape = broadcast_shape([x.shape, y.shape])
    except ShapeError:
        return False
    return number(math.prod(shape)) <= LARGEST


def number(size: int) -> int:
    """A size, where there are so many rows as the properties have."""
    return at(size, {"rows": ROW_COUNT})


def are_same(x: Any, y: Any) -> bool:
    """Whether sizes or shapes are the same for any number of rows."""
    return repr(x) == repr(y)


def meeting(function: Callable[[Any, Any], Any]) -> Operation:
    """A function of two arrays, of which the second is summed up if it doesn't fit."""
    return lambda x, y, k: function(x, y if fits(x, y) else ops.mean(y))


def axis_of(x: Tracer, k: int) -> int | None:
    return k % x.ndim if x.ndim else None


def grown(x: Tracer, _: Tracer, k: int) -> Tracer:
    times = 1 + k % 3
    fits = number(x.size) * times <= LARGEST and x.ndim < 5
    return ops.broadcast_to(x, (times, *x.shape)) if fits else x


def opened(x: Tracer, _: Tracer, k: int) -> Tracer:
    if x.ndim >= 5:
        return x
    return x[..., None] if k % 2 else x[None]


def sliced(x: Tracer, _: Tracer, k: int) -> Tracer:
    if not x.ndim:
        return x
    axis = k % x.ndim
    size = x.shape[axis]
    keys: list[Any] = [slice(None)] * x.ndim
    keys[axis] = (
        slice(0, -(-size // 2)),
        slice(k % size, None),
        slice(None, None, 2),
        slice(None, None, -1),
        slice(k % size, None, -2),
    )[k % 5]
    return x[tuple(keys)]


def picked(x: Tracer, _: Tracer, k: int) -> Tracer:
    return x[k % x.shape[0]] if x.ndim else x


def turned(x: Tracer, _: Tracer, k: int) -> Tracer:
    orders = list(itertools.permutations(range(x.ndim)))
    return ops.transpose(x, orders[k % len(orders)])


def multiplied(x: Tracer, y: Tracer, k: int) -> Tracer:
    """x or its transpose by y if they fit, else by a matrix of the right size."""
    if x.ndim == 0:
        return x
    if x.ndim >= 2 and k % 2:
        x = ops.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))
    if y.ndim == 2 and are_same(y.shape[0], x.shape[-1]):
        return x @ ops.tanh(y)
    if y.ndim == 2 and are_same(y.shape[1], x.shape[-1]):
        return ops.tanh(x) @ y.T
    rows = x.shape[-1]
    return x @ np.cos(np.arange(2.0 * rows)).reshape(rows, 2)


def contracted(x: Tracer, y: Tracer, k: int) -> Tracer:
    """Over as many axes as go together, the first of them shared every other time."""
    batch = int(k % 2 and min(x.ndim, y.ndim) and are_same(x.shape[:1], y.shape[:1]))
    for summed in range(min(x.ndim, y.ndim) - batch, -1, -1):
        sums = x.shape[x.ndim - summed :]
        rest = x.shape[: x.ndim - summed] + y.shape[batch + summed :]
        fits = number(math.prod(rest)) <= LARGEST and len(rest) <= 4
        if are_same(sums, y.shape[batch : batch + summed]) and fits:
            return ops.tanh(ops.contract(x, y, batch, summed))
    return x


def windowed(x: Tracer, _: Tracer, k: int) -> Tracer:
    """Pairs of neighbors along an axis, which share elements or don't."""
    axis = axis_of(x, k)
    if axis is None or x.ndim > 3 or not 2 <= number(x.shape[axis]) <= LARGEST // 2:
        return x
    apart = k % 2 and not row_axes(x.type)
    return ops.windows(x, axis, 2, 2 if apart else 1)


def joined(x: Tracer, y: Tracer, k: int) -> Tracer:
    """Along an axis if they fit, else flat; sometimes the same value twice."""
    if number(x.size) + number(y.size) > LARGEST:
        return x
    if k % 5 == 0:
        y = x
    if x.ndim and are_same(x.shape, y.shape):
        return ops.concatenate([x, y], axis=k % x.ndim)
    return ops.concatenate([ops.reshape(x, (-1,)), ops.reshape(y, (-1,))])


def rows_taken(x: Tracer, _: Tracer, k: int) -> Tracer:
    if not x.ndim or 3 * x.size // x.shape[0] > LARGEST:
        return x
    last = operator.index(x.shape[0] - 1)
    return ops.take(x, [[0, last, 0], [last, k % (last + 1)]][k % 2])


def chosen(x: Tracer, y: Tracer, k: int) -> Tracer:
    y = y if fits(x, y) else ops.mean(y)
    shape = broadcast_shape([x.shape, y.shape])
    mask = np.arange(math.prod(shape)).reshape(shape) % (2 + k % 2) == 0
    return ops.where(mask, x, y)


SMOOTH: dict[str, Operation] = {
    "add": meeting(ops.add),
    "subtract": meeting(ops.subtract),
    "multiply": meeting(lambda x, y: ops.tanh(x) * y),
    "divide": meeting(lambda x, y: x / (1.5 + ops.sin(y))),
    "power": meeting(lambda x, y: (1.5 + ops.sin(x)) ** ops.tanh(y)),
    "negative": lambda x, y, k: -x,
    "scale": lambda x, y, k: x * (0.5, -2.0, 1.0, -1.0)[k % 4] * 0.25,
    "shift": lambda x, y, k: (x + 1, 1 - x, x - 0.0, 0 - x)[k % 4],
    "exponent": lambda x, y, k: ops.sin(x) ** (k % 4),
    "root": lambda x, y, k: (1 + x * x) ** (0.5, -1.0, -0.5)[k % 3],
    "exp": lambda x, y, k: ops.exp(ops.tanh(x)),
    "expm1": lambda x, y, k: ops.expm1(ops.sin(x)),
    "log": lambda x, y, k: ops.log(1 + ops.square(x)),
    "log1p": lambda x, y, k: ops.log1p(ops.square(x)),
    "sin": lambda x, y, k: ops.sin(x),
    "cos": lambda x, y, k: ops.cos(x),
    "sqrt": lambda x, y, k: ops.sqrt(1 + x * x),
    "erf": lambda x, y, k: ops.erf(x),
    "sigmoid": lambda x, y, k: 1 / (1 + ops.exp(-x)),
    "softplus": lambda x, y, k: ops.log(1 + ops.exp(x)),
    "softmax": lambda x, y, k: ops.exp(x) / ops.sum(ops.exp(x), axis_of(x, k), True),
    "sum": lambda x, y, k: ops.sum(x, axis_of(x, k), k % 2 == 0),
    "mean": lambda x, y, k: ops.mean(x, axis_of(x, k), k % 2 == 0),
    "max": lambda x, y, k: ops.max(x, axis_of(x, k), k % 2 == 0),
    "transpose": turned,
    "flatten": lambda x, y, k: ops.reshape(x, (-1,)),
    "open": opened,
    "slice": sliced,
    "pick": picked,
    "broadcast": grown,
    "matmul": multiplied,
    "contract": contracted,
    "windows": windowed,
    "concatenate": joined,
    "take": rows_taken,
    "select": chosen,
    "stop": lambda x, y, k: x + ops.stop_gradient(y.sum() * 0 + 1.0),
}
JAGGED: dict[str, Operation] = {
    **SMOOTH,
    "maximum": meeting(ops.maximum),
    "minimum": meeting(ops.minimum),
    "absolute": lambda x, y, k: ops.absolute(x),
    "where": lambda x, y, k: ops.where(ops.greater(x, 0.5), x, -1.0),
    "narrow": lambda x, y, k: ops.cast(ops.cast(x, "float32"), "float64"),
    "count": lambda x, y, k: ops.cast(ops.cast(x > 0.1, "int32"), "float64"),
    "argmax": lambda x, y, k: ops.cast(ops.argmax(x.reshape(-1)), "float64") + x,
}


def recipes(operations: Mapping[str, Operation], most: int = 10) -> st.SearchStrategy:
    numbers = st.integers(0, 11)
    step = st.tuples(st.sampled_from(sorted(operations)), numbers, numbers, numbers)
    return st.lists(step, min_size=1, max_size=most)


def cook(recipe: Recipe, arrays: Mapping[str, Tracer]) -> list[Tracer]:
    """All values that a recipe makes, inputs first; low positions are late values.

    Over rows, what would need their number is left out.
    """
    values = list(arrays.values())
    for name, i, j, k in recipe:
        x, y = values[-1 - i % len(values)], values[-1 - j % len(values)]
        try:
            values.append(JAGGED[name](x, y, k))
        except UnknownSizeError:
            values.append(x)
    return values


def forward(recipe: Recipe) -> Program:
    return trace(lambda arrays: {"y": cook(recipe, arrays)[-1]}, INPUTS)


def numbers(seed: int, special: bool = False) -> dict[str, NumpyArray]:
    random = np.random.default_rng(seed)
    drawn = {name: random.normal(0, 1, shape) for name, shape in SHAPES.items()}
    if special:
        for array in drawn.values():
            mask = random.random(array.shape) < 0.3
            chosen = random.choice([math.nan, math.inf, -math.inf, 0.0], array.shape)
            array[...] = np.where(mask, chosen, array)
    return drawn


# Programs ----------------------------------------------------------------------------


def objective(recipe: Recipe) -> Program:
    """Σ sin of the last three values, which keeps it of the order of 1."""
    return trace(
        lambda arrays: {
            "sum": sum(ops.mean(ops.sin(v)) for v in cook(recipe, arrays)[-3:])
        },
        INPUTS,
    )


def stepping(recipe: Recipe, carried: Mapping[str, int], extra: int) -> Program:
    """A program with outputs that become the next run's inputs, and some that don't."""

    def build(arrays: dict[str, Tracer]) -> dict[str, Tracer]:
        values = cook(recipe, arrays)
        outputs = {"y": values[-1], "z": values[-1 - extra % len(values)]}
        for name, position in carried.items():
            fitting = [v for v in values if v.shape == SHAPES[name]]
            outputs[name] = fitting[position % len(fitting)]
        return outputs

    return trace(build, INPUTS)


seeds = st.integers(0, 2**16)
carries = st.dictionaries(st.sampled_from(sorted(SHAPES)), st.integers(0, 20))
