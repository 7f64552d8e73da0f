"""Feature maps: what one layer makes of rows."""

from __future__ import annotations

from thalweg.explain.outputs import outputs_of
from thalweg.explain.rows import require_layer
from thalweg.model.record import NetworkRecord
from thalweg.program.types import NumpyArray


def feature_maps(network: NetworkRecord, X: NumpyArray, layer: int) -> NumpyArray:
    """What a layer gives for rows: fₙ(… f₂(f₁(x))), as in prediction.

    Arguments:
        network: initialized, fitted or loaded.
        X: rows in the network's shape and dtype.
        layer: n, 1 for the first.

    Returns:
        An array (rows, …): behind a convolution (rows, places…, filters), a map for
        each filter.

    Raises:
        NotFittedError: the network has no parameters yet.
        ArgumentError: there is no such layer.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> from thalweg.explain.feature_maps import feature_maps
        >>> layers = [tw.Conv(4, 3), tw.Flatten(), tw.Dense(2)]
        >>> network = tw.Network(layers).initialize((8, 8, 1))
        >>> feature_maps(network, np.zeros((1, 8, 8, 1), "float32"), 1).shape
        (1, 6, 6, 4)

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks",
    2014.
    """
    require_layer(network.layers, layer)
    return outputs_of(network, X, [layer])[0]
