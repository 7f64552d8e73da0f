"""A forecast as a file, what it predicts of later tables, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.series_files import as_text, hourly
from thalweg.errors import DataError, ModelFileError
from thalweg.files import document
from thalweg.files.modelfile import read_model, write_model
from thalweg.forecasting.learn import TrainedForecast
from thalweg.forecasting.model import ForecastModel

HOW: dict[str, Any] = {
    **{"time": "time", "history": 12, "ahead": 4, "units": 4, "epochs": 3},
}


def train(*given: Any, **settings: Any) -> TrainedForecast:
    """What was learned of a series."""
    found: Any = tw.train(*given, **settings)
    assert isinstance(found, TrainedForecast)
    return found


@pytest.fixture(scope="module")
def trained() -> TrainedForecast:
    return train(hourly(200), "load", **HOW)


@pytest.fixture(scope="module")
def known() -> TrainedForecast:
    return train(hourly(200), "load", known_ahead=["open", "sky"], **HOW)


@pytest.fixture
def path(trained: TrainedForecast, tmp_path: Path) -> Path:
    trained.model.save(tmp_path / "load.thalweg")
    return tmp_path / "load.thalweg"


def test_a_loaded_model_is_the_saved_one(trained: TrainedForecast, path: Path) -> None:
    loaded = tw.load(path)
    assert isinstance(loaded, ForecastModel)
    frame = hourly(40, seed=2)
    assert loaded.predict(frame).equals(trained.model.predict(frame))
    assert loaded.inputs == trained.model.inputs
    assert (loaded.time, loaded.step) == (trained.model.time, trained.model.step)
    assert loaded.results == json.loads(json.dumps(trained.model.results))
    loaded.save(path.with_name("again.thalweg"))
    assert path.with_name("again.thalweg").read_bytes() == path.read_bytes()


def test_older_versions_refuse_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = document.KNOWN_FEATURES - {"forecast"}
    monkeypatch.setattr(document, "KNOWN_FEATURES", older)
    with pytest.raises(ModelFileError, match="forecast"):
        tw.load(path)


DAMAGES: dict[str, Callable[[Any], Any]] = {
    "no step": lambda series: series.pop("step"),
    "no targets": lambda series: series.pop("targets"),
    "more": lambda series: series.update(more=1),
    "a history of 0": lambda series: series.update(history=0),
    "a history of 10⁹": lambda series: series.update(history=10**9),
    "a true history": lambda series: series.update(history=True),
    "another history": lambda series: series.update(history=13),
    "another ahead": lambda series: series.update(ahead=3),
    "a step of 0": lambda series: series["step"].update(size=0),
    "a step of half a microsecond": lambda series: series["step"].update(size=0.5),
    "a step of numbers": lambda series: series["step"].update(unit="numbers"),
    "a step of years": lambda series: series["step"].update(unit="years"),
    "known that is no column": lambda series: series.update(known=["tides"]),
    "known that changes the width": lambda series: series.update(known=["open"]),
    "a cycle of its own": lambda series: series.update(cycles=["moon"]),
    "a cycle twice": lambda series: series.update(cycles=["day", "day"]),
    "times that are words": lambda series: series["time"].update(kind="category"),
    "classes": lambda series: series.update(
        targets={"task": "classes", "name": "y", "kind": "category",
                 "keys": ["a", "b"], "labels": ["a", "b"]}),
    "a logarithm": lambda series: series["targets"].update(log=True),
    "no answer whether it is relative": lambda series: series.update(relative=1),
    "results as a list": lambda series: series.update(results=[1]),
    "no series": lambda series: series.clear(),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_refused(path: Path, name: str) -> None:
    tensors, found = read_model(path)
    DAMAGES[name](found["series"])
    write_model(path, tensors, found)
    with pytest.raises(ModelFileError, match=r"load\.thalweg"):
        tw.load(path)


def test_the_forecast_comes_after_the_last_row(trained: TrainedForecast) -> None:
    frame = hourly(200)
    found = trained.model.predict(frame)
    assert found.columns == ["time", "prediction"]
    last = frame["time"][-1]
    hours = [(each - last).total_seconds() / 3600 for each in found["time"]]
    assert hours == [1, 2, 3, 4]


def test_the_last_rows_are_enough(trained: TrainedForecast) -> None:
    frame = hourly(200)
    whole = trained.model.predict(frame)
    assert trained.model.predict(frame[-12:]).equals(whole)
    assert trained.model.predict(frame[-12:].reverse()).equals(whole)
    with pytest.raises(DataError, match=r"at least 12 rows with 'load'.*, got 11"):
        trained.model.predict(frame[-11:])


def test_it_is_what_the_test_scored(trained: TrainedForecast) -> None:
    frame, errors = hourly(200), trained.errors
    for window in (0, 20, len(errors.truth) - 1):
        end = trained.prepared.cuts[1] + window
        found = trained.model.predict(frame[:end])["prediction"].to_numpy()
        assert np.allclose(found, errors.predicted[window], atol=1e-4)


def test_a_later_table_is_scored_from_each_of_its_windows(
    trained: TrainedForecast,
) -> None:
    frame = hourly(200)
    first = trained.prepared.cuts[1] - 12
    metrics = trained.model.evaluate(frame[first:])
    assert metrics == pytest.approx(trained.test, rel=1e-5)
    with pytest.raises(DataError, match="at least 16 rows"):
        trained.model.evaluate(frame[:15])


def test_what_is_known_ahead_is_asked_for(known: TrainedForecast) -> None:
    frame = hourly(204)
    future = frame.with_columns(
        pl.when(pl.int_range(204) < 200).then(pl.col("load")).alias("load")
    )
    found = known.model.predict(future)
    assert found["time"].equals(frame["time"][200:])
    closed = future.with_columns(
        pl.when(pl.int_range(204) < 200).then(pl.col("open")).otherwise(0).alias("open")
    )
    other = known.model.predict(closed)
    assert not np.allclose(found["prediction"], other["prediction"])
    with pytest.raises(
        DataError, match=r"4 rows after .*'open', 'sky' of the times ahe"
    ):
        known.model.predict(frame[:200])
    with pytest.raises(DataError, match="got 3"):
        known.model.predict(future[:203])


def test_other_columns_of_later_rows_are_not_looked_at(known: TrainedForecast) -> None:
    frame = hourly(204).with_columns(
        pl.when(pl.int_range(204) < 200).then(pl.col("load")).alias("load")
    )
    other = frame.with_columns(
        pl.when(pl.int_range(204) < 200).then(pl.col("wind")).alias("wind")
    )
    assert known.model.predict(frame).equals(known.model.predict(other))


def test_a_missing_target_is_filled_forward_and_said(trained: TrainedForecast) -> None:
    frame = hourly(60)
    cells = frame["load"].to_list()
    cells[55] = None
    holed = frame.with_columns(pl.Series("load", cells))
    filled = frame.with_columns(
        pl.Series("load", [*cells[:55], cells[54], *cells[56:]])
    )
    found, lines = trained.model.predict_with_report(holed)
    assert found.equals(trained.model.predict(filled))
    assert lines == ["load: 1 cell missing, where the last known value is taken"]


REFUSED: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "no target": (lambda f: f.drop("load"), "there must be a column 'load'"),
    "no time": (lambda f: f.drop("time"), "there must be a column 'time'"),
    "no column": (lambda f: f.drop("wind"), "there must be a column 'wind'"),
    "a gap": (
        lambda f: pl.concat([f[:20], f[21:]]),
        "each time must come 1 hour after",
    ),
    "no value": (
        lambda f: f.with_columns(pl.lit(None, pl.Float64).alias("load")),
        "every cell is missing",
    ),
    "a column of words": (
        lambda f: f.with_columns(pl.lit("calm").alias("wind")),
        "wind",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_tables_that_cannot_be_used(trained: TrainedForecast, name: str) -> None:
    change, said = REFUSED[name]
    for ask in (trained.model.predict, trained.model.evaluate):
        with pytest.raises(DataError, match=said):
            ask(change(hourly(60)))


def test_a_dialect_is_kept(tmp_path: Path) -> None:
    text = as_text(hourly(200)).replace(",", ";").replace(".", ",")
    (tmp_path / "load.csv").write_text(text)
    trained = train(tmp_path / "load.csv", "load", separator=";", decimal=",", **HOW)
    trained.model.save(tmp_path / "load.thalweg")
    loaded = tw.load(tmp_path / "load.thalweg")
    assert isinstance(loaded, ForecastModel)
    assert loaded.predict(tmp_path / "load.csv").height == 4
