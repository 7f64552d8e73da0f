import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from thalweg.interrupts import Terminated, watch


@pytest.fixture(autouse=True)
def handler() -> Iterator[Any]:
    before = signal.getsignal(signal.SIGINT)
    yield before
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_ctrl_c_is_noted_and_the_second_raises(handler: Any) -> None:
    with watch() as interrupt:
        interrupt.check()
        press()
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            press()
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_terminal_that_is_closed_may_say_so_more_than_once() -> None:
    """A second SIGTERM means that there is no time; a second SIGHUP means nothing."""
    with watch(termination=True) as interrupt:
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert (interrupt.terminated, interrupt.urgent) == (signal.SIGHUP, False)
        with pytest.raises(Terminated) as ended:
            interrupt.check()
    assert ended.value.code == 129
    with watch(termination=True) as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Terminated):
            os.kill(os.getpid(), signal.SIGTERM)
    assert interrupt.urgent


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_handler_comes_back_after_an_error(
    handler: Any, error: type[BaseException]
) -> None:
    with pytest.raises(error), watch():
        raise error
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_persons_own_handler_comes_back() -> None:
    def mine(*_: Any) -> None: ...

    signal.signal(signal.SIGINT, mine)
    with watch():
        assert signal.getsignal(signal.SIGINT) is not mine
    assert signal.getsignal(signal.SIGINT) is mine


def test_an_ignored_ctrl_c_stays_ignored() -> None:
    """As in a process that was started in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with watch() as interrupt:
        press()
        assert not interrupt.requested
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_other_threads_watch_nothing(handler: Any) -> None:
    seen: list[Any] = []

    def run() -> None:
        with watch() as interrupt:
            seen.extend([signal.getsignal(signal.SIGINT), interrupt.requested])

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [handler, False]


def test_one_watch_inside_another(handler: Any) -> None:
    """A callback that trains a second network."""
    with watch() as outer:
        with watch() as inner:
            press()
        assert inner.requested
        assert not outer.requested
        press()
        assert outer.requested
    assert signal.getsignal(signal.SIGINT) is handler
