"""Layers in PyTorch's words, as functions and as modules, in each order of axes.

PyTorch's order is (rows, channels, places…). With channels last in memory the shape
stays; a series is an image of one line there, since PyTorch knows the order for images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - as everyone calls it
from torch import nn

from benchmarks.layers import (
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalMean,
    Layer,
    MaxPool,
    Network,
    Shape,
    learns,
)
from benchmarks.work import Start

Tensors = list[torch.Tensor]
CHANNELS_LAST = "channels last"
CONVOLUTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
POOLINGS: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
KINDS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOLS: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
NORMS: dict[int, Any] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def own_activation(z: torch.Tensor) -> torch.Tensor:
    return z * torch.sigmoid(1.7 * z)


class Own(nn.Module):
    def forward(self, z):
        return own_activation(z)


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "own": own_activation,
    "identity": lambda z: z,
}
MODULES: dict[str, Any] = {"relu": nn.ReLU, "tanh": nn.Tanh, "own": Own}


def layouts(network: Network) -> tuple[str, ...]:
    """The orders of axes that can be tried."""
    return ("", CHANNELS_LAST) if network.has_windows else ("",)


def ordered(x: torch.Tensor, layout: str) -> torch.Tensor:
    """Rows (or filters) with channels last, in PyTorch's order of axes."""
    if x.ndim < 3:
        return x
    x = x.movedim(-1, 1)
    if layout != CHANNELS_LAST:
        return x.contiguous()
    x = x.unsqueeze(2) if x.ndim == 3 else x
    kind = torch.channels_last if x.ndim == 4 else torch.channels_last_3d
    return x.contiguous(memory_format=kind)


def parameters_at(network: Network, start: Start, layout: str) -> Tensors:
    """Weights (outputs, inputs, …) and bias of each layer in turn."""
    found: Tensors = []
    pairs = iter(start.pairs)
    flattened: Shape = ()
    for layer, given in network.walked:
        if isinstance(layer, Flatten):
            flattened = given
        if learns(layer):
            weights, bias = next(pairs)
            found += [oriented(layer, weights, flattened, layout), copied(bias)]
            flattened = ()
    return found


def oriented(
    layer: Layer, weights: np.ndarray, flattened: Shape, layout: str
) -> torch.Tensor:
    """A layer's weights in PyTorch's order; what was flattened has channels first."""
    if isinstance(layer, Conv):
        filters = np.moveaxis(weights, -1, 0)  # like rows: (outputs, places…, inputs)
        return ordered(copied(filters), layout)
    if isinstance(layer, Dense) and flattened:
        apart = weights.reshape(*flattened, -1)
        weights = np.moveaxis(apart, -2, 0).reshape(math.prod(flattened), -1)
    return copied(weights.T)


def copied(array: np.ndarray) -> torch.Tensor:
    """In memory of its own, in the order of its axes."""
    return torch.from_numpy(np.array(array, order="C"))


def forward(
    network: Network, parameters: Sequence[torch.Tensor], x: torch.Tensor
) -> torch.Tensor:
    """The last layer's logits, in training."""
    own = iter(parameters)
    for layer in network.layers:
        pair = (next(own), next(own)) if learns(layer) else ()
        x = applied(layer, x, *pair)
    return x


def applied(layer: Layer, x: torch.Tensor, *pair: torch.Tensor) -> torch.Tensor:
    """One layer."""
    match layer:
        case Dense(_, activation):
            return ACTIVATIONS[activation](F.linear(x, *pair))
        case Conv(_, _, activation, padding):
            z = CONVOLUTIONS[x.ndim - 2](x, *pair, padding=padding)
            return ACTIVATIONS[activation](z)
        case BatchNorm(activation):
            z = F.batch_norm(x, None, None, *pair, training=True)
            return ACTIVATIONS[activation](z)
        case MaxPool(size):
            return POOLINGS[x.ndim - 2](x, size)
        case GlobalMean():
            return x.mean(tuple(range(2, x.ndim)))
        case Flatten():
            return x.flatten(1)
        case Dropout(rate):
            return F.dropout(x, rate)
        case _:
            raise TypeError(layer)


def modules_at(network: Network, start: Start, layout: str) -> nn.Sequential:
    """A `Sequential` with the first parameters."""
    tensors = iter(parameters_at(network, start, layout))
    places = len(network.shape) - 1
    if places == 1 and layout == CHANNELS_LAST:
        places = 2
    modules: list[nn.Module] = []
    for layer in network.layers:
        pair = (next(tensors), next(tensors)) if learns(layer) else ()
        modules += built(layer, places, *pair)
    return nn.Sequential(*modules)


def built(layer: Layer, places: int, *pair: torch.Tensor) -> list[nn.Module]:
    """The modules of a layer."""
    match layer:
        case Dense(_, activation):
            (units, features), _ = pair[0].shape, pair[1]
            own = with_parameters(nn.Linear(features, units), *pair)
        case Conv(_, _, activation, padding):
            outputs, inputs, *size = pair[0].shape
            kind = KINDS[places](inputs, outputs, tuple(size), padding=padding)
            own = with_parameters(kind, *pair)
        case BatchNorm(activation):
            own = with_parameters(NORMS[places](len(pair[0])), *pair)
        case MaxPool(size):
            return [POOLS[places](size)]
        case GlobalMean():
            pooling = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d}[places]
            return [pooling(1), nn.Flatten()]
        case Flatten():
            return [nn.Flatten()]
        case Dropout(rate):
            return [nn.Dropout(rate)]
        case _:
            raise TypeError(layer)
    return [own] if activation == "identity" else [own, MODULES[activation]()]


def with_parameters(
    module: Any, weights: torch.Tensor, bias: torch.Tensor
) -> nn.Module:
    """The module with these."""
    module.weight = nn.Parameter(weights)
    module.bias = nn.Parameter(bias)
    return module
