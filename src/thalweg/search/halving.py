"""Successive halving: many settings for a few epochs, the better ones for more.

All of it is a pure function of the losses that are known, so it doesn't matter which
run ends first, and a search that was broken off goes on from the losses it had.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

KEPT = 3  # of so many settings one goes on, for so many times as many epochs
RUNGS = 4  # at most
LEAST_EPOCHS = 3  # of the first rung

Run = tuple[int, int]  # the number of some settings, and the epochs to train with them


@dataclass(frozen=True)
class Outcome:
    """What is known of a run.

    Arguments:
        loss: the mean over the folds.
        ended: whether more epochs would change nothing, as training stopped by itself.
    """

    loss: float
    ended: bool


Known = Mapping[int, Mapping[int, Outcome]]  # by number and epochs


@dataclass(frozen=True)
class Bracket:
    """Some settings, and how long they are trained before the best are chosen.

    Arguments:
        first: the number of the first of the settings.
        rungs: of each, how many settings take part, and the epochs they get.
    """

    first: int
    rungs: tuple[tuple[int, int], ...]

    @property
    def numbers(self) -> range:
        """The numbers of all its settings."""
        return range(self.first, self.first + self.rungs[0][0])

    def missing(self, known: Known) -> list[Run]:
        """The runs that can be done now; none if the bracket is over."""
        for numbers, epochs in self.climbed(known):
            missing = [
                (n, epochs) for n in numbers if outcome(known, n, epochs) is None
            ]
            if missing:
                return missing
        return []

    def climbed(self, known: Known) -> Iterator[tuple[list[int], int]]:
        """The settings on each rung whose members are known, with its epochs."""
        numbers = list(self.numbers)
        for count, epochs in self.rungs:
            numbers = numbers[:count]
            yield numbers, epochs
            losses = {n: outcome(known, n, epochs) for n in numbers}
            ranked = [(o.loss, n) for n, o in losses.items() if o is not None]
            if len(ranked) < len(numbers):
                return
            numbers = [n for _, n in sorted(ranked)]

    def dropped(self, known: Known) -> set[int]:
        """The settings that take no further part."""
        rungs = list(self.climbed(known))
        if not self.missing(known):
            return set(self.numbers)
        return set(self.numbers) - set(rungs[-1][0])


def outcome(known: Known, number: int, epochs: int) -> Outcome | None:
    """What is known of some settings after so many epochs.

    Training that stopped by itself before has the same outcome for more epochs.
    """
    runs = known.get(number, {})
    ended = [o for e, o in runs.items() if e < epochs and o.ended]
    return runs.get(epochs) or next(iter(ended), None)


def brackets(epochs: int, most: int | None = None) -> Iterator[Bracket]:
    """Brackets in Hyperband's order, from the boldest to plain training, and again.

    Bracket s of S trains n = ⌈S / (s + 1) · 3^s⌉ settings for R / 3^s epochs, then a
    third of them for three times as many, up to R.

    Arguments:
        epochs: R, the most that a network is trained.
        most: how many settings there are in all, numbered from 1; None is no end.

    Example:
        >>> [bracket.rungs for bracket in brackets(81, most=39)]
        [((27, 3), (9, 9), (3, 27), (1, 81)), ((12, 9), (4, 27), (1, 81))]

    Source: Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar, "Hyperband: A novel
    bandit-based approach to hyperparameter optimization", 2018; Jamieson and
    Talwalkar, "Non-stochastic best arm identification and hyperparameter
    optimization", 2016.
    """
    deepest = min(RUNGS - 1, int(math.log(max(epochs // LEAST_EPOCHS, 1), KEPT) + 1e-9))
    first = 1
    for cuts in cycle(range(deepest, -1, -1)):
        count = math.ceil((deepest + 1) / (cuts + 1) * KEPT**cuts)
        if most is not None:
            count = min(count, most + 1 - first)
        if count < 1:
            return
        yield Bracket(first, rungs_of(count, cuts, epochs))
        first += count


def rungs_of(count: int, cuts: int, epochs: int) -> tuple[tuple[int, int], ...]:
    """How many settings each rung has, and for how many epochs it trains them."""
    return tuple(
        (max(count // KEPT**rung, 1), -(-epochs // KEPT ** (cuts - rung)))
        for rung in range(cuts + 1)
    )
