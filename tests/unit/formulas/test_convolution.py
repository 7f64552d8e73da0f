"""Convolutions and pooling against loops over places, windows and channels."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.exported import assert_near, outputs
from thalweg.errors import ArgumentError, ModelFileError, ShapeError
from thalweg.formulas.places import padding_of

RANDOM = np.random.default_rng(0)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[tw.Conv, tuple[int, ...]]:
    """A convolution, and the shape of rows that it takes."""
    rank = draw(st.integers(1, 3))
    most = {1: 9, 2: 6, 3: 4}[rank]
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    several = st.tuples(*[st.integers(1, 3)] * rank)
    size, stride, dilation = draw(several), draw(several), draw(several)
    paddings = ["valid", "same", "reflect", *(["causal"] if rank == 1 else [])]
    padding = draw(st.sampled_from(paddings))
    places = tuple(draw(st.integers(1, most)) for _ in range(rank))
    reach = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    if padding == "valid":
        places = tuple(map(max, places, reach))
    elif padding == "reflect":
        places = tuple(max(n, k + 1) for n, k in zip(places, reach, strict=True))
    channels = groups * draw(st.integers(1, 2))
    filters = groups * draw(st.integers(1, 2))
    layer = tw.Conv(filters, size, stride, padding, dilation, groups)
    return layer, (*places, channels)


def by_loops(layer: tw.Conv, x: Any, weights: Any) -> Any:
    """Each number of the result by itself."""
    rank = x.ndim - 2
    size, stride, dilation = layer.size, layer.stride, layer.dilation
    assert isinstance(size, tuple)
    assert isinstance(stride, tuple)
    assert isinstance(dilation, tuple)
    pads = [(0, 0)]
    for n, k, s, d in zip(x.shape[1:-1], size, stride, dilation, strict=True):
        reach = (k - 1) * d + 1
        count = -(-n // s)
        total = max((count - 1) * s + reach - n, 0)
        around = (total // 2, total - total // 2)
        pads.append(
            {"valid": (0, 0), "causal": (reach - 1, 0)}.get(layer.padding, around)
        )
    mode: Any = "reflect" if layer.padding == "reflect" else "constant"
    wide = np.pad(x, [*pads, (0, 0)], mode=mode)
    places = [
        (n - (k - 1) * d - 1) // s + 1
        for n, k, s, d in zip(wide.shape[1:-1], size, stride, dilation, strict=True)
    ]
    own, out = weights.shape[-2], layer.filters // layer.groups
    result = np.zeros((len(x), *places, layer.filters))
    for at in np.ndindex(*places):
        for element in np.ndindex(*size):
            place = tuple(
                at[i] * stride[i] + element[i] * dilation[i] for i in range(rank)
            )
            for f in range(layer.filters):
                group = f // out
                seen = wide[
                    (slice(None), *place, slice(group * own, (group + 1) * own))
                ]
                result[(slice(None), *at, f)] += (
                    seen @ weights[(*element, slice(None), f)]
                )
    return result


@given(convolutions())
@settings(deadline=None)
def test_a_convolution_is_its_sums(drawn: tuple[tw.Conv, tuple[int, ...]]) -> None:
    layer, shape = drawn
    x = RANDOM.normal(size=(2, *shape))
    weights = RANDOM.normal(size=layer.parameters(shape)["weights"].shape)
    bias = RANDOM.normal(size=layer.filters)
    found = layer.forward(x, SimpleNamespace(weights=weights, bias=bias))
    assert_allclose(found, by_loops(layer, x, weights) + bias, 1e-10, 1e-10)


SHAPES = [(9, 2), (6, 5, 3), (4, 5, 3, 2)]


def summed_over_channels(function: Any, x: Any, weights: Any) -> Any:
    """A function of an image and a filter, for each row and filter; channels last."""
    channels, filters = weights.shape[-2:]
    return np.stack(
        [
            np.stack([sum_of(function, row, weights[..., f], channels) for row in x])
            for f in range(filters)
        ],
        axis=-1,
    )


def sum_of(function: Any, row: Any, weights: Any, channels: int) -> Any:
    return sum(function(row[..., c], weights[..., c]) for c in range(channels))


@pytest.mark.parametrize("shape", SHAPES, ids=len)
@pytest.mark.parametrize("padding", ["valid", "same", "reflect"])
def test_a_convolution_is_scipys_correlation(
    shape: tuple[int, ...], padding: str
) -> None:
    rank = len(shape) - 1
    x = RANDOM.normal(size=(2, *shape))
    weights = RANDOM.normal(size=((3,) * rank + (shape[-1], 4)))

    def correlated(image: Any, of: Any) -> Any:
        if padding == "reflect":
            return scipy.ndimage.correlate(image, of, mode="mirror")
        return scipy.signal.correlate(image, of, mode=padding, method="direct")

    layer = tw.Conv(4, 3, padding=padding, bias=False)
    found = layer.forward(x, SimpleNamespace(weights=weights))
    assert_allclose(found, summed_over_channels(correlated, x, weights), 1e-10, 1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=len)
def test_a_transposed_convolution_is_scipys_convolution(shape: tuple[int, ...]) -> None:
    rank = len(shape) - 1
    x = RANDOM.normal(size=(2, *shape))
    weights = RANDOM.normal(size=(shape[-1], *(3,) * rank, 4))
    layer = tw.ConvTranspose(4, 3, bias=False)
    found = layer.forward(x, SimpleNamespace(weights=weights))
    full = functools.partial(scipy.signal.convolve, mode="full", method="direct")
    expected = summed_over_channels(full, x, np.moveaxis(weights, 0, -2))
    assert_allclose(found, expected, 1e-10, 1e-12)


@given(convolutions())
@settings(deadline=None, max_examples=30)
def test_the_engine_learns_as_the_interpreter(
    drawn: tuple[tw.Conv, tuple[int, ...]],
) -> None:
    layer, shape = drawn
    X, y = RANDOM.normal(size=(5, *shape)), RANDOM.normal(size=(5, 1))
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = tw.Network([layer, tw.GlobalMean(), tw.Dense(1)])
        network.fit(
            *(X, y),
            epochs=3,
            batch_size=3,
            validation=None,
            dtype="float64",
            engine=engine,
        )
        found.append([*network.parameters.values(), network.predict(X)])
    for one, another in zip(*found, strict=True):
        assert_allclose(one, another, 1e-9, 1e-10)


@pytest.mark.parametrize(
    "layer", [tw.Conv(2, 3, padding="same"), tw.ConvTranspose(2, 3, 2)]
)
def test_gradients_are_differences(layer: Any) -> None:
    x = RANDOM.normal(size=(2, 4, 5, 3))
    shapes = {name: p.shape for name, p in layer.parameters((4, 5, 3)).items()}
    values = {name: RANDOM.normal(size=shape) for name, shape in shapes.items()}
    weights = RANDOM.normal(size=layer.forward(x, SimpleNamespace(**values)).shape)

    def loss(x: Any, w: Any, b: Any) -> Any:
        y = layer.forward(x, SimpleNamespace(weights=w, bias=b))
        return tw.sum(tw.square(y) * weights)

    at = (x, values["weights"], values["bias"])
    for number, array in enumerate(at):
        slope = tw.gradient(loss, argument=number)(*at)
        direction = RANDOM.normal(size=array.shape)
        step = 1e-5
        ahead, back = (
            [
                a + sign * step * direction if n == number else a
                for n, a in enumerate(at)
            ]
            for sign in (1, -1)
        )
        difference = (loss(*ahead) - loss(*back)) / (2 * step)
        assert_allclose(np.sum(slope * direction), difference, 1e-6)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [3, (3, 4)])
def test_a_transposed_convolution_is_the_adjoint(size: Any, stride: int) -> None:
    """⟨A x, y⟩ = ⟨x, Aᵀ y⟩, with the same weights."""
    back = tw.ConvTranspose(3, size, stride, bias=False)
    y = RANDOM.normal(size=(2, 3, 4, 2))
    weights = RANDOM.normal(size=back.parameters((3, 4, 2))["weights"].shape)
    up = back.forward(y, SimpleNamespace(weights=weights))
    x = RANDOM.normal(size=up.shape)
    ahead = tw.Conv(2, size, stride, bias=False)
    down = ahead.forward(x, SimpleNamespace(weights=weights.transpose(1, 2, 3, 0)))
    assert_allclose(np.sum(down * y), np.sum(x * up))


def test_a_transposed_convolution_may_keep_the_middle() -> None:
    weights, y = RANDOM.normal(size=(2, 5, 3)), RANDOM.normal(size=(2, 6, 2))
    p = SimpleNamespace(weights=weights)
    whole = tw.ConvTranspose(3, 5, 2, bias=False).forward(y, p)
    same = tw.ConvTranspose(3, 5, 2, "same", bias=False).forward(y, p)
    assert_array_equal(same, whole[:, 1:13])


@pytest.mark.parametrize(
    ("layer", "function"), [(tw.MaxPool, np.max), (tw.MeanPool, np.mean)]
)
@pytest.mark.parametrize("stride", [None, 1, (3, 2)])
def test_pooling(layer: Any, function: Any, stride: Any) -> None:
    x = RANDOM.normal(size=(2, 7, 6, 3))
    found = layer((2, 3), stride).forward(x, None)
    down, across = stride if isinstance(stride, tuple) else (stride or 2, stride or 3)
    for i, j in np.ndindex(found.shape[1:3]):
        window = x[:, i * down : i * down + 2, j * across : j * across + 3]
        assert_allclose(found[:, i, j], function(window, axis=(1, 2)))
    assert found.shape[1:3] == ((7 - 2) // down + 1, (6 - 3) // across + 1)


@st.composite
def poolings(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """A pooling of windows that may reach over edges, what it is, and x."""
    rank = draw(st.integers(1, 3))
    layer, function = draw(st.sampled_from([(tw.MaxPool, max), (tw.MeanPool, mean)]))
    several = st.tuples(*[st.integers(1, 4)] * rank)
    places = draw(st.tuples(*[st.integers(1, 6 if rank < 3 else 4)] * rank))
    x = RANDOM.normal(size=(2, *places, 2)) - 5  # so that zeros would be seen
    return layer(draw(several), draw(st.none() | several), "same"), function, x


def mean(numbers: Any) -> Any:
    return sum(numbers) / len(numbers)


@given(poolings())
@settings(deadline=None)
def test_pooling_over_edges_counts_what_exists(drawn: tuple[Any, Any, Any]) -> None:
    layer, function, x = drawn
    places, sizes = x.shape[1:-1], layer.size
    strides = layer.stride or sizes
    found = layer.forward(x, None)
    counts = [-(-n // s) for n, s in zip(places, strides, strict=True)]
    assert found.shape[1:-1] == tuple(counts)
    for at in np.ndindex(*counts):
        window = (slice(None),)
        for i, n, k, s, c in zip(at, places, sizes, strides, counts, strict=True):
            start = i * s - max((c - 1) * s + k - n, 0) // 2
            window += (slice(max(start, 0), min(start + k, n)),)
        seen = x[window].reshape(2, -1, 2)
        for row, channel in np.ndindex(2, 2):
            exact = function(seen[row, :, channel].tolist())
            assert_allclose(found[(row, *at, channel)], exact, rtol=1e-12)


@given(poolings())
@settings(deadline=None, max_examples=15)
def test_poolings_learn_as_the_interpreter(drawn: tuple[Any, Any, Any]) -> None:
    layer, _, x = drawn
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = tw.Network([tw.Dense(2, "tanh"), layer, tw.Flatten(), tw.Dense(1)])
        network.fit(
            *(np.concatenate([x, -x]), np.arange(4.0)),
            epochs=2,
            validation=None,
            dtype="float64",
            engine=engine,
        )
        found.append([*network.parameters.values(), network.predict(x)])
    for one, another in zip(*found, strict=True):
        assert_allclose(one, another, 1e-9, 1e-10)


def test_windows_of_an_array_are_not_written_through() -> None:
    x = np.arange(4.0)
    seen = tw.windows(x, axes=0, sizes=2)
    assert np.shares_memory(seen, x)
    with pytest.raises(ValueError, match="read-only"):
        seen[0, 0] = 7


def test_words_take_whole_numbers() -> None:
    x = np.arange(12.0).reshape(3, 4)
    every: Any = {"axes": np.int64(1), "sizes": np.int32(2), "steps": [2]}
    assert_array_equal(tw.windows(x, **every), x.reshape(3, 2, 2))
    for wrong in (1.5, "2", None):
        given: Any = {"axes": 1, "sizes": 2, "steps": wrong}
        with pytest.raises(ArgumentError, match="steps must be a whole number, or one"):
            tw.windows(x, **given)
        with pytest.raises(ArgumentError, match="summed must be a whole number"):
            tw.contract(x, x.T, summed=given["steps"])


def test_all_places_at_once() -> None:
    x = RANDOM.normal(size=(2, 4, 5, 3))
    assert_allclose(tw.GlobalMean().forward(x, None), x.mean(axis=(1, 2)))
    assert_array_equal(tw.GlobalMax().forward(x, None), x.max(axis=(1, 2)))
    assert_array_equal(tw.Flatten().forward(x, None), x.reshape(2, -1))


def images() -> tuple[Any, Any]:
    """Images with a bar across or down, and which it is."""
    X, y = 0.1 * RANDOM.normal(size=(120, 8, 8, 1)), RANDOM.integers(0, 2, 120)
    for image, down in zip(X, y, strict=True):
        at = RANDOM.integers(1, 7)
        image[(slice(None), at) if down else at] += 1
    return X, y


def test_a_network_is_saved_exported_and_goes_on(tmp_path: Path) -> None:
    X, y = images()
    network = tw.Network(
        [
            tw.Conv(4, 3, padding="same", activation="relu"),
            tw.MaxPool(2),
            tw.Conv(4, 3, stride=2, padding="reflect", groups=2, activation="relu"),
            tw.ConvTranspose(2, 2, 2, activation="tanh"),
            tw.MeanPool(3, 2, "same"),
            tw.MaxPool(2, 1, "same"),
            tw.Flatten(),
            tw.Dense(2, "softmax"),
        ]
    )
    network.fit(
        X, y, epochs=40, optimizer=tw.Adam(0.01), validation=None, batch_size=20
    )
    assert network.evaluate(X, y)["accuracy"] > 0.95
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert loaded.layers == network.layers
    assert_array_equal(loaded.predict(X), network.predict(X))
    tw.export(network, tmp_path / "network.onnx")
    (found,) = outputs(tmp_path / "network.onnx", {"X": X.astype(np.float32)})
    assert_near(found, network.predict(X))
    loaded.fit(X, y, epochs=1, warm_start=True, validation=None)


def test_the_same_bits_for_any_number_of_threads_and_rows() -> None:
    X, y = images()
    layers = [tw.Conv(6, 3, activation="relu"), tw.MaxPool(2), tw.Flatten()]
    fitted = [tw.Network([*layers, tw.Dense(2, "softmax")]) for _ in range(3)]
    for threads, network in zip((1, 2, 3), fitted, strict=True):
        network.fit(X, y, epochs=2, threads=threads, validation=None, batch_size=100)
    first, *others = [network.predict(X).tobytes() for network in fitted]
    assert others == [first, first]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(
        ShapeError, match=r"one to three axes of places, got \(rows, 4\)"
    ):
        tw.Conv(2, 3).parameters((4,))
    with pytest.raises(ShapeError, match="a window over 5 elements doesn't fit"):
        tw.Network([tw.Conv(2, 3, dilation=2)]).initialize((4, 1))
    with pytest.raises(ShapeError, match="2 groups divide, got 3 and 2"):
        tw.Network([tw.Conv(2, 3, groups=2)]).initialize((4, 3))
    with pytest.raises(
        ShapeError, match="size must be one number, or one for each of 1"
    ):
        tw.Network([tw.Conv(2, (3, 3))]).initialize((4, 3))
    with pytest.raises(ShapeError, match="padding='causal' is for series"):
        tw.Network([tw.Conv(2, 3, padding="causal")]).initialize((4, 4, 3))
    with pytest.raises(ShapeError, match="must find 2 places behind an edge, got 1"):
        tw.Network([tw.Conv(2, 5, padding="reflect")]).initialize((2, 3))
    with pytest.raises(ShapeError, match="must be as large as the stride"):
        tw.Network([tw.ConvTranspose(2, 2, 3, "same")]).initialize((2, 3))
    with pytest.raises(ArgumentError, match="padding"):
        tw.Conv(2, 3, padding="sane")
    with pytest.raises(ArgumentError, match="no padding 'reflect'"):
        tw.MeanPool(2, padding="reflect")
    with pytest.raises(ArgumentError, match="size must be a whole number of 1 or more"):
        tw.Conv(2, (3, 0))
    with pytest.raises(ArgumentError, match="size must be a whole number of 1 or more"):
        tw.Conv(2, ((3,), 3))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ArgumentError, match=r"or one for each axis, got 0$"):
        tw.Conv(2, 0)
    with pytest.raises(ArgumentError, match="stride must be a whole number"):
        tw.MaxPool(2, stride=0)


@pytest.mark.parametrize(
    "layer",
    [
        tw.Conv(1, 3, padding="same", dilation=10**9),
        tw.Conv(1, 3, padding="causal", dilation=10**9),
        tw.ConvTranspose(1, 10, stride=10**9, padding="valid"),
        tw.ConvTranspose(1, 2000, padding="valid", bias=False),
        tw.MaxPool(10**9, 1, "same"),
        tw.MeanPool(10**9, 1, "same"),
    ],
)
def test_what_takes_too_much_room_for_a_row_is_refused(layer: tw.Layer) -> None:
    """Before anything of that size is made, in a file as well."""
    network = tw.Network([layer, tw.GlobalMax(), tw.Dense(1)])
    X, y = np.zeros((4, 9_000, 1)), np.zeros(4)
    with pytest.raises((ModelFileError, ArgumentError), match=r"for a row|too large"):
        network.fit(X, y, validation=None)


def test_more_places_than_can_be_counted_are_refused() -> None:
    network = tw.Network([tw.MeanPool(2, 1, "same")])
    assert network.initialize((2**21, 1)).shapes.outputs[1] == (2**21, 1)
    for shape in ((2**21 + 1, 1), (2**12, 2**12, 1)):
        with pytest.raises(ShapeError, match="may give 2,097,152 places, got"):
            network.initialize(shape)
    tw.Network([tw.MeanPool(2)]).initialize((2**22, 1))  # all its windows are alike


def test_same_gives_as_many_places_as_strides_reach() -> None:
    for n in range(1, 9):
        for size, stride, dilation in np.ndindex(4, 3, 3):
            before, behind = padding_of(n, size + 1, stride + 1, dilation + 1, "same")
            reach = size * (dilation + 1) + 1
            count = (n + before + behind - reach) // (stride + 1) + 1
            assert count == math.ceil(n / (stride + 1))
            assert 0 <= behind - before <= 1


@dataclass(frozen=True)
class AddPlaces(tw.Layer):
    """Adds a number of its own at each place, the same in all rows."""

    def forward(self, x: Any, p: Any) -> Any:
        return x + np.arange(16, dtype=np.float32).reshape(4, 4, 1)


def test_what_follows_a_convolution_may_differ_from_place_to_place() -> None:
    X = np.random.default_rng(3).normal(size=(70, 6, 6, 2)).astype(np.float32)
    layers = [tw.Conv(3, 3, bias=False), AddPlaces()]
    network = tw.Network(layers)
    network.fit(X, np.zeros((70, 4, 4, 3)), epochs=1, validation=None)
    places = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    convolved = network.feature_maps(X, layer=1)
    assert_array_equal(network.predict(X), convolved + places)
