"""Images without an axis of channels aren't read as series in silence."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ShapeError

RANDOM = np.random.default_rng(0)


def fitted(X: Any, *layers: tw.Layer) -> None:
    network = tw.Network([*layers, tw.Flatten(), tw.Dense(1)])
    network.fit(X, np.zeros(len(X)), epochs=1, validation=None)


SQUARE = RANDOM.normal(size=(4, 9, 9))
BYTES = RANDOM.integers(0, 256, (4, 9, 12)).astype(np.uint8)


@pytest.mark.parametrize("X", [SQUARE, SQUARE.tolist(), BYTES])
@pytest.mark.parametrize(
    "layer", [tw.Conv(2, 3), tw.MaxPool(2), tw.ConvTranspose(1, 2)]
)
def test_what_seems_to_be_images_is_said(X: Any, layer: tw.Layer) -> None:
    height, width = np.shape(X)[1:]
    message = rf"layer 2, .*is read as series of 9 times.*Reshape\(\(9, {width}, 1\)\)"
    with pytest.warns(UserWarning, match=message) as told:
        fitted(X, tw.Rescale(0.5), layer)
    assert told[0].filename == __file__
    assert height == 9


@pytest.mark.parametrize(
    ("X", "layers"),
    [
        (SQUARE, [tw.Conv(2, (3,))]),
        (SQUARE, [tw.Reshape((9, 9, 1)), tw.Conv(2, 3)]),
        (SQUARE[..., None], [tw.Conv(2, 3)]),
        (SQUARE[..., :5], [tw.Conv(2, 3)]),
        (SQUARE[:, :4, :4], [tw.Conv(2, 3)]),
        (SQUARE, [tw.Dense(3), tw.Conv(2, 3)]),
        (SQUARE, []),
    ],
)
def test_what_is_clear_is_not(X: Any, layers: list[tw.Layer]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(X, *layers)


def test_two_sizes_need_two_axes() -> None:
    message = r"got \(3, 3\): channels are the last axis of x, which Reshape adds"
    with pytest.raises(ShapeError, match=message):
        fitted(SQUARE, tw.Conv(2, (3, 3)))
