"""What each row's prediction got wrong, and the metrics of any choice of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.magnitude import countable
from thalweg.kinds.scores import Metrics, both_columns, number_scores
from thalweg.kinds.targets import ClassTargets, NumberTargets

Indices: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Outputs: TypeAlias = Iterable[NDArray[Any]]
"""What a model gives for rows, in parts: of many classes all would take much memory."""


class RowErrors(ABC):
    """What each row adds to the metrics, so that any choice of rows is quick."""

    truth: NDArray[Any]
    predicted: NDArray[Any]
    weights: Floats

    @property
    @abstractmethod
    def error(self) -> Floats:
        """How wrong each row is, shape (rows,): 0 is perfect."""

    @abstractmethod
    def metrics(self, rows: Indices) -> Metrics:
        """The metrics on some rows, repeated or not."""

    @property
    def every_metric(self) -> Metrics:
        """The metrics on all rows."""
        return self.metrics(np.arange(len(self.truth)))


@dataclass(frozen=True)
class ClassErrors(RowErrors):
    """The classes of rows, and how probable they were said to be.

    Arguments:
        truth, predicted: class numbers, shape (rows,).
        of_truth, of_predicted: their probabilities, shape (rows,), float64.
        of_both: where there are two classes, their probabilities, shape (2, rows).
        weights: shape (rows,), near 1.
        classes: how many there are.
        positive: of two classes the one that average precision is of.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    of_truth: Floats
    of_predicted: Floats
    of_both: Floats | None
    weights: Floats
    classes: int
    positive: int = 1

    @cached_property
    def surprise(self) -> Floats:
        """−log of the probability that the true class was given, shape (rows,)."""
        return -np.log(np.maximum(self.of_truth, np.finfo(np.float32).tiny))

    @property
    def error(self) -> Floats:
        """The surprise."""
        return self.surprise

    @cached_property
    def ranking(self) -> Ranking | None:
        """Of two classes, the rows by the probability of one."""
        if self.of_both is None:
            return None
        of_class = self.truth == self.positive
        return Ranking.of(self.of_both[self.positive], of_class)

    def metrics(self, rows: Indices) -> Metrics:
        """How well classes are told apart.

        They are accuracy, balanced_accuracy, f1 (the mean over classes) and log_loss;
        for two classes roc_auc and average_precision, too, which are NaN where all rows
        that count are of one class.
        """
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
        weights: shape (rows,), near 1.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    weights: Floats

    @property
    def error(self) -> Floats:
        """The absolute error; infinite where it is beyond float64."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.abs(self.residuals)

    @cached_property
    def residuals(self) -> Floats:
        """What is left of the truth after the prediction, shape (rows,)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.truth - self.predicted

    def metrics(self, rows: Indices) -> Metrics:
        """The root mean squared error, the mean absolute error and r2."""
        return number_scores(self.predicted[rows], self.truth[rows], self.weights[rows])


def ratio(above: Floats, below: Floats) -> Floats:
    """The quotients, 0 where nothing is divided by."""
    return np.divide(above, below, out=np.zeros(above.shape), where=below > 0)


def errors_of(
    targets: ClassTargets | NumberTargets,
    outputs: Outputs,
    truth: NDArray[Any],
    weights: NDArray[Any] | None,
    positive: int = 1,
) -> RowErrors:
    """What outputs got wrong.

    Arguments:
        targets: the classes, or the number.
        outputs: of the rows in their order, in parts: probabilities, shape (rows,
            classes), or what is learned of numbers, shape (rows, 1).
        truth: class numbers, or numbers in the target's unit, shape (rows,).
        weights: shape (rows,), or None.
        positive: of two classes the one that average precision is of.
    """
    counting = np.ones(len(truth)) if weights is None else countable(weights)
    if isinstance(targets, ClassTargets):
        return class_errors(outputs, truth, counting, len(targets.labels), positive)
    learned = np.concatenate([part.reshape(-1) for part in outputs])
    return NumberErrors(truth, targets.decode(learned), counting)


def class_errors(
    outputs: Outputs,
    truth: NDArray[Any],
    weights: Floats,
    classes: int,
    positive: int = 1,
) -> ClassErrors:
    """Probabilities of all classes, in parts, against class numbers."""
    predicted = np.empty(len(truth), np.int64)
    said = np.empty((4 if classes == 2 else 2, len(truth)))
    start = 0
    for part in outputs:
        found, rows = both_columns(part), np.arange(len(part))
        stop = start + len(part)
        predicted[start:stop] = highest = found.argmax(axis=1)
        said[0, start:stop] = found[rows, truth[start:stop]]
        said[1, start:stop] = found[rows, highest]
        if classes == 2:
            said[2:, start:stop] = found.T
        start = stop
    both = said[2:] if classes == 2 else None
    return ClassErrors(
        truth, predicted, said[0], said[1], both, weights, classes, positive
    )
