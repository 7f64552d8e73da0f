"""Helpers in support/ say what differs, as the tests themselves do."""

import signal

import pytest

from thalweg.model.programs import LASTING

pytest.register_assert_rewrite("support")


def pytest_configure() -> None:
    """Ctrl-C is tested, also where a shell runs the tests in the background.

    Such a shell has its processes ignore SIGINT, and theirs inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nothing_compiled() -> None:
    """A test may change how programs are made, so that none is left from another."""
    LASTING.clear()
