"""Numbers put on the scale that networks learn well on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ModelFileError
from thalweg.tables.strict import number, numbers, require_keys

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

FEW_SEARCHES = 2_000
"""Fewer than this take less time than putting them in order."""


@dataclass(frozen=True, slots=True)
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
        return cls.fit_each(values[None])[0]

    @classmethod
    def fit_each(cls, values: Floats) -> list["Scale"]:
        """The same for each of many columns, shape (columns, rows)."""
        # Divided by the largest first: the sum and the squares can't overflow.
        largest = np.abs(values).max(axis=1, keepdims=True)
        largest[largest == 0] = 1.0
        shares = values / largest
        deviations = shares.std(axis=1) * largest[:, 0]
        constant = (values == values[:, :1]).all(axis=1) | (deviations == 0)
        means = shares.mean(axis=1) * largest[:, 0]
        deviations[constant] = 1.0
        pairs = zip(means.tolist(), deviations.tolist(), strict=True)
        return [cls(mean, deviation) for mean, deviation in pairs]

    @classmethod
    def from_dict(cls, data: object) -> "Scale":
        """The scale that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "a scale", "mean", "deviation")
        deviation = number(found["deviation"], "a deviation")
        if deviation <= 0:
            raise ModelFileError(f"a deviation must be above 0, got {deviation}")
        return cls(number(found["mean"], "a mean"), deviation)

    def to_dict(self) -> dict[str, float]:
        """The scale as JSON."""
        return {"mean": self.mean, "deviation": self.deviation}

    def __call__(self, values: Floats) -> Floats:
        """The numbers standardized, shape as given."""
        return self.standardized([self], values[None])[0]

    def deviations(self, values: Floats) -> Floats:
        """How many deviations numbers are from the mean, without a limit.

        They are infinite where that is beyond float64.

        >>> Scale(-1e308, 1e308).deviations(np.array([1.7e308])).round(3).tolist()
        [2.7]
        """
        with np.errstate(all="ignore"):
            found = (values - self.mean) / self.deviation
            # Of numbers near the limit of float64 the halves have a difference.
            halves = (values / 2 - self.mean / 2) / (self.deviation / 2)
            return np.where(np.isfinite(found), found, halves)

    @staticmethod
    def standardized(scales: "Sequence[Scale]", values: Floats) -> Floats:
        """The numbers of many columns, each by its scale, shape (columns, …)."""
        shape = (len(scales), *[1] * (values.ndim - 1))
        means = np.array([scale.mean for scale in scales]).reshape(shape)
        deviations = np.array([scale.deviation for scale in scales]).reshape(shape)
        with np.errstate(over="ignore"):
            standardized = values - means
            standardized /= deviations
        return np.clip(standardized, -FARTHEST, FARTHEST, out=standardized)


@dataclass(frozen=True, eq=False, slots=True)
class NormalScores:
    """Ranks put on the normal distribution: Φ⁻¹(share of rows that are smaller).

    However a column is distributed, its normal scores are distributed normally: no
    outlier is far away and no crowd too dense to tell apart. Between the knots the
    score is interpolated, beyond them it is constant. (van der Waerden, 1952.)

    Args:
        knots: numbers in increasing order.
        scores: the score of each, standardized over the training rows.
    """

    knots: Floats
    scores: Floats

    @classmethod
    def fit(cls, values: Floats) -> "NormalScores | None":
        """The scores of finite numbers, or None where they'd say nothing new.

        That is where few numbers differ, or where scores and numbers correlate, the
        test of normality of Shapiro and Francia (1972).
        """
        return cls.fit_each(values[None])[0]

    @classmethod
    def fit_each(cls, values: Floats) -> "list[NormalScores | None]":
        """The same for each of many columns, shape (columns, rows)."""
        ordered = np.sort(values, axis=1)
        many = _different(ordered).sum(axis=1) + 1 >= FEW_VALUES
        shares = np.linspace(0, 1, KNOTS)
        order: Floats = np.arange(values.shape[1], dtype=np.float64)
        places = np.quantile(order, shares, method="inverted_cdf").astype(np.int64)
        quantiles = ordered[:, places]
        starts = np.pad(_different(quantiles), ((0, 0), (1, 0)), constant_values=True)
        many &= starts.sum(axis=1) >= 3
        found: list[NormalScores | None] = [None] * len(values)
        chosen = np.flatnonzero(many)
        rows = np.empty((len(chosen), values.shape[1]))
        for row, place in enumerate(chosen):
            raw = _raw_scores(starts[place].tobytes())
            rows[row] = interpolated(
                values[place], quantiles[place][starts[place]], raw
            )
        new = ~_nearly_normal(values[chosen], rows)
        for row, place in zip(rows[new], chosen[new], strict=True):
            raw = _raw_scores(starts[place].tobytes())
            knots = quantiles[place][starts[place]]
            found[place] = cls(knots, (raw - row.mean()) / row.std())
        return found

    @classmethod
    def from_dict(cls, data: object) -> "NormalScores":
        """The scores that `to_dict` wrote.

        Raises:
            ModelFileError: they aren't.
        """
        found = require_keys(data, "normal scores", "knots", "scores")
        knots = numbers(found["knots"], "knots")
        scores = numbers(found["scores"], "scores")
        if (
            not len(knots)
            or len(knots) != len(scores)
            or bool((knots[1:] <= knots[:-1]).any())
        ):
            raise ModelFileError("knots must increase, with a score for each")
        return cls(knots, scores)

    def to_dict(self) -> dict[str, Floats]:
        """The scores as a file holds them."""
        return {"knots": self.knots, "scores": self.scores}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NormalScores):
            return NotImplemented
        knots = np.array_equal(self.knots, other.knots)
        return knots and np.array_equal(self.scores, other.scores)

    def __call__(self, values: Floats) -> Floats:
        """The score of each number, shape as given."""
        return interpolated(values, self.knots, self.scores)


def _different(ordered: Floats) -> NDArray[np.bool_]:
    """Which numbers of a row differ from the one before, shape (columns, rows − 1)."""
    return ordered[:, 1:] != ordered[:, :-1]


@lru_cache(maxsize=16)
def _raw_scores(starts: bytes) -> Floats:
    """Φ⁻¹ of the middle of the shares that each knot has.

    Arguments:
        starts: which quantiles are the first of their value; most columns of a table
            have the same ones.
    """
    from scipy.special import ndtri

    first = np.flatnonzero(np.frombuffer(starts, np.bool_))
    counts = np.diff(first, append=KNOTS)
    middles = np.linspace(0, 1, KNOTS)[first] + (counts - 1) / (2 * (KNOTS - 1))
    limited = np.clip(middles, EXTREME_PROBABILITY, 1 - EXTREME_PROBABILITY)
    return cast(Floats, ndtri(limited))


def _nearly_normal(values: Floats, scores: Floats) -> NDArray[np.bool_]:
    """Which columns' scores are nearly the standardized numbers, shape (columns,)."""
    first = Scale.standardized(Scale.fit_each(values), values)
    first -= first.mean(axis=1, keepdims=True)
    second = scores - scores.mean(axis=1, keepdims=True)
    squares = (first**2).sum(axis=1) * (second**2).sum(axis=1)
    return (first * second).sum(axis=1) > NEARLY_NORMAL * np.sqrt(squares)


def interpolated(values: Floats, knots: Floats, scores: Floats) -> Floats:
    """What `np.interp` gives of scores that rise, sooner.

    A search is short if the last one ended near.
    """
    if len(values) < FEW_SEARCHES:
        found = np.interp(values, knots, scores)
    else:
        order = _nearly_sorted(values, knots[0], knots[-1])
        found = np.empty(len(values))
        found[order] = np.interp(values[order], knots, scores)
    # A slope is infinite where knots are as near as the smallest numbers are.
    return np.fmin(np.fmax(found, scores[0], out=found), scores[-1], out=found)


def _nearly_sorted(
    values: Floats, low: np.float64, high: np.float64
) -> NDArray[np.int64]:
    """An order in which numbers rise from one of 2¹⁶ equal steps to the next."""
    with np.errstate(all="ignore"):  # the limits may be the same, or far apart
        steps = (np.clip(values, low, high) - low) * ((2**16 - 1) / (high - low))
        # NumPy sorts so small whole numbers without comparing them.
        return np.argsort(steps.astype(np.uint16), kind="stable")
