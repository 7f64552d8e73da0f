"""Another model on the same test rows."""

from __future__ import annotations

from dataclasses import dataclass

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
