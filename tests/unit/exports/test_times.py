"""Models of sequences and of forecasts, in ONNX and in Python."""

from __future__ import annotations

import csv
import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from support.exported import assert_near, outputs, run_python, session
from support.series_files import hourly
from thalweg.errors import DataError, ShapeError
from thalweg.exports import onnx_inputs
from thalweg.forecasting.model import ForecastModel
from thalweg.sequences.model import SequenceModel
from thalweg.tables.read import read

Lengths = Callable[[int], int]
KNOWN = 190  # of the 200 hours


def steps(length: Lengths = lambda n: 4 + n % 5) -> pl.DataFrame:
    """Sequences that go up or stay, with a class and a number."""
    random = np.random.default_rng(0)
    rows = [
        {
            **{"id": f"s{n}", "t": t, "x": (n % 2) * t + random.normal()},
            **{"side": "ab"[t % 2], "kind": ("flat", "up")[n % 2], "size": n / 7},
        }
        for n in range(30)
        for t in range(length(n))
    ]
    return pl.DataFrame(rows)


def of_sequences(
    target: str, frame: pl.DataFrame | None = None, **settings: Any
) -> SequenceModel:
    """What learned the class or the number."""
    other = {"kind": "size", "size": "kind"}[target]
    how = {"sequence": "id", "order": "t", "units": 4, "epochs": 2, "ignore": other}
    given = steps() if frame is None else frame
    model: Any = tw.train(given, target, **how, **settings).model
    return model


def drifting() -> pl.DataFrame:
    """A level that wanders, of which changes are learned."""
    walk = 1e3 + 3 * np.random.default_rng(0).normal(size=200).cumsum()
    return hourly(200).with_columns(load=pl.Series(walk))


def of_series(frame: pl.DataFrame, **settings: Any) -> ForecastModel:
    """What learned to forecast."""
    how: dict[str, Any] = {"history": 6, "ahead": 8, "units": 4, "epochs": 2}
    model: Any = tw.train(frame, "load", time="time", **{**how, **settings}).model
    return model


def with_hours_ahead(frame: pl.DataFrame) -> pl.DataFrame:
    """The last hours without the target."""
    hour = pl.int_range(pl.len())
    return frame.with_columns(load=pl.when(hour < KNOWN).then("load"))


@pytest.fixture(scope="module")
def classes() -> SequenceModel:
    return of_sequences("kind")


@pytest.fixture(scope="module")
def numbers() -> SequenceModel:
    return of_sequences("size")


@pytest.fixture(scope="module")
def levels() -> ForecastModel:
    return of_series(hourly(200), known_ahead=["open", "sky"])


@pytest.fixture(scope="module")
def changes() -> ForecastModel:
    return of_series(drifting())


# Sequences ----------------------------------------------------------------------------


def in_both(model: Any, source: Any, folder: Path) -> tuple[dict[str, Any], Any]:
    """What the graph gives by name, and the names in the file of Python."""
    tw.export(model, folder / "model.onnx")
    tw.export(model, folder / "model.py")
    graph = session(folder / "model.onnx")
    found = graph.run(None, onnx_inputs(model, source))
    named = dict(zip((each.name for each in graph.get_outputs()), found, strict=True))
    return named, runpy.run_path(str(folder / "model.py"))


def as_lists(given: dict[str, Any]) -> list[Any]:
    """Sequences without what lies behind their ends."""
    return [x[:n] for x, n in zip(given["X"], given["lengths"], strict=True)]


def test_classes_of_sequences(classes: SequenceModel, tmp_path: Path) -> None:
    shuffled = steps().sample(fraction=1.0, shuffle=True, seed=1)
    predicted = classes.predict(shuffled)
    graph, python = in_both(classes, shuffled, tmp_path)
    X = as_lists(onnx_inputs(classes, shuffled))
    labels, probabilities = predicted["prediction"], predicted[:, 2:].to_numpy()
    assert len(set(labels)) == 2  # else nothing is told apart
    for found in (graph, {"prediction": python["predict"](X)}):
        assert found["prediction"].tolist() == labels.to_list()
    assert_near(graph["probabilities"], probabilities)
    assert_near(python["probabilities"](X), probabilities)


def test_numbers_of_sequences(numbers: SequenceModel, tmp_path: Path) -> None:
    predicted = numbers.predict(steps())["prediction"]
    graph, python = in_both(numbers, steps(), tmp_path)
    assert_near(graph["prediction"], predicted)
    X = as_lists(onnx_inputs(numbers, steps()))
    assert_near(python["predict"](X), predicted)


def test_a_graph_of_sequences_sees_no_padding(
    classes: SequenceModel, tmp_path: Path
) -> None:
    tw.export(classes, tmp_path / "model.onnx")
    given = onnx_inputs(classes, steps())
    assert given["X"].shape == (30, 8, 4)
    assert given["lengths"].tolist() == [4 + n % 5 for n in range(30)]
    found = outputs(tmp_path / "model.onnx", given)
    behind = np.arange(8) >= given["lengths"][:, None]
    given["X"][behind] = 1e6
    for one, other in zip(found, outputs(tmp_path / "model.onnx", given), strict=True):
        assert_array_equal(one, other)


def test_sequences_of_one_length_have_no_lengths(tmp_path: Path) -> None:
    frame = steps(lambda n: 5)
    model = of_sequences("kind", frame)
    graph, python = in_both(model, frame, tmp_path)
    given = onnx_inputs(model, frame)
    assert {name: array.shape for name, array in given.items()} == {"X": (30, 5, 4)}
    meant = model.predict(frame)[:, 2:].to_numpy()
    assert_near(graph["probabilities"], meant)
    assert_near(python["probabilities"](given["X"]), meant)
    with pytest.raises(ShapeError, match=r"shape \(5, 4\).* got one of \(4, 4\)"):
        onnx_inputs(model, steps())


def test_longer_sequences_are_refused(classes: SequenceModel) -> None:
    with pytest.raises(ShapeError, match="8 times at most"):
        onnx_inputs(classes, steps(lambda n: 9))


def test_a_loaded_model_writes_the_same(classes: SequenceModel, tmp_path: Path) -> None:
    classes.save(tmp_path / "model.thalweg")
    loaded: Any = tw.load(tmp_path / "model.thalweg")
    for form in ("onnx", "py"):
        tw.export(classes, tmp_path / f"one.{form}")
        tw.export(loaded, tmp_path / f"other.{form}")
        one, other = (tmp_path / f"{name}.{form}" for name in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_a_file_says_what_the_numbers_of_a_time_are(
    classes: SequenceModel, tmp_path: Path
) -> None:
    tw.export(classes, tmp_path / "model.onnx")
    said = session(tmp_path / "model.onnx").get_modelmeta().custom_metadata_map
    assert (said["kind"], said["target"]) == ("sequences", "kind")
    assert json.loads(said["features"]) == [*classes.encoder.features]
    assert json.loads(said["classes"]) == ["flat", "up"]


# Forecasts ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["levels", "changes"])
def test_forecasts(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: ForecastModel = request.getfixturevalue(name)
    frame = hourly(200) if name == "levels" else drifting()
    assert model.inputs.relative is (name == "changes")
    later = with_hours_ahead(frame)
    graph, python = in_both(model, later, tmp_path)
    X = onnx_inputs(model, later)["X"]
    assert X.shape == (1, 6, model.inputs.width)
    meant = model.predict(later)["prediction"].to_numpy()
    assert_near(graph["forecast"], meant[None])
    assert_near(python["predict"](X), meant[None])


@pytest.mark.parametrize("name", ["levels", "changes"])
def test_many_windows_at_once(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    model: ForecastModel = request.getfixturevalue(name)
    frame = hourly(200) if name == "levels" else drifting()
    ends = (60, 90, 150)  # what comes after them is unknown to the table
    hour = pl.int_range(pl.len())
    until = [frame.with_columns(load=pl.when(hour < n).then("load")) for n in ends]
    meant = [model.predict(each)["prediction"].to_numpy() for each in until]
    X = np.concatenate([onnx_inputs(model, each)["X"] for each in until])
    tw.export(model, tmp_path / "model.onnx")
    assert_near(outputs(tmp_path / "model.onnx", {"X": X})[0], meant)


def test_a_file_as_a_program_takes_one_window(
    changes: ForecastModel, tmp_path: Path
) -> None:
    tw.export(changes, tmp_path / "model.py")
    (window,) = onnx_inputs(changes, drifting())["X"]
    with (tmp_path / "window.csv").open("w", newline="") as file:
        csv.writer(file).writerows(window.tolist())
    header, row = run_python(tmp_path / "model.py", tmp_path / "window.csv")
    assert header[:2] == ["1 ahead", "2 ahead"]
    meant = changes.predict(drifting())["prediction"]
    assert_near([float(cell) for cell in row], meant)


def test_a_file_names_every_number_of_a_window(
    levels: ForecastModel, tmp_path: Path
) -> None:
    tw.export(levels, tmp_path / "model.onnx")
    said = session(tmp_path / "model.onnx").get_modelmeta().custom_metadata_map
    assert (said["kind"], said["step"]) == ("forecast", "1 hour")
    features = json.loads(said["features"])
    assert len(features) == levels.inputs.width
    scale = json.loads(said["scale"])
    frame = with_hours_ahead(hourly(200))
    (window,) = onnx_inputs(levels, frame)["X"]
    there = frame["load"].drop_nulls()[-6:].to_numpy()
    assert_near(window[:, 0] * scale["deviation"] + scale["mean"], there)
    encoder = levels.inputs.encoder
    each = encoder.transform(read(frame)).X[:, encoder.features.index("open")]
    # 8 ahead of each of 6 times, and as 2 of these are left, 2 ahead.
    for ahead in (8, 2):
        place = features.index(f"open, {ahead} ahead")
        assert_array_equal(window[:, place], each[KNOWN - 6 + ahead :][:6])


def test_too_short_a_table_has_no_window(levels: ForecastModel) -> None:
    with pytest.raises(DataError, match="at least 6 rows"):
        onnx_inputs(levels, hourly(5))


def test_numbers_that_are_missing_are_an_error(
    changes: ForecastModel, tmp_path: Path
) -> None:
    tw.export(changes, tmp_path / "model.py")
    python = runpy.run_path(str(tmp_path / "model.py"))
    X = onnx_inputs(changes, drifting())["X"].copy()
    X[0, 3, 0] = np.nan
    with pytest.raises(ValueError, match="finite numbers"):
        python["predict"](X)
