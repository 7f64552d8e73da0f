"""Windows against a plain loop; lengths as rows; the calendar; the season."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.series_files import hourly
from thalweg.errors import ArgumentError
from thalweg.series.calendars import cycles_of, waves
from thalweg.series.lengths import DAY, HOUR
from thalweg.series.seasons import repeated_season, season_of
from thalweg.series.steps import Step, rows_of, usual_step
from thalweg.series.windows import history_windows, moved_back, target_windows
from thalweg.series.writing import written
from thalweg.tables.forms import DateForm

HOURS, MONTHS = Step("microseconds", HOUR), Step("months", 1)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 9), st.integers(1, 3))
def test_windows_are_those_of_a_loop(
    history: int, ahead: int, more: int, width: int
) -> None:
    times = history + ahead + more
    random = np.random.default_rng(times)
    features = random.normal(size=(times, width)).astype(np.float32)
    values = random.normal(size=times)
    X, y = history_windows(features, history), target_windows(values, history, ahead)
    assert len(X) == times - history + 1
    assert len(y) == times - history - ahead + 1
    for start in range(len(y)):
        assert np.array_equal(X[start], features[start : start + history])
        assert np.array_equal(
            y[start], values[start + history : start + history + ahead]
        )


def test_windows_take_no_memory() -> None:
    features = np.zeros((100, 4), np.float32)
    X = history_windows(features, 24)
    assert np.shares_memory(X, features)
    assert X[0].flags.c_contiguous
    assert not X.flags.writeable


@given(st.integers(1, 6), st.integers(1, 12), st.integers(1, 3))
def test_a_window_holds_what_is_known_of_every_time_ahead(
    history: int, ahead: int, columns: int
) -> None:
    times = history + 5
    shape = (times + ahead, columns)
    known = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    windows = history_windows(moved_back(known, history, ahead), history)
    for start, window in enumerate(windows):
        last = start + history - 1
        for horizon in range(1, ahead + 1):
            for number in known[last + horizon]:
                assert (window == number).any()
        assert window.max() == known[last + ahead].max()


@pytest.mark.parametrize(
    ("given", "step", "rows"),
    [
        (48, HOURS, 48),
        ("48", HOURS, 48),
        ("48h", HOURS, 48),
        ("2d", HOURS, 48),
        ("2880min", HOURS, 48),
        ("1w", HOURS, 168),
        ("90s", Step("microseconds", 30_000_000), 3),
        ("2y", MONTHS, 24),
        ("6mo", Step("months", 3), 2),
        (5, Step("numbers", 0.5), 5),
    ],
)
def test_durations_are_rows(given: int | str, step: Step, rows: int) -> None:
    assert rows_of("history", given, step) == rows


@pytest.mark.parametrize(
    ("given", "step", "said"),
    [
        ("90min", HOURS, "a whole number of steps of 1 hour, got '90min'"),
        ("5min", HOURS, "a whole number of steps"),
        ("7d", MONTHS, "a number of rows, or in mo or y, as the times are 1 month"),
        ("1mo", HOURS, "or in s or min or h or d or w"),
        (
            "1h",
            Step("numbers", 1.0),
            "must be a number of rows, as the times are 1 apart",
        ),
        ("5m", HOURS, "units are min for minutes, mo for months"),
        ("5 hours", HOURS, "units are s, min, h, d, w, mo, y"),
        ("-5", HOURS, "a number of rows, 1 or more"),
        ("0h", HOURS, "a number of rows, 1 or more"),
        (0, HOURS, "a number of rows, 1 or more"),
        (2.5, HOURS, "a number of rows, 1 or more"),
        (True, HOURS, "a number of rows, 1 or more"),
        ("9" * 30, HOURS, "a number of rows, 1 or more"),
    ],
)
def test_other_lengths_are_refused(given: object, step: Step, said: str) -> None:
    with pytest.raises(ArgumentError, match=r"^history must be") as caught:
        rows_of("history", given, step)
    assert said in str(caught.value)


def test_a_day_goes_round_and_comes_back() -> None:
    times = hourly(200)["time"]
    found = waves(times, ["day", "week"])
    assert np.allclose(found[:24, :2], found[24:48, :2], atol=1e-6)
    assert np.allclose(found[:24], found[168:192], atol=1e-6)
    steps = np.linalg.norm(np.diff(found[:, :2], axis=0), axis=1)
    assert steps.max() - steps.min() < 1e-6  # no jump at midnight
    assert np.allclose((found[:, 2:] ** 2).sum(axis=1), 1)


@pytest.mark.parametrize(
    ("every", "rows", "cycles"),
    [
        ("1h", 40, ()),
        ("1h", 60, ("day",)),
        ("1h", 400, ("day", "week")),
        ("1d", 40, ("week",)),
        ("1d", 800, ("week", "year")),
        ("1mo", 40, ("year",)),
        ("1w", 20, ()),
    ],
)
def test_cycles_were_seen_twice(every: str, rows: int, cycles: tuple[str, ...]) -> None:
    start = pl.Series(["2020-01-01"]).str.to_datetime("%Y-%m-%d", time_unit="us")
    number, unit = int(every.rstrip("hdmow")), every.lstrip("0123456789")
    frame = pl.DataFrame({"by": [f"{number * k}{unit}" for k in range(rows)]})
    moved = pl.lit(start[0]).cast(pl.Datetime("us")).dt.offset_by(pl.col("by"))
    times = frame.select(moved.alias("t"))["t"]
    assert cycles_of(times, usual_step(times)) == cycles


def test_the_season_is_the_one_that_repeats() -> None:
    hours = np.arange(24 * 7 * 4)
    daily, weekly = np.sin(hours / 12 * np.pi), (hours // 24 % 7 > 4) * 3.0
    assert season_of(daily, HOURS) == 24
    assert season_of(np.asarray(daily + weekly, np.float64), HOURS) == 168
    assert season_of(daily[:40], HOURS) is None
    assert season_of(np.arange(60.0), Step("microseconds", DAY)) == 7
    assert season_of(np.tile(np.arange(12.0), 5), MONTHS) == 12


@given(st.integers(1, 8), st.integers(1, 20))
def test_the_season_before_is_known_at_the_time(season: int, ahead: int) -> None:
    values = np.arange(40.0)
    found = repeated_season(values, np.array([19, 25]), ahead, season)
    for row, origin in enumerate((19, 25)):
        for horizon in range(1, ahead + 1):
            value = found[row, horizon - 1]
            assert value <= origin
            assert (origin + horizon - value) % season == 0
            assert value > origin - season


def test_times_are_written_as_they_were() -> None:
    times = hourly(2)["time"]
    assert written(times, DateForm()).to_list() == [
        "2024-03-01 00:00",
        "2024-03-01 01:00",
    ]
    assert written(times[:1], DateForm()).to_list() == ["2024-03-01"]
    assert written(times, DateForm(order="%d.%m.%y %H:%M"))[1] == "01.03.24 01:00"
    assert written(pl.Series([1.5]), DateForm()).to_list() == [1.5]
