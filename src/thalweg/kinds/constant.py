"""The best guess that looks at no column and no pixel, and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.magnitude import near_one, weighted_mean
from thalweg.kinds.parts import Parts
from thalweg.kinds.scores import constant_outputs, repeated
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.network import Network


def constant_guess(parts: Parts) -> NDArray[Any]:
    """The classes' shares, or the mean, of the training rows, shape (1, outputs).

    The mean is that in the target's unit, also where logarithms are learned: their mean
    would be a guess that is too low, and easily beaten.
    """
    training, targets = parts.training, parts.targets
    if isinstance(targets, NumberTargets) and targets.log:
        rows = len(training.truth)
        weights = np.ones(rows) if training.weights is None else training.weights
        mean = weighted_mean(training.truth, near_one(weights))
        return targets.learned(np.array([[mean]]))
    return constant_outputs(training.y, training.weights, class_count(parts))


def class_count(parts: Parts) -> int:
    """The number of classes; 0 where a number is predicted."""
    targets = parts.targets
    return len(targets.labels) if isinstance(targets, ClassTargets) else 0


def constant_loss(network: Network, parts: Parts) -> float:
    """The validation loss of the best constant guess of the training rows."""
    training, validation = parts.training, parts.validation
    classes, loss = class_count(parts), network.loss
    assert loss is not None
    guess = constant_outputs(training.y, training.weights, classes)
    if classes and network.shapes.outputs[-1] == (1,):
        guess = guess[:, 1:]
    truths, places = validation.y, slice(None)
    if classes:  # rows of one class lose alike
        truths, places = np.unique(truths, return_inverse=True)
    start, losses = 0, np.empty(len(truths))
    for part in repeated(guess, len(losses)):
        rows = slice(start, start := start + len(part))
        losses[rows] = loss.per_row(part, truths[rows])
    return float(np.average(losses[places], weights=validation.weights))
