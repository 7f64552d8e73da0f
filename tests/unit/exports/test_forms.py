"""Columns in forms of their own are read by exported files as `predict` reads them."""

import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from support.exported import assert_near, outputs, run_python
from thalweg.exports import onnx_inputs
from thalweg.tabular.model import TableModel

ROWS = 240

ODD = {
    "price": ["-", "1.234", "12,5", "$ 3", "€-5,00", "0", "€ 1.2", "(3)", "NA"],
    "weight": ["55", "0", "7 KG", "7g", "1e3 kg", "", "−4 kg", "oops"],
    "account": ["(1,000)", "-5.00", "1.000,00", "(x)", "0.00", "1,23,456.00"],
    "share": ["50", "−1 %", "5,5%", "5.5%", "0", "100 %"],
    "amount": ["<0.5", "> 7", "0.5", "<", "0", "<x", "≤3"],
    "born": ["31.02.1990", "1.2.1990", "02.13.1990", "1990-01-02", "01.01.90", ""],
    "sent": ["Mon, 05 Feb 2024 10:00:00 GMT", "05 Feb 2024", "Feb 5", "unknown"],
    "seen": ["12:00 am", "0:30 pm", "13:05", "12:60 am", "7:5 am", ""],
    "lasted": ["100:00:00", "1 day, 2:00:00", "0:61:00", "5", "-1:00:00"],
    "paid": ["yes", "1", "0", "TRUE", "n", "maybe"],
    "shop": ["7", "07", "007", "7.0", "", "NA"],
    "till": ["9007199254740993", "9007199254740992", "?", "9.007e15"],
}
"""Cells that are written otherwise, or are nothing of the kind, of each column."""


def as_people_write() -> pl.DataFrame:
    """Each column in a form of its own."""
    draw = np.random.default_rng(7)
    n, cents = draw.integers(1, 10, ROWS), draw.integers(10, 100, ROWS)
    pairs = list(zip(n, cents, strict=True))
    start = datetime.datetime(2001, 1, 1, 7, 30, tzinfo=datetime.UTC)
    moments = [start + datetime.timedelta(hours=5 * row) for row in range(ROWS)]
    columns = {
        "price": [f"€ {a}.{b * 7:03},{b}" for a, b in pairs],
        "weight": [f"{cents} kg" for cents in cents],
        "account": [f"({a},{b}0.00)" if a < 4 else f"{b}.50" for a, b in pairs],
        "share": [f"−{n},5 %" if n < 5 else f"{n} %" for n in n],
        "amount": ["<0.5" if n == 1 else f"{n}.5" for n in n],
        "born": [f"{moment:%d.%m.%Y}" for moment in moments],
        "sent": [format_datetime(moment) for moment in moments],
        "seen": [f"{moment:%I:%M %p}".lower() for moment in moments],
        "lasted": [f"{b}:{a:02}:00" for a, b in pairs],
        "paid": [("0", "1")[n % 2] for n in n],
        "shop": [f"{n % 4:0{n % 3 + 1}}" for n in n],
        "till": [str(2**53 + n % 3) for n in n],
        "y": [f"{a * 3 + b},{b}" for a, b in pairs],
    }
    return pl.DataFrame(columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="module")
def model(folder: Path) -> TableModel:
    as_people_write().write_csv(folder / "table.csv", separator=";")
    how: dict[str, Any] = {"layers": (8,), "epochs": 2}
    return tw.train(folder / "table.csv", "y", limits="bound", **how).model


def test_each_column_is_in_a_form_of_its_own(model: TableModel) -> None:
    schema = model.encoder.schema
    kinds = {column.name: column.kind for column in schema.features}
    assert set(kinds) == set(ODD)
    assert model.encoder.schema.has_forms


@pytest.mark.parametrize("column", ODD)
def test_python_reads_odd_cells_so(
    model: TableModel, folder: Path, tmp_path: Path, column: str
) -> None:
    rows = pl.concat([as_people_write().drop("y").head(3)] * 3)
    rows = rows.head(len(ODD[column]))
    odd = rows.with_columns(pl.Series(column, ODD[column]))
    odd.write_csv(tmp_path / "odd.csv", separator=";")
    tw.export(model, tmp_path / "model.py")
    (_, *found) = run_python(tmp_path / "model.py", tmp_path / "odd.csv")
    meant = model.predict(tmp_path / "odd.csv", lenient=True)["prediction"]
    assert_near([float(row[0]) for row in found], meant)


def test_python_and_onnx_predict_the_same(
    model: TableModel, folder: Path, tmp_path: Path
) -> None:
    table = folder / "table.csv"
    meant = model.predict(table)["prediction"]
    tw.export(model, tmp_path / "model.py")
    (_, *found) = run_python(tmp_path / "model.py", table)
    assert_near([float(row[0]) for row in found], meant)
    tw.export(model, tmp_path / "model.onnx")
    assert_near(outputs(tmp_path / "model.onnx", onnx_inputs(model, table))[0], meant)


def test_a_saved_model_knows_the_forms(model: TableModel, folder: Path) -> None:
    model.save(folder / "model.thalweg")
    loaded = tw.load(folder / "model.thalweg")
    table = folder / "table.csv"
    assert_array_equal(loaded.predict(table), model.predict(table))
