"""What a network of sequences has to beat: a guess, the nearest one, random kernels.

Both of the last get sequences of one length, which those of another are brought to by
straight lines between their times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.baseline import Baseline
from thalweg.kinds.constant import class_count, constant_guess
from thalweg.kinds.limited import limited
from thalweg.kinds.row_errors import Outputs, errors_of
from thalweg.kinds.scores import repeated
from thalweg.sequences.prepare import PreparedSequences
from thalweg.words import counted

Floats = NDArray[np.float64]
MOST_TIMES, FEWEST_TIMES = 128, 9
KERNELS, KERNEL_LENGTH = 500, 9
MOST_LEARNED = 5_000
"""Sequences that the baselines learn from, at most."""

PENALTIES = np.logspace(-3, 3, 10)
AT_ONCE = 64


def baselines(parts: PreparedSequences) -> list[Baseline]:
    """A guess, the nearest sequence, and random convolution kernels, in turn."""
    times = common_length(parts)
    X = resampled(parts.training.X[:MOST_LEARNED], times)
    y = parts.training.y[:MOST_LEARNED]
    test = resampled(parts.test.X, times)
    some = len(parts.training.X) > MOST_LEARNED
    note = f"learned from {counted(MOST_LEARNED, 'sequence')} only" if some else ""
    models: dict[str, Callable[[], Outputs]] = {
        "constant guess": lambda: repeated(constant_guess(parts), len(test)),
        "nearest sequence": lambda: nearest(X, y, test, class_count(parts)),
        "random kernels": lambda: random_kernels(X, y, test, class_count(parts)),
    }
    found: list[Baseline] = []
    for name, model in models.items():
        started = time.perf_counter()
        known = parts.test.truth, None, parts.deciding.positive
        with limited(1):
            errors = errors_of(parts.targets, model(), *known)
        seconds = time.perf_counter() - started
        found.append(Baseline(name, errors, seconds, note))
    return found


def common_length(parts: PreparedSequences) -> int:
    """The median length of training sequences, within bounds."""
    middle = int(np.median([len(each) for each in parts.training.X]))
    return min(max(middle, FEWEST_TIMES), MOST_TIMES)


def resampled(sequences: Any, times: int) -> Floats:
    """Sequences brought to one length, shape (sequences, times, numbers).

    >>> resampled([np.array([[0.0], [2.0]])], 3)[0, :, 0].tolist()
    [0.0, 1.0, 2.0]
    """
    found: list[Floats] = []
    for each in sequences:
        at, places = np.linspace(0, len(each) - 1, times), np.arange(len(each))
        columns: list[Floats] = [np.interp(at, places, column) for column in each.T]
        found.append(np.stack(columns, axis=1))
    return np.stack(found)


def nearest(X: Floats, y: NDArray[Any], test: Floats, classes: int) -> Outputs:
    """The target of the training sequence whose numbers differ least (Euclidean)."""
    neighbors: Any = import_module("sklearn.neighbors")
    search = neighbors.NearestNeighbors(n_neighbors=1, algorithm="brute")
    flat = X.reshape(len(X), -1), test.reshape(len(test), -1)
    places = search.fit(flat[0]).kneighbors(flat[1], return_distance=False)[:, 0]
    return certain(y[places], classes)


def random_kernels(X: Floats, y: NDArray[Any], test: Floats, classes: int) -> Outputs:
    """Ridge regression on what random convolutions give.

    Of each kernel the largest value, and the share of those above 0.

    Source: Dempster, Petitjean and Webb, "ROCKET", 2020.
    """
    linear: Any = import_module("sklearn.linear_model")
    pipeline: Any = import_module("sklearn.pipeline")
    scaling: Any = import_module("sklearn.preprocessing")
    kernels = random_numbers(X.shape)
    known, asked = features(X, kernels), features(test, kernels)
    kind = linear.RidgeClassifierCV if classes else linear.RidgeCV
    model = pipeline.make_pipeline(scaling.StandardScaler(), kind(alphas=PENALTIES))
    return certain(model.fit(known, y).predict(asked), classes)


def random_numbers(shape: tuple[int, ...]) -> list[tuple[int, Floats, Floats]]:
    """For each dilation that fits, kernels of mean 0 and what is added to each."""
    random = np.random.Generator(np.random.Philox(key=[0, 2**32]))
    most = (shape[1] - 1) // (KERNEL_LENGTH - 1)
    dilations = [2**k for k in range(max(most.bit_length(), 1)) if 2**k <= max(most, 1)]
    each = KERNELS // len(dilations)
    found: list[tuple[int, Floats, Floats]] = []
    for dilation in dilations:
        weights = random.normal(size=(KERNEL_LENGTH, shape[2], each))
        weights -= weights.mean(axis=0)
        weights /= np.sqrt(KERNEL_LENGTH * shape[2])
        found.append((dilation, weights, random.uniform(-1, 1, each)))
    return found


def features(X: Floats, kernels: list[tuple[int, Floats, Floats]]) -> Floats:
    """The largest value of each kernel, and the share of values above 0."""
    found: list[Floats] = []
    for dilation, weights, bias in kernels:
        parts: list[Floats] = []
        for start in range(0, len(X), AT_ONCE):
            part = X[start : start + AT_ONCE]
            places = part.shape[1] - (KERNEL_LENGTH - 1) * dilation
            given = sum(
                part[:, k * dilation : k * dilation + places] @ weights[k]
                for k in range(KERNEL_LENGTH)
            )
            values = given + bias
            share = (values > 0).mean(axis=1)
            parts.append(np.concatenate([values.max(axis=1), share], axis=1))
        found.append(np.concatenate(parts))
    return np.concatenate(found, axis=1)


def certain(learned: NDArray[Any], classes: int) -> Outputs:
    """Class numbers as probabilities of 0 and 1; numbers as they are."""
    if classes:
        return iter([np.eye(classes)[learned.astype(np.int64)]])
    return iter([learned.reshape(-1, 1)])
