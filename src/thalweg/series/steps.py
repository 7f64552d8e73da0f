"""How far each time of a series is from the one before, and which come after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.series.lengths import (
    DAY,
    HOUR,
    IN_MONTHS,
    LENGTHS,
    MINUTE,
    SECOND,
    WEEK,
    length_from,
)
from thalweg.tables.strict import number, require_keys, text
from thalweg.words import counted

MICROSECONDS, MONTHS, MONTH_ENDS, NUMBERS = (
    *("microseconds", "months", "month ends"),
    "numbers",
)
WORDS = {"week": WEEK, "day": DAY, "hour": HOUR, "minute": MINUTE, "second": SECOND}
SHORTEST_MONTH = 28 * DAY
NEAR = 1e-6
"""Of a step of numbers: by this share of it two times may differ from it."""


@dataclass(frozen=True)
class Step:
    """How far each time is from the one before.

    Arguments:
        unit: ``microseconds``; ``months``, of the same day each, or of the last, which
            is ``month ends``; or ``numbers``.
        size: how many of them.

    >>> str(Step("microseconds", 1_800_000_000)), str(Step("months", 3))
    ('30 minutes', '3 months')
    """

    unit: str
    size: float

    def __str__(self) -> str:
        if self.unit == NUMBERS:
            return f"{self.size:g}"
        whole = int(self.size)
        if self.unit != MICROSECONDS:
            return counted(whole, "month")
        for word, length in WORDS.items():
            if whole % length == 0:
                return counted(whole // length, word)
        return f"{whole / SECOND:g} seconds"

    @property
    def by_calendar(self) -> bool:
        """Whether steps are months, which have no one length."""
        return self.unit in (MONTHS, MONTH_ENDS)

    def gaps(self, moments: pl.Series) -> NDArray[np.bool_]:
        """Where the next time isn't a step later, shape (times − 1,).

        Arguments:
            moments: in order.
        """
        found = np.diff(places(moments, self.unit))
        if self.unit == NUMBERS:
            return np.abs(found - self.size) > NEAR * self.size
        return found != self.size

    def after(self, last: pl.Series, count: int) -> pl.Series:
        """So many times, each a step after the one before.

        Arguments:
            last: the time before the first, as a column of one cell.
            count: how many.

        >>> day = pl.Series([19_000]).cast(pl.Date).cast(pl.Datetime("us"))
        >>> Step("months", 1).after(day, 2).dt.to_string("%Y-%m-%d").to_list()
        ['2022-02-08', '2022-03-08']
        """
        steps = np.arange(1, count + 1)
        if self.unit == NUMBERS:
            return pl.Series(float(last[0]) + steps * self.size)
        if self.unit == MICROSECONDS:
            start, dtype = last.cast(pl.Int64)[0], last.dtype
            scale = 1_000 if dtype == pl.Time else 1  # of day, in nanoseconds
            moved = start + steps * int(self.size) * scale
            if dtype == pl.Time:
                moved %= DAY * scale
            return pl.Series(moved).cast(dtype)
        repeated = pl.Series([last[0]] * count, dtype=last.dtype)
        months = pl.Series([f"{int(k * self.size)}mo" for k in steps])
        frame = pl.DataFrame({"moment": repeated, "months": months})
        moved = pl.col("moment").dt.offset_by(pl.col("months"))
        if self.unit == MONTH_ENDS:
            moved = moved.dt.month_end()
        return frame.select(moved).to_series()

    def to_dict(self) -> dict[str, Any]:
        """The step as JSON."""
        return {"unit": self.unit, "size": self.size}

    @classmethod
    def from_dict(cls, data: object) -> Step:
        """The step that `to_dict` wrote.

        Raises:
            ModelFileError: it isn't one.
        """
        found = require_keys(data, "a step", "unit", "size")
        unit, size = text(found["unit"], "a unit"), number(found["size"], "a step")
        if unit not in (MICROSECONDS, MONTHS, MONTH_ENDS, NUMBERS):
            raise ModelFileError(f"a step can't be of {unit!r:.60}")
        whole = unit == NUMBERS or size == int(size)
        if not (0 < size < 2**62 and whole):
            raise ModelFileError(f"a step must be above 0, got {size:g} {unit}")
        return cls(unit, size if unit == NUMBERS else int(size))


def usual_step(moments: pl.Series) -> Step:
    """The step that most times of a series have.

    Arguments:
        moments: dates, times of day or numbers, two or more, in order, each once.

    >>> str(usual_step(pl.Series([1.0, 1.5, 2.0, 4.0])))
    '0.5'
    """
    unit = unit_of(moments)
    found = np.diff(places(moments, unit))
    sizes, counts = np.unique(
        found.round(9) if unit == NUMBERS else found, return_counts=True
    )
    most = sizes[counts.argmax()].item()
    return Step(unit, most)


def unit_of(moments: pl.Series) -> str:
    """In what the distances between times are counted."""
    if moments.dtype.is_float():
        return NUMBERS
    if moments.dtype == pl.Time:
        return MICROSECONDS
    distances = np.diff(places(moments, MICROSECONDS))
    if np.median(distances) < SHORTEST_MONTH:
        return MICROSECONDS
    clock, day = moments.dt.time().n_unique(), moments.dt.day().n_unique()
    if clock == 1 and day == 1:
        return MONTHS
    at_end = (moments.dt.month_end().dt.day() == moments.dt.day()).all()
    return MONTH_ENDS if clock == 1 and at_end else MICROSECONDS


def places(moments: pl.Series, unit: str) -> NDArray[Any]:
    """Where times are on a line, shape (times,): int64, of numbers float64."""
    if unit == NUMBERS:
        return moments.to_numpy()
    if unit == MICROSECONDS:
        divisor = 1_000 if moments.dtype == pl.Time else 1
        return moments.cast(pl.Int64).to_numpy() // divisor
    months = 12 * moments.dt.year().cast(pl.Int64) + moments.dt.month().cast(pl.Int64)
    return cast("NDArray[Any]", months.to_numpy())


def rows_of(name: str, given: Any, step: Step) -> int:
    """A length as a number of rows of a series.

    Arguments:
        name: of the setting, for messages.
        given: rows, or a duration.
        step: of the series.

    Raises:
        ArgumentError: it is no length, or no whole number of steps.

    >>> rows_of("history", "7d", Step("microseconds", HOUR))
    168
    """
    number, unit = length_from(name, given)
    if not unit:
        return number
    lengths = IN_MONTHS if step.by_calendar else LENGTHS
    if step.unit == NUMBERS or unit not in lengths:
        units = "" if step.unit == NUMBERS else f", or in {' or '.join(lengths)}"
        raise ArgumentError(
            f"{name} must be a number of rows{units}, as the times are {step} apart, "
            f"got {given!r}"
        )
    assert step.unit == MICROSECONDS or step.by_calendar
    rows, rest = divmod(number * lengths[unit], int(step.size))
    if rest or not rows:
        raise ArgumentError(
            f"{name} must be a whole number of steps of {step}, got {given!r}"
        )
    return rows
