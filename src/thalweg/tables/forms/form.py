"""How a column's cells are written, and so what they mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

import polars as pl

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.tables.strict import require_keys, text, texts, truth

ColumnKind = Literal["number", "category", "boolean", "date", "time", "ignored"]
"""What the cells of a column are; "ignored" columns are set aside."""

KINDS: tuple[ColumnKind, ...] = get_args(ColumnKind)


@dataclass(frozen=True)
class Form(ABC):
    """How the cells of a column are written.

    A form is found, or declared, when a network is trained, and stays: later tables
    are read by it, too.

    Arguments:
        missing: texts that mean "missing" beside those that always do.
    """

    missing: tuple[str, ...] = ()
    kind: ClassVar[ColumnKind]
    name: ClassVar[str]

    @abstractmethod
    def read(self, column: pl.Series) -> pl.Series:
        """The cells of any type as what they mean, before what is missing is.

        Null where they can't be read.
        """

    @abstractmethod
    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """Which texts mean "missing" without being declared; null for null."""

    @property
    @abstractmethod
    def meaning(self) -> pl.DataType:
        """The type of what `understood` gives."""

    def understood(self, column: pl.Series) -> pl.Series:
        """The cells as what they mean; null where missing or something else.

        Arguments:
            column: cells of any type; texts are stripped.

        Returns:
            float64 for a number (a duration is in seconds), microseconds since 1970 in
            UTC for a date, time of day for a time, and text for a category ("false" and
            "true" for a boolean).
        """
        if is_unusable(column.dtype):
            return nothing(column, self.meaning)
        return without(self.read(column), self.declared_missing(column))

    def absent(self, column: pl.Series) -> pl.Series:
        """Which cells are missing: null, NaN, or a text that says so."""
        absent = column.is_null()
        if column.dtype.is_float():
            absent |= column.is_nan().fill_null(False)
        if is_text(column.dtype):
            absent |= self.usually_missing(column.cast(pl.String)).fill_null(False)
        declared = self.declared_missing(column)
        return absent if declared is None else absent | declared

    def declared_missing(self, column: pl.Series) -> pl.Series | None:
        """Which cells hold what was declared to mean "missing"; None where none is."""
        if not self.missing or is_unusable(column.dtype):
            return None
        cells = column if column.dtype.is_nested() else column.cast(pl.String)
        found = cells.is_in(self.missing).fill_null(False)
        if column.dtype.is_numeric():
            numbers = [float(text) for text in self.missing if is_plain_number(text)]
            found |= column.cast(pl.Float64).is_in(numbers).fill_null(False)
        return found

    def labels(self, column: pl.Series) -> pl.Series:
        """The cells as texts, written in one way whatever the cells' type."""
        return self.understood(column).cast(pl.String, strict=False)

    def to_dict(self) -> dict[str, Any]:
        """The form as JSON: its name, and what isn't as usual."""
        given: dict[str, Any] = {
            each.name: value
            for each in fields(self)
            if (value := getattr(self, each.name)) != each.default
        }
        if self.missing:
            given["missing"] = list(self.missing)
        return {"form": self.name, **given}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Form:
        """The form that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        known = {each.name: each.default for each in fields(cls)}
        given = [key for key in data if key in known]
        require_keys(data, "a form", "form", *given)
        values = {key: _like(known[key], data[key], key) for key in given}
        try:
            return cls(**values)
        except ArgumentError as error:
            raise ModelFileError(f"a column's form is damaged: {error}") from None


def _like(usual: object, value: object, what: str) -> Any:
    """The value, if it is of the type of the usual one."""
    if isinstance(usual, bool):
        return truth(value, what)
    return texts(value, what) if isinstance(usual, tuple) else text(value, what)


def without(cells: pl.Series, absent: pl.Series | None) -> pl.Series:
    """The cells, null where they are absent."""
    if absent is None or not absent.any():
        return cells
    return cells.zip_with(~absent, nothing(cells, cells.dtype))


def nothing(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    """As many nulls as there are cells."""
    return pl.repeat(None, len(column), dtype=dtype, eager=True)


def is_unusable(dtype: pl.DataType) -> bool:
    """Whether cells of this type can be neither numbers, texts nor dates."""
    usable = dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean
    return not (usable or is_text(dtype) or dtype == pl.Null)


def is_text(dtype: pl.DataType) -> bool:
    """Whether cells of this type are texts."""
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def is_plain_number(text: str) -> bool:
    """Whether Python reads the text as a number.

    >>> is_plain_number("-9"), is_plain_number("n.a.")
    (True, False)
    """
    try:
        float(text)
    except ValueError:
        return False
    return True
