"""What the user asks `fit` for, checked before anything is changed."""

from __future__ import annotations

import numpy as np

from thalweg.checks import is_whole, require
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.chain import Shapes
from thalweg.formulas.losses import Loss
from thalweg.formulas.targets import probabilities
from thalweg.program.types import FLOATS, NumpyArray, Shape


def require_dtype(dtype: object) -> None:
    """Networks compute with real numbers."""
    fits = isinstance(dtype, str) and dtype in FLOATS
    require(fits, "dtype", "float32 or float64", dtype)


def require_grouping(group_by_length: object, shuffle: bool) -> None:
    """Rows may be grouped by length where they are shuffled.

    Raises:
        ArgumentError: they can't be.
    """
    must = "True or False"
    require(isinstance(group_by_length, bool), "group_by_length", must, group_by_length)
    must = "False where shuffle is, as it orders the rows by itself"
    require(shuffle or not group_by_length, "group_by_length", must, group_by_length)


def row_shape(given: int | Shape) -> Shape:
    """The shape of a row, from that or from its number of features."""
    shape = given if isinstance(given, tuple | list) else (given,)
    fits = len(shape) > 0 and all(is_whole(n) and n >= 1 for n in shape)
    require(fits, "input_shape", "whole numbers of 1 or more", given)
    return tuple(int(n) for n in shape)


def require_parameters(shapes: Shapes) -> None:
    """There is something to learn."""
    if not shapes.parameters:
        raise ArgumentError("no layer has parameters to learn: all are frozen, or none")


def check_targets(
    y: NumpyArray, output_shape: Shape, loss: Loss, name: str = "y"
) -> None:
    """Targets go with what a row gives: numbers of its shape, or class numbers."""
    *positions, outputs = output_shape
    classes = outputs > 1 and loss.match is probabilities
    is_last_left_out = y.shape[1:] == tuple(positions)
    if classes and is_last_left_out and y.dtype.kind == "i":
        require_range(y, outputs - 1, f"class numbers in {name}", f"{outputs} outputs")
    elif y.shape[1:] != output_shape and not (is_last_left_out and outputs == 1):
        also = " or hold class numbers 0, 1, 2, …" if classes else ""
        raise ShapeError(
            f"{name} must have shape {(len(y), *output_shape)}{also} for {loss.name} "
            f"and {outputs} outputs, got {y.dtype} of shape {y.shape}"
        )
    if loss.name == "binary_cross_entropy":
        require_range(y, 1, name, "binary_cross_entropy")


def require_range(y: NumpyArray, last: int, name: str, why: str) -> None:
    """No target is below 0 or above the last; the first that is gets named."""
    if not y.size or (y.min() >= 0 and y.max() <= last):  # windows have many cells
        return
    for place in np.argwhere((y < 0) | (y > last))[:1]:
        raise ArgumentError(
            f"{name} must lie in 0..{last} for {why}, got {y[tuple(place)]} "
            f"at row {place[0]}"
        )
