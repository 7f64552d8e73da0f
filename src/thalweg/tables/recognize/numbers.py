r"""Recognize how numbers are written.

Of each text the shape is found first: signs, affix, digits with what separates them.
The affix that most have is taken off; then each reading of the separators is tried, and
the one that reads most is taken. Two that read as many, and differ, are an error:

>>> from thalweg.tables.table import Table
>>> cells = ["$1,234", "$12,500", "$980"]
>>> table = Table.of("prices", pl.DataFrame({"price": cells}))
>>> recognize_numbers(Cells.of(table, "price"))
Traceback (most recent call last):
thalweg.errors.DataError: prices, row 1, column 'price': ...
>>> table = Table.of("prices", pl.DataFrame({"price": [*cells, "$9.99"]}))
>>> recognize_numbers(Cells.of(table, "price")).said
"'$' taken off 4 cells, thousands separated by ','"
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.declared import way
from thalweg.tables.forms.numbers import LIMIT, MINUS, SPACE, NumberForm
from thalweg.tables.recognize.cells import Cells
from thalweg.words import counted, listed

CURRENCIES = (
    *("USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "CNY", "RMB", "HKD"),
    *("SGD", "INR", "KRW", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN"),
    *("TRY", "RUB", "UAH", "ILS", "AED", "SAR", "EGP", "ZAR", "NGN", "KES", "BRL"),
    *("MXN", "ARS", "CLP", "COP", "PEN", "THB", "VND", "IDR", "MYR", "PHP", "TWD"),
)
OTHER_CURRENCIES = ("Rs", "kr", "Fr", "zł", "Kč", "Ft", "lei", "RM", "Rp")
CURRENCY = (
    rf"^(?:[A-Z]{{0,3}}\p{{Sc}}|{'|'.join((*CURRENCIES, *OTHER_CURRENCIES))})\.?$"
)
"""What stands before numbers as a currency; other words there make a label."""

SIGNS = frozenset("$€£¥₹₽₩₺₴₪฿₫₦₱")
"""Of currencies, which may stand behind numbers too."""

LEAST_NUMBERS = 3
"""With fewer different numbers beside them, limits are classes (<10, 10, >10)."""

UNITS = frozenset(
    (
        *("%", "‰", "bp", "pp", "kg", "g", "mg", "µg", "t", "lb", "lbs", "oz", "st"),
        *("km", "m", "cm", "mm", "µm", "nm", "mi", "mile", "miles", "ft", "feet", "in"),
        *("inch", "inches", "yd", "m2", "m²", "km2", "km²", "ha", "acre", "acres"),
        *("sqft", "sq ft", "ft2", "ft²", "sqm", "m3", "m³", "l", "ml", "cl", "gal"),
        *("km/h", "kmh", "kph", "mph", "m/s", "kn", "knots", "°c", "°f", "°"),
        *("s", "sec", "secs", "second", "seconds", "ms", "min", "mins", "minute"),
        *("minutes", "h", "hr", "hrs", "hour", "hours", "d", "day", "days", "w", "wk"),
        *("week", "weeks", "month", "months", "mo", "y", "yr", "yrs", "year", "years"),
        *("kw", "mw", "gw", "wh", "kwh", "mwh", "kv", "mv", "ma", "hz"),
        *("khz", "mhz", "ghz", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "px"),
        *("pa", "hpa", "kpa", "bar", "mbar", "psi", "mmhg", "mol", "mmol", "mmol/l"),
        *("mg/l", "g/l", "mg/dl", "µg/l", "kcal", "cal", "kj", "mio", "mrd"),
        *("mn", "bn", "million", "millions", "billion", "thousand", '"', "'"),
    )
)
"""Units, in small letters: a column that mixes them is no column of labels."""

MAGNITUDES = ("k", "K", "M", "B")
"""The only units of one letter that may be a large one; others may be seats."""

BODY = r"[0-9](?:[0-9.,'’ʼ´` \x{a0}\x{2009}\x{202f}]*[0-9])?[.,]?|[.,][0-9]+"
SHAPE = (
    rf"^(?P<limit>{LIMIT})?{SPACE}*(?P<open>\()?{SPACE}*(?:[+{MINUS}]{SPACE}*)?"
    rf"(?P<prefix>[\p{{L}}\p{{Sc}}][\p{{L}}\p{{Sc}}.]{{0,5}}?)?{SPACE}*"
    rf"(?:[+{MINUS}])?{SPACE}*(?P<body>{BODY})(?:[eE][+-]?[0-9]+)?{SPACE}*"
    rf"(?P<suffix>(?:/\p{{L}}|[^0-9\s.,+(){MINUS}<>=/:])[^0-9()<>=]*?[23]?)?{SPACE}*"
    rf"(?P<after>-)?"
    rf"(?P<close>\))?$"
)
SEPARATING = {",": ",", ".": r"\.", "'": "['’ʼ´`]", "space": SPACE}
"""What may separate thousands, and the pattern that finds it."""

MARK = "\x00"


@dataclass(frozen=True)
class RecognizedNumbers:
    """What was recognized.

    Arguments:
        form: how the numbers are written.
        cells: those that aren't missing.
        read: which of their different texts the form reads.
        said: what is worth saying of the form; nothing where it is plain.
    """

    form: NumberForm
    cells: Cells
    read: pl.Series
    said: str = ""


def recognize_numbers(cells: Cells) -> RecognizedNumbers | None:
    """How most cells are written as numbers; None where most aren't numbers.

    Raises:
        DataError: they are numbers in two units, or may be two different numbers each.
    """
    said = cells.said
    start = NumberForm(
        said.missing_numbers, limits=said.limits, bare=said.kind == "number"
    )
    known = cells.known(start)
    if not known.total():
        return None
    plain = RecognizedNumbers(start, known, known.read_by(start))
    if said.decimal in ("", ".") and not said.thousands and plain.read.all():
        return plain
    shapes = _shapes(known)
    numbers = shapes["body"].is_not_null()
    limits = numbers & shapes["limit"].is_not_null()
    if not said.limits and _are_classes(numbers, limits):
        numbers &= ~limits
    if 2 * known.number_of(numbers) <= known.total():
        return plain if _most(plain) else None
    if said.limits or not (numbers & limits).any():
        return _most_readable(known, start, shapes)
    # How limits are written is known by the numbers; what they are was to be said.
    found = _most_readable(known, replace(start, limits="bound"), shapes)
    if found is None:
        return None
    form = replace(found.form, limits="")
    return replace(found, form=form, read=known.read_by(form))


def _are_classes(numbers: pl.Series, limits: pl.Series) -> bool:
    """Whether limits, as <=50K and >50K, are classes: hardly a number is among them."""
    return int((numbers & ~limits).sum()) < LEAST_NUMBERS


def _most(found: RecognizedNumbers) -> bool:
    return 2 * found.cells.number_of(found.read) > found.cells.total()


def _shapes(cells: Cells) -> pl.DataFrame:
    """The parts of each text, null where it can't be a number."""
    parts = cells.texts.str.extract_groups(SHAPE).struct.unnest()
    label = pl.col("prefix").is_not_null() & ~pl.col("prefix").str.contains(CURRENCY)
    per = pl.col("suffix").str.strip_prefix("/").str.to_lowercase()
    rate = pl.col("suffix").str.starts_with("/").fill_null(False)
    label |= rate & ~per.is_in(list(UNITS))  # 5/h, but not a house's number 5/a
    closed = pl.col("open").is_null() == pl.col("close").is_null()
    return parts.with_columns(
        body=pl.when(~label & closed).then(pl.col("body")),
        unit=pl.concat_str(
            pl.col("prefix").fill_null("").str.strip_suffix("."),
            pl.lit(MARK),
            _unit(pl.col("suffix").fill_null("")),
        ),
    )


def _unit(suffix: pl.Expr) -> pl.Expr:
    """Words alike whatever their letters' case, and however many; short units as is."""
    word = suffix.str.contains(r"^\p{L}{3,}\.?$")
    stem = suffix.str.to_lowercase().str.strip_suffix(".").str.strip_suffix("s")
    return pl.when(word).then(stem).otherwise(suffix)


def _most_readable(
    cells: Cells, start: NumberForm, shapes: pl.DataFrame
) -> RecognizedNumbers | None:
    """By the affix that most numbers have, and the separators that fit them."""
    numbers = shapes["body"].is_not_null()
    units = shapes.with_columns(cells.rows.alias("rows")).filter(numbers)
    spelled = units.group_by("unit", "prefix", "suffix").agg(pl.col("rows").sum())
    names, falling = ["rows", "unit", "prefix", "suffix"], [True, False, False, False]
    by_unit = (
        spelled.sort(names, descending=falling)
        .group_by("unit", maintain_order=True)
        .agg(pl.col("rows").sum(), pl.col("prefix", "suffix").first())
        .sort(names, descending=falling)
    )
    most = by_unit.row(0, named=True)
    if 2 * most["rows"] <= cells.total():
        _refuse_mixed_units(cells, by_unit["unit"].to_list())
        return None
    own = (shapes["unit"] == most["unit"]) & numbers
    accounting = own & (shapes["close"].is_not_null() | shapes["after"].is_not_null())
    form = replace(
        start,
        prefix=(most["prefix"] or ""),
        suffix=(most["suffix"] or ""),
        accounting=bool(accounting.any()),
    )
    bodies = shapes["body"].filter(own)
    return _with_separators(cells, form, bodies)


def _refuse_mixed_units(cells: Cells, units: Sequence[str]) -> None:
    """An error where all are units, of which none is that of most cells."""
    words = [unit.replace(MARK, "") for unit in units]
    if not all(_is_unit(unit) for unit in units):
        return
    named = listed([word for word in words if word], most=4)
    bare = " and none" if "" in words else ""
    first = cells.first(pl.Series([True] * len(cells.texts)))
    raise DataError(
        f"{cells.place(first)}: numbers must be in one unit, but are in {named}{bare}; "
        f"write them in one, or {way(cells.table, 'category', cells.name)} takes all "
        f"cells as texts and {way(cells.table, 'ignore', cells.name)} leaves them out"
    )


def _is_unit(unit: str) -> bool:
    prefix, _, suffix = unit.partition(MARK)
    if (len(suffix) == 1 and suffix.isupper()) or suffix in MAGNITUDES:
        return suffix in MAGNITUDES
    unit = suffix.lower().removeprefix("/")
    currency = bool(prefix) or unit.upper() in CURRENCIES or suffix in SIGNS
    return currency or unit in UNITS or suffix in ("", *OTHER_CURRENCIES)


# Separators ---------------------------------------------------------------------------


def _with_separators(
    cells: Cells, form: NumberForm, bodies: pl.Series
) -> RecognizedNumbers | None:
    """The reading of separators that most cells have; None where most have none.

    Raises:
        DataError: two readings have as many, and differ.
    """
    found = [
        RecognizedNumbers(each, cells, cells.read_by(each))
        for each in _readings(form, cells, bodies)
    ]
    counts = [each.cells.number_of(each.read) for each in found]
    readable = pl.select(pl.any_horizontal([each.read for each in found])).to_series()
    if 2 * cells.number_of(readable) <= cells.total():
        return None
    best = [each for each, n in zip(found, counts, strict=True) if n == max(counts)]
    chosen = best[0]
    for other in best[1:]:
        if _differ(chosen, other):
            _refuse_either(cells, chosen.form, other.form)
    return replace(chosen, said=_in_words(chosen, bodies))


def _readings(form: NumberForm, cells: Cells, bodies: pl.Series) -> list[NumberForm]:
    """What separators may mean, the plainest first.

    A lone point is decimal: where nothing else separates, it doesn't mean thousands
    unless a number has two of them.
    """
    said = cells.said
    there = [
        name for name, what in SEPARATING.items() if bodies.str.contains(what).any()
    ]
    decimals = [said.decimal] if said.decimal else [".", ","]
    thousands = ["", *there]
    if said.thousands:
        thousands = ["" if said.thousands == "none" else said.thousands]
    lone = there == ["."] and not bodies.str.contains(r"\..*\.").any()
    return [
        replace(form, decimal=decimal, thousands=separator)
        for separator, decimal in product(thousands, decimals)
        if separator != decimal
        and (decimal in there or decimal == (said.decimal or _point_beside(separator)))
        and not (lone and separator == "." and not said.thousands and not said.decimal)
    ]


def _point_beside(separator: str) -> str:
    return "," if separator == "." else "."


def _differ(one: RecognizedNumbers, other: RecognizedNumbers) -> bool:
    both = one.read & other.read
    texts = one.cells.texts
    if not one.read.equals(other.read):
        return True
    first, second = (each.form.understood(texts).filter(both) for each in (one, other))
    return not first.equals(second)


def _refuse_either(cells: Cells, one: NumberForm, other: NumberForm) -> None:
    """Raises:
    DataError: shows both readings of a cell, and what decides.
    """
    texts = cells.texts
    values = [form.understood(texts).fill_null(float("nan")) for form in (one, other)]
    text = cells.first((values[0] != values[1]).fill_null(True))
    place = list(texts).index(text)
    readings = [
        f"{_shown(value[place])} ({_way_of(cells, form)})"
        for value, form in zip(values, (one, other), strict=True)
    ]
    cells.refuse_either(text, readings)


def _shown(value: float) -> str:
    return "no number" if value != value else f"{value:,.15g}".replace(",", "")


def _way_of(cells: Cells, form: NumberForm) -> str:
    if form.thousands:
        return way(cells.table, "thousands", form.thousands)
    return way(cells.table, "decimal", form.decimal)


def _in_words(found: RecognizedNumbers, bodies: pl.Series) -> str:
    """What is worth saying of how numbers are written."""
    form, cells = found.form, found.cells
    parts: list[str] = []
    affixes = [repr(each) for each in (form.prefix, form.suffix) if each]
    if affixes:
        taken = counted(cells.number_of(found.read), "cell")
        parts.append(f"{' and '.join(affixes)} taken off {taken}")
    if form.decimal == "," and bodies.str.contains(",").any():
        parts.append("decimal comma")
    if form.thousands and bodies.str.contains(SEPARATING[form.thousands]).any():
        word = form.thousands if form.thousands == "space" else repr(form.thousands)
        parts.append(f"thousands separated by {word}")
    if form.accounting:
        parts.append("parentheses or a minus behind mean below 0")
    return ", ".join(parts)
