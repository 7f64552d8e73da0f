"""Batches of a single row, which can't be cut: engine and interpreter."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import (
    assert_allclose,
    assert_array_equal,
    assert_array_max_ulp,
)

import thalweg as tw
from support.engine import every_dtype
from thalweg.program.types import Dtype, NumpyArray

TOLERANCE = {"float32": 2e-4, "float64": 1e-10}
NETWORKS: dict[str, Callable[[], list[Any]]] = {
    "dense": lambda: [tw.Dense(16, "tanh"), tw.Dense(3, "softmax")],
    "one layer": lambda: [tw.Dense(3, "softmax")],
    "dropout": lambda: [tw.Dense(16), tw.Dropout(0.5), tw.Dense(3, "softmax")],
    "a layer's norm": lambda: [tw.Dense(8), tw.LayerNorm(), tw.Dense(3, "softmax")],
    "rows that meet": lambda: [tw.Dense(8), tw.BatchNorm(), tw.Dense(3, "softmax")],
    "embeddings": lambda: [
        tw.Columns(((0, 1, tw.Embedding(3, 4)), (1, 4, None))),
        tw.Dense(3, "softmax"),
    ],
}
every_network = pytest.mark.parametrize("name", NETWORKS)
# The rows, and those of a batch: every step has one, the last has one, there is one.
BATCHES = {
    "ones": (7, 1),
    "a last one": (25, 8),
    "a last one of two": (3, 2),
    "the only one": (1, 32),
    "all of one": (1, 1),
}


def rows_of(count: int) -> tuple[NumpyArray, NumpyArray]:
    random = np.random.default_rng(count)
    X, y = random.normal(size=(count, 4)), random.integers(0, 3, count)
    X[:, 0], y[:1] = random.integers(0, 3, count), 2  # a category, and the last class
    return X, y


def trained(name: str, batches: str, dtype: Dtype, **settings: Any) -> tw.Network:
    rows, batch_size = BATCHES[batches]
    X, y = rows_of(rows)
    network = tw.Network(NETWORKS[name]())
    network.fit(
        *(X, y),
        loss="cross_entropy",
        optimizer=tw.SGD(learning_rate=0.05, momentum=0.9),
        batch_size=batch_size,
        epochs=4,
        validation=(X[-1:], y[-1:]),
        dtype=dtype,
        **settings,
    )
    return network


@every_dtype
@pytest.mark.parametrize("batches", BATCHES)
@every_network
def test_training(name: str, batches: str, dtype: Dtype) -> None:
    engine = trained(name, batches, dtype, threads=1)
    oracle = trained(name, batches, dtype, engine="interpreter")
    close = TOLERANCE[dtype]
    for key, array in oracle.parameters.items():
        assert_allclose(engine.parameters[key], array, close, close, err_msg=key)
    for which in ("training_loss", "validation_loss"):
        expected = getattr(oracle.history, which)
        assert_allclose(getattr(engine.history, which), expected, close, close)
    both = trained(name, batches, dtype, threads=2)
    for key, array in engine.parameters.items():
        assert_array_equal(both.parameters[key], array, err_msg=key)


@every_dtype
@every_network
def test_predictions(name: str, dtype: Dtype) -> None:
    network = trained(name, "a last one", dtype)
    X, y = rows_of(40)
    many = network.predict(X)
    for row in (0, 39):
        one = network.predict(X[row : row + 1])
        assert_array_max_ulp(one, many[row : row + 1], 1)  # softmax: by a reciprocal
        oracle = network.predict(X[row : row + 1], engine="interpreter")
        assert_allclose(one, oracle, TOLERANCE[dtype], TOLERANCE[dtype])
        scores = network.evaluate(X[row : row + 1], y[row : row + 1])
        assert scores["accuracy"] == (one.argmax() == y[row])
        assert scores["loss"] == pytest.approx(-np.log(one[0, y[row]]), rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    inputs=st.integers(1, 40),
    units=st.integers(2, 20),
    rows=st.sampled_from((2, 9, 17, 40, 70)),
    activation=st.sampled_from(("identity", "relu", "softmax")),
    norm=st.booleans(),
)
def test_a_row_has_the_same_bits_alone_as_among_others(
    inputs: int, units: int, rows: int, activation: str, norm: bool
) -> None:
    """Whatever divides it, a constant or a number of its own."""
    X = np.random.default_rng(rows).uniform(size=(rows, inputs)).astype(np.float32)
    before = [tw.Dense(units + 3, "tanh"), tw.LayerNorm()] if norm else []
    network = tw.Network([*before, tw.Dense(units, activation)])
    network.fit(X, np.ones((rows, units)) / units, epochs=1, validation=None)
    alone = [network.predict(X[row : row + 1]) for row in range(rows)]
    assert_array_equal(network.predict(X), np.concatenate(alone))
