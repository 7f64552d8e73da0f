"""Metrics: sums that the program takes batch by batch, made into figures at the end."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.formulas.lengths import Lengths, is_there
from thalweg.formulas.losses import Loss, cross_entropy
from thalweg.formulas.targets import over_positions
from thalweg.program import ops
from thalweg.program.types import NumpyArray, Shape

CLASS_LOSSES = ("cross_entropy", "binary_cross_entropy")


class Metric(ABC):
    """A sum over rows, and the figures that it becomes."""

    @abstractmethod
    def per_row(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        lengths: Lengths | None = None,
    ) -> ops.Array:
        """What each row adds: shape (rows,) or (rows, outputs).

        Arguments:
            predictions: (rows, …, outputs).
            targets: of the same shape, or class numbers.
            lengths: how many of its first positions each row has; None for all.
        """

    @abstractmethod
    def figures(self, weighted_mean: NumpyArray) -> dict[str, float]:
        """The figures from the weighted mean over all rows."""


@dataclass(frozen=True)
class Accuracy(Metric):
    """The share of rows or positions whose class is predicted: 1/n Σ [argmax ŷ = y]."""

    def per_row(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        lengths: Lengths | None = None,
    ) -> ops.Array:
        """1 for a row that is right, else 0."""
        right = ops.equal(
            predicted_class(predictions), true_class(predictions, targets)
        )
        return over_positions(ops.cast(right, predictions.dtype.name), lengths=lengths)

    def figures(self, weighted_mean: NumpyArray) -> dict[str, float]:
        """The accuracy, from 0 to 1."""
        return {"accuracy": float(weighted_mean)}


@dataclass(frozen=True)
class PositionScores(Metric):
    """Accuracy, and how surprising the true class of a position is.

    perplexity = exp(1/n Σ −log ŷ[true class]), over all positions: as if each class
    were drawn from so many that are alike
    """

    def per_row(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        lengths: Lengths | None = None,
    ) -> ops.Array:
        """Of each row the share of positions that are right, and the mean −log ŷ."""
        right = Accuracy().per_row(predictions, targets, lengths)
        surprise = cross_entropy.per_row(predictions, targets, lengths)
        columns = [ops.reshape(each, (-1, 1)) for each in (right, surprise)]
        return ops.concatenate(columns, axis=1)

    def figures(self, weighted_mean: NumpyArray) -> dict[str, float]:
        """The accuracy, from 0 to 1, and the perplexity, 1 or more."""
        right, surprise = np.broadcast_to(weighted_mean, 2).tolist()
        with np.errstate(over="ignore"):
            return {"accuracy": right, "perplexity": float(np.exp(surprise))}


def predicted_class(predictions: ops.Array) -> ops.Array:
    """The most probable class."""
    return ops.argmax(predictions, axis=-1)


def true_class(predictions: ops.Array, targets: ops.Array) -> ops.Array:
    """The class of every row or position, from class numbers or one-hot rows."""
    numbers = len(targets.shape) < len(predictions.shape)
    return targets if numbers else predicted_class(targets)


@dataclass(frozen=True)
class BinaryAccuracy(Metric):
    """The share of rows whose every yes or no is predicted: [ŷ > ½] = [y > ½]."""

    def per_row(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        lengths: Lengths | None = None,
    ) -> ops.Array:
        """1 for a row that is right in all outputs, else 0."""
        answers = ops.reshape(targets, predictions.shape) > 0.5
        right = ops.equal(predictions > 0.5, answers)
        every = ops.min(ops.cast(right, predictions.dtype.name), axis=-1)
        return over_positions(every, lengths=lengths)

    def figures(self, weighted_mean: NumpyArray) -> dict[str, float]:
        """The accuracy, from 0 to 1."""
        return {"accuracy": float(weighted_mean)}


@dataclass(frozen=True)
class SquaredError(Metric):
    """Root mean squared error, and the share of the variance that is explained.

    rmse = √(1/n Σ (ŷ − y)²),  r2 = 1 − Σ (ŷ − y)² / Σ (y − ȳ)²

    Arguments:
        variance: of the targets of these rows, shape (outputs,).
    """

    variance: tuple[float, ...]

    def per_row(
        self,
        predictions: ops.Array,
        targets: ops.Array,
        lengths: Lengths | None = None,
    ) -> ops.Array:
        """The squared error of every output."""
        same = ops.cast(targets, predictions.dtype.name)
        errors = (predictions - ops.reshape(same, predictions.shape)) ** 2
        return over_positions(errors, 1, lengths)

    def figures(self, weighted_mean: NumpyArray) -> dict[str, float]:
        """rmse over all outputs, in the targets' unit; r2, the mean over outputs."""
        error = np.atleast_1d(weighted_mean)
        variance = np.asarray(self.variance)
        constant = np.where(error > 0, 0.0, 1.0)  # as scikit-learn: all or nothing
        explained = 1 - error / np.where(variance > 0, variance, 1.0)
        r2 = np.where(variance > 0, explained, constant)
        return {"rmse": math.sqrt(float(error.mean())), "r2": float(r2.mean())}


def metric_for(
    loss: Loss,
    output_shape: Shape,
    targets: NumpyArray,
    weights: NumpyArray | None,
    lengths: NumpyArray | None = None,
) -> Metric:
    """Accuracy where classes are predicted, squared error where numbers are.

    Where classes are predicted at each position by their probabilities, perplexity
    too.

    Arguments:
        loss: that is made small.
        output_shape: of what a row gives.
        targets, weights: of the rows; with lengths each row's weight has its length in
            it.
        lengths: how many of its first positions each row has; None for all.
    """
    if loss.name == "binary_cross_entropy":
        return BinaryAccuracy()
    *positions, outputs = output_shape
    whole = targets.dtype.kind in "iu" and targets.shape[1:] == tuple(positions)
    whole = whole and outputs > 1
    if loss.name == "cross_entropy" and positions:
        return PositionScores()
    if loss.name == "cross_entropy" or whole:
        return Accuracy()
    values = targets.reshape(-1, outputs).astype(np.float64)
    values -= values[0]  # so that equal targets have a variance of exactly 0
    if weights is not None:
        weights = weights_of_positions(weights, (len(targets), *positions), lengths)
    mean: Any = np.average(values, axis=0, weights=weights)
    variance: Any = np.average((values - mean) ** 2, axis=0, weights=weights)
    return SquaredError(tuple(float(v) for v in variance))


def weights_of_positions(
    weights: NumpyArray, shape: Shape, lengths: NumpyArray | None
) -> NumpyArray:
    """The weight of each position of all rows, one after the other.

    >>> weights_of_positions(np.array([3.0, 1.0]), (2, 3), np.array([3, 1])).tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    column = (-1, *(1 for _ in shape[1:]))
    if lengths is None:
        return np.broadcast_to(weights.reshape(column), shape).reshape(-1)
    each = (weights / lengths).reshape(column)
    found = np.where(is_there(np.empty(shape), lengths), each, 0.0)
    return np.broadcast_to(found, shape).reshape(-1)
