"""How much a network's outputs move with each column of a table, to first order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.backends.numpy.calls import gradient
from thalweg.model.stack import values_by_layer
from thalweg.network import Network
from thalweg.program import ops
from thalweg.tables.categories import CodeEncoding
from thalweg.tables.encode import Encoder
from thalweg.tables.encodings import Encoding
from thalweg.tabular.learn import embedding_layers

DIRECTIONS = 4  # in which outputs are looked at, each in all of them at once
MOST_NUMBERS = (
    4_000_000  # that a layer takes or gives: of wide ones fewer rows are seen
)


def sensitivities(
    network: Network, encoder: Encoder, X: NDArray[Any]
) -> NDArray[np.float64]:
    """By how much shuffling each column moves the outputs, by their gradient.

    s = mean (Σ ∂(r·f)/∂v (v′ − v))²

    The sum is over the numbers v that a column becomes, behind its embedding if it has
    one, of a row and of another, v′; the mean over rows and directions r of random
    signs, in which no output hides. All columns together cost a few training steps.

    Arguments:
        network: f.
        encoder: says which numbers are whose.
        X: encoded rows, shape (rows, features).

    Returns:
        A number from 0 for each encoding, in their order; infinite where it's NaN.

    Source: Hutchinson, "A stochastic estimator of the trace of the influence matrix",
    1989, for the directions.
    """
    outputs = network.shapes.outputs[-1][0]
    rows = min(len(X), max(MOST_NUMBERS // max(X.shape[1], outputs), 2))
    arrays = {**network.parameters, **network.state}
    layers = [
        *zip(network.layers, values_by_layer(network.layers, arrays), strict=True)
    ]
    # Category numbers have no gradient, what stands for them has.
    behind = embedding_layers(encoder)
    embedded = bool(behind) and network.layers[0] == behind[0]
    values: Any = layers[0][0].forward(X[:rows], layers[0][1]) if embedded else X[:rows]

    def sum_in_direction(v: Any, signs: Any) -> Any:
        for layer, own in layers[embedded:]:
            v = layer.forward(v, own)
        return ops.sum(v * signs)

    widths = [width(each, embedded) for each in encoder.encodings]
    starts = np.cumsum([0, *widths[:-1]])
    generator = np.random.Generator(np.random.Philox(key=[0, rows]))
    found = np.zeros(len(widths))
    with np.errstate(all="ignore"):
        for _ in range(DIRECTIONS):
            signs = generator.choice([-1, 1], (rows, outputs)).astype(X.dtype)
            slopes = gradient(sum_in_direction)(values, signs)
            moved = slopes * (values[generator.permutation(rows)] - values)
            by_column = np.add.reduceat(moved, starts, axis=1, dtype=np.float64)
            found += np.square(by_column).mean(axis=0) / DIRECTIONS
    return np.nan_to_num(found, nan=np.inf)


def width(encoding: Encoding, embedded: bool) -> int:
    """How many numbers stand for a cell of a column."""
    if embedded and isinstance(encoding, CodeEncoding):
        return encoding.dimension
    return len(encoding.features)
