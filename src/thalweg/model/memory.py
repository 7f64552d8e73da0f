"""The arrays that all programs of a network share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.backends.alignment import aligned_bytes, aligned_copy
from thalweg.forks import WRITING
from thalweg.formulas.chain import Shapes
from thalweg.model.step import types_of
from thalweg.program.types import Dtype, NumpyArray


@dataclass(frozen=True)
class Memory:
    """The arrays that all programs of a network share: θ and the layers' state."""

    parameters: NumpyArray
    state: Mapping[str, NumpyArray]

    @property
    def dtype(self) -> Dtype:
        """The dtype of all of them."""
        return self.parameters.dtype.name  # pyright: ignore[reportReturnType]

    def buffers(self) -> dict[str, NumpyArray]:
        """The arrays by the names that programs have for them."""
        return {"parameters": self.parameters, **self.state}

    def copy(self) -> Memory:
        """A snapshot."""
        state = {name: array.copy() for name, array in self.state.items()}
        return Memory(self.parameters.copy(), state)

    def aligned(self) -> Memory:
        """A copy that programs can run on."""
        copied = self.copy()
        return Memory(aligned_copy(copied.parameters), copied.state)

    def restore(self, snapshot: Memory) -> None:
        """Back to a snapshot, in place."""
        with WRITING:
            np.copyto(self.parameters, snapshot.parameters)
            for name, array in self.state.items():
                np.copyto(array, snapshot.state[name])


def empty_memory(shapes: Shapes, dtype: Dtype) -> Memory:
    """Parameters and state without numbers yet, laid out as programs have them."""
    parameters, state = (
        types_of(each, dtype) for each in (shapes.parameters, shapes.state)
    )
    size = sum(type.nbytes for type in parameters.values())
    return Memory(
        aligned_bytes(size).view(dtype),
        {name: np.empty(type.shape, dtype) for name, type in state.items()},
    )


def memory_of(values: Mapping[str, NumpyArray], shapes: Shapes, dtype: Dtype) -> Memory:
    """Parameters and state by their names, laid out as programs have them."""
    flat = [np.zeros(0, dtype)] + [
        values[name].reshape(-1) for name in shapes.parameters
    ]
    parameters = aligned_copy(np.concatenate(flat))
    return Memory(parameters, {n: values[n].copy() for n in shapes.state})


def parts_of(flat: NumpyArray, shapes: Shapes) -> dict[str, NumpyArray]:
    """The parameters by name, as views of the vector that holds them."""
    parts: dict[str, NumpyArray] = {}
    start = 0
    for name, type in types_of(shapes.parameters, "float32").items():
        parts[name] = flat[start : start + type.size].reshape(type.shape)
        start += type.size
    return parts
