"""A table's file can be read again, whatever it came through, and packed or not."""

import errno
import gzip
import hashlib
import io
import lzma
import os
import random
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thalweg as tw
from support.table_files import zipped
from thalweg.errors import DataError, FileError
from thalweg.tables import batches, packed
from thalweg.tables.batches import read_batches
from thalweg.tables.dialect import Dialect
from thalweg.tables.packed import zstd_module
from thalweg.tables.read import read
from thalweg.tables.source import file_of
from thalweg.tabular.fingerprints import fingerprint

ROWS = b"".join(b"%d,%s\n" % (i, b"abc"[i % 3 : i % 3 + 1]) for i in range(200))
TABLE = b"n,c\n" + ROWS
TYPES: dict[str, pl.DataType] = {"n": pl.String(), "c": pl.String()}
zstd = zstd_module("")
CHECKED = {zstd.CompressionParameter.checksum_flag: 1}  # as the program zstd does


@contextmanager
def fed(path: Path, content: bytes) -> Generator[Path]:
    """A named pipe into which something else writes, once."""
    os.mkfifo(path)
    writer = Thread(target=path.write_bytes, args=[content])
    writer.start()
    yield path
    writer.join()
    path.unlink()


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def give(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    return give


# Pipes --------------------------------------------------------------------------------


def test_a_pipe_is_read_once_and_is_the_file(tmp_path: Path) -> None:
    """Its cells, its lines, and the SHA-256 of what came through it."""
    content = TABLE.replace(b"7,b", b'7,"b\nc"', 1)
    (tmp_path / "table.csv").write_bytes(content)
    with fed(tmp_path / "pipe.csv", content):
        table = read(tmp_path / "pipe.csv")
    meant = read(tmp_path / "table.csv")
    assert table.frame.equals(meant.frame)
    assert [table.where(row) for row in (6, 7, 8)] == ["line 8", "line 9", "line 11"]
    digest = hashlib.sha256(content).hexdigest()
    assert fingerprint(table) == fingerprint(meant) | {"name": "pipe.csv"}
    assert fingerprint(table)["sha256"] == digest


@pytest.mark.parametrize(
    "content",
    [TABLE, gzip.compress(TABLE), zipped(a=TABLE)],
    ids=["plain", "gzip", "zip"],
)
def test_a_pipe_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(batches, "BLOCK", 100)
    monkeypatch.setattr(batches, "SNIFFED_BYTES", 100)
    (tmp_path / "table.csv").write_bytes(TABLE)
    with fed(tmp_path / "pipe", content):
        parts = list(read_batches(tmp_path / "pipe", TYPES))
    assert len(parts) > 3
    whole = read(tmp_path / "table.csv")
    assert pl.concat([part.frame for part in parts]).equals(whole.frame)


def test_what_is_wrong_in_a_pipe_is_said_with_its_line(tmp_path: Path) -> None:
    latin = pytest.raises(DataError, match=r"^pipe, line 202: must be text in UTF-8")
    with fed(tmp_path / "pipe", TABLE + b"\xe9,a\n") as pipe, latin:
        list(read_batches(pipe, TYPES))
    empty = pytest.raises(DataError, match=r"pipe: .* it is empty")
    with fed(tmp_path / "pipe", b"") as pipe, empty:
        read(pipe)


def test_standard_input(standard_input: Callable[[bytes], None]) -> None:
    standard_input(TABLE)
    table = read("-")
    assert (table.name, table.rows) == ("standard input", 200)
    assert table.place(3, "n") == "standard input, line 5, column 'n'"
    assert fingerprint(table)["sha256"] == hashlib.sha256(TABLE).hexdigest()
    standard_input(b"a,b\n1\n")
    with pytest.raises(DataError, match=r"^standard input, line 2: must have 2 cells"):
        list(read_batches("-", TYPES))


def test_no_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(FileError, match="standard input: can't be read"):
        read("-")


def test_an_open_file_is_read_from_where_it_stands() -> None:
    """As from /dev/stdin, where a shell puts a file or a pipe."""
    with tempfile.TemporaryFile() as file:
        file.write(TABLE)
        file.seek(0)
        path = f"/dev/fd/{file.fileno()}"
        table = read(path)
    assert (table.name, table.rows) == (path, 200)
    assert table.where(1) == "line 3"  # though the file is closed


def test_several_read_what_is_kept_side_by_side(tmp_path: Path) -> None:
    content = random.Random(0).randbytes(3_000_000)
    with fed(tmp_path / "pipe", content) as pipe:
        file = file_of(pipe)
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda size: b"".join(file.chunks(size)), [7_001, 65_536] * 4)
        assert all(each == content for each in found)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, *_: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with (
        fed(tmp_path / "pipe", b"a") as pipe,
        pytest.raises(FileError, match=r"pipe: can't be kept.* No space .* TMPDIR"),
    ):
        read(pipe)


# Packed files -------------------------------------------------------------------------

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "zst": lambda content: zstd.compress(content, options=CHECKED),
    "zip": lambda content: zipped(**{"folder/table.csv": content}),
}


@pytest.mark.parametrize("name", ["table.csv.{}", "table.{}", "lies.csv", "lies.zip"])
@pytest.mark.parametrize("form", PACKED)
def test_what_is_packed_is_the_file(tmp_path: Path, form: str, name: str) -> None:
    """By its content, whatever its name says; its SHA-256 is that of the packed one."""
    path = tmp_path / name.format(form)
    path.write_bytes(PACKED[form](TABLE))
    (tmp_path / "table.csv").write_bytes(TABLE)
    table = read(path)
    assert table.frame.equals(read(tmp_path / "table.csv").frame)
    assert table.where(9) == "line 11"
    assert fingerprint(table)["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


@given(st.binary(max_size=2_000), st.sampled_from([*PACKED]), st.integers(1, 900))
def test_whatever_is_packed_comes_out(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, form: str, size: int
) -> None:
    path = tmp_path_factory.mktemp("packed") / "file"
    path.write_bytes(PACKED[form](content))
    chunks = list(file_of(path).chunks(size))
    assert b"".join(chunks) == content
    assert max(map(len, chunks), default=0) <= size


@given(st.sampled_from([*PACKED]), st.data())
def test_what_is_damaged_is_an_error_or_the_file(
    tmp_path_factory: pytest.TempPathFactory, form: str, data: st.DataObject
) -> None:
    content = bytearray(PACKED[form](TABLE))
    at = data.draw(st.integers(4, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "file"
    path.write_bytes(content)
    with suppress(DataError):
        assert read(path).frame["n"].to_list() == [str(i) for i in range(200)]


def test_a_name_that_says_packed_may_lie(tmp_path: Path) -> None:
    (tmp_path / "table.csv.gz").write_bytes(TABLE)
    assert read(tmp_path / "table.csv.gz").rows == 200


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_what_grows_without_end_is_refused_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", 2_000_000)
    path = tmp_path / "bomb.csv"
    path.write_bytes(pack(b"n,c\n" + b"0,a\n" * 20_000_000))
    assert path.stat().st_size * packed.FREE_RATIO < 80_000_000
    for reading in (read, lambda path: list(read_batches(path, TYPES))):
        tracemalloc.start()
        with pytest.raises(
            DataError, match=r"bomb\.csv: must unpack to at most [\d,]+ "
        ):
            reading(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 60_000_000


def test_a_large_file_that_is_packed_as_tables_are_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", 100)
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(TABLE))
    assert read(tmp_path / "table.csv.gz").rows == 200


def test_members_and_methods_of_archives(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(zipped(**{"a.csv": TABLE, "b.csv": TABLE}))
    with pytest.raises(
        DataError, match=r"must hold one file, but holds 'a.csv', 'b.cs"
    ):
        read(path)
    content = bytearray(zipped(**{"a.csv": TABLE}))
    for at in (6, content.index(b"PK\x01\x02") + 8):
        content[at] |= 1  # encrypted
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=r"must be a whole zip file, but isn't .*encrypt"
    ):
        read(path)


def test_gzip_of_several_parts_and_padding(tmp_path: Path) -> None:
    parts = gzip.compress(b"n,c\n") + gzip.compress(ROWS) + bytes(512)
    (tmp_path / "table.csv.gz").write_bytes(parts)
    assert read(tmp_path / "table.csv.gz").rows == 200


@pytest.mark.parametrize("form", [None, *PACKED])
@pytest.mark.parametrize("piped", [False, True])
def test_parquet_comes_as_it_likes(
    tmp_path: Path, form: str | None, piped: bool
) -> None:
    out = io.BytesIO()
    frame = pl.DataFrame({"n": range(50), "c": ["a", "b"] * 25})
    frame.write_parquet(out)
    content = PACKED[form](out.getvalue()) if form else out.getvalue()
    path = tmp_path / "table"
    if piped:
        with fed(path, content):
            table = read(path)
        with fed(path, content):
            parts = list(read_batches(path, {}))
    else:
        path.write_bytes(content)
        table, parts = read(path), list(read_batches(path, {}))
    assert table.frame.equals(frame)
    assert pl.concat([part.frame for part in parts]).equals(frame)
    assert table.where(4) == "row 5"


# What is no file ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("https://example.org/a.csv", r"^https://example\.org/a\.csv: .* download it"),
        (Path("https://example.org/a.csv"), r"^https://example\.org/a\.csv: .* downlo"),
        ("HTTP://example.org/a.csv", "download it"),
        ("s3://bucket/a.csv", r"^s3://bucket/a\.csv: must be the path .* copy it here"),
        ("gs://bucket/a.csv", "copy it here, and give that file"),
        ("file:///home/a.csv", r"give the path alone, /home/a\.csv"),
        (Path("file:///home/a.csv"), r"give the path alone, /home/a\.csv"),
        ("/dev/zero", "must be a file or a pipe, but is a device"),
        ("/dev", "must be a file, but is a folder"),
        ("C:/a.csv", "there is no such file"),
    ],
)
def test_what_is_no_file_says_what_to_do(source: str | Path, said: str) -> None:
    for reading in (read, lambda source: list(read_batches(source, {}))):
        with pytest.raises(FileError, match=said):
            reading(source)


def test_a_file_may_be_called_like_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s3:").mkdir()
    Path("s3:/a.csv").write_bytes(TABLE)
    assert read("s3:/a.csv").rows == 200


# Models -------------------------------------------------------------------------------


def test_a_model_keeps_the_dialect_and_old_readers_refuse_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes("Tabel é\nn;c\n".encode("cp1252") + ROWS.replace(b",", b".5;"))
    model = tw.train(table, "c", encoding="cp1252", skip_rows=1, epochs=1).model
    model.save(tmp_path / "model.thalweg")
    loaded = tw.load(tmp_path / "model.thalweg")
    assert isinstance(loaded, type(model))
    assert loaded.dialect == model.dialect == Dialect(None, "cp1252", 1)
    assert loaded.predict(table).equals(model.predict(table))
    assert loaded.evaluate(table) == model.evaluate(table)
    assert pl.concat(loaded.predict_batches(table)).equals(model.predict(table))
    plain = tmp_path / "plain.csv"
    plain.write_bytes(b"n,c\n" + ROWS.replace(b",", b".5,"))
    assert loaded.predict(plain, dialect=Dialect()).equals(model.predict(table))
    assert loaded.evaluate(plain, dialect=Dialect()) == model.evaluate(table)
    parts = loaded.predict_batches(plain, dialect=Dialect())
    assert pl.concat(parts).equals(model.predict(table))
    monkeypatch.setattr("thalweg.files.document.KNOWN_FEATURES", frozenset())
    with pytest.raises(tw.ModelFileError, match="needs the feature 'dialect'"):
        tw.load(tmp_path / "model.thalweg")


def test_a_model_without_a_dialect_needs_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.csv").write_bytes(b"n,c\n" + ROWS.replace(b",", b".5,"))
    tw.train(tmp_path / "table.csv", "c", epochs=1).model.save(tmp_path / "a.thalweg")
    known = frozenset({"long lists", "times"})
    monkeypatch.setattr("thalweg.files.document.KNOWN_FEATURES", known)
    assert tw.load(tmp_path / "a.thalweg")


def test_a_table_that_was_read_is_a_table(tmp_path: Path) -> None:
    """So that what comes once is learned from, however often it's needed."""
    (tmp_path / "table.csv").write_bytes(b"n,c\n" + ROWS.replace(b",", b".5,"))
    table = read(tmp_path / "table.csv")
    assert read(table) is table
    assert tw.train(table, "c", epochs=1).test
