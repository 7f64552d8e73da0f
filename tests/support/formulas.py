"""Formulas as text, read back as Python over NumPy's functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thalweg.program import meanings


def argmax(x: Any, axis: int) -> Any:
    """Positions as a program has them."""
    return meanings.argmax_array(x, axis)


def spread(x: Any, starts: Any, steps: Any, shape: Any) -> Any:
    """Elements set into zeros, some apart from each other."""
    return meanings.pad_array(x, starts, steps, shape)


NUMPY: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        *("abs", "exp", "log", "sqrt", "tanh", "maximum", "minimum", "where", "sign"),
        *("sum", "max", "mean", "reshape", "broadcast_to", "concatenate", "pad"),
        *("float32", "float64", "int32", "arange", "expm1", "log1p", "sin", "cos"),
        *("floor", "transpose", "array", "inf", "nan", "logical_and", "logical_not"),
        *("bool_", "uint32"),
    )
} | {
    "sigmoid": meanings.sigmoid,
    "softplus": meanings.softplus,
    "erf": meanings.erf,
    "scatter_add": meanings.scatter_add_array,
    "argmax": argmax,
    "spread": spread,
    "bool": np.bool_,
}


def read(lines: Sequence[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """What lines such as ``y = exp(z)`` compute, one after the other."""
    names: dict[str, Any] = {**NUMPY, "__builtins__": {}, **given}
    for line in lines:
        name, text = line.split(" = ", 1)
        names[name] = eval(text, names)
    return names
