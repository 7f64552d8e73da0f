"""Another model on the same test rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from thalweg.kinds.row_errors import RowErrors


@dataclass(frozen=True)
class Baseline:
    """Another model on the test rows.

    Arguments:
        name: what it is.
        errors: what it got wrong.
        seconds: to learn from the training rows and predict the test rows.
        note: where it had to do with less than the network had.
    """

    name: str
    errors: RowErrors
    seconds: float
    note: str = ""


class Noted(Protocol):
    """A baseline, whatever its errors are of."""

    @property
    def name(self) -> str:
        """What it is."""
        ...

    @property
    def note(self) -> str:
        """Where it had to do with less."""
        ...


def notes_of(others: Iterable[Noted]) -> tuple[str, ...]:
    """What was said of each baseline."""
    return tuple(f"{each.name}: {each.note}" for each in others if each.note)
