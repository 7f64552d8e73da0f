"""Hints: what in a table may make a test score say more than new rows will."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thalweg.tables.splitting.splitters import ByGroup
from thalweg.tabular.hints.group_columns import group_hint
from thalweg.tabular.hints.leaks import leaks
from thalweg.tabular.hints.order import order_hint, times
from thalweg.tabular.hints.sample import LEAST_ROWS, sampled

if TYPE_CHECKING:
    from thalweg.tables.table import Table
    from thalweg.tabular.prepared import Prepared


def hints(table: Table, prepared: Prepared) -> list[str]:
    """What may make the test too easy: a sentence each, with the option that helps.

    Looked for are columns that give the target away, a column whose rows are alike and
    stand on both sides of the split, and an order of rows that carries the target.
    Test rows are asked for their groups, never for their targets.

    Args:
        table: the cells.
        prepared: what was made of them.

    >>> import polars as pl
    >>> from thalweg.tabular.prepare import prepare
    >>> from thalweg.tables.table import Table
    >>> euros = [float(n * n % 101) for n in range(100)]
    >>> frame = pl.DataFrame({"price": [1.1 * x + 3 for x in euros], "euros": euros})
    >>> table = Table.of("t", frame)
    >>> prepared = prepare(table, "price")
    >>> print(hints(table, prepared)[0])
    'euros' repeats 'price' (R² 1.0000 on ...): ... --ignore euros
    """
    if len(prepared.training.X) + len(prepared.validation.X) < LEAST_ROWS:
        return []
    target = prepared.targets.name
    group = group_hint(table, prepared)
    found = leaks(sampled(prepared), target, () if group is None else (group.name,))
    told = [c for c in prepared.schema.columns for leak in found if leak.tells(c.name)]
    in_order = {*times(table, prepared, told)}  # what goes up with the rows is a time
    found = [leak for leak in found if not any(map(leak.tells, in_order))]
    sentences = [leak.sentence(table, target) for leak in found]
    if group is not None:
        return [*sentences, group.sentence(table, target)]
    if isinstance(prepared.splitter, ByGroup):  # its rows may follow each other
        return sentences
    leaking = {name for leak in found for name in leak.names}
    order = order_hint(table, prepared, leaking)
    return sentences if order is None else [*sentences, order]
