"""Ctrl-C and SIGTERM between two steps, so that what was learned is whole."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType

TERMINATED = 143  # what shells give for an end by SIGTERM
GRACE_SECONDS = 5.0  # in which a step comes to its end


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
    Python delivers signals to the main thread alone; elsewhere it's the end of the
    process that is noted, as of SIGTERM.
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
        else:
            stack.enter_context(OTHERS.told(interrupt))
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


class OtherThreads:
    """Runs in other threads than the main one, which end before the process does.

    Python ends a daemon thread where it comes back from the engine, in the middle of
    what it was doing. scikit-learn's tools leave such threads behind when Ctrl-C ends
    them.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """There are none."""
        self._changed = threading.Condition()
        self._under_way: set[Interrupt] = set()
        self._ended = False

    @contextmanager
    def told(self, interrupt: Interrupt) -> Generator[None]:
        """The run is told when the process ends; it may end already."""
        with self._changed:
            interrupt.terminated = self._ended
            self._under_way.add(interrupt)
        try:
            yield
        except Terminated:  # Python says nothing of a SystemExit, but of its subclass
            raise SystemExit(TERMINATED) from None
        finally:
            with self._changed:
                self._under_way.discard(interrupt)  # a child has forgotten it
                self._changed.notify_all()

    def end(self) -> None:
        """All of them are told, and have a while to come to their end."""
        with self._changed:
            self._ended = True
            for interrupt in self._under_way:
                interrupt.terminated = True
            self._changed.wait_for(lambda: not self._under_way, GRACE_SECONDS)


OTHERS = OtherThreads()
atexit.register(OTHERS.end)
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=OTHERS.forget)
