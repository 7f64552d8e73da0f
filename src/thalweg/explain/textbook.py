"""Gradients as books print them: equal to those that run, but for rounding."""

# The lambdas of the table are typed by the table.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.rewrite import (
    Constant,
    Rule,
    Variable,
    pattern,
    rewrite,
)
from thalweg.program.trace import Tracer
from thalweg.program.types import Shape

x, y, z, t = Variable("x"), Variable("y"), Variable("z"), Variable("t")
a, b, c = Constant("a"), Constant("b"), Constant("c")
add, subtract, multiply = pattern("add"), pattern("subtract"), pattern("multiply")
divide, negative, exp = pattern("divide"), pattern("negative"), pattern("exp")
sigmoid, total, repeated = pattern("sigmoid"), pattern("sum"), pattern("broadcast")

ROUNDING = 1e-6  # as far apart are numbers that are the same but for rounding


def scaled(x: Tracer, a: float) -> Tracer:
    """x a, or where it can be x / n, as in the mean over n rows."""
    count = round(1 / a) if a else 0
    return x / count if abs(count * a - 1) < ROUNDING else x * a


# In floating point these cancel, or overflow, where what runs doesn't.
RULES = (
    Rule(
        "a / sum(exp(z)) * exp(z) = softmax(z) * a",
        multiply(repeated(divide(a, total(exp(z), axes="axes"))), exp(z)),
        lambda z, a, axes: (
            ops.exp(z) / ops.sum(ops.exp(z), axis=axes, keepdims=True) * a
        ),
    ),
    Rule(
        "-a x + a y = a (y - x)",
        add(multiply(x, a), multiply(y, b)),
        lambda x, y, a, b: scaled(y - x, b),
        when=lambda x, y, a, b: abs(a + b) <= ROUNDING * abs(b),
    ),
    Rule(
        "a (1 - t) sigmoid(z) - a t sigmoid(-z) = a (sigmoid(z) - t)",
        subtract(
            multiply(multiply(subtract(1, t), a), sigmoid(z)),
            multiply(multiply(t, a), sigmoid(negative(z))),
        ),
        lambda t, z, a: scaled(ops.logistic(z) - t, a),
    ),
)


def textbook(program: Program, probabilities: Sequence[str] = ()) -> Program:
    """A gradient's program in the form that books print: ŷ − y for softmax and sigmoid.

    Arguments:
        program: differentiated.
        probabilities: names of inputs that add up to 1 over the last axis.
    """
    numbers = [list(program.inputs).index(name) for name in probabilities]

    def add_up(t: Tracer, axes: Shape, **_: Any) -> bool:
        return t.value in numbers and axes == (t.ndim - 1,)

    def smoothed(t: Tracer, a: Any, b: Any, c: Any, axes: Shape) -> float:
        return a * (b + c * t.shape[-1])

    adding_up = (
        Rule(
            "sum(a t) = a of probabilities t",
            total(multiply(t, a), axes="axes"),
            lambda t, a, axes: a,
            when=add_up,
        ),
        Rule(
            "sum(a (b t + c)) = a (b + k c) of probabilities t of k classes",
            total(multiply(add(multiply(t, b), c), a), axes="axes"),
            smoothed,
            when=add_up,
        ),
    )
    return rewrite(program, (*adding_up, *RULES))
