"""Threads: the same bits for any number of them, and an orderly end in any."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.backends.engine.assemble import compile_rows
from thalweg.backends.engine.batch import Batch
from thalweg.backends.engine.native import NativeProgram
from thalweg.program import ops
from thalweg.program.sizes import ROWS
from thalweg.program.trace import trace
from thalweg.program.types import ArrayType, NumpyArray

THREADS = (1, 2, 3, 8)


# The same bits -----------------------------------------------------------------------


def dense(*units: int, activation: str = "relu") -> tw.Network:
    layers = [tw.Dense(n, activation) for n in units[:-1]]
    return tw.Network([*layers, tw.Dense(units[-1], "softmax")])


def convolutional(
    filters: int, pool: tw.MaxPool | None = None, **form: Any
) -> tw.Network:
    """Two convolutions with poolings behind them."""
    conv = tw.Conv(filters, 3, activation="relu", **form)
    pair = (conv, pool or tw.MaxPool(2))
    return tw.Network([*pair, *pair, tw.Flatten(), tw.Dense(3, "softmax")])


# Networks; features or a row's shape; rows, batch size and epochs.
Row = int | tuple[int, ...]
NETWORKS: dict[str, tuple[Callable[[], tw.Network], Row, int, int, int]] = {
    "small": (lambda: dense(16, 3), 5, 150, 32, 3),
    "medium": (lambda: dense(128, 128, 10), 64, 640, 64, 2),
    "wide": (lambda: dense(256, 256, 10), 256, 768, 256, 2),
    "large": (lambda: dense(600, 10), 300, 192, 64, 2),
    "zeros": (lambda: dense(100, 3), 111, 800, 200, 2),
    "sharded": (lambda: dense(32, 16, 4, activation="tanh"), 4, 10_000, 10_000, 4),
    "rows that meet": (
        lambda: tw.Network([tw.Dense(64), tw.BatchNorm(), tw.Dense(3, "softmax")]),
        40,
        1500,
        500,
        2,
    ),
    "dropout": (
        lambda: tw.Network([tw.Dense(64), tw.Dropout(0.3), tw.Dense(3, "softmax")]),
        20,
        6000,
        3000,
        2,
    ),
    "images": (lambda: convolutional(16), (20, 22, 1), 300, 64, 2),
    "images of many channels": (lambda: convolutional(33), (14, 13, 16), 130, 32, 2),
    "three channels": (lambda: convolutional(6), (17, 16, 3), 200, 100, 2),
    "strides and dilation": (
        lambda: convolutional(8, stride=2, dilation=2),
        (41, 38, 3),
        150,
        50,
        2,
    ),
    "poolings that overlap": (
        lambda: convolutional(16, tw.MaxPool(3, 2), padding="same"),
        (13, 14, 3),
        200,
        64,
        2,
    ),
    "series": (lambda: convolutional(33), (200, 1), 300, 64, 2),
    "strided series": (
        lambda: convolutional(16, tw.MaxPool(3, 1), stride=2, padding="same"),
        (120, 3),
        400,
        128,
        2,
    ),
    "images one by one": (lambda: convolutional(16), (30, 30, 3), 12, 1, 1),
}
CONVOLUTIONAL = [n for n, (_, row, *_) in NETWORKS.items() if not isinstance(row, int)]


@cache
def rows_of(name: str) -> tuple[NumpyArray, NumpyArray]:
    _, row, rows, _, _ = NETWORKS[name]
    random = np.random.default_rng(0)
    shape = (rows, row) if isinstance(row, int) else (rows, *row)
    X = random.normal(size=shape).astype(np.float32)
    if name == "zeros":
        X[random.random(X.shape) < 0.9] = 0
    return X, random.integers(0, 3, rows)


def trained(
    name: str,
    threads: int | None,
    seed: int = 0,
    engine: str = "native",
    epochs: int | None = None,
) -> tw.Network:
    make, _, _, batch_size, some_epochs = NETWORKS[name]
    network = make()
    X, y = rows_of(name)
    network.fit(
        X,
        y,
        loss="cross_entropy",
        batch_size=batch_size,
        epochs=epochs or some_epochs,
        validation=None,
        seed=seed,
        threads=threads,
        engine=engine,
    )
    return network


def assert_same_bits(got: tw.Network, expected: tw.Network) -> None:
    for name, array in expected.parameters.items():
        assert_array_equal(got.parameters[name], array, err_msg=name)
    assert got.history.training_loss == expected.history.training_loss
    assert got.history.training_metrics == expected.history.training_metrics


@pytest.mark.parametrize("name", NETWORKS)
def test_any_number_of_threads_gives_the_same_bits(name: str) -> None:
    one = trained(name, 1)
    random = np.random.default_rng(1)
    rows = 500 if name in CONVOLUTIONAL else 5000
    X = random.normal(size=(rows, *rows_of(name)[0].shape[1:])).astype(np.float32)
    y = random.integers(0, 3, rows)
    predictions, scores = one.predict(X, threads=1), one.evaluate(X, y, threads=1)
    for threads in THREADS[1:]:
        assert_same_bits(trained(name, threads), one)
        assert_array_equal(one.predict(X, threads=threads), predictions)
        assert one.evaluate(X, y, threads=threads) == scores


@pytest.mark.parametrize("name", ["small", "medium", "wide", "rows that meet"])
def test_while_the_number_of_threads_is_chosen_the_bits_are_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THALWEG_THREADS", "3")
    one, chosen = (trained(name, threads, epochs=40) for threads in (1, None))
    assert_same_bits(chosen, one)
    X, y = rows_of(name)
    predictions, scores = one.predict(X, threads=1), one.evaluate(X, y, threads=1)
    for _ in range(60):  # one by one: what is tried is tried after fifty
        assert_array_equal(chosen.predict(X), predictions)
        assert chosen.evaluate(X, y) == scores


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_any_batch_that_an_image_is_predicted_in_gives_the_same_bits(name: str) -> None:
    make, row, *_ = NETWORKS[name]
    assert not isinstance(row, int)
    layers = [*make().layers[:-1], tw.Dense(3)]  # a softmax's last bit depends on it
    network = tw.Network(layers).initialize(row)
    X = np.resize(rows_of(name)[0], (517, *row))
    whole = network.predict(X, threads=1)
    for count in (1, 2, 3, 8, 33, 130):
        for start in (0, 5, 300):
            part = network.predict(X[start : start + count], threads=2)
            assert_array_equal(part, whole[start : start + count])


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_convolutions_train_as_the_interpreter_does(name: str) -> None:
    native, numpy = trained(name, 2), trained(name, 1, engine="interpreter")
    for parameter, array in numpy.parameters.items():
        assert_allclose(native.parameters[parameter], array, 1e-3, 1e-4)


@pytest.mark.parametrize("name", ["large", "zeros"])
def test_large_and_empty_matrices_train_as_the_interpreter_does(name: str) -> None:
    native, numpy = trained(name, 2), trained(name, 1, engine="interpreter")
    for parameter, array in numpy.parameters.items():
        assert_allclose(native.parameters[parameter], array, 1e-3, 1e-5)


def test_python_threads_train_at_once_and_each_as_if_alone() -> None:
    names = ["small", "medium", "sharded", "small", "dropout", "medium"]
    alone = [trained(name, 1, seed) for seed, name in enumerate(names)]
    together: dict[int, tw.Network] = {}

    def train(seed: int, name: str) -> None:
        together[seed] = trained(name, 2, seed)

    run_at_once([lambda s=s, n=n: train(s, n) for s, n in enumerate(names)])
    for seed, network in enumerate(alone):
        assert_same_bits(together[seed], network)


def test_python_threads_predict_with_one_network_at_once() -> None:
    network = trained("medium", 1)
    X, _ = rows_of("medium")
    expected = [network.predict(X[start:]) for start in range(8)]
    found: dict[int, list[NumpyArray]] = {}

    def predict(start: int) -> None:
        found[start] = [network.predict(X[start:], threads=2) for _ in range(20)]

    run_at_once([lambda s=s: predict(s) for s in range(8)])
    for start, predictions in found.items():
        for each in predictions:
            assert_array_equal(each, expected[start])


def run_at_once(functions: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# While it runs -----------------------------------------------------------------------


def long_program(rows: int) -> NativeProgram:
    """θ ← θ + Σ rows of what takes a while."""

    def build(a: dict[str, Any]) -> dict[str, Any]:
        y = a["X"]
        for _ in range(8):
            y = ops.tanh(y @ a["W"])
        return {"W": a["W"] + y.T @ y}

    types = {"X": ArrayType((ROWS, 64), "float32"), "W": ArrayType((64, 64), "float32")}
    step = Batch(lambda _: trace(build, types), ["X"])
    bound = NativeProgram(compile_rows(step, rows), {})
    X = np.random.default_rng(0).normal(size=(rows, 64)).astype(np.float32)
    bound.bind_rows({"X": X})
    return bound


@pytest.fixture
def patient_switching() -> Iterator[None]:
    """No Python thread loses the GIL but by letting it go."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


def test_other_python_threads_run_meanwhile(patient_switching: None) -> None:
    program = long_program(100_000)
    ticks, done, started = [0], threading.Event(), threading.Event()

    def count() -> None:
        while not done.is_set():
            ticks[0] += 1
            started.set()
            time.sleep(1e-4)

    thread = threading.Thread(target=count)
    thread.start()
    started.wait()
    before = ticks[0]
    program.engine.run(100_000)
    after = ticks[0]
    done.set()
    thread.join()
    assert after > before + 1


@pytest.mark.parametrize("threads", [1, 2])
def test_a_poll_ends_a_long_step_which_leaves_the_parameters(threads: int) -> None:
    program = long_program(400_000)
    W = program.arrays["W"]
    W[...] = np.eye(64)
    assert program.engine.run(400_000, threads=threads, poll=lambda: True) is False
    assert_array_equal(W, np.eye(64, dtype=np.float32))


def test_a_poll_during_the_last_part_leaves_nothing_half_done() -> None:
    def build(a: dict[str, Any]) -> dict[str, Any]:
        total = ops.sum(a["X"])
        moved = {"V": a["V"] + total, "W": a["W"] + total}
        for _ in range(60):
            moved = {name: ops.sin(value) for name, value in moved.items()}
        return moved

    types = {
        "V": ArrayType((2_000_000,), "float32"),
        "X": ArrayType((ROWS, 4), "float32"),
    }
    types["W"] = ArrayType((2_000_001,), "float32")
    step = Batch(lambda _: trace(build, types), ["X"])
    program = NativeProgram(compile_rows(step, 8), {})
    program.bind_rows({"X": np.ones((8, 4), np.float32)})
    is_whole = program.engine.run(8, poll=lambda: True)
    assert [bool(program.arrays[name].any()) for name in "VW"] == [is_whole] * 2


def test_what_a_poll_raises_ends_a_long_step() -> None:
    def poll() -> bool:
        raise LookupError("told so")

    with pytest.raises(LookupError, match="told so"):
        long_program(400_000).engine.run(400_000, poll=poll)
