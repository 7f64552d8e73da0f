"""Room that is asked for before libraries that end the process need it."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import thalweg as tw
from thalweg.tables import room
from thalweg.tables.flow import one_ahead
from thalweg.tables.read import read
from thalweg.tabular import libraries, worked


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes that were asked for, as if memory were limited."""
    asked: list[int] = []

    def can_be_had(size: int) -> bool:
        asked.append(size - room.SPARE)
        return size < 2**40

    for each in (room, libraries):
        monkeypatch.setattr(each, "is_limited", lambda: True)
    monkeypatch.setattr(room, "_can_be_had", can_be_had)
    return asked


@pytest.mark.usefixtures("asked")
def test_an_error_says_what_takes_how_much() -> None:
    with pytest.raises(MemoryError, match=r"^reading a\.csv takes up to 1,048,640 MiB"):
        room.require_room(2**40, "reading a.csv")


def test_what_no_machine_has_cannot_be_had() -> None:
    assert room._can_be_had(2**20)
    assert not room._can_be_had(2**60)


def test_reading_asks_for_what_goes_with_cells(
    asked: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text("a;b\n" + "1;2\n" * 1000)
    read(path)
    reading, work = asked
    assert reading >= 4 * 4000
    assert work >= 2 * 1000 * 16
    path.write_text("a;b\n" + "1;2\n" * 2000)
    read(path)
    assert asked[2] == pytest.approx(2 * reading, rel=0.01)


def test_all_is_loaded_once(asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    works: list[int] = []

    def work_once() -> None:
        libraries.load_libraries()  # which the calls within it do
        works.append(1)

    monkeypatch.setattr(libraries, "_work_once", work_once)
    monkeypatch.setattr(libraries, "_share_arenas", lambda: None)
    monkeypatch.setattr(worked, "have_worked", [])
    libraries.load_libraries()
    libraries.load_libraries()
    assert works == [1]
    assert len(asked) == 1


def test_what_failed_is_loaded_again(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(libraries, "_work_once", fail)
    monkeypatch.setattr(libraries, "_share_arenas", lambda: None)
    monkeypatch.setattr(worked, "have_worked", [])
    for _ in range(2):
        with pytest.raises(MemoryError):
            libraries.load_libraries()
    assert len(asked) == 2


def test_what_has_worked_before_a_limit_was_set_is_not_loaded_again(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libraries, "_work_once", lambda: pytest.fail("it has worked"))
    monkeypatch.setattr(libraries, "_share_arenas", lambda: None)
    monkeypatch.setattr(worked, "have_worked", [])
    with monkeypatch.context() as unlimited:
        unlimited.setattr(libraries, "is_limited", lambda: False)
        tw.train(
            pl.DataFrame(
                {"a": [n % 7 for n in range(40)], "b": [n % 5 for n in range(40)]}
            ),
            "b",
            epochs=1,
        )
    asked.clear()
    libraries.load_libraries()
    assert asked == []


def test_what_loads_all_gives_no_warning() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        libraries._work_once()
    assert caught == []


def test_without_room_for_a_thread_items_are_made_by_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def submit(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit)
    assert list(one_ahead(iter("abc"))) == ["a", "b", "c"]


def test_frames_count_where_their_texts_are() -> None:
    from thalweg.tables.table import size_of

    assert size_of(pl.DataFrame({"a": ["x"] * 100})) >= 1600
