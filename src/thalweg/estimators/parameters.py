"""An estimator's parameters as plain data, for a model file.

What a file can't hold, such as a function of a user's own, is named in it: the
estimator that is read predicts without it, and has to be given it before it is fitted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from thalweg.errors import ArgumentError
from thalweg.files.registry import field_data, from_field
from thalweg.formulas.losses import LOSSES, Loss


@dataclass(frozen=True)
class NotInFile:
    """Stands where a parameter was that a file can't hold.

    Arguments:
        name: of the function or the class that it was.
    """

    name: str

    def __repr__(self) -> str:
        return f"NotInFile({self.name!r})"


def parameter_data(value: Any) -> Any:
    """What a file holds of a parameter.

    Example:
        >>> parameter_data((8, 4))
        [8, 4]
        >>> parameter_from(parameter_data({"a": 1.0}))
        {'a': 1.0}
        >>> parameter_from(parameter_data(print))
        NotInFile('print')
    """
    try:
        return written_of(value)
    except NoPlainDataError as error:
        return {"absent": str(error)}


class NoPlainDataError(Exception):
    """A part of a parameter that a file can't hold, by its name."""


def written_of(value: Any) -> Any:
    """The parameter as plain data.

    Raises:
        NoPlainDataError: a part of it can't be.
    """
    if isinstance(value, list):
        return {"list": [written_of(each) for each in cast(list[Any], value)]}
    if isinstance(value, tuple):
        return [written_of(each) for each in cast(tuple[Any, ...], value)]
    if isinstance(value, dict):
        pairs = cast(dict[Any, Any], value).items()
        return {"pairs": [[written_of(key), written_of(each)] for key, each in pairs]}
    if isinstance(value, Loss) and is_known(value):
        return {"loss": [value.name, dict(value.parameters)]}
    if isinstance(value, NotInFile):
        raise NoPlainDataError(value.name)
    field = field_data(value)
    if field is None or not is_finite(field[0]):
        raise NoPlainDataError(getattr(value, "__name__", type(value).__name__))
    return field[0]


def is_finite(data: Any) -> bool:
    """Whether no number in it is infinite or NaN, which JSON hasn't."""
    try:
        json.dumps(data, allow_nan=False)
    except ValueError:
        return False
    return True


def is_known(loss: Loss) -> bool:
    """Whether it is thalweg's own, with whatever numbers."""
    known = LOSSES.get(loss.name)
    return known is not None and known.function is loss.function


def parameter_from(data: Any) -> Any:
    """The parameter from what `parameter_data` gave.

    Raises:
        ModelFileError, ArgumentError, LookupError, TypeError, ValueError: there is no
            such parameter.
    """
    if isinstance(data, list):
        return tuple(parameter_from(each) for each in cast(list[Any], data))
    if isinstance(data, dict):
        ((tag, value),) = cast(dict[str, Any], data).items()
        if tag in READERS:
            return READERS[tag](value)
    return from_field(data)


def loss_from(data: Any) -> Loss:
    """A loss of thalweg's own, by name and numbers."""
    name, numbers = data
    return LOSSES[name].with_parameters(**numbers)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "list": lambda data: list(parameter_from(data)),
    "pairs": lambda data: dict(map(parameter_from, data)),
    "loss": loss_from,
    "absent": lambda data: NotInFile(str(data)),
}


def require_all_given(estimator: Any) -> None:
    """No parameter is one that a file couldn't hold.

    Raises:
        ArgumentError: one is.
    """
    for name, value in estimator.get_params(deep=False).items():
        if isinstance(value, NotInFile):
            raise ArgumentError(
                f"{name} must be given again before fitting, by set_params: it was "
                f"{value.name!r}, which a model file can't hold"
            )
