"""Each class has its share on both sides, and a picture stands on one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError, DataError
from thalweg.images import split_images
from thalweg.images.pixels import image_set


def images_of(targets, pictures=None):
    """Images that show the numbers of pictures, by default each its own."""
    rows = len(targets)
    shown = np.arange(rows) if pictures is None else np.asarray(pictures)
    pixels = np.stack([shown % 256, shown // 256], axis=1).astype(np.uint8)
    names = [str(row) for row in range(rows)]
    return image_set(pixels.reshape(rows, 1, 2, 1), np.asarray(targets), names)


def test_each_class_has_its_share() -> None:
    targets = np.array(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    stay, drawn = split_images(images_of(targets), 0.2, seed=3)
    assert np.array_equal(np.sort([*stay, *drawn]), np.arange(100))
    assert np.unique(targets[drawn], return_counts=True)[1].tolist() == [10, 6, 4]


def test_numbers_are_drawn_from_each_tenth() -> None:
    targets = np.random.default_rng(0).lognormal(0, 3, 200)
    _, drawn = split_images(images_of(targets), 0.25, seed=0)
    tenths = np.argsort(np.argsort(targets))[drawn] // 20
    assert np.bincount(tenths).tolist() == [5] * 10


@given(st.lists(st.integers(0, 30), min_size=40, max_size=80), st.integers(0, 9))
def test_the_same_picture_stays_on_one_side(pictures, seed) -> None:
    images = images_of(np.array(["a", "b"])[np.arange(len(pictures)) % 2], pictures)
    if len(set(pictures)) < 12:
        return
    stay, drawn = split_images(images, 0.3, seed)
    shown = np.array(pictures)
    assert not set(shown[stay]) & set(shown[drawn])
    assert len(stay) + len(drawn) == len(pictures)


def test_the_seed_alone_chooses() -> None:
    images = images_of(["a", "b"] * 40)
    first, again, other = (split_images(images, 0.3, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_side_without_images_is_an_error() -> None:
    with pytest.raises(DataError, match=r"0.2 of 1 different images leaves one side"):
        split_images(images_of(["a"] * 9, [5] * 9), 0.2, seed=0)


@pytest.mark.parametrize("share", [0, 1, -0.5, float("nan")])
def test_a_share_must_leave_both_sides(share) -> None:
    with pytest.raises(ArgumentError, match="share must be between 0 and 1"):
        split_images(images_of(["a"] * 9), share, seed=0)


def test_rows_are_taken_in_their_order() -> None:
    images = images_of(["a", "b", "c", "d"])
    taken = images.take(np.array([3, 1]))
    assert taken.names == ["3", "1"]
    assert np.asarray(taken.targets).tolist() == ["d", "b"]
    assert np.array_equal(taken.digests, images.digests[[3, 1]])
    assert np.array_equal(taken.pixels, images.pixels[[3, 1]])
