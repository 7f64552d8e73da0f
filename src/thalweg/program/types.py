"""What is known of an array before it exists: its shape and its dtype."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.cached import cached_property
from thalweg.errors import ArgumentError, DtypeError

Dtype = Literal["float32", "float64", "int32", "uint32", "bool", "uint8"]
COMPUTED: tuple[Dtype, ...] = ("float32", "float64", "int32", "uint32", "bool")
DTYPES: tuple[Dtype, ...] = (*COMPUTED, "uint8")
"""All that inputs may have. Bytes only come in: they are moved, and converted."""
FLOATS: tuple[Dtype, ...] = ("float32", "float64")
SHORT = {
    "float32": "f32",
    "float64": "f64",
    "int32": "i32",
    "uint32": "u32",
    "bool": "b",
    "uint8": "u8",
}
ITEMSIZE = {
    **{"float32": 4, "float64": 8},
    **{"int32": 4, "uint32": 4, "bool": 1, "uint8": 1},
}

Shape = tuple[int, ...]
NumpyArray: TypeAlias = NDArray[Any]
# How the user names a dtype: by its word, as an array has it, or as ``np.float32``.
DtypeLike: TypeAlias = Dtype | np.dtype[Any] | type[Any]


@dataclass(frozen=True)
class ArrayType:
    """The shape and dtype of an array, printed as ``f32[32,64]``."""

    shape: Shape
    dtype: Dtype

    def __str__(self) -> str:
        return f"{SHORT[self.dtype]}[{','.join(map(str, self.shape))}]"

    @cached_property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Number of bytes of a contiguous array of this type."""
        return self.size * ITEMSIZE[self.dtype]

    @property
    def is_float(self) -> bool:
        """Whether the elements are floating-point numbers."""
        return self.dtype in FLOATS


def dtype_from(given: DtypeLike | None) -> Dtype:
    """The dtype that a word, a NumPy dtype or a NumPy type of numbers stands for.

    Raises:
        DtypeError: it is none of the five that programs compute with.
    """
    try:
        name = "None" if given is None else np.dtype(given).name
    except (SyntaxError, TypeError, ValueError):
        name = repr(given)
    if name in COMPUTED:
        return name
    known = f"{', '.join(COMPUTED[:-1])} or {COMPUTED[-1]}"
    raise DtypeError(f"a dtype must be {known}, got {name}")


def dtype_of(array: NumpyArray, default_float: Dtype = "float64") -> Dtype:
    """The dtype under which a NumPy array enters a formula.

    Integers become ``int32``, half precision becomes ``float32``; text, objects and
    complex numbers are a `DtypeError`.
    """
    name = array.dtype.name
    if name in COMPUTED:
        return name
    if array.dtype.kind in "iu":
        return "int32"
    if array.dtype.kind == "f":
        return "float32" if name == "float16" else default_float
    raise DtypeError(f"an array must hold numbers or booleans, got dtype {array.dtype}")


def type_of(array: NumpyArray) -> ArrayType:
    """The type under which a NumPy array enters a program."""
    return ArrayType(tuple(array.shape), dtype_of(array))


def require_unmasked(values: object, name: str = "an array") -> None:
    """No cell is masked: what lies under a mask isn't to be computed with.

    Raises:
        ArgumentError: one is.
    """
    masked = sys.modules.get("numpy.ma")  # without it nobody has such an array
    if masked is None:
        return
    in_rows = isinstance(values, list | tuple)
    parts = cast(Sequence[object], values if in_rows else (values,))
    for row, part in enumerate(parts):
        if masked.is_masked(part):
            place = np.argwhere(masked.getmaskarray(part))[0].tolist()
            index = ", ".join(map(str, [row, *place] if in_rows else place))
            raise ArgumentError(
                f"{name} must have no masked cell, got one at index ({index}): leave "
                "such rows out, or fill them in"
            )


def as_numpy(values: object, dtype: Dtype) -> NumpyArray:
    """The values as an array of a program's dtype; whole numbers must fit into it."""
    array = np.asarray(values)
    if dtype in ("int32", "uint32") and array.size and array.dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise DtypeError(
                f"whole numbers must lie in {limits.min}..{limits.max}, "
                f"got {array.min()}..{array.max()}"
            )
    return np.asarray(array, dtype=dtype)


def put(result: NumpyArray, out: NumpyArray | None) -> NumpyArray:
    """The result, in the array that was given for it."""
    if out is None:
        return result
    np.copyto(out, result)
    return out
