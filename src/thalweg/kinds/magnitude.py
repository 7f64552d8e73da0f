"""Means of numbers of any magnitude: none overflows whose true value is finite.

Numbers are multiplied by a power of two first, which changes no digit of them, so that
the largest is near 1.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
EXPONENT = 256  # of weights whose sums and squares are far from float64's limits


def exponent_of(values: NDArray[Any]) -> int:
    """The power of two that is just above the largest of finite numbers.

    >>> exponent_of(np.array([-3.0, 1.0]))
    2
    """
    return int(np.frexp(np.abs(values).max(initial=0.0))[1])


def near_one(values: NDArray[Any]) -> Floats:
    """Finite numbers, of which only the ratios matter, with the largest from ½ to 1.

    >>> near_one(np.array([1e300, 5e299])).round(3).tolist()
    [0.747, 0.373]
    """
    return np.ldexp(values.astype(np.float64), -exponent_of(values))


def countable(weights: NDArray[Any]) -> Floats:
    """Weights as they are; near 1 where sums of them would leave float64.

    >>> countable(np.array([3.0, 0.5])).tolist()
    [3.0, 0.5]
    >>> countable(np.array([1e308, 0.0])).round(3).tolist()
    [0.556, 0.0]
    """
    known = weights.astype(np.float64)
    return known if abs(exponent_of(known)) <= EXPONENT else near_one(known)


def with_mean_one(weights: NDArray[Any]) -> Floats:
    """Weights of which only the ratios matter, with a mean of 1.

    >>> with_mean_one(np.array([1e308, 0.0])).tolist()
    [2.0, 0.0]
    """
    near = near_one(weights)
    return near / near.mean()


def weighted_mean(values: Floats, weights: NDArray[Any]) -> np.float64:
    """Σ wᵢxᵢ / Σ wᵢ of finite numbers, with weights near 1; NaN if all of them are 0.

    >>> float(weighted_mean(np.array([1.5e308, 1.3e308]), np.ones(2)))
    1.4e+308
    """
    exponent = exponent_of(values)
    mean = np.ldexp(values, -exponent) @ weights / weights.sum()
    return np.ldexp(mean, exponent)


def root_mean_square(values: Floats, weights: NDArray[Any]) -> tuple[np.float64, int]:
    """√(Σ wᵢxᵢ² / Σ wᵢ) of finite numbers, with weights near 1.

    Returns:
        A number near 1, and the exponent of the power of two to multiply it by.

    >>> near, exponent = root_mean_square(np.array([3e200, -3e200]), np.ones(2))
    >>> print(f"{np.ldexp(near, exponent):.6g}")
    3e+200
    """
    exponent = exponent_of(values)
    rooted = np.sqrt(weights) * np.ldexp(values, -exponent)
    scaled = near_one(rooted)
    length = np.sqrt(scaled @ scaled) / np.sqrt(weights.sum())
    return length, exponent + exponent_of(rooted)
