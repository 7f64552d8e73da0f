"""How a column of categories becomes features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.cached import cached_property
from thalweg.tables.encodings import (
    KEYS,
    Encoding,
    Floats,
    Mask,
    missing_name,
    shared_fields,
)
from thalweg.tables.forms import Form
from thalweg.tables.strict import require_keys, texts, truth
from thalweg.tables.table import unclean

RARE_ROWS = 5
"""In a long table, categories of fewer training rows than this share one code."""

MOST_ONE_HOT = 50
"""With more categories than this, a column is codes for an embedding."""

MOST_CATEGORIES = 5000
"""The most frequent categories keep a code of their own; the rest share one."""

OTHER, MISSING = 0, 1
"""The codes, in an embedding, of categories that share one and of missing cells."""


class CategoricalEncoding(Encoding):
    """How a column becomes features by the categories that it holds.

    Attributes:
        categories: texts that differ.
    """

    categories: tuple[str, ...]

    @cached_property
    def type(self) -> pl.DataType:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One of the categories, where they are texts as a table has them."""
        texts = pl.Series(self.categories, dtype=pl.String)
        if self.kind != "category" or unclean(texts) or self.form.absent(texts).any():
            return super().type
        return self._codes.type

    def understood(self, column: pl.Series) -> pl.Series:
        """The cells as texts, or as the categories that a reader found them to be."""
        found = isinstance(self.type, pl.Enum) and column.dtype == self.type
        return column if found else super().understood(column)

    @cached_property
    def _codes(self) -> Codes:
        return Codes(self.categories)


@dataclass(frozen=True)
class CategoryEncoding(CategoricalEncoding):
    """A category, one feature each: 1 where the cell holds it, else 0.

    Categories too rare to learn from share one feature; missing cells have their own.
    A category that training rows didn't have counts as a rare one.
    """

    name: str
    form: Form
    missing: bool
    other: bool
    categories: tuple[str, ...]
    tag: ClassVar[str] = "category"

    @classmethod
    def from_dict(cls, data: object, form: Form) -> CategoryEncoding:
        """The encoding that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "an encoding", *KEYS, "other", "categories")
        return cls(
            *shared_fields(found, form, ("category", "boolean")),
            truth(found["other"], "other"),
            texts(found["categories"], "categories"),
        )

    def learned(self) -> dict[str, Any]:
        """The categories, and whether there are others."""
        return {"other": self.other, "categories": list(self.categories)}

    @property
    def features(self) -> tuple[str, ...]:
        """A feature for each category, for the rare ones and for missing cells."""
        named = [f"{self.name}={category}" for category in self.categories]
        other = (f"{self.name} other",) if self.other else ()
        return *named, *other, *missing_name(self)

    def encode_into(self, cells: pl.Series, features: Floats) -> Mask | None:
        """Write a 1 into each row; which have none of the categories."""
        codes = self._codes(cells)
        places = self._places[codes]
        rows = np.arange(len(codes))
        if (places < 0).any():
            rows, places = rows[places >= 0], places[places >= 0]
        features[rows, places] = 1
        return unseen_codes(codes)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The feature of each code; −1 where it has none."""
        count = len(self.categories)
        other = count if self.other else -1
        absent = count + self.other if self.missing else -1
        return np.array([other, absent, *range(count)])


@dataclass(frozen=True)
class CodeEncoding(CategoricalEncoding):
    """A category among many, as a number for an embedding.

    The numbers are 0 for all that are rare or weren't in training rows, 1 for a missing
    cell, and from 2 on the frequent categories in order.
    """

    name: str
    form: Form
    missing: bool
    categories: tuple[str, ...]
    tag: ClassVar[str] = "code"

    @classmethod
    def from_dict(cls, data: object, form: Form) -> CodeEncoding:
        """The encoding that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "an encoding", *KEYS, "categories")
        return cls(
            *shared_fields(found, form, ("category", "boolean")),
            texts(found["categories"], "categories"),
        )

    def learned(self) -> dict[str, Any]:
        """The categories."""
        return {"categories": list(self.categories)}

    @property
    def features(self) -> tuple[str, ...]:
        """The code."""
        return (f"{self.name} (code)",)

    @property
    def dimension(self) -> int:
        """The length of the vector that stands for a category, 2 ⁴√categories."""
        return int(np.ceil(2 * (len(self.categories) + 2) ** 0.25))

    def encode_into(self, cells: pl.Series, features: Floats) -> Mask | None:
        """Write each code; which cells have none of the categories."""
        codes = self._codes(cells)
        features[:, 0] = codes
        return unseen_codes(codes)


def fit_categories(
    name: str, form: Form, cells: pl.Series
) -> CategoryEncoding | CodeEncoding:
    """The encoding for the categories of the training rows' cells."""
    present = cells.drop_nulls().rename("text")
    # By count, then by name, so that ties don't depend on the rows' order.
    counts = present.value_counts().sort(["count", "text"], descending=[True, False])
    least = max(1, min(RARE_ROWS, len(present) // MOST_ONE_HOT))
    kept = counts.filter(counts["count"] >= least)["text"].head(MOST_CATEGORIES)
    categories = tuple(kept.sort().to_list())
    missing = cells.null_count() > 0
    if len(categories) > MOST_ONE_HOT:
        return CodeEncoding(name, form, missing, categories)
    other = len(categories) < counts.height
    return CategoryEncoding(name, form, missing, other, categories)


def unseen_codes(codes: NDArray[np.int64]) -> Mask | None:
    """Which codes are that of all others; None where none is."""
    unseen = codes == OTHER
    return unseen if unseen.any() else None


class Codes:
    """A number for each category: 0 for all others, 1 for missing, 2 for the first.

    Args:
        categories: texts that differ.

    >>> Codes(["a", "b"])(pl.Series(["b", "a", None, "c"])).tolist()
    [3, 2, 1, 0]
    """

    def __init__(self, categories: Sequence[str]) -> None:
        self.type = pl.Enum(categories)
        first = MISSING + 1
        self._numbers = np.array([*range(first, first + len(categories)), OTHER])

    def __call__(self, cells: pl.Series) -> NDArray[np.int64]:
        """The number of each cell."""
        known = cells.cast(self.type, strict=False).to_physical()
        if known.null_count():
            known = known.cast(pl.UInt32).fill_null(len(self._numbers) - 1)
        codes = self._numbers[known.to_numpy()]
        if cells.null_count():
            codes[cells.is_null().to_numpy()] = MISSING
        return codes
