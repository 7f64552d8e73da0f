"""Shifts, flips, turns and noise against NumPy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from thalweg.backends.numpy.calls import gradient
from thalweg.errors import ArgumentError, ShapeError
from thalweg.formulas.augmentation import flipped, moved, rotated

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(40, 5, 7, 2)).astype(np.float32)
SERIES = IMAGES[:, :, 0]
UNUSED: Any = None


class Drawn:
    """Random numbers of NumPy, which remember what was drawn."""

    def __init__(self, seed: int = 0) -> None:
        self.generator = np.random.default_rng(seed)
        self.numbers: list[Any] = []

    def uniform(self, shape: tuple[int, ...], /) -> Any:
        self.numbers.append(self.generator.random(shape))
        return self.numbers[-1]


def augmented(x: Any, **how: Any) -> tuple[Any, list[Any]]:
    """What the layer makes of rows, and the numbers that it drew."""
    random = Drawn()
    y, state = tw.Augment(**how).training_forward(x, UNUSED, random)
    assert state == {}
    assert y.shape == x.shape
    return y, random.numbers


def shifted(row: Any, axis: int, by: int) -> Any:
    """A row moved by whole places, zeros behind it."""
    by = int(np.clip(by, -row.shape[axis], row.shape[axis]))
    wide = np.pad(
        row, [(abs(by),) * 2 if a == axis else (0, 0) for a in range(row.ndim)]
    )
    start = abs(by) - by
    return np.take(wide, range(start, start + row.shape[axis]), axis)


# Shift --------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [1, 3, 4])
@pytest.mark.parametrize("x", [IMAGES, SERIES], ids=["images", "series"])
def test_rows_are_moved_by_whole_places(x: Any, shift: int) -> None:
    y, drawn = augmented(x, shift=shift)
    expected = x
    for axis, numbers in enumerate(drawn):
        by = np.floor((2 * shift + 1) * numbers).astype(int) - shift
        rows = zip(expected, by, strict=True)
        expected = np.stack([shifted(row, axis, n) for row, n in rows])
    assert len(drawn) == x.ndim - 2
    assert_array_equal(y, expected)


def test_every_distance_is_as_likely() -> None:
    x = np.zeros((4000, 9, 1))
    x[:, 4] = 1
    y, _ = augmented(x, shift=2)
    counts = y[:, 2:7, 0].sum(axis=0)
    assert counts.sum() == 4000
    assert_allclose(counts, 800, rtol=0.1)


@given(st.floats(-3, 3), st.integers(1, 2))
def test_between_places_it_is_interpolated(by: float, axis: int) -> None:
    y = moved(IMAGES, axis, np.full((40, 1, 1, 1), by), 3)
    low, part = math.floor(by), by - math.floor(by)
    wide = np.stack([shifted(each, axis - 1, low) for each in IMAGES])
    more = np.stack([shifted(each, axis - 1, low + 1) for each in IMAGES])
    assert_allclose(y, (1 - part) * wide + part * more, atol=1e-6)


# Flip ---------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [1, 2])
def test_a_flip_is_backwards(axis: int) -> None:
    assert_array_equal(flipped(IMAGES, axis), np.flip(IMAGES, axis))


@pytest.mark.parametrize("n", range(1, 40))
def test_a_series_of_any_length_can_be_flipped(n: int) -> None:
    x = RANDOM.normal(size=(2, n, 2)).astype(np.float32)
    assert_array_equal(flipped(x, 1), x[:, ::-1])


def test_long_series_can_be_flipped_and_shifted() -> None:
    """A square of their length would be 40 GB."""
    layers = [tw.Augment(5, "horizontal"), tw.GlobalMean(), tw.Dense(1)]
    X = RANDOM.normal(size=(2, 100_000, 1)).astype(np.float32)
    tw.Network(layers).fit(X, np.zeros(2), epochs=1, validation=None)


@pytest.mark.parametrize("flip", ["horizontal", "vertical", "both"])
def test_half_of_the_rows_are_flipped(flip: str) -> None:
    x = RANDOM.normal(size=(2000, 2, 3, 1))
    y, drawn = augmented(x, flip=flip)
    axes = {"horizontal": [2], "vertical": [1], "both": [2, 1]}[flip]
    assert len(drawn) == len(axes)
    for axis, numbers in zip(axes, drawn, strict=True):
        x = np.where(numbers[:, None, None, None] < 0.5, np.flip(x, axis), x)
    assert_array_equal(y, x)


def test_a_series_is_flipped_in_time() -> None:
    y, (numbers,) = augmented(SERIES, flip="horizontal")
    assert_array_equal(y[numbers < 0.5], SERIES[numbers < 0.5, ::-1])


# Rotation -----------------------------------------------------------------------------


@pytest.mark.parametrize("turns", [-2, -1, 0, 1, 2])
def test_right_angles_turn_as_numpy_does(turns: int) -> None:
    square = RANDOM.normal(size=(6, 7, 7, 2))
    y = rotated(square, np.full(6, turns * math.pi / 2), math.pi)
    assert_allclose(y, np.rot90(square, turns, axes=(1, 2)), atol=1e-12)


@pytest.mark.parametrize("degrees", [-170, -60, -15, 5, 40, 120])
def test_a_slope_turns_with_the_image(degrees: float) -> None:
    """A plane of numbers is interpolated without an error, but for the edges."""
    n = 41
    down, across = np.meshgrid(*[np.arange(n) - 20.0] * 2, indexing="ij")
    angle = math.radians(degrees)
    y = rotated((across + 2 * down)[None, :, :, None], np.array([angle]), math.pi)
    back = across * math.cos(angle) - down * math.sin(angle)
    aside = across * math.sin(angle) + down * math.cos(angle)
    inner = np.hypot(down, across) < 12
    assert_allclose(y[0, ..., 0][inner], (back + 2 * aside)[inner], atol=1e-9)


def test_what_is_beyond_the_edges_is_zero() -> None:
    y = rotated(np.ones((1, 9, 9, 1)), np.array([math.pi / 4]), math.pi / 2)[0, ..., 0]
    assert_allclose([y[0, 0], y[0, -1], y[-1, 0], y[-1, -1]], 0, atol=1e-12)
    assert_allclose(y[4], 1, atol=0.5)
    assert_allclose(y[2:7, 4], 1)


def test_images_turn_by_up_to_the_degrees() -> None:
    y, (numbers,) = augmented(IMAGES.astype(float), rotate=30)
    angles = math.radians(30) * (2 * numbers - 1)
    for row, image, angle in zip(y, IMAGES, angles, strict=True):
        alone = rotated(image[None].astype(float), np.array([angle]), 1.5)
        assert_allclose(row, alone[0], atol=1e-12)


# Noise --------------------------------------------------------------------------------


def test_noise_is_normal() -> None:
    x = np.full((2000, 10, 10, 1), 3.0)
    y, _ = augmented(x, noise=0.5)
    error = (y - x).ravel() / 0.5
    for power, moment in enumerate([1, 0, 1, 0, 3]):
        assert_allclose((error**power).mean(), moment, atol=0.05)
    assert_allclose((np.abs(error) < 1.96).mean(), 0.95, atol=0.002)
    assert abs(np.corrcoef(error[:-1], error[1:])[0, 1]) < 0.01


# The layer ----------------------------------------------------------------------------


ALL = tw.Augment(shift=1, flip="both", rotate=20, noise=0.05)


def network() -> tw.Network:
    return tw.Network([ALL, tw.Conv(3, 3), tw.Flatten(), tw.Dense(2, "softmax")])


Y = RANDOM.integers(0, 2, 40)


def test_nothing_happens_in_prediction() -> None:
    layer = tw.Network([ALL]).initialize((5, 7, 2))
    assert_array_equal(layer.predict(IMAGES), IMAGES)
    assert_array_equal(tw.Augment().training_forward(IMAGES, UNUSED, UNUSED)[0], IMAGES)


def test_every_step_draws_anew() -> None:
    nothing = tw.SGD(1e-30)
    history = network().fit(
        IMAGES, Y, epochs=3, batch_size="all", optimizer=nothing, validation=None
    )
    assert len({record.training_loss for record in history.epochs}) == 3


def test_the_bits_are_those_of_the_seed_and_the_step(tmp_path: Path) -> None:
    whole = network()
    whole.fit(IMAGES, Y, epochs=4, batch_size=16)
    for threads in (2, 3):
        other = network()
        other.fit(IMAGES, Y, epochs=4, batch_size=16, threads=threads)
        assert bits(other) == bits(whole)

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    part, checkpoint = network(), tw.Checkpoint(tmp_path)
    part.fit(IMAGES, Y, epochs=4, batch_size=16, checkpoint=checkpoint, callback=stop)
    assert bits(part) != bits(whole)
    resumed = tw.resume(tmp_path, IMAGES, Y)
    assert isinstance(resumed, tw.Network)
    assert bits(resumed) == bits(whole)


def bits(found: tw.Network) -> list[bytes]:
    return [array.tobytes() for array in found.parameters.values()]


def test_it_is_saved_and_exported(tmp_path: Path) -> None:
    trained = network()
    trained.fit(IMAGES, Y, epochs=1)
    trained.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.layers == trained.layers
    loaded.fit(IMAGES, Y, epochs=1, warm_start=True)
    tw.export(trained, tmp_path / "network.onnx")


def test_what_comes_before_it_learns() -> None:
    """The derivative goes through what is drawn."""
    x, direction = RANDOM.normal(size=(2, 3, 5, 4, 1))

    def formula(x: Any) -> Any:
        return (
            tw.Augment(1, "both", 30, 0.1).training_forward(x, UNUSED, Drawn())[0] ** 2
        )

    h = 1e-6
    rise = formula(x + h * direction).sum() - formula(x - h * direction).sum()
    slope = (gradient(formula)(x) * direction).sum()
    assert_allclose(slope, rise / (2 * h), rtol=1e-6)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"shift": 1.5}, "shift must be a whole number, 0 or more, got 1.5"),
        ({"shift": -1}, "shift must be a whole number, 0 or more"),
        ({"flip": "horizontl"}, "no flip 'horizontl': did you mean 'horizontal'"),
        ({"rotate": 181}, "rotate must be a number of degrees, 0 to 180, got 181"),
        ({"rotate": "10"}, "rotate must be a number of degrees"),
        ({"noise": -0.1}, "noise must be a number, 0 or more"),
    ],
)
def test_arguments_out_of_range(how: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tw.Augment(**how)


@pytest.mark.parametrize(
    ("how", "shape", "message"),
    [
        ({"shift": 1}, (4,), r"series \(rows, times, channels\), got \(rows, 4\)"),
        ({"shift": 4}, (5, 4, 1), r"less than what a row has of places, \(5, 4\)"),
        ({"shift": 1}, (4, 4, 4, 1), r"got \(rows, 4, 4, 4, 1\)"),
        ({"flip": "vertical"}, (4, 2), "flip='vertical' is for images"),
        ({"rotate": 5}, (4, 2), "rotate is for images"),
        ({"rotate": 5}, (2**16 + 1, 2, 1), r"up to 65,536 places .* \(65537, 2\)"),
    ],
)
def test_what_has_no_places_is_refused(how: Any, shape: Any, message: str) -> None:
    X = RANDOM.normal(size=(8, *shape))
    with pytest.raises(ShapeError, match=message):
        tw.Network([tw.Augment(**how), tw.Flatten(), tw.Dense(1)]).fit(X, np.zeros(8))
    with pytest.raises(ShapeError, match=message):
        tw.Network([tw.Augment(**how)]).initialize(shape)
