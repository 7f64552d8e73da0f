"""Ctrl-C and SIGTERM between two steps, so that what was learned is whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType

TERMINATED = 143  # what shells give for an end by SIGTERM


class Terminated(SystemExit):
    """SIGTERM ended a run that is checkpointed; the exit status is 143.

    Arguments:
        words: what was kept.
    """

    def __init__(self, words: str = "") -> None:
        super().__init__(TERMINATED)
        self.words = words


class Interrupt:
    """Whether a person, or the system, asked to stop."""

    requested = False
    terminated = False
    urgent = False  # asked twice: the second time ends a step midway

    def asked(self) -> bool:
        """Whether somebody asked to stop, for those who ask back later."""
        return self.requested or self.terminated

    def check(self) -> None:
        """Stop here, where everything is whole, if somebody asked to."""
        if self.terminated:
            raise Terminated
        if self.requested:
            raise KeyboardInterrupt


@contextmanager
def watch(termination: bool = False) -> Generator[Interrupt]:
    """Notes Ctrl-C instead of raising it; the second one raises.

    With `termination` SIGTERM too is noted, unless a person's own handler is there.
    Python delivers signals to the main thread alone; elsewhere nothing is watched.
    """
    interrupt = Interrupt()

    def note(number: int, frame: FrameType | None) -> None:
        which = "terminated" if number == signal.SIGTERM else "requested"
        if getattr(interrupt, which):
            interrupt.urgent = True
            interrupt.check()
        setattr(interrupt, which, True)

    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN):
                stack.enter_context(handling(signal.SIGINT, note))
            if termination and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
                stack.enter_context(handling(signal.SIGTERM, note))
        yield interrupt


@contextmanager
def handling(
    number: signal.Signals, handler: Callable[[int, FrameType | None], None]
) -> Generator[None]:
    """A handler of a signal, for a while."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
