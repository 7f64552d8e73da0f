"""A column whose rows are alike, as those of a patient are, on both sides of the split.

A group has many values with few rows each; rows of one value are alike in most columns
and in the target, and values next to each other aren't. A category (a city) is alike in
the target at most, a number (an age) is like the numbers next to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import compress
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.data.categories import CodeEncoding
from thalweg.data.hints.leaks import untold
from thalweg.data.hints.sample import (
    MOST_ROWS,
    Feature,
    Floats,
    Rows,
    Sample,
    features_of,
    positions,
    sample_of,
    unrepeated,
)
from thalweg.data.number_block import number_blocks
from thalweg.data.words import counted

if TYPE_CHECKING:
    from thalweg.data.prepare import Prepared
    from thalweg.data.table import Table

Codes: TypeAlias = NDArray[np.int64]

MANY = 12
"""A column with fewer values is a category."""

ROWS_EACH = 2
"""Rows of a value, on average, without which it's an identifier of rows."""

ALIKE, ALIKE_TARGET = 0.5, 0.3
"""The intraclass correlation from which on rows of a value are alike."""

MOST_COLUMNS, FEWEST_COLUMNS = 0.5, 2
"""The share, and the number, of columns in which they are."""

LIKE_THE_NEXT = 0.5
"""The correlation of values next to each other from which on they are quantities."""

UNLIKELY = 1e-6
"""The chance, were the rows shuffled, below which they aren't alike by chance."""

ON_BOTH_SIDES = 0.5
"""The share of test rows whose value is in training, too."""

FIRST_ROWS = 1_000
"""Rows of a long table that tell whether a column may be a group at all."""


@dataclass(frozen=True)
class Group:
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

    def sentence(self, target: str) -> str:
        """What a person should know."""
        return (
            f"rows of one {self.name!r} ({self.values:,} values, {self.rows:.0f} rows "
            f"each) are alike in {target!r} (intraclass correlation {self.target:.2f}) "
            f"and in {self.alike} of {counted(self.others, 'other column')}, and stand "
            f"in training and test ({self.shared:.0%} of test rows): if new ones come, "
            f"--group {self.name} keeps them together"
        )


def group_hint(table: Table, prepared: Prepared) -> Group | None:
    """The column that looks like a group, of several the one with the fewest values.

    Args:
        table: the cells, also of columns that are set aside.
        prepared: the features, and which rows are tested on.
    """
    if not len(prepared.split.test):
        return None
    features = features_of(prepared)
    found = [
        group
        for column in _candidates(table, prepared)
        if (group := _judged(table, prepared, features, column)) is not None
    ]
    return min(found, key=lambda group: group.values, default=None)


# Which columns may be groups ----------------------------------------------------------


@dataclass(frozen=True)
class Valued:
    """A column as the numbers of its values.

    Args:
        name: the column's.
        rows: which of the known rows, counted through training and validation.
        codes: the number of each row's value, in their order.
        quantity: whether the values are numbers.
    """

    name: str
    rows: Rows
    codes: Codes
    quantity: bool


def _candidates(table: Table, prepared: Prepared) -> Iterator[Valued]:
    """Columns of many values that have several rows each."""
    kinds = ("category", "number", "ignored")
    names = [c.name for c in prepared.schema.columns if c.kind in kinds]
    every = positions(prepared)
    if len(every) > MOST_ROWS:
        yield from _in_long(table, names, every)
        return
    numbers: set[str] = set()
    y = sample_of(prepared, np.arange(len(every)), features_of(prepared)).ranks
    for block in number_blocks(table, names):
        numbers.update(block.names)
        values = block.values[:, every]
        for place in _numbered(values, y, prepared.task.kind == "classes"):
            codes = np.unique(values[place], return_inverse=True)[1]
            name = block.names[int(place)]
            yield Valued(name, np.arange(len(every)), codes, True)
    for name in names:
        cells = table.column(name)
        if name not in numbers and cells.n_unique() >= MANY:
            yield _of_texts(name, np.arange(len(every)), cells.gather(every))


def _numbered(values: Floats, y: Floats, classes: bool) -> Rows:
    """Places of the columns of whole numbers that say something of the target."""
    wholes = (values == np.round(values)) | np.isnan(values)
    whole = np.flatnonzero(wholes.all(axis=1))
    order = np.sort(values[whole], axis=1)
    many = whole[(np.diff(order, axis=1) != 0).sum(axis=1) + 1 >= MANY]
    left, _ = untold(values[many], y, classes, np.zeros(len(many), np.bool_))
    return many[left <= 1 - ALIKE_TARGET / 2]


def _of_texts(name: str, rows: Rows, cells: pl.Series) -> Valued:
    """A column by its texts, or by its numbers if each is one."""
    numbers = cells.cast(pl.Float64, strict=False)
    quantity = numbers.null_count() == cells.null_count()
    found = numbers if quantity else cells
    codes = found.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return Valued(name, rows, codes, quantity)


def _in_long(table: Table, names: list[str], every: Rows) -> Iterator[Valued]:
    """The same of a long table: all rows of some values, which are drawn."""
    generator = np.random.Generator(np.random.Philox(key=[0, len(every)]))
    drawn = generator.choice(every, FIRST_ROWS, replace=False)
    for name in names:
        cells = table.column(name)
        first = cells.gather(drawn)
        values = first.unique(maintain_order=True).drop_nulls()
        if len(values) < MANY or _fractions(first):
            continue
        known = cells.gather(every)
        among = known.is_in(values.implode())
        if among.sum() > MOST_ROWS:
            most = max(MANY, len(values) * MOST_ROWS // int(among.sum()))
            among = known.is_in(values.head(most).implode())
        rows = np.flatnonzero(among.to_numpy())
        if len(rows) > MOST_ROWS:
            rows = np.sort(generator.choice(rows, MOST_ROWS, replace=False))
        yield _of_texts(name, rows, known.gather(rows))


def _fractions(cells: pl.Series) -> bool:
    """Whether some cells are numbers that aren't whole."""
    numbers = cells.cast(pl.Float64, strict=False).drop_nulls()
    return bool((numbers != numbers.round()).any())


# Whether one is -----------------------------------------------------------------------


def _judged(
    table: Table, prepared: Prepared, features: list[Feature], column: Valued
) -> Group | None:
    """A column as a group, if it is one."""
    sample = sample_of(prepared, column.rows, features)
    kept = unrepeated(sample)
    codes = np.unique(column.codes[kept], return_inverse=True)[1]
    values = int(codes.max()) + 1
    if values < MANY or len(codes) < ROWS_EACH * values:
        return None
    sample = sample.part(kept)
    target = _alike(sample.outcomes, codes)
    if target.correlation < ALIKE_TARGET or not target.beyond_chance:
        return None
    others = [_alike(block, codes) for block in _others(sample, column.name)]
    alike = [each.correlation >= ALIKE and each.beyond_chance for each in others]
    if sum(alike) < max(FEWEST_COLUMNS, MOST_COLUMNS * len(alike)):
        return None
    chosen = [target, *compress(others, alike)]
    if column.quantity and _like_the_next([each.means for each in chosen]):
        return None
    shared, count, rows = _sides(table, prepared, column.name)
    if shared < ON_BOTH_SIDES:
        return None
    return Group(
        column.name, count, rows, target.correlation, sum(alike), len(alike), shared
    )


def _others(sample: Sample, name: str) -> Iterator[Floats]:
    """The features of each other column, but for codes."""
    for each in sample.features:
        if each.encoding.name != name and not isinstance(each.encoding, CodeEncoding):
            stop = each.start + each.encoding.width
            block = sample.X[:, each.start : stop].astype(float)
            yield block - block.mean(axis=0)


@dataclass(frozen=True)
class Alike:
    """How alike rows of one value are.

    Args:
        correlation: that of two rows of a value, ICC(1) of Shrout and Fleiss (1979).
        beyond_chance: whether it would hardly be if the rows were shuffled.
        means: of each value, shape (values, features).
    """

    correlation: float
    beyond_chance: bool
    means: Floats


def _alike(block: Floats, codes: Codes) -> Alike:
    """By the variance between values and within them; the block has mean 0."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    firsts = np.cumsum(counts) - counts
    means = np.add.reduceat(block[order], firsts, axis=0) / counts[:, None]
    between = float((counts[:, None] * means**2).sum())
    within = max(float((block**2).sum()) - between, 0.0)
    rows, values = len(codes), len(counts)
    each = (rows - float((counts**2).sum()) / rows) / (values - 1)
    a, b = between / (values - 1), within / max(rows - values, 1)
    correlation = (a - b) / (a + (each - 1) * b) if a + b else 0.0
    special: Any = import_module("scipy.special")
    chance = special.fdtrc(values - 1, max(rows - values, 1), a / b) if b else 0.0
    return Alike(correlation, chance < UNLIKELY, means)


def _like_the_next(means: list[Floats]) -> bool:
    """Whether values next to each other are alike, as those of quantities are."""
    found = [float((m[1:] * m[:-1]).sum() / max((m**2).sum(), 1e-300)) for m in means]
    return sum(found) / len(found) >= LIKE_THE_NEXT


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
