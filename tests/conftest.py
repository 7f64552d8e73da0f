"""What tests find around them, whatever the shell and the tests before."""

import signal

import pytest

from thalweg.model.programs import LASTING


def pytest_configure() -> None:
    """Ctrl-C and a closed terminal are tested, also in the background or under nohup.

    There processes ignore SIGINT or SIGHUP, and theirs inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _nothing_compiled() -> None:
    """A test may change how programs are made, so that none is left from another."""
    LASTING.clear()
