"""``thalweg tune``: what it says, what it saves, and how it ends."""

import json
import os
import shlex
import signal

import pytest

import thalweg as tw
from thalweg.cli.tune_report import SearchProgress, settings_words, space_words
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
    space: Space = {
        "activation": Choice(("relu", "relu")),
        "learning_rate": LogRange(0.1, 1),
    }
    assert space_words(space) == "activation relu; learning rate 0.1 to 1"
