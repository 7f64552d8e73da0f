"""How many threads other libraries may take."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any


def limited(threads: int | None) -> AbstractContextManager[Any]:
    """At most so many threads in scikit-learn."""
    if threads is None:
        return nullcontext()
    pools: Any = import_module("threadpoolctl")
    return pools.threadpool_limits(threads)
