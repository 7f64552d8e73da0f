"""What every optimizer is: a rule over one vector of all parameters."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TypeAlias

from thalweg.checks import require_positive
from thalweg.formulas.schedules import Schedule
from thalweg.program import ops

State: TypeAlias = dict[str, ops.Array]
Updated: TypeAlias = tuple[ops.Array, State]


@dataclass(frozen=True)
class Optimizer(abc.ABC):
    """A rule that moves parameters. One's own is a frozen dataclass with `update`.

    Arguments:
        learning_rate: η, a number or a `Schedule`.

    Example:
        >>> from dataclasses import dataclass
        >>> from thalweg.formulas.optimizers import Optimizer
        >>> from thalweg.program import ops
        >>> @dataclass(frozen=True)
        ... class SignDescent(Optimizer):
        ...     def update(self, parameters, gradient, state, learning_rate, step):
        ...         return parameters - learning_rate * ops.sign(gradient), {}
        >>> print(SignDescent(learning_rate=0.5).update(2.0, 4.0, {}, 0.5, 1.0)[0])
        1.5
    """

    learning_rate: float | Schedule

    def state(self) -> tuple[str, ...]:
        """Names of what is kept between steps, each zeros of θ's shape at first."""
        return ()

    @abc.abstractmethod
    def update(
        self,
        parameters: ops.Array,
        gradient: ops.Array,
        state: State,
        learning_rate: ops.Array,
        step: ops.Array,
    ) -> Updated:
        """One step.

        Arguments:
            parameters: θ, a vector of all parameters.
            gradient: g, of the same shape.
            state: by the names that `state` gives, each of the same shape.
            learning_rate: η of this step, a scalar.
            step: t, a scalar, 1 in the first step.

        Returns:
            The new θ and the new state, under the same names.
        """


def require_learning_rate(learning_rate: float | Schedule) -> None:
    """The learning rate is a schedule or a number greater than 0."""
    if not isinstance(learning_rate, Schedule):
        require_positive("learning_rate", learning_rate)
