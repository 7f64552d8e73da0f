"""How alike rows of one value are: an analysis of variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thalweg.tabular.hints.sample import Floats

Codes: TypeAlias = NDArray[np.int64]

UNLIKELY = 1e-6
"""The chance, were the rows shuffled, below which they aren't alike by chance."""

LIKE_THE_NEXT = 0.5
"""The correlation of values next to each other from which on they are quantities."""


@dataclass(frozen=True)
class Alike:
    """How alike rows of one value are.

    Args:
        correlation: that of two rows of a value, ICC(1) of Shrout and Fleiss (1979).
        beyond_chance: whether it would hardly be if the rows were shuffled.
        means: of each value, shape (values, features).
    """

    correlation: float
    beyond_chance: bool
    means: Floats


def alike(block: Floats, codes: Codes) -> Alike:
    """How alike rows of one value are, by the variance between values and within.

    Args:
        block: numbers of mean 0, shape (rows, features).
        codes: the number of each row's value, 0 and up without a gap, shape (rows,).

    >>> halves = np.array([[1.0], [1.1], [-1.0], [-1.1]])
    >>> round(alike(halves, np.array([0, 0, 1, 1])).correlation, 3)
    0.998
    """
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    firsts = np.cumsum(counts) - counts
    means = np.add.reduceat(block[order], firsts, axis=0) / counts[:, None]
    between = float((counts[:, None] * means**2).sum())
    within = max(float((block**2).sum()) - between, 0.0)
    rows, values = len(codes), len(counts)
    each = (rows - float((counts**2).sum()) / rows) / (values - 1)
    a, b = between / (values - 1), within / max(rows - values, 1)
    correlation = (a - b) / (a + (each - 1) * b) if a + b else 0.0
    special: Any = import_module("scipy.special")
    chance = special.fdtrc(values - 1, max(rows - values, 1), a / b) if b else 0.0
    return Alike(correlation, chance < UNLIKELY, means)


def like_the_next(found: Sequence[Alike]) -> bool:
    """Whether values next to each other are alike, as those of quantities are."""
    means = [each.means for each in found]
    like = [float((m[1:] * m[:-1]).sum() / max((m**2).sum(), 1e-300)) for m in means]
    return sum(like) / len(like) >= LIKE_THE_NEXT
