"""Formulas as text, read back as Python over NumPy's functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.program.primitives import PRIMITIVES

NUMPY: dict[str, Any] = (
    {
        name: getattr(np, name)
        for name in (
            *(
                "abs",
                "sign",
                "floor",
                "exp",
                "expm1",
                "log",
                "log1p",
                "sqrt",
                "sin",
                "cos",
            ),
            *(
                "tanh",
                "maximum",
                "minimum",
                "where",
                "logical_and",
                "logical_not",
                "sum",
            ),
            *("max", "mean", "argmax", "reshape", "transpose", "broadcast_to", "pad"),
            *(
                "concatenate",
                "tensordot",
                "einsum",
                "array",
                "arange",
                "zeros",
                "bool",
                "float32",
                "float64",
                "int32",
            ),
            *("uint32", "inf", "nan"),
        )
    }
    | {
        "range": range,
        "reversed": reversed,
    }
    | {
        name: PRIMITIVES[opcode].meaning
        for name, opcode in {
            **{
                n: n
                for n in (
                    "sigmoid",
                    "softplus",
                    "erf",
                    "scatter_add",
                    "random_bits",
                    "windows",
                    "add_windows",
                    "share_max",
                )
            },
            "spread": "pad",
        }.items()
    }
)


def read(lines: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every name that lines such as ``y = exp(z)`` define."""
    names: dict[str, Any] = {**NUMPY, "__builtins__": {}, **given}
    with np.errstate(all="ignore"):
        exec("\n".join(lines), names)
    return names
