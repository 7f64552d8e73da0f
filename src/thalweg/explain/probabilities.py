"""The probability that a network gives a class."""

from __future__ import annotations

import numpy as np

from thalweg.errors import ArgumentError, ShapeError
from thalweg.model.metrics import CLASS_LOSSES
from thalweg.model.record import NetworkRecord
from thalweg.program.types import NumpyArray
from thalweg.training.objective import usual_loss


def require_probabilities(network: NetworkRecord) -> None:
    """The network gives each row the probabilities of classes.

    Raises:
        ArgumentError: it gives something else.
    """
    given = network.shapes.outputs[-1]
    loss = network.loss.name if network.loss else usual_loss(network.layers)
    if loss not in CLASS_LOSSES or len(given) != 1:
        raise ArgumentError(
            "the network must give each row the probabilities of classes, as softmax "
            f"and sigmoid do; it gives {given} numbers, and its loss is {loss}"
        )


def class_count(network: NetworkRecord) -> int:
    """How many classes there are: two where one number is the probability of class 1.

    More such numbers, of classes that don't exclude each other, count as they are.
    """
    return max(network.shapes.outputs[-1][-1], 2)


def classes_of(network: NetworkRecord, classes: NumpyArray, rows: int) -> NumpyArray:
    """Class numbers as int32, one for each row.

    Raises:
        ArgumentError: there is no such class.
        ShapeError: there aren't as many as rows.
    """
    given = np.asarray(classes)
    if given.shape != (rows,):
        raise ShapeError(f"classes must have shape ({rows},), got {given.shape}")
    last = class_count(network) - 1
    if given.dtype.kind not in "iu" or given.min() < 0 or given.max() > last:
        raise ArgumentError(
            f"classes must be whole numbers from 0 to {last}, got {given.tolist()}"
        )
    return given.astype(np.int32)


def probabilities_of(predictions: NumpyArray, classes: NumpyArray) -> NumpyArray:
    """p_c of each row, shape (rows,)."""
    if predictions.shape[1] == 1:
        p = predictions[:, 0]
        return np.where(classes == 1, p, 1 - p)
    return predictions[np.arange(len(predictions)), classes]


def likeliest(predictions: NumpyArray) -> NumpyArray:
    """The class with the largest probability of each row, shape (rows,)."""
    if predictions.shape[1] == 1:
        return (predictions[:, 0] > 0.5).astype(np.int32)
    return predictions.argmax(1)
