"""Attention: each time of a sequence looks at others, and takes from what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from thalweg.backends.numpy.calls import formula
from thalweg.checks import look_up, require_whole
from thalweg.errors import DtypeError, ShapeError
from thalweg.formulas.activations import softmax
from thalweg.formulas.initializers import glorot_uniform, zeros
from thalweg.formulas.layers import Namespace, Parameter, Roomy, Shape, sequence_of
from thalweg.formulas.lengths import is_there, lengths_of
from thalweg.formulas.moments import Kept, Moment, Remembering, needs_later_times
from thalweg.formulas.positions import rotated, rotated_at, times_of
from thalweg.program import ops
from thalweg.program.arguments import is_bool

HIDDEN = -1e30  # a score that weighs nothing, in float32 as well
ROTATIONS = {"rotary": (rotated, rotated_at)}  # of all times, of one


@formula
def attention_weights(
    queries: ops.Array, keys: ops.Array, mask: ops.Array | None = None
) -> ops.Array:
    """How much each query takes of each key's value: they add up to 1.

    softmax(Q Kᵀ / √d), where d is the size of a query

    Arguments:
        queries, keys, mask: as `attention` takes them.

    Returns:
        An array (…, times, other times).

    Raises:
        ShapeError, DtypeError: as of `attention`.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> keys = np.array([[9.0, 0.0], [0.0, 9.0]])
        >>> tw.attention_weights(np.array([[0.0, 9.0], [3.0, 3.0]]), keys).tolist()
        [[1.3...e-25, 1.0], [0.5, 0.5]]

    Source: Vaswani et al., "Attention is all you need", 2017.
    """
    for name, x in (("queries", queries), ("keys", keys)):
        require_sequence(name, x)
    rank = keys.ndim
    turned = ops.transpose(keys, (*range(rank - 2), rank - 1, rank - 2))
    scores = queries @ turned / sqrt(queries.shape[-1])
    if mask is not None:
        require_mask(mask)
        scores = ops.where(mask, scores, HIDDEN)
    return softmax(scores)


@formula
def attention(
    queries: ops.Array,
    keys: ops.Array,
    values: ops.Array,
    mask: ops.Array | None = None,
) -> ops.Array:
    """For each query a mean of values, weighed by how well their keys go with it.

    attention(Q, K, V) = softmax(Q Kᵀ / √d) V, where d is the size of a query

    Arguments:
        queries: array (…, times, d).
        keys: array (…, other times, d).
        values: array (…, other times, size), one for each key.
        mask: true where a query may see a key, of a shape that repeats to (…, times,
            other times), such as (times, other times), or (rows, 1, other times) where
            a row says which of its times there are; None where it may see all. A query
            that may see none sees all alike.

    Returns:
        An array (…, times, size).

    Raises:
        ShapeError: the shapes don't go together.
        DtypeError: an array doesn't hold numbers, or a mask isn't of bool.

    Example:
        >>> import numpy as np, thalweg as tw
        >>> keys, values = np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([[1.0], [2.0]])
        >>> tw.attention(np.array([[0.0, 9.0], [3.0, 3.0]]), keys, values).tolist()
        [[2.0], [1.5]]

    Source: Vaswani et al., "Attention is all you need", 2017.
    """
    require_sequence("values", values)
    weights = attention_weights(queries, keys, mask)
    return weights @ values


def require_sequence(name: str, x: ops.Array) -> None:
    """Vectors of several times.

    Raises:
        ShapeError: x has too few axes.
    """
    if x.ndim < 2:
        raise ShapeError(f"{name} must be of shape (…, times, size), got {x.shape}")


def require_mask(mask: ops.Array) -> None:
    """True or false: numbers that are added to scores would be read as something else.

    Raises:
        DtypeError: it is neither.
    """
    if not is_bool(mask):
        raise DtypeError(f"a mask must be true or false, of dtype bool, got {mask}")


def earlier(x: ops.Array) -> ops.Array:
    """Of each time of x itself and those before it: a mask (times, times).

    >>> import numpy as np
    >>> earlier(np.zeros((2, 1))).tolist()
    [[True, False], [True, True]]
    """
    time = times_of(x)
    return ops.transpose(time) <= time


def seen_by_each(x: ops.Array, causal: bool, p: Namespace) -> ops.Array | None:
    """Which times each time sees: those that its row has, and no later ones if causal.

    A mask that repeats to (rows, heads, times, times); None where all see all. Padding
    comes later than any time that a row has, so what is causal never sees it.
    """
    if causal:
        return earlier(x)
    lengths = lengths_of(p)
    if lengths is None:
        return None
    return ops.reshape(is_there(x, lengths), (x.shape[0], 1, 1, x.shape[1]))


@dataclass(frozen=True)
class Attention(Roomy, Remembering):
    """Every time of a sequence takes from the times that go with it, in several ways.

    y = (head₁, head₂, …) Wₒ, with headᵢ = attention(x Wᵢ, x Wᵢ′, x Wᵢ″)

    Queries, keys and values are made of the same x. Each head sees its own part of
    them, so that it can look for something of its own. Nothing in the formula knows
    where a time is: `Positions` before it, or ``positions="rotary"``, says so.

    Arguments:
        heads: how many.
        causal: whether a time sees itself and earlier ones alone, as what writes a text
            from left to right has to.
        units: the size of queries, keys and values, of all heads together; None takes
            that of x.
        positions: ``rotary`` turns queries and keys by angles that grow with the time,
            so that how two times go together depends on how far apart they are; None
            leaves them.
        bias: whether queries, keys, values and y each have one added, which starts at
            zero.

    Returns:
        When applied to x of shape (rows, times, features), an array of that shape. The
        weights of queries, keys and values have the shape (features, units), those of
        the output (units, features).

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.
        ShapeError: x isn't of shape (rows, times, features), or heads don't divide
            units; with ``rotary``, a head has an odd size.

    Example:
        >>> import thalweg as tw
        >>> for name, parameter in tw.Attention(2, units=6).parameters((5, 4)).items():
        ...     print(name, parameter.shape)
        query_weights (4, 6)
        key_weights (4, 6)
        value_weights (4, 6)
        output_weights (6, 4)

    Source: Vaswani et al., "Attention is all you need", 2017; ``rotary``: Su et al.,
    "RoFormer: enhanced transformer with rotary position embedding", 2021.
    """

    heads: int
    causal: bool = False
    units: int | None = None
    positions: str | None = None
    bias: bool = False

    knows_lengths = True

    def __post_init__(self) -> None:
        require_whole("heads", self.heads, least=1)
        if self.units is not None:
            require_whole("units", self.units, least=1)
        if self.positions is not None:
            look_up("positions", self.positions, ROTATIONS)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Weights of queries, keys, values and output, and biases if there are any."""
        _, features = sequence_of(self, input_shape)
        units = self._units(features)
        inner, outer = (features, units), (units, features)
        shapes = {"query": inner, "key": inner, "value": inner, "output": outer}
        drawn = {
            f"{name}_weights": Parameter(shape, glorot_uniform, penalized=True)
            for name, shape in shapes.items()
        }
        biases = {
            f"{name}_bias": Parameter(shape[1:], zeros)
            for name, shape in shapes.items()
        }
        return {**drawn, **(biases if self.bias else {})}

    def weights(self, x: ops.Array, p: Namespace) -> ops.Array:
        """How much each time takes of each other, (rows, heads, times, times)."""
        queries, keys, _ = self._turned_heads(x, p)
        return attention_weights(queries, keys, seen_by_each(x, self.causal, p))

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """(head₁, head₂, …) Wₒ."""
        sequence_of(self, x.shape[1:])
        queries, keys, values = self._turned_heads(x, p)
        mask = seen_by_each(x, self.causal, p)
        found = joined_heads(attention(queries, keys, values, mask))
        return self._projected(found, p, "output")

    @property
    def is_endless(self) -> bool:
        """It has room for so many times."""
        return False

    def kept(self, input_shape: Shape, times: int) -> dict[str, Shape]:
        """Keys and values of all times that there is room for."""
        if not self.causal:
            raise needs_later_times(
                "this sees all times; causal=True sees earlier ones"
            )
        _, features = sequence_of(self, input_shape)
        shape = (self.heads, times, self._units(features) // self.heads)
        return {"keys": shape, "values": shape}

    def at_time(
        self, x: ops.Array, kept: Kept, p: Namespace, moment: Moment
    ) -> tuple[ops.Array, Kept]:
        """One query sees all keys up to its own."""
        query, key, value = self._heads(x, p)
        if self.positions is not None:
            _, turned = ROTATIONS[self.positions]
            query, key = turned(query, moment), turned(key, moment)
        all_times = np.arange(moment.times, dtype=np.int32)
        now = moment.of(all_times)
        own = ops.equal(all_times, now)[:, None]
        keys = ops.where(own, key, kept["keys"])
        values = ops.where(own, value, kept["values"])
        mask = ops.less_equal(all_times, now)[None]
        found = joined_heads(attention(query, keys, values, mask))
        return self._projected(found, p, "output"), {"keys": keys, "values": values}

    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """Queries, keys and values, and the scores of all pairs of times."""
        times, features = sequence_of(self, input_shape)
        return [(times, self._units(features))] * 3 + [(self.heads, times, times)] * 2

    def _heads(
        self, x: ops.Array, p: Namespace
    ) -> tuple[ops.Array, ops.Array, ops.Array]:
        """Queries, keys and values, (rows, heads, times, units of a head)."""
        queries, keys, values = (
            split_heads(self._projected(x, p, name), self.heads)
            for name in ("query", "key", "value")
        )
        return queries, keys, values

    def _turned_heads(
        self, x: ops.Array, p: Namespace
    ) -> tuple[ops.Array, ops.Array, ops.Array]:
        """The same, queries and keys turned by their times if positions are rotary."""
        queries, keys, values = self._heads(x, p)
        if self.positions is not None:
            turned, _ = ROTATIONS[self.positions]
            queries, keys = turned(queries), turned(keys)
        return queries, keys, values

    def _projected(self, x: ops.Array, p: Namespace, name: str) -> ops.Array:
        z = x @ getattr(p, f"{name}_weights")
        return z + getattr(p, f"{name}_bias") if self.bias else z

    def _units(self, features: int) -> int:
        units = self.units or features
        if units % self.heads:
            raise ShapeError(
                f"Attention must have units that {self.heads} heads divide, got {units}"
            )
        return units


def split_heads(x: ops.Array, heads: int) -> ops.Array:
    """(rows, times, units) as (rows, heads, times, units of a head)."""
    rows, times, units = x.shape
    parts = ops.reshape(x, (rows, times, heads, units // heads))
    return ops.transpose(parts, (0, 2, 1, 3))


def joined_heads(x: ops.Array) -> ops.Array:
    """(rows, heads, times, units of a head) as (rows, times, units)."""
    rows, heads, times, units = x.shape
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (rows, times, heads * units))
