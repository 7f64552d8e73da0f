"""A network that was fitted on bytes takes them as a graph, and as a file of Python."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import thalweg as tw
from support.exported import asked_of_python, outputs
from thalweg.errors import ArgumentError
from thalweg.exports import onnx_inputs

random = np.random.default_rng(0)
X = random.integers(0, 256, (60, 5, 5, 2), dtype=np.uint8)


def network() -> tw.Network:
    layers = [tw.Rescale(1 / 255), tw.Flatten(), tw.Dense(3, "softmax")]
    found = tw.Network(layers)
    found.fit(X, random.integers(0, 3, 60), epochs=1, validation=None)
    return found


def test_a_graph_has_an_input_of_bytes(tmp_path: Path) -> None:
    path, found = tmp_path / "network.onnx", network()
    tw.export(found, path)
    given = onnx_inputs(found, X.astype(np.float64))
    assert given["X"].dtype == np.uint8
    assert_allclose(outputs(path, given)[0], found.predict(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("odd", [-1, 256, 0.5, np.nan])
def test_what_is_no_byte_isnt_made_one(odd: float) -> None:
    numbers = X.astype(np.float64)
    numbers[7, 0, 0, 0] = odd
    with pytest.raises(ArgumentError, match=r"0 to 255.* at row 7"):
        onnx_inputs(network(), numbers)


def test_python_takes_bytes_and_numbers(tmp_path: Path) -> None:
    path, found = tmp_path / "network.py", network()
    tw.export(found, path)
    for given in (X, X.astype(np.float32), X + 0.25):
        predicted: Any = asked_of_python(path, given)["predict"]
        assert_allclose(predicted, found.predict(given), rtol=1e-5, atol=1e-6)
