"""What scores don't say by themselves: that few rows were tested."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thalweg.data.bootstrap import (
    CONFIDENCE,
    Interval,
    RowErrors,
    effective,
    errors_of,
    interval,
    resampled,
    wilson,
)
from thalweg.data.deciding import Deciding
from thalweg.data.prepare import Prepared
from thalweg.data.words import counted
from thalweg.training.progress import figure

FEW_ROWS = 30


def few_rows(prepared: Prepared, outputs: NDArray[Any]) -> tuple[str, ...]:
    """How little a test of few rows says, in a sentence; nothing where it's of many.

    Arguments:
        prepared: the test rows.
        outputs: what the network gives for them.
    """
    test, deciding = prepared.test, prepared.deciding
    rows = len(test.X)
    if rows >= FEW_ROWS:
        return ()
    known = test.y, test.weights, deciding.positive
    errors = errors_of(prepared.targets, outputs, *known)
    value = errors.metrics(np.arange(rows))[deciding.metric]
    found = interval_of(errors, deciding)
    said = (
        f"with a {CONFIDENCE:.0%} interval from {figure(found.low)} to "
        f"{figure(found.high)}"
        if found.low < found.high
        else "too few for an interval"
    )
    return (
        f"the test has only {counted(rows, 'row')}, which say little: "
        f"{deciding.name} {figure(value)}, {said}",
    )


def interval_of(errors: RowErrors, deciding: Deciding) -> Interval:
    """Where the deciding metric probably lies, from few rows.

    That of Wilson (1927) for accuracy, which no other interval of so few rows keeps as
    well; for others the bootstrap.
    """
    if deciding.metric != "accuracy":
        return interval(resampled(errors)[deciding.metric])
    share = errors.metrics(np.arange(len(errors.truth)))["accuracy"]
    return wilson(share, effective(errors.weights))
