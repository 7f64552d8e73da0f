"""Whole groups are drawn, so that the rows of each stay on one side of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thalweg.tables.splitting.shares import orders

if TYPE_CHECKING:
    from thalweg.program.types import NumpyArray

ORDERS = 10
"""So many random orders are tried, of which the one with the nearest shares counts."""

NEAR = 0.01
"""A share that is off by so little is near enough."""


def chosen_groups(
    groups: NumpyArray,
    strata: NumpyArray,
    weights: NumpyArray | None,
    fraction: float,
    seed: int,
    complete: bool,
    stay: int = 1,
) -> NumpyArray | None:
    """Rows of whole groups, of each stratum the share nearest to what is asked.

    Arguments:
        groups: the number of each row's group, shape (rows,).
        strata: a number a row, such as its class, shape (rows,).
        weights: one number a row, or None.
        fraction: the share of each stratum's weight to choose.
        seed: of the orders in which groups are tried.
        complete: whether each stratum must stay among the other rows, too.
        stay: how many groups must be left, also of a stratum where there are so many.

    Returns:
        A mask of shape (rows,); None if no group can be chosen.

    Example:
        >>> groups = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 3])
        >>> same = np.zeros(10, np.int64)
        >>> chosen = chosen_groups(groups, same, None, 0.2, seed=0, complete=True)
        >>> chosen.sum(), len(set(groups[chosen]))
        (np.int64(2), 1)
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    parts = weights_by_stratum(numbers, strata, weights)
    generator, nearest = orders(seed), None
    for _ in range(ORDERS):
        drawn = Drawn.first(parts, fraction, complete, stay)
        if not drawn.choose(generator.permutation(len(parts)).tolist()):
            return None
        if nearest is None or drawn.distance < nearest.distance:
            nearest = drawn
        if nearest.distance <= NEAR:
            break
    assert nearest is not None
    chosen = np.zeros(len(parts), np.bool_)
    chosen[nearest.groups] = True
    return chosen[numbers]


def weights_by_stratum(
    groups: NumpyArray, strata: NumpyArray, weights: NumpyArray | None
) -> list[dict[int, float]]:
    """The weight of each group's rows, by their stratum."""
    count = int(strata.max()) + 1
    pairs, places = np.unique(groups * count + strata, return_inverse=True)
    sums = np.bincount(places, weights).tolist()
    parts: list[dict[int, float]] = [{} for _ in range(int(groups.max()) + 1)]
    for pair, weight in zip(pairs.tolist(), sums, strict=True):
        parts[pair // count][pair % count] = weight
    return parts


@dataclass
class Drawn:
    """Groups that are chosen, and what is still missing.

    D = Σₛ mₛ² / tₛ, where of a stratum's weight tₛ a part mₛ is missing from the share

    Arguments:
        parts: the weight of every group, by stratum.
        totals: tₛ.
        missing: mₛ, below 0 where too much is chosen.
        left: how many groups that aren't chosen have a stratum.
        complete: whether each stratum must stay in one of them.
        stay: how many groups must be left, also of a stratum where there are so many.
        groups: that are chosen.

    Source: as in scikit-learn's StratifiedGroupKFold, groups are taken one by one.
    """

    parts: list[dict[int, float]]
    totals: dict[int, float]
    missing: dict[int, float]
    left: Counter[int]
    complete: bool
    stay: int
    groups: list[int]

    @classmethod
    def first(
        cls, parts: list[dict[int, float]], fraction: float, complete: bool, stay: int
    ) -> Drawn:
        """Nothing is chosen yet."""
        totals, left = Counter[int](), Counter[int]()
        for part in parts:
            totals.update(part)
            left.update(part.keys())
        missing = {stratum: fraction * total for stratum, total in totals.items()}
        return cls(parts, dict(totals), missing, left, complete, stay, [])

    @property
    def distance(self) -> float:
        """How far shares are off, in the root of the mean square over the weight."""
        squares = (self.missing[s] ** 2 / t for s, t in self.totals.items())
        return (sum(squares) / sum(self.totals.values())) ** 0.5

    def choose(self, order: Iterable[int]) -> bool:
        """Of groups in an order each that brings the shares nearer, but at least one.

        Returns:
            Whether one could be.
        """
        order = list(order)
        for group in order:
            if self.change(group) < 0 and self.can_go(group, self.stay):
                self.take(group)
        if not self.groups:
            free = [group for group in order if self.can_go(group, 1)]
            if free:
                self.take(min(free, key=self.change))
        return bool(self.groups)

    def change(self, group: int) -> float:
        """By how much D would grow."""
        part = self.parts[group].items()
        return sum(w * (w - 2 * self.missing[s]) / self.totals[s] for s, w in part)

    def can_go(self, group: int, others: int) -> bool:
        """Whether so many groups of each of its strata would stay, if they must."""
        if len(self.groups) >= len(self.parts) - self.stay:
            return False
        strata = self.parts[group]
        return not self.complete or all(self.left[each] > others for each in strata)

    def take(self, group: int) -> None:
        """Choose a group."""
        self.groups.append(group)
        for stratum, weight in self.parts[group].items():
            self.missing[stratum] -= weight
            self.left[stratum] -= 1
