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


# Reshape ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 3), (12,), 12, [2, 2, 3], (np.int64(6), 2)])
def test_a_row_gets_other_axes(shape: Any, tmp_path: Path) -> None:
    X = RANDOM.normal(size=(5, 2, 6)).astype(np.float32)
    network = tw.Network([tw.Reshape(shape)]).initialize((2, 6))
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    assert_array_equal(network.predict(X), X.reshape(5, *sizes))
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.layers == network.layers == (tw.Reshape(sizes),)


def test_images_of_bytes_without_channels_are_learned() -> None:
    X, y = RANDOM.integers(0, 256, (60, 8, 8)).astype(np.uint8), np.arange(60) % 2
    X[y == 1, 2:4] = 255
    layers = [
        tw.Reshape((8, 8, 1)),
        tw.Rescale(1 / 255),
        tw.Conv(4, 3, 2),
        tw.Flatten(),
    ]
    network = tw.Network([*layers, tw.Dense(2, "softmax")])
    network.fit(X, y, epochs=30, optimizer=tw.Adam(0.01))
    assert network.evaluate(X, y)["accuracy"] > 0.9
    assert_array_equal(
        network.predict(X[..., None].reshape(60, 8, 8)), network.predict(X)
    )


@pytest.mark.parametrize("wrong", [(), 0, (2, -1), (2, 1.5), "ab", None, (2, True)])
def test_sizes_are_whole_numbers(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="shape must be whole numbers of 1 or more"):
        tw.Reshape(wrong)


def test_other_axes_hold_as_many_numbers() -> None:
    with pytest.raises(ShapeError, match=r"6 numbers a row for \(2, 3\), got 8 of \(2"):
        tw.Network([tw.Reshape((2, 3))]).initialize((2, 4))


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
