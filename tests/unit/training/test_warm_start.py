"""A warm start goes on where the last fit ended: weights, optimizer, counters."""

import copy
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import DivergenceError

generator = np.random.default_rng(0)
X, Y = generator.normal(size=(50, 3)), generator.integers(0, 3, 50)
OPTIONS: dict[str, Any] = {"batch_size": 7, "early_stopping": None}
RULES = [
    tw.Adam(0.01),
    tw.SGD(0.05, momentum=0.9),
    tw.RMSProp(0.01),
    tw.Adam(tw.StepDecay(0.01, every=13)),
    tw.Lion(tw.ExponentialDecay(0.01, 0.99)),
]


def network() -> tw.Network:
    """With random draws, and with state that layers keep."""
    return tw.Network(
        [tw.Dense(8, "tanh"), tw.Dropout(0.2), tw.BatchNorm(), tw.Dense(3, "softmax")]
    )


def arrays(found: tw.Network) -> dict[str, bytes]:
    return {k: v.tobytes() for k, v in {**found.parameters, **found.state}.items()}


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_two_fits_of_epochs_are_one_of_their_sum(rule: Any, engine: str) -> None:
    """Slots, steps, schedules, dropout and the order of rows go on."""
    once, twice = network(), network()
    whole = once.fit(X, Y, epochs=7, optimizer=rule, engine=engine, **OPTIONS)
    first = twice.fit(X, Y, epochs=3, optimizer=rule, engine=engine, **OPTIONS)
    second = twice.fit(
        X, Y, epochs=4, optimizer=rule, engine=engine, warm_start=True, **OPTIONS
    )
    assert arrays(once) == arrays(twice)
    assert whole.training_loss == first.training_loss + second.training_loss
    assert whole.validation_loss == first.validation_loss + second.validation_loss
    assert whole.learning_rate == first.learning_rate + second.learning_rate
    assert [record.epoch for record in second.epochs] == [1, 2, 3, 4]


def moved(rule: tw.Optimizer, before: tw.Optimizer | None) -> np.ndarray:
    """How far one step of a rule goes after steps of another, from the same weights."""
    found = network().initialize(3)
    start = {**found.parameters, **found.state}
    options: dict[str, Any] = {"batch_size": "all", "validation": None, "epochs": 1}
    if before is not None:
        found.fit(X, Y, warm_start=True, optimizer=before, **options)
        found.set_parameters(start)
    found.fit(X, Y, warm_start=True, optimizer=rule, shuffle=False, **options)
    return found.parameters["1.weights"] - start["1.weights"]


def test_the_same_rule_at_another_learning_rate_keeps_its_slots() -> None:
    fresh = moved(tw.Adam(0.01), None)
    kept = moved(tw.Adam(0.01), tw.Adam(0.3))
    assert not np.array_equal(fresh, kept)


@pytest.mark.parametrize("other", [tw.Adam(0.01, beta1=0.8), tw.RMSProp(0.01)])
def test_another_rule_starts_afresh(other: tw.Optimizer) -> None:
    """With its first step, so that dropout's draws are those of a first step too."""
    assert np.array_equal(moved(tw.Adam(0.01), None), moved(tw.Adam(0.01), other))


def test_without_a_warm_start_everything_starts_afresh() -> None:
    found = network()
    first = found.fit(X, Y, epochs=3, **OPTIONS).training_loss
    assert found.fit(X, Y, epochs=3, **OPTIONS).training_loss == first


def test_new_first_parameters_forget_the_optimizer() -> None:
    found, other = network(), network()
    found.fit(X, Y, epochs=3, **OPTIONS)
    for each in (found, other):
        each.initialize(3, seed=5)
        each.fit(X, Y, epochs=2, warm_start=True, **OPTIONS)
    assert arrays(found) == arrays(other)


def test_a_copy_goes_on_as_the_original_does() -> None:
    found = network()
    found.fit(X, Y, epochs=3, **OPTIONS)
    other = copy.deepcopy(found)
    for each in (found, other):
        each.fit(X, Y, epochs=2, warm_start=True, **OPTIONS)
    assert arrays(found) == arrays(other)


def test_each_epoch_has_rows_in_another_order_when_fitted_one_by_one() -> None:
    """As estimators do it that are given rows part by part."""
    orders = set[bytes]()
    found = tw.Network([tw.Dense(1)])
    for _ in range(4):
        found.fit(
            X,
            X[:, 0],
            epochs=1,
            batch_size=1,
            validation=None,
            warm_start=True,
            optimizer=tw.SGD(1e-3),
        )
        orders.add(found.parameters["1.weights"].tobytes())
    whole = tw.Network([tw.Dense(1)])
    whole.fit(
        X, X[:, 0], epochs=4, batch_size=1, validation=None, optimizer=tw.SGD(1e-3)
    )
    assert len(orders) == 4
    assert arrays(whole) == arrays(found)


def test_after_an_interrupt_in_an_epoch_a_warm_start_begins_a_whole_one() -> None:
    found = network()

    def stop(record: tw.EpochRecord) -> None:
        raise KeyboardInterrupt

    found.fit(X, Y, epochs=9, callback=stop, **OPTIONS)
    again = found.fit(X, Y, epochs=2, warm_start=True, **OPTIONS)
    whole = network()
    losses = whole.fit(X, Y, epochs=3, **OPTIONS).training_loss
    assert again.training_loss == losses[1:]


def test_slots_that_diverged_are_forgotten() -> None:
    found = tw.Network([tw.Dense(1)])
    with pytest.raises(DivergenceError):
        found.fit(X, X[:, 0], optimizer=tw.SGD(1e6, momentum=0.9), epochs=30)
    found.set_parameters({"1.weights": np.zeros((3, 1)), "1.bias": [0.0]})
    history = found.fit(
        X, X[:, 0], optimizer=tw.SGD(0.01, momentum=0.9), epochs=2, warm_start=True
    )
    assert max(history.training_loss) < 1e3
