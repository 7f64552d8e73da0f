"""Files that broke a reader once: found by scripts/fuzz_tables.py."""

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import DataError
from thalweg.tables import batches
from thalweg.tables.batches import read_batches
from thalweg.tables.read import read

NUMBERS = {"n": pl.Float64()}


def in_parts(path: Path, types: Mapping[str, pl.DataType]) -> list[tuple[Any, ...]]:
    return [row for part in read_batches(path, types) for row in part.frame.rows()]


@pytest.mark.parametrize(
    ("dtype", "cell"),
    [
        (pl.Datetime("ms"), 2**62),
        (pl.Datetime("ms"), -(2**62)),
        (pl.Datetime("us"), 2**63 - 1),
        (pl.Datetime("ms", "Europe/Paris"), 2**62),
        (pl.Datetime("us"), 253_402_300_800_000_000),
        (pl.Date(), 2**31 - 1),
        (pl.Date(), -719_163),
    ],
    ids=str,
)
def test_dates_that_polars_cannot_compute_with_are_refused(
    tmp_path: Path, dtype: Any, cell: int
) -> None:
    path = tmp_path / "odd.parquet"
    days = pl.Series("day", [0, None, cell, 0], pl.Int64)
    physical = pl.Int32 if dtype == pl.Date else pl.Int64
    pl.DataFrame([days.cast(physical).cast(dtype)]).write_parquet(path)
    must = r"^odd\.parquet, row 3, column 'day': a date must be in the years 1 to 9999"
    with pytest.raises(DataError, match=must):
        read(path)
    with pytest.raises(DataError, match=must):
        in_parts(path, {"day": pl.String()})


def test_the_first_and_the_last_day_of_four_digits_are_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    days = [datetime.date(1, 1, 1), datetime.date(9999, 12, 31), None]
    frame = pl.DataFrame({"day": days}).with_columns(
        us=pl.col("day").cast(pl.Datetime("us")), ms=pl.col("day").cast(pl.Datetime)
    )
    frame.write_parquet(path)
    assert read(path).frame.equals(frame)


def test_a_byte_order_mark_in_the_middle_is_a_character(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a block of the file starts with it."""
    path = tmp_path / "odd.csv"
    path.write_text("n,c\n1,a\n\ufeff2,b\n3,c\n", encoding="utf-8")
    monkeypatch.setattr(batches, "BLOCK", 8)
    monkeypatch.setattr(batches, "SNIFFED_BYTES", 3)
    assert read(path).column("n").to_list() == ["1", "\ufeff2", "3"]
    cells = [row[0] for row in in_parts(path, NUMBERS)]
    assert cells == [1.0, "\ufeff2", 3.0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_zero_byte_is_refused_in_every_encoding(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("n,c\n1,a\n2,\0\n", encoding=encoding)
    for reading in (read, lambda path: in_parts(path, NUMBERS)):
        with pytest.raises(DataError, match=r"line 3: .* zero byte"):
            reading(path)


def test_a_first_column_without_a_name_has_none_in_parts_either(
    tmp_path: Path,
) -> None:
    path = tmp_path / "odd.csv"
    path.write_text(",n\n0,1\n1,2\n", encoding="utf-8")
    assert read(path).columns == ["", "n"]
    assert [part.columns for part in read_batches(path, NUMBERS)] == [["", "n"]]


@pytest.mark.parametrize("before", ["\n", "\r\n", " \n\n", "\u00a0\n"])
def test_blank_lines_may_come_before_a_header_whose_lines_end_otherwise(
    tmp_path: Path, before: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(f"{before}n,c\r1,a\r2,b".encode())
    table = read(path)
    assert table.frame.rows() == [("1", "a"), ("2", "b")]
    (part,) = read_batches(path, {"n": pl.Float64(), "c": pl.String()})
    assert part.frame["n"].cast(pl.Float64).to_list() == [1.0, 2.0]
    assert [part.where(row) for row in (0, 1)] == [table.where(row) for row in (0, 1)]


def test_the_separator_is_told_from_as_much_as_read_sees(tmp_path: Path) -> None:
    """Though the first block of lines that end with a newline is the header alone."""
    path = tmp_path / "odd.csv"
    path.write_bytes(b"a;b,c,d\n1;2\r3;4\r5;6\r")
    whole = read(path)
    assert whole.columns == ["a", "b,c,d"]
    (part,) = read_batches(path, {})
    assert part.columns == whole.columns


def test_lines_are_right_where_a_cell_has_two_and_the_last_has_no_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(b'n,c\n1,"a\nb"\n2,c\n3,d')
    table = read(path)
    (part,) = read_batches(path, {"n": pl.Float64(), "c": pl.String()})
    assert [part.where(row) for row in range(3)] == ["line 2", "line 4", "line 5"]
    assert [table.where(row) for row in range(3)] == ["line 2", "line 4", "line 5"]


def test_columns_whose_names_polars_takes_for_patterns(tmp_path: Path) -> None:
    names = ("^n.*$", "^c$", "^d.$", "^y|n$")
    days = ["", *(f"2020-01-{day:02}" for day in range(1, 29))]
    rows = [
        f"{n % 40 * 1.5}, {'abc'[n % 3]},{days[n % 29]},{'uv'[n % 2]}"
        for n in range(90)
    ]
    path = tmp_path / "odd.csv"
    path.write_text("\n".join([",".join(names), *rows]))
    result = tw.train(path, names[-1], epochs=2)
    meant, report = result.model.predict_with_report(path)
    assert [column.name for column in report.columns] == list(names[:-1])
    assert pl.concat(result.model.predict_batches(path)).equals(meant)
    assert result.model.predict(pl.read_csv(path)).equals(meant)
    tw.export(result.model, tmp_path / "odd.py")
    tw.write_report(result.model, tmp_path / "odd.html", data=path)
    path.write_text(path.read_text().replace("\n1.5,", "\nseven,", 1))
    with pytest.raises(DataError, match=r"line 3, column '\^n\.\*\$': must be a num"):
        tw.train(path, names[-1])
