"""Arrays of uint8 go straight in: the numbers 0 to 255, without a copy of them all."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from thalweg.exports import onnx_inputs
from thalweg.training.rows import rows_from

random = np.random.default_rng(0)
X = random.integers(0, 256, (600, 6, 6, 1), dtype=np.uint8)
Y = random.integers(0, 3, 600)
CODES = random.integers(0, 9, (600, 5), dtype=np.uint8)

NETWORKS: dict[str, tuple[Any, list[tw.Layer]]] = {
    "convolution": (X, [tw.Conv(4, 3, activation="relu"), tw.MaxPool(2), tw.Flatten()]),
    "scaled first": (X, [tw.Rescale(1 / 255), tw.Flatten(), tw.Dense(40, "relu")]),
    "dense": (X.reshape(600, 36), [tw.Dense(70, "tanh"), tw.BatchNorm()]),
    "one-hot": (CODES, [tw.Embedding(9, 3), tw.Flatten()]),
    "columns": (CODES, [tw.Columns(((0, 2, None), (2, 5, tw.Embedding(9, 2))))]),
    "branches": (X, [tw.Flatten(), tw.Parallel([[], [tw.Dense(36), tw.Dropout(0.5)]])]),
}


def network(name: str) -> tw.Network:
    return tw.Network([*NETWORKS[name][1], tw.Dense(3, "softmax")])


def fitted(name: str, rows: Any, **options: Any) -> tw.Network:
    found, chosen = network(name), dict[str, Any](epochs=2) | options
    found.fit(rows, Y, optimizer=tw.Adam(1e-4), **chosen)
    return found


# The same bits ------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["native", "interpreter"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_bytes_are_the_numbers_that_they_are(
    name: str, dtype: Any, engine: str
) -> None:
    rows = NETWORKS[name][0]
    numbers = rows.astype(dtype)
    options: dict[str, Any] = {"dtype": dtype, "engine": engine, "batch_size": 250}
    of_bytes, of_numbers = (fitted(name, each, **options) for each in (rows, numbers))
    for key, array in of_numbers.parameters.items():
        assert_array_equal(of_bytes.parameters[key], array)
    wanted = of_numbers.predict(numbers, engine=engine)
    scores = of_numbers.evaluate(numbers, Y, engine=engine)
    for each in (of_bytes, of_numbers):
        for given in (rows, numbers, rows.astype(np.int64), rows.tolist()):
            assert_array_equal(each.predict(given, engine=engine), wanted)
        assert each.evaluate(rows, Y, engine=engine) == scores


def test_blocks_are_those_of_numbers() -> None:
    """A batch that is cut into many blocks, whose sums are added up in their order."""
    rows, y = random.integers(0, 256, (5000, 64), dtype=np.uint8), np.ones(5000)
    found: list[Any] = []
    for X in (rows, rows.astype(np.float32)):
        network = tw.Network([tw.Dense(300, "tanh"), tw.Dense(1)])
        network.fit(X, y, optimizer=tw.SGD(1e-6), epochs=2, batch_size="all")
        found.append([*network.parameters.values(), network.evaluate(X, y)["loss"]])
    for of_bytes, of_numbers in zip(*found, strict=True):
        assert_array_equal(of_bytes, of_numbers)


def test_one_row_after_another_may_be_of_either_kind() -> None:
    network = fitted("convolution", X)
    wanted = network.predict(X)
    for number in range(20):
        row = X[number : number + 1]
        for given in (row, row.astype(np.float32), row.astype(np.float64), row):
            assert_array_equal(network.predict(given)[0], wanted[number])


@pytest.mark.parametrize("turn", [np.asfortranarray, lambda X: X[:, ::-1][:, ::-1]])
def test_bytes_may_lie_in_any_order(turn: Any) -> None:
    network = fitted("convolution", X)
    assert_array_equal(network.predict(turn(X)), network.predict(X))
    assert network.evaluate(turn(X), Y) == network.evaluate(X, Y)


def test_validation_and_inputs_by_name_may_be_bytes() -> None:
    rows = {"image": X, "codes": CODES}
    branches = {"image": [tw.Flatten()], "codes": [tw.Embedding(9, 2), tw.Flatten()]}
    found: list[tw.Network] = []
    for dtype in (np.uint8, np.float32):
        given = {name: array.astype(dtype) for name, array in rows.items()}
        network = tw.Network([tw.Inputs(branches), tw.Dense(3, "softmax")])
        network.fit(given, Y, epochs=1, validation=(rows, Y), optimizer=tw.Adam(1e-4))
        found.append(network)
    of_bytes, of_numbers = found
    assert (of_bytes.input_dtype, of_numbers.input_dtype) == ("uint8", "float32")
    assert_array_equal(of_bytes.predict(rows), of_numbers.predict(rows))
    mixed = {**rows, "codes": CODES.astype(np.float32)}
    assert_array_equal(of_bytes.predict(mixed), of_numbers.predict(mixed))
    assert onnx_inputs(of_bytes, rows)["X"].dtype == np.uint8


def test_a_run_goes_on_with_bytes_or_numbers(tmp_path: Path) -> None:
    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    whole = fitted("convolution", X, epochs=4)
    for number, dtype in enumerate((np.uint8, np.float32)):
        folder = tmp_path / str(number)
        every = tw.Checkpoint(folder, every_epochs=1)
        fitted("convolution", X, epochs=4, checkpoint=every, callback=stop)
        resumed = tw.resume(folder, X.astype(dtype), Y)
        assert isinstance(resumed, tw.Network)
        assert resumed.input_dtype == np.dtype(dtype).name
        for name, array in whole.parameters.items():
            assert_array_equal(resumed.parameters[name], array)


# No copy ------------------------------------------------------------------------------


def test_rows_of_bytes_are_the_array_that_was_given() -> None:
    assert np.shares_memory(rows_from(X, Y, None, "float32").X, X)


def test_other_whole_numbers_become_floats() -> None:
    for dtype in (np.int8, np.uint16, np.int64, np.bool_):
        found = rows_from(np.ones((3, 2), dtype), np.ones(3), None, "float64")
        assert found.X.dtype == np.float64


FITTED_WHERE_MEMORY_IS_SHORT = """
import resource, sys
import numpy as np
import thalweg as tw

mega = 2**20
X = np.memmap(sys.argv[1], np.uint8, "w+", shape=(24_000, 64, 64, 1))
y = np.zeros(len(X), np.int64)

def network():
    return tw.Network([tw.Rescale(1 / 255), tw.Flatten(), tw.Dense(2, "softmax")])

once = {"epochs": 1, "validation": None, "threads": 1}
small = network()  # imports, threads, and what is compiled
small.fit(X[:100], y[:100], **once)
small.predict(X[:100], threads=1)
small.evaluate(X[:100], y[:100], threads=1)
with open("/proc/self/status") as status:
    used = next(int(line.split()[1]) for line in status if line.startswith("VmData"))
limit = used * 1024 + X.nbytes
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
found = network()
found.fit(X, y, **once)
found.evaluate(X, y, threads=1)
found.predict(X, threads=1)
try:
    X.astype(np.float32)
except MemoryError:
    print("a copy as numbers has no room")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit that is kept")
def test_a_memory_map_is_read_from_where_it_lies(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FITTED_WHERE_MEMORY_IS_SHORT, tmp_path / "X.bin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a copy as numbers has no room\n"


# What is said -------------------------------------------------------------------------


def test_a_network_says_what_it_was_given() -> None:
    network = fitted("dense", X.reshape(600, 36))
    assert "It takes (rows, 36) in uint8." in network.summary()
    assert "X: u8[" in network.explain(program=True)
    assert "cast" in network.explain(profile=True)
    assert network.initialize(36).input_dtype == "float32"
