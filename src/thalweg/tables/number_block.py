"""Columns of plain numbers, all at once.

What polars and NumPy do for a column costs more than its cells, if it has few. So the
columns in which every cell is a finite number or missing, as most are in a wide table,
are read together; any other is left to the ways that look at each by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.tables.table import Table, one_below_another

Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

CELLS = 2**21
"""Read at once, at most."""


@dataclass(frozen=True)
class NumberBlock:
    """Some columns of a table, each of plain numbers alone.

    Arguments:
        names: of the columns.
        values: shape (columns, rows), NaN where a cell is missing.
        missing: how many cells of each are missing, shape (columns,).
        texts: which columns are text in the table, shape (columns,).
    """

    names: tuple[str, ...]
    values: Floats
    missing: NDArray[np.int64]
    texts: Mask

    def part(self, names: Sequence[str]) -> NumberBlock:
        """Those of the columns that are among some."""
        if tuple(names) == self.names:
            return self
        wanted = {*names}
        chosen = [place for place, name in enumerate(self.names) if name in wanted]
        return NumberBlock(
            tuple(self.names[place] for place in chosen),
            self.values[chosen],
            self.missing[chosen],
            self.texts[chosen],
        )


def number_blocks(table: Table, names: Sequence[str]) -> Iterator[NumberBlock]:
    """The columns among these that hold plain numbers alone, in their order.

    Arguments:
        table: the cells.
        names: of columns of any type.

    Example:
        >>> cells = {"a": ["1", "2.5"], "b": ["x", "1"], "c": [7, None]}
        >>> table = Table.of("t", pl.DataFrame(cells))
        >>> for block in number_blocks(table, table.columns):
        ...     print(block.names, block.values.tolist())
        ('a', 'c') [[1.0, 2.5], [7.0, nan]]
    """
    if table.rows * len(table.columns) <= CELLS:
        # Asked for more than once: understood, learned from, encoded.
        every = table.kept.get(NumberBlock) or block_of(table, table.columns)
        table.kept[NumberBlock] = every
        yield every.part(names)
        return
    able = [name for name in names if _may_be_numbers(table.column(name).dtype)]
    together = max(1, CELLS // max(1, table.rows))
    for start in range(0, len(able), together):
        yield block_of(table, able[start : start + together])


def _may_be_numbers(dtype: pl.DataType) -> bool:
    return dtype == pl.String or dtype.is_numeric()


def block_of(table: Table, names: Sequence[str]) -> NumberBlock:
    """The columns among these that hold plain numbers alone, all at once."""
    able = [name for name in names if _may_be_numbers(table.column(name).dtype)]
    if not able:
        nothing = np.zeros(0, np.int64)
        return NumberBlock((), np.zeros((0, table.rows)), nothing, nothing == 0)
    names, columns = able, [table.column(name) for name in able]
    texts = np.array([column.dtype == pl.String for column in columns])
    # Texts are read at once: polars asks more for a column than for its few cells.
    joined = [one_below_another(columns)] if texts.all() else columns
    cast = [each.cast(pl.Float64, strict=False) for each in joined]
    numbers = one_below_another(cast)
    shape = len(names), table.rows
    before = np.array([column.null_count() for column in columns])
    after = numbers.is_null().to_numpy().reshape(shape).sum(axis=1)
    values = numbers.to_numpy().reshape(shape)
    missing = np.isnan(values).sum(axis=1)
    plain = (before == after) & (after == missing) & ~np.isinf(values).any(axis=1)
    chosen = np.flatnonzero(plain)
    return NumberBlock(
        tuple(names[place] for place in chosen),
        values if plain.all() else values[chosen],
        missing[chosen],
        texts[chosen],
    )


def have_zeros_in_front(table: Table, names: Sequence[str]) -> Mask:
    """Which columns of text hold digits that start with a zero, shape (columns,).

    Arguments:
        table: the cells.
        names: of columns of text.
    """
    if not names:
        return np.zeros(0, np.bool_)
    texts = one_below_another([table.column(name) for name in names])
    found = texts.str.contains("^0[0-9]").fill_null(False).to_numpy()
    return np.asarray(found.reshape(len(names), table.rows).any(axis=1))
