"""How sure a metric is: the test rows drawn anew, with replacement, many times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thalweg.kinds.magnitude import near_one
from thalweg.kinds.row_errors import Floats, RowErrors

RESAMPLES = 1_000
MOST_DRAWN = 50_000_000  # rows drawn in all; a large test set gets fewer resamples
FEWEST_RESAMPLES = 200
CONFIDENCE = 0.95
NORMAL = 1.959964  # 95 of 100 of a normal distribution lie within so many deviations
SEED = 0


@dataclass(frozen=True)
class Interval:
    """Where a metric probably lies."""

    low: float
    high: float


def resampled(errors: RowErrors) -> dict[str, Floats]:
    """Each metric's values on rows drawn anew; the same draws for any model.

    The bootstrap (Efron, 1979): as many rows as there are, with replacement.

    Returns:
        By the metric's name, a value for each resample.
    """
    rows = len(errors.truth)
    generator = np.random.Generator(np.random.Philox(key=[SEED, rows]))
    count = max(FEWEST_RESAMPLES, min(RESAMPLES, MOST_DRAWN // rows))
    with np.errstate(invalid="ignore"):  # all rows of a draw may weigh nothing
        drawn = [
            errors.metrics(generator.integers(rows, size=rows)) for _ in range(count)
        ]
    return {name: np.array([each[name] for each in drawn]) for name in drawn[0]}


def interval(values: Floats) -> Interval:
    """The middle 95 of 100 of the values that are finite.

    >>> interval(np.arange(1001.0)).high
    975.0
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Interval(np.nan, np.nan)
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(finite, [outside, 1 - outside])
    return Interval(float(low), float(high))


def effective(weights: Floats) -> float:
    """How many rows of equal weight say as much: (Σw)² / Σw² (Kish, 1965)."""
    near = near_one(weights)
    return float(near.sum() ** 2 / (near**2).sum())


def wilson(share: float, rows: float) -> Interval:
    """Where the true share of a sample probably lies (Wilson, 1927).

    >>> wilson(1.0, 10).low > 0.7, wilson(1.0, 10).high > 0.999
    (True, True)
    """
    square = NORMAL**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    margin = NORMAL * (share * (1 - share) / rows + square / (4 * rows**2)) ** 0.5
    margin /= 1 + square / rows
    return Interval(max(0.0, middle - margin), min(1.0, middle + margin))
