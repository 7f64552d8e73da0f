"""The best guess that looks at no input: what it is called, and what it loses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.formulas.losses import LOSSES, Loss
from thalweg.program.types import NumpyArray, Shape

Floats: TypeAlias = NDArray[np.float64]
Parameters: TypeAlias = Mapping[str, Any]

SETTLED = 1e-12  # of a guess that is found step by step, how little it moves at last
MOST_STEPS = 1_000  # to find it
MOST_NUMBERS = 2**18  # of which losses are computed at a time, to bound the memory


@dataclass(frozen=True)
class Targets:
    """What rows are to give, and how much each counts.

    Arguments:
        y: class numbers (rows,), or numbers (rows,) or (rows, outputs).
        weights: one number a row, or None.
    """

    y: NumpyArray
    weights: NumpyArray | None = None


@dataclass(frozen=True)
class Guess:
    """The best constant guess under a loss.

    Arguments:
        words: what is always given.
        of: finds it, from targets (rows, outputs), their weights and the loss's own
            numbers.
        by_mean: whether a loss is linear in its targets, so that those of all rows lose
            on average what their mean loses.
    """

    words: str
    of: Callable[[Floats, Floats, Parameters], Floats]
    by_mean: bool = False


def mean(y: Floats, weights: Floats, parameters: Parameters) -> Floats:
    """Σ wᵢ yᵢ / Σ wᵢ."""
    return np.average(y, axis=0, weights=weights)


def smoothed_mean(y: Floats, weights: Floats, parameters: Parameters) -> Floats:
    """The mean of the targets that the loss makes of those given."""
    epsilon = parameters.get("label_smoothing", 0.0)
    return (1 - epsilon) * mean(y, weights, parameters) + epsilon / y.shape[1]


def quantile(y: Floats, weights: Floats, parameters: Parameters) -> Floats:
    """The smallest target with a share of q at or below it; ½ unless told.

    >>> y, once = np.array([[3.0], [1.0], [2.0], [9.0]]), np.ones(4)
    >>> quantile(y, once, {}).tolist(), quantile(y, once, {"quantile": 0.9}).tolist()
    ([2.0], [9.0])
    """
    orders = np.argsort(y, axis=0)
    shares = np.cumsum(weights[orders], axis=0)
    wanted = parameters.get("quantile", 0.5) * shares[-1]
    places = (shares < wanted).sum(axis=0)
    rows = np.take_along_axis(orders, places[None], axis=0)
    return np.take_along_axis(y, rows, axis=0)[0]


def huber_center(y: Floats, weights: Floats, parameters: Parameters) -> Floats:
    """The mean where far targets count less: Σ wᵢ cᵢ yᵢ / Σ wᵢ cᵢ, cᵢ = min(1, δ/|eᵢ|).

    It is the fixed point of that, sought from the median.
    """
    delta = parameters.get("delta", 1.0)
    center = quantile(y, weights, {})
    for _ in range(MOST_STEPS):
        distance = np.maximum(np.abs(y - center), delta)
        counts = weights[:, None] * (delta / distance)
        moved = (counts * y).sum(axis=0) / counts.sum(axis=0)
        if np.abs(moved - center).max() <= SETTLED * max(np.abs(moved).max(), delta):
            return moved
        center = moved
    return center


GUESSES: Mapping[str, Guess] = {
    "cross_entropy": Guess("the classes' shares", smoothed_mean, by_mean=True),
    "binary_cross_entropy": Guess("the classes' shares", mean, by_mean=True),
    "mean_squared_error": Guess("the mean", mean),
    "poisson": Guess("the mean", mean, by_mean=True),
    "mean_absolute_error": Guess("the median", quantile),
    "quantile": Guess("the quantile", quantile),
    "huber": Guess("the best constant", huber_center),
}
"""Of thalweg's own losses; of a user's own nothing is known."""


def guess_for(loss: Loss) -> Guess | None:
    """The kind of guess that is best under a loss; None if that isn't known."""
    own = LOSSES.get(loss.name)
    return GUESSES[loss.name] if own and own.function is loss.function else None


def constant_loss(
    loss: Loss, training: Targets, scored: Targets, outputs: Shape
) -> float | None:
    """What the best constant guess of the training rows loses on rows.

    Arguments:
        loss: ℓ.
        training: makes the guess.
        scored: the rows that it's made for.
        outputs: the shape of what a network gives for a row.

    Returns:
        The mean loss; None where there is no such guess: of a loss of a user's own, of
        rows that have several positions, and where a class occurs in the scored rows
        alone.

    Example:
        >>> from thalweg.formulas.losses import cross_entropy
        >>> y = Targets(np.array([0, 1, 1, 1]))
        >>> print(round(constant_loss(cross_entropy, y, y, (2,)), 4))
        0.5623
    """
    guess = guess_for(loss)
    if guess is None or len(outputs) != 1:
        return None
    parameters = dict(loss.parameters)
    with np.errstate(all="ignore"):
        given = guess.of(*as_columns(training, outputs[0]), parameters)
        y, weights = as_columns(scored, outputs[0])
        if guess.by_mean:
            y, weights = np.average(y, axis=0, weights=weights)[None], np.ones(1)
        found = mean_loss(loss, given, y, weights)
    return found if math.isfinite(found) else None


def as_columns(targets: Targets, outputs: int) -> tuple[Floats, Floats]:
    """Targets (rows, outputs) and their weights; of class numbers each class once."""
    y, weights = targets.y, targets.weights
    if y.ndim == 1 and y.dtype.kind == "i" and outputs > 1:
        counts = np.bincount(y, weights, minlength=outputs)
        return (counts / counts.sum())[None], np.ones(1)
    columns = y.reshape(len(y), outputs).astype(np.float64)
    return columns, np.ones(len(y)) if weights is None else weights.astype(np.float64)


def mean_loss(loss: Loss, guess: Floats, y: Floats, weights: Floats) -> float:
    """Σ wᵢ ℓ(guess, yᵢ) / Σ wᵢ."""
    total, step = 0.0, max(MOST_NUMBERS // y.shape[1], 1)
    for start in range(0, len(y), step):
        rows = slice(start, start + step)
        predictions = np.broadcast_to(guess, y[rows].shape)
        total += float(loss.per_row(predictions, y[rows]) @ weights[rows])
    return total / float(weights.sum())
