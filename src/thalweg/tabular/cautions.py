"""What scores don't say by themselves: few rows were tested, counts are below 0."""

from __future__ import annotations

import numpy as np

from thalweg.tables.declared import way
from thalweg.tables.table import Table
from thalweg.tabular.bootstrap import (
    CONFIDENCE,
    Interval,
    effective,
    interval,
    resampled,
    wilson,
)
from thalweg.tabular.deciding import Deciding
from thalweg.tabular.parts import Parts
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.row_errors import Outputs, RowErrors
from thalweg.tabular.targets import ClassTargets, NumberTargets
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


def below_zero(
    table: Table, prepared: Prepared, validated: Outputs, tested: RowErrors
) -> tuple[str, ...]:
    """A sentence on predictions of a count that are below 0; mostly nothing.

    Arguments:
        table: whose options are named.
        prepared: the target.
        validated: what the network gives for validation rows, in parts.
        tested: what it got wrong of test rows.
    """
    if not counts(table, prepared):
        return ()
    assert isinstance(prepared.targets, NumberTargets)
    learned = np.concatenate([*validated])[:, 0]
    predicted = np.append(prepared.targets.decode(learned), tested.predicted)
    share = float((predicted < 0).mean())
    if not share:
        return ()
    lowest = figure(float(predicted.min()))
    return (
        f"{prepared.targets.name!r} is whole numbers, 0 or more, but "
        f"{100 * share:.2g}% of predictions are below 0, the lowest {lowest}: "
        f"{way(table, 'loss', 'poisson')} gives none",
    )


def counts(table: Table, prepared: Prepared) -> bool:
    """Whether the target is whole numbers from 0 up, and not only 0 and 1."""
    targets, parts = prepared.targets, prepared.split
    if isinstance(targets, ClassTargets) or targets.log:
        return False
    rows = np.concatenate([parts.training, parts.validation, parts.test])
    values = targets.truth(table, rows)
    return bool(values.min() >= 0 and values.max() > 1 and (values % 1 == 0).all())


def interval_of(errors: RowErrors, deciding: Deciding) -> Interval:
    """Where the deciding metric probably lies, from few rows.

    That of Wilson (1927) for accuracy, which no other interval of so few rows keeps as
    well; for others the bootstrap.
    """
    if deciding.metric != "accuracy":
        return interval(resampled(errors)[deciding.metric])
    share = errors.every_metric["accuracy"]
    return wilson(share, effective(errors.weights))
