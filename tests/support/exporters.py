"""Objects of many kinds that hold the same matrix, and export its memory."""

from __future__ import annotations

import array
import ctypes
import mmap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from thalweg.program.types import NumpyArray

Export = Callable[[NumpyArray], Any]

CTYPES = {"float32": ctypes.c_float, "float64": ctypes.c_double}


class Own(np.ndarray[Any, Any]):
    """A subclass that changes nothing."""


def view(values: Any) -> Any:
    """What Python itself makes of a buffer."""
    return memoryview(values)


def shaped(buffer: Any, values: NumpyArray) -> Any:
    """Bytes as a matrix; memoryview has no form for one without elements."""
    if not values.size:
        return np.frombuffer(buffer, values.dtype).reshape(values.shape)
    return view(buffer).cast("B").cast(values.dtype.char, list(values.shape))


def of_ctypes(values: NumpyArray) -> Any:
    """An array of arrays, whose buffer has no strides."""
    rows, columns = values.shape
    kind = CTYPES[values.dtype.name] * columns * rows
    return kind.from_buffer_copy(values.tobytes())


def of_array(values: NumpyArray) -> Any:
    """`array.array`, whose buffer's shape lies in the view itself."""
    return shaped(array.array(values.dtype.char, values.tobytes()), values)


def mapped(values: NumpyArray) -> Any:
    """Memory that no one else has."""
    memory = mmap.mmap(-1, max(values.nbytes, 1))
    memory.write(values.tobytes())
    return shaped(memoryview(memory)[: values.nbytes], values)


def backward(values: NumpyArray) -> Any:
    """Rows with a negative stride."""
    return view(np.ascontiguousarray(values[::-1]))[::-1]


def spread(values: NumpyArray) -> Any:
    """Rows with others between them."""
    return view(np.repeat(values, 2, axis=0))[::2]


def columns_apart(values: NumpyArray) -> NumpyArray:
    """Columns with others between them."""
    return np.repeat(values, 2, axis=1)[:, ::2]


def read_only(values: NumpyArray) -> NumpyArray:
    """An array that mustn't be written."""
    copy = values.copy()
    copy.flags.writeable = False
    return copy


def repeated(values: NumpyArray) -> NumpyArray:
    """The first row for all of them: a stride of 0."""
    first = values[:1].copy() if len(values) else np.zeros((1, *values.shape[1:]))
    return np.broadcast_to(first.astype(values.dtype), values.shape)


def unaligned(values: NumpyArray) -> NumpyArray:
    """Numbers that begin at an odd address."""
    room = np.zeros(values.nbytes + 1, np.uint8)
    odd = room[1:].view(values.dtype).reshape(values.shape)
    odd[...] = values
    return odd


def of_torch(values: NumpyArray) -> Any:
    """A tensor, where PyTorch is installed; the tests don't ask for it."""
    return pytest.importorskip("torch").from_numpy(values.copy())


MATRICES: Mapping[str, Export] = {
    "ctypes": of_ctypes,
    "array.array": of_array,
    "memoryview": view,
    "bytes": lambda values: shaped(values.tobytes(), values),
    "mmap": mapped,
    "backward": backward,
    "spread": spread,
    "columns apart": columns_apart,
    "read-only": read_only,
    "zero strides": repeated,
    "unaligned": unaligned,
    "swapped bytes": lambda values: values.astype(values.dtype.newbyteorder()),
    "Fortran order": np.asfortranarray,
    "a subclass": lambda values: values.copy().view(Own),
    "pyarrow's tensor": pa.Tensor.from_numpy,
    "a tensor": of_torch,
    "a tensor's rows apart": lambda values: of_torch(np.repeat(values, 2, axis=0))[::2],
    "a transposed tensor": lambda values: of_torch(values.T).t(),
    "one row of a tensor for all": lambda values: of_torch(values[:1]).expand(
        *values.shape
    ),
    "no rows": lambda values: values[:0],
    "one axis": lambda values: values[:, 0].copy(),
    "one axis of ctypes": lambda values: of_ctypes(values[:1])[0],
    "no axis": lambda values: values[0, 0],
    "no axis of ctypes": lambda values: CTYPES[values.dtype.name](1.5),
    "nine axes": lambda values: values.reshape(1, 1, 1, 1, 1, 1, 1, *values.shape),
    "fields": lambda values: np.zeros(values.shape, [("a", "f4"), ("b", "i4")]),
    "plain bytes": lambda values: values.tobytes(),
    "pyarrow's column": lambda values: pa.array(values[:, 0]),
    "bools": lambda values: values > 0,
    "whole numbers": lambda values: values.astype(np.int64),
    "complex": lambda values: values.astype(np.complex64),
    "nothing": lambda values: None,
}
