"""Cells that are categories, or say yes and no."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from thalweg.checks import look_up
from thalweg.tables.forms.form import ColumnKind, Form, is_text, nothing, without
from thalweg.tables.forms.missing import FRAME_TEXTS, MISSING_TEXTS

BOOLEANS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"))
"""Pairs of texts, in lower case, that say no and yes."""

DIGITS = ("0", "1")
"""The pair that says no and yes only beside one of words."""

MISSING_IN = {"file": MISSING_TEXTS, "frame": FRAME_TEXTS, "nothing": ("",)}
"""By what a column came from, the texts of it that mean "missing"."""


@dataclass(frozen=True)
class WordForm(Form):
    """Words, of which some mean "missing" by where they come from.

    Arguments:
        missing: texts that mean "missing" beside those that always do.
        source: ``file``, whose words such as NA mean "missing"; ``frame``, which has
            its own way to say that; or ``nothing``, where each word is one.
    """

    source: str = "file"

    def __post_init__(self) -> None:
        look_up("source", self.source, MISSING_IN)

    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """Those of the source."""
        return texts.is_in(MISSING_IN[self.source])

    @property
    def missing_texts(self) -> tuple[str, ...]:
        """All texts that mean "missing"."""
        return (*MISSING_IN[self.source], *self.missing)

    @property
    def meaning(self) -> pl.DataType:
        """A text."""
        return pl.String()


@dataclass(frozen=True)
class CategoryForm(WordForm):
    """Texts, each a category; whole numbers as they are written.

    >>> CategoryForm().understood(pl.Series(["a", "NA", ""])).to_list()
    ['a', None, None]
    >>> CategoryForm(source="nothing").understood(pl.Series(["a", "NA", ""])).to_list()
    ['a', 'NA', None]
    """

    kind: ClassVar[ColumnKind] = "category"
    name: ClassVar[str] = "category"

    def read(self, column: pl.Series) -> pl.Series:
        """Texts as they are, and everything else as it is written."""
        if not is_text(column.dtype):
            return written(column)
        texts = column.cast(pl.String)
        return without(texts, self.usually_missing(texts).fill_null(False))


@dataclass(frozen=True)
class BooleanForm(WordForm):
    """Yes and no, in words of several kinds, or 1 and 0.

    >>> BooleanForm().understood(pl.Series(["Yes", "no", "0", "maybe"])).to_list()
    ['true', 'false', 'false', None]
    """

    kind: ClassVar[ColumnKind] = "boolean"
    name: ClassVar[str] = "boolean"

    def read(self, column: pl.Series) -> pl.Series:
        """The words "true" and "false"."""
        if column.dtype == pl.Boolean:
            return column.cast(pl.String)
        if column.dtype.is_numeric():
            column = written(column)
        if not is_text(column.dtype):
            return nothing(column, self.meaning)
        texts = column.cast(pl.String)
        different = texts.unique().drop_nulls()
        lower = different.str.to_lowercase()
        meant = lower.replace_strict(SAID, default=None, return_dtype=pl.String)
        return texts.replace_strict(
            different, meant, default=None, return_dtype=pl.String
        )


@dataclass(frozen=True)
class UnreadForm(Form):
    """That of a column that is set aside."""

    kind: ClassVar[ColumnKind] = "ignored"
    name: ClassVar[str] = "unread"

    def read(self, column: pl.Series) -> pl.Series:
        """Nothing."""
        return nothing(column, self.meaning)

    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """Those of a file."""
        return texts.is_in(MISSING_TEXTS)

    @property
    def meaning(self) -> pl.DataType:
        """None."""
        return pl.Null()


SAID = {
    text: word
    for pair in (*BOOLEANS, DIGITS)
    for text, word in zip(pair, ("false", "true"), strict=True)
}
"""What each text says, in lower case."""


def written(column: pl.Series) -> pl.Series:
    """Cells of any type as texts; whole numbers as whole numbers are written.

    >>> written(pl.Series([1.0, 2.5])).to_list()
    ['1', '2.5']
    """
    if isinstance(column.dtype, pl.Duration):
        column = column.dt.total_microseconds().cast(pl.Float64) / 1e6
    if column.dtype.is_float():
        return pl.select(_floats(pl.lit(column))).to_series()
    texts = column.cast(pl.String, strict=False)
    if isinstance(column.dtype, pl.Decimal):
        return texts.str.replace(r"\.0+$|(\.\d*?)0+$", "$1")
    return texts


def _floats(numbers: pl.Expr) -> pl.Expr:
    """Floats as texts; whole ones as whole numbers are written."""
    whole = (numbers == numbers.round()) & (numbers.abs() < 2**53)
    return (
        pl.when(numbers.is_nan())
        .then(None)
        .when(whole)
        .then(numbers.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(numbers.cast(pl.String))
    )


def is_whole(numbers: pl.Series) -> bool:
    """Whether each is a whole number; False where one is infinite or NaN."""
    return math.isfinite(numbers.sum()) and bool((numbers == numbers.round()).all())
