"""How a file's text is written is said, checked, and heeded."""

import csv
import io
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.table_files import TableFile
from thalweg.errors import ArgumentError, DataError, ModelFileError
from thalweg.exports.runtime import read_csv
from thalweg.tables import batches
from thalweg.tables.batches import read_batches
from thalweg.tables.dialect import USUAL_DIALECT, Dialect
from thalweg.tables.read import read
from thalweg.tabular.settings import Settings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"separator": ""}, "separator must be one character, or tab or space, got ''"),
        ({"separator": ",,"}, "separator must be one character"),
        ({"separator": 3}, "separator must be one character"),
        ({"separator": '"'}, "separator must be a character other than a quote"),
        ({"separator": "\n"}, "separator must be a character other than a quote"),
        ({"separator": "\udc80"}, "separator must be text that UTF-8 can hold"),
        ({"encoding": "uft-8"}, "did you mean 'utf-8'"),
        ({"encoding": "cp1525"}, "did you mean 'cp125"),
        ({"encoding": "hex"}, "encoding must be an encoding of text that Python knows"),
        ({"encoding": "unicode_escape"}, "encoding must be an encoding of text"),
        ({"encoding": "undefined"}, "encoding must be an encoding of text"),
        ({"encoding": "a\0b"}, "encoding must be an encoding of text"),
        ({"encoding": 8}, "encoding must be the name of an encoding"),
        ({"skip_rows": -1}, "skip_rows must be a whole number, 0 or more, got -1"),
        ({"skip_rows": 1.5}, "skip_rows must be a whole number"),
        ({"skip_rows": True}, "skip_rows must be a whole number"),
        ({"comment": ""}, "comment must be the start of lines"),
        ({"comment": " "}, "comment must be the start of lines"),
        ({"comment": "#\n"}, "comment must be the start of lines"),
        ({"comment": 1}, "comment must be the start of lines"),
        ({"comment": ";;", "separator": ";"}, "separator must be another character"),
    ],
)
def test_what_it_cant_be(given: dict[str, Any], said: str) -> None:
    for made in (Dialect, Settings):
        with pytest.raises(ArgumentError) as caught:
            made(**given)
        assert said in str(caught.value)


def test_names_are_the_characters_and_encodings_that_they_mean() -> None:
    assert Dialect("tab") == Dialect("\t") == Dialect(r"\t") == Dialect("TAB")
    assert Dialect("space") == Dialect(" ")
    assert Dialect(encoding="latin-1") == Dialect(encoding="ISO 8859-1")
    assert Dialect(encoding="windows-1252").encoding == "cp1252"
    assert Settings(separator="tab", skip_rows=2).dialect == Dialect("\t", None, 2)
    assert Settings().dialect == USUAL_DIALECT


def test_what_is_written_down_is_read_strictly() -> None:
    dialect = Dialect("space", "utf-16", 3, "//")
    assert Dialect.from_dict(dialect.to_dict()) == dialect
    for wrong in (
        None,
        {},
        {**dialect.to_dict(), "quote": "'"},
        {**dialect.to_dict(), "separator": "ab"},
        {**dialect.to_dict(), "encoding": "zlib"},
        {**dialect.to_dict(), "skip_rows": "3"},
    ):
        with pytest.raises(ModelFileError, match="dialect"):
            Dialect.from_dict(wrong)


# Oracles ------------------------------------------------------------------------------

CELLS = st.text(st.sampled_from("ab,;§ \té日\"'#%1\n"), max_size=5)
ENCODINGS = (None, "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "gb18030")


@st.composite
def files(draw: st.DrawFn) -> tuple[list[list[str]], TableFile]:
    """Rows with a header, and a file of them in some dialect."""
    separator = draw(st.sampled_from([",", ";", "\t", "|", "§", "x", "日"]))
    encoding = draw(st.sampled_from(ENCODINGS))
    comment = draw(st.sampled_from([None, "%", "//"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    junk = draw(st.lists(st.text("ab,;\"'% ", max_size=9), max_size=3))
    width = draw(st.integers(1, 4))
    cells = st.lists(CELLS, min_size=width, max_size=width)
    rows = [[f"c{i}" for i in range(width)], *draw(st.lists(cells, min_size=1))]
    out = io.StringIO(newline="")
    out.writelines(line + end for line in junk)
    writer = csv.writer(
        out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL
    )
    for row in rows:
        if comment and draw(st.booleans()):
            out.write(f'{comment} "{separator}{end}')
        writer.writerow(row)
    content = out.getvalue().encode(encoding or "utf-8")
    return rows, TableFile(content, Dialect(separator, encoding, len(junk), comment))


@given(files())
def test_what_is_written_in_a_dialect_is_read_in_it(
    tmp_path_factory: pytest.TempPathFactory,
    written: tuple[list[list[str]], TableFile],
) -> None:
    """At once, in parts, and by what exported files read with."""
    (header, *rows), file = written
    path = file.written(tmp_path_factory.mktemp("any"))
    blank = [] if len(header) > 1 else [row for row in rows if not row[0].strip()]
    meant = [row for row in rows if row not in blank]
    if not meant:
        with pytest.raises(DataError, match="at least one row"):
            read(path, file.dialect)
        return
    table = read(path, file.dialect)
    assert table.columns == header
    stripped = [tuple(cell.strip() or None for cell in row) for row in meant]
    assert table.frame.rows() == stripped
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BLOCK", 16)
        patch.setattr(batches, "SNIFFED_BYTES", 3)
        types = dict.fromkeys(header, pl.String())
        parts = list(read_batches(path, types, file.dialect))
    assert pl.concat([part.frame for part in parts]).equals(table.frame)
    found = read_csv(str(path), **file.dialect.to_dict())
    assert list(map(list, zip(*found.values(), strict=True))) == meant


PANDAS = {
    "semicolons": (b"a;b\nx;1,5\ny;2\n", Dialect(";"), {"sep": ";"}),
    "spaces": (b"  a b   c\n1  2 3\n4 'x  5\n", Dialect("space"), {"sep": r"\s+"}),
    "cp1252": (
        "n\xe4me,b\n\x80,1\n".replace("\x80", "€").encode("cp1252"),
        Dialect(encoding="cp1252"),
        {"encoding": "cp1252"},
    ),
    "utf-16": ("a,b\né,1\n".encode("utf-16"), USUAL_DIALECT, {"encoding": "utf-16"}),
    "title": (
        b"Sales of 2024\n\na,b\n1,2\n",
        Dialect(skip_rows=1),
        {"skiprows": 1},
    ),
    "comments": (
        b"# one\na|b\n# two\n1|2\n#\n3|4\n",
        Dialect(comment="#"),
        {"comment": "#", "sep": "|"},
    ),
    "sep line": (b"sep=;\na;b\n1;2\n", USUAL_DIALECT, {"sep": ";", "skiprows": 1}),
}


@pytest.mark.parametrize(("content", "dialect", "options"), PANDAS.values(), ids=PANDAS)
def test_pandas_reads_the_same(
    tmp_path: Path, content: bytes, dialect: Dialect, options: dict[str, Any]
) -> None:
    path = TableFile(content, dialect).written(tmp_path)
    table = read(path, dialect)
    meant = pd.read_csv(path, dtype=str, **options)
    assert table.columns == list(meant.columns)
    assert table.frame.rows() == list(meant.itertuples(index=False, name=None))


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    lines = ["Title", "", "# c", "a;b", "# c", "1;2", "", '3;"x', "# y", '4"', "5;6"]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(lines))
    dialect = Dialect(skip_rows=1, comment="#")
    table = read(path, dialect)
    assert [table.where(row) for row in range(3)] == ["line 6", "line 8", "line 11"]
    assert table.frame["b"].to_list() == ["2", "x\n# y\n4", "6"]
    path.write_text("\n".join([*lines, "# c", "7"]))
    with pytest.raises(
        DataError, match="line 13: must have 2 cells like the header on"
    ):
        read(path, dialect)


def test_a_declared_separator_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a;b,c;d\n1;2,3;4\n")
    assert read(path).columns == ["a", "b,c", "d"]
    assert read(path, Dialect(",")).columns == ["a;b", "c;d"]


@pytest.mark.parametrize("encoding", ["cp1252", "shift_jis", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_fits_is_suggested(tmp_path: Path, encoding: str) -> None:
    text = "name,town\n表ソ,能十\n" * 9 if encoding == "shift_jis" else "naam,é\nü,1\n"
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(DataError) as caught:
        read(path)
    assert f"encoding={encoding!r} fits" in str(caught.value)
    assert read(path, Dialect(encoding=encoding)).frame.height


# Cells of any length ------------------------------------------------------------------


def test_cells_may_be_longer_than_the_csv_module_takes(tmp_path: Path) -> None:
    """And what users do with that module stays as it is."""
    before = csv.field_size_limit()
    word = "word; " * 60_000 + "\n\n"
    path = tmp_path / "long.csv"
    path.write_text(f'a;b\n"{word}";1\nx;2\n')
    assert read(path).frame.rows() == [(word.strip(), "1"), ("x", "2")]
    assert csv.field_size_limit() == before == 131_072
    with pytest.raises(csv.Error, match="field limit"):
        list(csv.reader(io.StringIO(path.read_text()), delimiter=";"))
    assert read_csv(str(path))["a"] == [word, "x"]
