"""Lion: steps by the sign of a running mean."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.checks import require_fraction, require_non_negative
from thalweg.formulas.optimizers.rule import (
    Optimizer,
    State,
    Updated,
    require_learning_rate,
)
from thalweg.formulas.schedules import Schedule
from thalweg.program import ops


@dataclass(frozen=True)
class Lion(Optimizer):
    """Steps of one size: the sign of the gradient's running mean.

    u = sign(β₁ m + (1 − β₁) g)
    θ ← θ − η (u + λ θ)
    m ← β₂ m + (1 − β₂) g

    It wants a learning rate about ten times smaller than Adam's.

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        weight_decay: λ, decoupled as in `AdamW`, 0 or more.
        beta1: β₁, the share of the mean in the step's direction, in [0, 1).
        beta2: β₂, how much is kept of the mean, in [0, 1).

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from thalweg.formulas.optimizers import Lion
        >>> theta, state = Lion().update(1.0, 2.0, {"mean": 0.0}, 0.25, 1.0)
        >>> print(theta, round(state["mean"], 6))
        0.75 0.02

    Source: Chen and others, "Symbolic discovery of optimization algorithms", 2023,
    and its defaults; PyTorch has no such rule.
    """

    learning_rate: float | Schedule = 0.0001
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.99

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_non_negative("weight_decay", self.weight_decay)
        require_fraction("beta1", self.beta1)
        require_fraction("beta2", self.beta2)

    def state(self) -> tuple[str, ...]:
        """The running mean of the gradient."""
        return ("mean",)

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step."""
        beta1, beta2, mean = self.beta1, self.beta2, state["mean"]
        direction = ops.sign(beta1 * mean + (1 - beta1) * gradient)
        moved = parameters - learning_rate * (
            direction + self.weight_decay * parameters
        )
        return moved, {"mean": beta2 * mean + (1 - beta2) * gradient}
