"""scikit-learn's `MLPClassifier` and `MLPRegressor`, which keep float32 when given it.

What they can't express: an activation or a rule of one's own. Two classes have one
output there, so the small network has two outputs of 0 and 1 each, which all train
alike. Their Adam adds ε to √v, not to √v̂: a difference below the tolerance.
"""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.contenders.measure import Ready, Ways, clock, timed_calls
from benchmarks.work import Arrays, Run, Start, Work

FEW = 20  # rows, enough to show every class to a model that only predicts


def ways(kind: str, work: Work, options: dict[str, Any]) -> Ways:
    """One way: `fit`, or `predict_proba`."""
    build = predictor if kind == "predict" else trainer
    return {"as it comes": functools.partial(build, work)}


def model_at(work: Work, start: Start, epochs: int) -> Any:
    """A model that will go on from the first parameters."""
    kind: Any = MLPRegressor if work.loss == "squares" else MLPClassifier
    model = kind(
        hidden_layer_sizes=tuple(work.sizes[1:-1]),
        activation=work.network.activation,
        learning_rate_init=start.learning_rate,
        batch_size=work.batch_size,
        max_iter=1,
        alpha=work.alpha,
        shuffle=False,
        warm_start=True,
        tol=0.0,
        n_iter_no_change=epochs + 1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that max_iter was reached, as meant
        model.fit(work.X, targets(work))
    model.coefs_ = [w.copy() for w in start.weights]
    model.intercepts_ = [b.copy() for b in start.biases]
    return model.set_params(max_iter=epochs)


def targets(work: Work) -> np.ndarray:
    """Outputs of 0 and 1 as whole numbers: labels, for scikit-learn."""
    return work.y.astype(np.int64) if work.loss == "binary" else work.y


def trainer(work: Work) -> Ready:
    """A call of `fit` for all epochs; nothing is compiled, so nothing is kept apart."""
    last: list[Any] = []

    def run(epochs: int, number: int) -> Run:
        model, y = model_at(work, work.starts[number], epochs), targets(work)
        last[:] = [model]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            started = clock()
            model.fit(work.X, y)
            seconds = clock() - started
        losses = model.loss_curve_[-epochs:]
        return Run(seconds / epochs, seconds, epochs * work.steps, losses)

    return Ready(run, lambda: parameters_of(last[0]))


def parameters_of(model: Any) -> Arrays:
    """Weights and bias of each layer in turn."""
    pairs = zip(model.coefs_, model.intercepts_, strict=True)
    return [array for pair in pairs for array in pair]


def predictor(work: Work) -> Ready:
    """Calls of `predict_proba`, which checks its input every time."""
    rows = np.resize(work.X[:FEW], (FEW, work.X.shape[1]))
    every_class = np.arange(len(rows)) % work.sizes[-1]
    few = Work(
        rows,
        np.eye(work.sizes[-1])[every_class] if work.loss == "binary" else every_class,
        work.starts,
        work.network,
        work.loss,
        len(rows),
    )
    model = model_at(few, work.starts[0], 1)

    def run(count: int, number: int) -> Run:
        return timed_calls(lambda: model.predict_proba(work.X), count, values)

    return Ready(run)


def values(predictions: np.ndarray) -> list[float]:
    """Some predictions, to be compared."""
    return predictions[:100].ravel().tolist()
