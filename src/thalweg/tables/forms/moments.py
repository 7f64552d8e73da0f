"""Dates and times of day as they are written, in the signs of strptime.

A form is one pattern, which polars and an exported file of Python both use. A date may
have a time of day behind it, and that a zone, where the form itself has no hour:

>>> form = DateForm(order="%d/%m/%Y")
>>> form.understood(pl.Series(["31/12/20", "1/1/2021 2:05 PM", "2021-01-02"])).to_list()
[None, datetime.datetime(2021, 1, 1, 14, 5), None]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import polars as pl

from thalweg.errors import ArgumentError
from thalweg.tables.forms.form import ColumnKind, Form, is_text, nothing
from thalweg.tables.forms.missing import NUMBER_TEXTS

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ISO = "%Y-%m-%d"

PIVOT = 69
"""A year of two digits is in the 1900s from here on, else in the 2000s (POSIX)."""

FIRST_YEARS = (-719_162, 2_932_896)
"""The first and the last day of the years 1 to 9999, counted from 1970."""


def either(names: tuple[str, ...], also: tuple[str, ...] = ()) -> str:
    """A pattern of names, whole or cut to three letters, in large and small letters."""
    every = [*names, *also, *(name[:3] for name in names)]
    return "(?i:" + "|".join(dict.fromkeys(every)) + ")[.]?"


SIGNS: Mapping[str, tuple[str, str]] = {
    "Y": ("year", "([0-9]{4})"),
    "y": ("short_year", "([0-9]{2})"),
    "m": ("month", "([0-9]{1,2})"),
    "b": ("month_name", f"({either(MONTHS, ('Sept',))})"),
    "d": ("day", "([0-9]{1,2})"),
    "j": ("day_of_year", "([0-9]{1,3})"),
    "a": ("", either(DAYS, ("Tues", "Thur", "Thurs"))),
    "H": ("hour", "([0-9]{1,2})"),
    "M": ("minute", "([0-9]{2})"),
    "S": ("second", "([0-9]{2})"),
    "f": ("fraction", "([0-9]+)"),
    "p": ("half", "([AaPp])[.]?[Mm][.]?"),
    "z": ("zone", "(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"),
    "%": ("", "%"),
}
"""What strptime's signs stand for: a part of a moment, and its pattern."""

SAME = {"B": "b", "h": "b", "e": "d", "A": "a", "I": "H", "k": "H", "l": "H", "Z": "z"}
SHORT = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d"}
CLOCK = (
    "([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    f"(?: *{SIGNS['p'][1]})?"
)
CLOCK_PARTS = ("hour", "minute", "second", "fraction", "half")


@lru_cache(maxsize=256)
def parts_and_pattern(order: str) -> tuple[tuple[str, ...], str]:
    """What the groups of a form's pattern are, and the pattern.

    Raises:
        ArgumentError: a sign isn't known, stands twice, or there is no year.

    >>> parts_and_pattern("%d.%m.%y")[0][:3]
    ('day', 'month', 'short_year')
    """
    parts: list[str] = []
    pattern = ""
    spelled = re.sub("%([TRDF])", lambda found: SHORT[found[1]], order)
    for found in re.finditer(r"(?P<literal>[^%]+)|%(?P<sign>.?)", spelled):
        literal, sign = str(found["literal"] or ""), str(found["sign"] or "")
        if literal:
            pattern += re.sub(r"(?:\\ )+", " +", re.escape(literal))
            continue
        part, own = SIGNS.get(SAME.get(sign, sign), ("unknown", ""))
        if part == "unknown" or (part and part in parts):
            known = " ".join(f"%{each}" for each in (*SIGNS, *SAME, *SHORT))
            what = "stand once" if own else f"be one of {known}"
            raise ArgumentError(f"in the form {order!r}, %{sign} must {what}")
        parts += [part] if part else []
        pattern += own
    if not {"year", "short_year"} & {*parts}:
        raise ArgumentError(f"the form {order!r} must have a year, %Y or %y")
    if "hour" not in parts:
        pattern += f"(?:(?:T|,? +){CLOCK}(?: *{SIGNS['z'][1]})?)?"
        parts += [*CLOCK_PARTS, "zone"]
    return tuple(parts), f"^{pattern}$"


@dataclass(frozen=True)
class DateForm(Form):
    """Dates, with or without a time of day.

    Arguments:
        missing: texts that mean "missing" beside those that always do.
        order: as strptime has it, such as ``%d/%m/%Y``; a year has four digits unless
            the form has ``%y``. Where it has no hour a time of day may follow, and a
            zone.

    >>> cells = pl.Series(["2020-01-31T10:00+02:00", "25-10-21"])
    >>> DateForm().understood(cells).to_list()
    [datetime.datetime(2020, 1, 31, 8, 0), None]
    """

    order: str = ISO
    kind: ClassVar[ColumnKind] = "date"
    name: ClassVar[str] = "date"

    def __post_init__(self) -> None:
        parts_and_pattern(self.order)

    @property
    def meaning(self) -> pl.DataType:
        """Microseconds since 1970, in UTC where there is a zone."""
        return pl.Datetime("us")

    @property
    def pattern(self) -> str:
        """The parts of a date as groups."""
        return parts_and_pattern(self.order)[1]

    @property
    def parts(self) -> tuple[str, ...]:
        """What the groups are."""
        return parts_and_pattern(self.order)[0]

    def read(self, column: pl.Series) -> pl.Series:
        """Moments; a number is read by its digits, if the form has years of four."""
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        if isinstance(column.dtype, pl.Date | pl.Datetime):
            return column.cast(pl.Datetime("us"))
        if column.dtype.is_integer() and self.order != ISO:
            column = column.cast(pl.String)
        if not is_text(column.dtype):
            return nothing(column, self.meaning)
        return by_different(column.cast(pl.String), self._from_texts)

    def _from_texts(self, texts: pl.Series) -> pl.Series:
        found = texts.str.extract_groups(self.pattern).struct.rename_fields(self.parts)
        frame = found.struct.unnest()
        have = {*self.parts}
        parts = {name: pl.col(name) for name in have}
        day = date_of(parts)
        text = pl.concat_str(day, pl.lit(" "), clock_of(parts))
        moment = text.str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False
        )
        moments = moment + leap_second(parts) if "second" in have else moment
        if "zone" in have:
            moments -= offset_of(pl.col("zone"))
        result = frame.select(moments.alias("")).to_series()
        days = result.cast(pl.Int64) // 86_400_000_000
        inside = days.is_between(*FIRST_YEARS).fill_null(True)
        return (
            result
            if inside.all()
            else result.zip_with(inside, nothing(result, result.dtype))
        )

    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """All that is no date in anybody's eyes."""
        return texts.str.to_lowercase().is_in(NUMBER_TEXTS)


@dataclass(frozen=True)
class TimeForm(Form):
    """Times of day, of 24 hours or with am and pm; minutes have two digits.

    >>> TimeForm().understood(pl.Series(["7:05", "12:30 am", "2:1", "25:00"])).to_list()
    [datetime.time(7, 5), datetime.time(0, 30), None, None]
    """

    kind: ClassVar[ColumnKind] = "time"
    name: ClassVar[str] = "time"
    pattern: ClassVar[str] = f"^{CLOCK}$"

    @property
    def meaning(self) -> pl.DataType:
        """A time of day."""
        return pl.Time()

    def read(self, column: pl.Series) -> pl.Series:
        """Times of day."""
        if column.dtype == pl.Time:
            return column
        if not is_text(column.dtype):
            return nothing(column, self.meaning)
        return by_different(column.cast(pl.String), self._from_texts)

    def _from_texts(self, texts: pl.Series) -> pl.Series:
        found = texts.str.extract_groups(self.pattern).struct.rename_fields(CLOCK_PARTS)
        clock = clock_of({name: pl.col(name) for name in CLOCK_PARTS})
        time = clock.str.to_time("%H:%M:%S%.f", strict=False)
        read = pl.when(pl.col("hour").is_not_null()).then(time)
        return found.struct.unnest().select(read.alias("")).to_series()

    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """All that is no time in anybody's eyes."""
        return texts.str.to_lowercase().is_in(NUMBER_TEXTS)


def by_different(texts: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What is read of each text, each different one once where they repeat."""
    different = texts.unique()
    if 2 * len(different) > len(texts):
        return read(texts)
    meant = read(different)
    return texts.replace_strict(different, meant, return_dtype=meant.dtype)


# From parts to texts that polars reads ------------------------------------------------


def date_of(parts: Mapping[str, pl.Expr]) -> pl.Expr:
    """Year, month and day as ISO has them; null where they can't be a date."""
    year = parts.get("year")
    if year is None:
        short = parts["short_year"].cast(pl.Int32)
        century = pl.when(short >= PIVOT).then(1900).otherwise(2000)
        year = (short + century).cast(pl.String)
    if "day_of_year" in parts:
        first = pl.concat_str(year, pl.lit("-01-01")).str.to_date(strict=False)
        days = parts["day_of_year"].cast(pl.Int64)
        day = first + pl.duration(days=days - 1)
        same = (days > 0) & (day.dt.year() == first.dt.year())
        return pl.when(same).then(day.dt.to_string("%Y-%m-%d"))
    month = parts.get("month", pl.lit("1"))
    if "month_name" in parts:
        numbers = {name[:3].lower(): str(n) for n, name in enumerate(MONTHS, 1)}
        start = parts["month_name"].str.slice(0, 3).str.to_lowercase()
        month = start.replace_strict(numbers, default=None, return_dtype=pl.String)
    dated = pl.concat_str(
        year, pl.lit("-"), month, pl.lit("-"), parts.get("day", pl.lit("1"))
    )
    return pl.when(year != "0000").then(dated)


def clock_of(parts: Mapping[str, pl.Expr]) -> pl.Expr:
    """Hours, minutes, seconds; midnight where there are none."""
    if "hour" not in parts:
        return pl.lit("0:0:0.0")
    given = parts["hour"].cast(pl.Int32)
    hour = given
    if "half" in parts:
        half = parts["half"].str.to_lowercase()
        noon = pl.when(half == "p").then(12).otherwise(0)
        of_half = pl.when(given.is_between(1, 12)).then(given % 12 + noon).otherwise(99)
        hour = pl.when(half.is_not_null()).then(of_half).otherwise(given)
    second = parts.get("second", pl.lit("0")).fill_null("0")
    return pl.concat_str(
        hour.fill_null(0).cast(pl.String),
        pl.lit(":"),
        parts.get("minute", pl.lit("0")).fill_null("0"),
        pl.lit(":"),
        pl.when(second == "60").then(pl.lit("59")).otherwise(second),
        pl.lit("."),
        parts.get("fraction", pl.lit("0")).fill_null("0").str.slice(0, 6),
    )


def leap_second(parts: Mapping[str, pl.Expr]) -> pl.Expr:
    """A leap second is the first of the next minute."""
    leap = parts["second"].fill_null("0") == "60"
    return pl.duration(seconds=pl.when(leap).then(1).otherwise(0))


def offset_of(zone: pl.Expr) -> pl.Expr:
    """How far a zone such as +02:00 is before UTC."""
    digits = zone.str.replace(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64, strict=False).fill_null(0)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    size = hours * 60 + minutes
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    written = zone.str.contains("^[+-]").fill_null(False)
    return pl.duration(minutes=pl.when(written).then(sign * size).otherwise(0))
