"""Learned vectors in the place of whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.checks import require_whole
from thalweg.formulas.initializers import Initializer, initializer
from thalweg.formulas.layers import (
    Layer,
    Namespace,
    Parameter,
    Shape,
    features_of,
    flat,
)
from thalweg.program import ops


@dataclass(frozen=True)
class Embedding(Layer):
    """A learned vector for every category: a word, a character, a place.

    y[i] = T[x[i]], at every position i

    Arguments:
        categories: how many there are; x holds their numbers, from 0.
        dimension: the length of a category's vector.
        initializer: of T, a name or an `Initializer`.

    Returns:
        When applied to category numbers of shape (rows, positions…), whole numbers or
        floating-point numbers without fractions: an array (rows, positions…,
        dimension). All positions share one table T. `Flatten` puts the vectors of a row
        side by side, and so does `Columns`.

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np, thalweg as tw
        >>> p = SimpleNamespace(table=np.array([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]))
        >>> tw.Embedding(3, 2).forward(np.array([[2, 0]]), p).tolist()
        [[[2.0, 2.5], [0.0, 0.5]]]

    Source: Bengio, Ducharme, Vincent and Jauvin, "A neural probabilistic language
    model", 2003; for tables: Guo and Berkhahn, "Entity embeddings of categorical
    variables", 2016.
    """

    categories: int
    dimension: int
    initializer: str | Initializer = "normal"

    def __post_init__(self) -> None:
        require_whole("categories", self.categories, least=1)
        require_whole("dimension", self.dimension, least=1)
        initializer(self.initializer)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """The table (categories, dimension)."""
        shape = (self.categories, self.dimension)
        return {"table": Parameter(shape, initializer(self.initializer), True)}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The rows of the table that x names."""
        return ops.take(p.table, ops.cast(x, "int32"))


@dataclass(frozen=True)
class JoinedEmbedding(Embedding):
    """What files of thalweg 0.4.0 and before call an embedding.

    y = T[x₁], T[x₂], … side by side, for x of shape (rows, columns)
    """

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """The rows of the table that x names, side by side."""
        features_of(self, x.shape[1:])
        return flat(super().forward(x, p))
