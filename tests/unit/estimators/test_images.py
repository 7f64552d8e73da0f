"""Estimators of images and series, among scikit-learn's tools."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import thalweg as tw
from support.exported import asked_of_python, assert_near, outputs
from thalweg.errors import ShapeError
from thalweg.estimators.scaling import Scaling

RANDOM = np.random.default_rng(0)
DIGITS: Any = load_digits()
IMAGES = DIGITS.images[:600, ..., None].astype(np.uint8)
CLASSES = DIGITS.target[:600]
CONV = [tw.Conv(8, 3, activation="relu"), tw.MaxPool(2)]


def classifier(**how: Any) -> tw.NetworkClassifier:
    return tw.NetworkClassifier(**{"layers": [*CONV, 16], "epochs": 20, **how})


def test_images_go_straight_in() -> None:
    fitted = classifier().fit(IMAGES, CLASSES)
    assert fitted.score(IMAGES, CLASSES) > 0.95
    assert fitted.n_features_in_ == 8
    names = [type(layer).__name__ for layer in fitted.network_.layers]
    assert names == ["Conv", "MaxPool", "Flatten", "Dense", "Dense"]
    same = classifier().fit(IMAGES.astype(float), CLASSES)
    assert_array_equal(same.predict_proba(IMAGES), fitted.predict_proba(IMAGES))


def test_networks_without_convolutions_take_images_too() -> None:
    fitted = tw.NetworkClassifier(layers=(32,), epochs=20).fit(IMAGES, CLASSES)
    assert fitted.score(IMAGES, CLASSES) > 0.9


def test_series_have_numbers_to_predict() -> None:
    X = RANDOM.normal(size=(500, 12, 2))
    y = 100 * X[:, :, 0].max(axis=1)
    layers = [tw.Conv(8, (1,), activation="relu"), tw.GlobalMax()]
    fitted = tw.NetworkRegressor(layers=layers, epochs=150).fit(X, y)
    assert fitted.score(X, y) > 0.9
    assert fitted.predict_interval(X).shape == (500, 2)


def test_each_channel_is_standardized() -> None:
    X = RANDOM.normal((3, -50), (1, 9), size=(300, 4, 5, 2))
    weights = RANDOM.integers(1, 3, 300)
    scaling = Scaling.fit(X, weights.astype(float))
    repeated = X.repeat(weights, axis=0).reshape(-1, 2)
    assert_allclose(scaling.mean, repeated.mean(axis=0))
    assert_allclose(scaling.deviation, repeated.std(axis=0))
    assert_allclose(Scaling.fit(X).mean, X.mean(axis=(0, 1, 2)))
    found = scaling(X, "float64")
    assert_allclose(found, (X - scaling.mean) / scaling.deviation)


@pytest.mark.parametrize("first", [[], [tw.Reshape((8, 8, 1))]])
def test_rescale_is_given_numbers_as_they_are(first: Any) -> None:
    layers = [*first, tw.Rescale(1 / 16), *CONV]
    fitted = classifier(layers=layers).fit(IMAGES, CLASSES)
    plain = classifier(layers=layers, standardize=False).fit(IMAGES, CLASSES)
    assert_array_equal(fitted.predict_proba(IMAGES), plain.predict_proba(IMAGES))


def test_columns_can_be_images() -> None:
    columns = IMAGES.reshape(600, 64)
    layers = [tw.Reshape((8, 8, 1)), *CONV, 16]
    fitted = classifier(layers=layers).fit(columns, CLASSES)
    assert fitted.score(columns, CLASSES) > 0.95


def test_cross_validation_and_searches() -> None:
    assert cross_val_score(classifier(), IMAGES, CLASSES, cv=3).min() > 0.6
    grid = {"layers": [[tw.Conv(filters, 3), tw.MaxPool(2)] for filters in (1, 8)]}
    search = GridSearchCV(classifier(), grid, cv=2).fit(IMAGES, CLASSES)
    assert search.best_params_["layers"][0].filters == 8
    lighter = FunctionTransformer(lambda X: X / 16)
    piped = make_pipeline(lighter, classifier()).fit(IMAGES, CLASSES)
    assert piped.score(IMAGES, CLASSES) > 0.9


def test_images_go_on_and_belong_to_groups() -> None:
    fitted = classifier(warm_start=True, epochs=5)
    for _ in range(2):
        fitted.fit(IMAGES, CLASSES, groups=np.arange(600) // 3)
    stream = classifier()
    for part in (slice(0, 300), slice(300, 600)):
        stream.partial_fit(IMAGES[part], CLASSES[part], classes=[*range(10)])
    with pytest.raises(ShapeError, match=r"shape \(rows, 8, 8, 1\), got \(9, 8, 8\)"):
        stream.partial_fit(IMAGES[:9, ..., 0], CLASSES[:9])


@pytest.mark.parametrize("standardize", [True, False])
def test_files_pickles_and_exports_predict_the_same(
    standardize: bool, tmp_path: Path
) -> None:
    fitted = classifier(standardize=standardize, epochs=5).fit(IMAGES, CLASSES)
    expected = fitted.predict_proba(IMAGES)
    fitted.save(tmp_path / "digits.thalweg")
    loaded = tw.NetworkClassifier.load(tmp_path / "digits.thalweg")
    assert loaded.n_features_in_ == 8
    for same in (loaded, pickle.loads(pickle.dumps(fitted))):
        assert_array_equal(same.predict_proba(IMAGES), expected)
    tw.export(fitted, tmp_path / "digits.py")
    given = IMAGES.astype(float)
    found = asked_of_python(tmp_path / "digits.py", given)
    assert_near(found["probabilities"], expected)
    tw.export(fitted, tmp_path / "digits.onnx")
    assert_near(outputs(tmp_path / "digits.onnx", {"X": given})[1], expected)


def test_rows_of_another_shape_are_refused() -> None:
    fitted = classifier(epochs=2).fit(IMAGES, CLASSES)
    for wrong in (IMAGES[..., 0], np.concatenate([IMAGES, IMAGES], axis=-1)):
        with pytest.raises(ShapeError, match=r"X must have shape \(rows, 8, 8, 1\)"):
            fitted.predict(wrong)
    with pytest.raises(ValueError, match="7 features"):
        fitted.predict(IMAGES[:, :7])
    with pytest.raises(ValueError, match="NaN"):
        fitted.predict(np.full((2, 8, 8, 1), np.nan))
