"""Recognize how dates and times of day are written.

Each order of day, month and year is tried. A column has one; where two read it alike
and mean different days, nothing in it decides, and that is an error:

>>> from thalweg.tables.table import Table
>>> table = Table.of("sales", pl.DataFrame({"day": ["05/06/2021", "25/06/2021"]}))
>>> recognize_dates(Cells.of(table, "day")).said
'day first: 1 cell has a day over 12'
>>> table = Table.of("sales", pl.DataFrame({"day": ["05/06/2021", "06/06/2021"]}))
>>> recognize_dates(Cells.of(table, "day"))
Traceback (most recent call last):
thalweg.errors.DataError: sales, row 1, column 'day': ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from thalweg.errors import DataError
from thalweg.tables.declared import way
from thalweg.tables.forms.form import Form
from thalweg.tables.forms.moments import ISO, MONTHS, DateForm, TimeForm, either
from thalweg.tables.forms.numbers import DurationForm
from thalweg.tables.recognize.cells import Cells
from thalweg.words import counted, listed

NUMERIC = tuple(
    order.replace("-", separator)
    for separator in "-/."
    for order in ("%Y-%m-%d", "%d-%m-%Y", "%m-%d-%Y")
)
SHORT = tuple(
    order.replace("-", separator)
    for separator in "-/."
    for order in ("%d-%m-%y", "%m-%d-%y", "%y-%m-%d")
)
"""With two digits of a year, which may stand anywhere: all cells must be so."""

NAMED = (
    *("%d %b %Y", "%d-%b-%Y", "%d/%b/%Y", "%d.%b.%Y", "%d. %b %Y", "%d %b, %Y"),
    *("%d-%b-%y", "%d %b %y", "%d/%b/%y", "%b %d, %Y", "%b %d %Y", "%b-%d-%Y"),
    *("%Y-%b-%d", "%Y %b %d", "%Y/%b/%d", "%d%b%Y", "%d%b%y"),
    *("%a, %d %b %Y", "%a %d %b %Y", "%a, %b %d, %Y", "%a %b %d, %Y", "%a %b %d %Y"),
    *("%a, %d-%b-%Y", "%a, %d-%b-%y", "%a, %d %b %y"),
    *("%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S %Z %Y"),
)
ORDERS = (*NUMERIC, *NAMED, *SHORT)
LOOKS_LIKE = rf"[0-9]{{1,4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,4}}|{either(MONTHS)}"
SAMPLE = 1_000
MOST = 0.5
MEANING = {"d": "day", "m": "month", "y": "year"}


@dataclass(frozen=True)
class Moments:
    """What was recognized.

    Arguments:
        form: how dates, times or durations are written.
        cells: those that aren't missing.
        read: which of their different texts the form reads.
        said: what is worth saying of the form.
    """

    form: Form
    cells: Cells
    read: pl.Series
    said: str = ""

    @property
    def number(self) -> int:
        """How many cells are read."""
        return self.cells.number_of(self.read)

    @property
    def most(self) -> bool:
        """Whether that is more than half of them."""
        return 2 * self.number > self.cells.total()


def recognize_dates(cells: Cells) -> Moments | None:
    """How most cells are written as dates; None where most aren't dates.

    Raises:
        DataError: they may be two different dates each, or are in several forms.
    """
    said = cells.said
    known = cells.known(DateForm(said.missing_numbers))
    if said.order:
        form = DateForm(said.missing_numbers, said.order)
        return Moments(form, known, known.read_by(form), f"as {said.order}")
    if not known.total() or not _look_like_dates(known):
        return None
    found = [_read(known, order) for order in _orders_of_a_sample(known)]
    best = max((each.number for each in found), default=0)
    if 2 * best <= known.total():
        _refuse_several_forms(known)
        return None
    first, *others = [each for each in found if each.number == best]
    if _is_short(first) and not first.read.all():
        return None
    for other in others:
        _refuse_either(first, other)
    return Moments(first.form, known, first.read, _why(first))


def _is_short(found: Moments) -> bool:
    assert isinstance(found.form, DateForm)
    return found.form.order in SHORT


def _read(cells: Cells, order: str) -> Moments:
    form = DateForm(cells.said.missing_numbers, order)
    return Moments(form, cells, cells.read_by(form))


def _look_like_dates(cells: Cells) -> bool:
    alike = cells.texts.str.contains(LOOKS_LIKE)
    return 2 * cells.number_of(alike) > cells.total()


def _orders_of_a_sample(cells: Cells) -> list[str]:
    """Those that more than half of the first texts look like; of ISO no others."""
    sample = cells.texts.head(SAMPLE).to_list()
    alike = [order for order in ORDERS if _share(order, sample) > MOST]
    return [ISO] if ISO in alike else alike


def _share(order: str, texts: list[str]) -> float:
    """The share of the texts that look like dates of an order.

    Python keeps the patterns that it has compiled, which costs more than the texts.
    """
    pattern = re.compile(DateForm(order=order).pattern)
    return sum(pattern.fullmatch(text) is not None for text in texts) / len(texts)


def _refuse_several_forms(cells: Cells) -> None:
    """Raises:
    DataError: if most cells are dates, though of no form most are.
    """
    sample = cells.texts.head(SAMPLE)
    orders = [order for order in (*NUMERIC, *NAMED) if "%y" not in order]
    reads = [DateForm(order=order).understood(sample).is_not_null() for order in orders]
    found = [order for order, read in zip(orders, reads, strict=True) if read.any()]
    dates = pl.select(pl.any_horizontal(reads)).to_series()
    if len(found) < 2 or (dates.mean() or 0.0) <= MOST:  # pyright: ignore[reportOperatorIssue]
        return
    raise DataError(
        f"{cells.place(cells.first(cells.texts.is_not_null()))}: dates must be in one "
        f"form, but are in several, such as {listed(found, most=4)}; write them in "
        f"one, or {way(cells.table, 'category', cells.name)} takes all cells as texts "
        f"and {way(cells.table, 'ignore', cells.name)} leaves them out"
    )


def _refuse_either(one: Moments, other: Moments) -> None:
    """Raises:
    DataError: if the two read a cell as different dates; shows both.
    """
    cells, texts = one.cells, one.cells.texts
    dates = [each.form.understood(texts) for each in (one, other)]
    differ = ~dates[0].eq_missing(dates[1])
    if not differ.any():
        return
    text = cells.first(differ)
    row = list(texts).index(text)
    readings = [
        f"{_day(values[row])} ({_way_of(each)})"
        for values, each in zip(dates, (one, other), strict=True)
    ]
    cells.refuse_either(text, readings)


def _way_of(found: Moments) -> str:
    assert isinstance(found.form, DateForm)
    return way(found.cells.table, "date", found.cells.name, found.form.order)


def _day(moment: object) -> str:
    return f"{moment:%Y-%m-%d}" if moment is not None else "no date"


def _why(first: Moments) -> str:
    """What decided between orders of the same numbers; else how dates are written."""
    assert isinstance(first.form, DateForm)
    order = first.form.order
    if order == ISO:
        return ""
    if order not in (*NUMERIC, *SHORT):
        return f"written {order}"
    leading = f"{MEANING[order[1].lower()]} first"
    if order.startswith("%Y"):
        return leading
    swapped = order.translate(str.maketrans("dm", "md"))
    rival = _read(first.cells, swapped)
    number = first.cells.number_of(first.read & ~rival.read)
    if not number:
        return f"{leading}, though month first reads the same days"
    decided = counted(number, "cell")
    verb = "has" if number == 1 else "have"
    return f"{leading}: {decided} {verb} a day over 12"


def recognize_times(cells: Cells) -> Moments | None:
    """How most cells are written as times of day, or as how long something took."""
    missing = cells.said.missing_numbers
    times, durations = TimeForm(missing), DurationForm(missing)
    known = cells.known(times)
    if not known.total() or not known.texts.str.contains(":").any():
        return None
    time = Moments(times, known, known.read_by(times))
    if time.read.all():
        return time
    said = "hours:minutes:seconds, taken as seconds"
    longer = Moments(durations, known, known.read_by(durations), said)
    best = longer if longer.number > time.number else time
    return best if best.most else None
