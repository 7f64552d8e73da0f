"""Layers that stay as they are while others learn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from thalweg.checks import require
from thalweg.formulas.branches import (
    Branching,
    Chain,
    ChainLike,
    chain_from,
    chain_text,
)
from thalweg.formulas.layers import (
    Layer,
    Namespace,
    Parameter,
    Random,
    Shape,
    State,
)
from thalweg.program import ops
from thalweg.program.types import Dtype


@dataclass(frozen=True)
class Frozen(Branching):
    """Layers that learn nothing: what they have stays the same to the bit.

    y = f(x; θ), θ a constant

    In training they compute what they compute in prediction: batch normalization goes
    by its running statistics and keeps them, dropout and `Augment` do nothing. Their
    parameters are state of the network, so optimizers, penalties and clipping don't see
    them, and they take no time backwards unless a layer before them learns. `fit` draws
    the others anew, without a warm start, and leaves these.

    Arguments:
        layers: f, one layer or more.

    Returns:
        When applied to x, what the layers give, one after the other. The parameters of
        the first one are state by names such as ``1.weights``.

    Raises:
        ArgumentError: there are no layers, or one of them isn't a layer.

    Example:
        >>> import thalweg as tw
        >>> network = tw.Network([tw.Frozen(tw.Dense(8, "relu")), tw.Dense(1)])
        >>> network = network.initialize(3)
        >>> list(network.parameters), list(network.state)
        (['2.weights', '2.bias'], ['1.1.weights', '1.1.bias'])

    Source: Yosinski, Clune, Bengio and Lipson, "How transferable are features in deep
    neural networks?", 2014.
    """

    layers: ChainLike

    def __post_init__(self) -> None:
        layers = chain_from("layers", self.layers)
        require(len(layers) > 0, "layers", "one or more", self.layers)
        object.__setattr__(self, "layers", layers)

    def __str__(self) -> str:
        return f"Frozen({chain_text(self.chains()[''])})"

    def chains(self) -> dict[str, Chain]:
        """f, whose layers are named by their numbers alone."""
        return {"": cast(Chain, self.layers)}

    def with_chains(self, chains: Mapping[str, Chain]) -> Frozen:
        """The same with other layers."""
        return replace(self, layers=chains[""])

    def require_joinable(self, given: Sequence[Shape]) -> None:
        """One result always can be."""

    def joined(self, results: Sequence[ops.Array]) -> ops.Array:
        """What the layers give."""
        return results[0]

    def parameters_and_state(
        self, input_shape: Shape, dtype: Dtype
    ) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
        """All that the layers have, as state."""
        parameters, state = super().parameters_and_state(input_shape, dtype)
        return {}, {**parameters, **state}

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """What the layers give in prediction."""
        return self.forward(x, p), {}


def frozen_places(layers: Sequence[Layer], place: str = "") -> Iterator[str]:
    """What the names of all that is frozen start with, inside other layers too.

    >>> import thalweg as tw
    >>> inner = tw.Frozen(tw.Dense(2))
    >>> list(frozen_places([inner, tw.Parallel([[], [tw.Dense(3), inner]])]))
    ['1.', '2.2.2.']
    """
    for number, layer in enumerate(layers, 1):
        own = f"{place}{number}."
        if isinstance(layer, Frozen):
            yield own
        elif isinstance(layer, Branching):
            for inside, chain in layer.chains().items():
                yield from frozen_places(chain, own + inside)
