"""Work on many files by a few threads, with results in the files' order.

Pillow lets go of Python's lock while it decodes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MOST_THREADS = 8
"""More of them mostly wait for each other, and each takes memory of its own."""

AHEAD = 256
"""How many files are worked on before the results of the first are fetched."""

Result = TypeVar("Result")


def in_threads(work: Callable[[int], Result], count: int) -> Iterator[Result]:
    """What work gives for 0, 1, 2, …, in that order.

    >>> list(in_threads(lambda number: number**2, 5))
    [0, 1, 4, 9, 16]
    """
    with ThreadPoolExecutor(threads()) as pool:
        for start in range(0, count, AHEAD):
            yield from pool.map(work, range(start, min(count, start + AHEAD)))


def threads() -> int:
    """As many as there are processors for this process, up to a few."""
    if sys.platform != "win32" and hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MOST_THREADS)
    return min(os.cpu_count() or 1, MOST_THREADS)
