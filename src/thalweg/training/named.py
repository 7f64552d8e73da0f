"""Inputs by name, as the one array of rows that a network's programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from thalweg.checks import nearest
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.inputs import Inputs
from thalweg.formulas.layers import Layer
from thalweg.program.types import Dtype, NumpyArray, Shape
from thalweg.training.arguments import row_shape
from thalweg.training.rows import inputs_from, table_from


def inputs_of(layers: Sequence[Layer]) -> Inputs | None:
    """The layer that takes inputs by name, if a network starts with one."""
    first = layers[0] if layers else None
    return first if isinstance(first, Inputs) else None


def with_shapes_of(layers: Sequence[Layer], X: Any, name: str = "X") -> list[Layer]:
    """The layers, which know the shapes of the inputs that are given by name.

    Arguments:
        layers: of a network.
        X: an array, or a dict of arrays.
        name: what an error calls it.

    Raises:
        ArgumentError: an input is missing, or isn't one; or X has names and the network
            takes none, or the other way round.
    """
    inputs = inputs_of(layers)
    if inputs is None:
        require_no_names(X, name)
        return list(layers)
    require_names(inputs, X, name)
    shapes = {n: table_from(X[n], f"{name}[{n!r}]").shape[1:] for n in inputs.names}
    return [inputs.with_shapes(shapes), *layers[1:]]


def with_shapes(layers: Sequence[Layer], shapes: Mapping[str, Any]) -> list[Layer]:
    """The layers, which know these shapes of a row of each input.

    Raises:
        ArgumentError: an input is missing, or isn't one, or the network takes none by
            name.
    """
    inputs = inputs_of(layers)
    if inputs is None:
        require_no_names(shapes, "input_shape")
        return list(layers)
    require_names(inputs, shapes, "input_shape")
    known = {n: row_shape(shapes[n]) for n in inputs.names}
    return [inputs.with_shapes(known), *layers[1:]]


def width_of(layers: Sequence[Layer]) -> Shape:
    """The shape of a row of all inputs side by side, which are given by name."""
    inputs = inputs_of(layers)
    assert inputs is not None
    return (inputs.width,)


def side_by_side(layers: Sequence[Layer], X: Any, dtype: Dtype, name: str = "X") -> Any:
    """Inputs by name as one array, (rows, numbers of all); another X as it is.

    Arguments:
        layers: of the network, which knows the shapes of its inputs.
        X: an array, or a dict of arrays.
        dtype: of the network.
        name: what an error calls it.

    Raises:
        ArgumentError: an input is missing, isn't one, or isn't finite.
        ShapeError: an input has another shape than the network knows, or not as many
            rows as the first.
    """
    inputs = inputs_of(layers)
    if inputs is None:
        require_no_names(X, name)
        return X
    require_names(inputs, X, name)
    parts: list[NumpyArray] = []
    for each, shape in inputs.shapes_by_name.items():
        own = f"{name}[{each!r}]"
        part = inputs_from(X[each], dtype, own)
        require_rows(part, shape, len(parts[0]) if parts else len(part), own)
        parts.append(part.reshape(len(part), -1))
    return np.concatenate(parts, axis=1)


def require_no_names(X: Any, name: str) -> None:
    """A network without inputs of its own is given one array."""
    if isinstance(X, Mapping):
        raise ArgumentError(
            f"{name} must be an array: a network takes inputs by name if its first "
            "layer is Inputs, such as Inputs({'image': [Dense(8)], 'row': [Dense(4)]})"
        )


def require_names(inputs: Inputs, X: Any, name: str) -> None:
    """There is something for each input, and nothing else."""
    known = ", ".join(inputs.names)
    if not isinstance(X, Mapping):
        raise ArgumentError(
            f"{name} must be a dict with the inputs {known}, got {type(X).__name__}"
        )
    for each in cast(Mapping[Any, Any], X):
        if each not in inputs.names:
            raise ArgumentError(
                f"{name} has {each!r}, which is no input of the network; there are "
                f"{known}{nearest(str(each), inputs.names)}"
            )
    missing = [each for each in inputs.names if each not in X]
    if missing:
        raise ArgumentError(
            f"{name} must have the inputs {known}: {missing[0]!r} is missing"
        )


def require_rows(part: NumpyArray, shape: Shape, rows: int, name: str) -> None:
    """An input has the rows that the others have, in the shape that is known."""
    if part.shape != (rows, *shape):
        raise ShapeError(f"{name} must have shape {(rows, *shape)}, got {part.shape}")
