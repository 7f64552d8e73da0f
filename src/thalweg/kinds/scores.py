"""Metrics of numbers, and what a network has to beat: a guess, a linear model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.magnitude import (
    countable,
    exponent_of,
    near_one,
    root_mean_square,
    weighted_mean,
    with_mean_one,
)

Metrics = dict[str, float]
Floats = NDArray[Any]
LINEAR_ROWS = 100_000  # the linear model learns from so many rows at most
LINEAR_CELLS = 2**23  # rows times classes; its solver has some arrays of that size
LINEAR_ITERATIONS = 1_000
MOST_ROWS = 2**14  # whose outputs are looked at at a time
MOST_CELLS = 2**24  # rows times outputs
MANY_CLASSES = "The number of unique classes is greater than 50%"
LARGEST = np.finfo(np.float64).max


def number_scores(
    predicted: Floats, truth: Floats, weights: Floats | None = None
) -> Metrics:
    """How near numbers are, in the unit of the target.

    Arguments:
        predicted, truth: shape (rows,).
        weights: one number a row, or None.

    Returns:
        rmse and mae in the target's unit, and r2; infinite, or NaN, where a prediction
        is, or where the true value is beyond float64.
    """
    weights = np.ones(len(truth)) if weights is None else countable(weights)
    counting, several = weights > 0, len(truth) > 1
    if not counting.all():
        predicted, truth = predicted[counting], truth[counting]
        weights = weights[counting]
    with np.errstate(all="ignore"):
        # Halves of numbers near the limit of float64 have a difference.
        largest = max(np.abs(truth).max(initial=0), np.abs(predicted).max(initial=0))
        halved = int(largest > LARGEST / 2)
        wrong = np.ldexp(predicted, -halved) - np.ldexp(truth, -halved)
        if not np.isfinite(wrong).all():
            error = float(np.abs(wrong).max())
            return {"rmse": error, "mae": error, "r2": -error}
        length, exponent = root_mean_square(wrong, weights)
        rmse = np.ldexp(length, exponent + halved)
        mae = np.ldexp(weighted_mean(np.abs(wrong), weights), halved)
        known = near_one(truth)
        centered = known - weighted_mean(known, weights)
        spread, its_exponent = root_mean_square(centered, weights)
        its_exponent += exponent_of(truth)
        unexplained = np.ldexp(length / spread, exponent + halved - its_exponent) ** 2
        if spread == 0:
            unexplained = np.float64(rmse > 0)
        r2 = 1 - unexplained if several else 0.0
        return {"rmse": float(rmse), "mae": float(mae), "r2": float(r2)}


def parts_of(rows: int, outputs: int) -> Iterator[slice]:
    """All rows, in parts whose outputs together take little memory.

    >>> [*parts_of(3, 2)], [*parts_of(9, 2**22)]
    ([slice(0, 3, None)], [slice(0, 4, None), slice(4, 8, None), slice(8, 9, None)])
    """
    most = most_rows(outputs)
    for start in range(0, rows, most):
        yield slice(start, min(start + most, rows))


def most_rows(outputs: int) -> int:
    """How many rows' outputs are looked at at a time."""
    return min(MOST_ROWS, max(MOST_CELLS // max(outputs, 1), 1))


def both_columns(outputs: Floats) -> Floats:
    """Probabilities of all classes; a single column is that of the second of two."""
    if outputs.shape[1] > 1:
        return outputs
    return np.concatenate([1 - outputs, outputs], axis=1)


def finite(metrics: Metrics) -> dict[str, float | None]:
    """Metrics as JSON can hold them: it has neither NaN nor infinity.

    >>> finite({"rmse": float("inf"), "r2": 0.5})
    {'rmse': None, 'r2': 0.5}
    """
    return {k: v if math.isfinite(v) else None for k, v in metrics.items()}


# What a network has to beat -----------------------------------------------------------


def constant_outputs(y: Floats, weights: Floats | None, classes: int) -> Floats:
    """The best constant guess: the classes' shares, or the mean; shape (1, outputs)."""
    if classes:
        shares = np.bincount(y, weights=weights, minlength=classes)
        return (shares / shares.sum())[None]
    return np.full((1, 1), np.average(y, weights=weights))


def repeated(guess: Floats, rows: int) -> Iterator[Floats]:
    """A guess for all rows, in parts that take no memory."""
    for part in parts_of(rows, guess.shape[1]):
        yield np.broadcast_to(guess, (part.stop - part.start, guess.shape[1]))


def linear_outputs(
    X: Floats,
    y: Floats,
    weights: Floats | None,
    classes: int,
    codes: int,
    test_X: Floats,
) -> Iterator[Floats]:
    """What logistic or ridge regression gives on the same features, in parts.

    Arguments:
        X, y, weights: training rows.
        classes: how many there are; 0 for a number.
        codes: how many of the last columns hold category numbers, which are made one
            column a category.
        test_X: rows to predict.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    kept = rows_for_linear(len(X), classes)
    if classes and len(np.unique(y[kept])) == 1:
        return repeated(constant_outputs(y, None, classes), len(test_X))
    model: Any = LogisticRegression(max_iter=LINEAR_ITERATIONS) if classes else Ridge()
    features: Any = one_column_a_category(X[kept], codes)
    features_of_test: Any = one_column_a_category(test_X, codes, like=X[kept])
    counting = None if weights is None else with_mean_one(weights[kept])
    with warnings.catch_warnings():
        # A model that hasn't quite settled is still a fair comparison, and so is one of
        # more classes than scikit-learn thinks usual.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", MANY_CLASSES, UserWarning)
        model.fit(features, y[kept], sample_weight=counting)
    return predictions_of(model, features_of_test, classes)


def predictions_of(model: Any, X: Any, classes: int) -> Iterator[Floats]:
    """What a model of scikit-learn gives, in parts.

    Arguments:
        model: has learned class numbers, maybe not all, or one number.
        X: rows to predict.
        classes: how many there are; 0 for a number.
    """
    for part in parts_of(X.shape[0], classes):
        if classes:
            outputs = np.zeros((part.stop - part.start, classes))
            outputs[:, model.classes_] = model.predict_proba(X[part])
            yield outputs
        else:
            yield np.asarray(model.predict(X[part])).reshape(-1, 1)


def rows_for_linear(rows: int, classes: int = 0) -> NDArray[np.int64]:
    """All rows, or a random part of a very large table."""
    most = min(LINEAR_ROWS, LINEAR_CELLS // max(classes, 1))
    if rows <= most:
        return np.arange(rows)
    generator = np.random.Generator(np.random.Philox(key=[0, rows]))
    return np.sort(generator.choice(rows, most, replace=False))


def one_column_a_category(X: Floats, codes: int, like: Floats | None = None) -> Any:
    """The features with their last columns of category numbers spread out."""
    if not codes:
        return X
    sparse: Any = import_module("scipy.sparse")
    from sklearn.preprocessing import OneHotEncoder

    first = X.shape[1] - codes
    encoder: Any = OneHotEncoder(handle_unknown="ignore")
    encoder.fit((X if like is None else like)[:, first:])
    return sparse.hstack(
        [sparse.csr_matrix(X[:, :first]), encoder.transform(X[:, first:])]
    ).tocsr()
