"""Classes as files can hold them."""

from __future__ import annotations

import numpy as np

from thalweg.errors import ArgumentError
from thalweg.program.types import NumpyArray


def known_labels(labels: NumpyArray) -> NumpyArray:
    """The classes as an array of texts (of dtype object), numbers or booleans.

    Raises:
        ArgumentError: they are none of these.

    >>> known_labels(np.array(["no", "yes"])).dtype, known_labels(np.arange(2)).dtype
    (dtype('O'), dtype('int64'))
    """
    values = labels.tolist()
    if all(isinstance(value, str) for value in values):
        return np.array(values, object)
    if labels.dtype.kind not in "biuf" or labels.dtype.itemsize > 8:
        raise ArgumentError(
            "to be exported, classes must be texts, booleans, or numbers of at most "
            f"64 bits, got {values[0]!r}"
        )
    return labels
