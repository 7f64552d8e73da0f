"""Numbers as they are written: affixes, separators, signs, limits, durations.

A form is one pattern. polars finds its groups in the cells of a column, and an exported
file of Python by `re`, so both read the same:

>>> form = NumberForm(thousands=",", prefix="$", accounting=True)
>>> form.understood(pl.Series(["$1,234.50", "($5)", "−$7", "1,23", "$ 12"])).to_list()
[1234.5, -5.0, -7.0, None, 12.0]
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl

from thalweg.checks import require
from thalweg.tables.choices import DECIMALS, LIMITS, THOUSANDS
from thalweg.tables.forms.form import ColumnKind, Form, is_text, nothing
from thalweg.tables.forms.missing import NUMBER_TEXTS
from thalweg.tables.forms.texts import BOOLEANS, written

SPACE = "[ \u00a0\u2009\u202f]"
MINUS = r"\-" "\u2010\u2011\u2212\u2013\ufe63\uff0d"
"""Characters that stand for a minus, the plain one first."""

SEPARATORS = {"space": SPACE, "'": "['’ʼ´`]"}
"""How thousands are separated where more than one character does it."""

EXACT = 2**53
"""Up to here every whole number is one of 64 bits with a point."""

LONG = r"[0-9](?:.*[0-9]){15}"
"""What a whole number beyond that has at least."""

ZERO = "0+(?:[.,]0*)?"
LIMIT = "(?:[<>]=?|[≤≥])"
WORDS = {word: str(place) for pair in BOOLEANS for place, word in enumerate(pair)}


@dataclass(frozen=True)
class NumberForm(Form):
    """Numbers in one way of writing.

    Arguments:
        missing: texts that mean "missing" beside those that always do.
        decimal: between the whole and the rest, a point or a comma.
        thousands: between groups of three digits: ``,``, ``.``, ``'``, ``space``,
            or nothing.
        prefix, suffix: what each cell has before or behind it, such as $ or kg.
        bare: whether that may lack.
        accounting: whether numbers in parentheses, or with a minus behind, are below 0.
        limits: what <0.5 is: ``bound``, so 0.5; ``missing``; or nothing that is read.
        words: whether yes and no are 1 and 0, as training had no other numbers.

    >>> NumberForm(suffix="kg", decimal=",").understood(pl.Series(["4,5 kg"])).to_list()
    [4.5]
    """

    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""
    bare: bool = False
    accounting: bool = False
    limits: str = ""
    words: bool = field(default=False, compare=False)
    kind: ClassVar[ColumnKind] = "number"
    name: ClassVar[str] = "number"

    @property
    def meaning(self) -> pl.DataType:
        """float64."""
        return pl.Float64()

    @property
    def plain(self) -> bool:
        """Whether numbers are written as Python writes them."""
        affix = self.prefix or self.suffix or self.accounting or self.limits
        return self.decimal == "." and not (self.thousands or affix)

    @property
    def affix(self) -> str:
        """What stands at each number, as it is said."""
        return self.prefix or self.suffix

    @property
    def between(self) -> str:
        """The pattern of what separates thousands; nothing where nothing does."""
        return SEPARATORS.get(self.thousands, re.escape(self.thousands))

    @property
    def pattern(self) -> str:
        """A number with groups for: (, sign, sign, whole, rest, rest, exponent, −, ).

        Of two signs and two rests one is there at most; of a bare 0 there is no group.
        """
        sign, gap = f"([+{MINUS}])", f"{SPACE}*"
        digits = "[0-9]+"
        if between := self.between:
            groups = f"(?:{between}[0-9]{{3}})+"
            lakhs = "[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}|" if between == "," else ""
            digits = f"(?:[1-9][0-9]{{0,2}}{groups}|{lakhs}[0-9]+)"
        point = re.escape(self.decimal)
        body = f"(?:({digits})(?:{point}([0-9]*))?|{point}([0-9]+))([eE][+-]?[0-9]+)?"
        limit = f"(?:{LIMIT}{gap})?" if self.limits else ""
        before = f"(?:{unit_pattern(self.prefix)}{gap})" if self.prefix else ""
        behind = f"(?:{gap}{unit_pattern(self.suffix)})" if self.suffix else ""
        if self.bare:
            before, behind = (before and before + "?"), (behind and behind + "?")
        opened, after, closed = (
            (f"(\\()?{gap}", f"{gap}(-)?", f"{gap}(\\))?")
            if self.accounting
            else ("()", "()", "()")
        )
        start = f"{sign}?()"
        if before:
            start = f"(?:{sign}{gap}{before}|{before}{sign}?)"
        number = f"{limit}{opened}{start}{gap}{body}{behind}{after}{closed}"
        # Of nothing there is as much in every unit.
        return f"^(?:{number}|{ZERO})$" if self.affix else f"^{number}$"

    def __post_init__(self) -> None:
        require(self.decimal in DECIMALS, "decimal", ". or ,", self.decimal)
        for what, known in (("thousands", THOUSANDS), ("limits", LIMITS)):
            value = getattr(self, what)
            require(value in ("", *known), what, f"one of {', '.join(known)}", value)
        fits = self.decimal != self.thousands
        require(fits, "thousands", "another separator than decimal", self.thousands)

    def read(self, column: pl.Series) -> pl.Series:
        """The numbers, infinity where one is too large."""
        if isinstance(column.dtype, pl.Duration):
            return column.dt.total_microseconds().cast(pl.Float64) / 1e6
        if column.dtype.is_temporal():
            return nothing(column, self.meaning)
        if is_text(column.dtype):
            return self._from_texts(column.cast(pl.String))
        numbers = column.cast(pl.Float64, strict=False)
        # A sum is found sooner than a NaN, and is NaN if a number is.
        return numbers.fill_nan(None) if math.isnan(numbers.sum()) else numbers

    def _from_texts(self, texts: pl.Series) -> pl.Series:
        if not self.plain:
            return self._matched(texts)
        numbers = texts.cast(pl.Float64, strict=False)
        if math.isnan(numbers.sum()):
            numbers = numbers.fill_nan(None)
        if numbers.null_count() == texts.null_count():
            return numbers
        # Few cells are left: a minus of another kind, or nothing that is a number.
        left = numbers.is_null() & texts.is_not_null()
        rest = self._matched(texts.filter(left))
        if rest.null_count() == len(rest):
            return numbers
        places = left.arg_true()
        return numbers.scatter(places, rest)

    def _matched(self, texts: pl.Series) -> pl.Series:
        """By the pattern."""
        parts = self.groups(texts)
        value = pl.concat_str(
            pl.when(NEGATIVE).then(pl.lit("-")).otherwise(pl.lit("")), WHOLE,
            pl.lit("."), REST, pl.col("7").fill_null(""),
        )  # fmt: skip
        found = pl.when(MATCHED).then(value).cast(pl.Float64, strict=False)
        numbers = parts.select(found).to_series()
        if self.affix:
            zero = pl.when(texts.str.contains(f"^{ZERO}$")).then(0.0)
            numbers = pl.select(pl.coalesce(numbers, zero)).to_series()
        if self.limits == "missing":
            numbers = pl.select(
                pl.when(~texts.str.contains(f"^{LIMIT}")).then(numbers)
            ).to_series()
        if self.words:
            said = texts.str.to_lowercase().replace_strict(
                WORDS, default=None, return_dtype=pl.Float64
            )
            numbers = pl.select(pl.coalesce(numbers, said)).to_series()
        return numbers

    def groups(self, texts: pl.Series) -> pl.DataFrame:
        """What the groups of the pattern hold, the thousands' separators taken out."""
        parts = texts.str.extract_groups(self.pattern).struct.unnest()
        if not self.thousands:
            return parts
        return parts.with_columns(pl.col("4").str.replace_all(self.between, ""))

    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """All that is no number in anybody's eyes; limits, if they were declared so."""
        absent = texts.str.to_lowercase().is_in(NUMBER_TEXTS)
        if self.limits == "missing":
            absent |= texts.str.contains(f"^{LIMIT}")
        return absent

    def labels(self, column: pl.Series) -> pl.Series:
        """Numbers as texts, whole ones exact in all their digits."""
        if not is_text(column.dtype):
            return written(column)
        texts = column.cast(pl.String)
        parts = self.groups(texts)
        rest = pl.coalesce("5", "6").fill_null("")
        whole = MATCHED & pl.col("7").is_null() & rest.str.contains("^0*$")
        digits = WHOLE.str.strip_chars_start("0").str.replace("^$", "0")
        negative = NEGATIVE & (digits != "0")
        sign = pl.when(negative).then(pl.lit("-")).otherwise(pl.lit(""))
        exact = parts.select(
            pl.when(whole).then(pl.concat_str(sign, digits))
        ).to_series()
        numbers = written(self.understood(texts))
        understood = pl.select(pl.coalesce(exact, numbers)).to_series()
        return understood.zip_with(~self.absent(texts), nothing(texts, pl.String()))

    def exceeds(self, column: pl.Series) -> bool:
        """Whether a whole number is too long for 64 bits with a point."""
        if column.dtype.is_float() or not (
            column.dtype.is_numeric() or is_text(column.dtype)
        ):
            return False
        if (
            is_text(column.dtype)
            and not column.cast(pl.String).str.contains(LONG).any()
        ):
            return False
        labels = self.labels(column)
        long = labels.filter(labels.str.contains(r"^-?[0-9]{16,}$"))
        # Python reads no whole number of 4,300 digits.
        longer = long.str.contains("[0-9]{17}").any()
        return longer or any(abs(int(text)) > EXACT for text in long.unique())


WHOLE = pl.col("4").fill_null("0")
REST = pl.coalesce("5", "6").fill_null("0").replace("", "0")
OPEN, CLOSED = (pl.col(name).fill_null("") != "" for name in ("1", "9"))
BELOW = (
    OPEN.cast(pl.UInt8)
    + sum(pl.col(name).str.contains(f"[{MINUS}]").fill_null(False) for name in "23")
    + (pl.col("8").fill_null("") == "-")
)
"""How many signs say that a number is below 0; by two of them nobody knows."""

NEGATIVE = BELOW == 1
MATCHED = pl.coalesce("4", "6").is_not_null() & (OPEN == CLOSED) & (BELOW < 2)


def unit_pattern(unit: str) -> str:
    """A unit in large and small letters, one or many of it, if it is a word.

    A letter or two can be other units in large and in small (mW and MW, m and M).

    >>> [bool(re.fullmatch(unit_pattern("hours"), u)) for u in ("Hour", "hours.", "h")]
    [True, True, False]
    """
    if len(unit) < 3 or not unit.isalpha():
        return re.escape(unit)
    stem = unit[:-1] if unit.lower().endswith("s") else unit
    return f"(?i:{re.escape(stem)}s?)\\.?"


@dataclass(frozen=True)
class DurationForm(Form):
    """How long something took, as hours:minutes[:seconds], perhaps after days.

    >>> DurationForm().understood(pl.Series(["28:16:00", "1 day, 0:00:01"])).to_list()
    [101760.0, 86401.0]
    """

    kind: ClassVar[ColumnKind] = "number"
    name: ClassVar[str] = "duration"
    pattern: ClassVar[str] = (
        f"^([+{MINUS}])?(?:([0-9]+) days?,? *)?([0-9]+):([0-5][0-9])"
        r"(?::([0-5][0-9](?:[.,][0-9]+)?))?$"
    )

    @property
    def meaning(self) -> pl.DataType:
        """float64."""
        return pl.Float64()

    def read(self, column: pl.Series) -> pl.Series:
        """Seconds."""
        if not is_text(column.dtype):
            return NumberForm().read(column)
        parts = column.cast(pl.String).str.extract_groups(self.pattern).struct.unnest()
        days, hours, minutes, seconds = (
            pl.col(name).fill_null("0").str.replace(",", ".").cast(pl.Float64)
            for name in ("2", "3", "4", "5")
        )
        total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
        negative = pl.col("1").str.contains(f"[{MINUS}]").fill_null(False)
        signed = pl.when(negative).then(-total).otherwise(total)
        return parts.select(pl.when(pl.col("3").is_not_null()).then(signed)).to_series()

    def usually_missing(self, texts: pl.Series) -> pl.Series:
        """All that is no number in anybody's eyes."""
        return texts.str.to_lowercase().is_in(NUMBER_TEXTS)

    def labels(self, column: pl.Series) -> pl.Series:
        """Seconds as texts."""
        return written(self.understood(column))
