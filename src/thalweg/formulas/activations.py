"""Activations: what a unit does with its weighted sum z.

All take an array of any shape and return one of the same shape. Their derivatives are
written nowhere: they come from differentiating these formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import TypeAlias

from thalweg.backends.numpy.calls import formula
from thalweg.checks import look_up, require_positive
from thalweg.errors import ArgumentError
from thalweg.program import ops

Activation: TypeAlias = Callable[[ops.Array], ops.Array]


@formula
def step(z: ops.Array) -> ops.Array:
    """The threshold of the first perceptron.

    step(z) = 1 if z ≥ 0, else 0

    The derivative is zero wherever it exists, so a network can't be trained through
    it by gradient descent.

    Arguments:
        z: array of any shape.

    Returns:
        Zeros and ones of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import step
        >>> step(-0.5), step(0.0), step(2.0)
        (0.0, 1.0, 1.0)

    Source: Rosenblatt, "The perceptron", 1958.
    """
    return ops.where(z >= 0, ops.ones_like(z), ops.zeros_like(z))


@formula
def identity(z: ops.Array) -> ops.Array:
    """No activation: the unit stays linear.

    identity(z) = z

    Arguments:
        z: array of any shape.

    Returns:
        z itself.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import identity
        >>> identity(-1.5)
        -1.5

    Source: Goodfellow, Bengio and Courville, "Deep learning", section 6.2.2, 2016.
    """
    return z


@formula
def sigmoid(z: ops.Array) -> ops.Array:
    """The logistic function, which turns a sum into a probability.

    sigmoid(z) = 1 / (1 + e^−z)

    Arguments:
        z: array of any shape.

    Returns:
        Values between 0 and 1 of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import sigmoid
        >>> sigmoid(0.0)
        0.5

    Source: Rumelhart, Hinton and Williams, "Learning representations by
    back-propagating errors", 1986.
    """
    return 1 / (1 + ops.exp(-z))


@formula
def tanh(z: ops.Array) -> ops.Array:
    """The hyperbolic tangent: a sigmoid from −1 to 1 with its center at 0.

    tanh(z) = (e^z − e^−z) / (e^z + e^−z)

    Arguments:
        z: array of any shape.

    Returns:
        Values between −1 and 1 of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import tanh
        >>> round(tanh(1.0), 4)
        0.7616

    Source: LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998.
    """
    return ops.tanh(z)


@formula
def relu(z: ops.Array) -> ops.Array:
    """The rectified linear unit.

    relu(z) = max(z, 0)

    Its derivative at 0 is taken as 0.

    Arguments:
        z: array of any shape.

    Returns:
        Values of 0 or more of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import relu
        >>> relu(-2.0), relu(3.0)
        (0.0, 3.0)

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann
    machines", 2010.
    """
    return ops.maximum(z, 0)


@formula
def leaky_relu(z: ops.Array, *, slope: float = 0.01) -> ops.Array:
    """A rectified linear unit that lets a little through below 0.

    leaky_relu(z) = z if z > 0, else slope · z

    Arguments:
        z: array of any shape.
        slope: the derivative below 0, a number greater than 0.

    Returns:
        An array of the shape of z.

    Raises:
        ArgumentError: slope isn't greater than 0.
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import leaky_relu
        >>> leaky_relu(-2.0), leaky_relu(-2.0, slope=0.5)
        (-0.02, -1.0)

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network
    acoustic models", 2013.
    """
    require_positive("slope", slope)
    return ops.where(z > 0, z, slope * z)


@formula
def elu(z: ops.Array, *, alpha: float = 1.0) -> ops.Array:
    """The exponential linear unit, which settles at −alpha.

    elu(z) = z if z > 0, else alpha · (e^z − 1)

    It is written as the sum of both cases, of which one is always 0, so that e^z is
    never taken of a large z.

    Arguments:
        z: array of any shape.
        alpha: how far below 0 it goes, a number greater than 0.

    Returns:
        Values above −alpha of the shape of z.

    Raises:
        ArgumentError: alpha isn't greater than 0.
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import elu
        >>> elu(2.0), round(elu(-1.0), 4)
        (2.0, -0.6321)

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network
    learning by exponential linear units", 2016.
    """
    require_positive("alpha", alpha)
    return ops.maximum(z, 0) + alpha * (ops.exp(ops.minimum(0, z)) - 1)


@formula
def selu(z: ops.Array) -> ops.Array:
    """A scaled elu that keeps mean 0 and variance 1 from layer to layer.

    selu(z) = λ · elu(z, alpha=α) with λ ≈ 1.0507, α ≈ 1.6733

    It goes with LeCun's initializer.

    Arguments:
        z: array of any shape.

    Returns:
        Values above −λα of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import selu
        >>> round(selu(1.0), 4), round(selu(-1.0), 4)
        (1.0507, -1.1113)

    Source: Klambauer, Unterthiner, Mayr and Hochreiter, "Self-normalizing neural
    networks", 2017.
    """
    return 1.0507009873554805 * elu(z, alpha=1.6732632423543772)


@formula
def gelu(z: ops.Array) -> ops.Array:
    """The Gaussian error linear unit, exact: z times the normal distribution's Φ(z).

    gelu(z) = z · (1 + erf(z / √2)) / 2

    Arguments:
        z: array of any shape.

    Returns:
        An array of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import gelu
        >>> round(gelu(1.0), 4)
        0.8413

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016.
    """
    return z * (1 + ops.erf(z / sqrt(2))) / 2


@formula
def silu(z: ops.Array) -> ops.Array:
    """The sigmoid linear unit, also called swish.

    silu(z) = z · sigmoid(z)

    Arguments:
        z: array of any shape.

    Returns:
        An array of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import silu
        >>> round(silu(1.0), 4)
        0.7311

    Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural
    network function approximation in reinforcement learning", 2018.
    """
    return z * sigmoid(z)


@formula
def mish(z: ops.Array) -> ops.Array:
    """A smooth relative of silu.

    mish(z) = z · tanh(softplus(z))

    Arguments:
        z: array of any shape.

    Returns:
        An array of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import mish
        >>> round(mish(1.0), 4)
        0.8651

    Source: Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    """
    return z * ops.tanh(softplus(z))


@formula
def softplus(z: ops.Array) -> ops.Array:
    """A smooth relu, and always positive.

    softplus(z) = log(1 + e^z)

    Arguments:
        z: array of any shape.

    Returns:
        Values above 0 of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.

    Example:
        >>> from thalweg.formulas.activations import softplus
        >>> round(softplus(0.0), 4), softplus(1000.0)
        (0.6931, 1000.0)

    Source: Dugas, Bengio, Bélisle, Nadeau and Garcia, "Incorporating second-order
    functional knowledge for better option pricing", 2001.
    """
    return ops.log(1 + ops.exp(z))


@formula
def softmax(z: ops.Array, *, axis: int = -1) -> ops.Array:
    """Sums turned into the probabilities of classes.

    softmax(z)ᵢ = e^zᵢ / Σⱼ e^zⱼ

    Arguments:
        z: array of at least one axis, often (rows, classes).
        axis: along which the probabilities add up to 1.

    Returns:
        Values between 0 and 1 of the shape of z.

    Raises:
        DtypeError: z doesn't hold numbers.
        ShapeError: z has no such axis.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.activations import softmax
        >>> softmax(np.log([1.0, 2.0, 1.0])).round(3).tolist()
        [0.25, 0.5, 0.25]

    Source: Bridle, "Probabilistic interpretation of feedforward classification
    network outputs", 1990.
    """
    e = ops.exp(z)
    return e / ops.sum(e, axis=axis, keepdims=True)


ACTIVATIONS: dict[str, Activation] = {
    "step": step,
    "identity": identity,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": selu,
    "gelu": gelu,
    "silu": silu,
    "mish": mish,
    "softplus": softplus,
    "softmax": softmax,
}


def activation(chosen: str | Activation) -> Activation:
    """The activation of that name; a function is one already.

    Arguments:
        chosen: a name such as ``"relu"``, or any function of an array.

    Returns:
        A function that takes an array z and returns an array.

    Raises:
        ArgumentError: there is no activation of that name.

    Example:
        >>> from thalweg.formulas.activations import activation
        >>> activation("relu")(-1.0)
        0.0
        >>> activation("rellu")
        Traceback (most recent call last):
        thalweg.errors.ArgumentError: there is no activation 'rellu': did you mean ...
    """
    if isinstance(chosen, str):
        return look_up("activation", chosen, ACTIVATIONS)
    if callable(chosen):
        return chosen
    raise ArgumentError(
        f"activation must be a name or a function of an array, got {chosen!r}"
    )
