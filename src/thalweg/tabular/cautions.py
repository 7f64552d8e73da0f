"""What scores of a table don't say by themselves: predictions of a count below 0."""

from __future__ import annotations

import numpy as np

from thalweg.kinds.row_errors import Outputs, RowErrors
from thalweg.kinds.targets import ClassTargets, NumberTargets
from thalweg.tables.declared import way
from thalweg.tables.table import Table
from thalweg.tabular.prepared import Prepared
from thalweg.training.progress import figure


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
