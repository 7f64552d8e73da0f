"""The product of matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.expressions import (
    ATOM,
    MATRIX_PRODUCT,
    UNARY,
    Attributes,
    Parts,
    Written,
)
from thalweg.program.primitives import register
from thalweg.program.row_rules import SUM, Case, RowRule, RowsMeetError
from thalweg.program.trace import Tracer
from thalweg.program.types import ArrayType, NumpyArray, Shape


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
