"""Adam, and Adam with decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.checks import (
    require_fraction,
    require_non_negative,
    require_positive,
)
from thalweg.formulas.optimizers.rule import (
    Optimizer,
    State,
    Updated,
    require_learning_rate,
)
from thalweg.formulas.schedules import Schedule
from thalweg.program import ops


@dataclass(frozen=True)
class Adam(Optimizer):
    """The gradient's running mean over the root of its running mean square.

    m ← β₁ m + (1 − β₁) g,   m̂ = m / (1 − β₁ᵗ)
    v ← β₂ v + (1 − β₂) g²,  v̂ = v / (1 − β₂ᵗ)
    θ ← θ − η m̂ / (√v̂ + ε)

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        beta1: β₁, how much is kept of the mean, in [0, 1).
        beta2: β₂, how much is kept of the mean square, in [0, 1).
        epsilon: ε, greater than 0.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.optimizers import Adam
        >>> zeros = {"mean": 0.0, "mean_square": 0.0}
        >>> theta, state = Adam().update(1.0, 2.0, zeros, 0.001, 1.0)
        >>> print(round(theta, 6))
        0.999

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015.
    Defaults as PyTorch.
    """

    learning_rate: float | Schedule = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_fraction("beta1", self.beta1)
        require_fraction("beta2", self.beta2)
        require_positive("epsilon", self.epsilon)

    def state(self) -> tuple[str, ...]:
        """The running means of the gradient and of its square."""
        return ("mean", "mean_square")

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step."""
        beta1, beta2 = self.beta1, self.beta2
        mean = beta1 * state["mean"] + (1 - beta1) * gradient
        mean_square = beta2 * state["mean_square"] + (1 - beta2) * gradient**2
        unbiased_mean = mean / (1 - beta1**step)
        unbiased_square = mean_square / (1 - beta2**step)
        moved = parameters - learning_rate * unbiased_mean / (
            ops.sqrt(unbiased_square) + self.epsilon
        )
        return moved, {"mean": mean, "mean_square": mean_square}


@dataclass(frozen=True)
class AdamW(Optimizer):
    """Adam, with weight decay that doesn't pass through the gradient.

    θ ← θ − η λ θ
    m ← β₁ m + (1 − β₁) g,   m̂ = m / (1 − β₁ᵗ)
    v ← β₂ v + (1 − β₂) g²,  v̂ = v / (1 − β₂ᵗ)
    θ ← θ − η m̂ / (√v̂ + ε)

    The decay is *decoupled*: every parameter, biases too, shrinks by the same share
    ηλ. An `L2` penalty instead adds to the gradient, which Adam then divides by √v̂,
    so that parameters with large gradients shrink less.

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        weight_decay: λ, 0 or more.
        beta1: β₁, how much is kept of the mean, in [0, 1).
        beta2: β₂, how much is kept of the mean square, in [0, 1).
        epsilon: ε, greater than 0.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.optimizers import AdamW
        >>> zeros = {"mean": 0.0, "mean_square": 0.0}
        >>> theta, state = AdamW(weight_decay=0.5).update(1.0, 2.0, zeros, 0.001, 1.0)
        >>> print(round(theta, 6))
        0.9985

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    Defaults as PyTorch.
    """

    learning_rate: float | Schedule = 0.001
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_non_negative("weight_decay", self.weight_decay)
        require_fraction("beta1", self.beta1)
        require_fraction("beta2", self.beta2)
        require_positive("epsilon", self.epsilon)

    def state(self) -> tuple[str, ...]:
        """The running means of the gradient and of its square."""
        return ("mean", "mean_square")

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step."""
        beta1, beta2 = self.beta1, self.beta2
        decayed = parameters - learning_rate * self.weight_decay * parameters
        mean = beta1 * state["mean"] + (1 - beta1) * gradient
        mean_square = beta2 * state["mean_square"] + (1 - beta2) * gradient**2
        unbiased_mean = mean / (1 - beta1**step)
        unbiased_square = mean_square / (1 - beta2**step)
        moved = decayed - learning_rate * unbiased_mean / (
            ops.sqrt(unbiased_square) + self.epsilon
        )
        return moved, {"mean": mean, "mean_square": mean_square}
