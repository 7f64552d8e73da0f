"""Transformers: blocks in which times look at each other, and are thought over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thalweg.checks import look_up, require_fraction, require_whole
from thalweg.formulas.activations import Activation, activation
from thalweg.formulas.attention import Attention
from thalweg.formulas.branches import Branching, Chain, Residual
from thalweg.formulas.initializers import glorot_uniform, initializer_for, zeros
from thalweg.formulas.layers import (
    Dropout,
    Layer,
    Namespace,
    Parameter,
    Roomy,
    Shape,
    last_of,
)
from thalweg.formulas.normalization import LayerNorm, RMSNorm
from thalweg.program import ops

NORMS: Mapping[str, type[Layer]] = {"layer": LayerNorm, "rms": RMSNorm}


@dataclass(frozen=True)
class FeedForward(Roomy):
    """Two dense layers at every position, the second as wide as what it is given.

    y = φ(x W₁ + b₁) W₂ + b₂

    Arguments:
        units: of the first layer.
        activation: φ, a name or any function of an array.

    Returns:
        When applied to x of shape (rows, …, features), an array of that shape.

    Raises:
        ArgumentError: units isn't 1 or more, or activation names nothing known.
        ShapeError: x isn't of shape (rows, …, features).

    Example:
        >>> import thalweg as tw
        >>> for name, parameter in tw.FeedForward(8).parameters((5, 3)).items():
        ...     print(name, parameter.shape)
        inner_weights (3, 8)
        inner_bias (8,)
        output_weights (8, 3)
        output_bias (3,)

    Source: Vaswani et al., "Attention is all you need", 2017; with gelu: Devlin, Chang,
    Lee and Toutanova, "BERT: pre-training of deep bidirectional transformers", 2019.
    """

    units: int
    activation: str | Activation = "gelu"

    def __post_init__(self) -> None:
        require_whole("units", self.units, least=1)
        activation(self.activation)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """Weights and biases of both layers."""
        features, units = last_of(self, input_shape), self.units
        drawn = initializer_for(self.activation)
        return {
            "inner_weights": Parameter((features, units), drawn, penalized=True),
            "inner_bias": Parameter((units,), zeros),
            "output_weights": Parameter((units, features), glorot_uniform, True),
            "output_bias": Parameter((features,), zeros),
        }

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """φ(x W₁ + b₁) W₂ + b₂."""
        inner = activation(self.activation)(x @ p.inner_weights + p.inner_bias)
        return inner @ p.output_weights + p.output_bias

    def shapes_inside(self, input_shape: Shape) -> list[Shape]:
        """What the first layer gives."""
        return [(*input_shape[:-1], self.units)]


@dataclass(frozen=True)
class TransformerBlock(Branching):
    """Times take from each other, then each is worked on by itself; both add to x.

    z = x + Attention(norm(x)),  y = z + FeedForward(norm(z))

    It is two `Residual` layers, one after the other: norms come first, so that x goes
    through any number of blocks undiminished.

    Arguments:
        heads: of the `Attention`; they must divide the features of x.
        units: of the `FeedForward` with gelu, often four times the features.
        causal: whether a time sees itself and earlier ones alone.
        norm: ``layer`` for `LayerNorm`, ``rms`` for `RMSNorm`.
        dropout: the part of what is added to x that is switched off in training, in
            [0, 1).
        positions: None, or ``rotary``, as `Attention` has them.

    Returns:
        When applied to x of shape (rows, times, features), an array of that shape. The
        layers inside are numbered: ``1.2.query_weights`` are of the attention,
        ``2.2.inner_weights`` of the dense layers, ``1.1.scale`` and ``2.1.scale`` of
        the norms.

    Raises:
        ArgumentError: an argument is out of its range, or names nothing known.
        ShapeError: x isn't of shape (rows, times, features), or heads don't divide
            its features.

    Example:
        >>> import thalweg as tw
        >>> block = tw.TransformerBlock(2, units=16, causal=True, norm="rms")
        >>> for name, parameter in block.parameters((5, 4)).items():
        ...     print(name, parameter.shape)
        1.1.scale (4,)
        1.2.query_weights (4, 4)
        1.2.key_weights (4, 4)
        1.2.value_weights (4, 4)
        1.2.output_weights (4, 4)
        2.1.scale (4,)
        2.2.inner_weights (4, 16)
        2.2.inner_bias (16,)
        2.2.output_weights (16, 4)
        2.2.output_bias (4,)

    Source: Vaswani et al., "Attention is all you need", 2017; norms first: Xiong et
    al., "On layer normalization in the transformer architecture", 2020.
    """

    heads: int
    units: int
    causal: bool = False
    norm: str = "layer"
    dropout: float = 0.0
    positions: str | None = None

    def __post_init__(self) -> None:
        look_up("norm", self.norm, NORMS)
        require_fraction("dropout", self.dropout)
        self.chains()  # the layers check what is theirs

    def chains(self) -> dict[str, Chain]:
        """The two layers."""
        attention = Attention(self.heads, self.causal, positions=self.positions)
        return {"": (self._added(attention), self._added(FeedForward(self.units)))}

    def _added(self, layer: Layer) -> Residual:
        """x + layer(norm(x)), with dropout if there is any."""
        dropout = [Dropout(self.dropout)] if self.dropout else []
        return Residual([NORMS[self.norm](), layer, *dropout])

    def with_chains(self, chains: Mapping[str, Chain]) -> TransformerBlock:
        """The same: its layers follow from its fields."""
        return self

    def require_joinable(self, given: Sequence[Shape]) -> None:
        """One result always can be."""

    def joined(self, results: Sequence[ops.Array]) -> ops.Array:
        """What the second layer gives."""
        return results[0]
