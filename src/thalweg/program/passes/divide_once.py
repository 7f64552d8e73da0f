"""What many numbers are divided by is divided by once.

    x / √y = x · (1 / √y)

where √y stands for several numbers of x, as in a norm. A division takes as long as some
ten products, and its gradient divides all of them twice more. Of a root the reciprocal
is never out of range, but for 0, infinity and NaN, where both sides agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thalweg.program import ops
from thalweg.program.ir import Program
from thalweg.program.passes.rewrite import definition, rewrite
from thalweg.program.trace import Trace, Tracer


def divide_once(program: Program) -> Program:
    """The program whose numbers are multiplied by what they share, not divided."""
    if not has_roots(program):
        return program
    return rewrite(program, (), (product_with_reciprocal,))


def has_roots(program: Program) -> bool:
    """Whether a square root is taken, at one time of a loop or outside."""
    bodies = (each.attributes.get("body") for each in program.instructions)
    return any(each.opcode == "sqrt" for each in program.instructions) or any(
        has_roots(body) for body in bodies if body is not None
    )


def product_with_reciprocal(
    recording: Trace,
    opcode: str,
    inputs: tuple[Tracer, ...],
    attributes: Mapping[str, Any],
) -> Tracer | None:
    """x / √y = x · (1 / √y), where √y is repeated."""
    del recording, attributes
    repeated = definition(inputs[1]) if opcode == "divide" else None
    if repeated is None or repeated[0] != "broadcast":
        return None
    (few,) = repeated[1]
    root = definition(few)
    if root is not None and root[0] == "reshape":
        root = definition(root[1][0])
    if root is None or root[0] != "sqrt":
        return None
    return inputs[0] * ops.broadcast_to(1 / few, inputs[1].shape)
