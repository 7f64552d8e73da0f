"""Whether numbers count: 0, 1, 2, … or 1, 2, 3, …"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def counts(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether numbers are 0, 1, 2, … or 1, 2, 3, … in this order.

    Arguments:
        values: shape (…, numbers), one number at least.

    Returns:
        Shape (…).

    Example:
        >>> counts(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [0.0, 1.0, 1.7e308]]))
        array([ True, False, False])
    """
    first = values[..., :1]
    counted: NDArray[np.float64] = first + np.arange(values.shape[-1], dtype=np.float64)
    others = np.not_equal(values, counted)
    return np.isin(first[..., 0], (0, 1)) & ~np.any(others, axis=-1)
