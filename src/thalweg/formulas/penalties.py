"""Penalties: what large weights cost, added to the loss.

They aren't *weight decay*: a penalty's gradient goes through the optimizer's rule with
the loss's own; decoupled weight decay (`AdamW`, `Lion`) shrinks parameters beside it.
Under plain `SGD` alone, L2 with rate λ is the same as a decay of 2λ.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.checks import require_instance, require_non_negative
from thalweg.program import ops


class Penalty(abc.ABC):
    """A cost of one parameter array. One's own subclass needs `__call__` alone.

    Penalties add up with ``+``.

    Example:
        >>> from thalweg.formulas.penalties import Penalty
        >>> from thalweg.program import ops
        >>> class Largest(Penalty):
        ...     def __call__(self, parameter):
        ...         return ops.max(ops.absolute(parameter))
        >>> print(Largest()([1.0, -3.0]))
        3.0
    """

    @abc.abstractmethod
    def __call__(self, parameter: ops.Array) -> ops.Array:
        """The cost of an array of any shape: a scalar."""

    def __add__(self, other: Penalty) -> Penalty:
        return Penalties((self, other))


@dataclass(frozen=True)
class L1(Penalty):
    """The lasso's penalty, which draws weights to exactly zero or nearly so.

    R(w) = λ Σ |w|

    Arguments:
        rate: λ, 0 or more.

    Returns:
        When called with an array of any shape, a scalar.

    Raises:
        ArgumentError: rate isn't a number of 0 or more.

    Example:
        >>> from thalweg.formulas.penalties import L1
        >>> print(L1(0.5)([1.0, -3.0]))
        2.0

    Source: Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
    """

    rate: float

    def __post_init__(self) -> None:
        require_non_negative("rate", self.rate)

    def __call__(self, parameter: ops.Array) -> ops.Array:
        """λ Σ |w|."""
        return self.rate * ops.sum(ops.absolute(parameter))


@dataclass(frozen=True)
class L2(Penalty):
    """The ridge's penalty, which keeps all weights small.

    R(w) = λ Σ w²

    Arguments:
        rate: λ, 0 or more.

    Returns:
        When called with an array of any shape, a scalar.

    Raises:
        ArgumentError: rate isn't a number of 0 or more.

    Example:
        >>> from thalweg.formulas.penalties import L1, L2
        >>> print(L2(0.5)([1.0, -3.0]))
        5.0
        >>> print((L1(0.5) + L2(0.5))([1.0, -3.0]))
        7.0

    Source: Hoerl and Kennard, "Ridge regression", 1970.
    """

    rate: float

    def __post_init__(self) -> None:
        require_non_negative("rate", self.rate)

    def __call__(self, parameter: ops.Array) -> ops.Array:
        """λ Σ w²."""
        return self.rate * ops.sum(ops.square(parameter))


@dataclass(frozen=True)
class Penalties(Penalty):
    """The sum of penalties: with an L1 and an L2, the elastic net.

    R(w) = Σ Rᵢ(w)

    Arguments:
        parts: penalties, none at all for no cost.

    Raises:
        ArgumentError: a part isn't a penalty.

    Example:
        >>> from thalweg.formulas.penalties import L1, L2, Penalties
        >>> print(Penalties((L1(0.5), L2(0.5)))([1.0, -3.0]))
        7.0

    Source: Zou and Hastie, "Regularization and variable selection via the elastic
    net", 2005.
    """

    parts: tuple[Penalty, ...] = ()

    def __post_init__(self) -> None:
        for each in self.parts:
            require_instance("penalty", each, Penalty, "L1, L2 or a Penalty")

    def __call__(self, parameter: ops.Array) -> ops.Array:
        """The sum of the parts."""
        return sum((part(parameter) for part in self.parts), start=0.0)


def penalty(chosen: Penalty | Sequence[Penalty] | None) -> Penalty:
    """One penalty out of none, one or several.

    Raises:
        ArgumentError: it isn't a penalty, nor a sequence of them.

    Example:
        >>> from thalweg.formulas.penalties import L1, penalty
        >>> penalty([L1(0.5)])
        Penalties(parts=(L1(rate=0.5),))
    """
    if isinstance(chosen, Penalty):
        return chosen
    parts = () if chosen is None else chosen
    require_instance("penalty", parts, Sequence, "L1, L2 or a Penalty")
    return Penalties(tuple(parts))
