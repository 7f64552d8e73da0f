"""Items made ahead by another thread."""

import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Event, Thread

import pytest

from thalweg.tables.flow import one_ahead


def test_each_is_given_once_in_order() -> None:
    assert list(one_ahead(one_ahead(iter(range(1, 99))))) == list(range(1, 99))
    nothing: Iterator[int] = iter(())
    assert list(one_ahead(nothing)) == []


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    found = one_ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match="no more"):
        next(found)


def test_one_that_is_left_unfinished_waits_for_nothing() -> None:
    """The garbage collector may end it anywhere, where waiting would be forever."""
    goes_on = Event()

    def items() -> Iterator[int]:
        yield 1
        goes_on.wait()
        yield 2

    found = one_ahead(items())
    assert next(found) == 1
    ending = Thread(target=found.close, daemon=True)  # pyright: ignore
    ending.start()
    ending.join(10)
    waits = ending.is_alive()
    goes_on.set()
    assert not waits


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_that_goes_on_gets_an_error() -> None:
    """The thread that makes the next item stayed with the parent."""
    script = """
import os, signal
from thalweg.tables.flow import one_ahead
from thalweg.errors import ThalwegError

found = one_ahead(iter("abcdef"))
next(found)
if (child := os.fork()) == 0:
    signal.alarm(60)
    try:
        next(found)
    except ThalwegError as error:
        os._exit(0 if "forked" in str(error) else 3)
    os._exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), *found)
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["0", *"bcdef"]
