"""Two features as a plane of pixels, and what a network gives on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.network import Network
from thalweg.program.types import NumpyArray

PIXELS = 50
LEVELS = 255
UNIT_PIXELS = 20
UNIT_LEVELS = 31
"""Of the units' pictures, which are small: with 255 they'd be most of a recording."""

MARGIN = 0.15
"""Around the rows, as a share of their range."""

BOUNDED = frozenset({"tanh", "sigmoid", "softmax"})
"""Activations that give −1 to 1 at most, so that their pictures have one scale."""


@dataclass(frozen=True)
class Plane:
    """Where the pixels of the pictures lie among the inputs.

    Arguments:
        axes: the two features that the picture goes along, to the right and up.
        box: for both the lowest and the highest value.
        others: what every feature is where the picture doesn't go along it, shape
            (features,).
        low, high: the outputs that are the darkest and the brightest.
    """

    axes: tuple[int, int]
    box: tuple[tuple[float, float], tuple[float, float]]
    others: NumpyArray
    low: float
    high: float

    @classmethod
    def around(
        cls, X: NumpyArray, axes: tuple[int, int], low: float, high: float
    ) -> Plane:
        """The plane that rows lie in, with a margin around them.

        Arguments:
            X: the rows, shape (rows, features).
            axes, low, high: as above.
        """
        first, second = (sides(X[:, axis]) for axis in axes)
        return cls(axes, (first, second), X.mean(axis=0, dtype=np.float64), low, high)

    def rows(self, pixels: int) -> NumpyArray:
        """The inputs at the pixels' centers, from the upper left, line by line."""
        at = (np.arange(pixels) + 0.5) / pixels
        (left, right), (bottom, top) = self.box
        across, up = np.meshgrid(left + (right - left) * at, top - (top - bottom) * at)
        rows = np.tile(self.others, (pixels * pixels, 1))
        rows[:, self.axes[0]], rows[:, self.axes[1]] = across.ravel(), up.ravel()
        return rows

    def outputs(self, network: Network) -> NumpyArray:
        """What the network gives at every pixel, a picture for each output.

        Returns:
            An array (outputs, PIXELS, PIXELS) of uint8: 0 is `low`, 255 is `high`.
        """
        given = network.predict(self.rows(PIXELS))
        share = (given - self.low) / (self.high - self.low)
        return pictures(share * LEVELS, PIXELS, LEVELS)

    def units(
        self, network: Network, layers: Sequence[int], bounded: Sequence[bool]
    ) -> tuple[NumpyArray, NumpyArray]:
        """What each unit of some layers gives at every pixel.

        Arguments:
            network: the network.
            layers: their numbers, 1 for the first.
            bounded: of each, whether it gives −1 to 1 at most.

        Returns:
            A picture for each unit, (units, UNIT_PIXELS, UNIT_PIXELS) of uint8, from −s
            at 0 to s at UNIT_LEVELS; and s of each, its largest |a| in the picture
            where it isn't bounded, (units,) of float32.
        """
        every = network.outputs(self.rows(UNIT_PIXELS))
        given = [every[number - 1] for number in layers]
        scales = [
            np.ones(a.shape[1]) if is_bounded else largest(a)
            for a, is_bounded in zip(given, bounded, strict=True)
        ]
        scale = np.concatenate(scales).astype(np.float32)
        shares = np.concatenate(given, axis=1) / scale
        levels = (shares + 1) * (UNIT_LEVELS / 2)
        return pictures(levels, UNIT_PIXELS, UNIT_LEVELS), scale

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for the document of a recording."""
        return {
            "size": PIXELS,
            "unit_size": UNIT_PIXELS,
            "unit_levels": UNIT_LEVELS,
            "axes": list(self.axes),
            "box": [list(side) for side in self.box],
            "others": self.others.tolist(),
            "low": self.low,
            "high": self.high,
        }


def sides(values: NumpyArray) -> tuple[float, float]:
    """The lowest and highest of some values, with a margin around them."""
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def largest(a: NumpyArray) -> NumpyArray:
    """The largest |a| of every unit; 1 where it gives nothing but 0."""
    most = np.abs(a).max(axis=0)
    return np.where(most > 0, most, 1.0)


def pictures(values: NumpyArray, pixels: int, most: int) -> NumpyArray:
    """Numbers 0 to most of rows (pixels², outputs) as a picture for each output."""
    whole = np.clip(np.rint(values), 0, most).astype(np.uint8)
    return np.ascontiguousarray(whole.T.reshape(-1, pixels, pixels))
