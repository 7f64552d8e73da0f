"""Frozen layers stay the same to the bit, and the others learn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.optimizers import OPTIMIZERS

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 6, 6, 1)).astype(np.float32)
FIRST, SECOND = RANDOM.integers(0, 3, 60), RANDOM.integers(0, 4, 60)
QUICK: dict[str, Any] = {"epochs": 3, "batch_size": 20, "validation": None}


@dataclass(frozen=True)
class Own(tw.Layer):
    """A layer of a user's own that keeps a mean, and draws."""

    def parameters(self, input_shape: Any) -> dict[str, tw.Parameter]:
        return {"scale": tw.Parameter(input_shape, tw.initializers.ones)}

    def state(self, input_shape: Any) -> dict[str, tw.Parameter]:
        return {"mean": tw.Parameter(input_shape, tw.initializers.zeros)}

    def forward(self, x: Any, p: Any) -> Any:
        return (x - p.mean) * p.scale

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        y = self.forward(x, p) + random.uniform(x.shape)
        return y, {"mean": 0.5 * p.mean + 0.5 * tw.mean(x, axis=0)}


def body() -> list[tw.Layer]:
    """Layers that train otherwise than they predict."""
    return [
        tw.Conv(3, 3, activation="relu"),
        tw.BatchNorm(),
        tw.Residual([tw.Dense(3), tw.Dropout(0.3)]),
        tw.Flatten(),
        Own(),
    ]


def learned() -> tw.Network:
    network = tw.Network([*body(), tw.Dense(3, "softmax")])
    network.fit(X, FIRST, **QUICK)
    return network


def tuned_from(network: tw.Network, outputs: int = 4) -> tw.Network:
    """The network's layers frozen, with another one behind them."""
    last = tw.Dense(outputs, "softmax")
    tuned = tw.Network([tw.Frozen(network.layers[:-1]), last]).initialize((6, 6, 1))
    known = {**network.parameters, **network.state}
    tuned.set_parameters({name: known[name.removeprefix("1.")] for name in tuned.state})
    return tuned


def bits(arrays: Any) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("rule", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_what_is_frozen_stays_to_the_bit(rule: Any) -> None:
    network = learned()
    tuned = tuned_from(network)
    before, known = bits(tuned.state), bits({**network.parameters, **network.state})
    assert before == {
        f"1.{name}": each for name, each in known.items() if name[0] < "6"
    }
    start = bits(tuned.parameters)
    settings: dict[str, Any] = {"penalty": tw.L1(0.1) + tw.L2(0.1), "clip_norm": 0.5}
    tuned.fit(X, SECOND, optimizer=rule(), warm_start=True, **settings, **QUICK)
    assert bits(tuned.state) == before
    assert start.keys() == {"2.weights", "2.bias"}
    assert all(start[name] != each for name, each in bits(tuned.parameters).items())


def test_what_is_frozen_stays_without_a_warm_start() -> None:
    tuned = tuned_from(learned())
    before = bits(tuned.state)
    tuned.fit(X, SECOND, seed=5, **QUICK)
    assert bits(tuned.state) == before
    again = bits(tuned.parameters)
    tuned.fit(X, SECOND, seed=5, **QUICK)
    assert bits(tuned.parameters) == again
    inner = tw.Parallel([[tw.Dense(2), tw.Frozen(tw.Dense(2))], tw.BatchNorm()])
    network = tw.Network([inner, tw.Dense(1)]).initialize(3, seed=9)
    kept = bits(network.state)
    network.fit(RANDOM.normal(size=(60, 3)), RANDOM.normal(size=60), **QUICK)
    found = bits(network.state)
    assert {n for n in kept if found[n] == kept[n]} == {
        *("1.1.2.1.weights", "1.1.2.1.bias"),
    }
    with pytest.raises(ShapeError, match=r"1\.1\.weights must have shape"):
        tuned.fit(RANDOM.normal(size=(60, 6, 6, 2)), SECOND, **QUICK)


def test_the_others_learn_from_what_frozen_layers_predict() -> None:
    network = learned()
    tuned = tuned_from(network)
    features = tw.Network(network.layers[:-1]).initialize((6, 6, 1))
    known = {**network.parameters, **network.state}
    every = {**features.parameters, **features.state}
    features.set_parameters({name: known[name] for name in every})
    given = features.predict(X)
    alone = tw.Network([tuned.layers[-1]]).initialize(given.shape[1])
    alone.set_parameters({"1" + n[1:]: a for n, a in tuned.parameters.items()})
    tuned.fit(X, SECOND, warm_start=True, **QUICK)
    alone.fit(given, SECOND, warm_start=True, **QUICK)
    assert_allclose(tuned.predict(X), alone.predict(given), rtol=1e-4, atol=1e-6)


def test_layers_before_frozen_ones_learn_through_them() -> None:
    layers = [tw.Dense(4, "tanh"), tw.Frozen(tw.Dense(4)), tw.Dense(1)]
    rows, y = RANDOM.normal(size=(60, 3)), RANDOM.normal(size=60)
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = tw.Network(layers).initialize(3)
        first, frozen = network.parameters["1.weights"].copy(), bits(network.state)
        network.fit(rows, y, warm_start=True, engine=engine, **QUICK)
        assert (network.parameters["1.weights"] != first).all()
        assert bits(network.state) == frozen
        found.append(network.predict(rows))
    assert_allclose(*found, rtol=1e-4, atol=1e-6)


def test_frozen_networks_are_saved_and_resumed(tmp_path: Path) -> None:
    whole = tuned_from(learned())
    whole.save(tmp_path / "start.thalweg")
    part = tw.load(tmp_path / "start.thalweg")
    assert isinstance(part, tw.Network)
    assert_array_equal(part.predict(X), whole.predict(X))
    whole.fit(X, SECOND, warm_start=True, **QUICK)

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 1:
            raise KeyboardInterrupt

    checkpoint = tw.Checkpoint(tmp_path / "run")
    part.fit(X, SECOND, warm_start=True, checkpoint=checkpoint, callback=stop, **QUICK)
    resumed = tw.resume(tmp_path / "run", X, SECOND)
    assert isinstance(resumed, tw.Network)
    assert bits(resumed.parameters) == bits(whole.parameters)
    assert bits(resumed.state) == bits(whole.state)


def test_a_part_can_be_frozen_anywhere() -> None:
    inner = tw.Frozen([tw.Dense(4, "tanh"), tw.Dense(6)])
    layers = [tw.Flatten(), tw.Parallel([[], [tw.Dense(6), inner]]), tw.Dense(1)]
    network = tw.Network(layers).initialize((3, 2))
    assert list(network.state) == [
        *("2.2.2.1.weights", "2.2.2.1.bias", "2.2.2.2.weights", "2.2.2.2.bias"),
    ]
    assert "2.2.1.weights" in network.parameters
    assert str(inner) == "Frozen([Dense(4, activation='tanh'), Dense(6)])"
    assert "keeps 58 numbers of state" in network.summary()


def test_what_cannot_be_frozen() -> None:
    with pytest.raises(ArgumentError, match="layers must be one or more, got"):
        tw.Frozen([])
    with pytest.raises(ArgumentError, match="layers must be a layer or a list of"):
        tw.Frozen([3])  # pyright: ignore[reportArgumentType]
    with pytest.raises(ShapeError, match=r"layer 1, Frozen\(\[Conv"):
        tw.Network([tw.Frozen(tw.Conv(2, 3))]).initialize(4)


@pytest.mark.parametrize("layer", [tw.Frozen(tw.Dense(3)), tw.Flatten()])
def test_something_must_be_left_to_learn(layer: tw.Layer) -> None:
    network = tw.Network([layer])
    with pytest.raises(ArgumentError, match="no layer has parameters to learn"):
        network.fit(np.ones((9, 3)), np.ones((9, 3)), epochs=1)
