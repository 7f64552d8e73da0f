"""What is taken from scikit-learn, which has no types."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

base: Any = import_module("sklearn.base")
exceptions: Any = import_module("sklearn.exceptions")
metrics: Any = import_module("sklearn.metrics")
multiclass: Any = import_module("sklearn.utils.multiclass")
utils: Any = import_module("sklearn.utils")
validation: Any = import_module("sklearn.utils.validation")

BaseEstimator: Any = base.BaseEstimator
ClassifierMixin: Any = base.ClassifierMixin
RegressorMixin: Any = base.RegressorMixin


FINDS_NAMES = hasattr(validation, "nw")
"""Whether the columns of any frame are found, by narwhals, as from 1.9 on."""


def checked_frame(estimator: Any, frame: Any, *y: Any, reset: bool) -> None:
    """Learn a frame's columns, or compare them with those that were learned.

    Arguments:
        estimator: whose ``feature_names_in_`` and ``n_features_in_`` they are.
        frame: of pandas, polars or pyarrow.
        y: the targets, if there are any.
        reset: whether to learn.

    Raises:
        ValueError: they aren't those that were learned.
    """
    seen = frame if FINDS_NAMES else columns_alone(frame)
    validation.validate_data(estimator, seen, *y, reset=reset, skip_check_array=True)


def checked_targets(frame: Any, y: Any) -> Any:
    """The targets of a frame's rows, as an array or sparse.

    Raises:
        ValueError: they can't be targets, or aren't as many.
    """
    checked = validation.check_array(
        y, accept_sparse="csr", ensure_2d=False, dtype=None, input_name="y"
    )
    validation.check_consistent_length(frame, checked)
    return checked


def columns_alone(frame: Any) -> Any:
    """A frame's columns as versions before 1.9 find those of any but pandas'.

    They ask for the interchange protocol, which polars has no more.
    """
    import narwhals as nw

    columns = nw.from_native(frame, eager_only=True).columns
    names = SimpleNamespace(column_names=lambda: columns)
    return SimpleNamespace(shape=(0, len(columns)), __dataframe__=lambda: names)


class NoCallbacks:
    """Stands where scikit-learn has no callbacks, as before 1.9."""


try:
    callback: Any = import_module("sklearn.callback")
except ImportError:
    callback = None
FITS_ARE_WRAPPED = callback is not None
"""Whether `with_callbacks` puts a function around a method."""

CallbackSupportMixin: Any = getattr(callback, "CallbackSupportMixin", NoCallbacks)


def with_callbacks(method: Method) -> Method:
    """A method after which callbacks are told that it's over, where there are any."""
    return method if callback is None else callback.with_callbacks(method)
