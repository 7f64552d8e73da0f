"""Receptive fields against what a change of one pixel reaches, all pixels in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import thalweg as tw
from thalweg.errors import ArgumentError, NotFittedError, ShapeError, ThalwegError
from thalweg.formulas.layers import Layer, Namespace


def reached(network: tw.Network, layer: int) -> Any:
    """Which pixels change which units, (units' places…, pixels' places…).

    The networks here are linear with positive weights, so that nothing cancels.
    """
    *places, channels = network.shapes.outputs[0]
    pixels = np.eye(math.prod(places)).reshape(-1, *places, 1)
    lit = np.repeat(pixels, channels, axis=-1)
    given = network.feature_maps(np.concatenate([0 * lit[:1], lit]), layer)
    response = np.abs(given[1:] - given[:1]).sum(-1) > 0
    units = response.shape[1:]
    return np.moveaxis(response, 0, -1).reshape(*units, *places)


def positive(layers: Sequence[Layer], shape: tuple[int, ...]) -> tw.Network:
    network = tw.Network(layers).initialize(shape, dtype="float64")
    parameters = network.parameters
    network.set_parameters({n: np.abs(a) + 0.1 for n, a in parameters.items()})
    return network


def assert_as_reached(network: tw.Network, layer: int) -> None:
    field, changes = network.receptive_field(layer), reached(network, layer)
    rank = len(field.size)
    for place in np.ndindex(changes.shape[:-rank]):
        seen = np.zeros(network.shapes.outputs[0][:-1], bool)
        seen[field.at(*place)] = True
        np.testing.assert_array_equal(changes[place], seen, str((layer, place)))


@st.composite
def layers_of_windows(draw: st.DrawFn) -> list[Layer]:
    """Windows whose elements leave no gaps, so that fields are whole."""
    layers: list[Layer] = []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(1, 3))
        stride = draw(st.integers(1, size))
        padding = draw(st.sampled_from(["valid", "same"]))
        conv = tw.Conv(2, size, stride, padding)
        layers.append(draw(st.sampled_from([conv, tw.MeanPool(size, stride, padding)])))
    return layers


@given(layers_of_windows(), st.integers(7, 9), st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_a_unit_sees_what_changes_it(
    layers: list[Layer], width: int, channels: int
) -> None:
    try:
        network = positive(layers, (width, width + 1, channels))
    except ThalwegError:
        assume(False)
        return
    for layer in range(1, len(layers) + 1):
        assert_as_reached(network, layer)


@pytest.mark.parametrize("padding", ["valid", "same", "causal", "reflect"])
def test_series_and_their_paddings(padding: str) -> None:
    layers: list[Layer] = [tw.Conv(2, 3, padding=padding), tw.Conv(1, 3, 2, padding)]
    network = positive(layers, (12, 1))
    assert_as_reached(network, 1)
    assert_as_reached(network, 2)


def test_volumes() -> None:
    network = positive([tw.Conv(1, 2), tw.MeanPool(2)], (5, 4, 6, 1))
    assert_as_reached(network, 2)
    assert network.receptive_field(2).size == (3, 3, 3)


def test_a_dilated_window_reaches_as_far_as_its_last_element() -> None:
    network = positive([tw.Conv(1, 3, dilation=2)], (9, 1))
    field = network.receptive_field(1)
    assert (field.size, field.stride, field.offset) == ((5,), (1,), (0,))
    changes = reached(network, 1)[2]
    assert np.flatnonzero(changes).tolist() == [2, 4, 6]
    assert field.at(2) == (slice(2, 7),)


@pytest.mark.parametrize("last", [tw.Flatten(), tw.GlobalMean()])
def test_behind_the_last_place_units_see_all_that_is_seen(last: Layer) -> None:
    layers = [tw.Conv(2, 3, 2), last, tw.Dense(3)]
    network = positive(layers, (8, 8, 1))
    for layer in (2, 3):
        field = network.receptive_field(layer)
        assert field.stride == (0, 0)
        assert field.at() == (slice(0, 7), slice(0, 7))  # the last column fits nowhere
        seen = reached_of_rows(network, layer)
        assert seen[:7, :7].all()
        assert not seen[7:].any()
        assert not seen[:, 7:].any()


def reached_of_rows(network: tw.Network, layer: int) -> Any:
    pixels = np.eye(64).reshape(-1, 8, 8, 1)
    given = network.feature_maps(np.concatenate([0 * pixels[:1], pixels]), layer)
    return (np.abs(given[1:] - given[:1]).sum(-1) > 0).reshape(8, 8)


def test_branches_see_what_one_of_them_sees() -> None:
    wide = tw.Conv(1, 5, padding="same")
    beside = tw.Parallel([[wide], [tw.Conv(1, 3, padding="same")], []])
    twice = [tw.Conv(1, 3, padding="same"), tw.Conv(1, 3, padding="same")]
    network = positive([beside, tw.Residual(twice, tw.Conv(1, 1))], (9, 9, 1))
    assert network.receptive_field(1).size == (5, 5)
    assert network.receptive_field(2).size == (9, 9)
    assert_as_reached(network, 1)
    assert_as_reached(network, 2)


def test_what_looks_at_one_place_changes_nothing() -> None:
    placewise = [tw.BatchNorm(), tw.Dropout(0.5), tw.Dense(2), tw.LayerNorm()]
    placewise += [tw.RMSNorm(), tw.FeedForward(3)]
    layers = [tw.Rescale(2.0), tw.Conv(2, 3), *placewise, tw.Augment(shift=1)]
    network = tw.Network(layers).initialize((8, 8, 1))
    fields = [network.receptive_field(layer) for layer in range(2, 10)]
    assert network.receptive_field(1).size == (1, 1)
    assert fields == fields[:1] * 8


def test_the_gradient_of_one_unit_reaches_its_field() -> None:
    layers = [tw.Conv(2, 3, 2, "same"), tw.Conv(2, 3)]
    network = positive(layers, (11, 11, 1))
    p = network.parameters
    weights = [p["1.weights"], p["2.weights"]]

    def unit(x: Any) -> Any:
        y = layers[0].forward(x, Values(weights[0], p["1.bias"]))
        return layers[1].forward(y, Values(weights[1], p["2.bias"]))[0, 1, 2, 0]

    slope = tw.gradient(unit)(np.zeros((1, 11, 11, 1)))[0, :, :, 0]
    rows, columns = network.receptive_field(2).at(1, 2)
    inside = np.zeros((11, 11), bool)
    inside[rows, columns] = True
    np.testing.assert_array_equal(slope != 0, inside)


class Values:
    def __init__(self, weights: Any, bias: Any) -> None:
        self.weights, self.bias = weights, bias


class Mine(Layer):
    def forward(self, x: Any, p: Namespace) -> Any:
        return 2 * x


def test_what_isnt_known_is_said() -> None:
    network = tw.Network([tw.Conv(1, 3), Mine(), tw.Conv(1, 3)]).initialize((8, 8, 1))
    assert network.receptive_field(1).size == (3, 3)
    with pytest.raises(ArgumentError, match="layer 2, Mine: what a unit of Mine sees"):
        network.receptive_field(3)
    transposed = tw.Network([tw.ConvTranspose(1, 3)]).initialize((8, 8, 1))
    with pytest.raises(ArgumentError, match="ConvTranspose"):
        transposed.receptive_field(1)
    blocks = [tw.Positions(), tw.TransformerBlock(1, 2)]
    network = tw.Network(blocks).initialize((8, 2))
    assert network.receptive_field(1).size == (1,)
    with pytest.raises(
        ArgumentError, match=r"what a unit of Attention\(1\) sees isn't"
    ):
        network.receptive_field(2)


def test_after_all_is_seen_any_layer_sees_all() -> None:
    layers = [tw.Conv(1, 3), tw.Flatten(), Mine()]
    network = tw.Network(layers).initialize((8, 8, 1))
    assert network.receptive_field(3).at() == (slice(0, 8), slice(0, 8))


def test_numbers_that_become_an_image_are_seen_as_its_pixels() -> None:
    for shape in ((64,), (8, 8), (8, 8, 1)):
        layers = [tw.Rescale(2.0), tw.Reshape((8, 8, 1)), tw.Conv(1, 3), tw.MaxPool(2)]
        network = tw.Network(layers).initialize(shape)
        assert network.receptive_field(2).reach == ((0, 8), (0, 8))
        field = network.receptive_field(4)
        assert (field.size, field.stride) == ((4, 4), (2, 2))
    late = tw.Network([tw.Conv(1, 3), tw.Reshape((6, 6, 1))]).initialize((8, 8, 1))
    with pytest.raises(ArgumentError, match="Reshape"):
        late.receptive_field(2)


def test_branches_that_move_unequally_are_an_error() -> None:
    strided, same = tw.Conv(1, 3, 2, "same"), tw.Conv(1, 3, padding="same")
    both = tw.Parallel([[strided, tw.GlobalMean()], [same, tw.GlobalMean()]])
    assert tw.Network([both]).initialize((8, 8, 1)).receptive_field(1).at() == (
        slice(0, 8),
        slice(0, 8),
    )
    flat = tw.Parallel([[tw.Flatten()], [tw.Dense(2), tw.GlobalMean()]])
    assert tw.Network([flat]).initialize((8, 8, 1)).receptive_field(1).stride == (0, 0)
    kept = tw.Parallel([[tw.Conv(1, 4, 2)], [tw.Conv(1, 6)]])
    with pytest.raises(ShapeError, match="alike"):
        tw.Network([kept]).initialize((8, 8, 1)).receptive_field(1)


@pytest.mark.parametrize("layer", [0, 3, -1, 1.5, True, "1"])
def test_there_must_be_such_a_layer(layer: Any) -> None:
    network = tw.Network([tw.Conv(1, 3), tw.Flatten()]).initialize((8, 8, 1))
    for ask in (
        network.receptive_field,
        lambda n: network.feature_maps([[[[0.0]]]], n),
    ):
        with pytest.raises(ThalwegError):
            ask(layer)
    with pytest.raises(ArgumentError, match="layer must be a number from 1 to 2"):
        network.receptive_field(layer)


def test_rows_without_places_have_no_field() -> None:
    with pytest.raises(ShapeError, match="places"):
        tw.Network([tw.Dense(1)]).initialize(3).receptive_field(1)
    with pytest.raises(NotFittedError):
        tw.Network([tw.Conv(1, 3)]).receptive_field(1)


@pytest.mark.parametrize("place", [(), (1,), (1, 2, 3), (0.5, 1), (-1, 0)])
def test_a_units_place_has_a_number_for_each_axis(place: Any) -> None:
    field = tw.Network([tw.Conv(1, 3)]).initialize((8, 8, 1)).receptive_field(1)
    with pytest.raises(ArgumentError, match="2 whole numbers"):
        field.at(*place)
