"""Arrays that are known while a formula is traced."""

from __future__ import annotations

from thalweg.errors import DtypeError
from thalweg.program.primitives import register
from thalweg.program.row_rules import NO_ROWS
from thalweg.program.types import COMPUTED, ArrayType, NumpyArray, put


def constant_type(value: NumpyArray) -> ArrayType:
    """A constant has its own type."""
    name = value.dtype.name
    if name not in COMPUTED:
        raise DtypeError(
            f"dtype must be one of {', '.join(COMPUTED)}, got {value.dtype}"
        )
    return ArrayType(tuple(value.shape), name)


def constant(value: NumpyArray, out: NumpyArray | None = None) -> NumpyArray:
    """The value itself."""
    return put(value, out)


register(
    name="constant",
    inputs=0,
    infer=constant_type,
    meaning=constant,
    gradient="it has no input",
    kind="constant",
    rows=NO_ROWS,
    attributes=("value",),
)
