"""Feature maps, saliency and occlusion against loops, slopes and layers by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.errors import ArgumentError, NotFittedError, ShapeError

RANDOM = np.random.default_rng(0)
IMAGES = 3 * RANDOM.normal(size=(5, 7, 6, 2))


def network_of(last: tw.Dense, dtype: str = "float64") -> tw.Network:
    layers = [tw.Conv(3, 3, activation="tanh"), tw.MeanPool(2), tw.BatchNorm()]
    made = tw.Network([*layers, tw.Flatten(), last])
    return made.initialize((7, 6, 2), seed=3, dtype=dtype)  # pyright: ignore[reportArgumentType]


SEVERAL = network_of(tw.Dense(4, "softmax"))
TWO = network_of(tw.Dense(1, "sigmoid"))


# Outputs ------------------------------------------------------------------------------


def test_outputs_are_the_feature_maps_of_all_layers_to_the_bit() -> None:
    for network in (SEVERAL, TWO, network_of(tw.Dense(4, "softmax"), "float32")):
        given = network.outputs(IMAGES)
        assert [each.shape[1:] for each in given] == [*network.shapes.outputs[1:]]
        for number, each in enumerate(given, 1):
            assert each.dtype == network.dtype
            np.testing.assert_array_equal(each, network.feature_maps(IMAGES, number))
        np.testing.assert_array_equal(given[-1], network.predict(IMAGES))


def test_layers_that_pass_rows_on_give_arrays_of_their_own() -> None:
    layers = [tw.Dropout(0.5), tw.Dense(3), tw.Dropout(0.5), tw.Dropout(0.2)]
    network = tw.Network(layers).initialize(2)
    X = np.ones((4, 2), "float32")
    first, z, second, third = network.outputs(X)
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(second, z)
    np.testing.assert_array_equal(third, z)
    third[:] = first[:] = 7.0
    assert all((each != 7).all() for each in (X, z, second))


def test_outputs_follow_parameters_and_numbers_of_rows() -> None:
    network = network_of(tw.Dense(4, "softmax"))
    before = network.outputs(IMAGES)[0]
    network.set_parameters({"1.bias": np.ones(3)})
    assert (network.outputs(IMAGES)[0] > before).all()
    many = network.outputs(np.repeat(IMAGES, 500, axis=0))
    few = network.outputs(IMAGES)
    for one, other in zip(many, few, strict=True):
        np.testing.assert_array_equal(one[::500], other)


# Feature maps -------------------------------------------------------------------------


def test_the_last_layers_are_the_predictions_to_the_bit() -> None:
    for dtype in ("float32", "float64"):
        network = network_of(tw.Dense(4, "softmax"), dtype)
        given = network.feature_maps(IMAGES, 5)
        assert given.dtype == dtype
        np.testing.assert_array_equal(given, network.predict(IMAGES))


def test_each_layer_gives_what_its_formula_gives_of_the_one_before() -> None:
    x: Any = IMAGES
    values = {**SEVERAL.parameters, **SEVERAL.state}
    for number, layer in enumerate(SEVERAL.layers, 1):
        own = {n.partition(".")[2]: a for n, a in values.items() if n[0] == str(number)}
        x = layer.forward(x, SimpleNamespace(**own))
        given = SEVERAL.feature_maps(IMAGES, number)
        np.testing.assert_allclose(given, x, atol=1e-12)


def test_rows_are_taken_as_in_prediction() -> None:
    many = np.repeat(IMAGES, 500, axis=0)
    given = SEVERAL.feature_maps(many, 1)
    np.testing.assert_array_equal(given[::500], SEVERAL.feature_maps(IMAGES, 1))
    bytes_of = RANDOM.integers(0, 256, IMAGES.shape, "uint8")
    as_numbers = SEVERAL.feature_maps(bytes_of.astype("float64"), 2)
    np.testing.assert_array_equal(SEVERAL.feature_maps(bytes_of, 2), as_numbers)


def test_rows_of_another_shape_and_no_parameters_are_errors() -> None:
    with pytest.raises(ShapeError, match="as in training"):
        SEVERAL.feature_maps(IMAGES[:, 1:], 1)
    with pytest.raises(NotFittedError):
        tw.Network([tw.Dense(2)]).feature_maps([[1.0]], 1)


def test_what_was_learned_since_is_seen() -> None:
    network = network_of(tw.Dense(4, "softmax"))
    before = network.feature_maps(IMAGES, 1)
    network.set_parameters({"1.bias": np.ones(3)})
    assert (network.feature_maps(IMAGES, 1) > before).all()


# Saliency -----------------------------------------------------------------------------


def log_p(network: tw.Network, x: Any, classes: Any) -> Any:
    p = network.predict(x)
    p = np.concatenate([1 - p, p], axis=1) if p.shape[1] == 1 else p
    return np.log(p[np.arange(len(p)), classes])


@pytest.mark.parametrize(
    ("network", "classes"), [(SEVERAL, [0, 3, 1, 2, 1]), (TWO, [0, 1, 1, 0, 1])]
)
def test_saliency_is_the_slope_of_the_log_probability(
    network: tw.Network, classes: Any
) -> None:
    given = network.saliency(IMAGES, classes)
    assert given.shape == IMAGES.shape
    step = 1e-5
    for place in np.ndindex(IMAGES.shape[1:]):
        moved = np.zeros_like(IMAGES)
        moved[(slice(None), *place)] = step
        ahead = log_p(network, IMAGES + moved, classes)
        slope = (ahead - log_p(network, IMAGES - moved, classes)) / (2 * step)
        np.testing.assert_allclose(given[(slice(None), *place)], abs(slope), atol=1e-8)


def test_the_likeliest_class_is_asked_about_if_none_is_named() -> None:
    for network in (SEVERAL, TWO):
        p = network.predict(IMAGES)
        likeliest = p.argmax(1) if p.shape[1] > 1 else (p[:, 0] > 0.5).astype(int)
        assert len(set(likeliest.tolist())) > 1
        np.testing.assert_array_equal(
            network.saliency(IMAGES), network.saliency(IMAGES, likeliest)
        )


def test_a_row_doesnt_depend_on_the_others_nor_on_their_number() -> None:
    alone = [SEVERAL.saliency(IMAGES[n : n + 1], [1])[0] for n in range(5)]
    np.testing.assert_array_equal(SEVERAL.saliency(IMAGES, [1] * 5), alone)


def test_a_class_that_is_all_but_certain_or_impossible_has_a_finite_saliency() -> None:
    network = tw.Network([tw.Dense(2, "softmax")]).initialize(1)
    network.set_parameters({"1.weights": [[300.0, -300.0]]})
    np.testing.assert_allclose(network.saliency([[9.0]], [1]), [[600]])
    np.testing.assert_allclose(network.saliency([[9.0]], [0]), [[0]])


# Occlusion ----------------------------------------------------------------------------


def test_occlusion_is_the_prediction_of_rows_with_a_patch() -> None:
    size, stride, value = (3, 2), (2, 1), 0.25
    for network, classes in ((SEVERAL, [0, 3, 1, 2, 1]), (TWO, [0, 1, 1, 0, 1])):
        given = network.occlusion(
            IMAGES, classes, size=size, stride=stride, value=value
        )
        assert given.shape == (5, 3, 5)
        for row, i, j in np.ndindex(given.shape):
            hidden = IMAGES[row : row + 1].copy()
            hidden[:, 2 * i : 2 * i + 3, j : j + 2] = value
            expected = np.exp(log_p(network, hidden, classes[row]))
            np.testing.assert_allclose(given[row, i, j], expected[0], rtol=1e-12)


def test_a_patch_over_all_hides_all() -> None:
    given = SEVERAL.occlusion(IMAGES, [2] * 5, size=(7, 6), value=0.5)
    p = SEVERAL.predict(np.full((1, 7, 6, 2), 0.5))[0, 2]
    assert given.shape == (5, 1, 1)
    np.testing.assert_allclose(given.ravel(), p)


def test_series_are_hidden_along_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tw.Network([tw.Flatten(), tw.Dense(3, "softmax")]).initialize((9, 2))
    rows = RANDOM.normal(size=(2, 9, 2))
    whole = network.occlusion(rows, size=4, stride=2)
    assert whole.shape == (2, 3)
    # Copies are made a few at a time.
    monkeypatch.setattr("thalweg.explain.occlusion.MOST_NUMBERS", 18)
    again = network.occlusion(rows, size=4, stride=2)
    np.testing.assert_allclose(again, whole, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 0}, "size must be a whole number of 1 or more"),
        ({"size": 2, "stride": 0}, "stride must be"),
        ({"size": 8}, r"size must fit into \(7, 6\) places, got \(8, 8\)"),
        ({"size": (2, 2, 2)}, "one for each of 2 axes"),
        ({"size": 2, "value": float("nan")}, "value must be a finite number"),
    ],
)
def test_patches_that_cant_be_are_errors(options: dict[str, Any], words: str) -> None:
    with pytest.raises((ArgumentError, ShapeError), match=words):
        SEVERAL.occlusion(IMAGES, **options)


def test_rows_without_places_cant_be_hidden() -> None:
    network = tw.Network([tw.Dense(2, "softmax")]).initialize(3)
    with pytest.raises(ShapeError, match="places"):
        network.occlusion([[1.0, 2.0, 3.0]], size=1)


# Probabilities ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([0, 1], r"classes must have shape \(5,\), got \(2,\)"),
        ([0, 1, 2, 3, 4], "from 0 to 3"),
        ([0, 1, 2, 3, -1], "from 0 to 3"),
        ([0.0, 1.0, 2.0, 3.0, 0.0], "whole numbers"),
    ],
)
def test_classes_must_be_there(classes: Any, words: str) -> None:
    for ask in (SEVERAL.saliency, lambda x, c: SEVERAL.occlusion(x, c, size=2)):
        with pytest.raises((ArgumentError, ShapeError), match=words):
            ask(IMAGES, classes)


def test_numbers_are_no_probabilities() -> None:
    network = tw.Network([tw.Flatten(), tw.Dense(2)]).initialize((7, 6, 2))
    for ask in (network.saliency, lambda x: network.occlusion(x, size=2)):
        with pytest.raises(ArgumentError, match="its loss is mean_squared_error"):
            ask(IMAGES)


def test_a_loaded_network_knows_by_its_loss(tmp_path: Any) -> None:
    network = tw.Network([tw.Flatten(), tw.Dense(2, lambda z: tw.softmax(z))])
    y = [0, 1, 0, 1, 1]
    network.fit(IMAGES, y, loss="cross_entropy", epochs=1, validation=None)
    network.save(tmp_path / "model.thalweg")
    loaded = tw.load(tmp_path / "model.thalweg")
    assert isinstance(loaded, tw.Network)
    np.testing.assert_array_equal(loaded.saliency(IMAGES), network.saliency(IMAGES))
