"""Rows of different lengths: nothing of a network sees padding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import thalweg as tw
from thalweg.formulas.lengths import is_there, lengths_of

LENGTHS = [5, 9, 3, 12, 7, 1, 8, 8, 4, 10, 6, 2]
FEATURES = 3


def sequences(seed: int = 0, lengths: list[int] = LENGTHS) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, FEATURES)).astype(np.float32) for n in lengths]


def classes(X: list[Any]) -> Any:
    return np.array([int(x.sum() > 0) for x in X])


STACKS: dict[str, list[Any]] = {
    "last state": [tw.Recurrent(tw.LSTM(5), sequences=False)],
    "first state": [tw.Recurrent(tw.GRU(4), reverse=True, sequences=False)],
    "last states": [tw.Bidirectional(tw.Recurrent(tw.GRU(4), sequences=False))],
    "mean of both": [tw.Bidirectional(tw.RNN(4)), tw.GlobalMean()],
    "last": [tw.GRU(4), tw.LayerNorm(), tw.Last()],
    "attention": [tw.Dense(8), tw.Attention(2, positions="rotary"), tw.GlobalMax()],
    "causal": [
        tw.Dense(8),
        tw.Positions("sine"),
        tw.TransformerBlock(2, 16, causal=True, dropout=0.1),
        tw.Last(),
    ],
    # Behind a bias, padding isn't 0 any more.
    "same": [
        tw.Dense(4),
        tw.Conv(6, 3, padding="same"),
        tw.BatchNorm(),
        tw.GlobalMean(),
    ],
    "dilated": [
        tw.Residual([tw.Conv(FEATURES, 3, padding="causal", dilation=2)]),
        tw.GlobalMax(),
    ],
    "branches": [tw.Parallel([[tw.RNN(3)], [tw.Dense(2)]]), tw.GlobalMean()],
    "frozen": [tw.Frozen(tw.GRU(3)), tw.GlobalMean()],
}


@cache
def network_of(name: str, dtype: Any = "float32", **how: Any) -> tw.Network:
    X = sequences()
    network = tw.Network([*STACKS[name], tw.Dense(2, "softmax")])
    network.fit(
        X, classes(X), epochs=2, batch_size=5, validation=None, dtype=dtype, **how
    )
    return network


def without_padding(network: tw.Network, X: list[Any]) -> list[Any]:
    """What a network of the same parameters gives for each row, of its own length."""
    found: list[Any] = []
    for x in X:
        alone = tw.Network(network.layers)
        alone.initialize(x.shape, dtype=network.dtype)
        alone.set_parameters({**network.parameters, **network.state})
        found.append(alone.predict(x[None])[0])
    return found


@pytest.mark.parametrize("name", STACKS)
def test_a_row_alone_among_longer_ones_and_without_padding_is_the_same(
    name: str,
) -> None:
    network, X = network_of(name), sequences()
    together = network.predict(X)
    alone = np.concatenate([network.predict([x]) for x in X])
    np.testing.assert_array_equal(together, alone)
    longer = network.predict([*X, *sequences(1, [40, 13])])[: len(X)]
    np.testing.assert_array_equal(together, longer)
    exact = np.array(without_padding(network, X))
    np.testing.assert_allclose(together, exact, rtol=0, atol=1e-6)
    by_numpy = network.predict(X, engine="interpreter")
    np.testing.assert_allclose(together, by_numpy, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", STACKS)
def test_what_lies_in_padding_counts_for_nothing(name: str) -> None:
    network, X = network_of(name), sequences()
    table = np.full((len(X), max(LENGTHS), FEATURES), np.nan, np.float32)
    for row, x in zip(table, X, strict=True):
        row[: len(x)] = x
    found = network.predict(table, lengths=LENGTHS)
    np.testing.assert_array_equal(found, network.predict(X))
    own = tw.Network([*STACKS[name], tw.Dense(2, "softmax")])
    how: dict[str, Any] = {"epochs": 2, "batch_size": 5, "validation": None}
    own.fit(table, classes(X), lengths=LENGTHS, **how)
    for key, value in network.parameters.items():
        np.testing.assert_array_equal(value, own.parameters[key], err_msg=key)


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("name", ["last states", "causal", "same"])
def test_threads_change_no_bit(name: str, threads: int) -> None:
    one, several = network_of(name), network_of(name, threads=threads)
    for key, value in one.parameters.items():
        np.testing.assert_array_equal(value, several.parameters[key], err_msg=key)


@pytest.mark.parametrize("name", STACKS)
def test_the_engine_learns_what_the_interpreter_learns(name: str) -> None:
    ours = network_of(name, "float64")
    theirs = network_of(name, "float64", engine="interpreter")
    for key, value in ours.parameters.items():
        np.testing.assert_allclose(
            value, theirs.parameters[key], rtol=1e-9, atol=1e-9, err_msg=key
        )


def tagger(*layers: Any) -> tw.Network:
    return tw.Network([*layers, tw.Dense(3, "softmax")])


def tags(X: list[Any]) -> list[Any]:
    return [(x[:, 0] > 0).astype(int) + (x[:, 1] > 0) for x in X]


def test_all_times_count_alike_and_padding_doesnt() -> None:
    X = sequences()
    network = tagger(tw.Bidirectional(tw.GRU(4)))
    network.fit(X, tags(X), epochs=2, validation=None, dtype="float64")
    predictions, truth = network.predict(X), np.concatenate(tags(X))
    flat = np.concatenate(predictions)
    assert [len(p) for p in predictions] == LENGTHS
    scores = network.evaluate(X, tags(X))
    loss = -np.log(flat[np.arange(len(truth)), truth]).mean()
    accuracy = (flat.argmax(1) == truth).mean()
    np.testing.assert_allclose(scores["loss"], loss, rtol=1e-12)
    np.testing.assert_allclose(scores["accuracy"], accuracy, rtol=1e-12)


def test_the_share_of_variance_is_of_times_that_are_there() -> None:
    X = sequences()
    y = [x[:, :2] * 3 + 1 for x in X]
    network = tw.Network([tw.GRU(4), tw.Dense(2)])
    network.fit(X, y, epochs=3, validation=None, dtype="float64")
    errors = np.concatenate(network.predict(X)) - np.concatenate(y)
    scores = network.evaluate(X, y)
    np.testing.assert_allclose(scores["rmse"], np.sqrt((errors**2).mean()), rtol=1e-12)
    share = 1 - (errors**2).mean(0) / np.concatenate(y).astype(np.float64).var(0)
    np.testing.assert_allclose(scores["r2"], share.mean(), rtol=1e-9)


def test_a_batch_is_normalized_by_the_times_that_are_there() -> None:
    X = sequences()
    network = tw.Network([tw.BatchNorm(1.0), tw.GlobalMean(), tw.Dense(2, "softmax")])
    how: dict[str, Any] = {"batch_size": "all", "validation": None, "dtype": "float64"}
    network.fit(X, classes(X), epochs=1, **how)
    every = np.concatenate(X).astype(np.float64)
    state = network.state
    np.testing.assert_allclose(state["1.running_mean"], every.mean(0), rtol=1e-12)
    np.testing.assert_allclose(
        state["1.running_variance"], every.var(0, ddof=1), rtol=1e-12
    )


def test_sample_weights_weigh_whole_rows() -> None:
    X = sequences()
    weights = np.arange(1.0, len(X) + 1)
    network = tagger(tw.GRU(4))
    network.fit(X, tags(X), epochs=1, validation=None, sample_weight=weights)
    found = network.evaluate(X, tags(X), weights)
    each = [network.evaluate([x], [t])["loss"] for x, t in zip(X, tags(X), strict=True)]
    wanted = np.average(each, weights=weights * np.array(LENGTHS))
    np.testing.assert_allclose(found["loss"], wanted, rtol=1e-5)


def test_windows_end_where_a_row_does() -> None:
    X = sequences(0, [4, 9, 6, 12, 7])
    pooled = [(n - 3) // 2 + 1 - 1 for n in (4, 9, 6, 12, 7)]  # a pool of 2 behind
    network = tagger(tw.Conv(4, 3, 2), tw.MaxPool(2, 1))
    y = [np.zeros(n, int) for n in pooled if n]
    kept = [x for x, n in zip(X, pooled, strict=True) if n]
    network.fit(kept, y, epochs=1, validation=None)
    found = network.predict(kept)
    assert [len(p) for p in found] == [n for n in pooled if n]
    for one, exact in zip(found, without_padding(network, kept), strict=True):
        np.testing.assert_allclose(one, exact, atol=1e-6)
    with pytest.raises(tw.ShapeError, match="row 0 has none left"):
        network.predict(X)


@given(
    lengths=st.lists(st.integers(1, 12), min_size=2, max_size=6),
    seed=st.integers(0, 9),
    name=st.sampled_from(["last states", "mean of both", "attention", "causal"]),
)
@settings(max_examples=15, deadline=None)
def test_random_lengths(lengths: list[int], seed: int, name: str) -> None:
    network = tw.Network([*STACKS[name], tw.Dense(2, "softmax")])
    network.initialize((12, FEATURES), seed, "float64")
    X = sequences(seed, lengths)
    exact = np.array(without_padding(network, X))
    table = np.zeros((len(X), 12, FEATURES))
    for row, x in zip(table, X, strict=True):
        row[: len(x)] = x
    found = network.predict(table, lengths=lengths)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-12)


def test_validation_rows_may_be_longer() -> None:
    X, own = sequences(), sequences(3, [20, 4])
    network = tagger(tw.GRU(3))
    history = network.fit(X, tags(X), epochs=1, validation=(own, tags(own)))
    assert network.shapes.outputs[0] == (20, FEATURES)
    scores = network.evaluate(own, tags(own))
    np.testing.assert_allclose(history.validation_loss[-1], scores["loss"], rtol=1e-6)


def test_a_warm_start_may_meet_longer_rows() -> None:
    X, longer = sequences(), sequences(3, [20, 4])
    network = tagger(tw.GRU(3))
    network.fit(X, tags(X), epochs=1, validation=None)
    before = dict(network.parameters)
    network.fit(longer, tags(longer), epochs=1, validation=None, warm_start=True)
    assert any((before[n] != a).any() for n, a in network.parameters.items())
    assert [len(p) for p in network.predict([*X, *longer])] == [*LENGTHS, 20, 4]


def test_class_numbers_are_sequences_too() -> None:
    rng = np.random.default_rng(0)
    X = [rng.integers(0, 7, n) for n in LENGTHS]
    network = tw.Network(
        [tw.Embedding(7, 3), tw.GRU(3), tw.Last(), tw.Dense(2, "softmax")]
    )
    network.fit(X, [int(x[0] > 3) for x in X], epochs=1, validation=0.2)
    assert network.predict(X).shape == (len(X), 2)


def test_a_file_and_a_run_that_goes_on(tmp_path: Any) -> None:
    X = sequences()
    network = tagger(tw.Bidirectional(tw.GRU(3)))

    def stop(record: Any) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"batch_size": 4, "validation": None, "early_stopping": None}
    network.fit(X, tags(X), epochs=4, **how)
    stopped = tagger(tw.Bidirectional(tw.GRU(3)))
    checkpoint = tw.Checkpoint(tmp_path / "run")
    stopped.fit(X, tags(X), epochs=4, **how, checkpoint=checkpoint, callback=stop)
    resumed: Any = tw.resume(tmp_path / "run", X, tags(X))
    for name, array in network.parameters.items():
        np.testing.assert_array_equal(array, resumed.parameters[name], err_msg=name)
    network.save(tmp_path / "tagger.thalweg")
    loaded: Any = tw.load(tmp_path / "tagger.thalweg")
    for one, other in zip(loaded.predict(X), network.predict(X), strict=True):
        np.testing.assert_array_equal(one, other)


# Layers of one's own ------------------------------------------------------------------


@dataclass(frozen=True)
class Middle(tw.Layer):
    """What most would write: it takes padding for data."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.mean(x, axis=1)


@dataclass(frozen=True)
class Total(tw.Layer):
    """A number for each time, which a dense layer behind it would take for features."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.sum(x, axis=-1)


@dataclass(frozen=True)
class Twice(tw.Layer):
    """Each time by itself."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.tanh(2 * x)


@dataclass(frozen=True)
class Noisy(tw.Layer):
    """Each time by itself, but in training otherwise, which isn't looked into."""

    def forward(self, x: Any, p: Any) -> Any:
        return x

    def training_forward(self, x: Any, p: Any, random: Any) -> Any:
        return x + random.uniform(x.shape), {}


@dataclass(frozen=True)
class Sum(tw.Layer):
    """Knows lengths."""

    knows_lengths = True

    def forward(self, x: Any, p: Any) -> Any:
        lengths = lengths_of(p)
        return tw.sum(
            x if lengths is None else tw.where(is_there(x, lengths), x, 0.0), axis=1
        )


def test_a_layer_of_ones_own_from_a_file(tmp_path: Any) -> None:
    X, path = sequences(), tmp_path / "own.thalweg"
    network = tw.Network([Twice(), tw.GRU(3), tw.Last(), tw.Dense(2, "softmax")])
    network.fit(X, classes(X), epochs=1, validation=None)
    network.save(path)
    loaded: Any = tw.load(path)
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))
    noisy = tw.Network([Noisy(), tw.GRU(3)]).initialize((12, FEATURES))
    noisy.save(path)
    for each in (noisy, tw.load(path)):
        with pytest.raises(tw.ShapeError, match="lengths differ"):
            each.predict(X)


@pytest.mark.parametrize(
    "layers",
    [
        [tw.Flatten()],
        [Total()],
        [
            tw.Dense(2),
            tw.Parallel([[tw.Dense(2)], [tw.Flatten(), tw.Reshape((12, 2))]]),
        ],
        [tw.Conv(2, 3, 2, padding="same"), tw.GlobalMean()],
        [tw.Conv(2, 3, padding="reflect"), tw.GlobalMean()],
        [tw.MaxPool(2, padding="same"), tw.GlobalMean()],
        [tw.Parallel([[tw.Conv(2, 2)], [tw.Conv(2, 3, 1), tw.Positions()]])],
    ],
)
def test_layers_that_cant(layers: list[Any]) -> None:
    X = sequences()
    with pytest.raises(tw.ShapeError):
        tw.Network([*layers, tw.Dense(2, "softmax")]).fit(X, classes(X))


def test_a_layer_that_would_take_padding_for_data_is_refused() -> None:
    X = sequences()
    network = tw.Network([Twice(), Middle(), tw.Dense(2, "softmax")])
    with pytest.raises(tw.ShapeError, match=r"layer 2, Middle.* lengths differ"):
        network.fit(X, classes(X))
    inside = tw.Network([tw.Residual([tw.Dense(3), tw.Reshape((3, 3))]), tw.Flatten()])
    with pytest.raises(tw.ShapeError):
        inside.fit(X, classes(X))


def test_a_layer_of_ones_own_may_know_lengths() -> None:
    X = sequences()
    network = tw.Network([Twice(), Sum()]).initialize((12, FEATURES), dtype="float64")
    wanted = [np.tanh(2 * x.astype(np.float64)).sum(0) for x in X]
    np.testing.assert_allclose(network.predict(X), wanted, rtol=1e-12)


# Errors -------------------------------------------------------------------------------


def one_of(X: Any, y: Any, **how: Any) -> None:
    network = tw.Network([tw.GRU(2), tw.Last(), tw.Dense(2, "softmax")])
    network.fit(X, y, epochs=1, **how)


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([1, 2], r"shape \(3,\), one for each row of X, got \(2,\)"),
        ([1, 2, 9], "from 1 to the 4 times of X, got 9 at row 2"),
        ([0, 1, 1], "from 1 to the 4 times of X, got 0 at row 0"),
        ([1.5, 1, 1], "whole numbers"),
    ],
)
def test_lengths_that_cant_be(lengths: Any, said: str) -> None:
    with pytest.raises(tw.ThalwegError, match=said):
        one_of(np.zeros((3, 4, 2)), [0, 1, 0], lengths=lengths)


def test_rows_that_dont_go_together() -> None:
    X = sequences()
    with pytest.raises(tw.ShapeError, match=r"X\[1\] must have shape \(times, 3\)"):
        one_of([X[0], X[1][:, :2]], [0, 1])
    with pytest.raises(tw.ShapeError, match=r"X\[1\].*one time or more"):
        one_of([X[0], X[1][:0]], [0, 1])
    with pytest.raises(tw.ArgumentError, match="lengths must be left out"):
        one_of(X, classes(X), lengths=LENGTHS)
    with pytest.raises(tw.ArgumentError, match="must be finite"):
        one_of([*X, np.full((2, FEATURES), np.nan)], [*classes(X), 0])
    shorter = [t[:-1] if k == 4 else t for k, t in enumerate(tags(X))]
    with pytest.raises(tw.ShapeError, match=r"y\[4\] must have 7 times.* got 6"):
        tagger(tw.GRU(2)).fit(X, shorter)
    with pytest.raises(tw.ShapeError, match="one value for each position"):
        tagger(tw.GRU(2)).fit(
            X, tags(X), loss=lambda p, t: tw.mean((p - t) ** 2, axis=(1, 2))
        )


def test_what_was_learned_for_so_many_times_says_so() -> None:
    X = sequences()
    network = tagger(tw.Positions(), tw.Attention(1))
    network.fit(X, tags(X), epochs=1, validation=None)
    with pytest.raises(tw.ShapeError, match=r"12 times at most.*1\.table.* got 24"):
        network.predict(sequences(0, [14]))
