"""Numerical safety: formulas as the textbook prints them, at any logit.

These rules run before differentiation, so that gradients are those of the safe form.
"""

# The lambdas of the table are typed by the table.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.rewrite import (
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

x, y, z, c = Variable("x"), Variable("y"), Variable("z"), Variable("c")
add, subtract, divide = pattern("add"), pattern("subtract"), pattern("divide")
negative, exp, log = pattern("negative"), pattern("exp"), pattern("log")
expm1 = pattern("expm1")
log1p, sigmoid, select = pattern("log1p"), pattern("sigmoid"), pattern("select")
total, repeated = pattern("sum"), pattern("broadcast")


def shifted(z: Tracer, axes: tuple[int, ...]) -> Tracer:
    """z minus its largest element, which cancels in every softmax."""
    return z - ops.stop_gradient(ops.max(z, axis=axes, keepdims=True))


def is_unshifted(z: Tracer, **_: Any) -> bool:
    """Whether no largest element was subtracted yet."""
    found = definition(z)
    if found is None or found[0] != "subtract":
        return True
    largest: Tracer | None = found[1][1]
    while largest is not None:
        below = definition(largest)
        if below is None:
            return True
        if below[0] == "max":
            return False
        views = ("broadcast", "reshape", "stop_gradient")
        passed = below[1][0] if below[0] in views else None
        largest = passed if below[0] != "select" else where_finite(below[1])
    return True


def where_finite(choice: Sequence[Tracer]) -> Tracer | None:
    """m of select(|m| < …, m, …), which `logsumexp` subtracts; else None."""
    condition, chosen, _ = choice
    compared = definition(condition)
    if compared is None or compared[0] != "less":
        return None
    size = definition(compared[1][0])
    if size is None or size[0] != "absolute":
        return None
    return chosen if size[1][0].value == chosen.value else None


def softmax(z: Tracer, axes: tuple[int, ...]) -> Tracer:
    """e^z / Σ e^z of what was shifted."""
    powers = ops.exp(shifted(z, axes))
    return powers / ops.sum(powers, axis=axes, keepdims=True)


def log_sum_exp(z: Tracer, axes: tuple[int, ...]) -> Tracer:
    """log Σ e^z = max z + log Σ e^(z − max z)."""
    largest = ops.stop_gradient(ops.max(z, axis=axes, keepdims=True))
    return largest + ops.log(ops.sum(ops.exp(z - largest), axis=axes, keepdims=True))


REORDERINGS = ("reshape", "transpose", "broadcast", "slice", "take")


def is_probability(tracer: Tracer) -> bool:
    """Whether a value is a sigmoid or a quotient of exponentials, or a view of one."""
    found = definition(tracer)
    if found is None:
        return False
    if found[0] in REORDERINGS:
        return is_probability(found[1][0])
    if found[0] != "divide":
        return found[0] == "sigmoid"
    numerator = definition(found[1][0])
    return numerator is not None and numerator[0] == "exp"


def has_safe_log(tracer: Tracer) -> bool:
    """Whether log x has a finite derivative even where a choice doesn't take it."""
    number = single_value(tracer)
    above = number is not None and holds(lambda n: n > 0, number)
    return is_probability(tracer) or above


# The logistic functions are recognized in every form in which books print them.
RULES = (
    Rule(
        "1 / (1 + exp(-x)) = sigmoid(x)",
        divide(1, add(1, exp(negative(x)))),
        ops.logistic,
    ),
    Rule(
        "exp(x) / (1 + exp(x)) = sigmoid(x)",
        divide(exp(x), add(1, exp(x))),
        ops.logistic,
    ),
    Rule(
        "1 / (1 + exp(x)) = sigmoid(-x)",
        divide(1, add(1, exp(x))),
        lambda x: ops.logistic(-x),
    ),
    Rule(
        "1 - sigmoid(x) = sigmoid(-x)",
        subtract(1, sigmoid(x)),
        lambda x: ops.logistic(-x),
    ),
    Rule(
        "(exp(x) - exp(-x)) / (exp(x) + exp(-x)) = tanh(x)",
        divide(
            subtract(exp(x), exp(negative(x))),
            add(exp(x), exp(negative(x))),
        ),
        lambda x: ops.tanh(x),
    ),
    Rule(
        "(exp(x) - 1) / (exp(x) + 1) = tanh(x / 2)",
        divide(expm1(x), add(1, exp(x))),
        lambda x: ops.tanh(x / 2),
    ),
    Rule("log(sigmoid(x))", log(sigmoid(x)), lambda x: -ops.softplus(-x)),
    Rule("log(1 + x) = log1p(x)", log(add(1, x)), lambda x: ops.log1p(x)),
    Rule("log1p(exp(x)) = softplus(x)", log1p(exp(x)), ops.softplus),
    Rule("log(exp(x)) = x", log(exp(x)), lambda x: x),
    Rule(
        "exp(x) / exp(y) = exp(x - y)",
        divide(exp(x), exp(y)),
        lambda x, y: ops.exp(x - y),
    ),
    Rule("exp(x) - 1 = expm1(x)", subtract(exp(x), 1), lambda x: ops.expm1(x)),
    Rule(
        "exp(z) / sum(exp(z)) of what is shifted",
        divide(exp(z), repeated(total(exp(z), axes="axes"))),
        softmax,
        when=is_unshifted,
    ),
    Rule(
        "log(exp(z) / sum(exp(z))) = z - log(sum(exp(z)))",
        log(divide(exp(z), repeated(total(exp(z), axes="axes")))),
        lambda z, axes: z - ops.log(ops.sum(ops.exp(z), axis=axes, keepdims=True)),
    ),
    Rule(
        "log(sum(exp(z))) of what is shifted",
        log(total(exp(z), axes="axes")),
        log_sum_exp,
        when=is_unshifted,
    ),
    Rule(
        "log(select(c, x, y)) = select(c, log x, log y)",
        log(select(c, x, y)),
        lambda c, x, y: ops.where(c, ops.log(x), ops.log(y)),
        when=lambda c, x, y: has_safe_log(x) and has_safe_log(y),
    ),
)


def log_of_view(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """log(view(x)) = view(log(x)), so that the rules see what x is.

    For the parts and rows of a softmax or sigmoid alone: elsewhere a part's logarithm
    is less work than the whole's.
    """
    if opcode != "log":
        return None
    found = definition(inputs[0])
    if found is None or found[0] not in REORDERINGS or not is_probability(found[1][0]):
        return None
    inside = ops.log(found[1][0])
    return recording.emit(found[0], (inside, *found[1][1:]), **found[2])


def complement_of_view(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """1 - view(p) = view(1 - p) of a probability, so that the rules see what p is."""
    if opcode != "subtract" or single_value(inputs[0]) != 1:
        return None
    found = definition(inputs[1])
    if found is None or found[0] not in REORDERINGS or not is_probability(found[1][0]):
        return None
    inside = 1 - found[1][0]
    return recording.emit(found[0], (inside, *found[1][1:]), **found[2])


def exp_of_view(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """view(exp(x)) = exp(view(x)), so that a softmax is seen however it lies."""
    if opcode not in ("reshape", "transpose"):
        return None
    found = definition(inputs[0])
    if found is None or found[0] != "exp":
        return None
    return recording.emit("exp", (recording.emit(opcode, found[1], **attributes),))


# Which inputs of a primitive can make its value or derivative infinite while finite.
STEEP = {
    "exp": (0,),
    "expm1": (0,),
    "log": (0,),
    "log1p": (0,),
    "sqrt": (0,),
    "power": (0, 1),
    "divide": (1,),
}
DEEPEST = 8  # how far into a branch is looked


def guarded_branches(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """select(c, x, f(y)) = select(c, x, f(select(c, 1, y))) for a steep f.

    Where the branch isn't chosen f is asked at 1, so that no infinity of its derivative
    meets the zero that the choice sends back.
    """
    if opcode != "select":
        return None
    condition, x, y = inputs
    chosen = guard(x, lambda v: ops.where(condition, v, 1.0), condition, 0)
    other = guard(y, lambda v: ops.where(condition, 1.0, v), condition, 0)
    if chosen.value == x.value and other.value == y.value:
        return None
    return recording.emit("select", (condition, chosen, other))


def guard(
    branch: Tracer, protect: Callable[[Tracer], Tracer], condition: Tracer, depth: int
) -> Tracer:
    """A branch with the arguments of its steep functions protected."""
    found = definition(branch)
    if found is None or depth > DEEPEST or not is_elementwise(found[0]):
        return branch
    if is_probability(branch):  # safe as it is, and known to the rules in this form
        return branch
    opcode, inputs, attributes = found
    if opcode == "log" and has_safe_log(inputs[0]):  # the rules brought it out here
        return branch
    steep = STEEP.get(opcode, ())
    guarded = [
        (v if is_protected(v, condition) else protect(v))
        if position in steep
        else guard(v, protect, condition, depth + 1)
        for position, v in enumerate(inputs)
    ]
    if [v.value for v in guarded] == [v.value for v in inputs]:
        return branch
    return branch.trace.emit(opcode, guarded, **attributes)


def is_elementwise(opcode: str) -> bool:
    """Whether a branch goes on through an instruction, element by element."""
    return PRIMITIVES[opcode].kind == "elementwise" and opcode != "select"


def is_protected(value: Tracer, condition: Tracer) -> bool:
    """Whether a value is a constant, or was protected by this condition before."""
    found = definition(value)
    if found is None or single_value(value) is not None:
        return found is not None
    return found[0] == "select" and found[1][0].value == condition.value


GENERAL = (log_of_view, complement_of_view, exp_of_view, guarded_branches)


def stabilize(program: Program) -> Program:
    """The program in a form that neither overflows nor loses its digits."""
    return rewrite(program, RULES, GENERAL)
