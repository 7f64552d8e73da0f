"""Reports of sequences and of forecasts, and what all kinds of data share."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from support.parsed_html import Node, parsed
from thalweg.forecasting.learn import TrainedForecast
from thalweg.kinds.row_errors import ClassErrors
from thalweg.report.about_sequences import length_groups
from thalweg.report.about_series import by_place, window_errors, worst_windows
from thalweg.report.evaluate import evaluated
from thalweg.report.forecast_evaluation import EvaluatedSeries
from thalweg.report.forecast_evaluation import kept as kept_series
from thalweg.report.formatting import number
from thalweg.report.sequence_evaluation import EvaluatedSequences
from thalweg.report.sequence_evaluation import kept as kept_sequences
from thalweg.sequences.learn import TrainedOnSequences
from thalweg.training.execution import Execution

HOW: dict[str, Any] = {"units": 4, "epochs": 2}
WHICH: dict[str, Any] = {"sequence": "id", "order": "t"}
HOURS: dict[str, Any] = {"time": "time", "history": 24, "ahead": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of sequences, and one of a series that is off at 6 o'clock."""
    folder = tmp_path_factory.mktemp("kinds")
    random = np.random.default_rng(0)
    lengths = random.integers(4, 20, 60)
    rows = [
        {
            "id": f"s{n}",
            "t": t,
            "x": (n % 2) * t + random.normal(),
            "y": random.normal(),
            "kind": ("flat", "up")[n % 2],
            "size": n / 10,
        }
        for n, length in enumerate(lengths)
        for t in range(length)
    ]
    pl.DataFrame(rows).write_csv(folder / "steps.csv")
    hours = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 20, 23), "1h", eager=True
    )
    load = np.sin(2 * np.pi * np.arange(len(hours)) / 24) + 0.1 * random.normal(
        size=len(hours)
    )
    series = pl.DataFrame({"time": hours.dt.to_string("%Y-%m-%d %H:%M"), "load": load})
    series.write_csv(folder / "load.csv")
    return folder


@pytest.fixture(scope="module")
def sequences(folder: Path) -> TrainedOnSequences:
    return tw.train(folder / "steps.csv", "kind", **WHICH, ignore=("size",), **HOW)


@pytest.fixture(scope="module")
def sizes(folder: Path) -> TrainedOnSequences:
    return tw.train(folder / "steps.csv", "size", **WHICH, ignore=("kind",), **HOW)


@pytest.fixture(scope="module")
def forecast(folder: Path) -> TrainedForecast:
    return tw.train(folder / "load.csv", "load", **HOURS, **HOW)


def page_of(trained: Any, folder: Path, data: Any = None) -> Node:
    path = tw.write_report(trained, folder / "report.html", data)
    return parsed(path.read_text(encoding="utf-8"))


def sections(page: Node) -> list[str]:
    return [node.attributes["id"] for node in page.all("section")]


def cells(page: Node) -> list[list[str]]:
    """All tables, without the seconds of the one that has them last."""
    tables = [table.rows() for table in page.all("table")]
    return [row[:-1] for table in tables for row in table]


# Of every kind ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sequences", "sizes", "forecast"])
def test_a_loaded_model_with_its_data_reports_what_training_did(
    name: str,
    folder: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained = request.getfixturevalue(name)
    monkeypatch.chdir(tmp_path)
    trained.model.save("saved.thalweg")
    source = folder / trained.model.results["data"]["name"]
    at_once = page_of(trained, tmp_path)
    later = page_of(tw.load("saved.thalweg"), tmp_path, source)
    assert cells(later) == cells(at_once)
    told = [n.attributes.get("aria-label") for n in at_once.all("div")]
    assert [n.attributes.get("aria-label") for n in later.all("div")] == told
    without = page_of(tw.load("saved.thalweg"), tmp_path)
    (note,) = [n for n in without.all("p") if "there is no" in n.text]
    assert f"there is no {source.name} in the current folder" in note.text
    assert {"split", "worst"} & set(sections(without)) == set()
    assert {"split", "worst"} <= set(sections(later))


@pytest.mark.parametrize("name", ["sequences", "forecast"])
@pytest.mark.parametrize(
    "results",
    [
        {},
        {"data": 1, "settings": [], "test": None, "baselines": "x", "by_horizon": 3},
        {"settings": {"unknown": 1}, "test": {"rmse": "low"}, "by_horizon": {"a": 1}},
        {"baselines": {"a": 3}, "by_horizon": {"a": {"rmse": ["x"] * 4}}},
    ],
)
def test_results_of_any_kind_are_shown_or_left_out(
    name: str, results: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name).model
    page = page_of(replace(model, results=results), tmp_path)
    assert "the model doesn't say" in page.text


@pytest.mark.parametrize("name", ["..", ".", "/", "", "a" * 5_000, "\0"])
def test_a_name_that_is_none_of_a_file_here_is_not_looked_for(
    name: str, sequences: TrainedOnSequences
) -> None:
    model = sequences.model
    data = {**model.results["data"], "name": name}
    found = evaluated(
        replace(model, results={**model.results, "data": data}), None, Execution()
    )
    assert found.rows is None
    assert "doesn't say what" in found.missing or "in the current" in found.missing


@pytest.mark.parametrize("name", ["sequences", "forecast"])
def test_data_that_the_model_had_not_is_refused(
    name: str, folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(name).model
    source = folder / model.results["data"]["name"]
    few = tmp_path / source.name
    pl.read_csv(source).head(-1).write_csv(few)
    with pytest.raises(tw.DataError, match=r"must be the table that .* it has \d+ row"):
        page_of(model, tmp_path, few)
    with pytest.raises(tw.ArgumentError, match="test_data must be left out"):
        tw.write_report(model, tmp_path / "a.html", source, test_data=source)


# Sequences ----------------------------------------------------------------------------


def test_sequences_of_classes_have_the_sections_of_a_table(
    sequences: TrainedOnSequences, tmp_path: Path
) -> None:
    page = page_of(sequences, tmp_path)
    assert sections(page) == [
        *("summary", "sequences", "split", "training", "test", "comparison", "errors"),
        *("reliability", "lengths", "worst", "formulas", "repeat"),
    ]
    tested = len(sequences.prepared.test.X)
    assert len(page.table(f"{tested} sequences never used")) == len(sequences.test)
    rows = [row[0] for row in page.table("Scores on the same test sequences")]
    assert rows == ["network", "random kernels", "nearest sequence", "constant guess"]
    assert "the rows with one id, by t" in page.text


def test_the_worst_sequences_are_the_worst(
    sequences: TrainedOnSequences, tmp_path: Path
) -> None:
    rows = page_of(sequences, tmp_path).table("The 6 test sequences")
    errors, parts = sequences.errors, sequences.prepared
    assert isinstance(errors, ClassErrors)
    order = np.argsort(errors.of_truth, kind="stable")[:6]
    assert [row[3] for row in rows] == [
        number(float(errors.of_truth[i])) for i in order
    ]
    names = [parts.sequences.names[int(parts.split.test[i])] for i in order]
    assert [row[0] for row in rows] == names
    table = pl.read_csv(Path(str(parts.table.file and parts.table.file.path)))
    for id, truth, *_, length in rows:
        own = table.filter(pl.col("id") == id)
        assert (own["kind"].unique().to_list(), str(len(own))) == ([truth], length)


def test_groups_by_length_hold_every_test_sequence_once(
    sequences: TrainedOnSequences, sizes: TrainedOnSequences
) -> None:
    for trained in (sequences, sizes):
        rows = kept_sequences(trained, Execution())
        groups = length_groups(rows)
        lengths = rows.lengths
        assert len(groups) > 1
        assert sum(each.count for each in groups) == len(lengths)
        for each in groups:
            own = (lengths >= each.low) & (lengths <= each.high)
            assert own.sum() == each.count
            wrong = rows.errors.error[own]
            if isinstance(rows.errors, ClassErrors):
                wrong = rows.errors.truth[own] == rows.errors.predicted[own]
            assert each.value == pytest.approx(wrong.mean())


def test_sequences_of_one_length_are_not_grouped(
    sequences: TrainedOnSequences,
) -> None:
    rows = kept_sequences(sequences, Execution())
    test = replace(rows.prepared.test, X=[each[:4] for each in rows.prepared.test.X])  # pyright: ignore[reportArgumentType]
    same = EvaluatedSequences(
        replace(rows.prepared, test=test), rows.errors, "sequence", others=()
    )
    assert len(length_groups(same)) == 1


# Forecasts ----------------------------------------------------------------------------


def test_a_forecast_shows_its_test(forecast: TrainedForecast, tmp_path: Path) -> None:
    page = page_of(forecast, tmp_path)
    assert sections(page) == [
        *("summary", "series", "split", "training", "test", "comparison", "horizons"),
        *("period", "calendar", "worst", "formulas", "repeat"),
    ]
    parts = page.table("The parts")
    assert sum(int(row[4]) for row in parts) == 480
    assert [row[3] for row in parts][:2] == ["2024-01-12 23:00", "2024-01-16 23:00"]
    assert [row[2] for row in parts][1:] == ["2024-01-13 00:00", "2024-01-17 00:00"]
    line = next(c.text for c in page.all("code") if c.text.startswith("thalweg train"))
    assert "--time time --history 24 --ahead 4" in line


@pytest.fixture(scope="module")
def series(forecast: TrainedForecast) -> EvaluatedSeries:
    return kept_series(forecast, Execution())


def test_residuals_by_hour_are_those_of_polars(series: EvaluatedSeries) -> None:
    parts, errors = series.prepared, series.errors
    frame = pl.concat(
        pl.DataFrame(
            {
                "hour": parts.order.moments.gather(
                    parts.test_origins + 1 + h
                ).dt.hour(),
                "wrong": errors.truth[:, h] - errors.predicted[:, h],
            }
        )
        for h in range(parts.ahead)
    )
    wanted = frame.group_by("hour").agg(
        pl.col("wrong").mean().alias("mean"),
        (pl.col("wrong") ** 2).mean().sqrt().alias("rmse"),
        pl.len().alias("count"),
    )
    found = by_place(series, "day")
    assert [name for name, *_ in found] == [f"{hour}:00" for hour in range(24)]
    for (_, *values), row in zip(found, wanted.sort("hour").iter_rows(), strict=True):
        assert values == pytest.approx(row[1:])


def test_the_worst_windows_are_the_worst_and_apart(series: EvaluatedSeries) -> None:
    chosen, ahead = worst_windows(series), series.prepared.ahead
    wrong = series.errors.truth - series.errors.predicted
    each = np.sqrt(np.square(wrong).mean(axis=1))
    np.testing.assert_allclose(window_errors(series), each)
    assert len(chosen) == 4
    assert chosen[0] == each.argmax()
    for window in np.flatnonzero(each > each[chosen[-1]]):
        assert min(abs(window - other) for other in chosen) < ahead
    for place, window in enumerate(chosen):
        assert all(abs(window - other) >= ahead for other in chosen[:place])


def test_windows_without_a_truth_are_not_the_worst(series: EvaluatedSeries) -> None:
    truth = series.errors.truth.copy()
    truth[window_errors(series).argmax()] = np.nan
    truth[0, 0] = np.nan
    gaps = replace(series, errors=replace(series.errors, truth=truth))
    found = window_errors(gaps)
    assert found[window_errors(series).argmax()] == -1
    assert not np.isnan(found).any()
    assert window_errors(series).argmax() not in worst_windows(gaps)
