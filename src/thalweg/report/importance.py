"""Which columns a network goes by: each is shuffled, and the error looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.magnitude import root_mean_square, weighted_mean
from thalweg.report.sensitivity import sensitivities
from thalweg.report.table_evaluation import EvaluatedRows, TableEvaluation, tested
from thalweg.tables.encode import Encoder

REPEATS = 5
MOST_SHUFFLED = 200  # columns: each costs predictions, and these the more, the wider
MOST_CELLS = 200_000  # rows times columns: wide tables are shuffled on fewer rows
FEWEST_ROWS, MOST_ROWS = 500, 5_000


@dataclass(frozen=True)
class Importance:
    """How much worse predictions get when a column is shuffled.

    Arguments:
        column: its name.
        rise: of the error, the mean over the repeats.
        deviation: over the repeats.
    """

    column: str
    rise: float
    deviation: float


def importances(evaluation: TableEvaluation, rows: EvaluatedRows) -> list[Importance]:
    """The columns of a table by the rise in error that shuffling each brings.

    Permutation importance (Breiman, 2001), on test rows: all features that a column
    became are shuffled together, so that it's the table's column that counts. The error
    is the log loss of classes and the root mean squared error of a number. Of a wide
    table, those columns are shuffled with which the outputs move most.
    """
    encoder = rows.prepared.encoder
    part = some_of(rows, len(encoder.encodings))
    X = part.prepared.test.X.copy()
    before = error(evaluation, part, X)
    places = [*slices(encoder)]
    found: list[Importance] = []
    for number in most_moving(evaluation, encoder, X):
        name, features = places[number]
        kept = X[:, features].copy()
        generator = np.random.Generator(np.random.Philox(key=[0, number]))
        rises: list[float] = []
        for _ in range(REPEATS):
            X[:, features] = kept[generator.permutation(len(X))]
            rises.append(error(evaluation, part, X) - before)
        X[:, features] = kept
        found.append(Importance(name, *mean_and_deviation(np.array(rises))))
    return sorted(found, key=lambda each: -each.rise)


def most_moving(
    evaluation: TableEvaluation, encoder: Encoder, X: NDArray[np.float32]
) -> list[int]:
    """Which columns are worth shuffling, by their numbers: all, if they aren't many."""
    if len(encoder.encodings) <= MOST_SHUFFLED:
        return [*range(len(encoder.encodings))]
    moving = sensitivities(evaluation.model.network, encoder, X)
    return np.sort(np.argsort(-moving, kind="stable")[:MOST_SHUFFLED]).tolist()


def mean_and_deviation(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of numbers of any size; NaN where some are infinite.

    >>> mean_and_deviation(np.array([1e308, 0.5e308, 1.5e308]))[0]
    1e+308
    """
    each = np.ones(len(values))
    with np.errstate(all="ignore"):
        mean = weighted_mean(values, each)
        deviation = np.ldexp(*root_mean_square(values - mean, each))
    return float(mean), float(deviation)


def slices(encoder: Encoder) -> Iterator[tuple[str, slice]]:
    """Each column, and where its features stand."""
    start = 0
    for encoding in encoder.encodings:
        stop = start + len(encoding.features)
        yield encoding.name, slice(start, stop)
        start = stop


def error(
    evaluation: TableEvaluation, rows: EvaluatedRows, X: NDArray[np.float32]
) -> float:
    """The error on rows of which the network sees something else."""
    outputs = evaluation.model.outputs(X, evaluation.execution)
    metrics = tested(rows.prepared, outputs).every_metric
    return metrics["log_loss" if rows.classes else "rmse"]


def rows_shuffled(rows: int, columns: int) -> int:
    """On how many of the test rows."""
    wanted = min(max(MOST_CELLS // columns, FEWEST_ROWS), MOST_ROWS)
    return min(rows, wanted)


def some_of(rows: EvaluatedRows, columns: int) -> EvaluatedRows:
    """The same with fewer test rows, if there are many."""
    test = rows.prepared.test
    count = rows_shuffled(len(test.X), columns)
    generator = np.random.Generator(np.random.Philox(key=[0, count]))
    kept = np.sort(generator.choice(len(test.X), count, replace=False))
    return replace(rows, prepared=replace(rows.prepared, test=test.at(kept)))
