"""Initializers: the values that parameters have before training.

Weights drawn too small or too large make signals vanish or explode from layer to
layer. Each rule picks the variance that keeps them steady for its kind of activation.

>>> import thalweg as tw
>>> tw.Dense(64, initializer=tw.initializers.he_normal).initializer.name
'he_normal'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod, sqrt
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from thalweg.checks import (
    look_up,
    merge_parameters,
    require_instance,
    require_positive,
)
from thalweg.formulas.activations import (
    Activation,
    activation,
    elu,
    gelu,
    leaky_relu,
    mish,
    relu,
    selu,
    silu,
    softplus,
)

Shape: TypeAlias = tuple[int, ...]
Values: TypeAlias = NDArray[np.float64]
Rule: TypeAlias = Callable[..., Values]


@dataclass(frozen=True)
class Initializer:
    """A rule that draws a parameter's first values.

    Arguments:
        name: what tables and errors call it.
        rule: takes shape, fan_in, fan_out, a NumPy generator and the parameters;
            returns a float64 array of that shape.
        parameters: the numbers that differ from the rule's own defaults.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import he_uniform
        >>> values = he_uniform((4, 100), 4, 100, np.random.default_rng(0))
        >>> values.shape, bool(abs(values).max() < (6 / 4) ** 0.5)
        ((4, 100), True)
    """

    name: str
    rule: Rule
    parameters: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.rule.__doc__)

    def __call__(
        self, shape: Shape, fan_in: int, fan_out: int, generator: Generator
    ) -> Values:
        """The first values of a parameter of that shape."""
        return self.rule(shape, fan_in, fan_out, generator, **dict(self.parameters))

    def with_parameters(self, **parameters: float) -> Initializer:
        """The same rule with other numbers: ``constant.with_parameters(value=0.5)``.

        Raises:
            ArgumentError: the rule has no such parameter.
        """
        given = {**dict(self.parameters), **parameters}
        return replace(self, parameters=merge_parameters(self.name, self.rule, given))


def initializer_rule(rule: Rule) -> Initializer:
    """Make a rule an `Initializer` of its name."""
    return Initializer(rule.__name__, rule)


@initializer_rule
def glorot_uniform(
    shape: Shape, fan_in: int, fan_out: int, generator: Generator
) -> Values:
    """Uniform values of variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax.

    w ~ U(−a, a), a = √(6 / (fan_in + fan_out))

    Arguments:
        shape: of the parameter.
        fan_in: inputs of a unit.
        fan_out: units that an input reaches.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import glorot_uniform
        >>> glorot_uniform((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010.
    """
    limit = sqrt(6 / (fan_in + fan_out))
    return generator.uniform(-limit, limit, shape)


@initializer_rule
def glorot_normal(
    shape: Shape, fan_in: int, fan_out: int, generator: Generator
) -> Values:
    """Normal values of variance 2 / (fan_in + fan_out), for sigmoid, tanh and softmax.

    w ~ N(0, 2 / (fan_in + fan_out))

    Arguments:
        shape: of the parameter.
        fan_in: inputs of a unit.
        fan_out: units that an input reaches.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import glorot_normal
        >>> glorot_normal((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010.
    """
    return generator.normal(0, sqrt(2 / (fan_in + fan_out)), shape)


@initializer_rule
def he_uniform(shape: Shape, fan_in: int, fan_out: int, generator: Generator) -> Values:
    """Uniform values of variance 2 / fan_in, for relu and its kin.

    w ~ U(−a, a), a = √(6 / fan_in)

    Arguments:
        shape: of the parameter.
        fan_in: inputs of a unit.
        fan_out: not used.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import he_uniform
        >>> he_uniform((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.
    """
    limit = sqrt(6 / fan_in)
    return generator.uniform(-limit, limit, shape)


@initializer_rule
def he_normal(shape: Shape, fan_in: int, fan_out: int, generator: Generator) -> Values:
    """Normal values of variance 2 / fan_in, for relu and its kin.

    w ~ N(0, 2 / fan_in)

    Arguments:
        shape: of the parameter.
        fan_in: inputs of a unit.
        fan_out: not used.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import he_normal
        >>> he_normal((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015.
    """
    return generator.normal(0, sqrt(2 / fan_in), shape)


@initializer_rule
def lecun_uniform(
    shape: Shape, fan_in: int, fan_out: int, generator: Generator
) -> Values:
    """Uniform values of variance 1 / fan_in, for selu.

    w ~ U(−a, a), a = √(3 / fan_in)

    Arguments:
        shape: of the parameter.
        fan_in: inputs of a unit.
        fan_out: not used.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import lecun_uniform
        >>> lecun_uniform((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998.
    """
    limit = sqrt(3 / fan_in)
    return generator.uniform(-limit, limit, shape)


@initializer_rule
def lecun_normal(
    shape: Shape, fan_in: int, fan_out: int, generator: Generator
) -> Values:
    """Normal values of variance 1 / fan_in, for selu.

    w ~ N(0, 1 / fan_in)

    Arguments:
        shape: of the parameter.
        fan_in: inputs of a unit.
        fan_out: not used.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import lecun_normal
        >>> lecun_normal((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: LeCun, Bottou, Orr and Müller, "Efficient backprop", 1998.
    """
    return generator.normal(0, sqrt(1 / fan_in), shape)


@initializer_rule
def zeros(shape: Shape, fan_in: int, fan_out: int, generator: Generator) -> Values:
    """All zeros, for biases. Weights of zeros would make all units learn the same.

    Arguments:
        shape: of the parameter.
        fan_in: not used.
        fan_out: not used.
        generator: not used.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import zeros
        >>> zeros((2,), 1, 2, np.random.default_rng(0)).tolist()
        [0.0, 0.0]

    Source: Goodfellow, Bengio and Courville, "Deep learning", section 8.4, 2016.
    """
    return np.zeros(shape)


@initializer_rule
def ones(shape: Shape, fan_in: int, fan_out: int, generator: Generator) -> Values:
    """All ones, for the scales of normalizing layers.

    Arguments:
        shape: of the parameter.
        fan_in: not used.
        fan_out: not used.
        generator: not used.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import ones
        >>> ones((2,), 1, 2, np.random.default_rng(0)).tolist()
        [1.0, 1.0]

    Source: Ioffe and Szegedy, "Batch normalization", 2015.
    """
    return np.ones(shape)


@initializer_rule
def constant(
    shape: Shape,
    fan_in: int,
    fan_out: int,
    generator: Generator,
    *,
    value: float = 0.0,
) -> Values:
    """One value everywhere.

    Arguments:
        shape: of the parameter.
        fan_in: not used.
        fan_out: not used.
        generator: not used.
        value: set by ``constant.with_parameters(value=0.5)``.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import constant
        >>> half = constant.with_parameters(value=0.5)
        >>> half((2,), 1, 2, np.random.default_rng(0)).tolist()
        [0.5, 0.5]

    Source: Goodfellow, Bengio and Courville, "Deep learning", section 8.4, 2016.
    """
    return np.full(shape, float(value))


@initializer_rule
def normal(
    shape: Shape,
    fan_in: int,
    fan_out: int,
    generator: Generator,
    *,
    standard_deviation: float = 0.05,
) -> Values:
    """Normal values of one standard deviation, for tables of embeddings.

    w ~ N(0, σ²)

    Arguments:
        shape: of the parameter.
        fan_in: not used.
        fan_out: not used.
        generator: where the randomness comes from.
        standard_deviation: σ, greater than 0; set by
            ``normal.with_parameters(standard_deviation=0.1)``.

    Returns:
        A float64 array of that shape.

    Raises:
        ArgumentError: standard_deviation isn't greater than 0.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import normal
        >>> normal((2, 3), 2, 3, np.random.default_rng(0)).shape
        (2, 3)

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012.
    """
    require_positive("standard_deviation", standard_deviation)
    return generator.normal(0, standard_deviation, shape)


@initializer_rule
def orthogonal(shape: Shape, fan_in: int, fan_out: int, generator: Generator) -> Values:
    """A random matrix that keeps lengths, for what is applied again and again.

    W Wᵀ = 1, or Wᵀ W = 1 where W has more inputs than outputs

    Arguments:
        shape: of the parameter; all axes but the last are inputs.
        fan_in: not used.
        fan_out: not used.
        generator: where the randomness comes from.

    Returns:
        A float64 array of that shape.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.initializers import orthogonal
        >>> w = orthogonal((2, 3), 2, 3, np.random.default_rng(0))
        >>> bool(np.allclose(w @ w.T, np.eye(2)))
        True

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", 2014.
    """
    from threadpoolctl import threadpool_limits  # some hundredths of a second

    inputs, outputs = prod(shape[:-1]), prod(shape[-1:])
    tall = generator.normal(size=(max(inputs, outputs), min(inputs, outputs)))
    # NumPy's threads wait for each other after every column, and round differently.
    with threadpool_limits(1, "blas"):
        q, r = np.linalg.qr(tall)
    # With positive numbers on r's diagonal every orthogonal matrix is as likely.
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return np.reshape(q if inputs >= outputs else q.T, shape)


INITIALIZERS: Mapping[str, Initializer] = {
    each.name: each
    for each in (
        glorot_uniform,
        glorot_normal,
        he_uniform,
        he_normal,
        lecun_uniform,
        lecun_normal,
        zeros,
        ones,
        constant,
        normal,
        orthogonal,
    )
}

FITTING: Mapping[Activation, Initializer] = {
    **dict.fromkeys((relu, leaky_relu, elu, gelu, silu, mish, softplus), he_uniform),
    selu: lecun_normal,
}


def initializer(chosen: str | Initializer) -> Initializer:
    """The initializer of that name, or the initializer itself.

    Raises:
        ArgumentError: there is no initializer of that name.

    Example:
        >>> from thalweg.formulas.initializers import initializer
        >>> initializer("he_normal").name
        'he_normal'
    """
    if isinstance(chosen, str):
        return look_up("initializer", chosen, INITIALIZERS)
    require_instance("initializer", chosen, Initializer, "a name or an Initializer")
    return chosen


def initializer_for(chosen: str | Activation) -> Initializer:
    """The initializer that goes with an activation.

    He's for relu and its kin, LeCun's for selu, Glorot's for all others.

    Raises:
        ArgumentError: there is no activation of that name.

    Example:
        >>> from thalweg.formulas.initializers import initializer_for
        >>> initializer_for("relu").name, initializer_for("tanh").name
        ('he_uniform', 'glorot_uniform')
    """
    return FITTING.get(activation(chosen), glorot_uniform)
