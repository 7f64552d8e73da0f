"""The fields of an experiment: what each may be, how a page asks for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thalweg.checks import is_number, is_whole, nearest, require
from thalweg.errors import ArgumentError
from thalweg.printable import printable


@dataclass(frozen=True)
class Number:
    """A number between two others.

    Arguments:
        low, high: the least and the most.
        whole: whether it counts something.
        log: whether a control goes by its logarithm.
    """

    low: float
    high: float
    whole: bool = False
    log: bool = False

    def checked(self, name: str, value: Any) -> float:
        """The value, if it fits.

        Raises:
            ArgumentError: it doesn't.
        """
        right = is_whole(value) if self.whole else is_number(value)
        fits = right and math.isfinite(value) and self.low <= value <= self.high
        kind = "a whole number" if self.whole else "a number"
        require(fits, name, f"{kind} from {self.low:g} to {self.high:g}", value)
        return value if self.whole else float(value)

    def read(self, name: str, text: str) -> float:
        """The value that a text of an address stands for.

        Raises:
            ArgumentError: it is none, or out of range.
        """
        try:
            value: Any = int(text) if self.whole else float(text)
        except ValueError:
            value = text
        return self.checked(name, value)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a page's control."""
        return {"kind": "number", **vars(self)}


@dataclass(frozen=True)
class OrNone:
    """A number, or none."""

    number: Number

    def checked(self, name: str, value: Any) -> float | None:
        """As `Number.checked`; None is itself."""
        return None if value is None else self.number.checked(name, value)

    def read(self, name: str, text: str) -> float | None:
        """As `Number.read`; ``none`` is None."""
        return None if text == "none" else self.number.read(name, text)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a page's control."""
        return {**self.number.to_dict(), "kind": "number or none"}


@dataclass(frozen=True)
class Choice:
    """One of some names, each with what a page calls it."""

    options: Mapping[str, str]

    def checked(self, name: str, value: Any) -> str:
        """The value, if it's one of them.

        Raises:
            ArgumentError: it isn't; it names the nearest.
        """
        if isinstance(value, str) and value in self.options:
            return value
        meant = nearest(value[:60], self.options) if isinstance(value, str) else ""
        raise ArgumentError(
            f"{name} must be one of {', '.join(self.options)}, got "
            f"{printable(repr(value)[:60])}{meant}"
        )

    read = checked

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a page's control."""
        return {"kind": "choice", "options": [[*each] for each in self.options.items()]}


@dataclass(frozen=True)
class Text:
    """A text of a person, such as a formula."""

    most: int

    def checked(self, name: str, value: Any) -> str:
        """The value, if it is a short text in a line.

        Raises:
            ArgumentError: it isn't.
        """
        fits = isinstance(value, str) and len(value) <= self.most
        fits = fits and value.isprintable()
        got = printable(repr(value)[:60])
        require(fits, name, f"a line of at most {self.most} characters", got)
        return value

    read = checked

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for a page's control."""
        return {"kind": "text", "most": self.most}


Field = Number | OrNone | Choice | Text
