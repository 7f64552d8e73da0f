"""Estimators of images and series, among scikit-learn's tools."""

from __future__ import annotations

import copy
import pickle
import re
import tracemalloc
from collections.abc import Callable
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
from thalweg.estimators.features import RawFeatures
from thalweg.estimators.scaling import BLOCK_CELLS, Scaling

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
    assert names == ["Rescale", "Conv", "MaxPool", "Flatten", "Dense", "Dense"]
    same = classifier().fit(IMAGES.astype(float), CLASSES)
    assert [type(layer).__name__ for layer in same.network_.layers] == names[1:]
    found = fitted.predict_proba(IMAGES)
    assert_allclose(same.predict_proba(IMAGES), found, atol=1e-9)
    assert_array_equal(fitted.predict_proba(IMAGES.astype(float)), found)


@pytest.mark.parametrize("images", [IMAGES, IMAGES[..., 0]], ids=["images", "series"])
def test_bytes_have_the_values_that_a_network_gives_them(images: Any) -> None:
    layers = [tw.Rescale(1 / 16), tw.Flatten(), 16]
    own = (images[500:], CLASSES[500:])
    fitted = classifier(layers=layers, epochs=6, validation=own, dtype="float32")
    fitted.fit(images[:500], CLASSES[:500])
    network = tw.Network(fitted.network_.layers)
    rule, stopping = fitted._rule(fitted.history_.settings), tw.EarlyStopping(20)
    how: dict[str, Any] = {"optimizer": rule, "early_stopping": stopping}
    how |= {"batch_size": 32, "epochs": 6}
    network.fit(images[:500], CLASSES[:500], validation=own, **how)
    assert fitted.network_.input_dtype == network.input_dtype == "uint8"
    for name, array in network.parameters.items():
        assert_array_equal(fitted.network_.parameters[name], array)


def test_tables_of_bytes_are_tables_of_numbers() -> None:
    columns = IMAGES.reshape(600, 64)
    for how in ({}, {"standardize": False}):
        fitted, same = (
            tw.NetworkClassifier(layers=(8,), epochs=3, **how).fit(X, CLASSES)
            for X in (columns, columns.astype(float))
        )
        assert fitted.network_.input_dtype == "float64"
        found = fitted.predict_proba(columns)
        assert_array_equal(same.predict_proba(columns), found)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("axes", [3, 4])
@pytest.mark.parametrize("made", [tw.NetworkClassifier, tw.NetworkRegressor])
def test_bytes_are_never_copied_as_numbers(
    standardize: bool, axes: int, made: Any
) -> None:
    rows = 6_000 if axes == 4 else 20_000
    X = RANDOM.integers(0, 256, (rows, 48, 64, 3)[:axes], np.uint8)
    y = X.reshape(rows, -1)[:, 0] > 127
    fitted = made(layers=[tw.Flatten(), 2], epochs=1, standardize=standardize)
    blocks = 5 * BLOCK_CELLS * 8  # of which the statistics are made
    assert peak_of(lambda: fitted.fit(X, y)) < 1.5 * X.nbytes + blocks
    for act in (fitted.partial_fit, fitted.score, lambda X, _: fitted.predict(X)):
        assert peak_of(lambda act=act: act(X, y)) < X.nbytes / 4


def peak_of(act: Callable[[], Any]) -> int:
    """The most bytes that NumPy had at once beside those that were there."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_rare_bytes_lie_within_ten_deviations() -> None:
    X = np.zeros((200, 10, 10, 2), np.uint8)
    X[0, 0, 0, 0], X[:, :, :, 1] = 255, RANDOM.integers(0, 256, (200, 10, 10))
    features = RawFeatures.of_bytes(X, None, [])
    (rescale,) = features.layers()
    found = rescale.forward(X.astype(float), None).reshape(-1, 2)
    assert_allclose(found[:, 0].max(), 10)
    assert_allclose(found[:, 1].std(), 1)
    assert_allclose(found.mean(axis=0), 0, atol=1e-9)


def test_weights_count_in_the_scale_of_bytes() -> None:
    y = np.arange(300) % 2
    weights = np.where(np.arange(300) < 250, 1.0, 0.0)
    few = classifier(epochs=2).fit(IMAGES[:300], y, sample_weight=weights)
    same = classifier(epochs=2).fit(IMAGES[:250], y[:250])
    assert few.network_.layers[0] == same.network_.layers[0]
    assert_array_equal(few.predict_proba(IMAGES), same.predict_proba(IMAGES))


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


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_partial_fit_takes_any_rows_of_the_first_shape(dtype: Any) -> None:
    stream = classifier().fit(IMAGES.astype(dtype), CLASSES)
    for rows, batch_size in ((1, 7), (50, 7), (200, 32), (64, "all"), (3, 1000)):
        stream.set_params(batch_size=batch_size)
        stream.partial_fit(IMAGES[:rows].astype(dtype), CLASSES[:rows])
    assert stream.score(IMAGES, CLASSES) > 0.8
    learned, epochs = stream.predict_proba(IMAGES), stream.n_iter_
    nine = IMAGES[:9].astype(dtype)
    for wrong in (
        *(nine[..., 0], nine[:, :7], nine[:, :, :7], nine.repeat(3, axis=-1)),
        *(nine[..., None], nine.reshape(9, 64)),
    ):
        said = rf"shape \(rows, 8, 8, 1\), got {re.escape(str(wrong.shape))}"
        with pytest.raises(ShapeError, match=said):
            stream.partial_fit(wrong, CLASSES[:9])
        stream.set_params(warm_start=True)
        with pytest.raises(ShapeError, match=said):
            stream.fit(wrong, CLASSES[:9])
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        stream.partial_fit(nine[:0], CLASSES[:0])
    assert stream.n_iter_ == epochs
    assert_array_equal(stream.predict_proba(IMAGES), learned)


def test_bytes_and_numbers_go_on_from_each_other() -> None:
    first, second = (IMAGES[:300], CLASSES[:300]), (IMAGES[300:], CLASSES[300:])
    streams = []
    for dtype in (np.uint8, np.float64):
        stream = classifier().partial_fit(*first, classes=range(10))
        stream.partial_fit(second[0].astype(dtype), second[1])
        streams.append(stream.predict_proba(IMAGES))
    assert_array_equal(*streams)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_files_pickles_and_exports_predict_the_same(
    standardize: bool, dtype: Any, tmp_path: Path
) -> None:
    given = IMAGES.astype(dtype)
    fitted = classifier(standardize=standardize, epochs=5).fit(given, CLASSES)
    expected = fitted.predict_proba(IMAGES)
    fitted.save(tmp_path / "digits.thalweg")
    loaded = tw.NetworkClassifier.load(tmp_path / "digits.thalweg")
    assert loaded.n_features_in_ == 8
    for same in (loaded, pickle.loads(pickle.dumps(fitted))):
        assert_array_equal(same.predict_proba(given), expected)
        assert same.network_.input_dtype == dtype.__name__
        going_on = same.partial_fit(given, CLASSES).predict_proba(given)
        assert_array_equal(
            going_on,
            copy.deepcopy(fitted).partial_fit(given, CLASSES).predict_proba(given),
        )
    tw.export(fitted, tmp_path / "digits.py")
    found = asked_of_python(tmp_path / "digits.py", given)
    assert_near(found["probabilities"], expected)
    tw.export(fitted, tmp_path / "digits.onnx")
    assert_near(outputs(tmp_path / "digits.onnx", {"X": given})[1], expected)


def test_rows_of_another_shape_are_refused() -> None:
    fitted = classifier(epochs=2).fit(IMAGES, CLASSES)
    several = np.concatenate([IMAGES, IMAGES], axis=-1)
    for wrong in (IMAGES[..., 0], several, IMAGES[:, :7], IMAGES.reshape(600, 64)):
        with pytest.raises(ShapeError, match=r"X must have shape \(rows, 8, 8, 1\)"):
            fitted.predict(wrong)
    with pytest.raises(ValueError, match="NaN"):
        fitted.predict(np.full((2, 8, 8, 1), np.nan))
    assert fitted.fit(IMAGES[:, :7], CLASSES).predict(IMAGES[:, :7]).shape == (600,)
