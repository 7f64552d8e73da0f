"""What a search may choose, and from what."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.images.image_set import ImageForm
from thalweg.tabular.settings import Settings
from thalweg.vision.filters import doubling, filters_for
from thalweg.vision.settings import ImageSettings

AnySettings = TypeVar("AnySettings", bound=Settings | ImageSettings)
Point = dict[str, Any]  # a value for each dimension
LAYERS = ("width", "depth", "narrowing")  # which stand for the setting `layers`
STANDING_FOR: Mapping[str, str] = {
    **dict.fromkeys(LAYERS, "layers"),
    **dict.fromkeys(("breadth", "convolutions"), "filters"),
    "shift": "augment",
}
"""Dimensions that stand for a setting of another name."""

IMAGE_RATES = (0.001, 0.03)  # at its highest, of a rate that rises and falls
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
    return left_of(space, fixed)


def image_space_for(
    base: ImageSettings,
    form: ImageForm,
    training_rows: int,
    fixed: Collection[str] = (),
) -> Space:
    """What there is to choose for images.

    Eight, 16 or 32 filters in the first convolution; as many convolutions as fit the
    size, or one less; the learning rate over a decade and a half; the usual batch size,
    half, double or four times it; dropout; L2's rate; and a shift of a few pixels.

    Arguments:
        base: the settings that hold where nothing is chosen.
        form: of the images.
        training_rows: how many there are.
        fixed: names of settings that aren't to be chosen.

    Raises:
        ArgumentError: nothing is left to choose.
    """
    usual = len(filters_for(form))
    space: Space = {
        "breadth": Choice((8, 16, 32)),
        "convolutions": Choice((max(usual - 1, 1), usual, usual)),
        "learning_rate": LogRange(*RATES.get(base.optimizer, IMAGE_RATES)),
        "batch_size": Choice(batch_sizes(training_rows)),
        "dropout": Choice((0.0, 0.25, 0.25, 0.5)),
        "l2": Choice((0.0, 0.0, 0.00001, 0.0001)),
        "shift": Choice((0, 0, 1, 2)),
    }
    return left_of(space, fixed)


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


def settings_at(base: AnySettings, point: Mapping[str, Any]) -> AnySettings:
    """The settings with what was chosen.

    Example:
        >>> point = {"width": 64, "depth": 3, "narrowing": 2, "dropout": 0.2}
        >>> chosen = settings_at(Settings(), point)
        >>> chosen.layers, chosen.dropout
        ((64, 32, 16), 0.2)
        >>> settings_at(ImageSettings(), {"breadth": 8, "convolutions": 3}).filters
        (8, 16, 32)
    """
    own = {k: v for k, v in point.items() if k not in STANDING_FOR}
    if "width" in point:
        own["layers"] = units_of(point["width"], point["depth"], point["narrowing"])
    if "breadth" in point:
        own["filters"] = doubling(point["breadth"], point["convolutions"])
    if "shift" in point:
        own["augment"] = (f"shift={point['shift']}",) if point["shift"] else ()
    return replace(base, **own)


def units_of(width: int, depth: int, narrowing: int) -> tuple[int, ...]:
    """The units of each layer."""
    return tuple(max(width // narrowing**i, LEAST_UNITS) for i in range(depth))
