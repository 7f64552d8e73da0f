"""Ctrl-C, SIGTERM and SIGHUP between two steps, so that what was learned is whole."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)  # a machine is taken, a terminal closed
GRACE_SECONDS = 5.0  # in which a step comes to its end


class Terminated(SystemExit):
    """A signal ended a run that is checkpointed; the exit status is a shell's for it.

    Arguments:
        number: of the signal, SIGTERM or SIGHUP.
        words: what was kept.
    """

    def __init__(self, number: int = signal.SIGTERM, words: str = "") -> None:
        super().__init__(128 + number)
        self.words = words


class Interrupt:
    """Whether the user, or the system, asked to stop."""

    requested = False
    terminated: int = 0  # the signal that ends the process
    urgent = False  # asked twice: the second time ends a step midway

    def asked(self) -> bool:
        """Whether somebody asked to stop, for those who ask back later."""
        return self.requested or bool(self.terminated)

    def check(self) -> None:
        """Stop here, where everything is whole, if somebody asked to."""
        if self.terminated:
            raise Terminated(self.terminated)
        if self.requested:
            raise KeyboardInterrupt


@contextmanager
def watch(termination: bool = False) -> Generator[Interrupt]:
    """Notes Ctrl-C instead of raising it; the second one raises.

    With `termination` SIGTERM and SIGHUP too are noted, unless they are ignored, as
    nohup asks for, or a user's own handler is there. Python delivers signals to the
    main thread alone; elsewhere it's the end of the process that is noted, as of
    SIGTERM.
    """
    interrupt = Interrupt()

    def interrupted(number: int, frame: FrameType | None) -> None:
        if interrupt.requested:
            interrupt.urgent = True
            interrupt.check()
        interrupt.requested = True

    def ended(number: int, frame: FrameType | None) -> None:
        # A terminal that is closed sends SIGHUP more than once, and nobody waits.
        if interrupt.terminated == number == signal.SIGTERM:
            interrupt.urgent = True
            interrupt.check()
        interrupt.terminated = interrupt.terminated or number

    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN):
                stack.enter_context(handling(signal.SIGINT, interrupted))
            for number in ENDING if termination else ():
                if signal.getsignal(number) is signal.SIG_DFL:
                    stack.enter_context(handling(number, ended))
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
            interrupt.terminated = signal.SIGTERM if self._ended else 0
            self._under_way.add(interrupt)
        try:
            yield
        except Terminated as asked:  # Python says nothing of a SystemExit itself
            raise SystemExit(asked.code) from None
        finally:
            with self._changed:
                self._under_way.discard(interrupt)  # a child has forgotten it
                self._changed.notify_all()

    def end(self) -> None:
        """All of them are told, and have a while to come to their end."""
        with self._changed:
            self._ended = True
            for interrupt in self._under_way:
                interrupt.terminated = signal.SIGTERM
            self._changed.wait_for(lambda: not self._under_way, GRACE_SECONDS)


OTHERS = OtherThreads()
atexit.register(OTHERS.end)
if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=OTHERS.forget)
