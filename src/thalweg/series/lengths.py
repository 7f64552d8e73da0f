"""How long a history is, or a forecast: a number of rows, or a duration.

This file stays light, as settings are checked with it.
"""

from __future__ import annotations

import re
from typing import Any

from thalweg.checks import is_whole
from thalweg.errors import ArgumentError

SECOND, MINUTE, HOUR, DAY, WEEK = (
    *(1_000_000, 60_000_000, 3_600_000_000),
    *(86_400_000_000, 604_800_000_000),
)
"""In microseconds."""

LENGTHS = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}
IN_MONTHS = {"mo": 1, "y": 12}
UNITS = (*LENGTHS, *IN_MONTHS)
DURATION = re.compile(r"\s*([0-9]{1,9})\s*([A-Za-z]*)\s*")
MUST = "a number of rows, 1 or more, or a duration such as 120h, 7d or 30min"


def length_from(name: str, given: Any) -> tuple[int, str]:
    """A length as a number and its unit, which is empty for rows.

    Arguments:
        name: of the setting, for messages.
        given: what the user gave.

    Raises:
        ArgumentError: it is no length.

    >>> length_from("history", "120h"), length_from("ahead", 12)
    ((120, 'h'), (12, ''))
    """
    if is_whole(given):
        number, unit = int(given), ""
    else:
        found = DURATION.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise ArgumentError(f"{name} must be {MUST}, got {given!r}")
        number, unit = int(found[1]), found[2]
        if unit and unit not in UNITS:
            known = "min for minutes, mo for months" if unit in "mM" else None
            raise ArgumentError(
                f"{name} must be {MUST}, got {given!r}; units are "
                f"{known or ', '.join(UNITS)}"
            )
    if number < 1:
        raise ArgumentError(f"{name} must be {MUST}, got {given!r}")
    return number, unit
