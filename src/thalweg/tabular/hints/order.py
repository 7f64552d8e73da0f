"""Rows whose order carries the target.

Drawn at random, a test row stands between training rows, whose targets are near its own
where rows are in the order of time. A split by order has no such neighbors. How much
that is worth is the correlation of each row with the one before: of the target, and of
what a linear model of the columns leaves of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.tables.declared import way
from thalweg.tabular.hints.sample import Floats, Sample, in_order, positions

if TYPE_CHECKING:
    from thalweg.tables.schema import Column
    from thalweg.tables.table import Table
    from thalweg.tabular.prepared import Prepared

NEAR = {"number": 0.6, "classes": 0.5}
"""The correlation from which on the row before is said to tell a row."""

UNLIKELY = 4.5
"""Standard deviations of that correlation, were the rows shuffled."""

SORTED = 0.95
"""The share of steps up, or down, from which on a column is said to be sorted."""

LEFT = 0.01
"""A linear model that leaves less than this leaves nothing to the order."""

MOST_FEATURES = 30
TIMES = ("date", "number", "ignored")
"""Kinds of columns that may say when a row came."""


def order_hint(table: Table, prepared: Prepared, leaking: set[str]) -> str | None:
    """What the user should know of the order, if it carries the target.

    Args:
        table: the cells.
        prepared: which rows are tested on.
        leaking: columns that tell the target, which are left out.
    """
    sample, follows = in_order(prepared)
    if not _in_between(prepared) or np.ptp(sample.y) == 0:
        return None
    target = prepared.targets.name
    alike = _correlation(sample.outcomes, follows)
    near = NEAR[prepared.task.kind]
    if alike * len(sample.y) ** 0.5 < UNLIKELY or alike < near:
        return None
    columns = [c for c in prepared.schema.columns if c.name not in leaking]
    column = next(times(table, prepared, columns), None)
    if not sample.classes and column is None and _sorted(sample.y):
        return (
            f"rows are sorted by {target!r}: drawn at random, as they are, they are "
            "tested rightly; --time would test on one end of it alone"
        )
    if sample.classes and _blocks(sample):
        return None
    left = _left(sample.without(leaking), sample.outcomes)
    beyond = _correlation(left, follows)
    if (left**2).sum() < LEFT * (sample.outcomes**2).sum() or beyond < near:
        return None
    return (
        f"{target!r} in a row is near that in the row before (correlation {alike:.2f}, "
        f"{beyond:.2f} in what a linear model leaves): if new rows come later, "
        f"{way(table, 'time', column or 'COLUMN')} tests on the last ones"
    )


def _in_between(prepared: Prepared) -> bool:
    """Whether most test rows have a training row behind them."""
    parts = prepared.split
    between = np.count_nonzero(parts.test < parts.training.max())
    return bool(2 * between > len(parts.test))


def _correlation(values: Floats, follows: NDArray[np.bool_]) -> float:
    """The correlation of rows with the ones before, of columns with mean 0."""
    products = (values[1:] * values[:-1]).sum(axis=1)[follows[1:]]
    squares = (values**2).sum(axis=1)
    return float(products.mean() / squares.mean()) if len(products) else 0.0


def _sorted(values: NDArray[Any], share: float = SORTED) -> bool:
    """Whether such a share of the steps goes up, or goes down."""
    before, after = values[:-1], values[1:]
    up, changes = np.count_nonzero(after > before), np.count_nonzero(after != before)
    return bool(changes > 0 and max(up, changes - up) >= share * changes)


def _blocks(sample: Sample) -> bool:
    """Whether the rows are sorted by class: each stands in one block, or nearly."""
    changes = np.count_nonzero(np.diff(sample.y))
    return bool(changes < 2 * sample.classes)


def _left(X: NDArray[np.float32], outcomes: Floats) -> Floats:
    """What a linear model leaves, of the features most like the target."""
    if not X.shape[1]:
        return outcomes
    from sklearn.linear_model import Ridge

    like = np.abs(X.T @ outcomes).max(axis=1)
    like /= np.maximum(X.std(axis=0), 1e-6)
    most = min(MOST_FEATURES, max(1, len(X) // 10))
    chosen = X[:, np.argsort(-like, kind="stable")[:most]]
    model: Any = Ridge()
    model.fit(chosen, outcomes)
    return outcomes - np.asarray(model.predict(chosen)).reshape(outcomes.shape)


def times(table: Table, prepared: Prepared, columns: Sequence[Column]) -> Iterator[str]:
    """Columns that never fall, or never rise, from row to row: dates come first.

    Args:
        table: the cells.
        prepared: which rows are known.
        columns: those to look at.
    """
    rows = np.sort(positions(prepared))
    for column in sorted(columns, key=lambda each: each.kind != "date"):
        if column.kind not in TIMES:
            continue
        cells = table.column(column.name).gather(rows)
        if column.kind != "ignored":
            cells = column.form.understood(cells)
        physical = cells.to_physical().cast(pl.Float64, strict=False)
        if not physical.null_count() and _sorted(physical.to_numpy(), 1.0):
            yield column.name
