"""What the rows of each class count while they are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ArgumentError
from thalweg.kinds.magnitude import near_one

BALANCED = "balanced"
MUST = "balanced, or labels each with =W, a finite weight of 0 or more"

Floats = NDArray[np.float64]


def weights_by_label(given: Sequence[str]) -> dict[str, float]:
    """The weights of labels; none where classes are to be balanced.

    A label may have an equals sign in it; a weight has none.

    Raises:
        ArgumentError: something else is given, or a label twice.

    >>> weights_by_label(["a=b=2", "c=0.5"])
    {'a=b': 2.0, 'c': 0.5}
    """
    if tuple(given) == (BALANCED,):
        return {}
    found: dict[str, float] = {}
    for text in given:
        label, equals, written = text.rpartition("=")
        weight = _number(written)
        if not equals or not 0 <= weight < np.inf:
            raise ArgumentError(f"class_weight must be {MUST}, got {text!r}")
        if label in found:
            raise ArgumentError(f"class_weight must name {label!r} once, got it twice")
        found[label] = weight
    return found


def balanced_factors(
    numbers: NDArray[Any], weights: NDArray[Any] | None, classes: int
) -> Floats:
    """W / (k Wᶜ): W the weight of all rows, Wᶜ that of the class's, k the classes.

    Classes that aren't there don't count in k, and have 1.

    >>> balanced_factors(np.array([0, 0, 0, 1]), None, 2).round(2)
    array([0.67, 2.  ])
    """
    near = None if weights is None else near_one(weights)
    totals = np.bincount(numbers, near, classes)
    present = totals > 0
    with np.errstate(over="ignore"):
        share = totals.sum() / max(present.sum(), 1)
        return np.where(present, share / np.where(present, totals, 1.0), 1.0)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
