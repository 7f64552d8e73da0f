"""What scores don't say by themselves: how sure they are where few rows were tested."""

from __future__ import annotations

from thalweg.kinds.bootstrap import (
    CONFIDENCE,
    Interval,
    effective,
    interval,
    resampled,
    wilson,
)
from thalweg.kinds.deciding import Deciding
from thalweg.kinds.parts import Parts
from thalweg.kinds.row_errors import RowErrors
from thalweg.training.progress import figure
from thalweg.words import counted

FEW_ROWS = 30


def few_rows(prepared: Parts, errors: RowErrors) -> tuple[str, ...]:
    """How little a test of few rows says, in a sentence; nothing where it's of many.

    Arguments:
        prepared: the test rows.
        errors: what the network got wrong of them.
    """
    deciding, rows = prepared.deciding, len(errors.truth)
    if rows >= FEW_ROWS:
        return ()
    value = errors.every_metric[deciding.metric]
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
    share = errors.every_metric["accuracy"]
    return wilson(share, effective(errors.weights))
