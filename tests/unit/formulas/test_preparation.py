"""Layers that prepare what a network is given, against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import thalweg as tw
from support.exported import asked_of_python, assert_near, outputs
from thalweg.errors import ArgumentError, ShapeError

RANDOM = np.random.default_rng(0)
UNUSED: Any = None


# Rescale ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32", "float64", "bool"])
@pytest.mark.parametrize("scale", [2, -0.25, (0.5, 2.0, 0.0)])
@pytest.mark.parametrize("offset", [0.0, 3, (1.0, 0.0, -1.0)])
def test_numbers_are_scaled_and_shifted(dtype: Any, scale: Any, offset: Any) -> None:
    X = RANDOM.integers(0, 256, (5, 2, 4, 3)).astype(dtype)
    network = tw.Network([tw.Rescale(scale, offset)]).initialize((2, 4, 3))
    wanted = X * np.asarray(scale, float) + np.asarray(offset, float)
    assert_array_equal(network.predict(X), wanted.astype(np.float32))
    assert_array_equal(tw.Rescale(scale, offset).forward(X, UNUSED), wanted)


def test_whole_numbers_in_a_formula_become_floating_point_numbers() -> None:
    formula = tw.compile(lambda x: tw.Rescale(2).forward(x, UNUSED))
    given = formula(np.array([[1, 2]], np.int32))
    assert given.dtype.kind == "f"
    assert given.tolist() == [[2, 4]]


@pytest.mark.parametrize("given", [[1, 0.5], np.array([1, 0.5]), (1.0, 0.5)])
def test_numbers_of_channels_come_in_any_sequence(given: Any) -> None:
    assert tw.Rescale(given) == tw.Rescale((1.0, 0.5))


@pytest.mark.parametrize(
    "wrong", ["1", None, (), [[1.0]], np.nan, (1, np.inf), True, [True]]
)
@pytest.mark.parametrize("name", ["scale", "offset"])
def test_scales_are_numbers(name: str, wrong: Any) -> None:
    message = f"{name} must be a number, or one for each channel"
    with pytest.raises(ArgumentError, match=message):
        tw.Rescale(**{"scale": 1.0, name: wrong})


@pytest.mark.parametrize("numbers", [(1.0, 2.0), (1.0,)])
def test_there_are_as_many_scales_as_channels(numbers: Any) -> None:
    for layer in (tw.Rescale(numbers), tw.Rescale(1.0, numbers)):
        with pytest.raises(ShapeError, match=f"{len(numbers)}, got 3"):
            tw.Network([layer]).initialize((4, 3))


def test_files_and_exports_scale_too(tmp_path: Path) -> None:
    X = RANDOM.integers(0, 256, (9, 4, 3)).astype(np.uint8)
    layers = [tw.Rescale((1 / 255, 1.0, 0.5), -0.5), tw.Flatten(), tw.Dense(2)]
    network = tw.Network(layers).initialize((4, 3), seed=1)
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.layers == network.layers
    assert_array_equal(loaded.predict(X), network.predict(X))
    tw.export(network, tmp_path / "network.onnx")
    (found,) = outputs(tmp_path / "network.onnx", {"X": X.astype(np.float32)})
    assert_near(found, network.predict(X))
    tw.export(network, tmp_path / "network.py")
    found = asked_of_python(tmp_path / "network.py", X.astype(float))
    assert_near(found["predict"], network.predict(X))
