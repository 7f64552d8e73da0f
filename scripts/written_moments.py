"""Columns of dates, times and durations, whose moments are known beforehand."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from written_column import Decision, Written, with_missing

Moment = datetime.datetime
DAY_MONTH = ("%d{}%m{}%Y", "%m{}%d{}%Y", "%Y{}%m{}%d")
SHORT = ("%d{}%m{}%y", "%m{}%d{}%y", "%y{}%m{}%d")
NAMED = (
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d/%b/%Y", "%d.%b.%Y", "%d. %B %Y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%Y-%b-%d", "%Y %B %d", "%d%b%Y"),
    *("%a, %d %b %Y", "%A, %d %B %Y", "%a, %b %d, %Y", "%A, %B %d, %Y"),
    *("%d-%b-%y", "%d %b %y", "%b-%d-%Y", "%a %b %d %Y"),
)
CLOCKS = (
    *("", "", "", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %H:%M:%S.%f", " %I:%M %p"),
    *(", %H:%M", " %I:%M:%S %p", "T%H:%M", " %I:%M%p"),
)
ZONES = ("Z", "+02:00", "-0330", "+0545", " +01", " UTC", " GMT", "-05:00", " +0000")
DECLARED = (
    *("%Y%m%d", "%d%m%Y", "%m/%Y", "%Y-%m", "%b %Y", "%B %Y", "%d.%m.%y", "%Y-%j"),
    *("%d/%m/%Y", "%m/%d/%Y", "%Y/%d/%m", "%d %m %Y", "%Y", "%d/%m/%Y %H.%M"),
    *("%H:%M %d.%m.%Y", "%Y%m%d%H%M%S", "%y%m%d", "week of %d %b %Y", "%d-%m-%Y"),
)


def drawn(choose: random.Random, rows: int, short: bool) -> list[Moment]:
    """Moments, of which two days differ; in the years that two digits can tell."""
    years = (1970, 2068) if short else choose.choice(((1900, 2100), (2019, 2022)))
    start, end = Moment(years[0], 1, 1), Moment(years[1], 12, 31)
    seconds = int((end - start).total_seconds())
    fine = choose.random() < 0.3
    found = [
        start
        + datetime.timedelta(
            seconds=choose.randrange(seconds),
            microseconds=choose.randrange(10**6) if fine else 0,
        )
        for _ in range(rows)
    ]
    if choose.random() < 0.3:  # so that no day decides
        found = [moment.replace(day=1 + moment.day % 12) for moment in found]
    found[0], found[1] = Moment(years[0], 2, 3, 4, 5), Moment(years[1], 11, 3, 16, 5)
    return found


def as_told(moment: Moment, form: str) -> Moment:
    """What of a moment a form has signs for."""
    return Moment.strptime(moment.strftime(form), form)


def zone_of(text: str) -> datetime.timedelta:
    """How far a zone is before UTC."""
    digits = text.strip().replace(":", "")
    if digits[0] not in "+-":
        return datetime.timedelta(0)
    minutes = int(digits[1:3]) * 60 + int(digits[3:] or 0)
    return datetime.timedelta(minutes=-minutes if digits[0] == "-" else minutes)


def by_form(
    choose: random.Random, name: str, rows: int, what: str, day: str
) -> Written:
    """Dates of one form, perhaps with a clock and zones."""
    form = day if "%H" in day else day + choose.choice(CLOCKS)
    moments = [as_told(m, form) for m in drawn(choose, rows, short="%y" in day)]
    case = choose.choice((str, str, str.lower, str.upper))
    days = [case(moment.strftime(day)) for moment in moments]
    clocks = [moment.strftime(form.removeprefix(day)) for moment in moments]
    cells = [one + other for one, other in zip(days, clocks, strict=True)]
    if form != day and "%H" in form and choose.random() < 0.3:
        zones = [choose.choice(ZONES) for _ in cells]
        cells = [cell + zone for cell, zone in zip(cells, zones, strict=True)]
        pairs = zip(moments, zones, strict=True)
        moments = [moment - zone_of(zone) for moment, zone in pairs]
    return with_missing(Written(name, what, "date", cells, moments), choose)


def rivals(cells: list[str], forms: list[str]) -> Iterator[list[Any]]:
    """What the cells' days mean by each form that reads all of them."""
    for form in forms:
        with suppress(ValueError):
            yield [Moment.strptime(cell, form) for cell in cells]


def numeric(choose: random.Random, name: str, rows: int) -> Written:
    """Day, month and year in digits, in an order that a day over 12 decides."""
    separator = choose.choice("-/.")
    orders = SHORT if choose.random() < 0.25 else DAY_MONTH
    forms = [order.replace("{}", separator) for order in orders]
    day = choose.choice(forms)
    what = "dates of two-digit years" if "%y" in day else "dates in digits"
    written = by_form(choose, name, rows, what, day)
    if choose.random() < 0.3:
        cells = [without_zeros(cell, day) for cell in written.cells]
        written = replace(written, cells=cells)
    if day.startswith("%Y"):
        return written
    days = [m for m in written.meant if m is not None]
    known = zip(written.cells, written.meant, strict=True)
    starts = [cell[: length_of(cell, separator)] for cell, m in known if m is not None]
    readings = [*rivals(starts, forms)]
    assert readings, (starts, forms)
    if all(reading == readings[0] for reading in readings):
        return written
    decision = Decision("date", f"{name}={day}", "date", written.meant)
    return replace(written, refusal="may" if days else "", decisions=(decision,))


def length_of(cell: str, separator: str) -> int:
    """How long the day of a cell is, before a clock."""
    digits = "0123456789" + separator
    return next((at for at, sign in enumerate(cell) if sign not in digits), len(cell))


def without_zeros(cell: str, day: str) -> str:
    """A date as 5/6/2021, where its year has four digits."""
    separator = day[2]
    if not cell or cell.count(separator) < 2 or "%y" in day or not cell[0].isdigit():
        return cell
    end = length_of(cell, separator)
    parts = [part.lstrip("0") for part in cell[:end].split(separator)]
    return separator.join(parts) + cell[end:]


def iso(choose: random.Random, name: str, rows: int) -> Written:
    """ISO 8601, with and without clock and zone."""
    return by_form(choose, name, rows, "dates of ISO", "%Y-%m-%d")


def named(choose: random.Random, name: str, rows: int) -> Written:
    """Months by name."""
    return by_form(choose, name, rows, "dates with names", choose.choice(NAMED))


def of_mail(choose: random.Random, name: str, rows: int) -> Written:
    """RFC 2822, and what C's ctime prints."""
    moments = [m.replace(microsecond=0) for m in drawn(choose, rows, short=False)]
    if choose.random() < 0.3:
        cells = [moment.ctime() for moment in moments]
        return Written(name, "dates of ctime", "date", cells, moments)
    zones = [choose.choice(("+0200", "GMT", "-0730", "+0000")) for _ in moments]
    pairs = [*zip(moments, zones, strict=True)]
    cells = [f"{moment:%a, %d %b %Y %H:%M:%S} {zone}" for moment, zone in pairs]
    meant = [moment - zone_of(zone) for moment, zone in pairs]
    return with_missing(Written(name, "dates of mail", "date", cells, meant), choose)


def declared(choose: random.Random, name: str, rows: int) -> Written:
    """Dates of a form that is declared, and may be any."""
    form = choose.choice(DECLARED)
    moments = [as_told(m, form) for m in drawn(choose, rows, short="%y" in form)]
    cells = [moment.strftime(form) for moment in moments]
    written = Written(name, "dates, declared", "date", cells, moments)
    return replace(with_missing(written, choose), settings={"date": f"{name}={form}"})


def times(choose: random.Random, name: str, rows: int) -> Written:
    """Times of day."""
    form = choose.choice(("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S%p", "%H:%M:%S.%f"))
    moments = [as_told(m, form).time() for m in drawn(choose, rows, short=False)]
    cells = [f"{moment:{form}}" for moment in moments]
    if choose.random() < 0.3:
        cells = [cell.lower().removeprefix("0") for cell in cells]
    return with_missing(Written(name, "times", "time", cells, moments), choose)


def durations(choose: random.Random, name: str, rows: int) -> Written:
    """Hours, minutes and seconds, some more than a day."""
    seconds = [choose.randrange(400_000) for _ in range(rows)]
    seconds[:2] = 100_000, 90_061
    days, below = choose.random() < 0.3, choose.random() < 0.2
    signs = [-1 if below and choose.random() < 0.3 else 1 for _ in seconds]
    cells = [
        ("-" if sign < 0 else "") + hours_of(number, days)
        for sign, number in zip(signs, seconds, strict=True)
    ]
    meant = [float(s * number) for s, number in zip(signs, seconds, strict=True)]
    return with_missing(Written(name, "durations", "number", cells, meant), choose)


def hours_of(seconds: int, days: bool) -> str:
    """Seconds as hours:minutes:seconds, perhaps after days."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    if days and hours >= 24:
        number = hours // 24
        clock = f"{hours % 24}:{minute:02}:{second:02}"
        return f"{number} day{'s' if number > 1 else ''}, {clock}"
    return f"{hours}:{minute:02}:{second:02}"


def no_day(choose: random.Random, name: str, rows: int) -> Written:
    """Dates, and one that no calendar has, or in another form."""
    written = iso(choose, name, rows)
    odd = choose.choice(
        ("2021-02-30", "soon", "31/12/2021", "2021-13-01", "0000-00-00")
    )
    cells, meant = list(written.cells), list(written.meant)
    cells[2], meant[2] = odd, None
    decision = Decision("missing", f"{name}={odd}", "date", meant)
    return Written(
        name, "no date", "date", cells, meant, refusal="must", decisions=(decision,)
    )


def two_forms(choose: random.Random, name: str, rows: int) -> Written:
    """Dates in two forms, of which either may be that of most cells."""
    one, other = choose.sample(("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d %B %Y"), 2)
    moments = [m.replace(day=13 + m.day % 13) for m in drawn(choose, rows, short=False)]
    few = choose.choice((1, rows // 3, rows // 2))
    cells = [
        f"{moment:{other if row < few else one}}" for row, moment in enumerate(moments)
    ]
    decision = Decision("category", name, "category", cells)
    return Written(
        *(name, "two forms of dates", "date", cells, cells),
        refusal="must",
        decisions=(decision,),
    )


MOMENTS: tuple[Callable[[random.Random, str, int], Written], ...] = (
    *(
        numeric,
        numeric,
        iso,
        named,
        of_mail,
        declared,
        times,
        durations,
        no_day,
        two_forms,
    ),
)
