"""What a search may choose, and from what."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.tabular.settings import Settings

Point = dict[str, Any]  # a value for each dimension
LAYERS = ("width", "depth", "narrowing")  # which stand for the setting `layers`
LEAST_UNITS = 4

# Learning rates worth trying lie elsewhere for rules that don't scale their steps.
RATES: Mapping[str, tuple[float, float]] = {
    "sgd": (0.003, 0.3),
    "adagrad": (0.003, 0.3),
    "adadelta": (0.1, 10.0),
    "lion": (0.00003, 0.003),
}
USUAL_RATES = (0.0003, 0.03)


class Dimension(ABC):
    """Values to choose from."""

    @abstractmethod
    def at(self, share: float) -> Any:
        """The value at a place from 0 to below 1."""


@dataclass(frozen=True)
class Choice(Dimension):
    """One of a few values, each as often as it stands there.

    >>> Choice((1, 2, 3)).at(0.5)
    2
    """

    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """The value at a place from 0 to below 1."""
        return self.values[int(share * len(self.values))]


@dataclass(frozen=True)
class LogRange(Dimension):
    """Numbers whose logarithm is as often here as there.

    x = a (b / a)^u, to three digits

    >>> LogRange(0.001, 0.1).at(0.5)
    0.01
    """

    low: float
    high: float

    def at(self, share: float) -> float:
        """The value at a place from 0 to below 1."""
        ratio = self.high / self.low
        return float(f"{self.low * math.pow(ratio, share):.3g}")


Space = dict[str, Dimension]


def space_for(base: Settings, training_rows: int, fixed: Collection[str] = ()) -> Space:
    """What there is to choose for a table.

    Layers of 32 to 256 units, one to three of them, of one width or each half as wide
    as the one before; four activations; the learning rate over two decades; the usual
    batch size, half, double or four times it; dropout; and L2's rate.

    Arguments:
        base: the settings that hold where nothing is chosen.
        training_rows: how many there are.
        fixed: names of settings that aren't to be chosen.

    Raises:
        ArgumentError: nothing is left to choose.

    Example:
        >>> space = space_for(Settings(), 1000, fixed=["layers", "l2"])
        >>> list(space)
        ['activation', 'learning_rate', 'batch_size', 'dropout']
        >>> space["batch_size"]
        Choice(values=(16, 32, 64, 128))
    """
    space: Space = {
        "width": Choice((32, 64, 128, 256)),
        "depth": Choice((1, 2, 3)),
        "narrowing": Choice((1, 2)),
        "activation": Choice(("silu", "relu", "gelu", "tanh")),
        "learning_rate": LogRange(*RATES.get(base.optimizer, USUAL_RATES)),
        "batch_size": Choice(batch_sizes(training_rows)),
        "dropout": Choice((0.0, 0.0, 0.0, 0.1, 0.2, 0.4)),
        "l2": Choice((0.0, 0.0, 0.00001, 0.0001, 0.001)),
    }
    left = {k: v for k, v in space.items() if setting_of(k) not in fixed}
    if not left:
        raise ArgumentError("there must be a setting left to tune, but all are given")
    return left


def setting_of(dimension: str) -> str:
    """The setting that a dimension is of."""
    return "layers" if dimension in LAYERS else dimension


def batch_sizes(training_rows: int) -> tuple[int, ...]:
    """Half the usual size, that, twice and four times as much; no more than rows."""
    usual = Settings().rows_a_step(training_rows)
    assert isinstance(usual, int)
    sizes = (usual // 2, usual, 2 * usual, 4 * usual)
    return tuple(size for size in sizes if size <= max(training_rows, sizes[0]))


def drawn(space: Space, seed: int, number: int) -> Point:
    """A point at random, the same for the same seed and number.

    Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, number]))
    shares = generator.random(len(space)).tolist()
    return {k: v.at(u) for (k, v), u in zip(space.items(), shares, strict=True)}


def settings_at(base: Settings, point: Mapping[str, Any]) -> Settings:
    """The settings with what was chosen.

    Example:
        >>> point = {"width": 64, "depth": 3, "narrowing": 2, "dropout": 0.2}
        >>> chosen = settings_at(Settings(), point)
        >>> chosen.layers, chosen.dropout
        ((64, 32, 16), 0.2)
    """
    own = {k: v for k, v in point.items() if k not in LAYERS}
    if "width" in point:
        own["layers"] = units_of(point["width"], point["depth"], point["narrowing"])
    return replace(base, **own)


def units_of(width: int, depth: int, narrowing: int) -> tuple[int, ...]:
    """The units of each layer."""
    return tuple(max(width // narrowing**i, LEAST_UNITS) for i in range(depth))
