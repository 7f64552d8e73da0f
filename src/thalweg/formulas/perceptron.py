"""The perceptron: a single unit, of which all networks are made."""

from __future__ import annotations

from dataclasses import dataclass

from thalweg.formulas import activations
from thalweg.formulas.activations import Activation
from thalweg.formulas.initializers import initializer_for, zeros
from thalweg.formulas.layers import (
    Layer,
    Namespace,
    Parameter,
    Shape,
    features_of,
)
from thalweg.program import ops

DEFAULT_ACTIVATION = "sigmoid"


def perceptron(
    x: ops.Array,
    weights: ops.Array,
    bias: ops.Array,
    activation: str | Activation = DEFAULT_ACTIVATION,
) -> ops.Array:
    """A weighted sum of the inputs and a bias, put through an activation.

    z = Σ wᵢ xᵢ + b,  a = φ(z)

    Arguments:
        x: inputs, shape (features,) or (rows, features).
        weights: w, shape (features,) for one unit.
        bias: b, a number.
        activation: φ, a name or any function of an array.

    Returns:
        a: a number, or shape (rows,).

    Raises:
        ArgumentError: there is no activation of that name.
        ShapeError: x and weights don't go together.

    Example:
        >>> from thalweg.formulas.perceptron import perceptron
        >>> print(round(perceptron([-1.0, 2.0], [3.0, -2.0], 1.0), 4))
        0.0025

    Source: Rosenblatt, "The perceptron: a probabilistic model for information storage
    and organization in the brain", 1958.
    """
    return activations.activation(activation)(ops.matmul(x, weights) + bias)


@dataclass(frozen=True)
class Perceptron(Layer):
    """The single unit as a layer.

    z = Σ wᵢ xᵢ + b,  a = φ(z)

    Arguments:
        activation: φ, a name or any function of an array.

    Returns:
        When applied to x of shape (rows, features), an array (rows, 1).

    Raises:
        ArgumentError: there is no activation of that name.
        ShapeError: x isn't of shape (rows, features).

    Example:
        >>> from thalweg.formulas.perceptron import Perceptron
        >>> {name: p.shape for name, p in Perceptron().parameters((2,)).items()}
        {'weights': (2, 1), 'bias': (1,)}

    Source: Rosenblatt, "The perceptron: a probabilistic model for information storage
    and organization in the brain", 1958.
    """

    activation: str | Activation = DEFAULT_ACTIVATION

    def __post_init__(self) -> None:
        activations.activation(self.activation)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """One weight a feature, and the bias."""
        shape = (features_of(self, input_shape), 1)
        chosen = initializer_for(self.activation)
        weights = Parameter(shape, chosen, penalized=True)
        return {"weights": weights, "bias": Parameter((1,), zeros)}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """φ(x w + b)."""
        features_of(self, x.shape[1:])
        return perceptron(x, p.weights, p.bias, self.activation)
