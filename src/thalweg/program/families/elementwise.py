"""What works element by element, on arrays of one shape."""

# The lambdas of the rows are typed by `Primitive`.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from thalweg.errors import DtypeError
from thalweg.program import ops
from thalweg.program.expressions import (
    ATOM,
    MATRIX_PRODUCT,
    POWER,
    PRODUCT,
    QUOTIENT,
    SUM,
    UNARY,
    Attributes,
    Notation,
    Parts,
    Written,
    call,
    compared,
)
from thalweg.program.primitives import one_an_output, register
from thalweg.program.row_rules import RowRule, common_axis
from thalweg.program.shape_rules import (
    floats,
    not_bytes,
    numbers,
    same_shape,
    same_type,
)
from thalweg.program.trace import Tracer
from thalweg.program.types import COMPUTED, ArrayType, Dtype, NumpyArray, Shape, put

One = tuple[Tracer]
Two = tuple[Tracer, Tracer]

STEPS = "it is constant between its jumps, so the derivative is zero wherever it exists"
WHOLE = "whole numbers and booleans have no derivative"
BESIDE = RowRule(common_axis, shared=True)

row = partial(register, kind="elementwise", rows=BESIDE, cost=one_an_output)


# Arithmetic; ct is the cotangent of the output, out -----------------------------------


def signed(sign: str, otherwise: str) -> Notation:
    """x + y, or x - y where y begins with a minus; and the other way round."""

    def write(parts: Parts, _: Attributes, shape: Shape) -> Written:
        left, right = parts
        text = right.inside(SUM if sign == "+" else MATRIX_PRODUCT)
        shown = otherwise if text.startswith("-") else sign
        return f"{left.inside(SUM)} {shown} {text.removeprefix('-')}", SUM

    return write


def add_gradient(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """To both."""
    return ct, ct


def subtract_gradient(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """To both, with their signs."""
    return ct, -ct


row(
    "add", 2, numbers, np.add, add_gradient, notation=signed("+", "-"), commutative=True
)
row("subtract", 2, numbers, np.subtract, subtract_gradient, notation=signed("-", "+"))


def product_rule(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """Each times the other."""
    return ct * y, ct * x


def times(parts: Parts, _: Attributes, shape: Shape) -> Written:
    """x * y, numbers first."""
    left, right = reversed(parts) if parts[1].is_number else parts
    text = f"{left.inside(QUOTIENT)} * {right.inside(PRODUCT)}"
    return text, QUOTIENT if left.level == QUOTIENT else PRODUCT


row("multiply", 2, numbers, np.multiply, product_rule, notation=times, commutative=True)


def divide_gradient(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """1/y, and −x/y²."""
    return ct / y, -ct * out / y


def divided(parts: Parts, _: Attributes, shape: Shape) -> Written:
    """x / y."""
    left, right = parts
    return f"{left.inside(QUOTIENT)} / {right.inside(UNARY)}", QUOTIENT


row("divide", 2, floats, np.divide, divide_gradient, notation=divided)


def negated(parts: Parts, _: Attributes, shape: Shape) -> Written:
    """-x."""
    (part,) = parts
    if part.level >= QUOTIENT and not part.text.startswith("-"):
        return f"-{part.text}", min(part.level, UNARY)
    return f"-({part.text})", UNARY


row("negative", 1, numbers, np.negative, lambda ct, out, x: (-ct,), notation=negated)


def power_gradient(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """y x^(y−1), and x^y log x."""
    by_y = ops.where(
        ops.equal(x, 0), 0.0, out * ops.log(ops.where(ops.equal(x, 0), 1.0, x))
    )
    return ct * y * x ** (y - 1), ct * by_y


def raised(parts: Parts, _: Attributes, shape: Shape) -> Written:
    """x**y."""
    base, exponent = parts
    level = UNARY if exponent.is_number else ATOM
    return f"{base.inside(ATOM)}**{exponent.inside(level)}", POWER


row("power", 2, floats, np.power, power_gradient, notation=raised)


def maximum_gradient(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """To the larger; at a tie to y."""
    return ops.where(x > y, ct, 0.0), ops.where(x > y, 0.0, ct)


def minimum_gradient(ct: Tracer, out: Tracer, x: Tracer, y: Tracer) -> Two:
    """To the smaller; at a tie to y."""
    return ops.where(x < y, ct, 0.0), ops.where(x < y, 0.0, ct)


def absolute_gradient(ct: Tracer, out: Tracer, x: Tracer) -> One:
    """With the sign of x; 0 at 0."""
    return (ct * ops.sign(x),)


row("maximum", 2, numbers, np.maximum, maximum_gradient)
row("minimum", 2, numbers, np.minimum, minimum_gradient)
row("absolute", 1, numbers, np.absolute, absolute_gradient, notation="abs")
row("sign", 1, floats, np.sign, STEPS)
row("floor", 1, floats, np.floor, STEPS)


# Functions of real numbers -----------------------------------------------------------


row("exp", 1, floats, np.exp, lambda ct, out, x: (ct * out,))
row("expm1", 1, floats, np.expm1, lambda ct, out, x: (ct * (out + 1),))
row("log", 1, floats, np.log, lambda ct, out, x: (ct / x,))
row("log1p", 1, floats, np.log1p, lambda ct, out, x: (ct / (1 + x),))
row("sqrt", 1, floats, np.sqrt, lambda ct, out, x: (ct / (2 * out),))
row("sin", 1, floats, np.sin, lambda ct, out, x: (ct * ops.cos(x),))
row("cos", 1, floats, np.cos, lambda ct, out, x: (-ct * ops.sin(x),))
row("tanh", 1, floats, np.tanh, lambda ct, out, x: (ct * (1 - out * out),))


def sigmoid(x: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """1 / (1 + e^−x); where e^−x overflows, the quotient is 0 all the same."""
    with np.errstate(over="ignore"):
        power = np.exp(np.negative(x, out=out), out=out)
    return np.divide(1, np.add(power, 1, out=out), out=out)


row("sigmoid", 1, floats, sigmoid, lambda ct, out, x: (ct * (out * (1 - out)),))


def softplus(x: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """log(1 + e^x) = max(x, 0) + log(1 + e^−|x|), which never overflows."""
    tail = np.log1p(np.exp(-np.abs(x)))
    return np.add(np.maximum(x, 0), tail, out=out)


row("softplus", 1, floats, softplus, lambda ct, out, x: (ct * ops.logistic(x),))


def erf(x: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """2/√π ∫ e^(−t²) dt from 0 to x."""
    from scipy.special import erf as scipy_erf  # 0.1 s to import, for gelu alone

    return scipy_erf(x, out=out)


def erf_gradient(ct: Tracer, out: Tracer, x: Tracer) -> One:
    """2/√π e^(−x²)."""
    return (ct * (2 / math.sqrt(math.pi)) * ops.exp(-x * x),)


row("erf", 1, floats, erf, erf_gradient)


# Comparing and choosing --------------------------------------------------------------


def comparison(*types: ArrayType) -> ArrayType:
    """Two arrays of one type give booleans."""
    not_bytes(types[0])
    return ArrayType(same_type(*types).shape, "bool")


def booleans(*types: ArrayType) -> ArrayType:
    """Booleans give booleans."""
    if types[0].dtype != "bool":
        raise DtypeError(f"must be booleans, got {types[0].dtype}")
    return same_type(*types)


SAME = compared("==", "==")
row("equal", 2, comparison, np.equal, WHOLE, notation=SAME, commutative=True)
row("less", 2, comparison, np.less, WHOLE, notation=compared("<", ">"))
row("less_equal", 2, comparison, np.less_equal, WHOLE, notation=compared("<=", ">="))
row("logical_and", 2, booleans, np.logical_and, WHOLE, commutative=True)
row("logical_not", 1, booleans, np.logical_not, WHOLE)


def select_type(condition: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
    """A boolean condition and two arrays of one type."""
    booleans(condition)
    same_shape((condition, x, y))
    return same_type(x, y)


def select(
    condition: NumpyArray, x: NumpyArray, y: NumpyArray, out: NumpyArray | None = None
) -> NumpyArray:
    """x where the condition holds, else y."""
    return put(np.where(condition, x, y), out)


def select_gradient(
    ct: Tracer, out: Tracer, condition: Tracer, x: Tracer, y: Tracer
) -> tuple[None, Tracer, Tracer]:
    """To the one that was chosen."""
    return None, ops.where(condition, ct, 0.0), ops.where(condition, 0.0, ct)


row("select", 3, select_type, select, select_gradient, notation="where")


# Other dtypes, and nothing at all ----------------------------------------------------


def cast_type(x: ArrayType, dtype: Dtype) -> ArrayType:
    """The same shape in another dtype."""
    if dtype not in COMPUTED:
        raise DtypeError(f"dtype must be one of {', '.join(COMPUTED)}, got {dtype}")
    return ArrayType(x.shape, dtype)


def cast(x: NumpyArray, dtype: str, out: NumpyArray | None = None) -> NumpyArray:
    """The same values in another dtype, fractions cut off."""
    if out is None:
        return np.asarray(x).astype(dtype)
    np.copyto(out, x, casting="unsafe")
    return out


def cast_gradient(ct: Tracer, _: Tracer, x: Tracer, dtype: str) -> tuple[Any]:
    """Back to the dtype that it had, if that has derivatives."""
    return (ops.cast(ct, x.type.dtype) if x.type.is_float else None,)


def converted(parts: Parts, attributes: Attributes, _: Shape) -> Written:
    """float32(x)."""
    return call(attributes["dtype"], parts[0].text)


row(
    "cast", 1, cast_type, cast, cast_gradient, notation=converted, attributes=("dtype",)
)
row("stop_gradient", 1, same_type, np.positive, "stopping it is what it is for")
