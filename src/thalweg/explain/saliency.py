"""Saliency: how much each number of a row counts for the class it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from thalweg.explain.probabilities import classes_of, require_probabilities
from thalweg.explain.rows import for_rows
from thalweg.formulas.losses import Loss
from thalweg.model.record import NetworkRecord
from thalweg.model.stack import predictions_of
from thalweg.model.step import network_inputs, values_in
from thalweg.program import ops
from thalweg.program.compile import backward_program, finish, make_safe
from thalweg.program.ir import Program
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, NumpyArray


def saliency(network: NetworkRecord, X: NumpyArray, classes: NumpyArray) -> NumpyArray:
    """How strongly each number of a row moves the probability of a class.

    s = |∂ log p_c / ∂x|

    The gradient is that of the traced program, as in training, but by x. The surer the
    network, the smaller all of it.

    Arguments:
        network: one that gives the probabilities of classes.
        X: rows in the network's shape and dtype.
        classes: c, a class number for each row, shape (rows,).

    Returns:
        An array of X's shape.

    Raises:
        NotFittedError: the network has no parameters yet.
        ArgumentError: it gives no probabilities, or there is no such class.
        ShapeError: there aren't as many classes as rows.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.saliency import saliency
        >>> network = tw.Network([tw.Dense(2, "softmax")]).initialize(2)
        >>> network.set_parameters({"1.weights": [[3, -3], [0, 0]]})
        >>> saliency(network, np.zeros((1, 2), "float32"), np.array([0])).tolist()
        [[3.0, 0.0]]

    Source: Simonyan, Vedaldi and Zisserman, "Deep inside convolutional networks:
    visualising image classification models and saliency maps", 2014.
    """
    shapes, dtype = network.shapes, network.dtype
    require_probabilities(network)
    chosen = classes_of(network, classes, len(X))

    def program(rows: int) -> Program:
        return saliency_program(network, rows)

    key = ("saliency", network.layers, shapes.outputs[0], dtype)
    return np.abs(for_rows(network, program, {"X": X, "y": chosen}, "slope", key))


def saliency_program(network: NetworkRecord, rows: int) -> Program:
    """∂ Σ log p_c / ∂X: a row's own probability alone depends on it."""
    layers, shapes, dtype = network.layers, network.shapes, network.dtype
    several = shapes.outputs[-1][-1] > 1
    loss = Loss.of("cross_entropy" if several else "binary_cross_entropy")
    types = network_inputs(shapes, rows, dtype)
    types["y"] = ArrayType((rows,), "int32")

    def log_probability(arrays: dict[str, Any]) -> dict[str, Any]:
        p = predictions_of(layers, arrays["X"], values_in(arrays, shapes, dtype))
        return {"log": ops.sum(-loss.per_row(p, arrays["y"]))}

    forward = make_safe(trace(log_probability, types))
    both = backward_program(forward, "log", ["X"], {})
    return finish(replace(both, outputs={"slope": both.outputs["gradient.X"]}))
