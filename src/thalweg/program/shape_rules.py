"""Rules for types that several families of primitives share."""

from __future__ import annotations

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.types import ArrayType, Shape


def same_shape(types: tuple[ArrayType, ...]) -> Shape:
    """The one shape that all types share."""
    shape = types[0].shape
    for other in types[1:]:
        if other.shape != shape:
            raise ShapeError(f"shapes must be equal, got {shape} and {other.shape}")
    return shape


def same_type(*types: ArrayType) -> ArrayType:
    """The one type that all inputs share, and so does the output."""
    same_shape(types)
    for other in types[1:]:
        if other.dtype != types[0].dtype:
            raise DtypeError(
                f"dtypes must be equal, got {types[0].dtype} and {other.dtype}"
            )
    return types[0]


def numbers(*types: ArrayType) -> ArrayType:
    """Arithmetic: one type, neither booleans nor bytes."""
    not_bytes(types[0])
    if types[0].dtype == "bool":
        raise DtypeError("arithmetic takes numbers, got booleans: cast them first")
    return same_type(*types)


def not_bytes(x: ArrayType) -> None:
    """Computed with: bytes must have been converted before."""
    if x.dtype == "uint8":
        raise DtypeError("uint8 is for inputs, not computed with: cast it first")


def floats(*types: ArrayType) -> ArrayType:
    """A function of real numbers: one floating-point type."""
    for each in types:
        if not each.is_float:
            raise DtypeError(f"must be float32 or float64, got {each.dtype}")
    return same_type(*types)


def check_axes(x: ArrayType, axes: tuple[int, ...]) -> None:
    """Axes must exist, in rising order, each once."""
    if list(axes) != sorted(set(axes)) or any(not 0 <= a < len(x.shape) for a in axes):
        raise ShapeError(f"axes {axes} don't fit an array of shape {x.shape}")
