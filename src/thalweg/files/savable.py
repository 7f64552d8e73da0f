"""Whether there can be a file of a network, seen before it is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from thalweg.errors import ArgumentError, ModelFileError
from thalweg.files.bounds import require_layer_count, require_small_rows
from thalweg.files.layer_codec import TRACED
from thalweg.files.modelfile import require_writable
from thalweg.files.registry import plain_data
from thalweg.formulas.chain import Shapes
from thalweg.formulas.layers import Layer
from thalweg.program.types import Dtype


def require_savable(layers: Sequence[Layer], shapes: Shapes, dtype: Dtype) -> None:
    """Layers, parameters and rows are within the limits of a model file.

    Whether formulas of a user's own can be written is seen when they are.

    Raises:
        ArgumentError: one is beyond; the message names the limit.
    """
    described = [plain_data(layer, own=lambda _: {"type": TRACED}) for layer in layers]
    # Arrays of these sizes that take no memory.
    zero = np.zeros((), dtype)
    declared = {**shapes.parameters, **shapes.state}
    tensors = {
        f"parameters/{name}": np.broadcast_to(zero, parameter.shape)
        for name, parameter in declared.items()
    }
    try:
        require_layer_count(described)
        require_small_rows(layers, shapes, dtype)
        require_writable(tensors, {"network": {"layers": described}})
    except ModelFileError as error:
        raise ArgumentError(f"this network couldn't be saved: {error}") from None
