"""An exported file reads every file of a table as `predict` does."""

import io
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
from support.table_files import TableFile, table_files
from thalweg.data.dialect import Dialect
from thalweg.data.encode import Encoder
from thalweg.data.model import TableModel
from thalweg.data.read import read
from thalweg.data.scales import Scale
from thalweg.data.schema import Column, Schema
from thalweg.data.table import Table
from thalweg.data.targets import NumberTargets
from thalweg.data.task import Task
from thalweg.errors import DataError

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
        missing = exported["is_missing"]
        assert list(given) == known.columns
        for column, cells in given.items():
            texts = [None if missing(cell) else cell.strip() for cell in cells]
            assert texts == known.column(column).to_list()
