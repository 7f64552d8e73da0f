"""Infer what each column of a table is, and say why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NoReturn, TypeAlias

import numpy as np
import polars as pl

from thalweg.data.kinds import BOOLEANS, Kind, is_text, is_unusable, understood
from thalweg.data.schema import Column, Schema
from thalweg.data.table import Table
from thalweg.data.words import counted, shown
from thalweg.errors import ArgumentError, DataError
from thalweg.formulas.names import nearest

Place: TypeAlias = Callable[[int], str]
"""Where the cell of a row stands, for the start of a message."""

MOSTLY = 0.95
"""Above this share of cells of one kind, the others are mistakes, not a category."""

FEW_TEXTS = 50
"""A column with no more texts than this is a category, however rare each is."""

OFTEN = 5
"""Among more texts, those in fewer rows than this teach nothing."""

NUMBER_WITH_COMMAS = r"^[+-]?(\d+,\d+|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d+)?$"


def infer(
    table: Table,
    target: str,
    ignore: Sequence[str] = (),
    weights: str | None = None,
) -> Schema:
    """What each column of a table is: number, category, boolean, date or time.

    Set aside are columns that can't help: without a single value, with the same value
    in every row, or with another in each (an identifier, free text).

    A text is a number as Python writes one ("7", "-1.5", "1e5"). Numbers with leading
    zeros and all of one length ("02139") are codes, so a category. A number with a
    comma ("1,234") may mean two things, so it's an error.

    Args:
        table: the rows.
        target: the name of the column to be predicted.
        ignore: names of columns to set aside.
        weights: the name of the column with each row's weight.

    Raises:
        ArgumentError: there is no column of a name that was given, or one has two uses.
        DataError: a column of numbers holds a text or an infinity; the message names
            line and column.

    >>> frame = pl.DataFrame({"age": ["31", "42", "?"], "ok": ["yes", "no", "no"]})
    >>> for line in infer(Table.of("people", frame), target="ok").lines():
    ...     print(line)
    age: number, 2 of 2 cells are numbers, 1 missing
    """
    _check_uses(table, target, ignore, weights)
    return Schema(
        infer_column(table, target),
        weights,
        tuple(
            Column(name, "ignored", "as asked")
            if name in ignore
            else infer_feature(table, name)
            for name in table.columns
            if name not in (target, weights)
        ),
    )


def infer_column(table: Table, name: str) -> Column:
    """What one column is, were it never set aside for being of no help."""
    column = table.column(name)
    return _described(table, name, column, Different.of(column))


def _check_uses(
    table: Table, target: str, ignore: Sequence[str], weights: str | None
) -> None:
    uses = {"target": [target], "ignore": ignore, "weights": [weights]}
    given = [(use, name) for use, names in uses.items() for name in names if name]
    for use, name in given:
        if name not in table.columns:
            raise ArgumentError(
                f"{use} must name a column of {table.name}, got {name!r}"
                f"{nearest(name, table.columns)}; it has {table.listed_columns()}"
            )
    uses_of = {name: use for use, name in reversed(given)}
    for use, name in given:
        if uses_of[name] != use:
            raise ArgumentError(f"{name!r} must be either {uses_of[name]} or {use}")


def infer_feature(table: Table, name: str) -> Column:
    """What a column is, or that it's set aside for being of no help."""
    if name == "":
        reason = "the first column has no name, so it's taken for row numbers"
        return Column(name, "ignored", reason)
    column = table.column(name)
    useless = _useless(column)
    if useless:
        return Column(name, "ignored", useless)
    different = Different.of(column)
    found = _described(table, name, column, different)
    if found.kind == "number":
        useless = _counting(name, understood(column, "number"))
    elif found.kind == "category":
        useless = _hardly_repeated(different, found.reason)
    return Column(name, "ignored", useless) if useless else found


@dataclass(frozen=True)
class Different:
    """The different texts of a column; most columns repeat a few.

    Args:
        texts: each once; none where the column isn't text.
        rows: how many rows have it.
    """

    texts: pl.Series
    rows: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> "Different":
        """Those of a column."""
        if not is_text(column.dtype):
            return cls(pl.Series(dtype=pl.String), pl.Series(dtype=pl.UInt32))
        counts = column.drop_nulls().rename("text").value_counts()
        return cls(counts["text"].cast(pl.String), counts["count"])

    def rows_of(self, kind: Kind) -> int:
        """How many rows can be read as what they are to be."""
        if kind != "number" and not self.texts.str.contains(r"\d").any():
            return 0
        return int(self.rows.filter(understood(self.texts, kind).is_not_null()).sum())


def _described(
    table: Table, name: str, column: pl.Series, different: Different
) -> Column:
    """What a column is, and why."""
    kind, why = _kind(partial(table.place, column=name), column, different)
    missing = column.null_count()
    said = f", {missing:,} missing" if missing else ""
    return Column(name, kind, why + said)


def _useless(column: pl.Series) -> str | None:
    """Why a column of any type can't help, if it can't."""
    if is_unusable(column.dtype):
        return f"cells of type {column.dtype} can't be used"
    if column.null_count() == len(column):
        return "every cell is missing"
    if column.null_count() == 0 and (column == column.head(1)).all():
        return f"every cell is {shown(column[0])}"
    return None


def _counting(name: str, numbers: pl.Series) -> str | None:
    """Why numbers are an identifier, if they are."""
    if numbers.null_count() or len(numbers) < 3:
        return None
    values = numbers.to_numpy()
    if values[0] in (0, 1) and (np.diff(values) == 1).all():
        return f"identifier, it counts the rows from {values[0]:.0f}"
    whole = bool((values == np.round(values)).all())
    if whole and _named_identifier(name) and numbers.n_unique() == len(numbers):
        return f"identifier, by its name and {len(numbers):,} different whole numbers"
    return None


def _named_identifier(name: str) -> bool:
    return name.lower() in ("id", "index") or name.endswith(("_id", " id", "Id", "ID"))


def _hardly_repeated(different: Different, reason: str) -> str | None:
    """Why texts are an identifier or free text, if they are."""
    counts = different.rows.to_numpy()
    cells = int(counts.sum())
    if len(counts) == cells > 2:
        return f"identifier, {len(counts):,} different texts in {cells:,} cells"
    often = int(counts[counts >= OFTEN].sum())
    if len(counts) > FEW_TEXTS and often < cells / 2:
        rare = counted(cells - often, "cell")
        return f"{reason}; {rare} hold a text that fewer than {OFTEN} rows have"
    return None


def _kind(place: Place, column: pl.Series, different: Different) -> tuple[Kind, str]:
    """The kind of a column, and why."""
    present = len(column) - column.null_count()
    if is_unusable(column.dtype):
        return "ignored", f"cells of type {column.dtype} can't be used"
    if present == 0:
        return "ignored", "every cell is missing"
    if is_text(column.dtype):
        if column.dtype == pl.String:
            return _text_kind(place, column, different, present)
        return "category", _texts_said(column, different)
    return _typed_kind(place, column, present)


def _typed_kind(place: Place, column: pl.Series, present: int) -> tuple[Kind, str]:
    """The kind of a column that isn't text, by its type."""
    if column.dtype == pl.Boolean:
        return "boolean", f"{present:,} of {present:,} cells are true or false"
    if column.dtype == pl.Time:
        return "time", f"{present:,} of {present:,} cells are times"
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        return "date", f"{present:,} of {present:,} cells are dates"
    _check_finite(place, column)
    return "number", f"{present:,} of {present:,} cells are numbers"


def _text_kind(
    place: Place, column: pl.Series, different: Different, present: int
) -> tuple[Kind, str]:
    """The kind of a column of texts, by what they can all be read as."""
    pair = _boolean_pair(different.texts)
    if pair is not None:
        return "boolean", f"{present:,} of {present:,} cells are {pair}"
    said = _texts_said(column, different)
    if _are_codes(different.texts):
        return "category", f"{said}, codes with leading zeros"
    numbers = 0
    kinds: tuple[Kind, ...] = ("number", "date", "time")
    for kind in kinds:
        read = different.rows_of(kind)
        if read == present:
            if kind == "number":
                _check_finite(place, column)
            return kind, f"{present:,} of {present:,} cells are {kind}s"
        if read > MOSTLY * present:
            _refuse_mixture(place, column, understood(column, kind), kind)
        if kind == "number":
            numbers = read
            _refuse_commas(place, column, different, numbers, present)
    are_numbers = f", {numbers:,} of {present:,} cells are numbers" if numbers else ""
    return "category", said + are_numbers


def _texts_said(column: pl.Series, different: Different) -> str:
    first = column[_first(column.is_not_null())]
    texts = counted(len(different.texts), "different text")
    return f"{texts} such as {shown(first)}"


def _boolean_pair(texts: pl.Series) -> str | None:
    """The pair of words, if the cells are one pair and nothing else."""
    # As many as the spellings of a pair ("yes", "Yes", "YES") are enough to say no.
    if len(texts) > 8:
        return None
    lower = {text.lower() for text in texts}
    for no, yes in BOOLEANS:
        if lower <= {no, yes}:
            return f"{yes} or {no}"
    return None


def _are_codes(texts: pl.Series) -> bool:
    """Whether all cells are digits of one length, some with zeros in front."""
    lengths = texts.str.len_chars()
    return (
        lengths.max() == lengths.min() != 1
        and bool(texts.str.contains(r"^\d+$").all())
        and bool(texts.str.starts_with("0").any())
    )


def _refuse_mixture(
    place: Place, column: pl.Series, read: pl.Series, kind: Kind
) -> NoReturn:
    row = _first(column.is_not_null() & read.is_null())
    raise DataError(
        f"{place(row)}: must be a {kind} like {read.count():,} "
        f"other cells of this column, but is {shown(column[row])}; leave the cell "
        "empty if it's unknown, or ignore the column"
    )


def _refuse_commas(
    place: Place,
    column: pl.Series,
    different: Different,
    numbers: int,
    present: int,
) -> None:
    """An error where a column is numbers but for commas inside them."""
    commas = different.texts.str.contains(NUMBER_WITH_COMMAS)
    cells = int(different.rows.filter(commas).sum())
    if not cells or cells + numbers <= MOSTLY * present:
        return
    row = _first(column.str.contains(NUMBER_WITH_COMMAS).fill_null(False))
    raise DataError(
        f"{place(row)}: a number must be written without commas "
        f"and with a decimal point, but is {shown(column[row])}; "
        "write it so, or ignore the column"
    )


def _check_finite(place: Place, column: pl.Series) -> None:
    infinite = understood(column, "number").is_infinite().fill_null(False)
    if infinite.any():
        row = _first(infinite)
        raise DataError(
            f"{place(row)}: a number must be finite, but is {shown(column[row])}"
        )


def _first(mask: pl.Series) -> int:
    return int(mask.arg_max() or 0)
