"""Rows of different lengths, in the places where estimators have arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from thalweg.checks import require_instance
from thalweg.errors import ArgumentError, ShapeError
from thalweg.estimators.scikit import validation
from thalweg.program.types import NumpyArray, Shape
from thalweg.training.rows import require_finite
from thalweg.training.sequences import are_sequences


class Sequences(list[NumpyArray]):
    """Arrays (times, …), a row each, of which some can be taken as of an array.

    Example:
        >>> rows = Sequences([np.ones((3, 2)), np.ones((5, 2))])
        >>> rows.shape, rows[np.array([1])].shape
        ((2, 5, 2), (1, 5, 2))
    """

    @property
    def shape(self) -> Shape:
        """That of an array which would hold them all."""
        return (len(self), max(map(len, self)), *self[0].shape[1:])

    @property
    def ndim(self) -> int:
        """How many axes that would have."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of all numbers."""
        return self[0].dtype

    def __getitem__(self, key: Any) -> Any:
        """A row by its number; several by an array of numbers or a slice."""
        rows: list[NumpyArray] = [*self]
        chosen: Any = np.arange(len(rows))[key]
        if np.ndim(chosen):
            return Sequences([rows[int(k)] for k in chosen])
        return rows[int(chosen)]

    @property
    def end_to_end(self) -> NumpyArray:
        """The times of all rows, one after the other."""
        return np.concatenate(self)


def sequences_in(X: Any, row_shape: Shape | None) -> Sequences | None:
    """Rows of different lengths, if it is a list of them; checked, as float64.

    Arguments:
        X: what the user gave.
        row_shape: of the rows that were learned from; None before.

    Raises:
        ShapeError: rows differ in more than their length, or one has no time.
        ArgumentError: a number is missing or infinite.
    """
    if isinstance(X, Sequences):
        return X
    if not are_sequences(X, row_shape):
        return None
    return Sequences(checked(k, row, X[0]) for k, row in enumerate(X))


def checked(number: int, row: Any, first: Any) -> NumpyArray:
    """One row, as scikit-learn would have it."""
    name = f"X[{number}]"
    require_instance(name, row, np.ndarray, "an array (times, features)")
    array = np.asarray(row, np.float64)
    if array.shape[1:] != first.shape[1:] or not len(array):
        raise ShapeError(
            f"{name} must have one time or more, each of shape {first.shape[1:]} as "
            f"those of X[0], got an array of shape {array.shape}"
        )
    require_finite(array, name, given=array)
    return array


def checked_sequences(X: Sequences, y: Any, row_shape: Shape | None) -> Any:
    """y by scikit-learn's rules, for rows that have what was learned at each time.

    Arguments:
        X: the rows.
        y: their targets, or None.
        row_shape: of the rows that were learned from; None before.

    Raises:
        ShapeError: X has something else at each time.
        ValueError: y can't be targets, or isn't as many.
    """
    if row_shape is not None and X.shape[2:] != row_shape[1:]:
        raise ShapeError(
            f"X must have arrays of shape (times, {', '.join(map(str, row_shape[1:]))})"
            f" as in fit, got {X[0].shape}"
        )
    if y is None:
        return None
    if are_sequences(y):
        raise ArgumentError(
            "y must be one target a row: for one at each time, use Network, whose fit "
            "takes lists of both"
        )
    found = validation.check_array(y, ensure_2d=False, dtype=None, input_name="y")
    validation.check_consistent_length(X, found)
    return found


def are_class_numbers(X: Any) -> bool:
    """Whether rows have one number at each time, which an embedding reads as it is."""
    return isinstance(X, Sequences) and X.ndim == 2


def keys_of(X: Iterable[NumpyArray]) -> list[int]:
    """What is equal of equal rows, and in 64 bits hardly ever of others."""
    return [hash((len(row), (row + 0.0).tobytes())) for row in X]
