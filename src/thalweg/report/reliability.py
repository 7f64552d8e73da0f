"""Whether predictions mean what they say: groups of test rows, promised and seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.kinds.bootstrap import (
    NORMAL,
    Interval,
    effective,
    wilson,
)
from thalweg.kinds.magnitude import root_mean_square, weighted_mean
from thalweg.kinds.row_errors import Floats, NumberErrors

BINS = 10
ROWS_A_GROUP = 5  # at least, where numbers are grouped


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows with predictions near each other.

    Arguments:
        low, high: the predictions' range.
        promised: the mean prediction.
        seen: the share of rows of which it came true, or the mean of the true numbers.
        rows: how many.
        interval: where the share or mean probably lies.
    """

    low: float
    high: float
    promised: float
    seen: float
    rows: int
    interval: Interval


def probability_groups(
    probabilities: NDArray[Any], came_true: NDArray[Any], weights: Floats
) -> list[ReliabilityBin]:
    """Ten equal ranges of probabilities; those without a row are left out.

    Arguments:
        probabilities, came_true: shape (rows,).
        weights: shape (rows,).
    """
    places = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    found: list[ReliabilityBin] = []
    for place in range(BINS):
        chosen = (places == place) & (weights > 0)
        if chosen.any():
            own = weights[chosen]
            promised = float(np.average(probabilities[chosen], weights=own))
            seen = float(np.average(came_true[chosen], weights=own))
            found.append(
                ReliabilityBin(
                    place / BINS,
                    (place + 1) / BINS,
                    promised,
                    seen,
                    int(chosen.sum()),
                    wilson(seen, effective(own)),
                )
            )
    return found


def number_groups(errors: NumberErrors) -> list[ReliabilityBin]:
    """Ten groups of about as many rows each, by prediction."""
    order = np.argsort(errors.predicted, kind="stable")
    order = order[errors.weights[order] > 0]
    count = min(BINS, max(1, len(order) // ROWS_A_GROUP))
    found: list[ReliabilityBin] = []
    for rows in np.array_split(order, count):
        own, said, true = (
            errors.weights[rows],
            errors.predicted[rows],
            errors.truth[rows],
        )
        with np.errstate(all="ignore"):  # a prediction may be infinite
            promised = float(weighted_mean(said, own))
            mean = weighted_mean(true, own)
            deviation = np.ldexp(*root_mean_square(true - mean, own))
            margin = NORMAL * deviation / effective(own) ** 0.5
            ends = Interval(float(mean - margin), float(mean + margin))
        found.append(
            ReliabilityBin(
                float(said.min()),
                float(said.max()),
                promised,
                float(mean),
                len(rows),
                ends,
            )
        )
    return found


def calibration_error(groups: list[ReliabilityBin]) -> float:
    """The mean distance of what was seen from what was promised, over the rows.

    The expected calibration error of Naeini, Cooper and Hauskrecht (2015).
    """
    rows = sum(group.rows for group in groups)
    return sum(abs(g.seen - g.promised) * g.rows for g in groups) / rows
