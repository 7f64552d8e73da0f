"""The outputs of every layer, first to last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from thalweg.explain.rows import parts
from thalweg.formulas.chain import chain_outputs
from thalweg.model.record import NetworkRecord
from thalweg.model.stack import values_by_layer
from thalweg.model.step import network_inputs, values_in
from thalweg.program.compile import finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.trace import trace
from thalweg.program.types import NumpyArray


def outputs(network: NetworkRecord, X: NumpyArray) -> list[NumpyArray]:
    """What every layer gives for rows: f₁(x), f₂(f₁(x)), …, as in prediction.

    Arguments:
        network: initialized, fitted or loaded.
        X: rows in the network's shape and dtype.

    Returns:
        An array (rows, …) for each layer, first to last.

    Raises:
        NotFittedError: the network has no parameters yet.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.outputs import outputs
        >>> network = tw.Network([tw.Dense(3, "tanh"), tw.Dense(1)]).initialize(2)
        >>> [each.shape for each in outputs(network, np.zeros((5, 2), "float32"))]
        [(5, 3), (5, 1)]

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986.
    """
    return outputs_of(network, X, range(1, len(network.layers) + 1))


def outputs_of(
    network: NetworkRecord, X: NumpyArray, numbers: Sequence[int]
) -> list[NumpyArray]:
    """What the layers of some numbers give for rows, by one program."""
    shapes, dtype = network.shapes, network.dtype
    layers = network.layers[: max(numbers)]

    def given(arrays: dict[str, Any]) -> dict[str, Any]:
        values = values_by_layer(layers, values_in(arrays, shapes, dtype))
        every = list(chain_outputs(layers, arrays["X"], values))
        return {f"layer{number}": every[number - 1] for number in numbers}

    def program(rows: int) -> Program:
        return finish(make_safe(trace(given, network_inputs(shapes, rows, dtype))))

    key = ("outputs", network.layers, shapes.outputs[0], dtype, tuple(numbers))
    found = [*parts(network, program, {"X": X}, key)]
    return [
        np.concatenate([part[f"layer{number}"] for part in found]) for number in numbers
    ]
