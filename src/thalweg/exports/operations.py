"""Primitives in the operators of ONNX, a row each in one table.

ONNX has most of them by other names. What it lacks is put together from what it has,
in a form that is as precise; unsigned words are computed as int64, which runtimes have
kernels for.

Source: the operators of opset 18, Open Neural Network Exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.exports.graph import Graph
from thalweg.program.families.products import equation
from thalweg.program.ir import Instruction
from thalweg.program.random import HALF, MULTIPLIERS, ROUNDS, WEYL
from thalweg.program.sizes import RecipeArray
from thalweg.program.types import ArrayType, Dtype, Shape

WORD = 2**32
LAST = np.iinfo(np.int64).min  # where a slice backwards ends
SMALL = 0.5  # below it, exp(x) − 1 loses digits


@dataclass(frozen=True)
class Call:
    """One instruction to be translated.

    Arguments:
        graph: where nodes are added.
        line: the instruction; its sizes may follow the rows.
        inputs: the names of what it reads.
        types: of what it reads.
    """

    graph: Graph
    line: Instruction
    inputs: tuple[str, ...]
    types: tuple[ArrayType, ...]

    @property
    def dtype(self) -> Dtype:
        """That of the first value it reads; its own if it reads none."""
        return (*self.types, self.line.type)[0].dtype

    def __getitem__(self, name: str) -> Any:
        return self.line.attributes[name]

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node in the graph."""
        return self.graph.add(operator, *inputs, **attributes)

    def number(self, value: float, dtype: str | None = None) -> str:
        """A constant of no axes, of the input's dtype unless told."""
        return self.graph.constant(np.asarray(value, dtype or self.dtype))


Translation = Callable[[Call], str]


def to_dtype(graph: Graph, value: str, dtype: str) -> str:
    """The value in another dtype."""
    return graph.add("Cast", value, to=dtype)


# Elementwise --------------------------------------------------------------------------


def operator(name: str, *narrow: Dtype) -> Translation:
    """An operator that means the same; narrow dtypes go through int64."""

    def translate(call: Call) -> str:
        if call.dtype not in ("uint32", *narrow):
            return call.add(name, *call.inputs)
        result = call.add(name, *(as_int64(call, value) for value in call.inputs))
        return as_narrow(call, result)

    return translate


def select(call: Call) -> str:
    """Where the condition holds; runtimes choose among numbers alone."""
    condition, *values = call.inputs
    if call.line.type.dtype not in ("uint32", "bool"):
        return call.add("Where", condition, *values)
    wide = (as_int64(call, value) for value in values)
    return as_narrow(call, call.add("Where", condition, *wide))


def as_int64(call: Call, value: str) -> str:
    """Wide enough for what unsigned words, and sums of them, hold."""
    return to_dtype(call.graph, value, "int64")


def as_narrow(call: Call, value: str) -> str:
    """What was computed in int64, in the instruction's own dtype."""
    if call.line.type.dtype == "uint32":
        return as_word(call, value)
    return to_dtype(call.graph, value, "bool")  # a comparison's is one already


def as_word(call: Call, value: str) -> str:
    """The lowest 32 bits, as uint32."""
    low = call.add("Mod", value, call.number(WORD, "int64"))
    return to_dtype(call.graph, low, "uint32")


def expm1(call: Call) -> str:
    """exp(x) − 1; near 0 as 2 t / (1 − t) with t = tanh(x/2), which cancels nothing."""
    (x,) = call.inputs
    one, two = call.number(1), call.number(2)
    t = call.add("Tanh", call.add("Div", x, two))
    near = call.add("Div", call.add("Mul", two, t), call.add("Sub", one, t))
    far = call.add("Sub", call.add("Exp", x), one)
    is_near = call.add("Less", call.add("Abs", x), call.number(SMALL))
    return call.add("Where", is_near, near, far)


def log1p(call: Call) -> str:
    """log(1 + x), as log(u) x / (u − 1) with u = 1 + x rounded.

    Source: Goldberg, "What every computer scientist should know about floating-point
    arithmetic", 1991, theorem 4.
    """
    (x,) = call.inputs
    one = call.number(1)
    u = call.add("Add", one, x)
    d = call.add("Sub", u, one)
    logarithm = call.add("Log", u)
    scaled = call.add("Div", call.add("Mul", logarithm, x), d)
    is_tiny = call.add("Equal", d, call.number(0))
    is_infinite = call.add("Equal", u, call.number(np.inf))
    usual = call.add("Where", is_infinite, logarithm, scaled)
    return call.add("Where", is_tiny, x, usual)


def softplus(call: Call) -> str:
    """max(x, 0) + log(1 + e^−|x|)."""
    (x,) = call.inputs
    tail = call.add("Exp", call.add("Neg", call.add("Abs", x)))
    inner = Call(call.graph, call.line, (tail,), call.types)
    return call.add("Add", call.add("Relu", x), log1p(inner))


def erf(call: Call) -> str:
    """Runtimes have it for float32 alone: in float64 it is as precise as that."""
    (x,) = call.inputs
    if call.dtype == "float32":
        return call.add("Erf", x)
    found = call.add("Erf", to_dtype(call.graph, x, "float32"))
    return to_dtype(call.graph, found, call.dtype)


def cast(call: Call) -> str:
    """The same values in another dtype."""
    return to_dtype(call.graph, call.inputs[0], call["dtype"])


# Reductions ---------------------------------------------------------------------------


def reduction(name: str) -> Translation:
    """Over axes that stay with size 1; over no axes, nothing."""

    def translate(call: Call) -> str:
        axes = call.graph.integers(*call["axes"])
        options = {"keepdims": 1, "noop_with_empty_axes": 1}
        if call.dtype != "uint32":
            return call.add(name, call.inputs[0], axes, **options)
        wide = call.add(name, as_int64(call, call.inputs[0]), axes, **options)
        return as_word(call, wide)

    return translate


def argmax(call: Call) -> str:
    """Position of the first largest element."""
    value = call.inputs[0]
    if call.dtype == "uint32":
        value = as_int64(call, value)
    place = call.add("ArgMax", value, axis=call["axis"], keepdims=0)
    return to_dtype(call.graph, place, "int32")


# Views --------------------------------------------------------------------------------


def reshape(call: Call) -> str:
    """The elements in order, in another shape."""
    return call.add(
        "Reshape", call.inputs[0], call.graph.new_shape(call["shape"]), allowzero=1
    )


def transpose(call: Call) -> str:
    """The axes in another order."""
    if not call["axes"]:
        return call.inputs[0]
    return call.add("Transpose", call.inputs[0], perm=list(call["axes"]))


def broadcast(call: Call) -> str:
    """Size 1 repeated, new axes first."""
    return call.add("Expand", call.inputs[0], call.graph.sizes(call["shape"]))


def slices(call: Call) -> str:
    """Along the axes of which something is left out."""
    (shape,) = (type.shape for type in call.types)
    starts, stops, steps = call["starts"], call["stops"], call["steps"]
    whole = [(0, n, 1) for n in shape]
    cut = [
        axis
        for axis, each in enumerate(zip(starts, stops, steps, strict=True))
        if each != whole[axis]
    ]
    if not cut:
        return call.inputs[0]
    graph = call.graph
    firsts = graph.sizes([starts[axis] for axis in cut])
    lasts = graph.sizes([LAST if stops[a] < 0 else stops[a] for a in cut])
    return call.add(
        "Slice",
        call.inputs[0],
        firsts,
        lasts,
        graph.integers(*cut),
        graph.sizes([steps[axis] for axis in cut]),
    )


# Index --------------------------------------------------------------------------------


def pad(call: Call) -> str:
    """Zeros between the elements along each axis, then before and after.

    A step s makes n elements n s long, with s − 1 zeros behind each; those behind the
    last are too many if there is no room for them, and a negative pad removes them.
    """
    shape, total = call.types[0].shape, call["shape"]
    return spread_out(call, call.inputs[0], shape, call["starts"], call["steps"], total)


def spread_out(
    call: Call, value: str, shape: Shape, starts: Shape, steps: Shape, total: Shape
) -> str:
    """A value of some shape in zeros of another, from starts by steps."""
    if not shape:
        return value
    long = [n * step for n, step in zip(shape, steps, strict=True)]
    spread = list(shape)
    for axis, step in enumerate(steps):
        if step == 1:
            continue
        apart = [*spread[: axis + 1], 1, *spread[axis + 1 :]]
        value = call.add("Reshape", value, call.graph.new_shape(apart), allowzero=1)
        zeros = [0] * (len(shape) + 1)
        ends = [*zeros[: axis + 1], step - 1, *zeros[axis + 1 : -1]]
        value = call.add("Pad", value, call.graph.integers(*zeros, *ends))
        spread[axis] = long[axis]
        value = call.add("Reshape", value, call.graph.new_shape(spread), allowzero=1)
    sizes = zip(total, starts, long, strict=True)
    after = [n - start - used for n, start, used in sizes]
    return call.add("Pad", value, call.graph.sizes([*starts, *after]))


def windows(call: Call) -> str:
    """Elements by their numbers along each axis, then the axes in their order."""
    value, shape = call.inputs[0], call.types[0].shape
    axes: Shape = call["axes"]
    each = zip(axes, call["sizes"], call["steps"], call["spacing"], strict=True)
    for axis, size, step, apart in reversed([*each]):
        count: int = call.line.type.shape[axis]
        numbers = [[i * step + k * apart for k in range(size)] for i in range(count)]
        indices = call.graph.constant(np.array(numbers, np.int64).reshape(count, size))
        value = call.add("Gather", value, indices, axis=axis)
    order: list[int] = []
    for axis in range(len(shape)):
        before = sum(other < axis for other in axes)
        order.append(axis + before)
        if axis == axes[-1]:
            order += [other + at + 1 for at, other in enumerate(axes)]
    return call.add("Transpose", value, perm=order)


def share_max(call: Call) -> str:
    """The part of each maximum, shared by the elements that are as large."""
    x, part = call.inputs
    axes = call.graph.constant(np.array(call["axes"], np.int64))
    largest = call.add("Equal", x, call.add("ReduceMax", x, axes, keepdims=1))
    ones = to_dtype(call.graph, largest, call.dtype)
    share = call.add("Div", part, call.add("ReduceSum", ones, axes, keepdims=1))
    return call.add("Where", largest, share, call.number(0))


def add_windows(call: Call) -> str:
    """The sum of what each element of a window gives, set into zeros."""
    total, axes, rank = call["shape"], call["axes"], len(call["shape"])
    behind, found = axes[-1] + 1, ""
    steps = [1] * rank
    for axis, step in zip(axes, call["steps"], strict=True):
        steps[axis] = step
    shape = call.types[0].shape
    rest = (*shape[:behind], *shape[behind + len(axes) :])
    for element in np.ndindex(*call["sizes"]):
        value, starts = call.inputs[0], [0] * rank
        for number in reversed(range(len(axes))):
            index = call.graph.constant(np.array(element[number], np.int64))
            value = call.add("Gather", value, index, axis=behind + number)
            starts[axes[number]] = element[number] * call["spacing"][number]
        value = spread_out(call, value, rest, tuple(starts), tuple(steps), total)
        found = call.add("Add", found, value) if found else value
    return found


def concatenate(call: Call) -> str:
    """One after the other along an axis."""
    return call.add("Concat", *call.inputs, axis=call["axis"])


def matmul(call: Call) -> str:
    """The product of matrices, either of them transposed."""
    operands: list[str] = []
    sides = zip(call.inputs, call.types, ("transpose_a", "transpose_b"), strict=True)
    for value, type, turned in sides:
        if call[turned]:
            axes = list(range(len(type.shape)))
            axes[-2:] = reversed(axes[-2:])
            value = call.add("Transpose", value, perm=axes)
        operands.append(value)
    return call.add("MatMul", *operands)


def contract(call: Call) -> str:
    """Products over several axes."""
    x, y = (len(type.shape) for type in call.types)
    if (call["batch"], call["summed"]) == (0, 1) and y == 2 <= x:
        return call.add("MatMul", *call.inputs)
    text = equation(x, y, call["batch"], call["summed"])
    return call.add("Einsum", *call.inputs, equation=text)


def take(call: Call) -> str:
    """Rows of the table; runtimes refuse a number outside it."""
    return call.add("Gather", *call.inputs, axis=0)


def scatter_add(call: Call) -> str:
    """Into zeros: row i of x is added to the row that indices[i] names."""
    graph, (x, indices), shape = call.graph, call.inputs, call.types[1].shape
    zeros = call.add("Expand", call.number(0), graph.sizes(call.line.type.shape))
    wide = as_int64(call, indices)
    places = call.add("Unsqueeze", wide, graph.integers(len(shape)))
    return call.add("ScatterND", zeros, places, x, reduction="add")


# Constants and random numbers ---------------------------------------------------------


def constant(call: Call) -> str:
    """An array, or one number that follows from the rows."""
    value = call["value"]
    if not isinstance(value, RecipeArray):
        return call.graph.constant(value)
    number = to_dtype(call.graph, call.graph.size(value.recipe), value.type.dtype)
    ones = call.graph.integers(*value.shape)
    return call.add("Reshape", number, ones)


def random_bits(call: Call) -> str:
    """Philox4x32-10 in int64, whose products of 16 and 32 bits never overflow."""
    graph, shape = call.graph, call["shape"]
    sizes = call.add("Concat", graph.integers(1), graph.sizes(shape), axis=0)
    size = call.add("ReduceProd", sizes, keepdims=0)
    three, four = call.number(3, "int64"), call.number(4, "int64")
    blocks = call.add("Div", call.add("Add", size, three), four)
    zero, one = call.number(0, "int64"), call.number(1, "int64")
    count = call.add("Range", zero, blocks, one)
    empty = call.add("Sub", count, count)
    seed, step = (as_int64(call, value) for value in call.inputs)
    words = [
        count,
        call.add("Add", empty, call.number(call["operation"], "int64")),
        call.add("Add", empty, call.add("Mod", step, call.number(WORD, "int64"))),
        empty,
    ]
    for turn in range(ROUNDS):
        first = call.add("Add", seed, call.number(turn * WEYL[0] % WORD, "int64"))
        key = call.add("Mod", first, call.number(WORD, "int64"))
        words = philox_round(call, words, key, turn * WEYL[1] % WORD)
    column = graph.integers(1)
    table = call.add(
        "Concat", *(call.add("Unsqueeze", w, column) for w in words), axis=1
    )
    flat = call.add("Reshape", table, graph.integers(-1))
    end = call.add("Unsqueeze", size, graph.integers(0))
    used = call.add("Slice", flat, graph.integers(0), end)
    shaped = call.add("Reshape", used, graph.new_shape(shape), allowzero=1)
    return to_dtype(graph, shaped, "uint32")


def philox_round(call: Call, words: list[str], key: str, second_key: int) -> list[str]:
    """One round on four words."""
    high0, low0 = wide_product(call, words[0], int(MULTIPLIERS[0]))
    high1, low1 = wide_product(call, words[2], int(MULTIPLIERS[1]))
    other = call.number(second_key, "int64")
    mixed0 = call.add("BitwiseXor", call.add("BitwiseXor", high1, words[1]), key)
    mixed1 = call.add("BitwiseXor", call.add("BitwiseXor", high0, words[3]), other)
    return [mixed0, low1, mixed1, low0]


def wide_product(call: Call, word: str, factor: int) -> tuple[str, str]:
    """The higher and the lower 32 bits of the product of two words."""
    half = call.number(1 << (int(HALF) // 2), "int64")
    multiplier = call.number(factor, "int64")
    low = call.add("Mul", call.add("Mod", word, half), multiplier)
    high = call.add("Mul", call.add("Div", word, half), multiplier)
    middle = call.add("Add", high, call.add("Div", low, half))
    top = call.add("Div", middle, half)
    shifted = call.add("Mul", call.add("Mod", high, half), half)
    bottom = call.add("Add", shifted, low)
    return top, call.add("Mod", bottom, call.number(WORD, "int64"))


# The table ----------------------------------------------------------------------------

OPERATORS: Mapping[str, Translation] = {
    "constant": constant,
    "add": operator("Add"),
    "subtract": operator("Sub"),
    "multiply": operator("Mul"),
    "divide": operator("Div"),
    "negative": operator("Neg"),
    "power": operator("Pow"),
    "maximum": operator("Max"),
    "minimum": operator("Min"),
    "absolute": operator("Abs"),
    "sign": operator("Sign"),
    "floor": operator("Floor"),
    "exp": operator("Exp"),
    "expm1": expm1,
    "log": operator("Log"),
    "log1p": log1p,
    "sqrt": operator("Sqrt"),
    "sin": operator("Sin"),
    "cos": operator("Cos"),
    "tanh": operator("Tanh"),
    "sigmoid": operator("Sigmoid"),
    "softplus": softplus,
    "erf": erf,
    "equal": operator("Equal"),
    "less": operator("Less", "bool"),
    "less_equal": operator("LessOrEqual", "bool"),
    "logical_and": operator("And"),
    "logical_not": operator("Not"),
    "select": select,
    "cast": cast,
    "stop_gradient": operator("Identity"),
    "sum": reduction("ReduceSum"),
    "max": reduction("ReduceMax"),
    "share_max": share_max,
    "argmax": argmax,
    "reshape": reshape,
    "transpose": transpose,
    "broadcast": broadcast,
    "slice": slices,
    "pad": pad,
    "concatenate": concatenate,
    "windows": windows,
    "add_windows": add_windows,
    "matmul": matmul,
    "contract": contract,
    "take": take,
    "scatter_add": scatter_add,
    "random_bits": random_bits,
}
"""How each primitive that holds no program is written in ONNX."""
