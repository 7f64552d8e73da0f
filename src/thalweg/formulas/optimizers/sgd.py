"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.checks import require_fraction
from thalweg.errors import ArgumentError
from thalweg.formulas.optimizers.rule import (
    Optimizer,
    State,
    Updated,
    require_learning_rate,
)
from thalweg.formulas.schedules import Schedule
from thalweg.program import ops


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

    θ ← θ − η g                                   without momentum
    v ← μ v + g,  θ ← θ − η v                     with momentum μ
    v ← μ v + g,  θ ← θ − η (g + μ v)             with Nesterov's momentum

    Whether it's full-batch, stochastic or mini-batch is the batch's size, not the
    rule's concern.

    Arguments:
        learning_rate: η, a number or a `Schedule`.
        momentum: μ, in [0, 1).
        nesterov: whether to look ahead.

    Raises:
        ArgumentError: an argument is out of its range, or nesterov without momentum.

    Example:
        >>> from thalweg.formulas.optimizers import SGD
        >>> SGD().update(1.0, 2.0, {}, 0.25, 1.0)
        (0.5, {})

    Source: Cauchy, "Méthode générale pour la résolution des systèmes d'équations
    simultanées", 1847; Polyak, "Some methods of speeding up the convergence of
    iteration methods", 1964; Sutskever, Martens, Dahl and Hinton, "On the importance
    of initialization and momentum in deep learning", 2013. Defaults as PyTorch, whose
    learning rate stands outside the velocity.
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        require_learning_rate(self.learning_rate)
        require_fraction("momentum", self.momentum)
        if self.nesterov and not self.momentum:
            raise ArgumentError("nesterov needs a momentum greater than 0, got 0")

    def state(self) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return ("velocity",) if self.momentum else ()

    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step down the gradient or the velocity."""
        if not self.momentum:
            return parameters - learning_rate * gradient, {}
        velocity = self.momentum * state["velocity"] + gradient
        ahead = gradient + self.momentum * velocity if self.nesterov else velocity
        return parameters - learning_rate * ahead, {"velocity": velocity}
