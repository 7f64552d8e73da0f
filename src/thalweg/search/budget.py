"""How long a search may take, as the user writes it."""

from __future__ import annotations

import re

from thalweg.checks import is_number
from thalweg.errors import ArgumentError

FOLDS = 5  # into which rows are cut, unless a user says otherwise
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])", re.ASCII)


def seconds_of(budget: str | float) -> float:
    """A time in seconds.

    Arguments:
        budget: a number and its unit, ``30s``, ``5m`` or ``1.5h``; or a number of
            seconds.

    Raises:
        ArgumentError: it is neither, or isn't above 0.

    Example:
        >>> seconds_of("30s"), seconds_of("5m"), seconds_of("1.5h"), seconds_of(2)
        (30.0, 300.0, 5400.0, 2.0)
    """
    seconds = read(budget) if isinstance(budget, str) else budget
    if not (is_number(seconds) and seconds > 0):
        raise ArgumentError(
            f"budget must be a time above 0, such as 30s, 5m or 1h, got {budget!r}"
        )
    return float(seconds)


def read(text: str) -> float:
    """The seconds of a number with its unit; 0 where that isn't what is written."""
    found = WRITTEN.fullmatch(text.strip().lower())
    return float(found[1]) * SECONDS[found[2]] if found else 0.0


def in_words(seconds: float) -> str:
    """A time as the user reads it.

    >>> in_words(42.3), in_words(80), in_words(7260)
    ('42 s', '1 min 20 s', '2 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
