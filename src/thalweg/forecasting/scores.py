"""How far forecasts are off: over all times ahead, and at each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.scores import Metrics, number_scores

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ForecastErrors:
    """Forecasts and what came, in the target's unit.

    Arguments:
        truth: shape (windows, ahead), NaN where it isn't known.
        predicted: of the same shape.
    """

    truth: Floats
    predicted: Floats

    @property
    def every_metric(self) -> Metrics:
        """Root mean squared error, mean absolute error and R² of all times ahead."""
        return scores(self.predicted, self.truth)

    @property
    def by_horizon(self) -> dict[str, list[float]]:
        """For each metric its values at the first time ahead, the second, and so on."""
        each = [
            scores(self.predicted[:, h], self.truth[:, h])
            for h in range(self.truth.shape[1])
        ]
        return {name: [found[name] for found in each] for name in each[0]}


def scores(predicted: Floats, truth: Floats) -> Metrics:
    """Metrics where the truth is known; NaN where it nowhere is."""
    known = ~np.isnan(truth)
    if not known.any():
        return dict.fromkeys(("rmse", "mae", "r2"), np.nan)
    return number_scores(predicted[known], truth[known])
