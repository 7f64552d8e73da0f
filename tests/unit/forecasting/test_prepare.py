"""From a table to windows: no leak, the windows of a loop, borders, missing targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from support.series_files import hourly
from thalweg.errors import ArgumentError, DataError
from thalweg.forecasting.prepare import PreparedSeries, prepare
from thalweg.forecasting.settings import ForecastSettings
from thalweg.tables.read import read

SHORT: dict[str, Any] = {"time": "time", "history": 12, "ahead": 4}


def prepared(frame: pl.DataFrame, **given: Any) -> PreparedSeries:
    return prepare(read(frame), "load", ForecastSettings(**{**SHORT, **given}))


def with_value(frame: pl.DataFrame, row: int, name: str, value: Any) -> pl.DataFrame:
    cells = frame[name].to_list()
    cells[row] = value
    return frame.with_columns(pl.Series(name, cells, dtype=frame[name].dtype))


def test_windows_are_those_of_a_loop() -> None:
    frame = hourly(200)
    parts = prepared(frame, known_ahead=("open",))
    assert parts.cuts == (120, 160)
    load, trained = frame["load"].to_numpy(), frame["load"].to_numpy()[:120]
    scaled = (load - trained.mean()) / trained.std()
    names = parts.inputs.names("time")
    assert names[0] == "load"
    open_ = names.index("open")
    ahead = names.index("open, ahead")
    table = parts.inputs.encoder.transform(read(frame)).X
    spans = {"training": (12, 120), "validation": (120, 160), "test": (160, 200)}
    for name, (first, end) in spans.items():
        part = getattr(parts, name)
        starts = range(first, end - 4 + 1)
        assert len(part.X) == len(starts)
        for window, start in enumerate(starts):
            X = part.X[window]
            assert np.allclose(X[:, 0], scaled[start - 12 : start], atol=1e-6)
            assert np.array_equal(X[:, 1:6][:, :1], table[start - 12 : start, :1])
            assert np.array_equal(X[:, open_], table[start - 12 : start, open_ - 1])
            known = table[start - 8 : start + 4, open_ - 1]
            assert np.array_equal(X[:, ahead], known)
            assert np.array_equal(part.truth[window], load[start : start + 4])
            assert np.allclose(part.y[window], scaled[start : start + 4], atol=1e-6)


def test_windows_are_views() -> None:
    parts = prepared(hourly(200))
    for part in (parts.training, parts.validation, parts.test):
        assert np.shares_memory(part.X, parts.features)


@pytest.mark.parametrize("row", [120, 140, 160, 199])
@pytest.mark.parametrize("name", ["load", "wind", "sky"])
def test_a_later_row_changes_nothing_before(row: int, name: str) -> None:
    frame = hourly(200)
    other = with_value(frame, row, name, "snow" if name == "sky" else 1e3)
    before, after = prepared(frame), prepared(other)
    for part in ("training", "validation") if row >= 160 else ("training",):
        one, two = getattr(before, part), getattr(after, part)
        assert one.X.tobytes() == two.X.tobytes()
        assert one.y.tobytes() == two.y.tobytes()
    assert before.targets == after.targets
    assert before.inputs.encoder.encodings == after.inputs.encoder.encodings
    assert (before.season, before.inputs.cycles) == (after.season, after.inputs.cycles)


def test_a_later_drift_is_not_known_before() -> None:
    frame = hourly(200)
    later = pl.int_range(200) >= 120
    drift = pl.col("load") + 50 * (pl.int_range(200) - 119)
    other = frame.with_columns(
        pl.when(later).then(drift).otherwise("load").alias("load")
    )
    before, after = prepared(frame), prepared(other)
    assert not after.inputs.relative
    assert before.season == after.season == 24
    assert before.training.y.tobytes() == after.training.y.tobytes()


def test_an_earlier_row_does_change_them() -> None:
    frame = hourly(200)
    other = with_value(frame, 119, "load", 1e3)
    one, two = prepared(frame).training.X, prepared(other).training.X
    assert one.tobytes() != two.tobytes()


def test_no_window_sees_what_it_is_to_forecast() -> None:
    frame = hourly(200)
    for row in (150, 199):
        other = with_value(frame, row, "load", 1e3)
        one, two = prepared(frame), prepared(other)
        for part in ("validation", "test"):
            X, changed = getattr(one, part), getattr(two, part)
            asked = (X.truth != changed.truth).any(axis=1)
            assert np.array_equal(X.X[asked], changed.X[asked])


def test_the_order_of_rows_does_not_matter() -> None:
    frame = hourly(200)
    shuffled = frame.sample(200, shuffle=True, seed=5)
    one, two = prepared(frame), prepared(shuffled)
    assert one.features.tobytes() == two.features.tobytes()
    assert one.training.y.tobytes() == two.training.y.tobytes()
    assert two.notes[0] == "rows are put in order of 'time'"
    assert one.notes == two.notes[1:]


@pytest.mark.parametrize(
    ("history", "ahead"), [("12h", "4h"), ("720min", "240min"), (12, "4h")]
)
def test_durations_are_rows(history: Any, ahead: Any) -> None:
    one, two = (
        prepared(hourly(200)),
        prepared(hourly(200), history=history, ahead=ahead),
    )
    assert one.training.X.tobytes() == two.training.X.tobytes()


def test_a_missing_target_is_neither_learned_nor_scored() -> None:
    frame = hourly(200)
    for row in (0, 50, 51, 180, 199):
        frame = with_value(frame, row, "load", None)
    parts = prepared(frame)
    said = " ".join(parts.notes)
    assert "the first 1 row left out, as 'load' is missing there" in said
    assert "the last 1 row left out" in said
    assert "'load' is missing in 3 rows" in said
    assert parts.values[49] == parts.values[50] == parts.values[48]
    learned = parts.training.weights
    assert learned is not None
    for window, weight in enumerate(learned):
        known = {49, 50}.isdisjoint(range(window + 12, window + 16))
        assert weight == float(known)
    assert np.isnan(parts.test.truth).sum() == 4


def test_a_missing_cell_elsewhere_is_what_tables_make_of_it() -> None:
    frame = with_value(hourly(200), 30, "wind", None)
    parts = prepared(frame)
    names = parts.inputs.names("time")
    marked = parts.features[:, names.index("wind missing")]
    assert np.flatnonzero(marked).tolist() == [30]


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a table that is too short": (
        {"history": 150, "ahead": 4},
        DataError,
        "too few rows for history and ahead, 150 \\+ 4 rows: of 200 there are 120 to "
        "train on, and 163 are needed",
    ),
    "a test that is too short": (
        {"ahead": 41},
        DataError,
        "of 200 there are 40 to validate on, and 41 are needed",
    ),
    "no such time": ({"time": "tim"}, ArgumentError, "time must name a column.*'time'"),
    "no such known": (
        {"known_ahead": ("opn",)},
        ArgumentError,
        "known_ahead must name columns of the table, got 'opn': did you mean 'open'",
    ),
    "the target known": (
        {"known_ahead": ("load",)},
        ArgumentError,
        "known_ahead must be other columns than the target",
    ),
    "the time known": (
        {"known_ahead": ("time",)},
        ArgumentError,
        "known_ahead must be other columns than the time",
    ),
    "what is set aside known": (
        {"known_ahead": ("sky",), "ignore": ("sky",)},
        ArgumentError,
        "'sky' is set aside: as asked",
    ),
    "times that are words": ({"time": "sky"}, DataError, "must be dates, times or num"),
    "times that repeat": ({"time": "open"}, DataError, "each time must be there once"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused(name: str) -> None:
    given, kind, said = REFUSED[name]
    with pytest.raises(kind, match=said):
        prepared(hourly(200), **given)


@pytest.mark.parametrize("target", ["sky", "time"])
def test_the_target_is_a_number(target: str) -> None:
    settings = ForecastSettings(**SHORT)
    with pytest.raises((DataError, ArgumentError), match=target):
        prepare(read(hourly(200)), target, settings)


def test_a_time_and_a_target_are_enough() -> None:
    parts = prepared(hourly(200).select("time", "load"))
    assert parts.inputs.names("time") == [
        "load",
        "time (sine of day), ahead",
        "time (cosine of day), ahead",
    ]
    numbered = hourly(200).select("load").with_row_index("time")
    assert prepared(numbered).inputs.names("time") == ["load"]


def test_a_column_of_many_categories_is_set_aside() -> None:
    frame = hourly(1_000).with_columns(
        pl.Series("town", [f"town {row % 90}" for row in range(1_000)])
    )
    parts = prepared(frame)
    aside = {each.name: each.reason for each in parts.schema.set_aside}
    assert "more than a forecast can use yet" in aside["town"]
    with pytest.raises(ArgumentError, match="fewer categories than 'town'"):
        prepared(frame, known_ahead=("town",))
