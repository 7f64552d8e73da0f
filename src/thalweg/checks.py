"""Names and numbers that the user gave, looked up and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, cast

import numpy as np

from thalweg.errors import ArgumentError

T = TypeVar("T")


def look_up(kind: str, name: str, table: Mapping[str, T]) -> T:
    """The entry of that name; an `ArgumentError` suggests the nearest name there is."""
    is_text = isinstance(name, str)  # pyright: ignore[reportUnnecessaryIsInstance]
    if is_text and name in table:
        return table[name]
    raise ArgumentError(
        f"there is no {kind} {name!r}{nearest(name, table) if is_text else ''}; "
        f"there are {', '.join(table)}"
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """``: did you mean 'relu'?``, or nothing where no name is near."""
    known = {known.lower(): known for known in names}
    close = get_close_matches(name.lower(), known, n=1)
    return f": did you mean {known[close[0]]!r}?" if close else ""


def merge_parameters(
    kind: str, function: Callable[..., Any], given: Mapping[str, float]
) -> tuple[tuple[str, float], ...]:
    """The parameters given, if the function has each of them as keyword-only."""
    parameters = inspect.signature(function).parameters.values()
    known = {p.name: p.kind for p in parameters if p.kind is p.KEYWORD_ONLY}
    for name in given:
        look_up(f"parameter of {kind}", name, known)
    return tuple(sorted(given.items()))


def require(fits: bool, name: str, must: str, got: object) -> None:
    """An `ArgumentError` unless the argument fits."""
    if not fits:
        raise ArgumentError(f"{name} must be {must}, got {got!r}")


def is_number(value: Any) -> bool:
    """Whether it is a finite number of Python or NumPy, and not a truth value."""
    kinds = int | float | np.integer | np.floating
    number = issubclass(type(value), kinds) and type(value) is not bool
    return number and bool(-np.inf < value < np.inf)  # also where no float is as large


def is_whole(value: Any) -> bool:
    """Whether it is a whole number of Python or NumPy, and not a truth value."""
    return is_number(value) and issubclass(type(value), int | np.integer)


SEEDS = range(2**32)
"""What programs have 32 bits for; scikit-learn's seeds are the same."""


def require_seed(seed: Any, name: str = "seed") -> None:
    """The argument is a seed."""
    # A range is searched for what isn't an int, from one end to the other.
    fits = is_whole(seed) and int(seed) in SEEDS
    require(fits, name, f"a whole number, {SEEDS[0]} to {SEEDS[-1]}", seed)


def seed_after(seed: int, count: int) -> int:
    """The seed so many further on; after the last comes the first.

    >>> seed_after(5, 2), seed_after(SEEDS[-1], 1)
    (7, 0)
    """
    return SEEDS[(seed + count) % len(SEEDS)]


def require_positive(name: str, value: float) -> None:
    """The argument is a number greater than 0."""
    require(is_number(value) and value > 0, name, "a number greater than 0", value)


def require_non_negative(name: str, value: float) -> None:
    """The argument is a number that is 0 or more."""
    require(is_number(value) and value >= 0, name, "a number, 0 or more", value)


def require_fraction(name: str, value: float) -> None:
    """The argument is a number from 0 to below 1."""
    require(is_number(value) and 0 <= value < 1, name, "in [0, 1)", value)


def require_share(name: str, value: float) -> None:
    """The argument is a number above 0, up to 1."""
    require(is_number(value) and 0 < value <= 1, name, "in (0, 1]", value)


def require_whole(name: str, value: int, least: int) -> None:
    """The argument is a whole number, not below the least."""
    fits = is_whole(value) and value >= least
    require(fits, name, f"a whole number, {least} or more", value)


def is_text(text: str) -> bool:
    """Whether a file can hold it: half of a surrogate pair can stand in none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def require_text(name: str, value: object) -> None:
    """What is text in an argument, or in a tuple of them, can stand in a file."""
    for each in cast("tuple[object, ...]", value if type(value) is tuple else (value,)):
        fits = not isinstance(each, str) or is_text(each)
        require(fits, name, "text that UTF-8 can hold", each)


def require_instance(name: str, value: object, kind: type, must: str) -> None:
    """The argument is of a class."""
    require(isinstance(value, kind), name, must, value)
