"""What a column can hold, and how its cells are understood."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Literal, get_args

import polars as pl

Kind = Literal["number", "category", "boolean", "date", "time", "ignored"]
"""What the cells of a column are; "ignored" columns are set aside."""

KINDS: tuple[Kind, ...] = get_args(Kind)

BOOLEANS = (("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"))
"""Pairs of texts, in lower case, that say no and yes."""

DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
)
OFFSET_FORMATS = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
TIME_FORMATS = ("%H:%M:%S%.f", "%H:%M")


def understood(column: pl.Series, kind: Kind) -> pl.Series:
    """The cells of a column as what they mean; null where missing or something else.

    Args:
        column: cells of any type; texts are stripped.
        kind: what the cells are to be.

    Returns:
        float64 for a number (a duration is in seconds), microseconds since 1970 in UTC
        for a date, time of day for a time, and text for a category ("false" and "true"
        for a boolean).

    >>> understood(pl.Series(["1e3", "007", "1,5", None]), "number").to_list()
    [1000.0, 7.0, None, None]
    >>> understood(pl.Series(["Yes", "no", "maybe"]), "boolean").to_list()
    ['true', 'false', None]
    """
    if is_unusable(column.dtype):
        return _nothing(column, _MEANINGS[kind])
    return _READERS[kind](column)


def labels(column: pl.Series, kind: Kind) -> pl.Series:
    """The cells of a column as texts, written in one way whatever the cells' type.

    >>> labels(pl.Series([1.0, 2.5]), "number").to_list()
    ['1', '2.5']
    """
    return _category(understood(column, kind))


def is_unusable(dtype: pl.DataType) -> bool:
    """Whether cells of this type can be neither numbers, texts nor dates."""
    usable = dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean
    return not (usable or is_text(dtype) or dtype == pl.Null)


def is_text(dtype: pl.DataType) -> bool:
    """Whether cells of this type are texts."""
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _number(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Duration):
        return column.dt.total_microseconds().cast(pl.Float64) / 1e6
    if column.dtype.is_temporal():
        return _nothing(column, _MEANINGS["number"])
    if is_text(column.dtype):
        column = column.cast(pl.String)
    numbers = column.cast(pl.Float64, strict=False)
    # A sum is found sooner than a NaN, and is NaN if a number is.
    return numbers.fill_nan(None) if math.isnan(numbers.sum()) else numbers


def _category(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Duration):
        column = _number(column)
    if column.dtype.is_float():
        return pl.select(_number_texts(pl.lit(column))).to_series()
    return column.cast(pl.String, strict=False)


def _number_texts(numbers: pl.Expr) -> pl.Expr:
    """Floats as texts; whole ones as whole numbers are written."""
    whole = (numbers == numbers.round()) & (numbers.abs() < 2**53)
    return (
        pl.when(numbers.is_nan())
        .then(None)
        .when(whole)
        .then(numbers.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(numbers.cast(pl.String))
    )


def _boolean(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Boolean:
        return column.cast(pl.String)
    if not is_text(column.dtype):
        return _nothing(column, _MEANINGS["boolean"])
    meaning = {no: "false" for no, _ in BOOLEANS} | {yes: "true" for _, yes in BOOLEANS}
    texts = column.cast(pl.String)
    different = texts.unique().drop_nulls()
    lower = different.str.to_lowercase()
    meant = lower.replace_strict(meaning, default=None, return_dtype=pl.String)
    return texts.replace_strict(different, meant, default=None, return_dtype=pl.String)


def _date(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        return column.cast(pl.Datetime("us"))
    if not is_text(column.dtype):
        return _nothing(column, _MEANINGS["date"])
    texts = column.cast(pl.String).str.replace("T", " ", literal=True)
    naive = (partial(_naive_moment, form=form) for form in DATE_FORMATS)
    offset = (partial(_moment_of_a_zone, form=form) for form in OFFSET_FORMATS)
    return _first_that_reads(texts, (*naive, *offset))


def _naive_moment(texts: pl.Series, form: str) -> pl.Series:
    return texts.str.to_datetime(form, time_unit="us", strict=False)


def _moment_of_a_zone(texts: pl.Series, form: str) -> pl.Series:
    utc = texts.str.replace("Z$", "+00:00").str
    moments = utc.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    return moments.dt.replace_time_zone(None)


def _first_that_reads(
    texts: pl.Series, readers: Sequence[Callable[[pl.Series], pl.Series]]
) -> pl.Series:
    """What the first reader that understands a cell makes of it."""
    found = readers[0](texts)
    for reader in readers[1:]:
        if found.null_count() == texts.null_count():
            break
        found = pl.select(pl.coalesce(found, reader(texts))).to_series()
    return found


def _time(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Time:
        return column
    if not is_text(column.dtype):
        return _nothing(column, _MEANINGS["time"])
    return _first_that_reads(
        column.cast(pl.String),
        [partial(_time_of_day, form=form) for form in TIME_FORMATS],
    )


def _time_of_day(texts: pl.Series, form: str) -> pl.Series:
    return texts.str.to_time(form, strict=False)


def _nothing(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.repeat(None, len(column), dtype=dtype, eager=True)


_MEANINGS: Mapping[Kind, pl.DataType] = {
    "number": pl.Float64(),
    "category": pl.String(),
    "boolean": pl.String(),
    "date": pl.Datetime("us"),
    "time": pl.Time(),
}

_READERS: Mapping[Kind, Callable[[pl.Series], pl.Series]] = {
    "number": _number,
    "category": _category,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
}
