"""A column as it is written, and what its cells mean."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

MARKERS = (
    *("", "", "", "-", "--", ".", "..", "?", "\\N", "n/a", "N/A", "NA", "#DIV/0!", "–"),
    *("unknown", "Unknown", "NaN", "null", "None", "*", "#N/A", "#REF!", "n.a.", "—"),
    *("nil", "missing", "not available", "(blank)", "(null)", "#VALUE!", "tbd", "N.D."),
)
"""What means "missing" among numbers and moments."""

FILE_MARKERS = ("", "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "null", "None", "?")
"""What means "missing" among words, too."""

EVERYWHERE = "n/s"
"""Is declared to mean it in all columns, wherever it stands."""


@dataclass(frozen=True)
class Decision:
    """What a user may say after an error, and what the cells mean then.

    Arguments:
        setting, text: the option.
        kind, meant: what the column is then.
    """

    setting: str
    text: str
    kind: str
    meant: Sequence[Any]


@dataclass(frozen=True)
class Written:
    """A column whose meaning is known.

    Arguments:
        name: the column's.
        what: is tried, for the count.
        kind: what its cells are.
        cells: as texts.
        meant: what they mean, None where missing.
        settings: what is declared.
        refusal: whether an error ``may`` be given, ``must`` be, or, where nothing is
            said, must not.
        decisions: what an error must offer at least one of.
        plain: whether options that speak of all numbers say nothing of this column.
    """

    name: str
    what: str
    kind: str
    cells: Sequence[str]
    meant: Sequence[Any]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    refusal: str = ""
    decisions: tuple[Decision, ...] = ()
    plain: bool = False


def with_missing(
    written: Written, choose: random.Random, rarely: bool = False
) -> Written:
    """The column with some cells missing; the first two stay, as they differ."""
    if choose.random() < 0.5:
        return written
    rows = len(written.cells)
    markers = [choose.choice(MARKERS) for _ in range(choose.choice((1, 1, 2, 3)))]
    most = 0.049 * rows if rarely else choose.choice((0.3, 0.5, 0.8)) * (rows - 2)
    places = choose.sample(range(2, rows), max(0, int(choose.uniform(0, most))))
    cells, meant = list(written.cells), list(written.meant)
    for row in places:
        cells[row], meant[row] = choose.choice(markers), None
    return replace(written, cells=cells, meant=meant)
