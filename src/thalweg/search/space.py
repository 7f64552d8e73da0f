"""What a search may choose, and from what."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.kinds.regimen import Regimen
from thalweg.vision.filters import doubling

AnySettings = TypeVar("AnySettings", bound=Regimen)
Point = dict[str, Any]  # a value for each dimension
STANDING_FOR: Mapping[str, str] = {
    **dict.fromkeys(("width", "depth", "narrowing", "hidden"), "layers"),
    **dict.fromkeys(("breadth", "convolutions"), "filters"),
    "shift": "augment",
}
"""Dimensions that stand for a setting of another name."""

LEAST_UNITS = 4

# Learning rates worth trying lie elsewhere for rules that don't scale their steps.
RATES: Mapping[str, tuple[float, float]] = {
    "sgd": (0.003, 0.3),
    "adagrad": (0.003, 0.3),
    "adadelta": (0.1, 10.0),
    "lion": (0.00003, 0.003),
}
USUAL_RATES = (0.0003, 0.03)
RISING_RATES = (0.001, 0.03)  # at its highest, of a rate that rises and falls


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


def left_of(space: Space, fixed: Collection[str]) -> Space:
    """The dimensions of settings that aren't fixed.

    Raises:
        ArgumentError: there are none.
    """
    left = {k: v for k, v in space.items() if setting_of(k) not in fixed}
    if not left:
        raise ArgumentError("there must be a setting left to tune, but all are given")
    return left


def setting_of(dimension: str) -> str:
    """The setting that a dimension is of."""
    return STANDING_FOR.get(dimension, dimension)


def learning_rates(base: Regimen, usual: tuple[float, float] = USUAL_RATES) -> LogRange:
    """Learning rates worth trying with a rule.

    Arguments:
        base: its settings.
        usual: of rules that scale their steps.
    """
    return LogRange(*RATES.get(base.optimizer, usual))


def batch_sizes(base: Regimen, training_rows: int) -> Choice:
    """Half the usual size, that, twice and four times as much; no more than rows.

    >>> from thalweg.tabular.settings import Settings
    >>> batch_sizes(Settings(), 1000)
    Choice(values=(16, 32, 64, 128))
    """
    usual = base.with_values(batch_size=None).rows_a_step(training_rows)
    assert isinstance(usual, int)
    sizes = (usual // 2, usual, 2 * usual, 4 * usual)
    return Choice(tuple(n for n in sizes if n <= max(training_rows, sizes[0])))


def drawn(space: Space, seed: int, number: int) -> Point:
    """A point at random, the same for the same seed and number.

    Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012.
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, number]))
    shares = generator.random(len(space)).tolist()
    return {k: v.at(u) for (k, v), u in zip(space.items(), shares, strict=True)}


def settings_at(base: AnySettings, point: Mapping[str, Any]) -> AnySettings:
    """The settings with what was chosen.

    Example:
        >>> from thalweg.tabular.settings import Settings
        >>> from thalweg.vision.settings import ImageSettings
        >>> point = {"width": 64, "depth": 3, "narrowing": 2, "dropout": 0.2}
        >>> chosen = settings_at(Settings(), point)
        >>> chosen.layers, chosen.dropout
        ((64, 32, 16), 0.2)
        >>> settings_at(ImageSettings(), {"breadth": 8, "convolutions": 3}).filters
        (8, 16, 32)
    """
    own = {k: v for k, v in point.items() if k not in STANDING_FOR}
    if "width" in point:
        narrowing = point.get("narrowing", 1)
        own["layers"] = units_of(point["width"], point["depth"], narrowing)
    if "hidden" in point:
        own["layers"] = (point["hidden"],) if point["hidden"] else ()
    if "breadth" in point:
        own["filters"] = doubling(point["breadth"], point["convolutions"])
    if "shift" in point:
        own["augment"] = (f"shift={point['shift']}",) if point["shift"] else ()
    return base.with_values(**own)


def units_of(width: int, depth: int, narrowing: int) -> tuple[int, ...]:
    """The units of each layer."""
    return tuple(max(width // narrowing**i, LEAST_UNITS) for i in range(depth))
