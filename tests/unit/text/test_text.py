"""A file becomes numbers, and numbers become rows without a copy."""

from __future__ import annotations

import gzip
import lzma
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thalweg as tw
from thalweg.errors import ArgumentError, DataError, FileError
from thalweg.tables import packed
from thalweg.text import Text, is_text

BOMB = 2**20
VERSE = "So long as men can breathe, or eyes can see,\nSo long lives this.\n"


def test_a_file_is_read_packed_or_not(tmp_path: Path) -> None:
    data = VERSE.encode()
    (tmp_path / "t.txt").write_bytes(data)
    (tmp_path / "t.txt.gz").write_bytes(gzip.compress(data))
    (tmp_path / "t.txt.xz").write_bytes(lzma.compress(data))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.txt", data)
    for path in tmp_path.iterdir():
        text = tw.Text.read(path)
        assert (str(text), text.name) == (VERSE, path.name)
        assert text.numbers.dtype == np.uint8
        assert Text.read(path, unit="bytes").numbers.tobytes() == data


def test_characters_beyond_those_allowed_are_one(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("aabbc")
    text = Text.read(tmp_path / "t.txt", characters=2)
    assert (str(text), text.unknown) == ("aabb�", 1)


def test_a_million_different_characters(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    path.write_bytes("".join(map(chr, codes)).encode())
    text = Text.read(path)
    assert text.vocabulary.size == 4097
    assert text.unknown > 10**6
    with pytest.raises(ArgumentError, match="characters must be"):
        Text.read(path, characters=10**6)


def test_a_long_line_takes_little_more_than_its_numbers(tmp_path: Path) -> None:
    path, size = tmp_path / "t.txt", 2**22
    path.write_bytes(b"ab" * (size // 2))
    tracemalloc.start()
    try:
        text = Text.read(path)
        X, y = text.next_characters(1000, step=1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text) == size
    assert X.shape == y.shape == (size - 1000, 1000)
    assert most < 5 * size + 2**25  # a byte and an int32 a character, and chunks


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"ab\xff", "byte at place 2 is 0xff"),
        (gzip.compress(b"abc")[:-9], "must be a whole gzip file"),
        (gzip.compress(bytes(BOMB)), "must unpack to at most"),
    ],
    ids=["empty", "mark", "invalid", "cut", "bomb"],
)
def test_what_is_no_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str
) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", BOMB // 2)
    (tmp_path / "t.txt").write_bytes(data)
    with pytest.raises(DataError, match=f"t.txt: .*{said}"):
        Text.read(tmp_path / "t.txt")


def test_a_missing_file_and_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        Text.read(tmp_path / "t.txt")
    with pytest.raises(ArgumentError, match="there is no unit 'byte': did you mean"):
        Text.read(tmp_path / "t.txt", unit="byte")


@pytest.mark.parametrize("name", ["a.txt", "a.TXT", "a.md.gz", "b/a.text", "a.rst.zip"])
def test_a_text_is_known_by_its_name(name: str) -> None:
    assert is_text(name)
    assert not is_text(f"{name}.csv")


# Rows ---------------------------------------------------------------------------------


@given(st.text("abc", min_size=2), st.integers(1, 5), st.integers(1, 5))
def test_rows_say_what_comes_next(letters: str, length: int, step: int) -> None:
    text = Text.of(letters)
    if len(text) <= length:
        with pytest.raises(DataError, match=f"got {len(text)}"):
            text.next_characters(length, step)
        return
    X, y = text.next_characters(length, step)
    starts = range(0, len(text) - length, step)
    n = text.numbers.tolist()
    assert X.tolist() == [n[s : s + length] for s in starts]
    assert y.tolist() == [n[s + 1 : s + length + 1] for s in starts]


def test_rows_are_views() -> None:
    text = Text.of(VERSE * 3)
    X, y = text.next_characters(16, step=1)
    assert np.shares_memory(X, text.numbers)
    assert (X.dtype, y.dtype) == (np.uint8, np.int32)
    assert (X.strides, y.strides) == ((1, 1), (4, 4))


def test_many_characters_become_numbers_that_a_network_takes() -> None:
    X, y = Text.of("".join(map(chr, range(300)))).next_characters(8)
    assert (X.dtype, y.dtype) == (np.float32, np.int32)
    assert X[30].tolist() == list(range(241, 249))


# Parts --------------------------------------------------------------------------------


@given(st.text("abcd", min_size=10), st.floats(0, 0.4), st.floats(0, 0.4))
def test_parts_are_the_text_in_its_order(letters: str, v: float, t: float) -> None:
    try:
        parts = Text.of(letters).split(v, t)
    except DataError:
        assert min(share * len(letters) for share in (v, t) if share) <= 0.5
        return
    three = (parts.training, parts.validation, parts.test)
    assert sum(map(len, three)) == len(letters)
    start = len(parts.training)
    assert str(parts.training) == letters[:start]
    known = set(letters[:start])
    rest = "".join(each if each in known else "�" for each in letters[start:])
    assert str(parts.validation) + str(parts.test) == rest
    assert len({id(each.vocabulary) for each in three}) == 1


@pytest.mark.parametrize("shares", [(1, 0.1), (-0.1, 0.1), (0.5, 0.5), ("a", 0.1)])
def test_shares_must_leave_something(shares: tuple[float, float]) -> None:
    with pytest.raises(ArgumentError):
        Text.of(VERSE).split(*shares)
