"""What a network has to beat on the same rows, with the time that each takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from thalweg.kinds.baseline import Baseline
from thalweg.kinds.constant import constant_guess
from thalweg.kinds.limited import limited
from thalweg.kinds.magnitude import with_mean_one
from thalweg.kinds.row_errors import Outputs
from thalweg.kinds.scores import (
    constant_outputs,
    linear_outputs,
    predictions_of,
    repeated,
    rows_for_linear,
)
from thalweg.report.table_evaluation import EvaluatedRows, tested

MOST_CODES = 255  # more categories than this are taken as numbers by the boosted trees
ROUNDS = 100  # of boosting, scikit-learn's default
MOST_TREES = 1_000  # each class needs a tree in each round
MOST_LOOKS = 1_000_000  # a tree looks at every feature
FEWEST_ROUNDS = 10
SMALL = 4_000_000  # cells that aren't worth a second thread


def baselines(rows: EvaluatedRows, threads: int | None = None) -> list[Baseline]:
    """A constant guess, a linear model and boosted trees, trained one after the other.

    Each gets the training rows, encoded as for the network; the validation rows, by
    which the network's epoch was chosen, aren't used. For more than a hundred classes
    there are no trees.
    """
    models: dict[str, Callable[[EvaluatedRows], Outputs]] = {
        "constant guess": constant,
        "linear model": linear,
    }
    if rounds(rows) >= FEWEST_ROUNDS:
        models["boosted trees"] = boosted_trees
    with limited(1 if rows.prepared.training.X.size < SMALL else threads):
        return [timed(name, model, rows) for name, model in models.items()]


def timed(
    name: str, model: Callable[[EvaluatedRows], Outputs], rows: EvaluatedRows
) -> Baseline:
    """What a model gets wrong, and how long it took."""
    started = time.perf_counter()
    errors = tested(rows.prepared, model(rows))
    return Baseline(name, errors, time.perf_counter() - started)


def constant(rows: EvaluatedRows) -> Outputs:
    """The classes' shares or the mean, whatever a row holds."""
    return repeated(constant_guess(rows.prepared), len(rows.prepared.test.X))


def linear(rows: EvaluatedRows) -> Outputs:
    """Logistic or ridge regression."""
    prepared = rows.prepared
    training, codes = prepared.training, len(prepared.encoder.embedded)
    return linear_outputs(
        training.X, training.y, training.weights, rows.classes, codes, prepared.test.X
    )


def rounds(rows: EvaluatedRows) -> int:
    """How often the boosted trees of a table grow."""
    return rounds_for(rows.classes, len(rows.prepared.encoder.features))


def rounds_for(classes: int, features: int) -> int:
    """Fewer times where each class needs a tree of its own, or features are many.

    >>> rounds_for(0, 8), rounds_for(3, 8), rounds_for(50, 8), rounds_for(0, 50_000)
    (100, 100, 20, 20)
    """
    most = min(MOST_TREES, MOST_LOOKS // features)
    # Of two classes one tree tells both.
    return min(ROUNDS, most // (classes if classes > 2 else 1))


def boosted_trees(rows: EvaluatedRows) -> Outputs:
    """scikit-learn's HistGradientBoosting at its defaults; long tables are cut."""
    ensemble: Any = import_module("sklearn.ensemble")
    training, test = rows.prepared.training, rows.prepared.test
    kept = rows_for_linear(len(training.X))
    y, weights = training.y[kept], training.weights
    options: dict[str, Any] = {
        "random_state": 0,
        "categorical_features": codes(rows),
        "max_iter": rounds(rows),
    }
    if not rows.classes:
        model: Any = ensemble.HistGradientBoostingRegressor(**options)
    elif len(np.unique(y)) == 1:
        return repeated(constant_outputs(y, None, rows.classes), len(test.X))
    else:
        # Its own hold-out needs two rows of each class.
        if np.unique_counts(y).counts.min() < 2:
            options["early_stopping"] = False
        model = ensemble.HistGradientBoostingClassifier(**options)
    counting = None if weights is None else with_mean_one(weights[kept])
    model.fit(training.X[kept], y, sample_weight=counting)
    return predictions_of(model, test.X, rows.classes)


def codes(rows: EvaluatedRows) -> list[bool]:
    """Which features are category numbers."""
    encoder = rows.prepared.encoder
    found = [False] * len(encoder.features)
    for each in encoder.embedded:
        found[each.position] = each.categories <= MOST_CODES
    return found


def about_baselines(rows: EvaluatedRows) -> str:
    """What the other models are, as sentences."""
    return (
        "The other models learned from the same training rows, encoded in the same "
        "way. The constant guess looks at no column; the linear model is "
        f"{'logistic' if rows.classes else 'ridge'} regression; {trees(rows)}."
    )


def trees(rows: EvaluatedRows) -> str:
    """What the boosted trees are."""
    count = rounds(rows)
    if count < FEWEST_ROUNDS:
        return (
            "boosted trees aren't tried with so many classes and features: each class "
            "needs trees of its own, and these look at every feature"
        )
    what = f"the boosted trees are scikit-learn's HistGradientBoosting, {count} rounds"
    return what + (
        " at its defaults" if count == ROUNDS else ", fewer than its default"
    )
