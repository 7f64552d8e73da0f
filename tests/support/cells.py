"""Cells, those of thalweg and a user's, and the ways in which they go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import thalweg as tw

ROWS, TIMES, FEATURES = 37, 6, 3


@dataclass(frozen=True)
class NormedLSTM(tw.Cell):
    """An LSTM whose gates are normalized, as a user writes it."""

    units: int

    def states(self, input_shape: Any) -> Any:
        return {"h": (self.units,), "c": (self.units,)}

    def parameters(self, input_shape: Any) -> Any:
        scale = tw.Parameter((4 * self.units,), tw.initializers.ones)
        return {**tw.LSTM(self.units).parameters(input_shape), "scale": scale}

    def step(self, x: Any, state: Any, p: Any) -> Any:
        h, c = state
        z = x @ p.weights + h @ p.recurrent
        z = (z - tw.mean(z, -1, True)) / tw.sqrt(
            tw.variance(z, -1, keepdims=True) + 0.1
        )
        i, f, g, o = tw.split(z * p.scale + p.bias, 4)
        c = tw.sigmoid(f) * c + tw.sigmoid(i) * tw.tanh(g)
        return tw.sigmoid(o) * tw.tanh(c), c


def leaky_tanh(z: Any) -> Any:
    return tw.tanh(z) + 0.1 * z


CELLS: dict[str, tw.Cell] = {
    "rnn": tw.RNN(4),
    "relu": tw.RNN(4, "relu"),
    "own activation": tw.RNN(4, leaky_tanh),
    "lstm": tw.LSTM(4),
    "gru": tw.GRU(4),
    "own": NormedLSTM(4),
}
WAYS: dict[str, Callable[[tw.Cell], tw.Layer]] = {
    "forwards": lambda cell: cell,
    "backwards": lambda cell: tw.Recurrent(cell, reverse=True),
    "last": lambda cell: tw.Recurrent(cell, sequences=False),
    "both": tw.Bidirectional,
    "both last": lambda cell: tw.Bidirectional(tw.Recurrent(cell, sequences=False)),
}
every_cell = pytest.mark.parametrize("cell", CELLS)
every_way = pytest.mark.parametrize("way", WAYS)


def series(rows: int = ROWS) -> tuple[Any, Any]:
    X = np.random.default_rng(2).normal(size=(rows, TIMES, FEATURES))
    return X, np.arange(rows) % 2


def network_of(layer: tw.Layer, *behind: tw.Layer) -> tw.Network:
    return tw.Network([layer, *(behind or (tw.Flatten(),)), tw.Dense(2, "softmax")])


def fitted(layer: tw.Layer, **how: Any) -> tw.Network:
    network = network_of(layer)
    given: dict[str, Any] = {"epochs": 3, "batch_size": 10, "validation": None, **how}
    network.fit(*series(), **given)
    return network
