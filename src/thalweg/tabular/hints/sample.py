"""Some rows of a table as hints look at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.cached import cached_property
from thalweg.kinds.targets import ClassTargets
from thalweg.tables.categories import CategoryEncoding, CodeEncoding
from thalweg.tables.encodings import Encoding
from thalweg.tables.splitting.split import RowNumbers

if TYPE_CHECKING:
    from thalweg.tabular.prepared import Prepared

Floats: TypeAlias = NDArray[np.float64]

LEAST_ROWS = 40
"""With fewer rows to train and validate on, much looks alike by chance."""

MOST_ROWS = 5_000
MOST_CELLS = 2**21
FEWEST_ROWS = 200
"""However many columns there are, so many rows are looked at."""

RUN = 100
"""Rows in a row, where not all of them are looked at."""


class Feature(NamedTuple):  # made for thousands of columns
    """Where the features of a column stand.

    Args:
        encoding: the column's.
        start: the first of its features.
    """

    encoding: Encoding
    start: int

    @property
    def ordered(self) -> bool:
        """Whether its values are more or less, and not just different."""
        return not isinstance(self.encoding, CategoryEncoding | CodeEncoding)

    def values(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """A number for each cell, NaN where it's missing; equal where cells are."""
        stop = self.start + self.encoding.width
        if isinstance(self.encoding, CategoryEncoding):
            marks = X[:, self.start : stop]
            codes = marks.argmax(axis=1).astype(np.float32)
            return np.where(marks.any(axis=1), codes, np.float32(-1))
        values = X[:, self.start]
        if self.ordered and self.encoding.missing:
            return np.where(X[:, stop - 1] > 0, np.float32(np.nan), values)
        return values


@dataclass(frozen=True)
class HintSample:
    """Rows to train and to validate on.

    Args:
        X: shape (rows, features).
        y: class numbers or standardized numbers, shape (rows,).
        classes: how many there are; 0 where the target is a number.
        validation: which rows are to validate on, shape (rows,).
        encodings: of the columns, in the order of their features.
    """

    X: NDArray[np.float32]
    y: NDArray[Any]
    classes: int
    validation: NDArray[np.bool_]
    encodings: Sequence[Encoding]

    @cached_property
    def features(self) -> list[Feature]:
        """Where each column's features stand."""
        widths = [encoding.width for encoding in self.encodings]
        starts = np.cumsum([0, *widths])[:-1].tolist()
        return [*map(Feature, self.encodings, starts)]

    @cached_property
    def ranks(self) -> Floats:
        """Ranks of the target, so that far values count no more; or class numbers."""
        return self.y.astype(float) if self.classes else ranks(self.y)

    @cached_property
    def outcomes(self) -> Floats:
        """The target as columns of mean 0, one for each class: shape (rows, …)."""
        if not self.classes:
            return self.ranks[:, None] - self.ranks.mean()
        columns = np.zeros((len(self.y), self.classes))
        columns[np.arange(len(self.y)), self.y] = 1
        return columns - columns.mean(axis=0)

    def values(self, features: Sequence[Feature]) -> NDArray[np.float32]:
        """What `Feature.values` gives, of several columns: shape (columns, rows)."""
        found = self.X[:, [each.start for each in features]].T
        for place, each in enumerate(features):
            if each.encoding.missing or not each.ordered:
                found[place] = each.values(self.X)
        return found

    def part(self, rows: RowNumbers) -> HintSample:
        """Some of the rows."""
        if len(rows) == len(self.X):
            return self
        found = self.X[rows], self.y[rows], self.classes, self.validation[rows]
        return HintSample(*found, self.encodings)

    def without(self, names: set[str]) -> NDArray[np.float32]:
        """The features, without those of some columns and codes."""
        kept = np.ones(self.X.shape[1], np.bool_)
        for each in self.features:
            stop = each.start + each.encoding.width
            coded = isinstance(each.encoding, CodeEncoding)
            kept[each.start : stop] = not coded and each.encoding.name not in names
        return self.X if kept.all() else self.X[:, kept]


def ranks(values: NDArray[Any]) -> Floats:
    """The place of each value in their order; the mean place of equal ones.

    >>> ranks(np.array([3.0, 9.0, 3.0, 1000.0])).tolist()
    [0.5, 2.0, 0.5, 3.0]
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]


def sampled(prepared: Prepared) -> HintSample:
    """Rows in a random order, each once where it's repeated."""
    every = len(positions(prepared))
    generator = np.random.Generator(np.random.Philox(key=[0, every]))
    drawn = generator.permutation(every)[: most_rows(prepared)]
    sample = sample_of(prepared, drawn)
    return sample.part(unrepeated(sample))


def in_order(prepared: Prepared) -> tuple[HintSample, NDArray[np.bool_]]:
    """Rows in the table's order, of a long table some runs of rows.

    Returns:
        The rows, and which of them follow the one before, shape (rows,).
    """
    order = np.argsort(positions(prepared), kind="stable")
    places, most = np.arange(len(order)), most_rows(prepared)
    if len(order) > most:
        firsts = np.linspace(0, len(order) - RUN, most // RUN).astype(np.int64)
        places = (firsts[:, None] + np.arange(RUN)).ravel()
    sample = sample_of(prepared, order[places])
    kept = unrepeated(sample)
    runs = np.cumsum(np.diff(places, prepend=-2) != 1)[kept]
    return sample.part(kept), np.diff(runs, prepend=-1) == 0


def most_rows(prepared: Prepared) -> int:
    """How many rows are looked at, at most."""
    return min(most_of(prepared.training.X.shape[1]), most_by_classes(prepared))


def most_by_classes(prepared: Prepared) -> int:
    """The same, if the columns don't matter: outcomes have one for each class."""
    return most_of(len(getattr(prepared.targets, "labels", ())))


def most_of(columns: int) -> int:
    """How many rows of so many columns are looked at, at most."""
    return min(MOST_ROWS, max(FEWEST_ROWS, MOST_CELLS // max(1, columns)))


def positions(prepared: Prepared) -> RowNumbers:
    """Where each row to train and to validate on stands in the table."""
    return np.concatenate([prepared.split.training, prepared.split.validation])


def sample_of(prepared: Prepared, rows: RowNumbers) -> HintSample:
    """Some known rows, counted through training and validation."""
    parts = prepared.training, prepared.validation
    later = rows >= len(parts[0].X)
    within = np.where(later, rows - len(parts[0].X), rows)
    X = np.empty((len(rows), parts[0].X.shape[1]), np.float32)
    y = np.empty(len(rows), parts[0].y.dtype)
    for part, chosen in zip(parts, (~later, later), strict=True):
        X[chosen], y[chosen] = part.X[within[chosen]], part.y[within[chosen]]
    targets = prepared.targets
    classes = len(targets.labels) if isinstance(targets, ClassTargets) else 0
    return HintSample(X, y, classes, later, prepared.encoder.encodings)


def unrepeated(sample: HintSample) -> RowNumbers:
    """The first of each row: copies are alike whatever the columns say."""
    seen: dict[bytes, int] = {}
    for place, (row, y) in enumerate(zip(sample.X, sample.y, strict=True)):
        seen.setdefault(row.tobytes() + y.tobytes(), place)
    return np.fromiter(seen.values(), np.int64)
