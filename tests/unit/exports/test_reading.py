"""An exported file reads every file of a table as `predict` does."""

import gzip
import io
import lzma
import runpy
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.exported import run_python
from support.table_files import table_files
from thalweg.kinds.targets import NumberTargets
from thalweg.kinds.task import Task
from thalweg.tables.dialect import Dialect
from thalweg.tables.encode import Encoder
from thalweg.tables.packed import zstd_module
from thalweg.tables.read import read
from thalweg.tables.scales import Scale
from thalweg.tables.schema import Column, Schema
from thalweg.tables.table import Table
from thalweg.tabular.model import TableModel

FILES = dict(table_files())


def model_of(table: Table, dialect: Dialect) -> TableModel:
    """A network of a table's every column, which tells its cells apart."""
    columns = [
        Column(name, "category" if cells.count() else "ignored", "for the test")
        for name, cells in zip(table.columns, table.frame, strict=True)
    ]
    target = Column("y", "number", "for the test")
    rows = np.tile(np.arange(table.rows), 30)  # so that no category is rare
    encoder = Encoder.fit(Schema(target, None, tuple(columns)), table, rows)
    network = tw.Network([tw.Dense(3, "tanh"), tw.Dense(1)])
    network.initialize(len(encoder.features), seed=1)
    targets = NumberTargets("y", Scale(0.0, 1.0))
    task = Task("number", "for the test")
    return TableModel(network, encoder, targets, task, dialect=dialect)


def outcome(call: Callable[[], Any], path: Path) -> Any:
    """What is given, or what the error says of the file."""
    try:
        return call()
    except (ValueError, KeyError) as error:
        return str(error).replace(str(path), path.name)


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_read_as_predict_reads_it(tmp_path: Path, name: str) -> None:
    file = FILES[name]
    path = file.written(tmp_path)
    table = outcome(lambda: read(path, file.dialect), path)
    known = table if isinstance(table, Table) else read(pl.DataFrame({"a": ["b"]}))
    model = model_of(known, file.dialect)
    tw.export(model, tmp_path / "model.py")
    exported = runpy.run_path(str(tmp_path / "model.py"))

    printed = io.StringIO()
    with redirect_stdout(printed):
        failed = outcome(lambda: exported["main"](str(path)), path)
    meant = outcome(lambda: model.predict(path)["prediction"].to_list(), path)
    if isinstance(meant, str):
        assert failed == meant
    else:
        numbers = [float(line) for line in printed.getvalue().split()[1:]]
        assert numbers == pytest.approx(meant, rel=1e-5, abs=1e-6)
        # A model tells texts apart, but not all of them: these are the cells.
        given = exported["read_csv"](str(path), **file.dialect.to_dict())
        assert list(given) == known.columns
        for column, cells in given.items():
            texts = [cell.strip() or None for cell in cells]
            assert texts == known.column(column).to_list()


# As a program -------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The exported file of a model whose tables have a title and semicolons."""
    rows = "".join(f"{i * i % 17}.5;{'ab'[i % 2]}\n" for i in range(40))
    (tmp_path / "title.csv").write_text(f"Title\nn;y\n{rows}")
    model = tw.train(tmp_path / "title.csv", "y", skip_rows=1, epochs=1).model
    tw.export(model, tmp_path / "model.py")
    return tmp_path / "model.py"


def test_it_is_a_program_for_files_and_pipes(program: Path) -> None:
    table = program.with_name("title.csv")
    packed = program.with_name("title.csv.xz")
    packed.write_bytes(lzma.compress(table.read_bytes()))
    meant = run_python(program, table)
    assert len(meant) == 41
    assert run_python(program, packed) == meant
    for name in ("-", "/dev/stdin"):
        command = [sys.executable, "-I", str(program), name]
        done = subprocess.run(command, input=table.read_bytes(), capture_output=True)
        found = [line.split(",") for line in done.stdout.decode().splitlines()]
        assert found == meant, done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Title\nx;y\n1;2\n", "there must be a column 'n'"),
        (b"Title\n\xe9;y\n1;2\n", "encoding='cp1252' fits"),
        (b"Title\nn;y\n1;2\n3\n", "line 4: must have 2 cells"),
        (b"PAR1\x15\x00", "must be text here, but is Parquet"),
        (gzip.compress(b"n;y\n" * 99)[:-3], "must be a whole gzip file"),
    ],
    ids=["columns", "encoding", "short row", "Parquet", "cut gzip"],
)
def test_what_it_cant_read_is_one_line(
    program: Path, content: bytes, said: str
) -> None:
    table = program.with_name("odd.csv")
    table.write_bytes(content)
    command = [sys.executable, "-I", str(program), str(table)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_reads_zstd_where_python_can(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, packed = program.with_name("title.csv"), program.with_name("title.csv.zst")
    packed.write_bytes(zstd_module("").compress(table.read_bytes()))
    read_csv = runpy.run_path(str(program))["read_csv"]
    assert read_csv(str(packed)) == read_csv(str(table))
    for module in ("compression", "backports"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=r"title\.csv\.zst: is packed by zstd, which"):
        read_csv(str(packed))


@pytest.mark.parametrize(
    "content",
    [
        b"1,2.5\n3,4\n",
        b"a,b\n1,2.5\n3,4\n",
        b"\xef\xbb\xbfa;b\r1;2.5\r3;4\r",
        "a\tb\n\n1\t2.5\n3\t4".encode("utf-16"),
        gzip.compress(b'"a|c"|b\n1|"2.5"\n3| 4\n'),
    ],
    ids=["bare", "header", "mark and semicolons", "UTF-16 and tabs", "gzip and bars"],
)
def test_numbers_are_read_as_tables_are(tmp_path: Path, content: bytes) -> None:
    network = tw.Network([tw.Dense(1)]).initialize(2)
    tw.export(network, tmp_path / "network.py")
    table = tmp_path / "numbers.csv"
    table.write_bytes(content)
    found = run_python(tmp_path / "network.py", table)
    X = np.array([[1, 2.5], [3, 4]], np.float32)
    assert [float(cell) for (cell,) in found] == pytest.approx(
        network.predict(X).ravel(), rel=1e-6
    )
