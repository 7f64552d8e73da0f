"""Parquet files: whole, damaged, and read in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet
import pytest

from thalweg.errors import DataError, FileError
from thalweg.tables import parquet
from thalweg.tables.batches import read_batches
from thalweg.tables.parquet_pages import is_plainly_whole
from thalweg.tables.read import read

VALUES = b"\x2c\x15\x50\x15"
"""The header of a page that says: 40 values."""
FEWER = b"\x2c\x15\x51\x15"
"""One that says: −41."""


def frame(rows: int = 40) -> pl.DataFrame:
    """Columns of many types."""
    numbers = np.arange(rows)
    return pl.DataFrame(
        {
            "whole": numbers,
            "some": [None if n % 3 else n / 7 for n in range(rows)],
            "text": [f"text {n % 5}" for n in range(rows)],
            "day": [date(2024, 1, 1) + timedelta(n) for n in range(rows)],
            "list": [[n] * (n % 3) for n in range(rows)],
            "pair": [{"a": n, "b": str(n)} for n in range(rows)],
            "nothing": [None] * rows,
        }
    ).with_columns(
        pl.col("text").cast(pl.Categorical).alias("category"),
        pl.col("whole").cast(pl.Decimal(12, 3)).alias("decimal"),
        pl.col("day").cast(pl.Datetime("ms", "Europe/Paris")).alias("moment"),
    )


def written(rows: int = 40, **options: Any) -> bytes:
    file = BytesIO()
    frame(rows).write_parquet(file, **options)
    return file.getvalue()


@pytest.fixture
def in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is read as one is that isn't plainly whole."""
    monkeypatch.setattr(parquet, "is_plainly_whole", lambda _: False)


def test_a_damaged_file_does_not_end_the_process(tmp_path: Path) -> None:
    data = written()
    assert VALUES in data
    path = tmp_path / "damaged.parquet"
    path.write_bytes(data.replace(VALUES, FEWER))
    script = f"""
from thalweg.tables.batches import read_batches
from thalweg.tables.read import read
from thalweg.errors import DataError
for call in (read, lambda path: list(read_batches(path, {{}}))):
    try:
        call({str(path)!r})
    except DataError as error:
        print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert line.startswith("damaged.parquet: must be a Parquet file, but isn't")
        assert "memory allocation of" in line


@pytest.mark.usefixtures("in_a_process")
@pytest.mark.parametrize("packed", [False, True])
def test_another_process_reads_the_same(tmp_path: Path, packed: bool) -> None:
    import gzip

    data = written(70_000)
    path = tmp_path / "data.parquet"
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    table = read(path)
    assert table.frame.schema == frame().schema
    assert table.frame.equals(read(frame(70_000)).frame)
    parts = [part.frame for part in read_batches(path, {})]
    assert len(parts) > 1
    assert pl.concat(parts).equals(table.frame)


@pytest.mark.usefixtures("in_a_process")
@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1\x15" + bytes(99)])
def test_what_is_no_parquet_is_said_by_another_process(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^data\.parquet: must be a Parquet file"):
        read(path)


@pytest.mark.usefixtures("in_a_process")
def test_a_process_that_fails_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.parquet").write_bytes(written())
    wrong = tmp_path / "wrong.py"
    wrong.write_text("raise SystemError('nothing works')")
    monkeypatch.setattr(parquet.parquet_process, "__file__", str(wrong))
    with pytest.raises(FileError, match=r"data\.parquet: .*nothing works"):
        read(tmp_path / "data.parquet")


# Whether a file is plainly whole ------------------------------------------------------


def whole_files() -> Iterator[bytes]:
    """As they are usually written."""
    for compression in ("zstd", "snappy", "gzip", "lz4", "uncompressed"):
        yield written(3000, compression=compression, row_group_size=700)
    yield written(0)
    arrow = frame(3000).to_arrow()
    for version in ("1.0", "2.0"):
        for more in (False, True):
            file = BytesIO()
            pyarrow.parquet.write_table(
                arrow,
                file,
                data_page_version=version,
                data_page_size=2000,
                write_page_checksum=more,
                write_page_index=more,
                use_dictionary=more,
            )
            yield file.getvalue()


@pytest.mark.parametrize("data", [*whole_files()])
def test_whole_files_are(data: bytes) -> None:
    assert is_plainly_whole(BytesIO(data))


@pytest.mark.parametrize("most", ["MOST_FOOTER", "MOST_PAGES", "MOST_HEADER"])
def test_what_takes_long_is_not_plain(
    most: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written()
    monkeypatch.setattr(f"thalweg.tables.parquet_pages.{most}", 7)
    assert not is_plainly_whole(BytesIO(data))


def test_a_file_that_was_cut_is_not() -> None:
    data = written()
    for length in range(0, len(data), 7):
        assert not is_plainly_whole(BytesIO(data[:length]))


def test_bytes_that_are_wrong_are_no_exception() -> None:
    """A byte may be wrong without any harm, but what looks at it never fails."""
    data, found = written(), set[bool]()
    generator = np.random.default_rng(0)
    for at in generator.integers(len(data), size=4000):
        wrong = bytearray(data)
        wrong[at] ^= 1 << int(generator.integers(8))
        found.add(is_plainly_whole(BytesIO(bytes(wrong))))
    assert found == {False, True}
