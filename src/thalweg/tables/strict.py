"""Reading data classes back from JSON: exact keys, exact types, or an error."""

import sys
from collections.abc import Collection, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from thalweg.errors import ModelFileError
from thalweg.files.columnar import PackedColumn


def require_keys(
    data: object, what: str, *keys: str, optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """The object, if it has these keys and no others but those that may lack.

    Raises:
        ModelFileError: it is no object, or has other keys.

    >>> require_keys({"name": "age"}, "a column", "name")["name"]
    'age'
    """
    found = cast(Mapping[str, Any], data)
    if not isinstance(data, dict) or found.keys() - optional != {*keys}:
        raise ModelFileError(f"{what} must be an object of {', '.join(keys)}")
    return found


def tag_of(data: object, key: str) -> str:
    """The text under a key, or "" where there is none.

    >>> tag_of({"task": "classes"}, "task")
    'classes'
    """
    value = cast(dict[str, object], data).get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def text(value: object, what: str) -> str:
    """The value, if it is a text."""
    if not isinstance(value, str):
        raise ModelFileError(f"{what} must be a text, got {value!r:.60}")
    return value


def truth(value: object, what: str) -> bool:
    """The value, if it is true or false."""
    if not isinstance(value, bool):
        raise ModelFileError(f"{what} must be true or false, got {value!r:.60}")
    return value


def whole(value: object, what: str) -> int:
    """The value, if it is a whole number, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ModelFileError(f"{what} must be a whole number, got {value!r:.60}")
    return value


def number(value: object, what: str) -> float:
    """The value, if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelFileError(f"{what} must be a number, got {value!r:.60}")
    if not -sys.float_info.max <= value <= sys.float_info.max:
        raise ModelFileError(f"{what} must be finite, got {value!r:.60}")
    return float(value)


def items(value: object, what: str) -> list[Any] | PackedColumn:
    """The value, if it is a list, short or long."""
    if not isinstance(value, list | PackedColumn):
        raise ModelFileError(f"{what} must be a list, got {value!r:.60}")
    return value  # pyright: ignore[reportUnknownVariableType]


def texts(value: object, what: str) -> tuple[str, ...]:
    """The value as a tuple, if it is a list of texts that differ."""
    found = tuple(text(item, what) for item in items(value, what))
    if len(set(found)) < len(found):
        raise ModelFileError(f"{what} must differ from one another")
    return found


def numbers(value: object, what: str) -> NDArray[np.float64]:
    """The value as an array, if it is a list of finite numbers."""
    if not isinstance(value, np.ndarray):
        return np.array([number(item, what) for item in items(value, what)], np.float64)
    found = cast(NDArray[np.float64], value)
    if found.dtype != np.float64 or found.ndim != 1 or not np.isfinite(found).all():
        raise ModelFileError(f"{what} must be a list of finite numbers")
    return found
