"""A column whose rows are alike, as those of a patient are, on both sides of the split.

A group has many values with few rows each; rows of one value are alike in most columns
and in the target, and values next to each other aren't. A category (a city) is alike in
the target at most, a number (an age) is like the numbers next to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.tables.categories import CodeEncoding
from thalweg.tables.declared import way
from thalweg.tables.number_block import number_blocks
from thalweg.tabular.hints.alike import Codes, alike, like_the_next
from thalweg.tabular.hints.leaks import untold
from thalweg.tabular.hints.sample import (
    Floats,
    HintSample,
    RowNumbers,
    most_by_classes,
    positions,
    sample_of,
    unrepeated,
)
from thalweg.words import counted

if TYPE_CHECKING:
    from thalweg.tables.table import Table
    from thalweg.tabular.prepared import Prepared

MANY = 12
"""A column with fewer values is a category."""

ROWS_EACH = 2
"""Rows of a value, on average, without which it's an identifier of rows."""

ALIKE, ALIKE_TARGET = 0.5, 0.3
"""The intraclass correlation from which on rows of a value are alike."""

MOST_COLUMNS, FEWEST_COLUMNS = 0.5, 2
"""The share, and the number, of columns in which they are."""

ON_BOTH_SIDES = 0.5
"""The share of test rows whose value is in training, too."""

FEWEST = 16
"""Rows that mostly tell that a column isn't of whole numbers."""

FIRST_ROWS = 1_000
"""Rows of a long table that tell whether a column may be a group at all."""


@dataclass(frozen=True)
class GroupColumn:
    """A column that looks like a group.

    Args:
        name: the column's.
        values: how many there are.
        rows: how many each has, on average.
        target: the intraclass correlation of the target.
        alike: the number of other columns in which rows of a value are alike.
        others: how many other columns there are.
        shared: the share of test rows whose value is in training, too.
    """

    name: str
    values: int
    rows: float
    target: float
    alike: int
    others: int
    shared: float

    def sentence(self, table: Table, target: str) -> str:
        """What the user should know."""
        return (
            f"rows of one {self.name!r} ({self.values:,} values, {self.rows:.0f} rows "
            f"each) are alike in {target!r} (intraclass correlation {self.target:.2f}) "
            f"and in {self.alike} of {counted(self.others, 'other column')}, and stand "
            f"in training and test ({self.shared:.0%} of test rows): if new ones come, "
            f"{way(table, 'group', self.name)} keeps them together"
        )


def group_hint(table: Table, prepared: Prepared) -> GroupColumn | None:
    """The column that looks like a group, of several the one with the fewest values.

    Args:
        table: the cells, also of columns that are set aside.
        prepared: the features, and which rows are tested on.
    """
    if not len(prepared.split.test):
        return None
    found = [
        group
        for column in _candidates(table, prepared)
        if (group := _judged(table, prepared, column)) is not None
    ]
    return min(found, key=lambda group: group.values, default=None)


# Which columns may be groups ----------------------------------------------------------


@dataclass(frozen=True)
class Valued:
    """A column as the numbers of its values.

    Args:
        name: the column's.
        sample: rows, each once where it's repeated.
        codes: the number of each row's value, in their order.
        quantity: whether the values are numbers.
    """

    name: str
    sample: HintSample
    codes: Codes
    quantity: bool


def _candidates(table: Table, prepared: Prepared) -> Iterator[Valued]:
    """Columns of many values that have several rows each."""
    kinds = ("category", "number", "ignored")
    names = [c.name for c in prepared.schema.columns if c.kind in kinds]
    every = positions(prepared)
    if len(every) > most_by_classes(prepared):
        yield from _in_long(table, prepared, names)
        return
    numbers: set[str] = set()
    sample, kept = _sampled(prepared, np.arange(len(every)))
    rows = every[kept]
    for block in number_blocks(table, names):
        numbers.update(block.names)
        for place, values in _whole_numbers(block.values, rows, sample):
            codes = np.unique(values, return_inverse=True)[1]
            yield Valued(block.names[place], sample, codes, True)
    for name in names:
        cells = table.column(name)
        if name not in numbers and cells.n_unique() >= MANY and not _fractions(cells):
            yield _of_texts(name, sample, cells.gather(rows))


def _sampled(prepared: Prepared, rows: RowNumbers) -> tuple[HintSample, RowNumbers]:
    """Some of the known rows without copies, and which of them these are."""
    sample = sample_of(prepared, rows)
    kept = unrepeated(sample)
    return sample.part(kept), kept


def _whole_numbers(
    values: Floats, rows: RowNumbers, sample: HintSample
) -> Iterator[tuple[int, Floats]]:
    """The columns of whole numbers that say something of the target, by their places.

    Args:
        values: shape (columns, rows of the table).
        rows: those of the sample.
        sample: rows with their targets.
    """
    first = values[:, rows[:FEWEST]]
    able = np.flatnonzero(_whole(first))
    found = values[np.ix_(able, rows)]
    able, found = _rest(able, found, _whole(found))
    ordered = np.sort(found, axis=1)
    steps = ordered[:, 1:] != ordered[:, :-1]  # a difference may be too large
    able, found = _rest(able, found, np.count_nonzero(steps, axis=1) + 1 >= MANY)
    nothing = np.zeros(len(able), np.bool_)
    left, _ = untold(found, sample.ranks, bool(sample.classes), nothing)
    yield from zip(*_rest(able, found, left <= 1 - ALIKE_TARGET / 2), strict=True)


def _whole(values: Floats) -> NDArray[np.bool_]:
    """Which columns hold whole numbers alone, or nothing in a cell."""
    return np.asarray(~(values % 1 > 0).any(axis=1))


def _rest(
    able: RowNumbers, found: Floats, kept: NDArray[np.bool_]
) -> tuple[RowNumbers, Floats]:
    return able[kept], found[kept]


def _of_texts(name: str, sample: HintSample, cells: pl.Series) -> Valued:
    """A column by its texts, or by its numbers if each is one."""
    numbers = cells.cast(pl.Float64, strict=False)
    quantity = numbers.null_count() == cells.null_count()
    found = numbers if quantity else cells
    codes = found.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return Valued(name, sample, codes, quantity)


def _in_long(table: Table, prepared: Prepared, names: list[str]) -> Iterator[Valued]:
    """The same of a long table: all rows of some values, which are drawn."""
    every, most_rows = positions(prepared), most_by_classes(prepared)
    generator = np.random.Generator(np.random.Philox(key=[0, len(every)]))
    drawn = generator.choice(every, min(FIRST_ROWS, len(every)), replace=False)
    for name in names:
        cells = table.column(name)
        first = cells.gather(drawn)
        values = first.unique(maintain_order=True).drop_nulls()
        if len(values) < MANY or _fractions(first):
            continue
        known = cells.gather(every)
        among = known.is_in(values.implode())
        if among.sum() > most_rows:
            most = max(MANY, len(values) * most_rows // int(among.sum()))
            among = known.is_in(values.head(most).implode())
        rows = np.flatnonzero(among.to_numpy())
        if len(rows) > most_rows:
            rows = np.sort(generator.choice(rows, most_rows, replace=False))
        sample, kept = _sampled(prepared, rows)
        yield _of_texts(name, sample, known.gather(rows[kept]))


def _fractions(cells: pl.Series) -> bool:
    """Whether some cells are numbers that aren't whole."""
    numbers = cells.cast(pl.Float64, strict=False).drop_nulls()
    return bool((numbers != numbers.round()).any())


# Whether one is -----------------------------------------------------------------------


def _judged(table: Table, prepared: Prepared, column: Valued) -> GroupColumn | None:
    """A column as a group, if it is one."""
    sample = column.sample
    codes = np.unique(column.codes, return_inverse=True)[1]
    values = int(codes.max()) + 1
    if values < MANY or len(codes) < ROWS_EACH * values:
        return None
    target = alike(sample.outcomes, codes)
    if target.correlation < ALIKE_TARGET or not target.beyond_chance:
        return None
    others = [alike(block, codes) for block in _others(sample, column.name)]
    chosen = [each for each in others if each.correlation >= ALIKE]
    chosen = [each for each in chosen if each.beyond_chance]
    if len(chosen) < max(FEWEST_COLUMNS, MOST_COLUMNS * len(others)):
        return None
    if column.quantity and like_the_next([target, *chosen]):
        return None
    shared, count, rows = _sides(table, prepared, column.name)
    if shared < ON_BOTH_SIDES:
        return None
    return GroupColumn(
        column.name, count, rows, target.correlation, len(chosen), len(others), shared
    )


def _others(sample: HintSample, name: str) -> Iterator[Floats]:
    """The features of each other column, but for codes."""
    for each in sample.features:
        if each.encoding.name != name and not isinstance(each.encoding, CodeEncoding):
            stop = each.start + each.encoding.width
            block = sample.X[:, each.start : stop].astype(float)
            yield block - block.mean(axis=0)


def _sides(table: Table, prepared: Prepared, name: str) -> tuple[float, int, float]:
    """The share of test rows whose value is in training; values, and rows of each."""
    cells = table.column(name)
    known = cells.gather(positions(prepared)).drop_nulls()
    training = cells.gather(prepared.split.training).unique()
    test = cells.gather(prepared.split.test)
    shared = test.is_in(training.implode()).mean()
    values = known.n_unique()
    together = len(known) + len(test) - test.null_count()
    share = shared if isinstance(shared, float) else 0.0
    return share, values, together / max(values, 1)
