"""The rows that an estimator was given, and parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.program.types import NumpyArray


@dataclass(frozen=True)
class Given:
    """Rows as the user gave them, checked.

    Arguments:
        X: an array, a sparse array or a table.
        y: targets as numbers, a row each.
        weights: one number a row, or None.
        groups: the number of each row's group, or None.
    """

    X: Any
    y: NumpyArray
    weights: NumpyArray | None
    groups: NumpyArray | None = None

    def __len__(self) -> int:
        return len(self.y)

    def counting(self) -> NumpyArray:
        """The numbers of the rows whose weight isn't 0."""
        if self.weights is None:
            return np.arange(len(self))
        return np.flatnonzero(self.weights)


@dataclass(frozen=True)
class WeightedRows:
    """Some of the rows.

    Arguments:
        X: what the network takes, an array or sequences.
        y: targets as numbers.
        weights: one number a row, or None.
        together: a number a row, the same for rows of a group, or for copies; None
            where each is by itself.
    """

    X: Any
    y: NumpyArray
    weights: NumpyArray | None
    together: NumpyArray | None = None


def is_listed(value: Any) -> bool:
    """Whether it is a sequence or an array, and not a text."""
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def validation_rows(X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any] | None:
    """A user's own validation rows, if they were given.

    Raises:
        ArgumentError: inputs were given without targets, or the other way round.
    """
    if (X is None) != (y is None):
        raise ArgumentError("X_val and y_val must be given together")
    return None if X is None else (X, y, weights)


def own_rows(validation: Any) -> tuple[Any, Any, Any]:
    """A user's own validation rows as X, y and weights."""
    X, y, *weights = validation
    return X, y, weights[0] if weights else None


def part(
    inputs: Any,
    given: Given,
    rows: NumpyArray,
    together: NumpyArray | None = None,
) -> WeightedRows:
    """Some of the rows, with their inputs."""
    weights = None if given.weights is None else given.weights[rows]
    return WeightedRows(taken(inputs, rows), given.y[rows], weights, together)


def taken(array: Any, rows: NumpyArray) -> Any:
    """Some rows of an array, without a copy where they are all."""
    return array if len(rows) == array.shape[0] else array[rows]
