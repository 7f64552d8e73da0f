"""Metrics by scikit-learn, and what a network has to beat: a guess, a linear model."""

from __future__ import annotations

import math
import warnings
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Metrics = dict[str, float]
Floats = NDArray[Any]
LINEAR_ROWS = 100_000  # the linear model learns from so many rows at most
LINEAR_ITERATIONS = 1_000


def class_scores(
    outputs: Floats, truth: Floats, weights: Floats | None, positive: int = 1
) -> Metrics:
    """How well classes are told apart.

    Arguments:
        outputs: probabilities, shape (rows, classes); or (rows, 1) of the second class.
        truth: class numbers, shape (rows,).
        weights: one number a row, or None.
        positive: of two classes the number of the one that average precision is of.

    Returns:
        accuracy, balanced_accuracy, f1 (the mean over classes) and log_loss; for two
        classes roc_auc and average_precision, too, which are NaN where all rows that
        count are of one class.
    """
    metrics: Any = import_module("sklearn.metrics")

    probabilities = both_columns(outputs)
    predicted = probabilities.argmax(axis=1)
    present = np.unique(truth)
    recall: Any = metrics.recall_score(
        truth,
        predicted,
        labels=present,
        average="macro",
        sample_weight=weights,
        zero_division=0,
    )
    f1: Any = metrics.f1_score(
        truth, predicted, average="macro", sample_weight=weights, zero_division=0
    )
    chosen = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    surprise = -np.log(np.maximum(chosen, np.finfo(np.float32).tiny))
    accuracy: Any = metrics.accuracy_score(truth, predicted, sample_weight=weights)
    return {
        "accuracy": float(accuracy),
        "balanced_accuracy": float(recall),
        "f1": float(f1),
        "log_loss": float(np.average(surprise, weights=weights)),
        **ranked_scores(probabilities, truth, weights, positive),
    }


def ranked_scores(
    probabilities: Floats, truth: Floats, weights: Floats | None, positive: int
) -> Metrics:
    """How well rows are put in order by the probability of one of two classes."""
    if probabilities.shape[1] != 2:
        return {}
    metrics: Any = import_module("sklearn.metrics")
    counting = truth if weights is None else truth[weights > 0]
    if len(np.unique(counting)) < 2:
        return {"roc_auc": math.nan, "average_precision": math.nan}
    asked = (truth == positive, probabilities[:, positive])
    area: Any = metrics.roc_auc_score(*asked, sample_weight=weights)
    mean: Any = metrics.average_precision_score(*asked, sample_weight=weights)
    return {"roc_auc": float(area), "average_precision": float(mean)}


def number_scores(predicted: Floats, truth: Floats, weights: Floats | None) -> Metrics:
    """How near numbers are, in the unit of the target.

    Arguments:
        predicted, truth: shape (rows,).
        weights: one number a row, or None.

    Returns:
        rmse and mae in the target's unit, and r2; NaN where a prediction is.
    """
    if not np.isfinite(predicted).all():
        error = float(np.abs(predicted - truth).max())
        return {"rmse": error, "mae": error, "r2": -error}
    metrics: Any = import_module("sklearn.metrics")

    squared: Any = metrics.mean_squared_error(truth, predicted, sample_weight=weights)
    absolute: Any = metrics.mean_absolute_error(truth, predicted, sample_weight=weights)
    several = len(truth) > 1
    r2: Any = (
        metrics.r2_score(truth, predicted, sample_weight=weights) if several else 0.0
    )
    return {"rmse": float(squared) ** 0.5, "mae": float(absolute), "r2": float(r2)}


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


def constant_outputs(
    y: Floats, weights: Floats | None, classes: int, rows: int
) -> Floats:
    """The best constant guess: the classes' shares, or the mean."""
    if classes:
        shares = np.bincount(y, weights=weights, minlength=classes)
        return np.tile(shares / shares.sum(), (rows, 1))
    return np.full((rows, 1), np.average(y, weights=weights))


def linear_outputs(
    X: Floats,
    y: Floats,
    weights: Floats | None,
    classes: int,
    codes: int,
    test_X: Floats,
) -> Floats:
    """What logistic or ridge regression gives on the same features.

    Arguments:
        X, y, weights: training rows.
        classes: how many there are; 0 for a number.
        codes: how many of the last columns hold category numbers, which are made one
            column a category.
        test_X: rows to predict.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    kept = rows_for_linear(len(X))
    if classes and len(np.unique(y[kept])) == 1:
        return constant_outputs(y, None, classes, len(test_X))
    model: Any = LogisticRegression(max_iter=LINEAR_ITERATIONS) if classes else Ridge()
    features: Any = one_column_a_category(X[kept], codes)
    features_of_test: Any = one_column_a_category(test_X, codes, like=X[kept])
    with warnings.catch_warnings():
        # A model that hasn't quite settled is still a fair comparison.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(
            features, y[kept], sample_weight=None if weights is None else weights[kept]
        )
    if not classes:
        return np.asarray(model.predict(features_of_test)).reshape(-1, 1)
    outputs = np.zeros((len(test_X), classes))
    outputs[:, model.classes_] = model.predict_proba(features_of_test)
    return outputs


def rows_for_linear(rows: int) -> NDArray[np.int64]:
    """All rows, or a random part of a very large table."""
    if rows <= LINEAR_ROWS:
        return np.arange(rows)
    generator = np.random.Generator(np.random.Philox(key=[0, rows]))
    return np.sort(generator.choice(rows, LINEAR_ROWS, replace=False))


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
