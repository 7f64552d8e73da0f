"""Rows of a group stay on one side: whole groups are held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.estimators.splitting import orders
from thalweg.program.types import NumpyArray

ORDERS = 10
"""So many random orders are tried, of which the one with the nearest shares counts."""

NEAR = 0.01
"""A share that is off by so little is near enough."""

INSTEAD = "give validation=(X, y), or validation=None"


def held_out_groups(
    groups: NumpyArray,
    strata: NumpyArray,
    weights: NumpyArray | None,
    fraction: float,
    seed: int,
    complete: bool,
) -> NumpyArray:
    """Which rows to validate on: of whole groups, the share nearest to what is asked.

    Arguments:
        groups: the number of each row's group, shape (rows,).
        strata: a number a row, such as its class, shape (rows,).
        weights: one number a row, or None.
        fraction: the share of each stratum's weight to hold out.
        seed: of the orders in which groups are tried.
        complete: whether each stratum must stay among the other rows, too.

    Returns:
        A mask of shape (rows,).

    Raises:
        ArgumentError: no group can be held out.

    Example:
        >>> import numpy as np
        >>> groups = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 3])
        >>> same = np.zeros(10, np.int64)
        >>> chosen = held_out_groups(groups, same, None, 0.2, seed=0, complete=True)
        >>> chosen.sum(), len(set(groups[chosen]))
        (np.int64(2), 1)
    """
    found, numbers = np.unique(groups, return_inverse=True)
    if len(found) < 2:
        raise ArgumentError(
            f"groups must be two or more, so that one can be held out, got 1; {INSTEAD}"
        )
    parts = weights_by_stratum(numbers, strata, weights)
    generator, nearest = orders(seed), None
    for _ in range(ORDERS):
        drawn = Drawn.first(parts, fraction, complete)
        drawn.hold_out(generator.permutation(len(parts)).tolist())
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
    """Groups that are held out, and what is still missing.

    D = Σₛ mₛ² / tₛ, where of a stratum's weight tₛ a part mₛ is missing from the share

    Arguments:
        parts: the weight of every group, by stratum.
        totals: tₛ.
        missing: mₛ, below 0 where too much is held out.
        left: how many groups that aren't held out have a stratum.
        complete: whether each stratum must stay in one of them.
        groups: that are held out.

    Source: as in scikit-learn's StratifiedGroupKFold, groups are taken one by one.
    """

    parts: list[dict[int, float]]
    totals: dict[int, float]
    missing: dict[int, float]
    left: Counter[int]
    complete: bool
    groups: list[int]

    @classmethod
    def first(
        cls, parts: list[dict[int, float]], fraction: float, complete: bool
    ) -> Drawn:
        """Nothing is held out yet."""
        totals, left = Counter[int](), Counter[int]()
        for part in parts:
            totals.update(part)
            left.update(part.keys())
        missing = {stratum: fraction * total for stratum, total in totals.items()}
        return cls(parts, dict(totals), missing, left, complete, [])

    @property
    def distance(self) -> float:
        """How far shares are off, in the root of the mean square over the weight."""
        squares = (self.missing[s] ** 2 / t for s, t in self.totals.items())
        return (sum(squares) / sum(self.totals.values())) ** 0.5

    def hold_out(self, order: Iterable[int]) -> None:
        """Of groups in an order each that brings the shares nearer, but at least one.

        Raises:
            ArgumentError: none can be.
        """
        order = list(order)
        for group in order:
            if self.change(group) < 0 and self.can_go(group):
                self.take(group)
        if self.groups:
            return
        free = [group for group in order if self.can_go(group)]
        if not free:
            raise ArgumentError(
                "groups must leave each class in two of them, so that one can be held "
                f"out, but each of the {len(order)} has a class of its own; {INSTEAD}"
            )
        self.take(min(free, key=self.change))

    def change(self, group: int) -> float:
        """By how much D would grow."""
        part = self.parts[group].items()
        return sum(w * (w - 2 * self.missing[s]) / self.totals[s] for s, w in part)

    def can_go(self, group: int) -> bool:
        """Whether what must stay still would."""
        if not self.complete:
            return len(self.groups) < len(self.parts) - 1
        return all(self.left[stratum] > 1 for stratum in self.parts[group])

    def take(self, group: int) -> None:
        """Hold a group out."""
        self.groups.append(group)
        for stratum, weight in self.parts[group].items():
            self.missing[stratum] -= weight
            self.left[stratum] -= 1
