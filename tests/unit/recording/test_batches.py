"""What is shown of one step is what the engine did in it."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.recording.batches import step_frame
from thalweg.recording.recorder import Recorder
from thalweg.training.session import Session

X = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)


def session(batch_size: int, *rates: float, optimizer: tw.SGD) -> Session[tw.Network]:
    first, second = (*rates, 0.0, 0.0)[:2]
    layers = [tw.Dense(6, "tanh"), tw.Dropout(first), tw.Dense(5, "tanh")]
    network = tw.Network([*layers, tw.Dropout(second), tw.Dense(1, "sigmoid")])
    return network.session(
        X,
        y,
        optimizer=optimizer,
        batch_size=batch_size,
        epochs=9,
        validation=0.25,
        seed=3,
    )


def test_units_shown_as_dropped_are_those_whose_weights_a_step_leaves_alone() -> None:
    run = session(1, 0.5, 0.3, optimizer=tw.SGD(0.5))
    recorder, network = Recorder(run), run.network
    seen = 0
    for step in range(60):
        if step % 25 == 7:
            run.epoch()  # the next begins a new order of rows
        before = {name: array.copy() for name, array in network.parameters.items()}
        off = step_frame(recorder)["dropped"].astype(bool)
        for layer, units in (("3", slice(0, 6)), ("5", slice(6, 11))):
            weights = f"{layer}.weights"
            moved = (before[weights] != network.parameters[weights]).any(axis=1)
            np.testing.assert_array_equal(moved, ~off[units])
        assert not off[11:].any()
        seen += int(off.sum())
    assert 100 < seen < 400


def test_a_step_shows_its_own_rows_their_loss_and_their_gradient() -> None:
    run = session(7, optimizer=tw.SGD(0.5))
    recorder, network = Recorder(run, row=4), run.network
    told: list[int] = []
    for _ in range(run.steps_an_epoch):
        before = network.memory.parameters.copy()
        rows = run.next_rows
        pair = recorder.X[rows], recorder.y[rows]
        loss = network.evaluate(*pair)["loss"]
        frame = step_frame(recorder)
        assert frame["batch.rows"].tolist() == rows.tolist()
        assert frame["batch.loss"] == pytest.approx(loss, rel=1e-5)
        moved = before - 0.5 * frame["batch.gradient"]
        np.testing.assert_allclose(network.memory.parameters, moved, atol=1e-6)
        np.testing.assert_array_equal(frame["parameters"], network.memory.parameters)
        shown = 4 if 4 in rows else rows[0]
        assert frame["batch.row"] == shown
        told += rows.tolist()
    assert sorted(told) == list(range(len(run.training[0])))


def test_rows_that_arent_shuffled_come_as_they_stand() -> None:
    network = tw.Network([tw.Dense(1, "sigmoid")])
    run = network.session(X, y, batch_size=16, shuffle=False, validation=None)
    assert [run.next_rows.tolist(), run.step()][0] == list(range(16))
    assert run.next_rows.tolist() == list(range(16, 32))
