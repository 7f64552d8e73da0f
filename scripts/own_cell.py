"""A cell of a user's own, for samples of model files and for bits that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import thalweg as tw


@dataclass(frozen=True)
class Leaky(tw.Cell):
    """A cell of a user's own: what it has seen leaks, and so does a count."""

    units: int = 2

    def states(self, input_shape: Any) -> Any:
        """The sum, and the count."""
        return {"h": (self.units,), "seen": (1,)}

    def parameters(self, input_shape: Any) -> Any:
        """The share of each channel."""
        shape = (input_shape[-1], self.units)
        return {"weights": tw.Parameter(shape, tw.initializers.orthogonal)}

    def step(self, x: Any, state: Any, p: Any) -> Any:
        """Half of what was there, and what has come."""
        h, seen = state
        return h / 2 + x @ p.weights * np.array([1.0, 0.5]), seen / 2 + 1
