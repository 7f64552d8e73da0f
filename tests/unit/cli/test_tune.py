"""``thalweg tune``: what it says, what it saves, and how it ends."""

import json
import os
import shlex
import signal
from pathlib import Path

import pytest

import thalweg as tw
from support.series_files import as_text, hourly
from thalweg.cli.tune_report import SearchProgress, settings_words, space_words
from thalweg.forecasting.settings import ForecastSettings
from thalweg.search.journal import Journal
from thalweg.search.space import Choice, LogRange, Space
from thalweg.search.trials import FoldRun, Trial
from thalweg.tabular.model import TableModel
from thalweg.tabular.settings import Settings

SPECIES = ("tune", "penguins.csv", "--target", "species")
QUICK = (*("--budget", "60s"), *("--folds", "2"), *("--trials", "3"), "--epochs", "4")


def test_it_saves_the_network_that_the_command_it_prints_would_give(thalweg) -> None:
    result = thalweg(*SPECIES, *QUICK, "--json")
    assert result.status == 0
    found = json.loads(result.out)
    saved = tw.load("penguins.thalweg")
    assert isinstance(saved, TableModel)
    assert saved.results["test"] == found["test"]
    words = shlex.split(found["command"])
    again = thalweg(*words[1:], "--quiet", "--json", "--output", "again.thalweg")
    assert json.loads(again.out)["test"] == found["test"]


def test_the_json_holds_every_trial_and_the_defaults(thalweg) -> None:
    found = json.loads(thalweg(*SPECIES, *QUICK, "--json", "--quiet").out)
    assert sorted(each["number"] for each in found["trials"]) == [0, 1, 2, 3]
    assert found["default"]["point"] == {}
    assert found["best"] == found["trials"][0]
    assert found["stopped_because"] == "all settings were tried"
    assert len(found["best"]["losses"]) == 2


def test_it_shows_what_was_tried_and_the_test(thalweg) -> None:
    result = thalweg(*SPECIES, *QUICK)
    for said in ("Tuned", "width 32, 64", "the defaults", "4 settings tried", "Again"):
        assert said in result.out
    assert "rows never used" in result.out
    assert "the defaults" in result.err
    quiet = thalweg(*SPECIES, *QUICK, "--quiet")
    assert quiet.err == ""
    assert quiet.out.startswith("trial")


def test_a_folder_is_resumed(thalweg, refused) -> None:
    folder = ("--folder", "search")
    thalweg(*SPECIES, *QUICK, *folder, "--quiet")
    error = refused(*SPECIES, *QUICK, *folder, status=2)
    assert error.startswith("error: --folder must be new, but search holds a search")
    result = thalweg(*SPECIES, *QUICK, *folder, "--resume", "--trials", "4", "--json")
    assert len(json.loads(result.out)["trials"]) == 5


@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_found_is_told_though_the_network_cant_be_saved(
    thalweg, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = thalweg(*SPECIES, *QUICK, "--quiet", *(["--json"] if as_json else []))
    assert result.status == 1
    assert result.err.count("\n") == 1
    assert "penguins.thalweg: can't be written: No space left" in result.err
    if as_json:
        found = json.loads(result.out)
        assert found["model"] is None
        assert found["command"].startswith("thalweg train")
    else:
        assert "thalweg train penguins.csv" in result.out
        assert "Saved" not in result.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "soon"), "--budget must be a time above 0, such as 30s, 5m or"),
        (("--folds", "two"), "--folds must be a whole number, got 'two'"),
        (("--folds", "1"), "--folds must be a whole number, 2 or more"),
        (("--trials", "0"), "--trials must be a whole number, 1 or more"),
        (("--sampler", "optun"), "there is no sampler 'optun': did you mean 'optuna'?"),
        (("--storage", "x"), "--storage needs the sampler optuna"),
        (("--resume",), "--folder must be given to resume"),
        (("--dropout", "2"), "--dropout must be in [0, 1)"),
        (("--budgt", "5m"), "there is no option --budgt: did you mean '--budget'?"),
    ],
)
def test_what_cant_be_used_is_refused_before_anything_runs(refused, options, said):
    assert said in refused(*SPECIES, *options, status=2)


def test_a_file_that_isnt_a_model_isnt_replaced(refused) -> None:
    assert "isn't replaced" in refused(
        *(*SPECIES, *QUICK, "--output", "penguins.csv"), status=1
    )


def test_ctrl_c_saves_the_best_so_far(thalweg, monkeypatch) -> None:
    add = Journal.add

    def interrupting(self: Journal, trial: Trial) -> None:
        add(self, trial)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Journal, "add", interrupting)
    result = thalweg(*SPECIES, "--budget", "60s", "--epochs", "5", "--quiet")
    assert result.status == 130
    assert "holds the best so far" in result.err
    assert isinstance(tw.load("penguins.thalweg"), TableModel)


# Other data than tables ---------------------------------------------------------------


@pytest.fixture
def files(thalweg, tmp_path: Path) -> Path:
    """A folder with a text, a series and sequences."""
    (tmp_path / "verse.txt").write_text("so long as men can breathe or eyes\n" * 40)
    (tmp_path / "load.csv").write_text(as_text(hourly(150)))
    rows = [
        f"s{n},{t},{(n % 2) * t},{('still', 'up')[n % 2]}"
        for n in range(30)
        for t in range(3 + n % 3)
    ]
    (tmp_path / "steps.csv").write_text("\n".join(["id,t,x,kind", *rows]) + "\n")
    return tmp_path


OTHERS = {
    "text": (
        ("verse.txt", "--length", "8", "--layers", "8", "--cell", "gru"),
        "Tuned learning rate 0.001 to 0.03; batch size 8, 16, 32, 64; dropout",
        "next character",
    ),
    "series": (
        (
            *("load.csv", "-t", "load", "--time", "time", "--history", "6h"),
            *("--ahead", "2", "--units", "4"),
        ),
        "Tuned cell gru, lstm, none; hidden 0, 32, 64; learning rate 0.0003 to 0.03",
        "load",
    ),
    "sequences": (
        (
            *("steps.csv", "-t", "kind", "--sequence", "id", "--order", "t"),
            *("--units", "4"),
        ),
        "Tuned cell gru, lstm; hidden 0, 32, 64; learning rate 0.0003 to 0.03",
        "kind",
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_every_kind_is_tuned_and_the_command_gives_the_same(
    thalweg, files: Path, kind: str
) -> None:
    given, space, target = OTHERS[kind]
    quick = (*("--budget", "60s"), *("--folds", "2"), *("--trials", "1"))
    result = thalweg("tune", *given, *quick, "--epochs", "1", "--folder", "search")
    assert result.status == 0, result.err
    said = " ".join(result.out.split())
    assert space in said
    assert "on each of 2 folds of what isn't for the test" in said
    how = (*quick, "--epochs", "1", "--folder", "search", "--resume")
    again = thalweg("tune", *given, *how, "--json", "-o", "again.thalweg")
    found = json.loads(again.out)
    assert found["target"] == target
    assert len(found["trials"]) == 2
    words = shlex.split(found["command"])
    assert words[:3] == ["thalweg", "train", given[0]]
    trained = thalweg(*words[1:], "--json", "-q", "-o", "trained.thalweg")
    assert json.loads(trained.out)["test"] == found["test"]


def test_what_a_kind_cant_have_is_refused(refused, files: Path) -> None:
    series, text = OTHERS["series"][0], OTHERS["text"][0]
    said = refused("tune", *series, "--test-data", "load.csv", status=2)
    assert "--test-data must be left out: a series is split by its times" in said
    said = refused("tune", *text, "--filters", "8", status=2)
    assert "--filters must be left out with a text: it is a setting of images" in said
    said = refused("tune", "load.csv", *series[3:], status=2)
    assert said.startswith("error: --target must name the column to predict; load.csv")
    said = refused("tune", *text, "--folds", "40", "--length", "64", status=1)
    assert "verse.txt, 40 folds: each piece must have more than 64 characters" in said


# What is shown ------------------------------------------------------------------------


def trial(number: int, epochs: int, loss: float) -> Trial:
    return Trial.of(number, {}, epochs, [FoldRun(loss, {}, 1, False, 0.0)])


def test_where_there_is_no_terminal_a_line_tells_of_each_new_best(capsys) -> None:
    progress = SearchProgress(60, 9, quiet=False)
    losses = {(0, 9): 0.5, (1, 3): 0.1, (2, 9): 0.6, (3, 9): 0.4}
    for (number, epochs), loss in losses.items():
        progress(trial(number, epochs, loss))
    progress.close()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("; best ")[1] for line in lines] == [
        "the defaults: loss 0.5000",
        "trial 3: loss 0.4000",
        "trial 3: loss 0.4000",
    ]
    assert "4 settings tried" in lines[-1]


def test_settings_are_shown_in_a_few_words() -> None:
    point = {"width": 64, "depth": 2, "narrowing": 2, "dropout": 0.0, "l2": 0.001}
    chosen = Trial.of(3, point, 9, [FoldRun(0.1, {}, 1, False, 0.0)])
    assert settings_words(chosen, Settings()) == "64,32, l2 0.001"
    forecast = ForecastSettings(time="t", history=2, ahead=1)
    for hidden, said in ((0, "units 32"), (64, "units 32, layers 64")):
        point = {"units": 32, "hidden": hidden}
        chosen = Trial.of(3, point, 9, [FoldRun(0.1, {}, 1, False, 0.0)])
        assert settings_words(chosen, forecast) == said
    space: Space = {
        "activation": Choice(("relu", "relu")),
        "learning_rate": LogRange(0.1, 1),
    }
    assert space_words(space) == "activation relu; learning rate 0.1 to 1"
