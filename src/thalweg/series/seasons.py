"""After how many rows a series repeats, found on training rows alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thalweg.series.steps import DAY, HOUR, MICROSECONDS, MINUTE, WEEK, Step

YEAR = int(365.25 * DAY)
PERIODS = (MINUTE, HOUR, DAY, WEEK, YEAR)
OF_NUMBERS = (4, 7, 12, 24, 52)
"""What is tried where times are numbers, of which nobody knows what they count."""

LONGEST = 20_000
FEWEST_SEASONS = 2
ALIKE = 1e-6
"""Of the values' mean size: errors that differ by less are the same."""


def possible_seasons(step: Step) -> list[int]:
    """Seasons in rows, by how far rows are apart.

    >>> possible_seasons(Step("microseconds", HOUR))
    [24, 168, 8766]
    >>> possible_seasons(Step("months", 1))
    [12]
    """
    if step.by_calendar:
        return [round(12 / step.size)] if 12 % step.size == 0 and step.size < 12 else []
    if step.unit != MICROSECONDS:
        return [*OF_NUMBERS]
    found = [round(each / step.size) for each in PERIODS]
    whole = [each % step.size == 0 or each == YEAR for each in PERIODS]
    return [
        n for n, fits in zip(found, whole, strict=True) if fits and 2 <= n <= LONGEST
    ]


def season_of(values: NDArray[np.float64], step: Step) -> int | None:
    """The season by which training rows repeat best; None where none fits in twice.

    All are judged by the same rows, though a short one has more; of seasons that do as
    well the shortest is taken.

    Arguments:
        values: of training rows, in order.
        step: how far they are apart.

    >>> week = np.tile([1.0, 1, 1, 1, 1, 5, 6], 9)
    >>> season_of(week, Step("microseconds", DAY))
    7
    """
    seasons = [s for s in possible_seasons(step) if FEWEST_SEASONS * s <= len(values)]
    if not seasons:
        return None
    start = max(seasons)
    wrong = [np.mean(np.abs(values[start:] - values[start - s : -s])) for s in seasons]
    near = min(wrong) + ALIKE * float(np.mean(np.abs(values)))
    return next(s for s, error in zip(seasons, wrong, strict=True) if error <= near)


def repeated_season(
    values: NDArray[np.float64], origins: NDArray[np.int64], ahead: int, season: int
) -> NDArray[np.float64]:
    """The values a season before, or two, where those of one aren't known yet.

    ŷ_{t+h} = y_{t + h − s⌈h/s⌉}

    Arguments:
        values: shape (times,).
        origins: the last known time of each forecast, at least a season from the start.
        ahead: how many times are forecast.
        season: s, in rows.

    Returns:
        Shape (origins, ahead).

    >>> repeated_season(np.arange(10.0), np.array([5]), ahead=3, season=2).tolist()
    [[4.0, 5.0, 4.0]]
    """
    horizons = np.arange(1, ahead + 1)
    back = horizons - season * -(-horizons // season)
    return values[origins[:, None] + back]


def drifts(values: NDArray[np.float64], season: int) -> bool:
    """Whether a series' level varies more than the values around it.

    Var ℓ > Var y / 2, ℓ the mean of the last s values

    Arguments:
        values: of training rows, in order.
        season: s, in rows, over which the level is a mean.

    >>> week = np.tile([1.0, 1, 1, 1, 1, 5, 6], 9)
    >>> drifts(week, 7), drifts(week + np.arange(63), 7)
    (False, True)
    """
    if FEWEST_SEASONS * season > len(values):
        return False
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    level = (sums[season:] - sums[:-season]) / season
    return bool(level.var() > values.var() / 2)
