"""Intervals that hold the truth as often as they say, by what held-out rows show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.checks import is_number, require
from thalweg.errors import ArgumentError, ModelFileError
from thalweg.estimators.rows import is_listed
from thalweg.formulas.losses import Loss
from thalweg.formulas.targets import values
from thalweg.program import ops
from thalweg.program.types import NumpyArray
from thalweg.tables.strict import numbers, require_keys

PREFIX, ARRAYS = "conformal/", ("quantiles", "truth", "weights")
MEDIAN = 0.5
NARROWEST = 0.01
"""No interval starts narrower than this share of the mean, or one row would decide."""


@dataclass(frozen=True)
class Pinballs:
    """The pinball loss of several quantiles at once, an output each.

    ℓ = mean over outputs of max(qᵢ e, (qᵢ − 1) e), where e = y − ŷ

    Arguments:
        levels: qᵢ, in the order of the outputs.

    Source: Koenker and Bassett, "Regression quantiles", 1978.
    """

    levels: tuple[float, ...]

    def __call__(self, predictions: ops.Array, targets: ops.Array) -> ops.Array:
        """One value a row."""
        q = np.array(self.levels, predictions.dtype.name)
        error = targets - predictions
        return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)


def quantile_loss(levels: Sequence[float], numbers: int) -> Loss:
    """The loss of a network that gives all quantiles of every number."""
    return Loss("quantiles", Pinballs(tuple(levels) * numbers), values)


def checked_levels(quantiles: Any) -> tuple[float, ...]:
    """The levels in order, with the median among them.

    Raises:
        ArgumentError: a level isn't between 0 and 1.
    """
    must = "levels between 0 and 1, such as (0.05, 0.95), or None"
    fits = is_listed(quantiles) and len(quantiles) > 0
    require(fits, "quantiles", must, quantiles)
    for level in quantiles:
        require(is_number(level) and 0 < level < 1, "quantiles", must, quantiles)
    return tuple(sorted({MEDIAN, *(float(level) for level in quantiles)}))


def in_order(levels: Sequence[Any]) -> list[Any]:
    """Arrays sorted element by element: a formula, as neighbors change places.

    Example:
        >>> import numpy as np
        >>> in_order([np.array([3, 1]), np.array([2, 2]), np.array([1, 3])])
        [array([1, 1]), array([2, 2]), array([3, 3])]

    Source: Habermann, "Parallel neighbor-sort", 1972.
    """
    found = list(levels)
    for turn in range(len(found)):
        for place in range(turn % 2, len(found) - 1, 2):
            low, high = found[place : place + 2]
            found[place : place + 2] = np.minimum(low, high), np.maximum(low, high)
    return found


def stacked(levels: Sequence[Any]) -> Any:
    """Arrays of (rows, numbers) as one of (rows, numbers, levels)."""
    return np.concatenate([level[:, :, None] for level in levels], axis=2)


@dataclass(frozen=True)
class Conformal:
    """What held-out rows show about how far off predictions are.

    Around each prediction the interval is as wide, times a factor, as the quantiles
    are apart there; without quantiles it is equally wide around all. The factor is the
    smallest that would have covered the wanted share of the held-out rows, with one
    more row counted as uncovered.

    Arguments:
        levels: of the quantiles; (0.5,) if the network gives a prediction alone.
        quantiles: of held-out rows, shape (rows, numbers, levels), in y's unit.
        truth: shape (rows, numbers).
        weights: shape (rows,), with mean 1.

    Source: Sesia and Candès, "A comparison of some conformal quantile regression
    methods", 2020; Vovk, Gammerman and Shafer, "Algorithmic learning in a random
    world", 2005.
    """

    levels: tuple[float, ...]
    quantiles: NumpyArray
    truth: NumpyArray
    weights: NumpyArray

    def interval(self, quantiles: NumpyArray, coverage: float) -> NumpyArray:
        """Lower and upper end for new rows, shape (rows, numbers, 2).

        Raises:
            ArgumentError: coverage isn't between 0 and 1, or too high for so few rows.
        """
        fits = is_number(coverage) and 0 < coverage < 1
        require(fits, "coverage", "between 0 and 1", coverage)
        with np.errstate(over="ignore", invalid="ignore"):  # ends may be infinite
            middle, below, above = self._reach(self.quantiles, coverage)
            off = self.truth - middle
            scores = np.maximum(-off / below, off / above)
            factor = np.array([self._factor(each, coverage) for each in scores.T])
            middle, below, above = self._reach(quantiles, coverage)
            return np.stack([middle - factor * below, middle + factor * above], axis=2)

    def _reach(
        self, quantiles: NumpyArray, coverage: float
    ) -> tuple[NumpyArray, NumpyArray, NumpyArray]:
        """The median, and how far quantiles are from it below and above."""
        middle = quantiles[:, :, self.levels.index(MEDIAN)]
        if len(self.levels) == 1:
            return middle, np.ones_like(middle), np.ones_like(middle)
        low, high = self._pair(coverage)
        narrow = NARROWEST * self.quantiles
        least = np.mean(narrow[:, :, high] - narrow[:, :, low], axis=0)
        least = np.maximum(least, np.finfo(np.float64).tiny)
        below = np.maximum(middle - quantiles[:, :, low], least)
        return middle, below, np.maximum(quantiles[:, :, high] - middle, least)

    def _pair(self, coverage: float) -> tuple[int, int]:
        """Of the levels below and above the median those nearest to the wanted tails.

        Where there is none on a side, the median has to do.
        """
        levels = np.array(self.levels)
        middle, tail = self.levels.index(MEDIAN), (1 - coverage) / 2
        low = np.abs(levels[: max(middle, 1)] - tail).argmin()
        first = min(middle + 1, len(levels) - 1)
        high = first + np.abs(levels[first:] - (1 - tail)).argmin()
        return int(low), int(high)

    def _factor(self, scores: NumpyArray, coverage: float) -> float:
        order = np.argsort(scores)
        covered = np.cumsum(self.weights[order])
        wanted = coverage * (len(scores) + 1)
        place = int(np.searchsorted(covered, wanted * (1 - 1e-12)))
        if place == len(scores):
            least = math.ceil(coverage / (1 - coverage))
            raise ArgumentError(
                f"coverage={coverage} needs {least} validation rows or more, "
                f"there were {len(scores)}"
            )
        return float(scores[order[place]])


def conformal_data(
    levels: tuple[float, ...], conformal: Conformal | None
) -> tuple[dict[str, Any], dict[str, NumpyArray]]:
    """The levels as plain data, and what held-out rows show as arrays."""
    arrays = {
        f"{PREFIX}{name}": getattr(conformal, name)
        for name in ARRAYS
        if conformal is not None
    }
    return {"levels": list(levels)}, arrays


def conformal_from(
    data: Any, tensors: dict[str, NumpyArray], count: int
) -> tuple[tuple[float, ...], Conformal | None]:
    """What `conformal_data` gave, read back.

    Arguments:
        data, tensors: as they stand in a file.
        count: of numbers that are predicted for a row.

    Raises:
        ModelFileError: levels or arrays that can't be.
    """
    found = require_keys(data, "what was found", "levels")["levels"]
    levels = tuple(numbers(found, "the levels").tolist())
    if checked_levels(list(levels)) != levels:
        raise ModelFileError("the levels must be in order, with the median")
    arrays = {n: tensors[PREFIX + n] for n in ARRAYS if PREFIX + n in tensors}
    if not arrays:
        return levels, None
    conformal = Conformal(levels, **arrays)
    rows = len(conformal.weights)
    shapes = {"quantiles": (count, len(levels)), "truth": (count,), "weights": ()}
    for name, shape in shapes.items():
        array = arrays[name]
        if array.dtype != np.float64 or array.shape != (rows, *shape) or not rows:
            raise ModelFileError(
                f"{PREFIX}{name} must be float64 of shape {(rows, *shape)}"
            )
    return levels, conformal
