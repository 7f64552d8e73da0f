"""Sweeps: every network as if it had been trained alone, and none is lost."""

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError
from thalweg.training import execution

generator = np.random.default_rng(0)
X = generator.normal(size=(60, 3))
Y = np.sin(X @ [1.0, -2.0, 0.5])
SHORT: dict[str, Any] = {"epochs": 3, "batch_size": 20}


def layers(units: int = 4, activation: str = "tanh") -> list[tw.Layer]:
    return [tw.Dense(units, activation), tw.Dropout(0.2), tw.Dense(1)]


def same(one: tw.Network, other: tw.Network) -> None:
    assert one.parameters.keys() == other.parameters.keys()
    for name, array in one.parameters.items():
        np.testing.assert_array_equal(array, other.parameters[name])


# What is trained ----------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, None])
def test_each_network_has_the_bits_of_one_trained_alone(threads: int | None) -> None:
    over = {"units": [2, 7], "seed": [0, 5], "batch_size": [20, 32, "all"]}
    found = tw.sweep(layers, X, Y, over=over, epochs=3, threads=threads)
    for settings, network in zip(found.settings, found.networks, strict=True):
        alone = tw.Network(layers(settings["units"]))
        history = alone.fit(
            *(X, Y),
            seed=settings["seed"],
            batch_size=settings["batch_size"],
            epochs=3,
        )
        same(network, alone)
        assert network.history.training_loss == history.training_loss
        assert network.history.validation_loss == history.validation_loss
        assert network.evaluate(X, Y) == alone.evaluate(X, Y)


def test_every_combination_is_there_once_and_in_order() -> None:
    found = tw.sweep(layers, X, Y, over={"units": [3, 2], "seed": [1, 0]}, **SHORT)
    expected = [(3, 1), (3, 0), (2, 1), (2, 0)]
    assert [(s["units"], s["seed"]) for s in found.settings] == expected
    assert found.table.select("units", "seed").rows() == expected
    assert [n.parameters["1.bias"].size for n in found.networks] == [3, 3, 2, 2]


def test_settings_can_be_a_list() -> None:
    over = [{"seed": 3}, {"units": 2}, {}, {"seed": 3, "units": 5}]
    found = tw.sweep(layers, X, Y, over=over, **SHORT)
    assert found.settings == tuple(over)
    assert found.table["units"].to_list() == [None, 2, None, 5]
    assert [n.parameters["1.bias"].size for n in found.networks] == [4, 2, 4, 5]
    assert found.histories[0].settings["seed"] == 3


def test_iterators_can_be_used_up_once() -> None:
    found = tw.sweep(layers, X, Y, over={"seed": iter(range(3))}, **SHORT)
    assert [s["seed"] for s in found.settings] == [0, 1, 2]


def test_the_layers_can_be_the_same_for_all() -> None:
    found = tw.sweep(layers(), X, Y, over={"seed": [0, 1]}, **SHORT)
    alone = tw.Network(layers())
    alone.fit(X, Y, seed=1, **SHORT)
    same(found.networks[1], alone)


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        ({}, tw.Adam(0.03)),
        ({"optimizer": "sgd"}, tw.SGD(0.03)),
        ({"optimizer": tw.SGD(0.5, momentum=0.9)}, tw.SGD(0.03, momentum=0.9)),
    ],
)
def test_the_learning_rate_is_that_of_any_optimizer(
    optimizer: dict[str, Any], rule: tw.Optimizer
) -> None:
    rates = [0.001, 0.03, tw.CosineWithWarmup(0.1)]
    found = tw.sweep(layers, X, Y, over={"learning_rate": rates}, **optimizer, **SHORT)
    alone = tw.Network(layers())
    alone.fit(X, Y, optimizer=rule, **SHORT)
    same(found.networks[1], alone)
    assert found.networks[1].optimizer == rule
    assert found.table["learning_rate"].to_list() == [str(rate) for rate in rates] or (
        found.table["learning_rate"].to_list()[1] == 0.03
    )


def test_a_network_can_be_where_a_run_starts() -> None:
    start = tw.Network(layers()).initialize(3, seed=9)

    def grown(scale: float) -> tw.Network:
        network = tw.Network(layers()).initialize(3, seed=9)
        network.set_parameters({"1.weights": scale * start.parameters["1.weights"]})
        return network

    found = tw.sweep(grown, X, Y, over={"scale": [1.0, 2.0]}, **SHORT)
    alone = grown(2.0)
    alone.fit(X, Y, warm_start=True, **SHORT)
    same(found.networks[1], alone)


def test_what_the_runs_share_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    compile_rows = execution.compile_rows

    def counted(program: Any, rows: int) -> Any:
        made.append(rows)
        return compile_rows(program, rows)

    monkeypatch.setattr(execution, "compile_rows", counted)
    over = {"seed": range(5), "learning_rate": [0.01, 0.02]}
    tw.sweep(layers(), X, Y, over=over, threads=1, **SHORT)
    assert made == [20, 8]  # a full batch, and the rest of 48 rows
    made.clear()
    tw.sweep(layers, X, Y, over={"units": [2, 3, 2]}, threads=1, **SHORT)
    assert made == [20, 8, 20, 8]


def test_a_network_is_ready_for_more_after_a_sweep() -> None:
    found = tw.sweep(layers, X, Y, over={"seed": [0, 1]}, **SHORT)
    network = found.networks[0]
    before = network.history.training_loss[-1]
    network.fit(X, Y, warm_start=True, epochs=30)
    assert network.history.training_loss[-1] < before


# The table ----------------------------------------------------------------------------


def test_the_table_holds_the_figures_of_the_best_epoch() -> None:
    found = tw.sweep(layers, X, Y, over={"seed": [0, 1]}, epochs=12, optimizer="sgd")
    for row, history in zip(
        found.table.iter_rows(named=True), found.histories, strict=True
    ):
        at = history.best_epoch - 1
        assert row["best_epoch"] == history.best_epoch
        assert row["epochs"] == history.stopped_epoch
        assert row["training_loss"] == history.training_loss[at]
        assert row["validation_loss"] == history.validation_loss[at]
        assert row["validation_rmse"] == history.validation_metrics["rmse"][at]
        assert row["stopped_because"] == history.stopped_because


def test_the_best_has_the_lowest_loss_on_validation_rows() -> None:
    found = tw.sweep(layers, X, Y, over={"units": [1, 4, 16]}, **SHORT)
    losses = found.table["validation_loss"].to_list()
    assert found.best is found.networks[int(np.argmin(losses))]


def test_without_validation_rows_the_best_is_by_training_loss() -> None:
    settings: Any = {**SHORT, "validation": None, "early_stopping": None}
    found = tw.sweep(layers, X, Y, over={"units": [1, 16]}, **settings)
    losses = found.table["training_loss"].to_list()
    assert found.best is found.networks[int(np.argmin(losses))]


def test_nothing_to_try_is_a_sweep_without_runs() -> None:
    found = tw.sweep(layers, X, Y, over={"seed": []}, **SHORT)
    assert (found.networks, found.table.height) == ((), 0)
    with pytest.raises(ArgumentError, match="best"):
        _ = found.best


def test_layers_and_rules_are_shown_as_they_are_written() -> None:
    over = {"optimizer": [tw.SGD(0.1), "adam"], "activation": ["tanh"]}
    found = tw.sweep(layers, X, Y, over=over, **SHORT)
    assert "SGD(learning_rate=0.1" in found.table["optimizer"][0]
    assert found.table["optimizer"][1] == "adam"


# What goes wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"over": {"unit": [1]}}, "no setting 'unit': did you mean 'units'?"),
        ({"over": {"sed": [1]}}, "did you mean 'seed'?"),
        ({"over": [{"seed": 1}, {"sed": 1}]}, "did you mean 'seed'?"),
        ({"over": {"seed": [1]}, "epoch": 3}, "did you mean 'epochs'?"),
        ({"over": {"learning_rat": [1]}}, "did you mean 'learning_rate'?"),
        ({"over": {"seed": [1]}, "progress": True}, "no setting 'progress'"),
        ({"over": {"threads": [1]}}, "no setting 'threads'"),
        ({"over": {"seed": [1]}, "threads": 0}, "threads must be a whole number"),
    ],
)
def test_a_name_that_isnt_one_is_refused_before_anything_runs(
    given: Any, said: str
) -> None:
    def unreached(units: int) -> list[tw.Layer]:
        raise AssertionError

    with pytest.raises(ArgumentError) as error:
        tw.sweep(unreached, X, Y, **given)
    assert said in str(error.value)


def test_the_layers_must_be_some() -> None:
    with pytest.raises(ArgumentError, match="layers must be a list of layers"):
        tw.sweep(3, X, Y, over={"seed": [1]})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_run_ends_the_sweep_with_it(threads: int) -> None:
    begun: list[int] = []

    def failing(number: int) -> list[tw.Layer]:
        begun.append(number)
        return [tw.Dense(0 if number == 1 else 1)]

    settings: dict[str, Any] = {"epochs": 10_000_000, "early_stopping": None}
    over: Any = [{"number": 0, "epochs": 2}, *({"number": n} for n in range(1, 40))]
    if threads == 2:  # the first run goes on while the second fails
        over[0] = {"number": 0}
    with pytest.raises(ArgumentError, match="units"):
        tw.sweep(failing, X, Y, over=over, threads=threads, **settings)
    assert len(begun) <= 1 + threads


def test_a_run_that_diverges_is_kept_in_the_table() -> None:
    over = {"learning_rate": [0.01, 1e30, 0.02]}
    settings: dict[str, Any] = {**SHORT, "optimizer": "sgd", "epochs": 5}
    found = tw.sweep(layers, X, Y, over=over, **settings)
    reasons = found.table["stopped_because"].to_list()
    assert len(reasons) == 3
    assert reasons[1] == "diverged"
    assert found.best is not found.networks[1]
    assert np.isfinite(found.networks[1].predict(X)).all()


# Stopping -----------------------------------------------------------------------------


def test_a_callback_sees_every_epoch_of_every_run() -> None:
    seen: list[int] = []
    over = {"seed": range(4)}
    tw.sweep(layers, X, Y, over=over, callback=lambda r: seen.append(r.epoch), **SHORT)
    assert sorted(seen) == sorted([1, 2, 3] * 4)


def test_ctrl_c_in_a_callback_ends_its_run_with_what_it_learned() -> None:
    def callback(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    over = {"seed": range(3)}
    found = tw.sweep(layers, X, Y, over=over, callback=callback, threads=1, **SHORT)
    assert found.table["epochs"].to_list() == [2, 2, 2]
    assert set(found.table["stopped_because"]) == {"interrupted after epoch 2"}


def interrupt_when(ready: threading.Event) -> Callable[[], None]:
    """Presses Ctrl-C once, as soon as something has happened."""

    def press() -> None:
        ready.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread.join


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_keeps_what_is_done_and_begins_nothing_else(threads: int) -> None:
    ready, seen = threading.Event(), []

    def callback(record: tw.EpochRecord) -> None:
        seen.append(record.epoch)
        if seen.count(1) == 1 + threads:  # the first run made room for another
            ready.set()

    join = interrupt_when(ready)
    found = tw.sweep(
        *(layers, X, Y),
        over=[{"epochs": 3}, *({"epochs": 10_000_000, "seed": s} for s in range(9))],
        early_stopping=None,
        callback=callback,
        threads=threads,
    )
    join()
    assert len(found.networks) == 1 + threads
    reasons = found.table["stopped_because"].to_list()
    assert reasons[0] == "all 3 epochs were done"
    assert all(reason.startswith("interrupted") for reason in reasons[1:])
    assert found.settings[0] == {"epochs": 3}
    for network in found.networks:
        assert np.isfinite(network.predict(X)).all()
