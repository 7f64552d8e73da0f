"""Columns of numbers as people write them, whose values are known beforehand.

Each function draws a column of one kind and gives what its cells mean. What can't be
told from the cells is found out by the other readings that there are, in Python's `re`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Any

from written_column import EVERYWHERE, Decision, Written, with_missing

MINUSES = ("-", "-", "-", "\u2212", "\u2010", "\u2011", "\u2013", "\ufe63", "\uff0d")
SPACES = (" ", "\u00a0", "\u2009", "\u202f")
SEPARATORS = (
    *((".", ""), (".", ""), (".", ","), (".", "'"), (".", "’"), (",", ""), (",", ".")),
    *((",", "'"), (".", "lakh")),
    *((decimal, space) for decimal in ".," for space in SPACES),
)
PREFIXES = ("$", "€", "£", "US$", "EUR ", "CHF ", "kr ", "Rs ", "Rs. ", "₹", "$ ", "R$")
SUFFIXES = (
    *("%", " %", " kg", "kg", "cm", " km/h", "°C", " m²", "\u00a0kWh", " €", " USD"),
    *(" mg/l", "\u202f%", " k", "ms", "lbs", " zł", "‰", " mmHg", "°"),
)
WORDS = (("hour", "hours"), ("day", "days"), ("Minute", "minutes"), ("mile", "Miles"))
NAMED = {"": "none", "’": "'", "lakh": ",", **dict.fromkeys(SPACES, "space")}


@dataclass(frozen=True)
class Style:
    """How the numbers of a column are written.

    Arguments:
        decimal, thousands: between digits; "lakh" is a comma as in India.
        before, behind: what each has, with the space that belongs to it.
        negative: what stands for a minus: a sign; one behind a prefix; ``()``; or
            ``behind``.
        plus: whether numbers above 0 may have a sign.
    """

    decimal: str = "."
    thousands: str = ""
    before: str = ""
    behind: str = ""
    negative: str = "-"
    plus: bool = False

    def body(self, number: Decimal) -> str:
        """The digits, with what separates them."""
        whole, _, rest = f"{abs(number):f}".partition(".")
        return self.grouped(whole) + (self.decimal + rest if rest else "")

    def grouped(self, whole: str) -> str:
        """The whole part, in groups of three; in India of two before the last."""
        if not self.thousands:
            return whole
        if self.thousands != "lakh":
            return f"{int(whole):,}".replace(",", self.thousands)
        head, last = whole[:-3], whole[-3:]
        pairs = re.sub(r"(?<=\d)(?=(?:\d\d)+$)", ",", head)
        return f"{pairs},{last}" if head else last

    def write(self, number: Decimal, choose: random.Random) -> str:
        """The number as a cell."""
        sign = "+" if self.plus and choose.random() < 0.3 else ""
        return self.signed(self.body(number), number < 0, sign)

    def signed(self, body: str, below: bool, sign: str = "") -> str:
        """A number's digits with its affix and sign."""
        if below and self.negative == "()":
            return f"({self.before}{body}{self.behind})"
        if below and self.negative == "behind":
            return f"{self.before}{body}{self.behind}-"
        if below:
            inside = self.negative.startswith("inside")
            sign = self.negative.removeprefix("inside")
            if inside:
                return f"{self.before}{sign}{body}{self.behind}"
        return f"{sign}{self.before}{body}{self.behind}"


def style_of(choose: random.Random) -> Style:
    """A way to write numbers."""
    decimal, thousands = choose.choice(SEPARATORS)
    before = choose.choice(PREFIXES) if choose.random() < 0.3 else ""
    behind = choose.choice(SUFFIXES) if not before and choose.random() < 0.4 else ""
    negative = choose.choice(MINUSES)
    if before and choose.random() < 0.3:
        negative = "inside" + negative
    elif choose.random() < 0.15:
        negative = choose.choice(("()", "behind"))
    return Style(decimal, thousands, before, behind, negative, choose.random() < 0.1)


def drawn(choose: random.Random, rows: int) -> list[Decimal]:
    """Numbers of one size, of which two differ."""
    places = choose.choice((0, 0, 1, 2, 2, 3, 6))
    most = 10 ** choose.choice((2, 3, 4, 6, 9))
    below = choose.random() < 0.4
    size = [choose.randrange(1, most) for _ in range(rows)]
    ends = 10**places
    found = [Decimal(n) + Decimal(choose.randrange(ends)).scaleb(-places) for n in size]
    found = [-n if below and choose.random() < 0.4 else n for n in found]
    found[0], found[1] = Decimal(most), Decimal(most) / 2
    return found


# What can't be told -------------------------------------------------------------------


def values_by(decimal: str, thousands: str, bodies: list[str]) -> list[Decimal] | None:
    """What bodies mean by a reading of their separators; None if one means nothing."""
    between = {"space": "[ \u00a0\u2009\u202f]", "'": "['’]"}.get(
        thousands, re.escape(thousands)
    )
    groups = rf"[1-9]\d{{0,2}}(?:{between}\d{{3}})+|" if thousands else ""
    lakhs = r"[1-9]\d?(?:,\d\d)+,\d{3}|" if thousands == "," else ""
    pattern = rf"(?P<whole>{groups}{lakhs}\d+)(?:{re.escape(decimal)}(?P<rest>\d*))?"
    values: list[Decimal] = []
    for body in bodies:
        found = re.fullmatch(pattern, body)
        if found is None:
            return None
        whole = re.sub(between, "", found["whole"]) if thousands else found["whole"]
        values.append(Decimal(f"{whole}.{found['rest'] or '0'}"))
    return values


def other_readings(style: Style, bodies: list[str]) -> Iterator[list[Decimal]]:
    """What the bodies mean by other separators, where all mean something else."""
    thousands = NAMED.get(style.thousands, style.thousands).replace("none", "")
    own = values_by(style.decimal, thousands, bodies)
    for decimal, between in product(".,", ("", ",", ".", "'", "space")):
        values = values_by(decimal, between, bodies) if decimal != between else None
        if values is not None and values != own:
            yield values


def judged(written: Written, style: Style, bodies: list[str]) -> Written | None:
    """The column with what may be said of it; None where its reading is a rule's.

    A lone point is decimal, whatever it was meant for.
    """
    separating = {
        character for body in bodies for character in body if not character.isdigit()
    }
    lone = separating <= {"."} and not any(body.count(".") > 1 for body in bodies)
    if lone and style.thousands == ".":
        return None
    if (lone and style.decimal == ".") or not [*other_readings(style, bodies)]:
        return written
    thousands = NAMED.get(style.thousands, style.thousands)
    separator = "," if style.thousands == "lakh" else style.thousands
    used = separator and any(separator in body for body in bodies)
    option = ("thousands", thousands) if used else ("decimal", style.decimal)
    decision = Decision(*option, "number", written.meant)
    return replace(written, refusal="may", decisions=(decision,))


# Kinds --------------------------------------------------------------------------------


def styled(choose: random.Random, name: str, rows: int) -> Written | None:
    """Numbers with affixes and separators."""
    style = style_of(choose)
    numbers = drawn(choose, rows)
    cells = [style.write(number, choose) for number in numbers]
    what = "numbers with an affix" if style.before or style.behind else "numbers"
    written = Written(name, what, "number", cells, [*map(float, numbers)])
    bodies = [style.body(number) for number in numbers]
    return judged(with_missing(written, choose), style, bodies)


def declared(choose: random.Random, name: str, rows: int) -> Written | None:
    """The same, and it is said how."""
    style = style_of(choose)
    numbers = drawn(choose, rows)
    cells = [style.write(number, choose) for number in numbers]
    written = Written(
        name, "numbers, declared", "number", cells, [*map(float, numbers)]
    )
    thousands = NAMED.get(style.thousands, style.thousands)
    settings = {"decimal": style.decimal, "thousands": thousands}
    if choose.random() < 0.3:
        settings["number"] = name
    return replace(with_missing(written, choose), settings=settings)


def units_of_words(choose: random.Random, name: str, rows: int) -> Written:
    """One of it, or many: 1 hour, 2 hours."""
    one, many = choose.choice(WORDS)
    numbers = [choose.randrange(4) for _ in range(rows)]
    numbers[:2] = 1, 2
    cells = [f"{number} {one if number == 1 else many}" for number in numbers]
    cells = [cell if choose.random() < 0.9 else cell.lower() for cell in cells]
    cells = [
        "0" if cell.startswith("0") and choose.random() < 0.5 else cell
        for cell in cells
    ]
    written = Written(name, "units of words", "number", cells, [*map(float, numbers)])
    return with_missing(written, choose)


def exponents(choose: random.Random, name: str, rows: int) -> Written:
    """1e3, 2.5E-07, ,5e+3."""
    decimal = choose.choice("..,")
    behind = choose.choice(("", "", " kg", "%"))
    cells: list[str] = []
    numbers: list[float] = []
    for row in range(rows):
        digits = choose.choice(("1", "2.5", "12.", ".75", "-3.25", "+4", "0.5", "10"))
        digits = "1.5" if row == 0 else digits
        power = choose.choice(("e3", "E-07", "e+05", "E2", ""))
        power = "e1" if row == 1 else power
        numbers.append(float(digits + power))
        cells.append(digits.replace(".", decimal) + power + behind)
    return with_missing(Written(name, "exponents", "number", cells, numbers), choose)


def percent_of_whole(choose: random.Random, name: str, rows: int) -> Written:
    """Whole percentages, of which nothing may lack its sign."""
    numbers = [float(choose.randrange(101)) for _ in range(rows)]
    numbers[:2] = 3.0, 40.0
    cells = [
        "0" if not number and choose.random() < 0.5 else f"{number:.0f}%"
        for number in numbers
    ]
    return with_missing(Written(name, "percent", "number", cells, numbers), choose)


def mixed_units(choose: random.Random, name: str, rows: int) -> Written:
    """Two units, of which either may be that of most cells."""
    pairs = (
        *((" kg", " lb"), ("°C", "°F"), ("%", ""), (" km", " miles"), ("ms", "min")),
        *((" €", " $"), (" EUR", " USD"), ("k", "M"), (" hours", " days")),
    )
    one, other = choose.choice(pairs)
    many = choose.choice((1, rows // 4, rows // 2))
    units = [other] * max(1, many) + [one] * (rows - max(1, many))
    choose.shuffle(units)
    cells = [f"{choose.randrange(1, 99)}.5{unit}" for unit in units]
    decision = Decision("category", name, "category", cells)
    return Written(
        name,
        "mixed units",
        "number",
        cells,
        cells,
        refusal="must",
        decisions=(decision,),
    )


def limits(choose: random.Random, name: str, rows: int) -> Written:
    """Some numbers are only known to be below or above another."""
    behind, gap = choose.choice(("", "", " kg", "%")), choose.choice(("", "", " "))
    numbers = [choose.randrange(1, 400) / 4 for _ in range(rows)]
    numbers[:2] = 0.25, 0.5
    marks = [
        choose.choice(("<", ">", "<=", ">=", "≤", "≥")) + gap
        if choose.random() < 0.25 or row == 2
        else ""
        for row in range(rows)
    ]
    marks[rows // 2 + 1 :] = [""] * len(marks[rows // 2 + 1 :])
    cells = [f"{mark}{n:g}{behind}" for mark, n in zip(marks, numbers, strict=True)]
    missing = [None if mark else n for mark, n in zip(marks, numbers, strict=True)]
    asked = choose.choice(("", "bound", "missing"))
    meant: list[Any] = missing if asked == "missing" else list(numbers)
    written = Written(name, "limits", "number", cells, meant)
    if asked:
        return replace(written, settings={"limits": asked})
    decisions = (
        Decision("limits", "bound", "number", list(numbers)),
        Decision("limits", "missing", "number", missing),
    )
    return replace(written, refusal="must", decisions=decisions)


def whole_beyond(choose: random.Random, name: str, rows: int) -> Written:
    """Whole numbers that a float would round: texts."""
    start = choose.choice((2**53 + 1, 10**17, 2**63 - 3, 2**64 - 3, 10**25))
    cells = [str(start + choose.randrange(5)) for _ in range(rows)]
    cells[:2] = str(start + 1), str(start + 2)
    if choose.random() < 0.3:
        cells[2] = "7"
    written = Written(name, "whole beyond 2^53", "category", cells, list(cells))
    return with_missing(written, choose, rarely=True)


def zeros_in_front(choose: random.Random, name: str, rows: int) -> Written:
    """7, 07 and 007 are three codes, and one number where that is declared."""
    cells = [choose.choice(("7", "07", "007", "12", "012")) for _ in range(rows)]
    cells[:2] = "07", "12"
    if choose.random() < 0.3:
        numbers = [*map(float, cells)]
        asked = Written(name, "codes as numbers", "number", cells, numbers)
        return with_missing(replace(asked, settings={"number": name}), choose)
    written = Written(name, "zeros in front", "category", cells, list(cells))
    return with_missing(written, choose, rarely=True)


def plain(choose: random.Random, name: str, rows: int) -> Written:
    """What Python writes; also as categories, where that is declared."""
    whole = choose.random() < 0.5
    numbers = [
        float(choose.randrange(-50, 1000)) if whole else choose.gauss(0, 100)
        for _ in range(rows)
    ]
    numbers[:2] = 3.0, 7.0
    cells = [f"{number:.0f}" if whole else repr(number) for number in numbers]
    if choose.random() < 0.2:
        asked = Written(name, "numbers as categories", "category", cells, list(cells))
        return replace(asked, settings={"category": name})
    return with_missing(Written(name, "plain", "number", cells, numbers), choose)


def one_in_words(choose: random.Random, name: str, rows: int) -> Written:
    """Numbers, and a word that nobody knows: missing only where it is declared."""
    words = ("refused", "see note", "-999", "lots", "n/k", "1 or 2", "3x4", EVERYWHERE)
    word = choose.choice(words)
    style = replace(style_of(choose), decimal=".", thousands="", negative="-")
    numbers = [float(choose.randrange(1, 900)) for _ in range(rows)]
    numbers[:2] = 3.0, 7.0
    cells = [style.signed(f"{number:.0f}", below=False) for number in numbers]
    meant: list[Any] = list(numbers)
    for row in choose.sample(range(2, rows), max(1, rows // 5)):
        cells[row], meant[row] = word, None
    written = Written(name, "a word among numbers", "number", cells, meant)
    if word == EVERYWHERE:
        return replace(written, settings={"missing": word})
    if choose.random() < 0.5 or word == "-999":
        return replace(written, settings={"missing": f"{name}={word}"})
    decision = Decision("missing", f"{name}={word}", "number", meant)
    return replace(written, refusal="must", decisions=(decision,))


def too_large(choose: random.Random, name: str, rows: int) -> Written:
    """One number is infinite, or larger than a computer has."""
    word = choose.choice(("inf", "-inf", "Infinity", "1e999", "-1e400"))
    meant: list[Any] = [choose.randrange(1, 900) / 8 for _ in range(rows)]
    meant[:2] = 3.0, 7.0
    cells = [f"{number:g}" for number in meant]
    cells[2], meant[2] = word, None
    decision = Decision("missing", f"{name}={word}", "number", meant)
    return Written(
        *(name, "too large", "number", cells, meant),
        refusal="must",
        decisions=(decision,),
    )


def two_affixes(choose: random.Random, name: str, rows: int) -> Written:
    """A currency before, and something behind."""
    numbers = [choose.randrange(1, 900) for _ in range(rows)]
    numbers[:2] = 3, 7
    before, behind = choose.choice((("$", " USD"), ("€", " p.a."), ("£", "/h")))
    cells = [f"{before}{number}{behind}" for number in numbers]
    meant = [*map(float, numbers)]
    return with_missing(Written(name, "two affixes", "number", cells, meant), choose)


def years(choose: random.Random, name: str, rows: int) -> Written:
    """Years are numbers."""
    numbers = [choose.randrange(1950, 2030) for _ in range(rows)]
    numbers[:2] = 1950, 2021
    cells, meant = [*map(str, numbers)], [*map(float, numbers)]
    return with_missing(Written(name, "years", "number", cells, meant), choose)


NUMBERS: tuple[Callable[[random.Random, str, int], Written | None], ...] = (
    *(styled, styled, styled, declared, units_of_words, exponents, percent_of_whole),
    *(mixed_units, limits, whole_beyond, zeros_in_front, plain, one_in_words),
    *(too_large, two_affixes, years),
)
