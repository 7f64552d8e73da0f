"""Columns of arrays put on the scale that networks learn well on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from thalweg.program.types import Dtype, NumpyArray
from thalweg.tables.scales import FARTHEST

OfBlock: TypeAlias = Callable[[NumpyArray], NumpyArray]

BLOCK_CELLS = 2**20  # converted at a time, which bounds the memory beside the result


@dataclass(frozen=True)
class Scaling:
    """Standardization of every column, (x - mean) / deviation.

    Of images and series each channel is a column, with all its places.

    Arguments:
        mean, deviation: shape (columns,), float64.

    Example:
        >>> import numpy as np
        >>> scaling = Scaling.fit(np.array([[1.0, 7.0], [3.0, 7.0]]))
        >>> scaling(np.array([[3.0, 8.0]]), "float64").tolist()
        [[1.0, 1.0]]
    """

    mean: NumpyArray
    deviation: NumpyArray

    @classmethod
    def none(cls, columns: int) -> Scaling:
        """The one that leaves numbers as they are."""
        return cls(np.zeros(columns), np.ones(columns))

    @classmethod
    def fit(cls, X: Any, weights: NumpyArray | None = None) -> Scaling:
        """Weighted mean and deviation of every column; a constant keeps its unit.

        Arguments:
            X: shape (rows, places…, columns), dense or sparse, all finite.
            weights: one number a row, or None.
        """
        lowest, highest = extremes(X)
        # Divided by the largest first: neither the sum nor the squares can overflow.
        largest = np.maximum(np.abs(lowest), np.abs(highest))
        largest[largest == 0] = 1.0
        mean = weighted_mean(X, weights, lambda block: block / largest)
        square = weighted_mean(X, weights, lambda b: (b / largest - mean) ** 2)
        deviation = np.sqrt(square) * largest
        constant = (lowest == highest) | (deviation == 0)
        return cls(mean * largest, np.where(constant, 1.0, deviation))

    def reaching(self, X: NumpyArray, farthest: float) -> Scaling:
        """The same with deviations so large that all numbers are near enough.

        Arguments:
            X: shape (rows, places…, columns).
            farthest: the most deviations one may be away from the mean.
        """
        lowest, highest = extremes(X)
        reach = np.maximum(highest - self.mean, self.mean - lowest)
        return Scaling(self.mean, np.maximum(self.deviation, reach / farthest))

    def without(self, columns: list[int]) -> Scaling:
        """The same, but that some columns are left as they are."""
        mean, deviation = self.mean.copy(), self.deviation.copy()
        mean[columns], deviation[columns] = 0.0, 1.0
        return Scaling(mean, deviation)

    def keeping_zero(self) -> Scaling:
        """The same without the shift, so that 0 stays 0."""
        return Scaling(np.zeros_like(self.mean), self.deviation)

    @property
    def changes(self) -> NumpyArray:
        """Which columns it changes at all, shape (columns,)."""
        return (self.mean != 0) | (self.deviation != 1)

    def __call__(
        self, X: Any, dtype: Dtype, farthest: float | None = None
    ) -> NumpyArray:
        """The standardized columns, in a new array of a dtype.

        Arguments:
            X: shape (rows, places…, columns), dense or sparse.
            dtype: of the result; the arithmetic is in float64.
            farthest: the most deviations a changed column may be away; beyond they
                are moved to it.
        """
        result = np.empty(X.shape, dtype)
        with np.errstate(over="ignore"):
            for rows, block in blocks(X):
                result[rows] = self.standardized(block, farthest)
        return result

    def standardized(self, X: Any, farthest: float | None = None) -> Any:
        """The formula of it, of a float64 array or traced."""
        scaled = (X - self.mean) / self.deviation
        if farthest is None or not self.changes.any():
            return scaled
        limits = np.where(self.changes, farthest, np.inf)
        return np.minimum(np.maximum(scaled, -limits), limits)

    def inverse(self, standardized: NumpyArray) -> NumpyArray:
        """Standardized numbers back in their unit, float64; infinite beyond that."""
        with np.errstate(over="ignore", invalid="ignore"):
            return standardized.astype(np.float64) * self.deviation + self.mean


LIMIT = FARTHEST


def blocks(X: Any) -> Iterator[tuple[slice, NumpyArray]]:
    """The rows in parts, each as a dense float64 array."""
    rows, *cells = X.shape
    size = max(BLOCK_CELLS // max(math.prod(cells), 1), 1)
    for start in range(0, rows, size):
        part = slice(start, min(start + size, rows))
        block = X[part]
        dense = block.toarray() if hasattr(block, "toarray") else block
        yield part, np.asarray(dense, np.float64)


def extremes(X: Any) -> tuple[NumpyArray, NumpyArray]:
    """The lowest and the highest number of every column, shape (columns,) each."""
    columns = X.shape[-1]
    lowest, highest = np.full(columns, np.inf), np.full(columns, -np.inf)
    for _, block in blocks(X):
        every = block.reshape(-1, columns)
        lowest = np.minimum(lowest, every.min(axis=0))
        highest = np.maximum(highest, every.max(axis=0))
    return lowest, highest


def weighted_mean(X: Any, weights: NumpyArray | None, of: OfBlock) -> NumpyArray:
    """The weighted mean over rows of a function of blocks, shape (columns,)."""
    columns = X.shape[-1]
    total = np.zeros(columns)
    for rows, block in blocks(X):
        values = of(block)
        if values.ndim > 2:
            values = values.reshape(len(values), -1, columns).mean(axis=1)
        total += values.sum(axis=0) if weights is None else weights[rows] @ values
    weight = X.shape[0] if weights is None else weights.sum()
    return total / weight
