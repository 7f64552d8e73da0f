"""Numbers put on the scale that networks learn well on."""

from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.data.strict import number, numbers, require_keys
from thalweg.errors import ModelFileError

Floats: TypeAlias = NDArray[np.float64]

FARTHEST = 10.0
"""Standardized numbers beyond this many standard deviations are moved to it."""

KNOTS = 257
"""The quantiles that normal scores are interpolated between."""

FEW_VALUES = 32
"""A column of fewer different numbers than this has no distribution to speak of."""

NEARLY_NORMAL = 0.98
"""Normal scores that correlate with the numbers more than this say nothing new."""

EXTREME_PROBABILITY = 1e-3


@dataclass(frozen=True)
class Scale:
    """Standardization, (x - mean) / deviation, limited to ±10.

    >>> Scale(mean=3.0, deviation=2.0)(np.array([3.0, 5.0, 1e9])).tolist()
    [0.0, 1.0, 10.0]
    """

    mean: float
    deviation: float

    @classmethod
    def fit(cls, values: Floats) -> "Scale":
        """Mean and standard deviation of finite numbers, however large."""
        # Divided by the largest first: the sum and the squares can't overflow.
        largest = float(np.abs(values).max()) or 1.0
        shares = values / largest
        deviation = float(shares.std()) * largest
        constant = bool((values == values[0]).all()) or deviation == 0
        return cls(float(shares.mean()) * largest, 1.0 if constant else deviation)

    @classmethod
    def from_dict(cls, data: object) -> "Scale":
        """The scale that `dataclasses.asdict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "a scale", "mean", "deviation")
        deviation = number(found["deviation"], "a deviation")
        if deviation <= 0:
            raise ModelFileError(f"a deviation must be above 0, got {deviation}")
        return cls(number(found["mean"], "a mean"), deviation)

    def __call__(self, values: Floats) -> Floats:
        """The numbers standardized, shape as given."""
        with np.errstate(over="ignore"):
            standardized = values - self.mean
            standardized /= self.deviation
        return np.clip(standardized, -FARTHEST, FARTHEST, out=standardized)


@dataclass(frozen=True)
class NormalScores:
    """Ranks put on the normal distribution: Φ⁻¹(share of rows that are smaller).

    However a column is distributed, its normal scores are distributed normally: no
    outlier is far away and no crowd too dense to tell apart. Between the knots the
    score is interpolated, beyond them it is constant. (van der Waerden, 1952.)

    Args:
        knots: numbers in increasing order.
        scores: the score of each, standardized over the training rows.
    """

    knots: tuple[float, ...]
    scores: tuple[float, ...]

    @classmethod
    def fit(cls, values: Floats) -> "NormalScores | None":
        """The scores of finite numbers, or None where they'd say nothing new.

        That is where few numbers differ, or where scores and numbers correlate, the
        test of normality of Shapiro and Francia (1972).
        """
        from scipy.special import ndtri

        shares = np.linspace(0, 1, KNOTS)
        ordered = np.sort(values)  # quantiles of sorted numbers are found faster
        quantiles = np.quantile(ordered, shares, method="inverted_cdf")
        knots, starts, counts = np.unique(
            quantiles, return_index=True, return_counts=True
        )
        if len(knots) < 3 or len(np.unique(ordered)) < FEW_VALUES:
            return None
        middles = shares[starts] + (counts - 1) / (2 * (KNOTS - 1))
        limited = np.clip(middles, EXTREME_PROBABILITY, 1 - EXTREME_PROBABILITY)
        raw = cast(Floats, ndtri(limited))
        rows = interpolated(values, knots, raw)
        standardized = (raw - rows.mean()) / rows.std()
        found = cls(tuple(knots.tolist()), tuple(standardized.tolist()))
        return None if found.correlates(values) else found

    @classmethod
    def from_dict(cls, data: object) -> "NormalScores":
        """The scores that `dataclasses.asdict` wrote.

        Raises:
            ModelFileError: they aren't.
        """
        found = require_keys(data, "normal scores", "knots", "scores")
        knots = numbers(found["knots"], "knots")
        scores = numbers(found["scores"], "scores")
        if not knots or len(knots) != len(scores) or bool((np.diff(knots) <= 0).any()):
            raise ModelFileError("knots must increase, with a score for each")
        return cls(knots, scores)

    def correlates(self, values: Floats) -> bool:
        """Whether the scores are nearly the standardized numbers."""
        standardized = Scale.fit(values)(values)
        return float(np.corrcoef(standardized, self(values))[0, 1]) > NEARLY_NORMAL

    def __call__(self, values: Floats) -> Floats:
        """The score of each number, shape as given."""
        return interpolated(values, np.array(self.knots), np.array(self.scores))


def interpolated(values: Floats, knots: Floats, scores: Floats) -> Floats:
    """What `np.interp` gives, sooner: a search is short if the last one ended near."""
    order = _nearly_sorted(values, knots[0], knots[-1])
    found = np.empty(len(values))
    found[order] = np.interp(values[order], knots, scores)
    return found


def _nearly_sorted(
    values: Floats, low: np.float64, high: np.float64
) -> NDArray[np.int64]:
    """An order in which numbers rise from one of 2¹⁶ equal steps to the next."""
    with np.errstate(all="ignore"):  # the limits may be the same, or far apart
        steps = (np.clip(values, low, high) - low) * ((2**16 - 1) / (high - low))
        # NumPy sorts so small whole numbers without comparing them.
        return np.argsort(steps.astype(np.uint16), kind="stable")
