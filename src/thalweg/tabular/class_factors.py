"""What the rows of each class count, as a setting says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.checks import nearest
from thalweg.errors import ArgumentError
from thalweg.kinds.targets import ClassTargets
from thalweg.tabular.class_weights import (
    BALANCED,
    Floats,
    balanced_factors,
    weights_by_label,
)
from thalweg.words import listed


def class_factors(
    given: Sequence[str],
    targets: ClassTargets,
    numbers: NDArray[Any],
    weights: NDArray[Any] | None,
) -> Floats:
    """What a row of each class counts, shape (classes,).

    Arguments:
        given: as the setting has it.
        targets: the classes.
        numbers: the class number of each training row.
        weights: of the training rows, or None.

    Raises:
        ArgumentError: there is no such class.
    """
    labels = targets.labels
    if BALANCED in given:
        return balanced_factors(numbers, weights, len(labels))
    factors = np.ones(len(labels))
    for label, weight in weights_by_label(given).items():
        number = targets.number_of(label)
        if number is None:
            raise ArgumentError(
                f"class_weight must name a class of {targets.name!r}, got {label!r}"
                f"{nearest(label, labels)}; there are {listed(labels)}"
            )
        factors[number] = weight
    return factors
