"""Schedules: how the learning rate changes while a network trains.

A schedule is a pure function of the step (counted from 0), the number of steps in all,
and the validation losses of the epochs so far; so a resumed run goes on as it would.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.checks import (
    is_number,
    require,
    require_fraction,
    require_non_negative,
    require_positive,
    require_share,
    require_whole,
)
from thalweg.formulas.running_losses import fold


class Schedule(abc.ABC):
    """A learning rate that changes. One's own subclass needs `learning_rate` alone.

    Example:
        >>> from thalweg.formulas.schedules import Schedule
        >>> class Harmonic(Schedule):
        ...     def learning_rate(self, step, total_steps, validation_losses):
        ...         return 0.1 / (1 + step)
        >>> Harmonic().learning_rate(4, 100, [])
        0.02
    """

    @abc.abstractmethod
    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """The learning rate of one step.

        Arguments:
            step: counted from 0.
            total_steps: how many there will be if nothing stops the training.
            validation_losses: of the epochs that are over.

        Returns:
            A number of 0 or more.
        """

    def learning_rates(
        self, steps: range, total_steps: int, validation_losses: Sequence[float]
    ) -> list[float]:
        """The learning rates of the steps of one epoch.

        Arguments:
            steps: counted from 0.
            total_steps: how many there will be if nothing stops the training.
            validation_losses: of the epochs that are over.

        Returns:
            A number for every step.
        """
        losses = validation_losses
        return [float(self.learning_rate(s, total_steps, losses)) for s in steps]


@dataclass(frozen=True)
class Constant(Schedule):
    """The same learning rate throughout.

    ηₜ = η

    Arguments:
        value: η, greater than 0.

    Raises:
        ArgumentError: value isn't greater than 0.

    Example:
        >>> from thalweg.formulas.schedules import Constant
        >>> Constant(0.01).learning_rate(7, 100, [])
        0.01

    Source: Robbins and Monro, "A stochastic approximation method", 1951.
    """

    value: float

    def __post_init__(self) -> None:
        require_positive("value", self.value)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """The value."""
        return self.value

    def learning_rates(
        self, steps: range, total_steps: int, validation_losses: Sequence[float]
    ) -> list[float]:
        """The value, for every step."""
        return [self.value] * len(steps)


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Lower by a factor after every so many steps.

    ηₜ = η₀ γ^⌊t / s⌋

    Arguments:
        initial: η₀, greater than 0.
        every: s, in steps (not epochs).
        factor: γ, greater than 0, at most 1.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.schedules import StepDecay
        >>> decay = StepDecay(initial=0.1, every=100, factor=0.5)
        >>> [decay.learning_rate(step, 300, []) for step in (0, 99, 100, 200)]
        [0.1, 0.1, 0.05, 0.025]

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012.
    """

    initial: float
    every: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        require_positive("initial", self.initial)
        require_whole("every", self.every, least=1)
        require_share("factor", self.factor)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """η₀ γ^⌊t / s⌋."""
        return self.initial * self.factor ** (step // self.every)


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Lower by the same factor over every so many steps, smoothly.

    ηₜ = η₀ γ^(t / s)

    Arguments:
        initial: η₀, greater than 0.
        factor: γ, greater than 0, at most 1.
        every: s, in steps (not epochs).

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.schedules import ExponentialDecay
        >>> decay = ExponentialDecay(initial=0.1, factor=0.25, every=100)
        >>> [decay.learning_rate(step, 300, []) for step in (0, 50, 100)]
        [0.1, 0.05, 0.025]

    Source: Darken and Moody, "Note on learning rate schedules for stochastic
    optimization", 1990.
    """

    initial: float
    factor: float
    every: int = 1

    def __post_init__(self) -> None:
        require_positive("initial", self.initial)
        require_share("factor", self.factor)
        require_whole("every", self.every, least=1)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """η₀ γ^(t / s)."""
        return self.initial * self.factor ** (step / self.every)


@dataclass(frozen=True)
class CosineWithWarmup(Schedule):
    """A linear rise to the peak, then half a cosine down.

    With T steps in all, W = warmup · T of them to rise, and p = (t − W) / (T − W):

    ηₜ = η (t + 1) / W                                 for t < W
    ηₜ = final + (η − final) (1 + cos πp) / 2          from there

    Arguments:
        peak: η, greater than 0.
        warmup: the part of all steps that rise, in [0, 1); rounded to whole steps.
        final: what it comes down to, from 0 to the peak.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.schedules import CosineWithWarmup
        >>> cosine = CosineWithWarmup(peak=0.1, warmup=0.2)
        >>> [round(cosine.learning_rate(t, 10, []), 4) for t in (0, 1, 2, 6)]
        [0.05, 0.1, 0.1, 0.05]

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2017; warm-up: Goyal and others, "Accurate, large minibatch SGD", 2017.
    """

    peak: float
    warmup: float = 0.1
    final: float = 0.0

    def __post_init__(self) -> None:
        require_positive("peak", self.peak)
        require_fraction("warmup", self.warmup)
        require_non_negative("final", self.final)
        require(self.final <= self.peak, "final", f"at most {self.peak}", self.final)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """The line up, then the cosine down."""
        rising = round(self.warmup * total_steps)
        if step < rising:
            return self.peak * (step + 1) / rising
        return cosine(self.peak, self.final, part(step, rising, total_steps))


@dataclass(frozen=True)
class OneCycle(Schedule):
    """One rise by half a cosine, then a long fall far below the start.

    From peak / start_divisor up to the peak over the first part of the steps, then
    down to peak / start_divisor / final_divisor in the last step. Conventions and
    defaults are those of PyTorch's OneCycleLR with its cosine shape.

    Arguments:
        peak: the largest learning rate, greater than 0.
        warmup: the part of all steps that rise, in [0, 1).
        start_divisor: the peak over the first learning rate, 1 or more.
        final_divisor: the first learning rate over the last, 1 or more.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.schedules import OneCycle
        >>> cycle = OneCycle(peak=1.0)
        >>> [round(cycle.learning_rate(t, 100, []), 4) for t in (0, 29, 99)]
        [0.04, 1.0, 0.0]

    Source: Smith, "A disciplined approach to neural network hyper-parameters", 2018.
    """

    peak: float
    warmup: float = 0.3
    start_divisor: float = 25.0
    final_divisor: float = 10000.0

    def __post_init__(self) -> None:
        require_positive("peak", self.peak)
        require_fraction("warmup", self.warmup)
        for name in ("start_divisor", "final_divisor"):
            value = getattr(self, name)
            require(is_number(value) and value >= 1, name, "1 or more", value)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """The cosine up, then the cosine down."""
        start = self.peak / self.start_divisor
        top = self.warmup * total_steps - 1
        if step <= top:
            return cosine(start, self.peak, part(step, 0, top))
        final = start / self.final_divisor
        return cosine(self.peak, final, part(step, top, total_steps - 1))


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Lower by a factor whenever the validation loss has stopped to improve.

    An epoch improves when its loss is below the best before it by more than
    min_delta. After more than `patience` epochs without that, η becomes γ η, and the
    count starts anew. It's computed from the list of losses, so nothing is stored.

    Arguments:
        initial: the first η, greater than 0.
        factor: γ, greater than 0, at most 1.
        patience: how many epochs without improvement are borne. The default is less
            than early stopping's, so that a lower rate is tried before the end.
        min_delta: what counts as an improvement, in the loss's unit, 0 or more.
        least: the lowest learning rate, 0 or more.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.schedules import ReduceOnPlateau
        >>> plateau = ReduceOnPlateau(initial=0.1, factor=0.5, patience=1)
        >>> plateau.learning_rate(0, 100, [3.0, 2.0, 2.5])
        0.1
        >>> plateau.learning_rate(0, 100, [3.0, 2.0, 2.5, 2.0])
        0.05

    Source: Goodfellow, Bengio and Courville, "Deep learning", section 11.4, 2016;
    conventions as PyTorch's ReduceLROnPlateau with an absolute threshold.
    """

    initial: float
    factor: float = 0.1
    patience: int = 5
    min_delta: float = 0.0
    least: float = 0.0

    def __post_init__(self) -> None:
        require_positive("initial", self.initial)
        require_share("factor", self.factor)
        require_whole("patience", self.patience, least=0)
        require_non_negative("min_delta", self.min_delta)
        require_non_negative("least", self.least)

    def learning_rate(
        self, step: int, total_steps: int, validation_losses: Sequence[float]
    ) -> float:
        """The initial rate, lowered once for every plateau so far."""
        lowered = self.initial * self.factor ** self.plateaus(validation_losses)
        return max(lowered, min(self.least, self.initial))

    def learning_rates(
        self, steps: range, total_steps: int, validation_losses: Sequence[float]
    ) -> list[float]:
        """The same for every step of an epoch."""
        rate = self.learning_rate(steps.start, total_steps, validation_losses)
        return [rate] * len(steps)

    def plateaus(self, validation_losses: Sequence[float]) -> int:
        """How often the patience has run out."""
        _, _, count = fold(self._after, validation_losses, (math.inf, 0, 0))
        return count

    def _after(
        self, state: tuple[float, int, int], loss: float
    ) -> tuple[float, int, int]:
        """The best loss, the epochs waited, and the plateaus, after another loss."""
        best, waited, count = state
        if loss < best - self.min_delta:
            return loss, 0, count
        if waited == self.patience:
            return best, 0, count + 1
        return best, waited + 1, count


def cosine(start: float, end: float, progress: float) -> float:
    """Half a cosine from start (progress 0) to end (progress 1)."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def part(step: float, first: float, last: float) -> float:
    """How far a step is on the way from first to last, from 0 to 1."""
    return min(1.0, (step - first) / (last - first)) if last > first else 1.0


def schedule(chosen: float | Schedule) -> Schedule:
    """The schedule itself; a number becomes a constant one.

    Raises:
        ArgumentError: it is neither a schedule nor a number greater than 0.

    Example:
        >>> from thalweg.formulas.schedules import schedule
        >>> schedule(0.01)
        Constant(value=0.01)
    """
    return chosen if isinstance(chosen, Schedule) else Constant(chosen)
