"""From a table to a tested forecast: the same bits, resumed, beside its baselines."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge

import thalweg as tw
from support.series_files import as_text, hourly
from thalweg.errors import ArgumentError, DataError
from thalweg.files.modelfile import read_model
from thalweg.forecasting.baselines import PENALTIES, autoregression
from thalweg.forecasting.learn import TrainedForecast
from thalweg.forecasting.prepare import prepare
from thalweg.forecasting.settings import CELLS, ForecastSettings
from thalweg.series.windows import history_windows
from thalweg.tables.read import read

SHORT: dict[str, Any] = {"time": "time", "history": 12, "ahead": 4}
QUICK: dict[str, Any] = {**SHORT, "units": 4, "epochs": 3}


def train(*given: Any, **settings: Any) -> TrainedForecast:
    """What was learned of a series."""
    found: Any = tw.train(*given, **settings)
    assert isinstance(found, TrainedForecast)
    return found


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "load.csv"
    path.write_text(as_text(hourly(200)))
    return path


def content(trained: TrainedForecast, path: str) -> tuple[dict[str, bytes], Any]:
    """All of a model file but how long each epoch took."""
    trained.model.save(path)
    tensors, document = read_model(path)
    del tensors["times"]
    return {name: array.tobytes() for name, array in tensors.items()}, document


def test_a_network_learns_what_repeats() -> None:
    how: dict[str, Any] = {"time": "time", "history": "1d", "ahead": "6h"}
    trained = train(
        hourly(600), "load", known_ahead="open", cell="none", epochs=60, **how
    )
    assert trained.test["r2"] > 0.95
    assert trained.test["rmse"] < trained.baselines["last value"]["rmse"] / 3
    assert trained.test["rmse"] < trained.baselines["season before (24 rows)"]["rmse"]
    assert [*trained.model.results["by_horizon"]] == ["network", *trained.baselines]
    assert trained.errors.by_horizon["rmse"] == pytest.approx(
        np.sqrt(np.mean((trained.errors.truth - trained.errors.predicted) ** 2, axis=0))
    )
    assert trained.model.results["test"] == trained.test


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_bits_for_any_number_of_threads(
    table: Path, cell: str, threads: int
) -> None:
    how: dict[str, Any] = {**QUICK, "epochs": 2, "cell": cell}
    one = content(train(table, "load", threads=1, **how), "one.thalweg")
    other = content(train(table, "load", threads=threads, **how), "other.thalweg")
    assert one == other


def test_shuffled_rows_give_the_same_network(table: Path) -> None:
    one = train(table, "load", **QUICK)
    shuffled = hourly(200).sample(200, shuffle=True, seed=1)
    Path("shuffled.csv").write_text(as_text(shuffled))
    other = train("shuffled.csv", "load", **QUICK)
    for name, values in one.model.network.parameters.items():
        assert values.tobytes() == other.model.network.parameters[name].tobytes()
    assert one.test == other.test
    assert one.baselines == other.baselines


def test_a_duration_is_so_many_rows(table: Path) -> None:
    how: dict[str, Any] = {**QUICK, "epochs": 1}
    one = train(table, "load", **how)
    other = train(table, "load", **{**how, "history": "12h", "ahead": "240min"})
    for name, values in one.model.network.parameters.items():
        assert values.tobytes() == other.model.network.parameters[name].tobytes()


def test_a_resumed_run_is_the_whole_run(table: Path) -> None:
    how: dict[str, Any] = {**QUICK, "epochs": 5}
    whole = content(train(table, "load", **how), "whole.thalweg")

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    checkpoint = tw.Checkpoint("run")
    part = train(table, "load", checkpoint=checkpoint, callback=stop, **how)
    assert part.history.stopped_because.startswith("interrupted")
    resumed = tw.resume("run", threads=2)
    assert isinstance(resumed, TrainedForecast)
    assert content(resumed, "resumed.thalweg") == whole


def test_a_run_goes_on_with_the_same_table_alone(table: Path) -> None:
    train(table, "load", checkpoint=tw.Checkpoint("run"), **QUICK)
    table.write_text(as_text(hourly(200, seed=1)))
    with pytest.raises(DataError, match="must be the table that the run in"):
        tw.resume("run")


def test_the_autoregression_is_ridge_regression() -> None:
    parts = prepare(read(hourly(200)), "load", ForecastSettings(**SHORT))
    flat = {
        name: np.array(part.X).reshape(len(part.X), -1)
        for name, part in (
            ("training", parts.training),
            ("validation", parts.validation),
            ("test", parts.test),
        )
    }
    models = [Ridge(p).fit(flat["training"], parts.training.y) for p in PENALTIES]
    losses = [
        np.mean((m.predict(flat["validation"]) - parts.validation.y) ** 2)
        for m in models
    ]
    best = models[int(np.argmin(losses))]
    wanted = parts.inputs.targets.decode(best.predict(flat["test"]))
    assert np.allclose(autoregression(parts)[0], wanted, rtol=1e-4)


def test_naive_forecasts_know_the_past_alone() -> None:
    frame = hourly(200)
    trained = train(frame, "load", **{**QUICK, "epochs": 1})
    values = frame["load"].to_numpy()
    found = {each.name: each.errors.predicted for each in trained.others}
    for window, origin in enumerate(range(159, 196)):
        last = found["last value"][window]
        season = found["season before (24 rows)"][window]
        assert np.array_equal(last, [values[origin]] * 4)
        assert np.array_equal(season, values[origin - 23 : origin - 19])


def test_windows_are_learned_from_where_they_lie() -> None:
    times, history, width = 60_000, 64, 4
    features = np.random.default_rng(0).normal(size=(times, width)).astype(np.float32)
    X = history_windows(features, history)
    y = features[history - 1 :, 0].copy()
    network = tw.Network([tw.Flatten(), tw.Dense(1)])
    tracemalloc.start()
    try:
        network.fit(X, y, epochs=1, batch_size=1000, validation=(X[:100], y[:100]))
        network.predict(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.size * 4 / 2  # whether numbers are finite is a byte for each


def test_views_train_like_copies() -> None:
    features = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    X = history_windows(features, 16)
    y = features[15:, :2]
    found = []
    for given in (X, np.ascontiguousarray(X), X[::1], np.array(X, np.float64)):
        network = tw.Network([tw.GRU(4), tw.Last(), tw.Dense(2)])
        network.fit(given, y, epochs=2)
        found.append((network.parameters, network.predict(given)))
    for parameters, predictions in found[1:]:
        assert predictions.tobytes() == found[0][1].tobytes()
        for name, values in found[0][0].items():
            assert values.tobytes() == parameters[name].tobytes()


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no time": ({"history": 5, "ahead": 2}, "time must be given for a forecast"),
    "no history": ({"time": "time", "ahead": 2}, "history must be given"),
    "no ahead": ({"time": "time", "history": 2}, "ahead must be given"),
    "only what is known": ({"time": "time", "known_ahead": "open"}, "history must be"),
    "a misspelled setting": ({**SHORT, "unitz": 3}, "did you mean 'units'"),
    "a misspelled cell": (
        {**SHORT, "cell": "gruu"},
        "there is no cell 'gruu': did you",
    ),
    "a loss of classes": (
        {**SHORT, "loss": "cross_entropy"},
        "there is no loss of a forecast 'cross_entropy'",
    ),
    "a word for a length": (
        {**SHORT, "ahead": "soon"},
        "ahead must be a number of row",
    ),
    "a group": ({**SHORT, "group": "sky"}, "a forecast: it is a setting of a table"),
    "tables of one's own": (
        {**SHORT, "test_data": "other.csv"},
        "test_data must be left out: a series is split by its times",
    ),
    "shares that leave nothing": (
        {**SHORT, "test": 0.6, "validation": 0.5},
        "validation and test together must be below 1",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be_used(name: str) -> None:
    given, said = SETTINGS[name]
    with pytest.raises(ArgumentError, match=said):
        train(hourly(200), "load", **given)


def test_without_a_target_the_message_asks_for_one() -> None:
    with pytest.raises(ArgumentError, match="target must be given"):
        train(hourly(200), **SHORT)


def test_a_history_shorter_than_the_season_is_said() -> None:
    trained = train(hourly(200), "load", **{**QUICK, "epochs": 1})
    assert trained.notes == (
        "the training rows repeat best after 24 rows, but a history has 12: one of 24 "
        "would show the network a whole season",
    )
    longer = train(hourly(200), "load", **{**QUICK, "epochs": 1, "history": "1d"})
    assert longer.notes == ()


def test_a_month_is_no_fixed_time() -> None:
    months = pl.datetime_range(
        pl.datetime(2000, 1, 31), pl.datetime(2012, 12, 31), "1mo", eager=True
    ).dt.month_end()
    season = 10 + np.tile(np.arange(12.0), 13)
    frame = pl.DataFrame({"month": months, "sold": season})
    how: dict[str, Any] = {"time": "month", "history": "1y", "ahead": "3mo"}
    trained = train(frame, "sold", units=4, epochs=2, **how)
    assert trained.baselines["season before (12 rows)"]["rmse"] == 0
    later = trained.model.predict(frame)["month"].dt.to_string("%Y-%m-%d").to_list()
    assert later == ["2013-01-31", "2013-02-28", "2013-03-31"]


def drifting(rows: int) -> pl.DataFrame:
    """A series that goes up, with a season of a week."""
    days = np.arange(rows)
    season = np.tile([0.0, 0, 1, 2, 1, 0, 0], rows // 7 + 1)[:rows]
    noise = np.random.default_rng(0).normal(0, 0.1, rows)
    return pl.DataFrame({"day": days, "sold": 100 + 0.5 * days + 3 * season + noise})


@pytest.mark.parametrize("cell", ["none", "gru"])
def test_a_series_that_drifts_is_learned_by_its_changes(
    cell: str, tmp_path: Path
) -> None:
    frame = drifting(400)
    how: dict[str, Any] = {"time": "day", "history": 14, "ahead": 7, "units": 16}
    trained = train(frame, "sold", cell=cell, epochs=30, **how)
    assert trained.model.inputs.relative
    assert trained.test["r2"] > 0.9  # far above all values that it learned from
    assert trained.test["rmse"] < trained.baselines["last value"]["rmse"] / 2
    trained.model.save(tmp_path / "sold.thalweg")
    loaded = tw.load(tmp_path / "sold.thalweg")
    found = trained.model.predict(frame)
    assert loaded.predict(frame).equals(found)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    last = trained.model.predict(frame[-14:])
    assert np.allclose(last["prediction"], found["prediction"], rtol=1e-5)
    first = trained.prepared.cuts[1] - 14
    metrics = trained.model.evaluate(frame[first:])
    assert metrics == pytest.approx(trained.test, rel=1e-4)


def test_a_level_says_where_it_is() -> None:
    parts = prepare(read(hourly(200)), "load", ForecastSettings(**SHORT))
    assert not parts.inputs.relative


def test_what_is_learned_of_a_drift_are_changes() -> None:
    settings = ForecastSettings(time="day", history=14, ahead=7)
    parts = prepare(read(drifting(400)), "sold", settings)
    values, deviation = parts.values, parts.inputs.targets.scale.deviation
    for window in (0, 100):
        last = values[window + 13]
        changes = values[window + 14 : window + 21] - last
        assert np.allclose(parts.training.y[window] * deviation, changes, atol=1e-4)
