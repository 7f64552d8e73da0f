"""Several inputs by name, as the first layer of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, cast

from thalweg.checks import is_whole, look_up, require
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.branches import (
    JOINS,
    Branching,
    Chain,
    ChainLike,
    chain_from,
    chain_text,
    require_joinable,
)
from thalweg.formulas.chain import RESERVED, is_name
from thalweg.formulas.layers import Shape
from thalweg.program import ops
from thalweg.program.arguments import shape_of

MUST = "a dict of branches, such as {'image': [Dense(8)], 'row': [Dense(4)]}"
Named = tuple[tuple[str, ChainLike], ...]


def named_from(given: Any) -> Named:
    """The branch of each input, from a dict or from pairs as a file has them.

    Raises:
        ArgumentError: a name isn't an identifier or stands twice, or a branch isn't
            made of layers.
    """
    require(isinstance(given, Mapping | tuple), "branches", MUST, given)
    is_dict = isinstance(given, Mapping)
    pairs = cast(Named, tuple(cast(Any, given.items() if is_dict else given)))
    require(len(pairs) > 0, "branches", MUST, given)
    for name, _ in pairs:
        fits = is_name(name) and "." not in name
        must = f"an identifier, and none of {', '.join(RESERVED)}"
        require(fits, "the name of an input", must, name)
    require(len(dict(pairs)) == len(pairs), "branches", "of different names", given)
    return tuple((name, chain_from(name, chain)) for name, chain in pairs)


@dataclass(frozen=True)
class Inputs(Branching):
    """Gives each input to a branch of its own, and joins what the branches make of it.

    y = f₁(x₁), f₂(x₂), … side by side; or added, or multiplied, as in `Parallel`

    The first layer of a network that is given its inputs by name:
    ``fit({"image": A, "row": B}, y)``, ``predict({"image": A, "row": B})``. Inside the
    network they stand side by side, the numbers of the first input before those of the
    second; so all of them are of the network's dtype.

    Arguments:
        branches: for each input by its name a layer or layers one after the other;
            ``[]`` passes it on as it is.
        join: ``concatenate``, ``add`` or ``multiply``.
        row_shapes: the shape of a row of each input, in their order. `fit` and
            `Network.initialize` find it.

    Returns:
        When applied, what the branches give, joined. The parameters of the first layer
        for the input image are named ``1.image.1.weights`` and so on.

    Raises:
        ArgumentError: there are no branches, a name isn't an identifier, a branch isn't
            made of layers, or there is no such way to join them.
        ShapeError: the branches' results can't be joined.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> both = tw.Inputs({"place": [tw.Dense(8, "tanh")], "price": []})
        >>> network = tw.Network([both, tw.Dense(1)])
        >>> rows = {"place": np.zeros((6, 2)), "price": np.ones((6, 1))}
        >>> history = network.fit(rows, np.ones(6), epochs=1, validation=None)
        >>> network.predict(rows).shape
        (6, 1)

    Source: Goodfellow, Bengio and Courville, "Deep learning", 2016, section 6.4.
    """

    branches: Mapping[str, ChainLike] | Named
    join: str = "concatenate"
    row_shapes: tuple[Shape, ...] | None = None

    def __post_init__(self) -> None:
        named = named_from(self.branches)
        object.__setattr__(self, "branches", named)
        look_up("join", self.join, JOINS)
        if self.row_shapes is not None:
            fits = len(self.row_shapes) == len(named) and all(
                all(is_whole(n) and n >= 1 for n in shape) for shape in self.row_shapes
            )
            require(fits, "row_shapes", "a shape for each input", self.row_shapes)

    def __str__(self) -> str:
        named = zip(self.names, self.chains().values(), strict=True)
        branches = ", ".join(f"{name!r}: {chain_text(c)}" for name, c in named)
        more = "" if self.join == "concatenate" else f", join={self.join!r}"
        return f"Inputs({{{branches}}}{more})"

    @property
    def title(self) -> str:
        """What it is, and how it joins if not as usual."""
        usual = self.join == "concatenate"
        return "Inputs" if usual else f"Inputs, join={self.join!r}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(name for name, _ in cast(Named, self.branches))

    @property
    def shapes_by_name(self) -> dict[str, Shape]:
        """The shape of a row of each input.

        Raises:
            ArgumentError: it isn't known yet.
        """
        if self.row_shapes is None:
            raise ArgumentError(
                "Inputs must be the first layer of a network that is given arrays, or "
                f"their shapes, by name: {', '.join(self.names)}"
            )
        return dict(zip(self.names, self.row_shapes, strict=True))

    def with_shapes(self, shapes: Mapping[str, Shape]) -> Inputs:
        """The same for inputs of these shapes."""
        return replace(self, row_shapes=tuple(shapes[name] for name in self.names))

    @property
    def width(self) -> int:
        """How many numbers a row of all inputs has."""
        return sum(map(math.prod, self.shapes_by_name.values()))

    def chains(self) -> dict[str, Chain]:
        """The branches by the names of their inputs."""
        named = cast("tuple[tuple[str, Chain], ...]", self.branches)
        return {f"{name}.": chain for name, chain in named}

    def with_chains(self, chains: Mapping[str, Chain]) -> Inputs:
        """The same with other branches."""
        named = tuple(zip(self.names, chains.values(), strict=True))
        return replace(self, branches=named)

    def given(self, x: ops.Array) -> Sequence[ops.Array]:
        """Each input in its shape, out of all of them side by side."""
        shapes = self.given_shapes(shape_of(x)[1:])
        ends = [0, *accumulate(map(math.prod, shapes))]
        return [
            ops.reshape(x[:, start:end], (shape_of(x)[0], *shape))
            for start, end, shape in zip(ends, ends[1:], shapes, strict=False)
        ]

    def given_shapes(self, input_shape: Shape) -> Sequence[Shape]:
        """The shape of a row of each input."""
        shapes = list(self.shapes_by_name.values())
        if tuple(input_shape) != (self.width,):
            raise ShapeError(
                f"Inputs must be given all inputs side by side, (rows, {self.width}), "
                f"got rows of shape {tuple(input_shape)}"
            )
        return shapes

    def require_joinable(self, given: Sequence[Shape]) -> None:
        """The results can be joined.

        Raises:
            ShapeError: they can't.
        """
        require_joinable(self.join, given)

    def joined(self, results: Sequence[ops.Array]) -> ops.Array:
        """The results side by side, added or multiplied."""
        return JOINS[self.join](results)
