"""Products: of matrices, and the same over several axes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thalweg.errors import DtypeError, ShapeError
from thalweg.program import ops
from thalweg.program.expressions import (
    ATOM,
    MATRIX_PRODUCT,
    UNARY,
    Attributes,
    Parts,
    Written,
    call,
)
from thalweg.program.primitives import register
from thalweg.program.row_rules import SUM, Case, RowRule, RowsMeetError
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, NumpyArray, Shape, put

# Of matrices --------------------------------------------------------------------------


def matmul_type(
    a: ArrayType, b: ArrayType, transpose_a: bool, transpose_b: bool
) -> ArrayType:
    """(…, m, k) times (…, k, n) is (…, m, n)."""
    if len(a.shape) < 2 or len(a.shape) != len(b.shape) or a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(
            f"a matrix product takes matrices, got {a.shape} and {b.shape}"
        )
    m, k = a.shape[:-3:-1] if transpose_a else a.shape[-2:]
    k_of_b, n = b.shape[:-3:-1] if transpose_b else b.shape[-2:]
    if k != k_of_b:
        raise ShapeError(
            f"a matrix product of ({m}, {k}) and ({k_of_b}, {n}): "
            f"{k} must equal {k_of_b}"
        )
    if a.dtype != b.dtype or not a.is_float:
        raise DtypeError(f"a matrix product of {a.dtype} and {b.dtype}")
    return ArrayType((*a.shape[:-2], m, n), a.dtype)


def matmul(
    a: NumpyArray,
    b: NumpyArray,
    transpose_a: bool,
    transpose_b: bool,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """The product of matrices, either of them transposed."""
    left = a.swapaxes(-1, -2) if transpose_a else a
    right = b.swapaxes(-1, -2) if transpose_b else b
    return np.matmul(left, right, out=out)


def product(a: Tracer, b: Tracer, transpose_a: bool, transpose_b: bool) -> Tracer:
    """A product as an instruction."""
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    return a.trace.emit("matmul", (a, b), **flags)


def matmul_gradient(
    ct: Tracer, _: Tracer, a: Tracer, b: Tracer, transpose_a: bool, transpose_b: bool
) -> tuple[Tracer, Tracer]:
    """∂(A B): the cotangent times Bᵀ, and Aᵀ times the cotangent."""
    by_a = (
        product(b, ct, transpose_b, True)
        if transpose_a
        else product(ct, b, False, not transpose_b)
    )
    by_b = (
        product(ct, a, True, transpose_a)
        if transpose_b
        else product(a, ct, not transpose_a, False)
    )
    return by_a, by_b


def matmul_axis(case: Case) -> int:
    """Rows of the left stay rows; if both are summed over, it is a sum."""
    rank = len(case.types[0].shape)
    left, right = case.axes
    summed_left = rank - 2 if case.attributes["transpose_a"] else rank - 1
    summed_right = rank - 1 if case.attributes["transpose_b"] else rank - 2
    if left == summed_left and right == summed_right:
        return SUM
    if left is not None and left == right and left < rank - 2:
        return left
    if right is None and left == 2 * rank - 3 - summed_left:
        return rank - 2
    raise RowsMeetError


def matmul_cost(
    inputs: Sequence[ArrayType], attributes: Attributes, result: ArrayType
) -> int:
    """2 m n k."""
    inner = inputs[0].shape[-2 if attributes["transpose_a"] else -1]
    return 2 * result.size * inner


def matmul_text(parts: Parts, attributes: Attributes, shape: Shape) -> Written:
    """x @ y.T."""
    mark = ".T" if len(shape) == 2 else ".mT"
    factors = [
        f"{part.inside(ATOM)}{mark}" if transposed else part.inside(UNARY)
        for part, transposed in zip(parts, attributes.values(), strict=True)
    ]
    return " @ ".join(factors), MATRIX_PRODUCT


register(
    name="matmul",
    inputs=2,
    infer=matmul_type,
    meaning=matmul,
    gradient=matmul_gradient,
    kind="product",
    rows=RowRule(matmul_axis),
    cost=matmul_cost,
    notation=matmul_text,
    attributes=("transpose_a", "transpose_b"),
)


# Over several axes --------------------------------------------------------------------


def contract_type(x: ArrayType, y: ArrayType, batch: int, summed: int) -> ArrayType:
    """(shared, free, summed) by (shared, summed, others) is (shared, free, others)."""
    shared, free, sums = axes_apart(x.shape, batch, summed)
    start = batch + summed
    fits = min(batch, summed, len(x.shape) - start, len(y.shape) - start) >= 0
    if not fits or y.shape[:start] != (*shared, *sums):
        raise ShapeError(
            f"a contraction must find the last {summed} axes of x behind the first "
            f"{batch} of y, which both share, got {x.shape} and {y.shape}"
        )
    if x.dtype != y.dtype or not x.is_float:
        raise DtypeError(f"a contraction of {x.dtype} and {y.dtype}")
    return ArrayType((*shared, *free, *y.shape[start:]), x.dtype)


def axes_apart(shape: Shape, batch: int, summed: int) -> tuple[Shape, Shape, Shape]:
    """The sizes of a left factor: shared, free and summed."""
    end = len(shape) - summed
    return shape[:batch], shape[batch:end], shape[end:]


def contract(
    x: NumpyArray, y: NumpyArray, batch: int, summed: int, out: NumpyArray | None = None
) -> NumpyArray:
    """Σ over the last axes of x and the first of y, for each index of those shared."""
    shared, free, sums = axes_apart(x.shape, batch, summed)
    others = y.shape[batch + summed :]
    rows, inner, columns = map(math.prod, (free, sums, others))
    found = np.matmul(
        x.reshape(*shared, rows, inner), y.reshape(*shared, inner, columns)
    )
    return put(found.reshape((*shared, *free, *others)), out)


def turned(x: Tracer, batch: int, first: int) -> Tracer:
    """x with so many axes behind those shared at the end instead."""
    every = range(x.ndim)
    end = batch + first
    return ops.transpose(x, (*every[:batch], *every[end:], *every[batch:end]))


def contract_gradient(
    ct: Tracer, _: Tracer, x: Tracer, y: Tracer, batch: int, summed: int
) -> tuple[Tracer, Tracer]:
    """By x over the axes that y alone has, by y over those that x alone has."""
    free = x.ndim - batch - summed
    others = y.ndim - batch - summed
    by_x = ops.contract(ct, turned(y, batch, summed), batch, others)
    by_y = ops.contract(turned(x, batch, free), ct, batch, free)
    return by_x, by_y


def contract_axis(case: Case) -> int:
    """Rows that are shared, or free, stay; if both are summed over, it is a sum.

    They must be the first of the axes that go together, which are one in the engine.
    """
    batch, summed = case.attributes["batch"], case.attributes["summed"]
    free = len(case.types[0].shape) - batch - summed
    if case.axes == [batch + free, batch] and summed:
        return SUM
    if case.axes[0] == case.axes[1] == 0 < batch:
        return 0
    if case.axes == [batch, None] and free:
        return batch
    if case.axes == [None, batch + summed]:
        return batch + free
    raise RowsMeetError


def contract_cost(
    inputs: Sequence[ArrayType], attributes: Attributes, result: ArrayType
) -> int:
    """2 for each product."""
    shape = inputs[0].shape
    return 2 * result.size * math.prod(shape[len(shape) - attributes["summed"] :])


def contract_text(parts: Parts, attributes: Attributes, shape: Shape) -> Written:
    """x @ W, tensordot(x, y, 2), or einsum where axes are shared."""
    (x, y), batch, summed = parts, attributes["batch"], attributes["summed"]
    if batch:
        text = equation(len(x.shape), len(y.shape), batch, summed)
        return call("einsum", repr(text), x.text, y.text)
    if summed == 1 and len(y.shape) == 2 and len(x.shape) > 1:
        return f"{x.inside(UNARY)} @ {y.inside(UNARY)}", MATRIX_PRODUCT
    return call("tensordot", x.text, y.text, summed)


def equation(rank_x: int, rank_y: int, batch: int, summed: int) -> str:
    """A contraction in Einstein's notation.

    >>> equation(3, 3, batch=1, summed=1)
    'abc,acd->abd'
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    x = letters[:rank_x]
    end = rank_x - summed
    others = letters[rank_x : rank_x + rank_y - batch - summed]
    return f"{x},{x[:batch]}{x[end:]}{others}->{x[:end]}{others}"


register(
    name="contract",
    inputs=2,
    infer=contract_type,
    meaning=contract,
    gradient=contract_gradient,
    kind="product",
    rows=RowRule(contract_axis),
    cost=contract_cost,
    notation=contract_text,
    attributes=("batch", "summed"),
)
