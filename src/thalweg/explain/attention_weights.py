"""Attention weights: how much each time of a row takes of each other."""

from __future__ import annotations

from typing import cast

from thalweg.explain.inside import Inside, seen_inside, the_one
from thalweg.formulas.attention import Attention
from thalweg.model.record import NetworkRecord
from thalweg.program.ops import Array
from thalweg.program.types import NumpyArray


def attention_weights(
    network: NetworkRecord, X: NumpyArray, layer: int | str
) -> NumpyArray:
    """softmax(Q Kᵀ / √d) of each head, as in prediction.

    Arguments:
        network: initialized, fitted or loaded.
        X: rows in the network's shape and dtype.
        layer: the number of the layer that is an `Attention` or has one inside, 1 for
            the first; or its place, as the names of its parameters begin.

    Returns:
        An array (rows, heads, times, times): of each time the weights of all times,
        which add up to 1.

    Raises:
        NotFittedError: the network has no parameters yet.
        ArgumentError: there is no such layer, or not one attention in it.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.attention_weights import attention_weights
        >>> layers = [tw.TransformerBlock(2, 8, causal=True), tw.Dense(3)]
        >>> network = tw.Network(layers).initialize((5, 4))
        >>> weights = attention_weights(network, np.ones((1, 5, 4), "float32"), 1)
        >>> weights.shape
        (1, 2, 5, 5)
        >>> weights[0, 0, 1].round(2).tolist()
        [0.5, 0.5, 0.0, 0.0, 0.0]

    Source: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning
    to align and translate", 2015.
    """

    def weights(inside: Inside) -> Array:
        return cast(Attention, inside.layer).weights(inside.x, inside.p)

    place, _ = the_one(network, layer, Attention, "Attention")
    return seen_inside(network, X, place, weights, "attention weights")
