"""How predictions and targets are brought to one shape, or refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.lengths import Lengths, is_there
from thalweg.program import ops
from thalweg.program.arguments import shape_of, tracing

Match: TypeAlias = Callable[[ops.Array, ops.Array], ops.Array]


def as_array(x: ops.Array) -> ops.Array:
    """The tracer or array itself; a list becomes an array."""
    return x if hasattr(x, "shape") else np.asarray(x)


def as_columns(predictions: ops.Array) -> ops.Array:
    """Predictions as floating-point numbers, (rows,) as (rows, 1)."""
    x = as_array(predictions)
    if not x.ndim:
        raise ShapeError(
            f"predictions must have shape (rows,) or (rows, …, outputs), got {x.shape}"
        )
    x = x if x.dtype.kind == "f" else ops.cast(x, "float64")
    return ops.reshape(x, (x.shape[0], 1)) if x.ndim == 1 else x


def values(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """Targets that are numbers: the shape of predictions, or without its one output."""
    if predictions.shape not in (targets.shape, (*targets.shape, 1)):
        raise ShapeError(
            f"targets must have the shape of predictions, {predictions.shape}, "
            f"got {targets.shape}"
        )
    same_dtype = ops.cast(targets, predictions.dtype.name)
    return ops.reshape(same_dtype, predictions.shape)


def probabilities(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """Targets that are class numbers (rows, …) become one-hot; others are `values`."""
    *positions, classes = predictions.shape
    whole = targets.dtype.kind in "iu"
    if not (whole and targets.shape == tuple(positions) and classes > 1):
        return values(predictions, targets)
    if tracing(targets) is None:
        require_classes(targets, classes)
    return ops.one_hot(targets, classes, predictions.dtype.name)


def require_classes(numbers: np.ndarray[Any, Any], classes: int) -> None:
    """Class numbers count from 0 and stay below the number of outputs."""
    for wrong in numbers[(numbers < 0) | (numbers >= classes)][:1]:
        raise ArgumentError(
            f"class numbers must be in 0..{classes - 1} for {classes} outputs, "
            f"got {wrong}"
        )


def over_positions(
    values: ops.Array, kept: int = 0, lengths: Lengths | None = None
) -> ops.Array:
    """The mean over a row's positions: all axes but the first and the last so many.

    Where rows have lengths of their own, over the times that a row has.

    >>> over_positions(np.array([[1.0, 3.0], [2.0, 2.0]])).tolist()
    [2.0, 2.0]
    >>> lengths = np.array([1, 2])
    >>> over_positions(np.array([[1.0, 3.0], [2.0, 2.0]]), lengths=lengths).tolist()
    [1.0, 2.0]
    """
    shape = shape_of(values)
    axes = tuple(range(1, len(shape) - kept))
    if lengths is None:
        return ops.mean(values, axes) if axes else values
    there = ops.where(is_there(values, lengths), values, 0.0)
    column = ops.reshape(lengths, (shape[0], *(1 for _ in range(kept))))
    count = ops.cast(column, values.dtype.name) * math.prod(
        shape[2 : len(shape) - kept]
    )
    return ops.sum(there, axes) / count
