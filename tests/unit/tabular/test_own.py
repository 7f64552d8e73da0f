"""Tables of one's own to validate and to test on: nothing is learned of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DataError
from thalweg.report.evaluate import evaluated
from thalweg.report.table_evaluation import tested_table as table_of_the_test
from thalweg.search.tables import folds as folds_of
from thalweg.tables.read import read
from thalweg.tabular.model import TableModel
from thalweg.tabular.own import Own, ReadTable
from thalweg.tabular.prepare import prepare
from thalweg.tabular.settings import Settings
from thalweg.training.execution import Execution

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"
QUICK: dict[str, Any] = {"layers": (8,), "epochs": 3}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The penguins in three files: main.csv, validation.csv and test.csv."""
    head, *rows = PENGUINS.read_text("utf-8").splitlines()
    order = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    cut = {"main": order[:240], "validation": order[240:290], "test": order[290:]}
    for name, lines in cut.items():
        text = "\n".join([head, *lines, ""])
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(**sources: Any) -> Own:
    return Own.read(sources, Settings().dialect)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"test": "test.csv"}, [192, 48, 54]),
        ({"validation": "validation.csv"}, [192, 50, 48]),
        ({"validation": "validation.csv", "test": "test.csv"}, [240, 50, 54]),
    ],
)
def test_no_row_is_drawn_for_a_part_with_a_table(
    files: Path, given: dict[str, str], expected: list[int]
) -> None:
    found = prepare(read("main.csv"), "species", Settings(), own(**given))
    parts = (found.training, found.validation, found.test)
    assert [len(part.X) for part in parts] == expected
    for part, source in given.items():
        table = read(source)
        assert np.array_equal(getattr(found, part).X, found.encoder.transform(table).X)
    purpose = {"validation": "validated on", "test": "tested on"}
    for part, source in given.items():
        assert f"{purpose[part]} {source}, {read(source).rows} rows" in found.notes


def test_it_is_scored_as_evaluate_scores_it_and_nothing_is_learned_of_it(
    files: Path,
) -> None:
    trained = tw.train("main.csv", "species", test_data="test.csv", **QUICK)
    assert trained.model.evaluate("test.csv") == pytest.approx(trained.test)
    spoiled = pl.read_csv("test.csv").with_columns(body_mass_g=pl.lit(99_999))
    other = tw.train("main.csv", "species", test_data=spoiled, **QUICK)
    mine, theirs = (each.model.network.parameters for each in (trained, other))
    assert all((mine[name] == theirs[name]).all() for name in mine)
    assert trained.test != other.test


def frame(rows: int = 40, **more: Any) -> pl.DataFrame:
    x = np.random.default_rng(rows).normal(size=rows)
    return pl.DataFrame({"x": x, "y": np.where(x > 0, "up", "down"), **more})


def test_what_a_table_of_ones_own_has_otherwise_is_said() -> None:
    main, mine = frame(60), frame(20, more=1)
    mine = mine.with_columns(
        x=pl.when(pl.int_range(20) == 3).then(None).otherwise("x"),
        y=pl.when(pl.int_range(20) < 2).then(None).otherwise("y"),
    )
    mine = pl.concat([mine, main.head(4).with_columns(more=pl.lit(1))])
    found = prepare(read(main), "y", Settings(), own(test=mine))
    assert found.notes[:5] == (
        "tested on the table, 22 rows",
        "2 rows left out, as 'y' is missing there",
        "the table: x: 1 cell missing, though none was in training",
        "the table: not used, as training had no such column: 'more'",
        "4 rows of the table are in the table, too",
    )
    assert found.split.test.tolist() == list(range(2, 24))


def test_groups_on_both_sides_are_counted() -> None:
    main = frame(60, who=np.arange(60) // 5)
    mine = frame(20, who=np.arange(20) // 5 + 10)
    found = prepare(read(main), "y", Settings(group="who"), own(test=mine))
    assert "2 of 4 groups of the table are in the table, too" in found.notes


@pytest.mark.parametrize(
    ("mine", "message"),
    [
        (frame(20).drop("x"), "there must be a column 'x'"),
        (frame(20).drop("y"), "there must be a column 'y'"),
        (
            frame(20).with_columns(x=pl.lit("?!")),
            "'x': must hold a number in each cell, as in training, but 20 of 20",
        ),
        (
            pl.concat([frame(20), pl.DataFrame({"x": [1.0] * 3, "y": list("aba")})]),
            "row 21, column 'y': a class must be one .*'down', 'up', but 3 rows hold "
            "'a', 'b'",
        ),
    ],
)
def test_a_table_that_cant_be_scored_is_an_error(
    mine: pl.DataFrame, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        prepare(read(frame(60)), "y", Settings(), own(test=mine))


def test_time_cuts_what_is_left_to_cut() -> None:
    main, mine = frame(60, day=range(60)), frame(20, day=range(60, 80))
    asked = Settings(time="day")
    found = prepare(read(main), "y", asked, own(test=mine))
    assert found.split.validation.tolist() == list(range(48, 60))
    assert found.notes[0] == "validated on the 12 rows at the end, from 48 on"
    with pytest.raises(ArgumentError, match="time must be left out with validation"):
        prepare(read(main), "y", asked, own(test=mine, validation=mine))


@pytest.mark.parametrize("part", ["validation", "test"])
def test_a_share_and_a_table_dont_go_together(part: str) -> None:
    given: dict[str, Any] = {part: 0.1, f"{part}_data": frame()}
    for call in (tw.train, tw.tune):
        with pytest.raises(
            ArgumentError, match=f"{part} must be left out with {part}_"
        ):
            call(frame(), "y", **given)


def test_folds_leave_own_tables_alone(files: Path) -> None:
    settings, table = Settings(), read("main.csv")
    mine = own(validation="validation.csv", test="test.csv")
    prepared = prepare(table, "species", settings, mine)
    folds = folds_of(ReadTable(table, mine), prepared, settings, 3)
    assert [len(fold.validation.X) for fold in folds] == [50] * 3
    assert [len(fold.test.X) + len(fold.training.X) for fold in folds] == [240] * 3
    for fold in folds:
        X = fold.encoder.transform(read("validation.csv")).X
        assert np.array_equal(fold.validation.X, X)


# Kept ---------------------------------------------------------------------------------


def test_a_model_knows_its_tables_and_a_report_finds_them(files: Path) -> None:
    given = {"validation_data": "validation.csv", "test_data": "test.csv"}
    trained = tw.train("main.csv", "species", **given, **QUICK)
    data = trained.model.results["data"]
    assert [data[part]["name"] for part in ("validation", "test")] == [*given.values()]
    trained.model.save("main.thalweg")
    model = tw.load("main.thalweg")
    assert isinstance(model, TableModel)
    rows = evaluated(model, None, Execution()).rows
    assert rows is not None
    assert table_of_the_test(rows).name == "test.csv"
    assert np.array_equal(rows.prepared.test.X, trained.prepared.test.X)
    assert tw.write_report(trained, "a.html").read_text("utf-8").count("test.csv")
    Path("test.csv").rename("moved.csv")
    missing = evaluated(model, None, Execution())
    assert missing.rows is None
    assert missing.missing == "there is no test.csv in the current folder"
    moved = evaluated(model, None, Execution(), {"test": "moved.csv"})
    assert moved.rows is not None
    changed = pl.read_csv("moved.csv").head(50)
    with pytest.raises(DataError, match="it has 50 rows"):
        evaluated(model, "main.csv", Execution(), {"test": changed})
    drawn = replace(model, results={"data": data | {"test": None}})
    del drawn.results["data"]["test"]
    with pytest.raises(ArgumentError, match="test_data must be left out"):
        evaluated(drawn, None, Execution(), {"test": "moved.csv"})


def test_a_run_goes_on_with_the_same_tables(files: Path) -> None:
    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    given = {"validation_data": "validation.csv", "test_data": "test.csv"}
    how: dict[str, Any] = {"layers": (8,), "epochs": 4}
    whole = tw.train("main.csv", "species", **given, **how)
    point = tw.Checkpoint("runs")
    tw.train("main.csv", "species", **given, **how, checkpoint=point, callback=stop)
    Path("test.csv").rename("moved.csv")
    with pytest.raises(DataError, match=r"validation\.csv, its table for test, isn't"):
        tw.resume("runs", test_data="validation.csv")
    resumed: Any = tw.resume("runs", test_data="moved.csv")
    assert isinstance(resumed, type(whole))
    assert resumed.test == whole.test


def test_a_run_without_own_tables_takes_none(files: Path) -> None:
    point = tw.Checkpoint("runs")
    tw.train("main.csv", "species", **QUICK, checkpoint=point)
    with pytest.raises(ArgumentError, match="test_data must be left out: the run had"):
        tw.resume("runs", test_data="test.csv")
    X = np.ones((9, 1))
    tw.Network([tw.Dense(1)]).fit(X, X, epochs=1, checkpoint=tw.Checkpoint("network"))
    with pytest.raises(ArgumentError, match="test_data must be left out, as the run"):
        tw.resume("network", X, X, test_data="test.csv")
