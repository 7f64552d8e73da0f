"""What follows from a time alone: where in the day, the week and the year it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thalweg.series.lengths import DAY, WEEK
from thalweg.series.steps import MICROSECONDS, Step, places

PERIODS = {"day": DAY, "week": WEEK, "year": int(365.25 * DAY)}
LEAST_SEEN = 2
"""How often a cycle must have been there in training rows to be learned from."""


def day_phase(moments: pl.Series) -> pl.Series:
    """Where in the day times are, from 0 to 1."""
    seconds = 3600 * moments.dt.hour().cast(pl.Int64) + 60 * moments.dt.minute()
    return (seconds + moments.dt.second()) / 86_400


PHASES: Mapping[str, Callable[[pl.Series], pl.Series]] = {
    "day": day_phase,
    "week": lambda times: (times.dt.weekday() - 1 + day_phase(times)) / 7,
    "year": lambda times: (times.dt.ordinal_day() - 1 + day_phase(times)) / 365.25,
}
"""Where in each cycle times are, from 0 to 1, without a jump at midnight."""

WORDS = {"day": "hour of day", "week": "weekday", "year": "day of the year"}


def cycles_of(moments: pl.Series, step: Step) -> tuple[str, ...]:
    """The cycles of the calendar that training times show, at least twice.

    Arguments:
        moments: times of training rows, in order; numbers have no calendar.
        step: how far they are apart.

    >>> hours = pl.datetime_range(
    ...     pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 20), "1h", eager=True)
    >>> cycles_of(hours, Step("microseconds", 3_600_000_000))
    ('day', 'week')
    """
    if moments.dtype.is_float():
        return ()
    at = places(moments, MICROSECONDS)
    span, distance = int(at[-1] - at[0]), int(np.median(np.diff(at)))
    possible = ("day",) if moments.dtype == pl.Time else tuple(PERIODS)
    return tuple(
        cycle
        for cycle in possible
        if LEAST_SEEN * PERIODS[cycle] <= span
        and LEAST_SEEN * distance <= PERIODS[cycle]
    )


def waves(moments: pl.Series, cycles: Sequence[str]) -> NDArray[np.float32]:
    """Sine and cosine of the phase of each cycle, shape (times, 2 · cycles).

    sin 2πφ, cos 2πφ, so that the last hour of a day is near the first of the next

    >>> noon = pl.Series(["2024-01-01 12:00"]).str.to_datetime("%Y-%m-%d %H:%M")
    >>> waves(noon, ["day"]).round(3).tolist()
    [[0.0, -1.0]]
    """
    found = np.empty((len(moments), 2 * len(cycles)), np.float32)
    for place, cycle in enumerate(cycles):
        phase = PHASES[cycle](moments).cast(pl.Float64).to_numpy()
        found[:, 2 * place] = np.sin(2 * np.pi * phase)
        found[:, 2 * place + 1] = np.cos(2 * np.pi * phase)
    return found + np.float32(0)  # no −0


def names_of(name: str, cycles: Sequence[str]) -> list[str]:
    """What the columns of `waves` are called.

    >>> names_of("date", ["day"])
    ['date (sine of day)', 'date (cosine of day)']
    """
    every = [(wave, cycle) for cycle in cycles for wave in ("sine", "cosine")]
    return [f"{name} ({wave} of {cycle})" for wave, cycle in every]
