"""Estimators of lists of arrays, each of its own length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score

import thalweg as tw

HOW: dict[str, Any] = {"epochs": 20, "learning_rate": 0.02, "random_state": 0}


def waves(count: int = 60, seed: int = 0) -> tuple[list[Any], Any]:
    """Waves of two speeds, of 5 to 30 times, in a large unit."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count)
    X = [
        1000 + 50 * np.sin((1 + 2 * k) * np.arange(n) / 3)[:, None]
        for k, n in zip(y, rng.integers(5, 31, count), strict=True)
    ]
    return X, np.array(["slow", "fast"])[y]


def classifier(**how: Any) -> tw.NetworkClassifier:
    layers = [tw.Recurrent(tw.GRU(8), sequences=False)]
    return tw.NetworkClassifier(layers=layers, **{**HOW, **how})


def test_cross_validation_over_lists() -> None:
    X, y = waves()
    scores = cross_val_score(classifier(), X, y, cv=3)
    assert scores.mean() > 0.8
    found: Any = cross_val_predict(
        classifier(epochs=1), X, y, cv=3, method="predict_proba"
    )
    assert found.shape == (60, 2)


def test_grid_search_over_lists() -> None:
    X, y = waves(30)
    grid = {"learning_rate": [0.01, 0.03]}
    search: Any = GridSearchCV(classifier(epochs=3), grid, cv=2)
    search.fit(X, y)
    assert search.predict(X[:5]).shape == (5,)


def test_batches_of_similar_length_are_a_choice() -> None:
    X, y = waves()
    how: dict[str, Any] = {"epochs": 2, "batch_size": 6, "validation": None}
    search: Any = GridSearchCV(
        classifier(**how), {"group_by_length": [False, True]}, cv=2
    )
    search.fit(X, y)
    plain, grouped, again = [
        classifier(**how, group_by_length=chosen).fit(X, y).network_
        for chosen in (False, True, True)
    ]
    assert grouped.history.settings["group_by_length"] is True
    weights = grouped.parameters["1.weights"]
    assert not np.array_equal(weights, plain.parameters["1.weights"])
    np.testing.assert_array_equal(weights, again.parameters["1.weights"])


def test_a_row_alone_and_among_longer_ones_is_the_same() -> None:
    X, y = waves()
    fitted = classifier(epochs=3, validation=(X[:9], y[:9])).fit(X, y)
    together = fitted.predict_proba(X)
    alone = np.concatenate([fitted.predict_proba([x]) for x in X])
    np.testing.assert_array_equal(together, alone)
    longer, _ = waves(5, 1)
    longer = [np.concatenate([x] * 4) for x in longer]
    np.testing.assert_array_equal(together, fitted.predict_proba(X + longer)[:60])


def test_the_scale_is_that_of_times_that_are_there() -> None:
    X, y = waves()
    fitted = classifier(epochs=1, validation=None).fit(X, y)
    every = np.concatenate(X)
    scaling: Any = fitted._features
    np.testing.assert_allclose(scaling.scaling.mean, every.mean(0))
    np.testing.assert_allclose(scaling.scaling.deviation, every.std(0))


def test_weights_regression_going_on_and_files(tmp_path: Any) -> None:
    X, _ = waves()
    y = np.array([x.mean() for x in X])
    layers = [tw.GRU(6), tw.GlobalMean()]
    regressor = tw.NetworkRegressor(layers=layers, **HOW, warm_start=True)
    weights = np.r_[np.zeros(10), np.ones(50)]
    regressor.fit(X, y, sample_weight=weights)
    first = len(regressor.loss_curve_)
    regressor.fit(X, y, sample_weight=weights)
    assert regressor.score(X, y) > 0.5
    assert first
    regressor.save(tmp_path / "waves.thalweg")
    loaded = tw.NetworkRegressor.load(tmp_path / "waves.thalweg")
    np.testing.assert_array_equal(loaded.predict(X), regressor.predict(X))
    part: Any = clone(regressor)
    part.partial_fit(X[:20], y[:20])
    part.partial_fit([np.concatenate([x] * 2) for x in X[:20]], y[:20])
    assert part.predict(X).shape == (60,)


def test_class_numbers_stay_what_they_are() -> None:
    rng = np.random.default_rng(0)
    X = [rng.integers(0, 4, n) for n in rng.integers(2, 9, 50)]
    y = [int((x == 3).any()) for x in X]
    layers = [tw.Embedding(4, 3), tw.GlobalMax()]
    fitted = tw.NetworkClassifier(layers=layers, **{**HOW, "epochs": 100})
    assert fitted.fit(X, y).score(X, y) > 0.95


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: [*X[:3], X[3][:, [0, 0]], *X[4:]], r"X\[3\]"),
        (lambda X: [*X[:3], X[3] * np.nan, *X[4:]], r"X\[3\] must be finite"),
        (lambda X: X[:-1], "inconsistent numbers of samples"),
    ],
)
def test_errors(change: Any, said: str) -> None:
    X, y = waves(20)
    with pytest.raises(ValueError, match=said):
        classifier(epochs=1).fit(change(X), y)
    fitted = classifier(epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"\(times, 1\) as in fit"):
        fitted.predict([x[:, [0, 0]] for x in X])


def test_layers_that_cant_be_given_sequences() -> None:
    X, y = waves(20)
    with pytest.raises(tw.ShapeError, match="lengths differ"):
        tw.NetworkClassifier(**HOW).fit(X, y)
