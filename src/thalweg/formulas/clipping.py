"""Clipping: a bound on how far one step may go."""

from __future__ import annotations

from thalweg.checks import require_positive
from thalweg.program import ops


def clip_by_global_norm(gradient: ops.Array, max_norm: float) -> ops.Array:
    """The gradient, made shorter if it's longer than max_norm; its direction stays.

    g · c / max(‖g‖, c)

    Arguments:
        gradient: g, the gradient of all parameters as one vector.
        max_norm: c, the length allowed, greater than 0.

    Returns:
        A vector of the same shape, at most c long.

    Raises:
        ArgumentError: max_norm isn't greater than 0.

    Example:
        >>> import numpy as np
        >>> from thalweg.formulas.clipping import clip_by_global_norm
        >>> clip_by_global_norm(np.array([3.0, 4.0]), 2.5).tolist()
        [1.5, 2.0]

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent
    neural networks", 2013.
    """
    require_positive("max_norm", max_norm)
    norm = ops.sqrt(ops.sum(ops.square(gradient)))
    return gradient * (max_norm / ops.maximum(norm, max_norm))
