"""Layers that hold layers: branches that are given the same rows, and are joined."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeAlias, cast

from thalweg.checks import look_up, require, require_instance
from thalweg.errors import ShapeError
from thalweg.formulas.chain import (
    Shapes,
    chain_forward,
    chain_training_forward,
    describe,
    lengths_through,
    shapes_of,
)
from thalweg.formulas.layers import (
    Layer,
    Namespace,
    Parameter,
    Prefixed,
    Random,
    Shape,
    State,
)
from thalweg.formulas.lengths import Lengths, lengths_of
from thalweg.program import ops
from thalweg.program.arguments import shape_of
from thalweg.program.trace import labeled
from thalweg.program.types import Dtype

Chain: TypeAlias = tuple[Layer, ...]
ChainLike: TypeAlias = Layer | Sequence[Layer]
PROBE_DTYPE: Dtype = "float32"  # for who asks without one

JOINS: Mapping[str, Callable[[Sequence[ops.Array]], ops.Array]] = {
    "add": lambda results: reduce(ops.add, results),
    "concatenate": lambda results: ops.concatenate(results, axis=-1),
    "multiply": lambda results: reduce(ops.multiply, results),
}
"""How the results of branches can become one."""


def chain_from(name: str, given: Any) -> Chain:
    """A layer, or layers one after the other.

    Raises:
        ArgumentError: it is neither.
    """
    layers = [given] if isinstance(given, Layer) else given
    must = "a layer or a list of layers"
    require_instance(name, layers, Sequence, must)
    for layer in layers:
        require_instance(name, layer, Layer, must)
    return tuple(layers)


def chain_text(chain: Chain) -> str:
    """Layers as they would be written: ``[Dense(8), Dense(2)]``."""
    return f"[{', '.join(map(describe, chain))}]"


class Branching(Layer):
    """A layer of chains of layers: each gives something of x, and all are joined.

    What a chain's layers have is named by the chain's place and the layer's number:
    ``2.1.weights`` are those of the first layer of the chain at ``2.``.
    """

    @property
    def title(self) -> str:
        """What it is, without the layers in it."""
        return type(self).__name__

    @abc.abstractmethod
    def chains(self) -> dict[str, Chain]:
        """The chains by their places, such as ``2.``; an empty chain gives x."""

    @abc.abstractmethod
    def with_chains(self, chains: Mapping[str, Chain]) -> Branching:
        """The same with other layers at the same places."""

    @abc.abstractmethod
    def require_joinable(self, given: Sequence[Shape]) -> None:
        """The rows that the chains give have shapes that go together."""

    @abc.abstractmethod
    def joined(self, results: Sequence[ops.Array]) -> ops.Array:
        """What becomes of the chains' results."""

    def given(self, x: ops.Array) -> Sequence[ops.Array]:
        """What each chain is given of x."""
        return [x] * len(self.chains())

    def given_shapes(self, input_shape: Shape) -> Sequence[Shape]:
        """The shape of a row that each chain is given."""
        return [input_shape] * len(self.chains())

    def shapes(self, input_shape: Shape, dtype: Dtype) -> dict[str, Shapes]:
        """All that is known of each chain, by its place, for rows of a shape.

        Raises:
            ShapeError, DtypeError: naming the layer, the formula's line and the shapes.
        """
        found: dict[str, Shapes] = {}
        given = self.given_shapes(input_shape)
        for (place, chain), shape in zip(self.chains().items(), given, strict=True):
            with labeled(place_text(place)):
                found[place] = shapes_of(chain, shape, dtype)
        self.require_joinable([each.outputs[-1] for each in found.values()])
        return found

    def parameters_and_state(
        self, input_shape: Shape, dtype: Dtype
    ) -> tuple[dict[str, Parameter], dict[str, Parameter]]:
        """Those of all chains, each name behind its place."""
        every = self.shapes(input_shape, dtype).items()
        return (
            {place + n: p for place, s in every for n, p in s.parameters.items()},
            {place + n: p for place, s in every for n, p in s.state.items()},
        )

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Those of all chains, each name behind its place."""
        return self.parameters_and_state(input_shape, PROBE_DTYPE)[0]

    def state(self, input_shape: Shape) -> dict[str, Parameter]:
        """That of all chains, each name behind its place."""
        return self.parameters_and_state(input_shape, PROBE_DTYPE)[1]

    def lengths_behind(
        self, lengths: Lengths, input_shape: Shape, output_shape: Shape
    ) -> Lengths | None:
        """Those behind the first chain: what is joined has the same times."""
        (place, chain), *_ = self.chains().items()
        shapes = self.shapes(input_shape, PROBE_DTYPE)[place]
        return lengths_through(chain, shapes.outputs, lengths)

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """What the chains give, joined."""
        results: list[ops.Array] = []
        parts = self.given(x)
        for (place, chain), part in zip(self.chains().items(), parts, strict=True):
            with labeled(place_text(place)):
                own = values_in(p, place, chain)
                results.append(chain_forward(chain, part, own, lengths_of(p)))
        return self._joined(results)

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """What the chains give in training, joined, and their new state."""
        results: list[ops.Array] = []
        state: State = {}
        parts = self.given(x)
        for (place, chain), part in zip(self.chains().items(), parts, strict=True):
            own = values_in(p, place, chain)
            with labeled(place_text(place)):
                result, new = chain_training_forward(
                    chain, part, own, random, lengths_of(p)
                )
            results.append(result)
            state |= {place + name: value for name, value in new.items()}
        return self._joined(results), state

    def _joined(self, results: Sequence[ops.Array]) -> ops.Array:
        self.require_joinable([shape_of(each)[1:] for each in results])
        return self.joined(results)


def place_text(place: str) -> str:
    """How errors name a chain."""
    return f"branch {place[:-1]}" if place else "its layers"


def values_in(p: Namespace, place: str, chain: Chain) -> list[Namespace]:
    """The parameters and state of each layer of the chain at a place."""
    return [Prefixed(p, f"{place}{number}.") for number in range(1, len(chain) + 1)]


def row_text(shape: Shape) -> str:
    """The shape of a row with the axis of rows by its name."""
    return f"({', '.join(['rows', *map(str, shape)])})"


@dataclass(frozen=True)
class Residual(Branching):
    """Adds what layers make of x to x itself, so that they learn what to change.

    y = P(x) + f(x), f the layers one after the other, P(x) = x unless told

    However many such layers there are, the gradient of the last reaches the first.

    Arguments:
        layers: f, one layer or more.
        projection: P, a layer or layers that bring x to the shape of f(x), where it
            has another; none where x is added as it is.

    Returns:
        When applied to x, an array of the shape that f(x) has, and P(x).

    Raises:
        ArgumentError: there are no layers, or one of them isn't a layer.
        ShapeError: f(x) and P(x) don't have one shape.

    Example:
        >>> import thalweg as tw
        >>> block = tw.Residual([tw.Dense(8, "relu"), tw.Dense(3)])
        >>> for name, parameter in block.parameters((3,)).items():
        ...     print(name, parameter.shape)
        1.weights (3, 8)
        1.bias (8,)
        2.weights (8, 3)
        2.bias (3,)

    Source: He, Zhang, Ren and Sun, "Deep residual learning for image recognition",
    2016.
    """

    layers: ChainLike
    projection: ChainLike = ()

    def __post_init__(self) -> None:
        layers = chain_from("layers", self.layers)
        require(len(layers) > 0, "layers", "one or more", self.layers)
        object.__setattr__(self, "layers", layers)
        projection = chain_from("projection", self.projection)
        object.__setattr__(self, "projection", projection)

    def __str__(self) -> str:
        layers, projection = self.chains().values()
        more = f", projection={chain_text(projection)}" if projection else ""
        return f"Residual({chain_text(layers)}{more})"

    def chains(self) -> dict[str, Chain]:
        """f, whose layers are named by their numbers alone, and P."""
        layers, projection = self.layers, self.projection
        return {"": cast(Chain, layers), "projection.": cast(Chain, projection)}

    def with_chains(self, chains: Mapping[str, Chain]) -> Residual:
        """The same with other layers."""
        return replace(self, layers=chains[""], projection=chains["projection."])

    def require_joinable(self, given: Sequence[Shape]) -> None:
        """f(x) and P(x) have one shape.

        Raises:
            ShapeError: they don't.
        """
        changed, kept = given
        if changed != kept:
            raise ShapeError(
                f"the layers must give what they are added to, {row_text(kept)}, "
                f"got {row_text(changed)}: another last layer, or a projection such as "
                f"projection=Dense({math.prod(changed)}), makes them agree"
            )

    def joined(self, results: Sequence[ops.Array]) -> ops.Array:
        """P(x) + f(x)."""
        changed, kept = results
        return kept + changed


@dataclass(frozen=True)
class Parallel(Branching):
    """Gives x to several branches, and joins what they make of it.

    y = f₁(x), f₂(x), … side by side; or f₁(x) + f₂(x) + …; or f₁(x) f₂(x) …

    Arguments:
        branches: f₁, f₂, …, each a layer or layers one after the other; ``[]`` passes
            x on as it is.
        join: ``concatenate`` puts results side by side along the last axis; ``add``
            and ``multiply`` take them element by element, so that a branch that ends
            in a sigmoid is a gate.

    Returns:
        When applied to x, what the branches give, joined. The parameters of the first
        layer of the second branch are named ``2.1.weights`` and so on.

    Raises:
        ArgumentError: there are no branches, one isn't made of layers, or there is no
            such way to join them.
        ShapeError: the branches' results can't be joined.

    Example:
        >>> import thalweg as tw
        >>> both = tw.Parallel([[], [tw.Dense(8, "relu"), tw.Dense(2)]])
        >>> network = tw.Network([both]).initialize(3)
        >>> network.predict([[1.0, 2.0, 3.0]]).shape
        (1, 5)

    Source: Szegedy et al., "Going deeper with convolutions", 2015.
    """

    branches: Sequence[ChainLike]
    join: str = "concatenate"

    def __post_init__(self) -> None:
        must = "a list of branches, such as [[Dense(8)], [Dense(4), Dense(4)]]"
        require_instance("branches", self.branches, Sequence, must)
        require(len(self.branches) > 0, "branches", must, self.branches)
        chains = tuple(chain_from("a branch", each) for each in self.branches)
        object.__setattr__(self, "branches", chains)
        look_up("join", self.join, JOINS)

    @property
    def title(self) -> str:
        """What it is, and how it joins if not as usual."""
        usual = self.join == "concatenate"
        return "Parallel" if usual else f"Parallel, join={self.join!r}"

    def __str__(self) -> str:
        branches = ", ".join(map(chain_text, self.chains().values()))
        more = "" if self.join == "concatenate" else f", join={self.join!r}"
        return f"Parallel([{branches}]{more})"

    def chains(self) -> dict[str, Chain]:
        """The branches by their numbers."""
        numbered = enumerate(cast(Sequence[Chain], self.branches), 1)
        return {f"{number}.": chain for number, chain in numbered}

    def with_chains(self, chains: Mapping[str, Chain]) -> Parallel:
        """The same with other branches."""
        return replace(self, branches=tuple(chains.values()))

    def require_joinable(self, given: Sequence[Shape]) -> None:
        """The results can be joined.

        Raises:
            ShapeError: they can't.
        """
        require_joinable(self.join, given)

    def joined(self, results: Sequence[ops.Array]) -> ops.Array:
        """The results side by side, added or multiplied."""
        return JOINS[self.join](results)


def require_joinable(join: str, given: Sequence[Shape]) -> None:
    """Rows of these shapes can be joined so.

    Raises:
        ShapeError: they can't.
    """
    side_by_side = join == "concatenate"
    first = given[0]
    for number, other in enumerate(given[1:], 2):
        fits = other[:-1] == first[:-1] if side_by_side else other == first
        if not (fits and len(other) == len(first) and (other or not side_by_side)):
            but = " but for the last axis" if side_by_side else ""
            raise ShapeError(
                f"to {join}, all branches must give one shape{but}: the first gives "
                f"{row_text(first)}, number {number} gives {row_text(other)}"
            )
