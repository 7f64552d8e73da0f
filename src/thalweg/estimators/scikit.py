"""What is taken from scikit-learn, which has no types."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])

base: Any = import_module("sklearn.base")
exceptions: Any = import_module("sklearn.exceptions")
multiclass: Any = import_module("sklearn.utils.multiclass")
utils: Any = import_module("sklearn.utils")
validation: Any = import_module("sklearn.utils.validation")

BaseEstimator: Any = base.BaseEstimator
ClassifierMixin: Any = base.ClassifierMixin
RegressorMixin: Any = base.RegressorMixin


class NoCallbacks:
    """Stands where scikit-learn has no callbacks, as before 1.9."""


try:
    callback: Any = import_module("sklearn.callback")
except ImportError:
    callback = None
CallbackSupportMixin: Any = getattr(callback, "CallbackSupportMixin", NoCallbacks)


def with_callbacks(method: Method) -> Method:
    """A method after which callbacks are told that it's over, where there are any."""
    return method if callback is None else callback.with_callbacks(method)
