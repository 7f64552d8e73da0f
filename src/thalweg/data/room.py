"""Room for tables where memory is limited.

polars, and libraries that are loaded when they are first needed, end the process where
they get no memory. So whoever needs them asks for room before, and where there is none
gets a MemoryError. Nothing is asked where no limit is set.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import warnings
from functools import cache
from threading import RLock

MIB = 2**20

LIBRARIES, LIBRARIES_A_PROCESSOR = 576 * MIB, 48 * MIB
"""What the libraries and their threads take, once all of them have worked."""

PICTURES = 160 * MIB
"""What the libraries take that draw pictures and write pages."""

SPARE = 64 * MIB
"""What is left to small things, beside what goes with a table's size."""

ARENA_MAX = -8
"""The parameter of glibc's `mallopt` for the number of arenas (M_ARENA_MAX)."""

_loading = RLock()
_loading_now: list[bool] = []
_loaded: list[bool] = []


def is_limited() -> bool:
    """Whether a limit is set to the memory that this process may ask for.

    Only Linux keeps such limits: macOS doesn't, and Windows has none.
    """
    if sys.platform != "linux":
        return False
    import resource

    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    return any(resource.getrlimit(each)[0] != resource.RLIM_INFINITY for each in limits)


def require_room(size: int, purpose: str) -> None:
    """So many bytes, and some to spare, can be had, if memory is limited at all.

    Raises:
        MemoryError: they can't; the message says what they are for.

    >>> require_room(2**20, "reading ages.csv")
    """
    if is_limited() and not _can_be_had(size + SPARE):
        raise MemoryError(
            f"{purpose} takes up to {(size + SPARE) // MIB:,} MiB, which the limit of "
            "this process's memory (ulimit -v or -d) doesn't leave"
        )


def _can_be_had(size: int) -> bool:
    """Whether the system gives so many bytes, which go back untouched."""
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, OverflowError):
        return False
    return True


def load_libraries() -> None:
    """Load and start all that work on tables needs, if memory is limited.

    Raises:
        MemoryError: there isn't room for it.
    """
    if _loaded or not is_limited():
        return
    with _loading:
        if _loaded or _loading_now:
            return
        processors = os.cpu_count() or 1
        needed = LIBRARIES + processors * LIBRARIES_A_PROCESSOR
        require_room(needed, "loading the libraries for tables")
        _share_arenas()
        _loading_now.append(True)
        try:
            _work_once()
        finally:
            _loading_now.clear()
        _loaded.append(True)


@cache
def _share_arenas() -> None:
    """Let threads share what glibc reserves: 64 MiB for each of them otherwise."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(ARENA_MAX, 1)


def _work_once() -> None:
    """A training of each kind on a few rows: it imports all, and starts all threads."""
    import polars as pl

    from thalweg.data import train

    rows = {"kind": ["a", "b", "b", "a"] * 20, "size": [i / 7 for i in range(80)]}
    frame = pl.DataFrame(rows | {"word": ["x", "y", "z", None] * 20})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for target in ("kind", "size"):
            model = train(frame, target, epochs=1, layers=(2,)).model
            model.evaluate(frame)
            list(model.predict_batches(frame))
