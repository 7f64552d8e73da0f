"""``thalweg train``: what it says, what it saves, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw
from thalweg.cli import options
from thalweg.tabular.command import typed
from thalweg.tabular.model import TableModel
from thalweg.tabular.settings import Settings

QUICK = ("--layers", "8", "--epochs", "3")
SPECIES = ("train", "penguins.csv", "--target", "species")


def slopes(path: Path, rows: int = 60) -> Path:
    """A table of a straight line."""
    x = np.linspace(-1, 1, rows)
    lines = [f"{value:.4f},{3 * value + 1:.4f}" for value in x]
    path.write_text("\n".join(["x,y", *lines]) + "\n", encoding="utf-8")
    return path


def test_every_setting_is_an_option_and_the_help_says_its_default(thalweg) -> None:
    assert set(options.WORDS) == {field.name for field in fields(Settings)}
    shown = " ".join(thalweg("train", "--help").out.split())
    for field in fields(Settings):
        assert f"--{field.name.replace('_', '-')} " in shown
        if field.default not in (None, ()):
            option = shown.split(f"--{field.name.replace('_', '-')} ")[1]
            assert f"[{typed(field.default)}]" in option.split(" --")[0]


def test_an_option_reaches_the_setting_of_its_name(thalweg) -> None:
    given = {
        "task": "classes",
        "layers": "5,4",
        "activation": "tanh",
        "loss": "cross_entropy",
        "optimizer": "adamw",
        "learning_rate": "0.02",
        "schedule": "cosine",
        "batch_size": "all",
        "epochs": "4",
        "dropout": "0.1",
        "l1": "0.001",
        "l2": "0.002",
        "weight_decay": "0.003",
        "clip_norm": "2.5",
        "patience": "3",
        "min_delta": "0.004",
        "validation": "0.3",
        "test": "0.15",
        "ignore": "island",
        "category": "sex",
        "number": "bill_length_mm",
        "date": "year=%Y",
        "missing": "sex=unknown",
        "decimal": ".",
        "thousands": "space",
        "limits": "bound",
        "weights": "body_mass_g",
        "class_weight": "Adelie=2",
        "group": "flipper_length_mm",
        "target_scale": "linear",
        "seed": "7",
        "separator": ";",
        "encoding": "utf-16-le",
        "skip_rows": "1",
        "comment": "#",
    }
    lines = Path("penguins.csv").read_text(encoding="utf-8").splitlines()
    whole = [line.replace(",", ";") for line in lines if ",," not in line]
    content = "\n".join(["Penguins", "#", *whole, ""])
    Path("penguins.csv").write_text(content, "utf-16-le")
    typed = [x for k, v in given.items() for x in (f"--{k.replace('_', '-')}", v)]
    assert thalweg(*SPECIES, *typed, "--quiet").status == 0
    saved = tw.load("penguins.thalweg")
    assert isinstance(saved, TableModel)
    settings = saved.results["settings"]
    assert {*given, "time"} == set(settings)  # rows are split by a group or by time
    for name, text in given.items():
        typed = [text] if name in options.REPEATED else options.read(name, text)
        assert settings[name] == typed or name == "layers"
        assert settings[name] != getattr(Settings(), name)
    assert settings["layers"] == [5, 4]


def test_any_number_of_threads_trains_the_same_network(thalweg) -> None:
    found = []
    for threads in (1, 2):
        result = thalweg(*SPECIES, *QUICK, "--threads", threads, "--quiet")
        assert result.status == 0
        model = tw.load("penguins.thalweg")
        assert isinstance(model, TableModel)
        found.append((model.network.parameters["1.weights"].tolist(), model.results))
    assert found[0] == found[1]


def test_no_layers_is_a_linear_model(thalweg) -> None:
    assert thalweg(*SPECIES, "--layers", "none", "--epochs", 2, "-q").status == 0
    assert len(tw.load("penguins.thalweg").network.layers) == 1  # pyright: ignore[reportAttributeAccessIssue]


def test_says_what_it_found_and_what_came_of_it(thalweg) -> None:
    result = thalweg(*SPECIES, *QUICK)
    assert result.status == 0
    words = " ".join(result.out.split())
    for part in (
        "penguins.csv: 344 rows, 8 columns",
        "species, as classes: the target is 3 different texts",
        "bill_length_mm number 342 of 342 cells are numbers, 2 missing",
        "206 to learn from, 69 to choose the best epoch, 69 to test once",
        "17 inputs → 8 silu → 3 softmax; 171 parameters",
        "69 rows never used accuracy",
        "network",
        "linear model",
        "constant guess",
        "Saved penguins.thalweg",
    ):
        assert part in words
    assert "replacing" not in words
    assert max(map(len, result.out.splitlines())) <= 80
    assert not re.search(r"[ \x1b]$|\x1b", result.out, re.MULTILINE)


def test_progress_goes_to_standard_error_with_both_losses(thalweg) -> None:
    result = thalweg(*SPECIES, "--layers", 4, "--epochs", 45, "--patience", 45)
    header, *rows = result.err.strip().splitlines()
    assert "training loss" in header
    assert "validation loss" in header
    epochs = [int(row.split("/")[0]) for row in rows]
    assert epochs == [1, *range(2, 45, 2), 45]  # about twenty, and the last
    assert "training loss" not in result.out


def test_saying_that_a_model_is_replaced(thalweg) -> None:
    thalweg(*SPECIES, *QUICK)
    assert "penguins.thalweg, replacing what was there" in thalweg(*SPECIES, *QUICK).out


def test_quiet_prints_the_results_alone(thalweg) -> None:
    result = thalweg(*SPECIES, *QUICK, "--quiet")
    assert result.out.startswith("69 rows never used")
    assert result.err == ""


def test_json_is_one_object_and_nothing_else(thalweg) -> None:
    result = thalweg(*SPECIES, *QUICK, "--json", "-o", "other.thalweg")
    found = json.loads(result.out)
    assert found["task"] == "classes"
    assert found["model"] == "other.thalweg"
    assert set(found["baselines"]) == {"constant guess", "linear model"}
    assert set(found["test"]) == set(found["baselines"]["linear model"])
    assert found["rows"] == {"training": 206, "validation": 69, "test": 69}
    assert 1 <= found["best_epoch"] <= found["epochs"] == 3
    assert found["stopped_because"] == "all 3 epochs were done"
    assert Path(found["model"]).exists()


def test_the_test_rows_are_scored_by_the_model_that_was_saved(
    thalweg, tmp_path: Path
) -> None:
    slopes(tmp_path / "line.csv")
    scores = json.loads(thalweg("train", "line.csv", "-t", "y", "--json").out)
    saved = thalweg("evaluate", "line.thalweg", "line.csv", "--json")
    assert scores["test"]["rmse"] < 0.3 < scores["baselines"]["constant guess"]["rmse"]
    assert json.loads(saved.out)["rmse"] == pytest.approx(
        scores["test"]["rmse"], abs=0.1
    )


def test_progress_shows_errors_in_the_target_s_unit(thalweg, tmp_path: Path) -> None:
    slopes(tmp_path / "line.csv")
    text = (tmp_path / "line.csv").read_text()
    big = re.sub(r",(-?[\d.]+)$", lambda m: f",{float(m[1]) * 1e6}", text, flags=re.M)
    (tmp_path / "big.csv").write_text(big)

    def rmse(table: str) -> float:
        arguments = ("train", table, "-t", "y", "--layers", "none", "--epochs", 1)
        header, row = thalweg(*arguments).err.strip().splitlines()
        names = re.split(r"\s{2,}", header.strip())
        return float(
            re.split(r"\s{2,}", row.strip())[names.index("rmse")].replace(",", "")
        )

    assert rmse("big.csv") == pytest.approx(1e6 * rmse("line.csv"), rel=1e-3)


def test_figure_is_drawn_with_its_numbers(thalweg) -> None:
    assert thalweg(*SPECIES, *QUICK, "--figure", "curves.png").status == 0
    assert Path("curves.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(Path("curves.json").read_text())["stopped_epoch"] == 3


def test_a_simpler_model_that_is_better_is_named(thalweg) -> None:
    slow = ("--learning-rate", 1e-6, "--epochs", 1, "--layers", 2)
    assert "the linear model is better by accuracy" in " ".join(
        thalweg(*SPECIES, *slow, "--quiet").out.split()
    )


# Endings ------------------------------------------------------------------------------

DIVERGING = (
    *("train", "penguins.csv", "--target", "body_mass_g", "--optimizer", "sgd"),
    *("--schedule", "one_cycle", "--learning-rate", "3", "--epochs", "30"),
)


def test_divergence_saves_the_best_epoch_and_says_so(thalweg) -> None:
    result = thalweg(*DIVERGING, "--json", "--quiet")
    assert result.status == 1
    assert re.match(r"error: the \w+ loss became \w+ in epoch \d+, step", result.err)
    assert result.err.count("\n") == 1
    best = json.loads(result.out)["best_epoch"]
    assert f"penguins.thalweg holds the weights of epoch {best}" in result.err
    assert tw.load("penguins.thalweg")


def test_divergence_in_the_first_epoch_is_one_line(refused) -> None:
    at_once = (*DIVERGING, "--schedule", "constant", "--learning-rate", 1e6)
    assert "in epoch 1" in refused(*at_once, "-q", status=1)
    assert not Path("penguins.thalweg").exists()


def interrupted_run(folder: Path, *options: str) -> tuple[int, str, str]:
    """A run that gets Ctrl-C after its first epoch."""
    command = [sys.executable, "-m", "thalweg", *SPECIES, *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--epochs", "1000000", "--patience", "1000000"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        # A process that dies ends its standard error, and so the loop.
        lines = iter(process.stderr.readline, "")
        assert any("1/1000000" in line for line in lines)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_ctrl_c_scores_and_saves_what_was_learned(thalweg, tmp_path: Path) -> None:
    status, out, err = interrupted_run(tmp_path, "--json")
    found = json.loads(out)
    assert status == 130
    assert found["stopped_because"].startswith("interrupted")
    assert f"penguins.thalweg holds the weights of epoch {found['best_epoch']}" in err
    assert "Traceback" not in err
    evaluated = json.loads(
        thalweg("evaluate", "penguins.thalweg", "penguins.csv", "--json").out
    )
    assert evaluated["accuracy"] > 0.5


def test_own_tables_group_and_time_are_options(thalweg) -> None:
    first = Path("penguins.csv").read_text(encoding="utf-8").splitlines()
    Path("own.csv").write_text("\n".join(first[:1] + first[1::4]), encoding="utf-8")
    quick = (*SPECIES, "--epochs", "1", "--json")
    own = ("--test-data", "own.csv", "--validation-data", "own.csv")
    found = json.loads(thalweg(*quick, *own).out)
    assert found["rows"] == {"training": 344, "validation": 86, "test": 86}
    assert "86 rows of own.csv are in penguins.csv, too" in found["notes"]
    found = json.loads(thalweg(*quick, "--time", "year").out)
    assert "from 2009 on" in found["notes"][0]
    found = json.loads(thalweg(*quick, "--group", "bill_depth_mm").out)
    assert found["set_aside"] == ["bill_depth_mm"]
    given = ("--test-data", "own.csv", "--test", "0.3")
    assert "test must be left out with test_data" in thalweg(*quick, *given).err


def test_a_test_of_few_rows_is_noted_wherever_results_are(thalweg) -> None:
    command = ("train", slopes(Path("line.csv")), "--target", "y", *QUICK, "--quiet")
    note = json.loads(thalweg(*command, "--json").out)["notes"][-1]
    assert note.startswith("the test has only 12 rows, which say little: rmse ")
    printed = thalweg(*command, "--report", "line.html").out
    assert note in " ".join(printed.split())
    shown = note[0].upper() + note[1:]
    assert shown in Path("line.html").read_text(encoding="utf-8")
    Path("line.csv").unlink()  # then the report is made of the model's file alone
    assert thalweg("report", "line.thalweg", "--output", "again.html").status == 0
    assert shown in Path("again.html").read_text(encoding="utf-8")


def test_what_makes_a_test_too_easy_is_said_in_few_words_too(thalweg) -> None:
    command = ("train", slopes(Path("line.csv")), "--target", "y", *QUICK, "--quiet")
    assert "'x' repeats 'y'" in thalweg(*command).out


def test_json_says_by_which_metric_models_are_compared(thalweg) -> None:
    found = json.loads(thalweg(*SPECIES, *QUICK, "-q", "--json").out)
    expected = {"metric": "accuracy", "why": "", "class": None}
    assert found["compared_by"] == expected
