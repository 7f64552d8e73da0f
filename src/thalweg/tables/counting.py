"""Whether numbers count: 0, 1, 2, … or 1, 2, 3, …, as those do that name classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_CLASS_NUMBERS = 10
"""Whole numbers that count up from 0 or 1 to no more than this many are classes."""


def counts(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether numbers are 0, 1, 2, … or 1, 2, 3, … in this order.

    Arguments:
        values: shape (…, numbers), one number at least.

    Returns:
        Shape (…).

    Example:
        >>> counts(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [0.0, 1.0, 1.7e308]]))
        array([ True, False, False])
    """
    first = values[..., :1]
    counted: NDArray[np.float64] = first + np.arange(values.shape[-1], dtype=np.float64)
    others = np.not_equal(values, counted)
    return np.isin(first[..., 0], (0, 1)) & ~np.any(others, axis=-1)


def name_classes(numbers: NDArray[np.float64]) -> bool:
    """Whether numbers are written as classes are: two whole ones, or counting.

    Arguments:
        numbers: each once, in order.

    Example:
        >>> name_classes(np.array([1.0, 2.0, 3.0])), name_classes(np.array([1.0, 7.0]))
        (True, True)
        >>> name_classes(np.array([1.0, 7.0, 8.0])), name_classes(np.array([0.5, 1.0]))
        (False, False)
    """
    if (numbers != np.round(numbers)).any():
        return False
    counted = len(numbers) <= MOST_CLASS_NUMBERS and bool(counts(numbers))
    return len(numbers) == 2 or counted
