"""How sure a metric is: the test rows drawn anew, with replacement, many times."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.data.scores import both_columns
from thalweg.data.targets import ClassTargets, NumberTargets

Indices: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

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


class RowErrors(ABC):
    """What each test row adds to the metrics, so that any choice of rows is quick."""

    truth: NDArray[Any]
    predicted: NDArray[Any]
    weights: Floats

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
        ranking: of two classes, the rows by the probability of one.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    surprise: Floats
    weights: Floats
    classes: int
    ranking: Ranking | None = None

    @property
    def error(self) -> Floats:
        """The surprise."""
        return self.surprise

    def metrics(self, rows: Indices) -> dict[str, float]:
        """Accuracy and what else `class_scores` gives."""
        truth, predicted, weights = (
            self.truth[rows],
            self.predicted[rows],
            self.weights[rows],
        )
        found = ClassCounts.of(truth, predicted, weights, self.classes)
        present = np.bincount(truth, minlength=self.classes) > 0
        named = present | (np.bincount(predicted, minlength=self.classes) > 0)
        total = weights.sum()
        ranked: dict[str, float] = {}
        if self.ranking is not None:
            drawn = np.bincount(rows, weights, len(self.truth))
            ranked = self.ranking.metrics(drawn.astype(np.float64))
        return {
            "accuracy": float(found.right.sum() / total),
            "balanced_accuracy": float(found.recall[present].mean()),
            "f1": float(found.f1[named].mean()),
            "log_loss": float(self.surprise[rows] @ weights / total),
            **ranked,
        }


@dataclass(frozen=True)
class Ranking:
    """Rows of two classes by the probability of one, the most probable first.

    Arguments:
        order: the rows.
        right: in that order, whether a row is of the class.
        ends: where in that order the last row of each probability stands.
    """

    order: Indices
    right: NDArray[np.bool_]
    ends: Indices

    @classmethod
    def of(cls, probability: NDArray[Any], of_class: NDArray[np.bool_]) -> Ranking:
        """Put rows in order."""
        order = np.argsort(-probability, kind="stable")
        ordered = probability[order]
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        return cls(order, of_class[order], ends)

    def metrics(self, weights: Floats) -> dict[str, float]:
        """ROC AUC and average precision; NaN where one of the classes isn't there.

        Arguments:
            weights: shape (rows,); 0 leaves a row out, 2 counts it twice.
        """
        own = weights[self.order]
        right = np.cumsum(np.where(self.right, own, 0.0))[self.ends]
        wrong = np.cumsum(np.where(self.right, 0.0, own))[self.ends]
        if not (right[-1] > 0 and wrong[-1] > 0):
            return {"roc_auc": np.nan, "average_precision": np.nan}
        precision = ratio(right, right + wrong)
        gained, lost = np.diff(right, prepend=0.0), np.diff(wrong, prepend=0.0)
        area = lost @ (right - gained / 2) / (right[-1] * wrong[-1])
        mean = gained @ precision / right[-1]
        return {"roc_auc": float(area), "average_precision": float(mean)}


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


def errors_of(
    targets: ClassTargets | NumberTargets,
    outputs: NDArray[Any],
    truth: NDArray[Any],
    weights: NDArray[Any] | None,
    positive: int = 1,
) -> RowErrors:
    """What outputs got wrong.

    Arguments:
        targets: the classes, or the number.
        outputs: probabilities, shape (rows, classes), or what is learned of numbers,
            shape (rows, 1).
        truth: encoded, shape (rows,).
        weights: shape (rows,), or None.
        positive: of two classes the one that average precision is of.
    """
    known = np.ones(len(truth)) if weights is None else weights.astype(np.float64)
    if isinstance(targets, ClassTargets):
        classes = len(targets.labels)
        return class_errors(outputs, truth, known, classes, positive)
    return number_errors(targets, outputs, truth, known)


def class_errors(
    outputs: NDArray[Any],
    truth: NDArray[Any],
    weights: Floats,
    classes: int,
    positive: int = 1,
) -> ClassErrors:
    """Probabilities of all classes against class numbers."""
    outputs = both_columns(outputs)
    chosen = outputs[np.arange(len(truth)), truth].astype(np.float64)
    surprise = -np.log(np.maximum(chosen, np.finfo(np.float32).tiny))
    ranking = None
    if classes == 2:
        ranking = Ranking.of(outputs[:, positive], truth == positive)
    predicted = outputs.argmax(axis=1)
    return ClassErrors(truth, predicted, surprise, weights, classes, ranking)


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


def effective(weights: Floats) -> float:
    """How many rows of equal weight say as much: (Σw)² / Σw² (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


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
