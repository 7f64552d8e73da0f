"""Exact copies of rows, which stay on one side of a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg.tables.splitting.split import LEAST_ROWS

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from thalweg.program.types import NumpyArray
    from thalweg.tables.table import Table

FILLED_SHARE = 0.5
"""From this share of the rows that there could be on, repeating is no wonder."""

FEW_VALUES = 20
"""A single column of so many values repeats, whoever made the table."""


def repeat_by_nature(cells: pl.DataFrame) -> bool:
    """Whether rows repeat because they have few values, as in a truth table.

    They do where at least half of all rows that there could be of the values of each
    column are there, and where a handful differ. A single column has all of its values,
    so that only a few count as such.

    Arguments:
        cells: what a network would see, shape (rows, columns).

    Example:
        >>> import polars as pl
        >>> repeat_by_nature(pl.DataFrame({"a": [0, 0, 1, 1, 0], "b": [0, 1, 0, 1, 0]}))
        True
        >>> repeat_by_nature(pl.DataFrame({"a": range(99), "b": range(7, 106)}))
        False
    """
    different = cells.n_unique()
    if different < LEAST_ROWS or cells.width == 1:
        return different <= FEW_VALUES
    possible = 1
    for column in cells.get_columns():
        possible *= column.n_unique()
        if different < FILLED_SHARE * possible:
            return False
    return True


def numbered_copies(
    table: Table, columns: Sequence[str], rows: NumpyArray
) -> NumpyArray | None:
    """A number for each of some rows, the same for exact copies; None without any.

    Arguments:
        table: the cells.
        columns: the names of those that a copy shares.
        rows: positions of the rows.

    Returns:
        Shape (rows,), from 0 on without a gap.

    Example:
        >>> import polars as pl
        >>> from thalweg.tables.table import Table
        >>> table = Table.of("t", pl.DataFrame({"x": [5, 7, 5], "y": [0, 0, 0]}))
        >>> numbered_copies(table, ["x", "y"], np.arange(3)).tolist()
        [0, 1, 0]
    """
    every = len(columns) == len(table.columns)
    cells = table.frame if every else table.select(columns)
    cells = cells if len(rows) == table.rows else cells[rows]
    hashes = cells.hash_rows()
    if hashes.n_unique() == len(hashes):
        return None
    _, first, numbers = np.unique(
        hashes.to_numpy(), return_index=True, return_inverse=True
    )
    # Hashes may be the same by chance: what isn't equal is a row of its own.
    repeating = np.flatnonzero(first[numbers] != np.arange(len(numbers)))
    equal = _equal(cells[repeating], cells[first[numbers[repeating]]])
    numbers[repeating[~equal]] = len(first) + np.arange((~equal).sum())
    return np.unique(numbers, return_inverse=True)[1] if equal.any() else None


def _equal(ones: pl.DataFrame, others: pl.DataFrame) -> NDArray[np.bool_]:
    """Which rows of two tables are the same in every cell."""
    equal = np.ones(ones.height, np.bool_)
    if not ones.equals(others):  # which takes a wide table no time
        for one, other in zip(ones.get_columns(), others.get_columns(), strict=True):
            equal &= one.eq_missing(other).to_numpy()
    return equal
