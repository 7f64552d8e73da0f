"""Sizes at which an operation takes much longer than at the next smaller one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

Sizes: TypeAlias = tuple[int, ...]
CLIFF = 1.5


def cliffs(cost: Mapping[Sizes, float]) -> list[tuple[Sizes, Sizes, float]]:
    """Of the time of an operation: the smaller sizes, the larger, how much longer."""
    return [
        (a, b, cost[b] / cost[a])
        for a, b in steps_up(cost)
        if cost[b] > CLIFF * cost[a]
    ]


def steps_up(grid: Iterable[Sizes]) -> Iterator[tuple[Sizes, Sizes]]:
    """Neighbors in a whole grid, the smaller first."""
    keys = list(grid)
    for axis, sizes in enumerate(zip(*keys, strict=True)):
        above = dict(itertools.pairwise(sorted(set(sizes))))
        for key in keys:
            if key[axis] in above:
                yield key, (*key[:axis], above[key[axis]], *key[axis + 1 :])
