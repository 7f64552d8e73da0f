"""Random words by counting."""

from __future__ import annotations

from thalweg.errors import DtypeError, ShapeError
from thalweg.program.primitives import one_an_output, register
from thalweg.program.random import random_bits
from thalweg.program.row_rules import NO_ROWS
from thalweg.program.types import ArrayType, NumpyArray, Shape, put


def random_bits_type(
    seed: ArrayType, step: ArrayType, operation: int, shape: Shape
) -> ArrayType:
    """32 random bits an element."""
    if seed != ArrayType((), "uint32") or step != ArrayType((), "int32"):
        raise DtypeError(
            f"seed and step must be u32[] and i32[], got {seed} and {step}"
        )
    if operation < 0 or any(n < 0 for n in shape):
        raise ShapeError(f"operation {operation} or shape {shape} is negative")
    return ArrayType(shape, "uint32")


def random_bits_array(
    seed: NumpyArray,
    step: NumpyArray,
    operation: int,
    shape: Shape,
    out: NumpyArray | None = None,
) -> NumpyArray:
    """Counter-based random words."""
    return put(random_bits(int(seed), int(step), operation, shape), out)


register(
    name="random_bits",
    inputs=2,
    infer=random_bits_type,
    meaning=random_bits_array,
    gradient="random words are whole numbers, which have no derivative",
    kind="random",
    rows=NO_ROWS,
    cost=one_an_output,
    attributes=("operation", "shape"),
)
