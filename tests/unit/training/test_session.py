"""A session takes the steps of fit one by one, to the same bits, and goes back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, DivergenceError
from thalweg.training.session import Session

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(61, 4)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
HOW: dict[str, Any] = {"epochs": 12, "batch_size": 8, "optimizer": tw.Adam(0.02)}

HARD: dict[str, dict[str, Any]] = {
    "plain": {},
    "momentum": {"optimizer": tw.SGD(0.05, momentum=0.9)},
    "a schedule over all steps": {"optimizer": tw.Adam(tw.OneCycle(0.05))},
    "a schedule of the losses": {
        "optimizer": tw.Adam(tw.ReduceOnPlateau(0.05, patience=1))
    },
    "early stopping": {"early_stopping": tw.EarlyStopping(patience=2), "epochs": 40},
    "in order, all rows": {"shuffle": False, "batch_size": "all"},
    "no validation": {"validation": None, "early_stopping": None},
    "own validation": {"validation": (X[:20], Y[:20])},
    "penalty, clipping, weights": {
        "penalty": tw.L2(1e-3),
        "clip_norm": 0.5,
        "sample_weight": np.arange(61) + 1.0,
    },
    "interpreter, float64": {"engine": "interpreter", "dtype": "float64", "epochs": 4},
    "two threads": {"threads": 2},
}


def network() -> tw.Network:
    layers = [
        *(tw.Dense(8, "tanh"), tw.BatchNorm(), tw.Dropout(0.3)),
        tw.Dense(1, "sigmoid"),
    ]
    return tw.Network(layers)


def bits(session: Session[tw.Network] | tw.Network) -> dict[str, bytes]:
    """Parameters, the layers' state, and the optimizer's slots."""
    net = session if isinstance(session, tw.Network) else session.network
    slots = net.optimizer_state.slots if net.optimizer_state else {}
    every = {**net.parameters, **net.state, **slots}
    return {name: array.tobytes() for name, array in every.items()}


def figures(history: tw.History) -> list[dict[str, float]]:
    return [record.figures() for record in history.epochs]


def by_epochs(session: Session[tw.Network]) -> None:
    while not session.is_over:
        session.epoch()


def by_steps(session: Session[tw.Network]) -> None:
    while not session.is_over:
        session.step()


def by_both(session: Session[tw.Network]) -> None:
    while not session.is_over:
        for _ in range(min(3, session.steps_an_epoch - 1)):
            session.step()
        session.epoch()


def there_and_back(session: Session[tw.Network]) -> None:
    session.epoch()
    for _ in range(session.steps_an_epoch // 2):
        session.step()
    here = session.snapshot()
    for _ in range(3):
        session.epoch()
    session.restore(here)
    by_epochs(session)


WAYS = [by_epochs, by_steps, by_both, there_and_back]


@pytest.mark.parametrize("name", HARD)
def test_in_whatever_way_it_is_what_fit_does(name: str) -> None:
    how = {**HOW, **HARD[name]}
    fitted = network()
    history = fitted.fit(X, Y, **how)
    for way in WAYS:
        session = network().session(X, Y, **how)
        way(session)
        assert session.finish() is session.network.history
        assert bits(session) == bits(fitted), way.__name__
        assert figures(session.history) == figures(history)
        assert session.history.best_epoch == history.best_epoch
        assert session.history.stopped_because == history.stopped_because
        assert session.history.settings == history.settings


@pytest.mark.parametrize("name", HARD)
def test_a_branch_goes_its_own_way(name: str) -> None:
    how = {**HOW, **HARD[name]}
    one = network().session(X, Y, **how)
    one.epoch()
    if one.steps_an_epoch > 1:
        one.step()
    before, told = bits(one), figures(one.history)
    other = one.branch()
    assert bits(other) == before
    other.run()
    assert bits(one) == before
    assert figures(one.history) == told
    one.run()
    assert bits(one) == bits(other)
    assert figures(one.history) == figures(other.history)
    assert one.network is not other.network


def test_beyond_the_stop_it_goes_on_and_comes_back() -> None:
    how: dict[str, Any] = {**HOW, **HARD["early stopping"]}
    to_the_end: dict[str, Any] = {**how, "early_stopping": None}
    fitted, session = network(), network().session(X, Y, **how)
    history = fitted.fit(X, Y, **how)
    by_epochs(session)
    stop = session.snapshot()
    assert session.epochs_done == history.stopped_epoch < 40
    while session.epochs_done < session.epochs:
        session.epoch()
    whole = network()
    whole.fit(X, Y, **to_the_end)
    assert bits(session) == bits(whole)
    session.restore(stop)
    assert session.finish().stopped_because == history.stopped_because
    assert bits(session) == bits(fitted)


def test_several_fits_are_one_after_a_warm_start() -> None:
    how: dict[str, Any] = {**HOW, "early_stopping": None, "warm_start": True}
    fitted, net = network(), network()
    for _ in range(2):
        fitted.fit(X, Y, **how)
        net.session(X, Y, **how).run()
    assert bits(net) == bits(fitted)


def test_rows_of_different_lengths() -> None:
    sequences = [RANDOM.normal(size=(n, 2)) for n in RANDOM.integers(2, 9, 30)]
    layers = [tw.GRU(4), tw.Last(), tw.Dense(1, "sigmoid")]
    how: dict[str, Any] = {"epochs": 3, "batch_size": 7, "group_by_length": True}
    fitted = tw.Network(layers)
    fitted.fit(sequences, Y[:30], **how)
    session = tw.Network(layers).session(sequences, Y[:30], **how)
    by_both(session)
    session.finish()
    assert bits(session) == bits(fitted)


# What it tells ------------------------------------------------------------------------


def test_it_tells_where_it_stands() -> None:
    session = network().session(X, Y, **HOW, validation=0.25)
    (rows, targets), held_out = session.training, session.validation
    assert held_out is not None
    assert len(rows) == len(targets) == 46
    assert len(held_out[0]) == 15
    together = np.concatenate([rows, held_out[0]])
    assert sorted(together.tolist()) == sorted(X.tolist())
    assert (session.steps_an_epoch, session.steps_done, session.epochs_done) == (
        6,
        0,
        0,
    )
    assert session.learning_rate == pytest.approx(0.02)
    session.step()
    assert (session.steps_done, session.epochs_done) == (1, 0)
    assert session.epoch().epoch == 1
    assert (session.steps_done, session.epochs_done) == (0, 1)
    assert session.patience == tw.EarlyStopping().patience
    assert network().session(X, Y, validation=None).validation is None


def test_the_rate_is_that_of_the_next_step() -> None:
    rates = tw.StepDecay(0.1, factor=0.5, every=3)
    how: dict[str, Any] = {**HOW, "optimizer": tw.SGD(rates)}
    session = network().session(X, Y, **how)
    found = []
    for _ in range(8):
        found.append(session.learning_rate)
        session.step()
        assert session.history.epochs == [] or session.epochs_done == 1
    assert found[:3] == [pytest.approx(0.1)] * 3
    assert found[3] == pytest.approx(0.05)


def test_the_loss_of_a_step_is_the_mean_of_its_rows() -> None:
    layers = [tw.Dense(3, "tanh"), tw.Dense(1, "sigmoid")]
    how: dict[str, Any] = {"batch_size": 8, "shuffle": False, "validation": None}
    session = tw.Network(layers).session(X, Y, **how)
    session.epoch()
    for number in range(session.steps_an_epoch):
        rows = slice(8 * number, 8 * number + 8)
        before = session.network.evaluate(X[rows], Y[rows])["loss"]
        assert session.step() == pytest.approx(before, rel=1e-5)


def test_what_diverges_can_be_brought_back() -> None:
    layers, y = [tw.Dense(8, "relu"), tw.Dense(1)], X[:, 0] * 100
    how: dict[str, Any] = {"optimizer": tw.SGD(5.0), "epochs": 30, "batch_size": 16}
    session = tw.Network(layers).session(X, y, **how)
    start = session.snapshot()
    with pytest.raises(DivergenceError, match="became"):
        session.run()
    assert session.is_over
    assert session.history.stopped_because == "diverged"
    session.finish()
    fitted = tw.Network(layers)
    with pytest.raises(DivergenceError):
        fitted.fit(X, y, **how)
    assert session.network.parameters.keys() == fitted.parameters.keys()
    for name, array in fitted.parameters.items():
        np.testing.assert_array_equal(session.network.parameters[name], array)
    session.restore(start)
    assert not session.is_over
    assert np.isfinite(session.step())


def test_an_early_end_is_told() -> None:
    session = network().session(X, Y, **HOW)
    session.epoch()
    assert session.finish().stopped_because == "ended after epoch 1"


@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"batch_size": 0}, {"seed": -1}, {"dtype": "int32"}]
)
def test_arguments_are_those_of_fit(change: dict[str, Any]) -> None:
    def message(call: Callable[..., object]) -> str:
        with pytest.raises(ArgumentError) as caught:
            call(X, Y, **{**HOW, **change})
        return str(caught.value)

    assert message(network().session) == message(network().fit)


def test_only_a_snapshot_is_gone_back_to() -> None:
    with pytest.raises(ArgumentError, match="snapshot must be what snapshot"):
        network().session(X, Y).restore({})  # type: ignore[arg-type]
