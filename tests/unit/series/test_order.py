"""Times in order: their step, gaps, repeats, and what comes after."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from support.series_files import as_text, hourly
from thalweg.errors import DataError
from thalweg.series.order import Order, in_order
from thalweg.series.steps import Step, usual_step
from thalweg.tables.infer import infer_column
from thalweg.tables.read import read
from thalweg.tables.table import Table

STEPS = {
    "30s": "30 seconds",
    "15min": "15 minutes",
    "h": "1 hour",
    "D": "1 day",
    "W": "1 week",
    "MS": "1 month",
    "ME": "1 month",
    "QS": "3 months",
    "YS": "12 months",
}


def ordered(table: Table, name: str = "time", step: Step | None = None) -> Order:
    return in_order(table, infer_column(table, name), step)


@pytest.mark.parametrize("frequency", STEPS)
def test_the_next_times_are_those_of_pandas(frequency: str) -> None:
    times = pd.date_range("2023-12-31 00:00", periods=48, freq=frequency)
    every = pl.Series(times.to_numpy()).cast(pl.Datetime("us"))
    known, later = every[:30], every[30:]
    step = usual_step(known)
    assert str(step) == STEPS[frequency]
    assert not step.gaps(every).any()
    assert step.after(known[-1:], len(later)).equals(later)
    assert Step.from_dict(step.to_dict()) == step


def test_numbers_and_times_of_day_have_steps() -> None:
    numbers = usual_step(pl.Series(np.arange(10) * 0.1))
    assert numbers.unit == "numbers"
    assert not numbers.gaps(pl.Series(np.arange(40) * 0.1)).any()
    assert numbers.after(pl.Series([0.9]), 2).to_list() == pytest.approx([1.0, 1.1])
    clock = pl.Series(["22:00", "22:30", "23:00"]).str.to_time("%H:%M")
    step = usual_step(clock)
    assert str(step) == "30 minutes"
    later = step.after(clock[-1:], 2).dt.to_string("%H:%M").to_list()
    assert later == ["23:30", "00:00"]


@pytest.mark.parametrize("packed", [False, True])
def test_rows_are_put_in_order(tmp_path, packed: bool) -> None:
    frame = hourly(60)
    shuffled = frame.sample(60, shuffle=True, seed=3)
    source = shuffled
    if packed:
        (tmp_path / "load.csv").write_text(as_text(shuffled))
        source = tmp_path / "load.csv"
    found = ordered(read(source))
    assert found.moments.equals(frame["time"])
    assert np.array_equal(
        shuffled["load"].gather(found.rows).to_numpy(), frame["load"].to_numpy()
    )
    assert found.notes == ("rows are put in order of 'time'",)
    assert ordered(read(frame)).notes == ()


def test_the_first_gap_is_shown(tmp_path) -> None:
    frame = hourly(60)
    holes = pl.concat([frame[:10], frame[13:30], frame[31:]])
    (tmp_path / "load.csv").write_text(as_text(holes))
    with pytest.raises(DataError) as caught:
        ordered(read(tmp_path / "load.csv"))
    assert str(caught.value) == (
        "load.csv, line 12, column 'time': each time must come 1 hour after the one "
        "before, but after 2024-03-01 09:00 (line 11) should come 2024-03-01 10:00:00 "
        "and comes 2024-03-01 13:00; so it is in 1 other place; fill the gaps with "
        "rows, or keep the rows after the last"
    )


def test_a_time_is_there_once(tmp_path) -> None:
    frame = hourly(20)
    (tmp_path / "load.csv").write_text(as_text(pl.concat([frame, frame[4:6]])))
    with pytest.raises(DataError, match=r"line 22.*2024-03-01 04:00 is in line 6, too"):
        ordered(read(tmp_path / "load.csv"))


def test_a_time_is_known() -> None:
    frame = hourly(20).with_columns(
        pl.when(pl.col("wind") > 0).then(pl.col("time")).alias("time")
    )
    holed = frame.with_columns(
        pl.Series("time", [*frame["time"][:5], None, *frame["time"][6:]])
    )
    with pytest.raises(DataError, match=r"row 6.*must be known in every row"):
        ordered(read(holed))


def test_another_step_than_in_training_is_refused() -> None:
    with pytest.raises(DataError, match="must come 30 minutes after the one before"):
        ordered(read(hourly(20)), step=Step("microseconds", 1_800_000_000))


def test_two_rows_are_no_series() -> None:
    with pytest.raises(DataError, match="at least 3 rows, got 2"):
        ordered(read(hourly(2)))
