"""Baselines of images: what scikit-learn gives on the same pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

import thalweg as tw
from support.digit_images import digits, write_npz
from thalweg.images.image_set import ImageData
from thalweg.images.pixels import image_set
from thalweg.images.read import read_images
from thalweg.model.history import EpochRecord, History
from thalweg.training.execution import Execution
from thalweg.vision import baselines as module
from thalweg.vision.baselines import (
    Flat,
    Learning,
    baselines,
    flattened,
    some_rows,
    units_for,
)
from thalweg.vision.prepare import PreparedImages, prepare
from thalweg.vision.settings import ImageSettings

SETTINGS = ImageSettings()
NETWORK = tw.Network([tw.Flatten(), tw.Dense(40), tw.Dense(10)]).initialize((8, 8, 1))
PARAMETERS = 65 * 40 + 41 * 10


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> PreparedImages:
    path = write_npz(tmp_path_factory.mktemp("digits") / "digits.npz", 600)
    return prepare(read_images(path), "digits.npz", SETTINGS)


@pytest.fixture(scope="module")
def metrics(parts: PreparedImages) -> dict[str, dict[str, float]]:
    found = baselines(parts, SETTINGS, NETWORK, Execution())
    return {each.name: each.errors.every_metric for each in found}


def rows(part: Any) -> Any:
    return part.X.reshape(len(part.X), -1) / 255


def test_the_nearest_neighbor_is_that_of_scikit_learn(
    parts: PreparedImages, metrics: dict[str, dict[str, float]]
) -> None:
    model = KNeighborsClassifier(1, algorithm="kd_tree")
    model.fit(rows(parts.training), parts.training.truth)
    said = model.predict(rows(parts.test))
    expected = accuracy_score(parts.test.truth, said)
    assert metrics["nearest neighbor"]["accuracy"] == pytest.approx(expected)


def test_the_guess_is_that_of_scikit_learn(
    parts: PreparedImages, metrics: dict[str, dict[str, float]]
) -> None:
    model = DummyClassifier(strategy="prior")
    model.fit(rows(parts.training), parts.training.truth)
    said = model.predict_proba(rows(parts.test))
    expected = log_loss(parts.test.truth, said)
    assert metrics["constant guess"]["log_loss"] == pytest.approx(expected)


def test_the_linear_model_is_about_as_good_as_scikit_learns(
    parts: PreparedImages, metrics: dict[str, dict[str, float]]
) -> None:
    model = LogisticRegression(max_iter=1_000)
    model.fit(rows(parts.training), parts.training.truth)
    expected = model.score(rows(parts.test), parts.test.truth)
    assert metrics["linear model"]["accuracy"] == pytest.approx(expected, abs=0.05)


def test_the_dense_network_has_about_as_many_parameters(
    parts: PreparedImages, metrics: dict[str, dict[str, float]]
) -> None:
    units = units_for(PARAMETERS, 64, 10)
    assert f"dense network ({units})" in metrics
    assert 65 * units + 11 * 10 == pytest.approx(PARAMETERS, rel=0.15)
    assert metrics[f"dense network ({units})"]["accuracy"] > 0.85


def test_a_number_has_the_same_baselines() -> None:
    pixels, classes = digits(400)
    numbers = classes + 0.5
    names = [str(row) for row in range(400)]
    data = ImageData(image_set(pixels[..., None], numbers, names))
    parts = prepare(data, "digits", SETTINGS)
    found = baselines(parts, SETTINGS, NETWORK, Execution())
    assert [each.name for each in found][:3] == [
        *("constant guess", "nearest neighbor", "linear model")
    ]
    model = KNeighborsRegressor(1, algorithm="kd_tree")
    model.fit(rows(parts.training), parts.training.truth)
    wrong = model.predict(rows(parts.test)) - parts.test.truth
    expected = float(np.sqrt(np.mean(wrong**2)))
    assert found[1].errors.every_metric["rmse"] == pytest.approx(expected, rel=1e-5)
    assert found[0].errors.every_metric["r2"] == pytest.approx(0, abs=0.05)


def test_many_images_are_compared_with_some_and_that_is_said(
    parts: PreparedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 100 * parts.test.X.size
    monkeypatch.setattr(module, "MOST_PRODUCTS", most)
    found = baselines(parts, SETTINGS, NETWORK, Execution())
    (note,) = [each.note for each in found if each.name == "nearest neighbor"]
    assert note == "looked at 100 training images only"
    kept = some_rows(len(parts.training.X), parts.test.X.size)
    assert len(np.unique(kept)) == 100


def test_large_images_are_means_of_squares(
    parts: PreparedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (3, 7, 9, 3), np.uint8)
    found = flattened(pixels, 2).reshape(3, 3, 4, 3)
    for i, j in np.ndindex(3, 4):
        square = pixels[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        expected = square.mean((1, 2)) / 255
        np.testing.assert_allclose(found[:, i, j], expected, rtol=1e-5)
    monkeypatch.setattr(module, "MOST_NUMBERS", 16)
    flat = Flat.of(parts)
    assert (flat.training.shape[1], flat.note) == (16, "4 × 4 means of pixels")


def test_what_was_interrupted_is_no_baseline(
    parts: PreparedImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERRUPTED", "")  # as every reason starts
    found = baselines(parts, SETTINGS, NETWORK, Execution())
    assert [each.name for each in found] == ["constant guess", "nearest neighbor"]


def test_an_interrupted_network_is_beside_others_of_no_more_epochs(
    parts: PreparedImages,
) -> None:
    flat, settings = Flat.of(parts), ImageSettings(epochs=1_000_000)
    records = [EpochRecord(n, 1.0, 1.0, {}, {}, 0.1, 1.0) for n in (1, 2, 3)]
    for reason, epochs in (("interrupted in epoch 4", 3), ("all were done", 1_000_000)):
        history = History(records, 3, reason)
        how = Learning(parts, flat, settings, history, Execution())
        affordable = max(module.MOST_LEARNED // flat.training.size, 2)
        assert how.epochs == min(epochs, affordable)
    before_the_first = History([], 0, "interrupted in epoch 1")
    assert Learning(parts, flat, settings, before_the_first, Execution()).epochs == 1


def test_a_lone_pixel_side_is_flattened() -> None:
    assert (
        flattened(np.full((2, 1, 5, 1), 51, np.uint8), 2).tolist()
        == [pytest.approx([0.2, 0.2])] * 2
    )
