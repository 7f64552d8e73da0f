"""Layers that keep the scale of what flows through a network."""

from __future__ import annotations

import math
from dataclasses import dataclass

from thalweg.checks import require_positive, require_share
from thalweg.formulas.initializers import ones, zeros
from thalweg.formulas.layers import (
    Layer,
    Namespace,
    Parameter,
    Random,
    Shape,
    State,
    last_of,
)
from thalweg.formulas.lengths import in_place_of_padding, lengths_of
from thalweg.program import ops


def normalize(
    x: ops.Array, mean: ops.Array, variance: ops.Array, epsilon: float
) -> ops.Array:
    """(x − mean) / √(variance + ε)."""
    return (x - mean) / ops.sqrt(variance + epsilon)


def scale_and_shift(input_shape: Shape) -> dict[str, Parameter]:
    """γ and β of each feature, which start as 1 and 0."""
    shape = input_shape[-1:]
    return {"scale": Parameter(shape, ones), "shift": Parameter(shape, zeros)}


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Gives every row mean 0 and variance 1 over its features.

    y = γ (x − μ) / √(σ² + ε) + β, with mean μ and variance σ² over the last axis

    Arguments:
        epsilon: ε, greater than 0.

    Returns:
        When applied to x of shape (rows, …, features), an array of that shape.

    Raises:
        ArgumentError: epsilon isn't greater than 0.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np
        >>> from thalweg.formulas.normalization import LayerNorm
        >>> p = SimpleNamespace(scale=np.ones(2), shift=np.zeros(2))
        >>> LayerNorm().forward(np.array([[3.0, 7.0]]), p).round(3).tolist()
        [[-1.0, 1.0]]

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016. ε as PyTorch.
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        require_positive("epsilon", self.epsilon)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """A scale and a shift for each feature."""
        return scale_and_shift(input_shape)

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """γ (x − μ) / √(σ² + ε) + β."""
        mean = ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axis=-1, keepdims=True)
        return p.scale * normalize(x, mean, variance, self.epsilon) + p.shift


@dataclass(frozen=True)
class RMSNorm(Layer):
    """Gives every row the root mean square 1 over its features.

    y = γ x / √(mean(x²) + ε), with the mean over the last axis

    `LayerNorm` without what shifts: it subtracts no mean and adds no β.

    Arguments:
        epsilon: ε, greater than 0.

    Returns:
        When applied to x of shape (rows, …, features), an array of that shape.

    Raises:
        ArgumentError: epsilon isn't greater than 0.
        ShapeError: x has no features.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np
        >>> from thalweg.formulas.normalization import RMSNorm
        >>> p = SimpleNamespace(scale=np.ones(2))
        >>> RMSNorm().forward(np.array([[1.0, 7.0]]), p).round(3).tolist()
        [[0.2, 1.4]]

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        require_positive("epsilon", self.epsilon)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """A scale for each feature."""
        return {"scale": Parameter((last_of(self, input_shape),), ones)}

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """γ x / √(mean(x²) + ε)."""
        mean_square = ops.mean(ops.square(x), axis=-1, keepdims=True)
        return p.scale * (x / ops.sqrt(mean_square + self.epsilon))


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Gives every feature mean 0 and variance 1 over the rows of a batch.

    y = γ (x − μ) / √(σ² + ε) + β

    In training μ and σ² are the batch's (σ² biased, over n), and running means
    follow them, for prediction, by m (σ² unbiased there, over n − 1):

    running ← (1 − m) running + m batch

    A batch of one row has no variance: it is normalized as in prediction, and the
    running statistics stay.

    Arguments:
        momentum: m, the weight of the newest batch, in (0, 1].
        epsilon: ε, greater than 0.

    Returns:
        When applied to x of shape (rows, …, features), an array of that shape.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> from types import SimpleNamespace
        >>> import numpy as np
        >>> from thalweg.formulas.normalization import BatchNorm
        >>> p = SimpleNamespace(scale=np.ones(1), shift=np.zeros(1),
        ...     running_mean=np.zeros(1), running_variance=np.ones(1))
        >>> x = np.array([[3.0], [7.0]])
        >>> y, state = BatchNorm().training_forward(x, p, None)
        >>> y.round(3).tolist(), state["running_mean"].tolist()
        ([[-1.0], [1.0]], [0.5])

    Source: Ioffe and Szegedy, "Batch normalization: accelerating deep network
    training by reducing internal covariate shift", 2015. Conventions and defaults as
    PyTorch.
    """

    momentum: float = 0.1
    epsilon: float = 1e-5

    knows_lengths = True

    def __post_init__(self) -> None:
        require_share("momentum", self.momentum)
        require_positive("epsilon", self.epsilon)

    def parameters(self, input_shape: Shape) -> dict[str, Parameter]:
        """A scale and a shift for each feature."""
        return scale_and_shift(input_shape)

    def state(self, input_shape: Shape) -> dict[str, Parameter]:
        """The running mean and variance of each feature."""
        shape = input_shape[-1:]
        return {
            "running_mean": Parameter(shape, zeros),
            "running_variance": Parameter(shape, ones),
        }

    def forward(self, x: ops.Array, p: Namespace) -> ops.Array:
        """Normalized by the running statistics."""
        normal = normalize(x, p.running_mean, p.running_variance, self.epsilon)
        return p.scale * normal + p.shift

    def training_forward(
        self, x: ops.Array, p: Namespace, random: Random
    ) -> tuple[ops.Array, State]:
        """Normalized by the batch's statistics; and the new running ones."""
        if lengths_of(p) is not None:
            return self._training_within(x, p)
        count = x.size // x.shape[-1]
        if count == 1:
            return self.forward(x, p), {}
        axes = tuple(range(x.ndim - 1))
        mean = ops.mean(x, axis=axes)
        variance = ops.mean(ops.square(x - mean), axis=axes)
        unbiased = variance * (count / (count - 1))
        return self._normalized(x, p, mean, variance, unbiased)

    def _training_within(self, x: ops.Array, p: Namespace) -> tuple[ops.Array, State]:
        """The same by the statistics of the times that rows have."""
        axes = tuple(range(x.ndim - 1))
        others = math.prod(x.shape[2:-1])
        times = ops.cast(lengths_of(p), x.dtype.name)
        count = ops.sum(times) * others
        mean = ops.sum(in_place_of_padding(x, p, 0.0), axis=axes) / count
        far = in_place_of_padding(ops.square(x - mean), p, 0.0)
        squares = ops.sum(far, axis=axes)
        unbiased = squares / ops.maximum(count - 1, 1.0)
        return self._normalized(x, p, mean, squares / count, unbiased)

    def _normalized(
        self,
        x: ops.Array,
        p: Namespace,
        mean: ops.Array,
        variance: ops.Array,
        unbiased: ops.Array,
    ) -> tuple[ops.Array, State]:
        """By the batch's statistics; the running ones follow them."""
        y = p.scale * normalize(x, mean, variance, self.epsilon) + p.shift
        return y, {
            "running_mean": self._follow(p.running_mean, mean),
            "running_variance": self._follow(p.running_variance, unbiased),
        }

    def _follow(self, running: ops.Array, newest: ops.Array) -> ops.Array:
        return (1 - self.momentum) * running + self.momentum * newest
