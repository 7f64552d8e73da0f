"""What a forked child finds: locks that are open, and arrays that are whole."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from weakref import WeakSet


class Lock:
    """A lock that a child finds open, whoever held it when its parent forked.

    Example:
        >>> lock = Lock()
        >>> with lock.held():
        ...     pass
    """

    _lock: threading.Lock | threading.RLock

    def __init__(self) -> None:
        self.renew()
        LOCKS.add(self)

    def renew(self) -> None:
        """Nobody holds it."""
        self._lock = threading.Lock()

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold it for a while."""
        with self._lock:
            yield


class ReentrantLock(Lock):
    """One that its thread may hold more than once."""

    def renew(self) -> None:
        """Nobody holds it."""
        self._lock = threading.RLock()


LOCKS = WeakSet[Lock]()
WRITING = threading.RLock()
"""Held by who writes what must be whole in a child; whoever forks waits for it.

Writing must be short. A signal's handler may fork in the thread that writes: it doesn't
wait for itself.
"""


def renew_locks() -> None:
    """Nobody holds any lock: those who did are threads of the parent."""
    for lock in LOCKS:
        lock.renew()


def end_writing_in_child() -> None:
    """The child is the thread that forked, which held it meanwhile."""
    WRITING.release()
    renew_locks()


if sys.platform != "win32":  # which has no forks
    os.register_at_fork(
        before=WRITING.acquire,
        after_in_parent=WRITING.release,
        after_in_child=end_writing_in_child,
    )
