"""The libraries for tables, loaded before they need memory that isn't there.

A library that is loaded late, or starts a thread late, may end the process where memory
is limited. So all of them are made to work once, as soon as one will be needed.
"""

from __future__ import annotations

import ctypes
import os
import warnings
from functools import cache

from thalweg.forks import ReentrantLock
from thalweg.tables.room import MIB, is_limited, require_room
from thalweg.tabular import worked

LIBRARIES, LIBRARIES_A_PROCESSOR = 576 * MIB, 48 * MIB
"""What the libraries and their threads take, once all of them have worked."""

ARENA_MAX = -8
"""The parameter of glibc's `mallopt` for the number of arenas (M_ARENA_MAX)."""

_loading = ReentrantLock()
_loading_now: list[bool] = []


def load_libraries() -> None:
    """Load and start all that work on tables needs, if memory is limited.

    Raises:
        MemoryError: there isn't room for it.
    """
    if not is_limited():
        return
    with _loading.held():
        if _loading_now:
            return
        _share_arenas()
        if not worked.have_worked:
            _load()


def _load() -> None:
    processors = os.cpu_count() or 1
    needed = LIBRARIES + processors * LIBRARIES_A_PROCESSOR
    require_room(needed, "loading the libraries for tables")
    _loading_now.append(True)
    try:
        _work_once()
    except BaseException:
        worked.have_worked.clear()  # some may have, not all
        raise
    finally:
        _loading_now.clear()
    worked.libraries_have_worked()


@cache
def _share_arenas() -> None:
    """Let threads share what glibc reserves: 64 MiB for each of them otherwise."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ARENA_MAX, 1)


def _work_once() -> None:
    """A training of each kind on a few rows: it imports all, and starts all threads."""
    import polars as pl

    from thalweg.kinds.learn import learn
    from thalweg.tabular.learn import TABLES
    from thalweg.tabular.settings import Settings

    rows = {"kind": ["a", "b", "b", "a"] * 20, "size": [i / 7 for i in range(80)]}
    frame = pl.DataFrame(rows | {"word": ["x", "y", "z", None] * 20})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for target in ("kind", "size"):
            settings = Settings(epochs=1, layers=(2,))
            model = learn(TABLES, frame, target, settings).model
            model.evaluate(frame)
            list(model.predict_batches(frame))
