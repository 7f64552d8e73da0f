"""The best guess that looks at no column and no pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.magnitude import near_one, weighted_mean
from thalweg.kinds.parts import Parts
from thalweg.kinds.scores import constant_outputs
from thalweg.kinds.targets import ClassTargets, NumberTargets


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
