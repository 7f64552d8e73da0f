"""Tables read part by part are the tables that `read` reads, in all they say."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_series_equal

import thalweg as tw
from support.table_files import (
    BLANK,
    HEADER,
    ODD,
    PLAIN,
    WRONG,
    joined_lines,
    shuffled,
    table_files,
    with_wrong,
)
from thalweg.errors import DataError, FileError
from thalweg.tables import batches
from thalweg.tables.batches import read_batches
from thalweg.tables.cell_report import Report
from thalweg.tables.csv_text import Layout
from thalweg.tables.flow import one_ahead
from thalweg.tables.forms import USUAL, ColumnKind
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.model import TableModel

Given = TypeVar("Given")
FILES = dict(table_files())
KINDS: dict[str, ColumnKind] = {
    "n": "number",
    "c": "category",
    "b": "boolean",
    "d": "date",
}
TYPES: dict[str, pl.DataType] = {
    "n": pl.Float64(),
    "c": pl.Enum(["red", "blue", "a"]),
    "b": pl.String(),
    "d": pl.String(),
}


@pytest.fixture(params=[40, 200, 2**23])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(batches, "BLOCK", request.param)
    monkeypatch.setattr(batches, "SNIFFED_BYTES", 20)
    return request.param


def written(folder: Path, lines: list[str], name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(joined_lines(lines).encode())
    return path


def meanings(table: Table) -> dict[str, pl.Series]:
    return {
        name: USUAL[kind].understood(table.column(name)) for name, kind in KINDS.items()
    }


def lines_of(table: Table) -> list[str]:
    return [table.where(row) for row in range(table.rows)]


def both(
    path: Path, types: dict[str, pl.DataType]
) -> tuple[Table | str, list[Table] | str]:
    """The table as a whole and in parts, or what the errors say."""
    return (
        said_or_given(lambda: read(path)),
        said_or_given(lambda: list(read_batches(path, types))),
    )


def said_or_given(get: Callable[[], Given]) -> Given | str:
    try:
        return get()
    except DataError as error:
        return str(error)


def assert_same_as_read(path: Path) -> None:
    """Cells, the lines of rows, and errors."""
    whole, parts = both(path, TYPES)
    if isinstance(whole, str) or isinstance(parts, str):
        assert parts == whole
        return
    assert [line for part in parts for line in lines_of(part)] == lines_of(whole)
    for name, meant in meanings(whole).items():
        found = pl.concat([meanings(part)[name] for part in parts])
        assert_series_equal(found, meant, check_names=False, check_exact=True)
        absent = USUAL[KINDS[name]].absent
        nulls = pl.concat([absent(part.column(name)) for part in parts])
        assert nulls.to_list() == absent(whole.column(name)).to_list()
    assert all(part.columns == whole.columns for part in parts)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("more", [[], ODD, BLANK, [*ODD, *BLANK]], ids=str)
def test_parts_are_the_table(
    tmp_path: Path, block: int, more: list[str], seed: int
) -> None:
    assert_same_as_read(written(tmp_path, shuffled(more, seed)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_errors_name_the_same_line(
    tmp_path: Path, block: int, wrong: str, seed: int
) -> None:
    assert_same_as_read(written(tmp_path, with_wrong(wrong, seed)))


@given(st.lists(st.lists(st.sampled_from('ab1.,"\n\r -?'), max_size=9).map("".join)))
def test_whatever_a_file_holds(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "data.csv"
    path.write_bytes(("n,c\n" + "\n".join(lines)).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BLOCK", 16)
        patch.setattr(batches, "SNIFFED_BYTES", 3)
        whole, parts = both(path, {"n": pl.Float64(), "c": pl.Enum(["a", "ab"])})
    if isinstance(whole, str) or isinstance(parts, str):
        assert parts == whole
        return
    kinds: dict[str, ColumnKind] = {"n": "number", "c": "category"}
    for name, kind in kinds.items():
        cells = [USUAL[kind].understood(part.column(name)).to_list() for part in parts]
        meant = USUAL[kind].understood(whole.column(name)).to_list()
        assert [cell for each in cells for cell in each] == meant
    assert [line for part in parts for line in lines_of(part)] == lines_of(whole)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_in_parts_as_it_is_at_once(
    tmp_path: Path, block: int, name: str
) -> None:
    """However it is written or packed."""
    file = FILES[name]
    path = file.written(tmp_path)
    whole = said_or_given(lambda: read(path, file.dialect))
    columns = whole.columns if isinstance(whole, Table) else []
    types = dict.fromkeys(columns, pl.String())
    parts = said_or_given(lambda: list(read_batches(path, types, file.dialect)))
    if isinstance(whole, str) or isinstance(parts, str):
        assert parts == whole
        return
    assert pl.concat([part.frame for part in parts]).equals(whole.frame)
    assert [line for part in parts for line in lines_of(part)] == lines_of(whole)


@pytest.mark.parametrize("blank", ["", "\n", "\n\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_lines_are_counted_where_some_are_blank(
    tmp_path: Path, block: int, blank: str, end: str
) -> None:
    rows = "\n".join(PLAIN)
    for between in ("", f"\n{rows}\n"):
        path = tmp_path / "data.csv"
        path.write_text(f"{HEADER}{between}\n{blank}{rows}{end}")
        assert_same_as_read(path)


def test_missing_numbers_are_learned_as_they_are_met() -> None:
    blocks = [b"1,NA\n2,b\n", b"NA,?\n3,NA\n", b"4,null\n?,?\nx,NA\n", b"NA,?\n5,c\n"]
    types = {"n": pl.Float64(), "c": pl.String()}
    layout = Layout("data.csv", ",", None, (1, ["n", "c"]), ["n", "c"], 0, 1)
    reader = batches.Reader(layout, types)
    parts = list(reader.tables(iter(blocks), 1))
    assert reader.null_values == ("NA", "?")
    assert [part.column("n").dtype == pl.Float64 for part in parts] == [1, 1, 0, 1]
    cells = [USUAL["number"].understood(part.column("n")).to_list() for part in parts]
    assert cells == [[1, 2], [None, 3], [4, None, None], [None, 5]]
    texts = [USUAL["category"].understood(part.column("c")).to_list() for part in parts]
    assert texts == [[None, "b"], [None, None], [None, None, None], [None, "c"]]


def test_numbers_whose_sum_overflows(tmp_path: Path, block: int) -> None:
    lines = ["1e308,a,yes,,"] * 30 + ["inf,a,yes,,", "-inf,a,no,,", "nan,a,no,,"]
    assert_same_as_read(written(tmp_path, lines))
    assert_same_as_read(written(tmp_path, lines[:30]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_encodings(tmp_path: Path, block: int, encoding: str) -> None:
    text = "\n".join([HEADER, *(PLAIN + ODD) * 5])
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (tmp_path / "data.csv").write_bytes(mark + text.encode(encoding))
    assert_same_as_read(tmp_path / "data.csv")


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends(tmp_path: Path, block: int, ends: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(ends.join([HEADER, *PLAIN * 9, ""]).encode())
    assert_same_as_read(path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n\n", b"n,c,b,d\n", b"n,c,c\n1,2,3\n", b"n,,c\n1,2,3\n", b"n\n"),
        *(b"n,c\n1,\xff\n", b"n,c\n" + b"1,a\n" * 99 + b"\xe9,2\n", b"\xff\xfen\x00,"),
    ],
)
def test_files_that_hold_no_table(tmp_path: Path, block: int, content: bytes) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DataError) as meant:
        read(tmp_path / "data.csv")
    with pytest.raises(DataError) as found:
        list(read_batches(tmp_path / "data.csv", TYPES))
    assert str(found.value) == str(meant.value)


@pytest.mark.parametrize("content", ["n\n1\n\n2\nx\n", "n\n" + "1\n" * 50])
def test_one_column(tmp_path: Path, block: int, content: str) -> None:
    (tmp_path / "data.csv").write_text(content)
    parts = read_batches(tmp_path / "data.csv", {"n": pl.Float64()})
    found = [cell for part in parts for cell in part.column("n")]
    meant = read(tmp_path / "data.csv").column("n").to_list()
    assert [str(cell) for cell in found] == [str(cell) for cell in meant]


@pytest.mark.parametrize("name", ["nothing.csv", "folder"])
def test_what_is_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError) as meant:
        read(tmp_path / name)
    with pytest.raises(FileError) as found:
        list(read_batches(tmp_path / name, TYPES))
    assert str(found.value) == str(meant.value)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"1,a\n2,b\n", b"1,a\n2,b\n"),
        (b'1,"a"\n2,"b\n', b'1,"a"\n'),
        (b'1,"a\nb"\n2,"c\nd\n', b'1,"a\nb"\n'),
        (b'1,"a\n', b""),
        (b'"x","y"\n"z","a\n""b\n', b'"x","y"\n'),
    ],
)
def test_a_block_ends_where_a_record_does(data: bytes, whole: bytes) -> None:
    assert data[: batches.end_of_records(data)] == whole


# Parquet and frames -------------------------------------------------------------------


def test_parquet_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 7)
    frame = pl.DataFrame({" n ": range(50), "c": ["a ", "?"] * 25})
    frame.write_parquet(tmp_path / "data.parquet", row_group_size=20)
    parts = list(read_batches(tmp_path / "data.parquet", {"n": pl.Float64()}))
    whole = read(tmp_path / "data.parquet")
    assert max(part.rows for part in parts) == 7
    assert pl.concat([part.frame for part in parts]).equals(whole.frame)
    assert [line for part in parts for line in lines_of(part)] == lines_of(whole)


def test_parquet_that_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pl.DataFrame({"n": range(50)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"data\.parquet: must be a Parquet file"):
        list(read_batches(path, TYPES))


def test_frames_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_ROWS", 3)
    parts = list(read_batches(pl.DataFrame({"n": range(8)}), {"n": pl.Float64()}))
    assert [part.rows for part in parts] == [3, 3, 2]
    assert [part.where(0) for part in parts] == ["row 1", "row 4", "row 7"]


# Predictions --------------------------------------------------------------------------


def made(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(rows)
    n = draw.normal(size=rows)
    frame = pl.DataFrame(
        {
            "n": [None if draw.random() < 0.1 else float(x) for x in n],
            "c": draw.choice(["red", "green", "blue"], rows),
            "b": draw.choice(["yes", "no"], rows),
            "d": [f"2020-{m:02}-{d:02}" for m, d in draw.integers(1, 13, (rows, 2))],
        }
    )
    return frame.with_columns(y=pl.Series(np.where(n > 0, "up", "down")))


@pytest.fixture(scope="module")
def model() -> TableModel:
    return tw.train(made(400), "y", layers=(16, 8), epochs=3).model


@pytest.mark.parametrize("most", [1, 37, 1000])
@pytest.mark.parametrize("at_a_time", [1, 50, 2**14])
def test_predictions_are_the_same_to_the_bit(
    model: TableModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    at_a_time: int,
) -> None:
    monkeypatch.setattr("thalweg.kinds.scores.MOST_ROWS", at_a_time)
    made(2_001 if most > 1 else 90).write_csv(tmp_path / "data.csv")
    meant, report = model.predict_with_report(tmp_path / "data.csv")
    monkeypatch.setattr(batches, "MOST_ROWS", most)
    monkeypatch.setattr(batches, "BLOCK", 5_000)
    reports: list[Report] = []
    parts = model.predict_batches(tmp_path / "data.csv", tell=reports.append)
    assert pl.concat(parts).equals(meant)
    assert len(reports) > 3
    assert joined(reports) == report


def test_reports_on_parts_say_what_one_on_all_says(
    model: TableModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = (["1", "x", "inf"], ["red", "pink", ""], ["yes", "maybe", "no"])
    draw = random.Random(0)
    rows = [
        ",".join([*(draw.choice(each) for each in cells), "2020-01-01", "new"])
        for _ in range(300)
    ]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["n,c,b,d,extra", *rows]))
    with pytest.raises(DataError, match=r"column 'n': must hold a number in each cell"):
        model.predict(path)
    meant, report = model.predict_with_report(path, lenient=True)
    monkeypatch.setattr(batches, "BLOCK", 500)
    reports: list[Report] = []
    parts = list(model.predict_batches(path, tell=reports.append, lenient=True))
    assert pl.concat(parts).equals(meant, null_equal=True)
    found = joined(reports)
    assert found == report
    assert len(found.lines()) >= 4
    with pytest.raises(DataError) as caught:
        list(model.predict_batches(path))
    with pytest.raises(DataError) as whole:
        model.predict(path)
    assert str(caught.value) == str(whole.value)


def joined(reports: list[Report]) -> Report:
    first, *others = reports
    for other in others:
        first = first.joined(other)
    return first


def test_a_missing_column_is_named(model: TableModel, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("n,c\n1,red\n")
    with pytest.raises(DataError, match=r"data\.csv: there must be a column 'b'"):
        list(model.predict_batches(tmp_path / "data.csv"))


def test_one_item_is_made_ahead_and_errors_come_in_their_place() -> None:
    made: list[int] = []

    def items() -> Iterator[Any]:
        for number in range(3):
            made.append(number)
            yield number
        raise ValueError("after three")

    found = one_ahead(items())
    assert next(found) == 0
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(ValueError, match="after three"):
        next(found)
    assert made == [0, 1, 2]
