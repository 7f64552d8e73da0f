"""The user's arrays are read where they are: no copy, also of a memory map."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw

ROWS, FEATURES = 120_000, 64
BYTES = ROWS * FEATURES * 4


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    path: Path = tmp_path_factory.mktemp("mapped") / "X.npy"
    X = np.lib.format.open_memmap(path, "w+", np.float32, (ROWS, FEATURES))
    for start in range(0, ROWS, 10_000):
        part = np.random.default_rng(start).normal(size=(10_000, FEATURES))
        X[start : start + 10_000] = part
    X.flush()
    return np.load(path, mmap_mode="r")


def peak_of_training(X: np.ndarray, y: np.ndarray) -> int:
    network = tw.Network([tw.Dense(4, "tanh"), tw.Dense(1)])
    tracemalloc.start()
    try:
        network.fit(X, y, epochs=1, batch_size=1000, validation=0.02)
        network.evaluate(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_memory_map_is_not_read_into_memory(mapped: np.ndarray) -> None:
    y = np.array(mapped[:, 0] - mapped[:, 1])
    assert peak_of_training(mapped, y) < BYTES / 2


def test_other_dtypes_are_converted_once(mapped: np.ndarray) -> None:
    y = np.array(mapped[:, 0])
    X = np.array(mapped, np.float64)
    assert BYTES < peak_of_training(X, y) < 2 * BYTES


def test_an_array_by_reference_trains_like_a_copy(mapped: np.ndarray) -> None:
    y = np.array(mapped[:500, 0])
    trained = []
    for X in (mapped[:500], np.array(mapped[:500]), np.asfortranarray(mapped[:500])):
        network = tw.Network([tw.Dense(4, "tanh"), tw.Dense(1)])
        network.fit(X, y, epochs=3)
        trained.append(network.parameters)
    for other in trained[1:]:
        for name, values in trained[0].items():
            np.testing.assert_array_equal(other[name], values)
