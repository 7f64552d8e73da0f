"""Samplers: where the settings to be tried come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from thalweg.checks import look_up
from thalweg.errors import ArgumentError
from thalweg.search.space import Point, Space, drawn
from thalweg.search.trials import Trial


class Sampler(Protocol):
    """Proposes settings, and may learn from how they did."""

    def propose(self, number: int) -> Point:
        """The point of a number; each is asked for once, in order."""
        ...

    def end(self, number: int, rungs: Sequence[Trial], finished: bool) -> None:
        """The settings take no further part.

        Arguments:
            number: of the settings.
            rungs: their trials, fewest epochs first; none if the search ended before
                there was one.
            finished: whether the last one is that of all epochs.
        """
        ...


@dataclass(frozen=True)
class RandomSampler(Sampler):
    """Points at random, the same for the same seed, whatever happens.

    Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", 2012.
    """

    space: Space
    seed: int

    def propose(self, number: int) -> Point:
        """The point of a number."""
        return drawn(self.space, self.seed, number)

    def end(self, number: int, rungs: Sequence[Trial], finished: bool) -> None:
        """Nothing is learned."""


def random_sampler(space: Space, seed: int, storage: str | None) -> Sampler:
    """Points at random.

    Raises:
        ArgumentError: there is a storage, which only Optuna has.
    """
    if storage is not None:
        raise ArgumentError(f"storage needs the sampler optuna, got {storage!r}")
    return RandomSampler(space, seed)


def optuna_sampler(space: Space, seed: int, storage: str | None) -> Sampler:
    """Points by Optuna's tree-structured Parzen estimator.

    Raises:
        ArgumentError: Optuna isn't installed, or the storage can't be used.
    """
    from thalweg.search.optuna_sampler import OptunaSampler

    return OptunaSampler.new(space, seed, storage)


SAMPLERS: Mapping[str, Callable[[Space, int, str | None], Sampler]] = {
    "random": random_sampler,
    "optuna": optuna_sampler,
}


def sampler_named(name: str, space: Space, seed: int, storage: str | None) -> Sampler:
    """The sampler of a name.

    Raises:
        ArgumentError: there is none of that name, or it can't be used.
    """
    return look_up("sampler", name, SAMPLERS)(space, seed, storage)
