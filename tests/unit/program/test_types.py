"""Types of arrays, and under which an array from outside enters."""

import numpy as np
import pytest

from thalweg.errors import DtypeError
from thalweg.program.types import (
    COMPUTED,
    ArrayType,
    Dtype,
    as_numpy,
    dtype_from,
    dtype_of,
    type_of,
)


def test_a_type_prints_and_counts() -> None:
    type = ArrayType((32, 64), "float32")
    assert str(type) == "f32[32,64]"
    assert (type.size, type.nbytes, type.is_float) == (2048, 8192, True)
    scalar = ArrayType((), "bool")
    assert str(scalar) == "b[]"
    assert (scalar.size, scalar.nbytes, scalar.is_float) == (1, 1, False)


ENTERS = [
    ("float32", "float32"),
    ("float64", "float64"),
    ("float16", "float32"),
    ("longdouble", "float64"),
    ("bool", "bool"),
    ("int8", "int32"),
    ("int32", "int32"),
    ("int64", "int32"),
    ("uint8", "int32"),
    ("uint32", "uint32"),
]


@pytest.mark.parametrize(("given", "enters"), ENTERS)
def test_dtype_under_which_an_array_enters(given: str, enters: str) -> None:
    array = np.zeros((2, 3), given)
    assert dtype_of(array) == enters
    assert type_of(array) == ArrayType((2, 3), enters)  # pyright: ignore


@pytest.mark.parametrize("array", [["a"], [None], [1j]])
def test_what_holds_no_numbers_is_refused(array: list[object]) -> None:
    with pytest.raises(DtypeError, match="numbers or booleans"):
        dtype_of(np.array(array))


@pytest.mark.parametrize(
    ("value", "dtype"), [(2**31, "int32"), (-(2**31) - 1, "int32"), (-1, "uint32")]
)
def test_whole_numbers_must_fit(value: int, dtype: str) -> None:
    with pytest.raises(DtypeError, match=str(value)):
        as_numpy([0, value], dtype)  # pyright: ignore


def test_whole_numbers_that_fit_are_kept() -> None:
    limits = [-(2**31), 2**31 - 1]
    assert as_numpy(limits, "int32").tolist() == limits
    assert as_numpy([], "int32").size == 0


@pytest.mark.parametrize("name", COMPUTED)
def test_a_dtype_is_named_as_numpy_does(name: Dtype) -> None:
    swapped = np.dtype(name).newbyteorder()
    for given in (name, np.dtype(name), np.dtype(name).type, swapped):
        found = dtype_from(given)
        assert found == name
        assert type(found) is str  # as programs and files hold it


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (np.int64, "int64"),
        (np.dtype("float16"), "float16"),
        (complex, "complex128"),
        (object, "object"),
        ("flaot32", "'flaot32'"),
        ("f4,,", "'f4,,'"),
        (None, "None"),
        (3, "3"),
    ],
)
def test_another_dtype_is_refused(given: object, shown: str) -> None:
    with pytest.raises(DtypeError) as caught:
        dtype_from(given)  # pyright: ignore
    known = "float32, float64, int32, uint32 or bool"
    assert str(caught.value) == f"a dtype must be {known}, got {shown}"
