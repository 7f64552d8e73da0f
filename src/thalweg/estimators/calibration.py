"""Probabilities that mean what they say: one temperature, fitted on held-out rows."""

from __future__ import annotations

import numpy as np

from thalweg.program.types import NumpyArray

COLDEST, HOTTEST = 0.02, 50.0
STEPS = 50  # halvings of the interval


def with_temperature(probabilities: NumpyArray, temperature: float) -> NumpyArray:
    """Probabilities made softer (T > 1) or sharper (T < 1); their order stays.

    p ∝ p^(1 / T) over classes; for one column, or for labels, over yes and no

    Arguments:
        probabilities: shape (rows, classes), each row's sum is 1; or (rows, labels, 2).
        temperature: T, above 0.

    Example:
        >>> import numpy as np
        >>> with_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
        [[0.667, 0.333]]

    Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural
    networks", 2017.
    """
    z = logarithms(probabilities) / temperature
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def fitted_temperature(
    probabilities: NumpyArray, truth: NumpyArray, weights: NumpyArray | None
) -> float:
    """The temperature of the lowest cross-entropy, which has one minimum in 1 / T.

    One more row is counted, of which nobody knows whether its most probable class or
    the next is right. Without it a network that is right in all of few rows would be
    made as sure as can be.

    Arguments:
        probabilities: of held-out rows, shape (rows, classes).
        truth: their class numbers, shape (rows,).
        weights: one number a row, or None.

    Returns:
        T, from 0.02 to 50.

    Example:
        >>> import numpy as np
        >>> sure = np.array([[0.99, 0.01]] * 4)
        >>> fitted_temperature(sure, np.array([0, 0, 0, 1]), None) > 1
        True
    """
    z = logarithms(probabilities)
    true = np.take_along_axis(z, truth[:, None].astype(np.int64), axis=1)[:, 0]
    unknown = np.sort(z, axis=1)[:, -2:].mean(axis=1)
    true = (len(z) * true + unknown) / (len(z) + 1)
    counted = np.ones(len(z)) if weights is None else weights
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(STEPS):
        middle = (low * high) ** 0.5
        softened = with_temperature(probabilities, 1 / middle)
        slope = counted @ ((softened * z).sum(axis=1) - true)
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(1 / (low * high) ** 0.5)


def logarithms(probabilities: NumpyArray) -> NumpyArray:
    """log p, finite also where p is 0."""
    tiny = np.finfo(np.float32).tiny
    return np.log(np.maximum(probabilities.astype(np.float64), tiny))
