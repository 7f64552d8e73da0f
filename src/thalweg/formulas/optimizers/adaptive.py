"""Rules that scale each parameter's steps by the gradients that it has seen."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.checks import require_fraction, require_positive
from thalweg.formulas.optimizers.rule import (
    Optimizer,
    State,
    Updated,
    require_learning_rate,
)
from thalweg.formulas.schedules import Schedule
from thalweg.program import ops


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Steps that shrink with the sum of all squared gradients so far.

    s ← s + g²
    θ ← θ − η g / (√s + ε)

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        epsilon: ε, greater than 0.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.optimizers import Adagrad
        >>> theta, state = Adagrad().update(1.0, 2.0, {"squares": 0.0}, 0.25, 1.0)
        >>> print(round(theta, 6), state["squares"])
        0.75 4.0

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning
    and stochastic optimization", 2011. Defaults as PyTorch.
    """

    learning_rate: float | Schedule = 0.01
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_positive("epsilon", self.epsilon)

    def state(self) -> tuple[str, ...]:
        """The sum of squared gradients."""
        return ("squares",)

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step."""
        squares = state["squares"] + gradient**2
        moved = parameters - learning_rate * gradient / (
            ops.sqrt(squares) + self.epsilon
        )
        return moved, {"squares": squares}


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Steps in the parameters' own unit, so that the learning rate is 1.

    s ← ρ s + (1 − ρ) g²
    Δ = √(d + ε) / √(s + ε) · g
    d ← ρ d + (1 − ρ) Δ²
    θ ← θ − η Δ

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        rho: ρ, how much is kept of the mean squares, in [0, 1).
        epsilon: ε, greater than 0.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.optimizers import Adadelta
        >>> zeros = {"squares": 0.0, "changes": 0.0}
        >>> theta, state = Adadelta().update(1.0, 2.0, zeros, 1.0, 1.0)
        >>> print(round(theta, 6))
        0.996838

    Source: Zeiler, "ADADELTA: an adaptive learning rate method", 2012. Defaults as
    PyTorch.
    """

    learning_rate: float | Schedule = 1.0
    rho: float = 0.9
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_fraction("rho", self.rho)
        require_positive("epsilon", self.epsilon)

    def state(self) -> tuple[str, ...]:
        """The mean squares of gradients and of changes."""
        return ("squares", "changes")

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step."""
        rho, epsilon = self.rho, self.epsilon
        squares = rho * state["squares"] + (1 - rho) * gradient**2
        scale = ops.sqrt(state["changes"] + epsilon) / ops.sqrt(squares + epsilon)
        change = scale * gradient
        changes = rho * state["changes"] + (1 - rho) * change**2
        moved = parameters - learning_rate * change
        return moved, {"squares": squares, "changes": changes}


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """Steps divided by the recent size of the gradient.

    s ← ρ s + (1 − ρ) g²
    θ ← θ − η g / (√s + ε)

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        rho: ρ, how much is kept of the mean squares, in [0, 1) (PyTorch's alpha).
        epsilon: ε, greater than 0.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.optimizers import RMSProp
        >>> theta, state = RMSProp().update(1.0, 2.0, {"squares": 0.0}, 0.01, 1.0)
        >>> print(round(theta, 6), round(state["squares"], 6))
        0.9 0.04

    Source: Tieleman and Hinton, "Lecture 6.5: rmsprop", Neural networks for machine
    learning, 2012. Defaults as PyTorch.
    """

    learning_rate: float | Schedule = 0.01
    rho: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_fraction("rho", self.rho)
        require_positive("epsilon", self.epsilon)

    def state(self) -> tuple[str, ...]:
        """The mean squares of gradients."""
        return ("squares",)

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step."""
        squares = self.rho * state["squares"] + (1 - self.rho) * gradient**2
        moved = parameters - learning_rate * gradient / (
            ops.sqrt(squares) + self.epsilon
        )
        return moved, {"squares": squares}
