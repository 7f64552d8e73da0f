import csv
import io
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.table_files import REFUSED
from thalweg.errors import ArgumentError, DataError, FileError, ThalwegError
from thalweg.tables.csv_text import Layout, sniff_separator
from thalweg.tables.dialect import Dialect
from thalweg.tables.read import read
from thalweg.tables.table import Table


def written(folder: Path, content: bytes | str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_cells_are_stripped_text_and_missing_ones_null(tmp_path: Path) -> None:
    table = read(written(tmp_path, "a, b \n 1,NA\n ,x \n\n"))
    assert table.columns == ["a", "b"]
    assert table.frame.rows() == [("1", "NA"), (None, "x")]
    assert table.name == "data.csv"


def test_a_file_is_gone_through_seldom_for_the_lines_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = "".join(f'{i},"b\nc"\n' for i in range(300))
    table = read(written(tmp_path, "# title\na,b\n" + cells), Dialect(comment="#"))
    opened: list[str] = []
    of = Layout.of

    def counting(data: bytes, name: str, dialect: Dialect) -> Layout:
        opened.append(name)
        return of(data, name, dialect)

    monkeypatch.setattr(Layout, "of", counting)
    asked = [7, *range(0, 300, 3), 7]
    wanted = [f"line {3 + 2 * row}" for row in asked]
    assert [table.where(row) for row in asked] == wanted
    assert len(opened) <= 7  # each goes on to twice as many rows


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found_though_others_stand_in_cells(
    tmp_path: Path, separator: str
) -> None:
    other = ";" if separator == "," else ","
    lines = [separator.join(cells) for cells in (["a", "b", "c"], [f"1{other}5"] * 3)]
    table = read(written(tmp_path, "\n".join(lines)))
    assert table.columns == ["a", "b", "c"]
    assert table.frame.rows() == [(f"1{other}5",) * 3]


def test_separator_inside_quotes_does_not_count() -> None:
    assert sniff_separator(b'"a,b,c";d\n"x,y,z";1\n') == ";"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_understood(tmp_path: Path, encoding: str) -> None:
    table = read(written(tmp_path, "größe,b\né,1\n".encode(encoding)))
    assert table.columns == ["größe", "b"]
    assert table.frame.rows() == [("é", "1")]


def test_a_separator_tab_in_txt_and_line_ends_of_windows(tmp_path: Path) -> None:
    table = read(written(tmp_path, "a\tb\r\n1\t2\r\n\r\n3\t4\r\n", "data.txt"))
    assert table.frame.rows() == [("1", "2"), ("3", "4")]
    assert table.where(1) == "line 4"


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_content_errors_name_file_and_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content))
    assert message in str(caught.value)
    assert str(caught.value).startswith("data.csv")


def test_missing_file_suggests_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, "a,b\n1,2\n", "penguins.csv")
    with pytest.raises(FileError, match=r"no such file: did you mean 'penguins\.csv'"):
        read(tmp_path / "pengins.csv")


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nor a folder"):
        read(tmp_path / "nowhere" / "penguins.csv")


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_a_folder_and_impossible_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError):
        read(str(tmp_path / name))


def test_parquet_keeps_types(tmp_path: Path) -> None:
    frame = pl.DataFrame({" a ": [1, 2], "b": ["x", " "]})
    frame.write_parquet(tmp_path / "data.parquet")
    table = read(tmp_path / "data.parquet")
    assert table.frame.schema == {"a": pl.Int64, "b": pl.String}
    assert table.frame["b"].to_list() == ["x", None]
    assert table.where(1) == "row 2"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + bytes(99)])
def test_what_is_no_parquet_is_said(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="must be a Parquet file"):
        read(written(tmp_path, content, "data.parquet"))


COLUMNS = {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).lazy(),
        pd.DataFrame(COLUMNS),
        pa.table(COLUMNS),
    ],
    ids=["polars", "lazy", "pandas", "pyarrow"],
)
def test_frames_are_tables(frame: object) -> None:
    assert read(frame).frame.rows() == [(1, "x"), (2, "y")]


def test_nan_in_a_frame_is_missing() -> None:
    table = read(pd.DataFrame({"a": [1.5, float("nan")]}))
    assert table.frame["a"].to_list() == [1.5, None]


def test_a_pandas_column_of_mixed_objects_is_named() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": pd.Series([1, "x"], dtype=object)})
    with pytest.raises(DataError, match="column 'b': must hold cells of one type"):
        read(frame)


def test_pandas_columns_that_share_a_name_are_named() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(DataError, match="'a' is the name of columns 1 and 2"):
        read(frame)


@pytest.mark.parametrize("source", [None, 3, [1, 2], {"a": [1]}])
def test_neither_path_nor_frame(source: object) -> None:
    with pytest.raises(ArgumentError, match="a table must be the path of a file"):
        read(source)


def test_a_frame_without_columns_or_rows() -> None:
    with pytest.raises(DataError, match="it is empty"):
        read(pl.DataFrame())
    with pytest.raises(DataError, match="at least one row"):
        read(pl.DataFrame({"a": []}))


cells = st.text(st.sampled_from('ab",;\n \r1é'), max_size=5)


@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.tuples(*[cells] * n), min_size=1))
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    """Whatever cells hold: separators, quotes, line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    header = [f"column {i}" for i in range(len(rows[0]))]
    writer.writerows([header, *rows])
    path = written(tmp_path_factory.mktemp("written"), out.getvalue())
    table = read(path)
    assert table.columns == header
    stripped = [tuple(cell.strip() or None for cell in row) for row in rows]
    assert table.frame.rows() == stripped


texts = st.text(st.sampled_from('ab"",,,;\n\n\r 1'), max_size=30)


@given(texts, st.booleans())
def test_polars_is_believed_only_where_the_plain_parser_agrees(
    tmp_path_factory: pytest.TempPathFactory, text: str, header: bool
) -> None:
    path = written(tmp_path_factory.mktemp("any"), ("x,y\n" if header else "") + text)
    with pytest.MonkeyPatch.context() as patch:
        fast = _outcome(path)
        patch.setattr(Layout, "suits_polars", lambda *_: False)
        assert fast == _outcome(path)


def _outcome(path: Path) -> object:
    try:
        table = read(path)
    except ThalwegError as error:
        return str(error)
    return table.columns, table.frame.rows()


@given(st.data())
def test_line_numbers_count_lines_inside_cells(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """The line of row k is where the text of row k starts in the file."""
    breaks = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=6))
    lines = ["a,b"] + [f'{i},"x{chr(10) * n}y"' for i, n in enumerate(breaks)]
    path = written(tmp_path_factory.mktemp("lines"), "\n".join(lines))
    table = read(path)
    everything = path.read_text().split("\n")
    for row in range(table.rows):
        line = int(table.where(row).removeprefix("line "))
        assert everything[line - 1].startswith(f"{row},")


def test_place_names_everything() -> None:
    table = Table("the table", pl.DataFrame({"a": [1, 2]}))
    assert table.place(1, "a") == "the table, row 2, column 'a'"


def test_unknown_column_suggests_the_nearest() -> None:
    table = Table("the table", pl.DataFrame({"species": [1], "island": [2]}))
    with pytest.raises(DataError, match="did you mean 'species'"):
        table.column("specis")
