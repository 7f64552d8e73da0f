"""Tuning a table: what is trained, on which rows, and what is kept."""

import errno
import json
import math
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, FileError
from thalweg.kinds.fit import RunContext, train_network
from thalweg.search import workers
from thalweg.search.journal import Journal
from thalweg.search.samplers import RandomSampler, sampler_named
from thalweg.search.share import validation_share
from thalweg.search.space import Choice, Space, settings_at
from thalweg.search.tables import folds as folds_of
from thalweg.search.trials import FoldRun, Trial, ranked, table_of
from thalweg.search.tuning import Tuned
from thalweg.tables.read import read
from thalweg.tables.splitting.split import fold_numbers
from thalweg.tabular.learn import TABLES, build, prepared_by
from thalweg.tabular.own import ReadTable
from thalweg.tabular.settings import Settings
from thalweg.training.execution import Execution

PENGUINS = Path(__file__).parents[3] / "examples" / "penguins.csv"
SHARES = {"validation": 0.2, "test": 0.2}
QUICK: dict[str, Any] = {"budget": "60s", "folds": 2, "epochs": 4, "trials": 4}


def tuned(source: Any = PENGUINS, target: str = "species", **options: Any) -> Tuned:
    given: dict[str, Any] = {**QUICK, **options}
    return tw.tune(source, target, **given)


def without_times(trials) -> list[dict]:
    return [{**trial.to_dict(), "seconds": 0} for trial in trials]


# The folds ----------------------------------------------------------------------------


def split_of(settings: Settings, count: int):
    table = read(PENGUINS)
    prepared = prepared_by(table, "species", settings)
    return table, prepared, folds_of(ReadTable(table), prepared, settings, count)


def test_every_row_is_scored_once_and_the_test_rows_never() -> None:
    settings = Settings(seed=3)
    table, prepared, folds = split_of(settings, 5)
    assert sum(len(fold.test.X) for fold in folds) == 275
    for fold in folds:
        sizes = [len(p.X) for p in (fold.training, fold.validation, fold.test)]
        assert sum(sizes) == 275
        assert sizes[1] == pytest.approx(50, abs=1)
    everything = prepared.encoder.transform(table).X
    assert len(everything) == 344
    counted = [np.bincount(f.test.y, minlength=3) for f in folds]
    assert np.ptp(counted, axis=0).max() <= 1


@pytest.mark.parametrize(
    ("rows", "count", "share"),
    [
        (100_000, 5, 0.1),
        (100_000, 20, 1 - 0.75 / 0.95),
        (275, 5, 50 / 220),
        (99, 5, 0.25),
    ],
)
def test_a_fold_learns_from_about_as_many_rows_as_the_last_training(
    rows: int, count: int, share: float
) -> None:
    assert validation_share(SHARES, rows, count) == pytest.approx(share)


def test_no_cell_of_a_test_row_can_change_a_fold() -> None:
    settings = Settings(seed=3)
    table, prepared, folds = split_of(settings, 3)
    frame = table.frame.with_row_index("row").with_columns(
        pl.when(pl.col("row").is_in(prepared.split.test.tolist()))
        .then(pl.lit("9999"))
        .otherwise(pl.col("body_mass_g"))
        .alias("body_mass_g")
    )
    spoiled = replace(table, frame=frame.drop("row"))
    again = folds_of(ReadTable(spoiled), prepared, settings, 3)
    for one, other in zip(folds, again, strict=True):
        np.testing.assert_array_equal(one.training.X, other.training.X)
        np.testing.assert_array_equal(one.validation.X, other.validation.X)
        np.testing.assert_array_equal(one.test.X, other.test.X)


def test_what_is_learned_for_a_fold_is_learned_from_its_training_rows() -> None:
    _, _, folds = split_of(Settings(), 2)
    for fold in folds:
        numbers = [i for i, n in enumerate(fold.encoder.features) if n == "year"]
        means = fold.training.X[:, numbers].mean(axis=0)
        np.testing.assert_allclose(means, 0, atol=1e-5)
    one, other = (fold.encoder.to_dict() for fold in folds)
    assert one != other


def test_classes_are_dealt_out_evenly_in_random_order() -> None:
    classes = np.repeat([0, 1, 2], [50, 20, 3])
    numbers = fold_numbers(classes, 4, seed=0)
    for each in range(3):
        counts = np.bincount(numbers[classes == each], minlength=4)
        assert np.ptp(counts) <= 1
    assert list(numbers) != list(fold_numbers(classes, 4, seed=1))


def test_folds_must_have_rows() -> None:
    with pytest.raises(ArgumentError, match="folds must have two rows or more"):
        split_of(Settings(), 200)
    with pytest.raises(ArgumentError, match="folds must be a whole number, 2"):
        split_of(Settings(), 1)


# The runs -----------------------------------------------------------------------------


@pytest.mark.parametrize("epochs", [2, 5])
def test_a_fold_is_trained_as_train_does_it_and_scored_on_its_rows(epochs) -> None:
    """A run of two epochs is the first two of a run of five."""
    settings = Settings(epochs=5, schedule="cosine", dropout=0.1)
    _, _, folds = split_of(settings, 3)
    stop = threading.Event()
    run = workers.fold_run(TABLES, folds[1], settings, epochs, stop, workers.Programs())
    network = build(folds[1], settings)
    losses = []

    def stop_after(record: tw.EpochRecord) -> None:
        losses.append(record.validation_loss)
        if len(losses) == epochs:
            raise KeyboardInterrupt

    context = RunContext(stop_after, (), Execution(), None, None)
    train_network(network, folds[1], settings, context)
    scored = network.evaluate(folds[1].test.X, folds[1].test.y)
    assert run is not None
    assert run.loss == pytest.approx(scored["loss"], rel=1e-6)
    assert run.metrics == {"accuracy": pytest.approx(scored["accuracy"])}
    assert run.best_epoch == 1 + int(np.argmin(losses))
    assert run.ended == (epochs == 5)


def test_errors_are_in_the_targets_unit() -> None:
    found = tuned(target="body_mass_g", trials=1)
    assert found.best is not None
    assert 100 < found.best.metrics["rmse"] < 5000


def test_a_run_that_diverges_is_worst_and_ends_nothing() -> None:
    settings = Settings(learning_rate=1e30, optimizer="sgd", epochs=2)
    _, _, folds = split_of(settings, 2)
    stop, programs = threading.Event(), workers.Programs()
    run = workers.fold_run(TABLES, folds[0], settings, 2, stop, programs)
    assert run is not None
    assert run.loss == math.inf
    with pytest.raises(tw.DivergenceError):  # by the last network: nothing was better
        tuned(learning_rate=1e30, optimizer="sgd", trials=2)


# The search ---------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_trials_on_any_number_of_threads() -> None:
    one, other = tuned(threads=1), tuned(threads=3)
    assert without_times(one.trials) == without_times(other.trials)
    assert one.settings == other.settings
    assert one.trained.test == other.trained.test
    assert without_times(tuned(seed=1).trials) != without_times(one.trials)


def test_what_is_chosen_is_never_worse_than_the_defaults_on_the_folds() -> None:
    found = tuned()
    assert found.best is not None
    assert found.default is not None
    assert found.best.loss <= found.default.loss
    assert found.best.loss == min(t.loss for t in found.trials if t.is_whole(4))
    assert found.settings == settings_at(Settings(epochs=4), found.best.point)
    assert found.stopped_because == "all settings were tried"
    assert len(found.trials) == 5


def test_the_last_network_is_the_one_that_train_gives() -> None:
    found = tuned()
    given = found.settings.to_dict()
    again = tw.train(PENGUINS, "species", **given)
    assert again.test == found.trained.test


def test_settings_that_are_given_are_kept() -> None:
    found = tuned(layers=(5,), dropout=0.3)
    assert found.settings.layers == (5,)
    assert found.settings.dropout == 0.3
    for trial in found.trials:
        assert not {"width", "dropout"} & set(trial.point)


def test_a_search_without_time_ends_with_the_defaults() -> None:
    found = tuned(budget=0.001)
    assert (found.best, found.default, found.trials) == (None, None, ())
    assert found.settings == Settings(epochs=4)
    assert found.stopped_because == "the 0 s were over"
    assert found.trained.test["accuracy"] > 0


def test_the_table_has_a_row_for_each_settings_the_best_first() -> None:
    table = tuned().table
    assert table.columns[0] == "trial"
    names = {"width", "learning_rate", "epochs", "loss", "accuracy"}
    assert names <= set(table.columns)
    whole = table.filter(pl.col("epochs") == 4)
    assert whole["loss"].to_list() == sorted(whole["loss"].to_list())


def test_trials_of_all_epochs_come_before_others() -> None:
    def trial(number: int, epochs: int, loss: float, ended: bool = False) -> Trial:
        run = FoldRun(loss, {}, 1, ended, 0.0)
        return Trial.of(number, {}, epochs, [run, run])

    trials = [
        *(trial(0, 9, 0.5), trial(1, 3, 0.1), trial(2, 3, 0.9), trial(2, 9, 0.4)),
        *(trial(3, 3, 0.45, True), trial(4, 3, math.inf, True)),
    ]
    order = [each.number for each in ranked(trials, 9)]
    assert order == [2, 3, 0, 4, 1]
    assert table_of(ranked(trials, 9)).height == 5


def test_ctrl_c_ends_the_search_with_the_best_so_far(monkeypatch) -> None:
    seen = []
    add = Journal.add

    def interrupting(self: Journal, trial: Trial) -> None:
        add(self, trial)
        seen.append(trial)
        if len(seen) == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Journal, "add", interrupting)
    found = tuned(trials=1000, epochs=30)
    assert found.stopped_because == "interrupted"
    assert 2 <= len(found.trials) <= 4
    assert found.best is not None
    assert found.trained.test["accuracy"] > 0.5


def test_an_error_in_a_run_ends_the_search(monkeypatch) -> None:
    def failing(*arguments, **settings):
        raise MemoryError

    monkeypatch.setattr(workers, "train_network", failing)
    with pytest.raises(MemoryError):
        tuned()


# The folder ---------------------------------------------------------------------------


def test_a_search_that_was_broken_off_goes_on_to_the_same_result(tmp_path) -> None:
    whole = tuned(folder=tmp_path / "whole", epochs=9, trials=9)
    lines = (tmp_path / "whole" / "trials.jsonl").read_bytes().splitlines(True)
    for kept in (0, 1, len(lines) // 2, len(lines)):
        folder = tmp_path / f"part{kept}"
        folder.mkdir()
        search = (tmp_path / "whole" / "search.json").read_bytes()
        (folder / "search.json").write_bytes(search)
        (folder / "trials.jsonl").write_bytes(b"".join(lines[:kept]))
        again = tuned(folder=folder, resume=True, epochs=9, trials=9)
        assert without_times(again.trials) == without_times(whole.trials)
        assert again.settings == whole.settings
        after = (folder / "trials.jsonl").read_bytes().splitlines(True)
        assert after[:kept] == lines[:kept]
        assert len(after) == len(lines)


def test_a_folder_that_holds_a_search_isnt_written_over(tmp_path) -> None:
    tuned(folder=tmp_path, trials=1)
    with pytest.raises(ArgumentError, match="folder must be new"):
        tuned(folder=tmp_path, trials=1)
    with pytest.raises(ArgumentError, match=r"but seed was 0 in .*, and is 1"):
        tuned(folder=tmp_path, resume=True, seed=1)
    with pytest.raises(ArgumentError, match="but folds was 2"):
        tuned(folder=tmp_path, resume=True, folds=3)
    with pytest.raises(ArgumentError, match="resume must be of a search"):
        tuned(folder=tmp_path / "other", resume=True)


def test_resume_needs_a_folder() -> None:
    with pytest.raises(ArgumentError, match="folder must be given to resume"):
        tuned(resume=True)


@pytest.mark.parametrize("line", [b"{", b"[]", b"{}", b'{"number": "x"}', b"\xff"])
def test_a_damaged_folder_is_an_error_that_names_the_line(tmp_path, line) -> None:
    tuned(folder=tmp_path, trials=1)
    path = tmp_path / "trials.jsonl"
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(FileError, match=r"trials\.jsonl, line \d: must be a trial"):
        tuned(folder=tmp_path, resume=True, trials=1)
    (tmp_path / "search.json").write_bytes(line)
    with pytest.raises((FileError, ArgumentError)):
        tuned(folder=tmp_path, resume=True, trials=1)


def test_trials_are_written_and_read_back_as_they_are(tmp_path) -> None:
    journal = Journal.open(tmp_path / "new" / "folder", {"a": 1}, resume=False)
    run = FoldRun(math.inf, {"accuracy": 0.25}, 3, True, 1.5)
    journal.add(Trial.of(7, {"width": 64}, 9, [run, run]))
    (tmp_path / "new" / "folder" / "trials.jsonl").read_text("utf-8").index("null")
    again = Journal.open(tmp_path / "new" / "folder", {"a": 1}, resume=True)
    assert again.trials == journal.trials


def full_disk(monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    """Between two calls of `os.fsync` there is no room."""
    fsync, calls = os.fsync, 0

    def full(fd: int) -> None:
        nonlocal calls
        calls += 1
        if first <= calls <= last:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", full)


@pytest.mark.parametrize("last", [5, 10**9], ids=["for a while", "to the end"])
def test_a_full_disk_is_a_warning_and_the_best_is_trained(
    tmp_path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    whole = tuned(folder=tmp_path / "whole", trials=3)
    full_disk(monkeypatch, 4, last)  # the second trial's
    with pytest.warns(tw.CheckpointWarning, match="No space left") as said:
        found = tuned(folder=tmp_path / "full", trials=3)
    assert len(said) == 1
    assert "the search goes on, with its trials in memory" in str(said[0].message)
    assert found.settings == whole.settings
    assert [t.losses for t in found.trials] == [t.losses for t in whole.trials]
    kept = (tmp_path / "full" / "trials.jsonl").read_bytes().count(b"\n")
    every = (tmp_path / "whole" / "trials.jsonl").read_bytes().count(b"\n")
    assert kept == (every if last == 5 else 1)


# What can't be used -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"budget": "5"}, "budget must be a time above 0"),
        ({"sampler": "rondom"}, "did you mean 'random'?"),
        ({"trials": 0}, "trials must be a whole number, 1 or more"),
        ({"storage": "sqlite://"}, "storage needs the sampler optuna"),
        ({"epoch": 3}, "did you mean 'epochs'?"),
        ({"buget": "3s"}, "did you mean 'budget'?"),
    ],
)
def test_arguments_are_refused_before_anything_runs(monkeypatch, options, said) -> None:
    monkeypatch.setattr(workers, "fold_run", None)
    with pytest.raises(ArgumentError) as error:
        tuned(**options)
    assert said in str(error.value)


def test_the_random_sampler_is_the_usual_one() -> None:
    space: Space = {"dropout": Choice((0.0, 0.1))}
    assert sampler_named("random", space, 5, None) == RandomSampler(space, 5)


def test_weights_reach_the_folds() -> None:
    frame = pl.read_csv(PENGUINS, null_values="NA").with_columns(
        weight=pl.int_range(pl.len()) % 3
    )
    found = tuned(frame, weights="weight", trials=1)
    assert found.default is not None
    assert found.default.loss > 0
    assert json.dumps(found.default.to_dict())
