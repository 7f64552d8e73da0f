"""How sure a metric is: the test rows drawn anew, with replacement, many times."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.data.targets import ClassTargets, NumberTargets
from thalweg.report.evidence import Rows

Indices: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 1_000
MOST_DRAWN = 50_000_000  # rows drawn in all; a large test set gets fewer resamples
FEWEST_RESAMPLES = 200
CONFIDENCE = 0.95
SEED = 0


@dataclass(frozen=True)
class Interval:
    """Where a metric probably lies."""

    low: float
    high: float


class RowErrors(ABC):
    """What each test row adds to the metrics, so that any choice of rows is quick."""

    truth: NDArray[Any]
    predicted: NDArray[Any]

    @property
    @abstractmethod
    def error(self) -> Floats:
        """How wrong each row is, shape (rows,): 0 is perfect."""

    @abstractmethod
    def metrics(self, rows: Indices) -> dict[str, float]:
        """The metrics of `thalweg.data.scores` on some rows, repeated or not."""


@dataclass(frozen=True)
class ClassErrors(RowErrors):
    """The classes of rows, and how surprising they were.

    Arguments:
        truth, predicted: class numbers, shape (rows,).
        surprise: −log of the probability that the true class was given, shape (rows,).
        weights: shape (rows,).
        classes: how many there are.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    surprise: Floats
    weights: Floats
    classes: int

    @property
    def error(self) -> Floats:
        """The surprise."""
        return self.surprise

    def metrics(self, rows: Indices) -> dict[str, float]:
        """Accuracy, balanced accuracy, f1 and log loss."""
        truth, predicted, weights = (
            self.truth[rows],
            self.predicted[rows],
            self.weights[rows],
        )
        found = ClassCounts.of(truth, predicted, weights, self.classes)
        present = np.bincount(truth, minlength=self.classes) > 0
        named = present | (np.bincount(predicted, minlength=self.classes) > 0)
        total = weights.sum()
        return {
            "accuracy": float(found.right.sum() / total),
            "balanced_accuracy": float(found.recall[present].mean()),
            "f1": float(found.f1[named].mean()),
            "log_loss": float(self.surprise[rows] @ weights / total),
        }


@dataclass(frozen=True)
class ClassCounts:
    """Of each class, the weight of the rows that are it, are predicted so, and both.

    Arguments:
        true, said, right: shape (classes,).
    """

    true: Floats
    said: Floats
    right: Floats

    @classmethod
    def of(
        cls,
        truth: NDArray[Any],
        predicted: NDArray[Any],
        weights: Floats,
        classes: int,
    ) -> ClassCounts:
        """Count rows by their weights."""
        both = np.where(truth == predicted, weights, 0.0)
        columns = (truth, weights), (predicted, weights), (truth, both)
        # NumPy counts nothing in whole numbers.
        counts = (np.bincount(*each, minlength=classes) for each in columns)
        return cls(*(each.astype(np.float64) for each in counts))

    @property
    def precision(self) -> Floats:
        """Of the rows predicted so, the share that are it."""
        return ratio(self.right, self.said)

    @property
    def recall(self) -> Floats:
        """Of the rows that are it, the share predicted so."""
        return ratio(self.right, self.true)

    @property
    def f1(self) -> Floats:
        """The harmonic mean of both."""
        return ratio(2 * self.right, self.true + self.said)


@dataclass(frozen=True)
class NumberErrors(RowErrors):
    """Numbers in the target's unit.

    Arguments:
        truth, predicted: shape (rows,).
        weights: shape (rows,).
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    weights: Floats

    @property
    def error(self) -> Floats:
        """The absolute error."""
        return np.abs(self.predicted - self.truth)

    def metrics(self, rows: Indices) -> dict[str, float]:
        """The root mean squared error, the mean absolute error and r2."""
        truth, weights = self.truth[rows], self.weights[rows]
        wrong = self.predicted[rows] - truth
        total = weights.sum()
        squared = float(wrong**2 @ weights / total)
        spread = float((truth - truth @ weights / total) ** 2 @ weights / total)
        unexplained = squared / spread if spread > 0 else float(squared > 0)
        return {
            "rmse": squared**0.5,
            "mae": float(np.abs(wrong) @ weights / total),
            "r2": 1 - unexplained if len(rows) > 1 else 0.0,
        }


def ratio(above: Floats, below: Floats) -> Floats:
    """The quotients, 0 where nothing is divided by."""
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)


def errors_of(rows: Rows, outputs: NDArray[Any]) -> RowErrors:
    """What outputs for the test rows got wrong.

    Arguments:
        rows: whose test part was predicted.
        outputs: probabilities, shape (rows, classes), or standardized numbers, shape
            (rows, 1).
    """
    truth, targets = rows.prepared.test.y, rows.prepared.targets
    given = rows.weights
    weights = np.ones(len(truth)) if given is None else given.astype(np.float64)
    if isinstance(targets, ClassTargets):
        return class_errors(outputs, truth, weights, rows.classes)
    return number_errors(targets, outputs, truth, weights)


def class_errors(
    outputs: NDArray[Any], truth: NDArray[Any], weights: Floats, classes: int
) -> ClassErrors:
    """Probabilities of all classes against class numbers."""
    chosen = outputs[np.arange(len(truth)), truth].astype(np.float64)
    surprise = -np.log(np.maximum(chosen, np.finfo(np.float32).tiny))
    return ClassErrors(truth, outputs.argmax(axis=1), surprise, weights, classes)


def number_errors(
    targets: NumberTargets, outputs: NDArray[Any], truth: NDArray[Any], weights: Floats
) -> NumberErrors:
    """Standardized numbers against others, both put in the target's unit."""
    predicted = targets.decode(outputs.reshape(-1))
    return NumberErrors(targets.decode(truth), predicted, weights)


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
