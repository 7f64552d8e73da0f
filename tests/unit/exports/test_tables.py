"""A table's model predicts the same in ONNX, in Python, and here."""

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.exported import PENGUINS, assert_near, outputs, run_python, session
from thalweg.exports import onnx_inputs, runtime
from thalweg.exports.columns import ENCODINGS, raw_cells, raw_columns
from thalweg.exports.graph import Graph, Port
from thalweg.exports.onnx_file import finish, made
from thalweg.exports.python_file import source
from thalweg.tables.encode import Encoder
from thalweg.tables.encodings import MomentEncoding
from thalweg.tables.forms import USUAL
from thalweg.tables.read import read
from thalweg.tabular.model import TableModel

Module = Callable[[Any], Any]


def classes_of(model: TableModel, table: Any) -> tuple[list[str], np.ndarray]:
    frame = model.predict(table)
    return frame["prediction"].to_list(), frame.drop("prediction").to_numpy()


@pytest.mark.parametrize("name", ["penguins", "class_model"])
def test_onnx_gives_the_same_classes(
    request: pytest.FixtureRequest, table: Path, tmp_path: Path, name: str
) -> None:
    model, data = request.getfixturevalue(name), table
    if name == "penguins":
        data = PENGUINS
    tw.export(model, tmp_path / "model.onnx")
    found = outputs(tmp_path / "model.onnx", onnx_inputs(model, data))
    labels, probabilities = classes_of(model, data)
    assert list(found[0]) == labels
    assert_near(found[1], probabilities)


@pytest.mark.parametrize("name", ["number_model", "log_model"])
def test_onnx_gives_the_same_numbers(
    request: pytest.FixtureRequest, table: Path, tmp_path: Path, name: str
) -> None:
    model = request.getfixturevalue(name)
    tw.export(model, tmp_path / "model.onnx")
    (found,) = outputs(tmp_path / "model.onnx", onnx_inputs(model, table))
    meant = model.predict(table)["prediction"].to_numpy()
    assert_near(found, meant)


def test_onnx_takes_texts_as_they_are_in_the_file(
    class_model: TableModel, table: Path, tmp_path: Path
) -> None:
    tw.export(class_model, tmp_path / "model.onnx")
    model = tmp_path / "model.onnx"
    inputs = onnx_inputs(class_model, table)
    frame = pl.read_csv(table, infer_schema=False)
    raw = {
        name: np.array(frame[column].fill_null(missing).to_list(), object)
        for name, column, missing in [
            ("flag", "flag", "?"),
            ("two words", "two words", "N/A"),
            ("column prediction", "prediction", ""),
        ]
    }
    pairs = zip(outputs(model, inputs | raw), outputs(model, inputs), strict=True)
    for found, meant in pairs:
        assert_array_equal(found, meant)


def test_onnx_knows_what_it_is(class_model: TableModel, tmp_path: Path) -> None:
    tw.export(class_model, tmp_path / "model.onnx")
    run = session(tmp_path / "model.onnx")
    about = run.get_modelmeta()
    said = about.custom_metadata_map
    assert about.producer_name == "thalweg"
    assert (said["kind"], said["format"], said["target"]) == ("table", "1", "label")
    assert json.loads(said["classes"]) == ["no", "yes"]
    assert json.loads(said["features"]) == list(class_model.encoder.features)
    columns = {each["column"]: each for each in json.loads(said["columns"])}
    assert columns["prediction"]["input"] == "column prediction"
    assert columns["when"]["kind"] == "date"
    assert {each["input"] for each in columns.values()} == {
        each.name for each in run.get_inputs()
    }


def test_two_exports_are_the_same_bytes(penguins: TableModel, tmp_path: Path) -> None:
    for form in ("onnx", "py"):
        tw.export(penguins, tmp_path / f"a.{form}")
        tw.export(penguins, tmp_path / f"b.{form}")
        assert (tmp_path / f"a.{form}").read_bytes() == (
            tmp_path / f"b.{form}"
        ).read_bytes()


DAYS = [
    *("1600-02-29", "1900-03-01", "1969-12-31 23:59:59", "1970-01-01", "2000-02-29"),
    *("1999-12-31", "2000-12-31", "2023-01-01", "2024-03-01 12:30", "2100-02-28"),
    *("2100-12-31", "2400-12-31", "0004-01-01", "1582-10-15T06:07:08.9Z"),
]


def test_onnx_counts_days_as_the_calendar_does(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    more = random.integers(-62_000_000_000, 200_000_000_000, 3_000)
    moments = [
        datetime.datetime(1970, 1, 1) + datetime.timedelta(0, int(s)) for s in more
    ]
    cells = USUAL["date"].understood(pl.Series([*DAYS, *map(str, moments), None]))
    encoding = MomentEncoding.fit("when", USUAL["date"], cells)
    assert encoding.cycles == ("year", "week", "day")
    found = features_in_onnx(encoding, cells)
    assert_allclose(found, encoding.encode(cells).astype(np.float32), atol=1e-7)


def features_in_onnx(encoding: Any, cells: pl.Series) -> np.ndarray:
    (raw,), graph = raw_columns([encoding]), Graph(taken={encoding.name, "X"})
    parts = ENCODINGS[type(encoding)](graph, encoding, raw.input)
    finish(graph, {"X": graph.add("Concat", *parts, axis=1)})
    inputs = [Port(raw.input, raw.dtype, ("rows",))]
    results = [Port("X", "float32", ("rows", len(encoding.features)))]
    model = made(onnx, graph, inputs, results, {}).SerializeToString()
    return outputs(model, {raw.input: raw_cells(cells)})[0]


@pytest.mark.parametrize("form", ["onnx", "python"])
def test_every_encoding_gives_the_same_features(
    number_model: TableModel, table: Path, exported: Module, form: str
) -> None:
    frame = pl.read_csv(table, infer_schema=False)
    encoder: Encoder = number_model.encoder
    meant = encoder.transform(read(table)).X
    if form == "python":
        found = exported(number_model)["features"](frame.to_dict(as_series=False))
    else:
        found = np.hstack(
            [
                features_in_onnx(
                    each, each.form.understood(read(table).column(each.name))
                )
                for each in encoder.encodings
            ]
        )
    assert_allclose(found, meant, atol=2e-7)


def test_python_prints_what_predict_gives(
    request: pytest.FixtureRequest, table: Path, tmp_path: Path
) -> None:
    models = {"penguins": PENGUINS, "number_model": table, "log_model": table}
    for name, data in models.items():
        model = request.getfixturevalue(name)
        tw.export(model, tmp_path / "model.py")
        header, *rows = run_python(tmp_path / "model.py", data)
        frame = model.predict(data)
        assert header == frame.columns
        numbers = [name for name in header if frame[name].dtype != pl.String]
        for place, name in enumerate(header):
            cells = [row[place] for row in rows]
            if name in numbers:
                assert_near([*map(float, cells)], frame[name])
            else:
                assert cells == frame[name].to_list()


ODD_CELLS: dict[str, list[Any]] = {
    "plain": [
        *("1e3", " 7 ", "1,5", "1_0", "inf", "nan", "0x1", ""),
        *(None, 5, 2.5, np.float32(1)),
    ],
    "flag": [
        *("YES", " n", "maybe", "t", "", "F", "True", "x", "no"),
        *(None, True, np.False_),
    ],
    "two words": [
        " a",
        "b b ",
        "unknown",
        "?",
        "",
        None,
        "ç",
        "A",
        "NULL",
        "a",
        7,
        2.5,
    ],
    "at": [
        *("3:04", "03:04:05.25", "24:00", "7", "", None, datetime.time(5, 6)),
        *("3:4:5", " 12:00 ", "12:60", "00:00:00", "23:59:59"),
    ],
    "when": [
        *("2020-1-5", "2020-01-05T03:04Z", "2020-01-05 03:04:05+02:00", "20200105"),
        *("2020-02-30", "2020-01-05 03:04:60", None, datetime.date(2000, 2, 29), ""),
        *(datetime.datetime(1969, 7, 20, 20, 17, 40), "99-01-01"),
        "2020-01-05 3:4:5.5Z",
    ],
}


@pytest.mark.parametrize("column", ODD_CELLS)
def test_python_reads_odd_cells_as_the_table_is_read(
    number_model: TableModel, exported: Module, column: str
) -> None:
    """One cell at a time, as a frame's column has one type."""
    features = exported(number_model)["features"]
    usual = {e.name: [None] for e in number_model.encoder.encodings}
    for cell in ODD_CELLS[column]:
        row = usual | {column: [cell]}
        frame = pl.DataFrame({name: pl.Series(cells) for name, cells in row.items()})
        meant = number_model.encoder.transform(read(frame)).X
        assert_allclose(features(row), meant, atol=2e-7, err_msg=repr(cell))
        assert_allclose(features([{k: v[0] for k, v in row.items()}]), meant, atol=2e-7)


def test_python_names_a_column_that_is_not_there(
    penguins: TableModel, exported: Module
) -> None:
    predict = exported(penguins)["predict"]
    with pytest.raises(KeyError, match="'island'"):
        predict({"sex": ["male"]})
    with pytest.raises(KeyError, match="row 1 must have 'island'"):
        predict([{"sex": "male"}])


def test_python_needs_no_other_names_than_its_own(
    penguins: TableModel, number_model: TableModel
) -> None:
    """What the file leaves out is what it doesn't use."""
    few, many = source(penguins.__pipeline__()), source(number_model.__pipeline__())
    assert "def as_date" not in few
    assert "def as_date" in many
    assert "def erf" not in many
    assert "MISSING" in vars(runtime)


def test_a_file_can_be_read_by_windows_line_ends_and_semicolons(
    penguins: TableModel, tmp_path: Path
) -> None:
    text = PENGUINS.read_text(encoding="utf-8")
    other = tmp_path / "other.csv"
    other.write_bytes(text.replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig"))
    tw.export(penguins, tmp_path / "model.py")
    assert run_python(tmp_path / "model.py", other) == run_python(
        tmp_path / "model.py", PENGUINS
    )
