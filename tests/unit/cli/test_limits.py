"""What a limit of memory makes fail is said to be that."""

import pytest

from thalweg.cli import failures
from thalweg.cli.failures import BAD_INPUT, OWN_MISTAKE, described


def test_too_little_memory_says_for_what() -> None:
    assert described(MemoryError()) == ("there isn't enough memory", BAD_INPUT)
    message, status = described(MemoryError("reading a.csv takes up to 9 MiB"))
    assert message == "there isn't enough memory: reading a.csv takes up to 9 MiB"
    assert status == BAD_INPUT


@pytest.mark.parametrize(
    "error",
    [
        ImportError("scipy.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
)
def test_what_cannot_be_loaded_is_no_mistake_where_memory_is_limited(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "is_limited", lambda: False)
    assert described(error)[1] == BAD_INPUT
    monkeypatch.setattr(failures, "is_limited", lambda: True)
    message, status = described(error)
    assert message == f"there isn't enough memory: {error}"
    assert status == BAD_INPUT


def test_other_mistakes_are_mistakes_where_memory_is_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(failures, "is_limited", lambda: True)
    assert described(RuntimeError("a mistake"))[1] == OWN_MISTAKE
