"""Loops: `scan`, which holds a program.

Its types and what it computes stand in `loop_rules`, its word in `loops`, its gradient
in `loop_gradients`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thalweg.program.ir import Program
from thalweg.program.loop_gradients import scan_gradient
from thalweg.program.loop_rules import BODY, scan_array, scan_type
from thalweg.program.primitives import register
from thalweg.program.row_rules import Case, RowRule, RowsMeetError
from thalweg.program.types import ArrayType


def scan_axis(case: Case) -> int:
    """Rows first, in all that has any: a body keeps them apart."""
    if any(axis not in (None, 0) for axis in case.axes) or case.axes[0] is not None:
        raise RowsMeetError
    return 0


def scan_operations(
    inputs: Sequence[ArrayType], attributes: Mapping[str, Any], result: ArrayType
) -> int:
    """Those of a turn, for each time."""
    body: Program = attributes["body"]
    one = body.at(rows=inputs[1].shape[0])
    turn = sum(
        each.primitive.cost(
            [one.type(v) for v in each.inputs], each.attributes, each.type
        )
        for each in one.instructions
    )
    return result.shape[1] * turn


register(
    name="scan",
    inputs=None,
    infer=scan_type,
    meaning=scan_array,
    gradient=scan_gradient,
    kind="loop",
    rows=RowRule(scan_axis, shared=True),
    cost=scan_operations,
    attributes=BODY,
)
