"""Room for tables where memory is limited.

polars, and libraries that are loaded when they are first needed, end the process where
they get no memory. So whoever needs them asks for room before, and where there is none
gets a MemoryError. Nothing is asked where no limit is set.
"""

from __future__ import annotations

import mmap
import sys

MIB = 2**20

PICTURES = 160 * MIB
"""What the libraries take that draw pictures and write pages."""

SPARE = 64 * MIB
"""What is left to small things, beside what goes with a table's size."""


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
    if sys.platform == "win32":  # where nothing is limited
        return True
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, OverflowError):
        return False
    return True
