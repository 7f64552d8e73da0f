"""A network at one time after the other gives what it gives for whole rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import thalweg as tw
from support.cells import NormedLSTM
from support.streams import (
    FEATURES,
    MIXING,
    TIMES,
    Alone,
    Mixing,
    any_layers,
    drawn,
    series,
    streamed,
)

SIZES = [1, 2, 33]  # of rows: one alone is worked on in other ways

NETWORKS: dict[str, list[tw.Layer]] = {
    "lstm": [tw.LSTM(6), tw.Dense(3, "softmax")],
    "gru": [tw.GRU(6), tw.GRU(5), tw.Dense(3)],
    "rnn": [tw.RNN(33), tw.LayerNorm(), tw.Recurrent(tw.RNN(5, "relu"))],
    "own cell": [NormedLSTM(5), tw.Dense(3)],
    "deep sums": [tw.Dense(300, "relu"), tw.Dense(300), tw.GRU(3)],
    "learned": [tw.Positions(), tw.TransformerBlock(2, 8, causal=True)],
    "sine": [tw.Positions("sine"), tw.TransformerBlock(2, 8, causal=True, norm="rms")],
    "rotary": [tw.TransformerBlock(2, 8, causal=True, positions="rotary")],
    "convolution": [
        tw.Conv(6, 3, padding="causal"),
        tw.Conv(4, 2, padding="causal", dilation=3, groups=2, activation="relu"),
    ],
    "one place": [tw.Conv(6, 1), tw.Conv(6, 1, padding="same")],
    "branches": [
        tw.Residual([tw.Conv(6, 3, padding="causal"), tw.BatchNorm()], tw.Dense(6)),
        tw.Parallel([[], [tw.GRU(4)]]),
        tw.Frozen([tw.LSTM(3)]),
    ],
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_step_by_step_is_the_whole_to_the_bit(name: str, dtype: Any) -> None:
    network = drawn(NETWORKS[name], dtype=dtype)
    for rows in SIZES:
        X = series(rows)
        assert_array_equal(streamed(network.stream(rows), X), network.predict(X))


@given(any_layers(), st.sampled_from(SIZES))
@settings(max_examples=15, deadline=None)
def test_any_layers_stream(layers: list[tw.Layer], rows: int) -> None:
    network = drawn(layers)
    X = series(rows)
    assert_array_equal(streamed(network.stream(rows), X), network.predict(X))


def test_long_sums_of_attention_stay_in_their_order() -> None:
    layers = [tw.Positions(), tw.TransformerBlock(4, 64, causal=True)]
    network = drawn(layers, (75, 32))
    X = series(1, (75, 32))
    assert_array_equal(streamed(network.stream(), X), network.predict(X))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_threads_leave_the_bits(threads: int) -> None:
    network = drawn([tw.Dense(200), tw.GRU(20), tw.Dense(300)])
    X = series(5)
    stream = network.stream(5, threads=threads)
    assert_array_equal(streamed(stream, X), network.predict(X))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_interpreter_streams_alike(name: str) -> None:
    network = drawn(NETWORKS[name], dtype="float64")
    X = series(2)
    found = streamed(network.stream(2, engine="interpreter"), X)
    np.testing.assert_allclose(found, network.predict(X), rtol=1e-12, atol=1e-12)


LAST: list[list[tw.Layer]] = [
    [tw.LSTM(4), tw.Last(), tw.Dense(2)],
    [tw.Recurrent(tw.GRU(4), sequences=False), tw.Dense(2)],
    [tw.Parallel([[tw.GRU(3), tw.Last()], tw.Last()]), tw.Flatten(), tw.Dense(2)],
]


@pytest.mark.parametrize("layers", LAST)
def test_the_last_time_is_the_newest(layers: list[tw.Layer]) -> None:
    network = drawn(layers)
    X = series(2)
    found = streamed(network.stream(2), X)
    assert found.shape == (2, TIMES, 2)
    assert_array_equal(found[:, -1], network.predict(X))


@pytest.mark.parametrize(
    "behind",
    [
        [tw.LSTM(4), tw.Dense(9, "softmax")],
        [tw.GRU(30)],
        [tw.Dense(5, "relu"), tw.RNN(3)],
        [tw.Positions(), tw.TransformerBlock(1, 8, causal=True)],
        [tw.Conv(3, 1), tw.Attention(1, causal=True)],
    ],
)
@pytest.mark.parametrize("size", [5, 256, 300])  # the engine adds up 256 at a time
def test_class_numbers_come_without_an_axis(behind: list[tw.Layer], size: int) -> None:
    network = drawn([tw.Embedding(9, size), *behind], (TIMES,))
    for rows in (1, 2):
        X = np.arange(rows * TIMES).reshape(rows, TIMES) % 9
        assert_array_equal(streamed(network.stream(rows), X), network.predict(X))
        bytes_ = X.astype(np.uint8)
        assert_array_equal(streamed(network.stream(rows), bytes_), network.predict(X))
    assert network.stream()([3]).shape[0] == 1


def test_numbers_with_a_reshape_are_series() -> None:
    network = drawn([tw.Reshape((TIMES, 1)), tw.GRU(3)], (TIMES,))
    X = series(2, (TIMES,))
    assert_array_equal(streamed(network.stream(2), X), network.predict(X))


# Room ---------------------------------------------------------------------------------


def test_a_recurrence_has_no_end() -> None:
    network = drawn([tw.RNN(3)])
    stream = network.stream()
    for _ in range(3 * TIMES):
        stream(np.ones((1, FEATURES)))
    assert stream.time == 3 * TIMES


@pytest.mark.parametrize("layer", [tw.Attention(2, causal=True), tw.Positions()])
def test_what_keeps_all_times_has_room_for_those_it_was_made_for(
    layer: tw.Layer,
) -> None:
    network = drawn([layer])
    stream = network.stream()
    X = series(1)
    first = streamed(stream, X)
    with pytest.raises(tw.ArgumentError, match=f"room for {TIMES} times"):
        stream(X[:, 0])
    stream.reset()
    assert_array_equal(streamed(stream, X), first)


@pytest.mark.parametrize("positions", [None, "rotary"])
def test_there_can_be_more_room(positions: str | None) -> None:
    layers = [tw.Positions("sine"), tw.Attention(2, causal=True, positions=positions)]
    short, long = drawn(layers), drawn(layers, (2 * TIMES, FEATURES))
    X = series(2, (2 * TIMES, FEATURES))
    found = streamed(short.stream(2, times=2 * TIMES), X)
    np.testing.assert_allclose(found, long.predict(X), rtol=1e-5, atol=1e-6)


def test_learned_positions_are_as_many_as_were_learned() -> None:
    network = drawn([tw.Positions()])
    with pytest.raises(tw.ArgumentError, match=r"layer 1, Positions\(\).* 7 times"):
        network.stream(times=TIMES + 1)


# What must not be ---------------------------------------------------------------------


NEEDS_LATER: dict[str, list[tw.Layer]] = {
    "Bidirectional": [tw.Bidirectional(tw.GRU(3))],
    "reverse": [tw.Recurrent(tw.GRU(3), reverse=True)],
    "attention": [tw.Attention(1)],
    "valid": [tw.Conv(3, 2)],
    "same": [tw.Conv(3, 3, padding="same")],
    "stride": [tw.Conv(3, 2, stride=2, padding="causal")],
    "max": [tw.MaxPool(2)],
    "global": [tw.GlobalMean()],
    "flatten": [tw.Flatten(), tw.Dense(3)],
    "reshape": [tw.Reshape((2 * TIMES, 2)), tw.Dense(3)],
    "one branch": [
        tw.Parallel(
            [
                [],
                [tw.Recurrent(tw.RNN(28), sequences=False), tw.Reshape((7, 4))],
            ],
            "add",
        )
    ],
    "inside": [tw.Dense(4), tw.TransformerBlock(2, 4)],
    **{how: [Mixing(how)] for how in MIXING},
}


@pytest.mark.parametrize("name", NEEDS_LATER)
def test_what_needs_later_times_is_named(name: str) -> None:
    layers = NEEDS_LATER[name]
    network = tw.Network(layers).initialize((TIMES, FEATURES))
    number = 2 if name == "inside" else 1
    kind = type(network.layers[number - 1]).__name__
    named = f"^layer {number}, {kind}.*a stream gives"
    with pytest.raises(tw.ArgumentError, match=named):
        network.stream()


@pytest.mark.parametrize("how", [h for h in MIXING if h != "number"])
def test_nor_has_a_stream_what_a_file_holds_of_it(how: str, tmp_path: Path) -> None:
    network = tw.Network([Mixing(how)]).initialize((TIMES, FEATURES))
    network.save(tmp_path / "network.thalweg")
    loaded: Any = tw.load(tmp_path / "network.thalweg")
    with pytest.raises(tw.ArgumentError, match=r"^layer 1, Mixing.*each time alone"):
        loaded.stream()


def test_times_side_by_side_have_no_stream() -> None:
    network = tw.Network([tw.Parallel([[], []])]).initialize(TIMES)
    with pytest.raises(tw.ArgumentError, match=r"layer 1, Parallel.*: a stream"):
        network.stream()


def test_inputs_by_name_have_no_stream() -> None:
    named = tw.Inputs({"a": [tw.Dense(3)], "b": []})
    network = tw.Network([named]).initialize({"a": 3, "b": 2})
    with pytest.raises(tw.ArgumentError, match=r"layer 1, Inputs.*whole inputs"):
        network.stream()


def test_rows_without_times_have_no_stream() -> None:
    network = tw.Network([tw.Dense(3)]).initialize(TIMES)
    with pytest.raises(tw.ArgumentError, match=r"layer 1, Dense\(3\): a stream"):
        network.stream()


def softened(z: Any) -> Any:
    return z * tw.sigmoid(z)


def test_a_layer_of_ones_own_may_work_on_each_time_alone(tmp_path: Path) -> None:
    network = drawn([Alone(5), tw.GRU(3), Alone(2), tw.Dense(3, softened)])
    network.save(tmp_path / "network.thalweg")
    loaded: Any = tw.load(tmp_path / "network.thalweg")  # which has their programs
    for rows in SIZES:
        X = series(rows)
        meant = network.predict(X)
        assert_array_equal(streamed(network.stream(rows), X), meant)
        assert_array_equal(streamed(loaded.stream(rows), X), meant)


@dataclass(frozen=True)
class Change(tw.Remembering):
    """A layer of one's own that says what it keeps."""

    def forward(self, x: Any, p: Any) -> Any:
        return x - tw.concatenate([0 * x[:, :1], x[:, :-1]], axis=1)

    def kept(self, input_shape: Any, times: int) -> Any:
        return {"before": (1, *input_shape[1:])}

    def at_time(self, x: Any, kept: Any, p: Any, moment: Any) -> Any:
        return x - kept["before"], {"before": x}


def test_a_layer_of_ones_own_may_say_what_it_keeps() -> None:
    network = drawn([tw.Residual([Change(), tw.GRU(FEATURES)]), Change()])
    X = series(3)
    assert_array_equal(streamed(network.stream(3), X), network.predict(X))


@dataclass(frozen=True)
class Wrong(Change):
    """Says one thing and does another."""

    how: str = ""

    def at_time(self, x: Any, kept: Any, p: Any, moment: Any) -> Any:
        y, new = super().at_time(x, kept, p, moment)
        if self.how == "gives":
            return y[:, 0], new
        return y, {"other": x} if self.how == "name" else {"before": x[:, 0]}


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ("gives", r"layer 1, Wrong.*: at one time it must give \('rows', 1, 4\)"),
        ("name", r"layer 1, Wrong.*: what is kept from a time on .* got {'other'"),
        ("shape", "layer 1, Wrong.*: what is kept from a time on"),
    ],
)
def test_what_a_layer_says_is_held_against_what_it_does(how: str, text: str) -> None:
    with pytest.raises(tw.ShapeError, match=text):
        drawn([Wrong(how)]).stream()


# Its calls ----------------------------------------------------------------------------


def test_inputs_are_looked_at() -> None:
    stream = drawn([tw.Embedding(9, 5), tw.LSTM(4)], (TIMES,)).stream()
    first = stream([1])
    for wrong, error, text in (
        ([[1]], tw.ShapeError, r"x must be of shape \(1,\), .* got \(1, 1\)"),
        ([np.nan], tw.ArgumentError, "x must be finite"),
        ([np.float32("inf")], tw.ArgumentError, "x must be finite"),
        (["a"], tw.DtypeError, "x must hold numbers"),
        ([9], tw.ArgumentError, "row numbers must lie in their table"),
        (
            np.array([9], np.float32),
            tw.ArgumentError,
            "row numbers must lie in their table",
        ),
    ):
        with pytest.raises(error, match=text):
            stream(wrong)
    assert stream.time == 1  # nothing has happened
    stream(np.array([2], np.uint8))
    stream.reset()
    assert_array_equal(stream(np.array([1.0], np.float32)), first)


@pytest.mark.parametrize("wrong", [{"rows": 0}, {"rows": 1.5}, {"times": 0}])
def test_arguments_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(tw.ArgumentError, match=next(iter(wrong))):
        drawn([tw.RNN(3)]).stream(**wrong)


def test_a_network_without_parameters_has_no_stream() -> None:
    with pytest.raises(tw.NotFittedError):
        tw.Network([tw.RNN(3)]).stream()


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_stream_begins_again(turns: int) -> None:
    stream = drawn([tw.RNN(3)]).stream()
    X = series(1)[:, :turns]
    first = streamed(stream, X)
    stream.reset()
    assert stream.time == 0
    assert_array_equal(streamed(stream, X), first)


FORMS: dict[str, Any] = {
    "as they are": lambda x: x,
    "a list": lambda x: x.tolist(),
    "every second of an array": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "columns first": np.asfortranarray,
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "of another dtype": lambda x: x.astype(np.float64),
    "in another order of bytes": lambda x: x.astype(">f4"),
}


@pytest.mark.parametrize("form", FORMS)
def test_inputs_may_lie_anyhow(form: str) -> None:
    """However they are given, at even and at odd times."""
    network = drawn(NETWORKS["lstm"])
    X = series(2)
    stream, expected = network.stream(2), streamed(network.stream(2), X)
    for time in range(TIMES):
        given = FORMS[form if time % 3 else "a list"](X[:, time])
        assert_array_equal(stream(given), expected[:, time])


def test_a_turn_that_failed_never_was() -> None:
    network = drawn(NETWORKS["lstm"])
    X = series(2)
    stream, expected = network.stream(2), streamed(network.stream(2), X)
    for time in range(TIMES):
        with pytest.raises(tw.ArgumentError, match="finite"):
            stream(np.full_like(X[:, 0], np.nan))
        assert stream.time == time
        assert_array_equal(stream(X[:, time]), expected[:, time])


def test_what_was_given_stays() -> None:
    stream = drawn([tw.RNN(3)]).stream()
    first = stream(np.ones((1, FEATURES)))
    before = first.copy()
    stream(np.zeros((1, FEATURES)))
    assert_array_equal(first, before)


def test_streams_go_their_own_ways() -> None:
    network = drawn([tw.RNN(3)])
    X = series(1)
    one, two = network.stream(), network.stream()
    one(X[:, 3])
    assert_array_equal(streamed(two, X), network.predict(X))


def test_after_another_fit_a_stream_is_of_that() -> None:
    network = tw.Network([tw.GRU(3), tw.Last(), tw.Dense(1)])
    X = series(20)
    for seed in (1, 2):
        network.fit(X, X.sum((1, 2)), epochs=2, seed=seed, validation=None)
        found = streamed(network.stream(20), X)[:, -1]
        assert_array_equal(found, network.predict(X))


def test_a_stream_has_parameters_of_its_own() -> None:
    network = drawn([tw.Embedding(9, 5), tw.GRU(3)], (TIMES,))
    X = np.arange(TIMES)[None] % 9
    meant = network.predict(X)
    stream = network.stream()
    every = network.parameters.items()
    network.set_parameters({name: 0 * array for name, array in every})
    assert_array_equal(streamed(stream, X), meant)
    assert_array_equal(streamed(network.stream(), X), network.predict(X))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_from_a_file_streams_alike(name: str, tmp_path: Path) -> None:
    network = drawn(NETWORKS[name])
    network.save(tmp_path / "network.thalweg")
    loaded: Any = tw.load(tmp_path / "network.thalweg")
    X = series(2)
    assert_array_equal(streamed(loaded.stream(2), X), network.predict(X))
