"""Occlusion: how the probability of a class falls as a patch hides parts of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from thalweg.checks import is_number, require
from thalweg.errors import ShapeError
from thalweg.explain.probabilities import (
    classes_of,
    probabilities_of,
    require_probabilities,
)
from thalweg.formulas.places import PerAxis, count_of, per_axis, require_per_axis
from thalweg.model.record import NetworkRecord
from thalweg.program.types import NumpyArray

MOST_NUMBERS = 2**24  # of the copies of a row that are there together

Predict = Callable[[NumpyArray], NumpyArray]


def occlusion(
    network: NetworkRecord,
    predict: Predict,
    X: NumpyArray,
    classes: NumpyArray,
    size: PerAxis,
    stride: PerAxis = 1,
    value: float = 0.0,
) -> NumpyArray:
    """The probability of a class as a patch is moved over a row.

    p_c(x with all numbers of the window of place i at a value), for every place i

    Where it's low, the network needs what the patch hides.

    Arguments:
        network: one that gives the probabilities of classes.
        predict: gives its predictions for rows.
        X: rows (rows, places…, channels) in the network's shape and dtype.
        classes: c, a class number for each row, shape (rows,).
        size: of the patch, one number for all axes or one for each.
        stride: from a place of the patch to the next.
        value: what the patch shows, on all channels.

    Returns:
        An array (rows, places of the patch…) of probabilities.

    Raises:
        NotFittedError: the network has no parameters yet.
        ArgumentError: it gives no probabilities, there is no such class, or size or
            stride is no whole number of 1 or more.
        ShapeError: rows have no places, or the patch doesn't fit into them.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.occlusion import occlusion
        >>> layers = [tw.Flatten(), tw.Dense(2, "softmax")]
        >>> network = tw.Network(layers).initialize((4, 1))
        >>> row, first = np.ones((1, 4, 1), "float32"), np.array([0])
        >>> occlusion(network, network.predict, row, first, size=2).shape
        (1, 3)

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks",
    2014.
    """
    places = network.shapes.outputs[0][:-1]
    require_probabilities(network)
    chosen = classes_of(network, classes, len(X))
    require(is_number(value), "value", "a finite number", value)
    windows = list(patches(places, size, stride))
    starts = [count_of(n, k, s) for n, k, s in sizes_along(places, size, stride)]
    probabilities = [
        hidden_row(predict, row, windows, number, value)
        for row, number in zip(X, chosen, strict=True)
    ]
    return np.stack(probabilities).reshape(len(X), *starts)


def hidden_row(
    predict: Predict,
    row: NumpyArray,
    windows: list[tuple[slice, ...]],
    number: int,
    value: float,
) -> NumpyArray:
    """The probability of a class with each window hidden, for one row."""
    at_a_time = max(MOST_NUMBERS // row.size, 1)
    given: list[NumpyArray] = []
    for start in range(0, len(windows), at_a_time):
        part = windows[start : start + at_a_time]
        rows = np.repeat(row[np.newaxis], len(part), axis=0)
        for copy, window in zip(rows, part, strict=True):
            copy[window] = value
        given.append(probabilities_of(predict(rows), np.full(len(part), number)))
    return np.concatenate(given)


def patches(
    places: tuple[int, ...], size: PerAxis, stride: PerAxis
) -> Iterator[tuple[slice, ...]]:
    """What a patch hides at each place, the last axis the fastest."""
    each = sizes_along(places, size, stride)
    along = [
        [slice(i * s, i * s + k) for i in range(count_of(n, k, s))] for n, k, s in each
    ]
    return product(*along)


def sizes_along(
    places: tuple[int, ...], size: PerAxis, stride: PerAxis
) -> list[tuple[int, int, int]]:
    """Places, the patch's size and its stride along each axis.

    Raises:
        ShapeError: there are no axes, or the patch doesn't fit.
    """
    require_per_axis("size", size)
    require_per_axis("stride", stride)
    if not places:
        raise ShapeError("a patch hides places of (rows, places…, channels), got none")
    rank = len(places)
    sizes, strides = per_axis("size", size, rank), per_axis("stride", stride, rank)
    if any(k > n for n, k in zip(places, sizes, strict=True)):
        raise ShapeError(f"size must fit into {places} places, got {sizes}")
    return list(zip(places, sizes, strides, strict=True))
