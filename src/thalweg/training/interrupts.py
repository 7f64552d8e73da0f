"""Ctrl-C between two steps, so that what was learned is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Whether a person asked to stop."""

    requested = False

    def asked(self) -> bool:
        """Whether a person asked to stop, for those who ask back later."""
        return self.requested

    def check(self) -> None:
        """Stop here, where everything is whole, if a person asked to."""
        if self.requested:
            raise KeyboardInterrupt


@contextmanager
def watch() -> Generator[Interrupt]:
    """Notes Ctrl-C instead of raising it; the second one raises.

    Python delivers signals to the main thread alone; elsewhere nothing is watched.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None or before is signal.SIG_IGN:
        yield interrupt
        return

    def note(number: int, frame: FrameType | None) -> None:
        if interrupt.requested:
            raise KeyboardInterrupt
        interrupt.requested = True

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
