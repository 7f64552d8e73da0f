"""A run in the playground is `fit`'s, wherever the cursor was."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.playground.experiment import Experiment, Hidden
from thalweg.playground.library import Library
from thalweg.playground.rows import data_of
from thalweg.playground.run import Run
from thalweg.playground.setup import layers_of, settings_of
from thalweg.playground.table import OwnTable
from thalweg.recording.recorder import Arrays
from thalweg.tabular.settings import Settings

SHORT = Experiment(epochs=40, layers=(Hidden(5, "tanh", 0.3), Hidden(4, "relu")))
STOPS = replace(SHORT, patience=4, noise=0.5, epochs=60)


def begun(experiment: Experiment = SHORT, row: int = 0) -> Run:
    return Run(experiment, data_of(experiment), row)


def same(one: Arrays, other: Arrays) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], name)


@pytest.mark.parametrize("experiment", [SHORT, STOPS])
def test_live_replay_and_export_are_one_path(experiment: Experiment) -> None:
    run, data = begun(experiment), data_of(experiment)
    run.to_end()
    live = run.recording()
    network = tw.Network(layers_of(experiment, data))
    recording = tw.record(network, *data.training, **settings_of(experiment, data))
    same(dict(live.frames), dict(recording.frames))
    same(dict(live.fixed), dict(recording.fixed))
    for name, value in recording.document.items():
        if name not in ("data", "python"):
            assert live.document[name] == value, name


@pytest.mark.parametrize(
    "experiment",
    [
        SHORT,
        replace(SHORT, layers=(Hidden(3, "own"),), own_activation="z * sigmoid(2*z)"),
        replace(SHORT, data="formula", formula="x1 + abs(x2) > 1", l1=0.001, l2=0.01),
        replace(SHORT, data="penguins", schedule="OneCycle", optimizer="Momentum"),
        replace(SHORT, data="formula", formula="x1*x2", loss="mean_squared_error"),
        replace(
            SHORT, data="drawn", points=tuple((i % 5, i / 9, i % 2) for i in range(40))
        ),
    ],
)
def test_as_python_executed_gives_the_weights(experiment: Experiment) -> None:
    run = begun(experiment)
    run.to_end()
    program, names = run.told()["python"], dict[str, Any]()
    exec(program, names)
    weights = names["network"].memory.parameters.tobytes()
    assert run.standing()["sha256"] == hashlib.sha256(weights).hexdigest()


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "Lion"])
def test_to_an_epoch_and_on_is_the_same_to_the_bit(optimizer: str) -> None:
    run = begun(replace(STOPS, optimizer=optimizer))
    run.to_end()
    for epoch in (0, 3, 10, 17, 40, 60):
        session = run.at(epoch)
        assert session.epochs_done == epoch
        own = session.network.memory.parameters
        np.testing.assert_array_equal(own, run.film.frames[epoch]["parameters"])
        while session.epochs_done < 60:
            session.epoch()
        np.testing.assert_array_equal(own, run.film.frames[60]["parameters"])


def test_a_branch_with_the_same_settings_is_the_run_itself() -> None:
    run = begun()
    run.to_end()
    branch = run.branch(17, SHORT)
    branch.to_end()
    for one, other in zip(run.film.frames, branch.film.frames, strict=True):
        same(one, other)


def test_a_branch_goes_its_own_way_from_where_it_parts() -> None:
    run = begun()
    while len(run.film.frames) <= 20:
        run.advance()
    for other in ({"learning_rate": 0.2}, {"optimizer": "SGD"}, {"batch_size": 40}):
        branch = run.branch(15, replace(SHORT, **other))
        branch.advance()
        same(branch.film.frames[15], run.film.frames[15])
        parameters = branch.film.frames[16]["parameters"]
        assert (parameters != run.film.frames[16]["parameters"]).any()
        rate = float(branch.film.frames[16]["learning_rate"])
        assert rate == pytest.approx(other.get("learning_rate", 0.02))
        early = branch.at(4).network.memory.parameters  # from before they parted
        np.testing.assert_array_equal(early, run.film.frames[4]["parameters"])


def test_steps_are_those_of_the_epoch() -> None:
    run = begun()
    run.to_end()
    every = [run.step(7, steps) for steps in range(1, 9)]
    last = every[-1]["parameters"]
    np.testing.assert_array_equal(last, run.film.frames[8]["parameters"])
    rows = np.concatenate([each["batch.rows"] for each in every])
    assert sorted(rows) == list(range(80))
    assert len(run.film.frames) == 41  # the run itself stands where it stood
    for steps in (0, 9):
        with pytest.raises(ArgumentError, match="steps must be"):
            run.step(7, steps)
    with pytest.raises(ArgumentError, match="epoch must be a number from 0 to 40"):
        run.step(41, 1)


def test_another_row_is_followed_as_from_the_start() -> None:
    run, other = begun(), begun(row=7)
    for each in (run, other):
        for _ in range(12):
            each.advance()
    run.follow(7)
    for each in (run, other):
        each.advance()
    for one, two in zip(run.film.frames, other.film.frames, strict=True):
        same(one, two)
    with pytest.raises(ArgumentError, match="row must be a number from 0 to 79"):
        run.follow(80)


def test_a_run_that_diverges_ends_in_words() -> None:
    run = begun(
        replace(
            SHORT,
            data="formula",
            formula="9*x1*x1",
            optimizer="SGD",
            learning_rate=5.0,
            layers=(Hidden(8, "relu"),),
        )
    )
    run.to_end()
    assert "learning rate 5" in run.standing()["diverged"]
    assert all(np.isfinite(f["parameters"]).all() for f in run.film.frames)
    assert run.recording().html()


# The test rows ------------------------------------------------------------------------


def test_test_rows_open_once_for_all_runs_of_the_same_rows() -> None:
    library = Library()
    first = Run(SHORT, library.of(SHORT))
    first.to_end()
    scores = library.unseal(first)
    network = first.network
    assert scores["accuracy"] == network.evaluate(*first.data.test)["accuracy"]
    again = Run(replace(SHORT, seed=9), library.of(SHORT))
    again.to_end()
    with pytest.raises(ArgumentError, match="once, got a second time"):
        library.unseal(again)
    fresh = replace(SHORT, data_seed=5)
    other = Run(fresh, library.of(fresh))
    other.to_end()
    assert library.unseal(other)["rows"] == 200


def test_early_stopping_brings_the_best_weights_back() -> None:
    run = begun(STOPS)
    run.to_end()
    best = run.standing()["best_epoch"]
    assert 0 < best < run.standing()["stopped_epoch"] < 60
    weights = run.network.memory.parameters
    np.testing.assert_array_equal(weights, run.film.frames[best]["parameters"])


# A table of one's own -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "score"),
    [("species", "accuracy"), ("sex", "accuracy"), ("body_mass_g", "r2")],
)
def test_a_tables_score_is_that_of_train(target: str, score: str) -> None:
    table = OwnTable.of("examples/penguins.csv", target, Settings(seed=3))
    library = Library(table)
    experiment = Experiment(data="table", data_seed=3, seed=3, epochs=30, patience=5)
    run = Run(experiment, library.of(experiment))
    run.to_end()
    trained = tw.train(
        "examples/penguins.csv",
        target=target,
        layers=(8, 8),
        activation="tanh",
        optimizer="adam",
        learning_rate=0.02,
        schedule="constant",
        batch_size=10,
        patience=5,
        epochs=30,
        seed=3,
    )
    own = trained.model.network.memory.parameters
    np.testing.assert_array_equal(run.network.memory.parameters, own)
    assert library.unseal(run)[score] == pytest.approx(trained.test[score])


def test_a_table_is_needed_where_one_is_named() -> None:
    with pytest.raises(ArgumentError, match="thalweg play TABLE --target COLUMN"):
        Library().of(Experiment(data="table"))
