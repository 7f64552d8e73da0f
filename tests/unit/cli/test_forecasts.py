"""The command line on a series: trained, forecast, scored, explained, misused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import thalweg as tw
from support.series_files import as_text, hourly
from thalweg.cli import run

QUICK = ("--time", "time", "--history", "12h", "--ahead", "4")
SMALL = ("--epochs", "2", "--units", "4")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a model was trained."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "load.csv").write_text(as_text(hourly(200)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        how = (*QUICK, *SMALL, "--known-ahead", "open,sky", "--quiet")
        assert run(["train", "load.csv", "--target", "load", *how]) == 0
    return folder


@pytest.fixture
def model(thalweg, trained: Path, tmp_path: Path) -> str:
    for name in ("load.csv", "load.thalweg"):
        shutil.copy(trained / name, tmp_path / name)
    return "load.thalweg"


@pytest.fixture
def table(thalweg, tmp_path: Path) -> str:
    (tmp_path / "load.csv").write_text(as_text(hourly(200)))
    return "load.csv"


def test_it_says_what_it_does(thalweg, table: str) -> None:
    result = thalweg("train", table, "--target", "load", *QUICK, *SMALL)
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    for part in (
        "Times time, from 2024-03-01 00:00 to 2024-03-09 07:00, 1 hour apart",
        "Forecast load, 4 rows (4 hours) ahead of a history of 12 rows (12 hours)",
        "known of the times ahead: hour of day",
        "105 to learn from, 37 to choose the best epoch, 37 to test once at the end",
        "tested on the last 40 times, from 2024-03-07 16:00 on",
        "GRU 4",
        "37 windows never used",
        "linear autoregression",
        "season before (24 rows)",
        "last value",
        "rmse at times ahead 1 2 3 4",
        "Skill rmse is ",
        "Saved load.thalweg",
        "Next thalweg predict load.thalweg RECENT",
    ):
        assert part in said, part


def test_programs_are_told(thalweg, table: str) -> None:
    result = thalweg("train", table, "--target", "load", *QUICK, *SMALL, "--json")
    assert result.status == 0, result.err
    found = json.loads(result.out)
    assert (found["step"], found["history"], found["ahead"]) == ("1 hour", 12, 4)
    assert found["task"] == "number"
    assert found["set_aside"] == ["time"]
    assert set(found["test"]) == {"rmse", "mae", "r2"}


def test_what_comes_next_is_written(thalweg, model: str, tmp_path: Path) -> None:
    lines = as_text(hourly(204)).splitlines()
    known = [line.rsplit(",", 1)[0] + "," for line in lines[201:]]
    (tmp_path / "recent.csv").write_text("\n".join([*lines[:201], *known]) + "\n")
    result = thalweg("predict", model, "recent.csv")
    assert result.status == 0, result.err
    rows = result.out.splitlines()
    assert rows[0] == "time,prediction"
    assert [row.split(",")[0] for row in rows[1:]] == [
        f"2024-03-09 {hour:02}:00" for hour in (8, 9, 10, 11)
    ]
    written = thalweg("predict", model, "recent.csv", "-o", "next.csv")
    assert written.err == "4 times in next.csv\n"
    assert (tmp_path / "next.csv").read_text() == result.out


def test_a_later_table_is_scored(thalweg, model: str) -> None:
    result = thalweg("evaluate", model, "load.csv")
    assert result.status == 0, result.err
    assert "185 windows of load.csv" in result.out
    found = json.loads(thalweg("evaluate", model, "load.csv", "--json").out)
    assert found["windows"] == 185
    assert len(found["by_horizon"]["rmse"]) == 4


def test_it_is_explained(thalweg, model: str) -> None:
    result = thalweg("explain", model)
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    assert "load, 4 rows ahead of a history of 12 rows" in said
    assert "known of the times ahead: 'open', 'sky', hour of day" in said
    assert "for t in range(12)" in said


def test_it_is_a_page(thalweg, model: str, tmp_path: Path) -> None:
    result = thalweg("report", model)
    assert result.status == 0, result.err
    page = (tmp_path / "load.html").read_text(encoding="utf-8")
    for part in (
        "Forecasting load from load.csv",
        "How far ahead",
        "linear autoregression",
        "known of the times ahead",
        "--history 12h --ahead 4",
        "for t in range(12)",
    ):
        assert part in page, part
    for part in ("The test period", "By hour of day", "The windows it got most wrong"):
        assert part in page, part


def test_a_page_is_written_after_training(thalweg, table: str, tmp_path: Path) -> None:
    how = ("--target", "load", *QUICK, *SMALL, "--report", "load.html")
    assert thalweg("train", table, *how, "--figure", "curves.png").status == 0
    assert "How far ahead" in (tmp_path / "load.html").read_text(encoding="utf-8")
    assert (tmp_path / "curves.png").exists()


def test_a_run_goes_on(thalweg, table: str) -> None:
    how = ("--target", "load", *QUICK, "--units", "4", "--epochs", "3")
    assert thalweg("train", table, *how, "--checkpoint", "run").status == 0
    result = thalweg("train", "--resume", "run")
    assert result.status == 0, result.err
    assert "37 windows never used" in result.out


REFUSED = {
    "history alone": (("--history", "12"), "time must be given for a forecast"),
    "no ahead": (("--time", "time", "--history", "12"), "ahead must be given"),
    "no history": (("--time", "time", "--ahead", "2"), "history must be given"),
    "a word": ((*QUICK[:4], "--ahead", "soon"), "ahead must be a number of rows"),
    "months as m": ((*QUICK[:4], "--ahead", "5m"), "min for minutes, mo for months"),
    "no whole steps": ((*QUICK[:4], "--ahead", "90min"), "whole number of steps"),
    "a negative": ((*QUICK[:4], "--ahead=-3"), "ahead must be a number of rows"),
    "a misspelled time": (("--time", "tme", *QUICK[2:]), "did you mean 'time'"),
    "a misspelled known": ((*QUICK, "--known-ahead", "opne"), "did you mean 'open'"),
    "an empty known": ((*QUICK, "--known-ahead", "open,"), "known-ahead must name col"),
    "a misspelled cell": ((*QUICK, "--cell", "gru2"), "did you mean 'gru'"),
    "no units": ((*QUICK, "--units", "0"), "units must be a whole number, 1 or more"),
    "a group": ((*QUICK, "--group", "sky"), "group must be left out with a forecast"),
    "classes": ((*QUICK, "--task", "classes"), "task must be left out with a forecast"),
    "filters": ((*QUICK, "--filters", "8"), "filters must be left out"),
    "too much": ((*QUICK[:2], "--history", "9d", "--ahead", "4"), "too few rows"),
    "a test of one's own": (
        (*QUICK, "--test-data", "load.csv"),
        "test-data must be left",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_misuse_is_said(refused, table: str, name: str) -> None:
    given, said = REFUSED[name]
    status = 1 if name == "too much" else 2  # the table's fault, or the user's
    assert said in refused("train", table, "-t", "load", *given, status=status)


def test_other_commands_say_what_they_cannot(refused, model: str) -> None:
    said = refused("explain", model, "--image", "a.png", status=2)
    assert "--image must be left out: MODEL is one of a series" in said


@pytest.mark.parametrize("form", ["onnx", "python"])
def test_a_forecast_is_exported(thalweg, model: str, form: str) -> None:
    result = thalweg("export", model, "--to", form)
    ending = {"onnx": ".onnx", "python": ".py"}[form]
    assert (result.status, result.err) == (0, f"{form} in load{ending}\n")


def test_a_short_table_has_no_forecast(refused, model: str, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text(as_text(hourly(5)))
    said = refused("predict", model, "few.csv", status=1)
    assert "at least 12 rows with 'load', the history of a forecast, got 5" in said


def test_sequences_are_trained_on_and_predicted(thalweg, tmp_path: Path) -> None:
    lines = ["id,t,x,kind"]
    lines += [
        f"s{n},{t},{(n % 2) * t + n / 100},{('still', 'up')[n % 2]}"
        for n in range(30)
        for t in range(4 + n % 5)
    ]
    (tmp_path / "steps.csv").write_text("\n".join(lines) + "\n")
    how = ("--sequence", "id", "--order", "t", "--epochs", "2", "--units", "4")
    result = thalweg("train", "steps.csv", "--target", "kind", *how)
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    for part in (
        "30 sequences of 4 to 8 rows with one id, by t",
        "6 sequences never used",
        "random kernels",
        "nearest sequence",
    ):
        assert part in said, part
    grouped = ("--group-by-length", "yes", "--output", "grouped.thalweg")
    assert thalweg("train", "steps.csv", "-t", "kind", *how, *grouped).status == 0
    for name, chosen in (("steps", False), ("grouped", True)):
        model: Any = tw.load(tmp_path / f"{name}.thalweg")
        assert model.results["settings"]["group_by_length"] is chosen
        assert model.network.history.settings["group_by_length"] is chosen
    rows = thalweg("predict", "steps.thalweg", "steps.csv").out.splitlines()
    assert rows[0].startswith("id,prediction,probability of still")
    assert len(rows) == 31
    assert "30 sequences of" in thalweg("evaluate", "steps.thalweg", "steps.csv").out
    assert "rows with one id, by t" in thalweg("explain", "steps.thalweg").out
    asked = thalweg("export", "steps.thalweg", "--to", "python")
    assert (asked.status, asked.err) == (0, "python in steps.py\n")
    again = ("train", "steps.csv", "-t", "kind", *how, "--report", "a.html", "-q")
    assert thalweg(*again).status == 0
    asked = thalweg("report", "steps.thalweg")
    assert (asked.status, asked.err) == (0, "report in steps.html\n")
    for name in ("a.html", "steps.html"):
        page = (tmp_path / name).read_text(encoding="utf-8")
        assert "Confusion matrix: sequences of the test" in page
        assert "--units 4 --epochs 2" in page
        assert "--sequence id --order t" in page
