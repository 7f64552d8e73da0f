"""Batches of rows of similar length, each with room for as many times as it needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import thalweg as tw
from thalweg.training import rooms, steps
from thalweg.training.order import PORTION, grouped_order, shuffled_order

FEATURES = 3
LENGTHS = np.random.default_rng(5).integers(1, 27, 22)
HOW: dict[str, Any] = {"epochs": 2, "batch_size": 5, "validation": None, "seed": 3}


# The order ----------------------------------------------------------------------------

some_lengths = st.lists(st.integers(1, 50), min_size=1, max_size=200)


@given(some_lengths, st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_every_row_comes_once_an_epoch(
    lengths: list[int], size: int, seed: int, epoch: int
) -> None:
    given = np.array(lengths), min(size, len(lengths)), seed, epoch
    order = grouped_order(*given)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(lengths)))
    np.testing.assert_array_equal(order, grouped_order(*given))


@given(some_lengths, st.integers(1, 40), st.integers(0, 99))
def test_no_row_of_a_portion_lies_between_those_of_another_batch(
    lengths: list[int], size: int, seed: int
) -> None:
    every = np.array(lengths)
    full = len(every) // size
    if not 1 <= full <= PORTION:
        return
    batches = every[grouped_order(every, size, seed, 1)][: full * size]
    ends = sorted((b.min(), b.max()) for b in batches.reshape(full, size))
    assert all(one[1] <= next[0] for one, next in pairwise(ends))


def test_batches_of_many_rows_have_similar_lengths() -> None:
    lengths = np.random.default_rng(0).integers(1, 1001, 32 * 100 + 7)

    def spread(order: Any) -> float:
        batches = lengths[order][: 32 * 100].reshape(100, 32)
        return float(np.mean(batches.max(1) - batches.min(1)))

    shuffled = spread(shuffled_order(len(lengths), 0, 1))
    assert spread(grouped_order(lengths, 32, 0, 1)) < shuffled / 8


def test_orders_and_batches_are_random() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 60)
    orders = [grouped_order(lengths, 6, s, e) for s in (0, 1) for e in (1, 2)]
    assert len({order.tobytes() for order in orders}) == 4
    first = [lengths[grouped_order(lengths, 6, 0, e)[:6]].max() for e in range(1, 801)]
    tenths = np.searchsorted(np.sort(lengths)[5::6], first)
    assert abs(np.bincount(tenths, minlength=10) - 80).max() < 40
    last = [grouped_order(lengths, 7, 0, e)[56:] for e in range(1, 801)]
    assert abs(np.bincount(np.ravel(last), minlength=60) - 800 * 4 / 60).max() < 30


# The room -----------------------------------------------------------------------------


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_room_is_enough_and_not_half_too_much(times: int, more: int) -> None:
    most = times + more
    found = rooms.room(times, most)
    assert times <= found <= most
    assert found <= max(8, 1.5 * times) or found == most <= 8 / 7 * 1.5 * times
    assert rooms.room(found, most) == found


def sequences(dtype: Any = np.float32) -> list[Any]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, FEATURES)).astype(dtype) for n in LENGTHS]


def classes(X: list[Any]) -> Any:
    return np.array([int(x.sum() > 0) for x in X])


def tags(X: list[Any]) -> list[Any]:
    return [(x[:, 0] > 0).astype(int) for x in X]


def windows(X: list[Any]) -> list[Any]:
    return [(x[::2, :2] if len(x) % 2 else x[:-1:2, :2]) * 2 for x in X]


@dataclass(frozen=True)
class Leaky(tw.Cell):
    """A cell of one's own."""

    units: int

    def parameters(self, input_shape: Any) -> Any:
        shape = (input_shape[-1], self.units)
        return {"weights": tw.Parameter(shape, tw.initializers.glorot_uniform)}

    def step(self, x: Any, state: Any, p: Any) -> Any:
        return 0.9 * state + tw.tanh(x @ p.weights)


TWO = tw.Dense(2, "softmax")
STACKS: dict[str, tuple[Any, list[Any]]] = {
    "last state": (classes, [tw.Recurrent(tw.LSTM(5), sequences=False), TWO]),
    "both": (classes, [tw.Bidirectional(tw.GRU(4)), tw.GlobalMean(), TWO]),
    "attention": (
        classes,
        [
            *(tw.Dense(8), tw.Positions("sine")),
            *(tw.TransformerBlock(2, 16, dropout=0.0), tw.GlobalMax(), TWO),
        ],
    ),
    "normalized": (
        classes,
        [tw.Conv(4, 3, padding="same"), tw.BatchNorm(), tw.GlobalMean(), TWO],
    ),
    "tags": (tags, [tw.RNN(4), tw.Dense(4, "tanh"), TWO]),
    "windows": (windows, [tw.MaxPool(1, stride=2), tw.GRU(4), tw.Dense(2)]),
    "own cell": (classes, [Leaky(4), tw.Last(), TWO]),
}


def fitted(name: str, y: Any = None, **how: Any) -> tw.Network:
    targets, layers = STACKS[name]
    X = sequences(np.float64)
    network = tw.Network(layers)
    network.fit(X, targets(X) if y is None else y, **{**HOW, **how})
    return network


def assert_same(one: tw.Network, other: tw.Network, tolerance: float = 0) -> None:
    for key, value in one.parameters.items():
        np.testing.assert_allclose(
            value, other.parameters[key], rtol=tolerance, atol=tolerance, err_msg=key
        )
    for losses in ("training_loss", "validation_loss"):
        ours, theirs = getattr(one.history, losses), getattr(other.history, losses)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance)


@pytest.fixture
def forms(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The times and rows of all batches, as they were trained on."""
    found: list[tuple[int, int]] = []
    alike = steps.Steps.alike

    def noting(own: Any, epoch: Any) -> Any:
        done = epoch.done
        for times, rows, until in alike(own, epoch):
            found.extend([(times, rows)] * (until - done))
            done = until
            yield times, rows, until

    monkeypatch.setattr(steps.Steps, "alike", noting)
    return found


def without_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "room", lambda times, most: most)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("name", STACKS)
def test_what_is_learned_is_that_of_whole_rows(
    name: str, grouped: bool, monkeypatch: pytest.MonkeyPatch, forms: list[Any]
) -> None:
    how: dict[str, Any] = {"dtype": "float64", "group_by_length": grouped}
    found = fitted(name, **how)
    assert len({times for times, _ in forms}) > 1 + grouped
    without_rooms(monkeypatch)
    forms.clear()
    whole = fitted(name, **how)
    assert {times for times, _ in forms} == {max(LENGTHS)}
    assert_same(found, whole, 1e-9)


@pytest.mark.parametrize("name", ["both", "windows", "own cell"])
def test_the_engine_learns_what_the_interpreter_learns(name: str) -> None:
    how: dict[str, Any] = {"dtype": "float64", "group_by_length": True}
    assert_same(fitted(name, **how), fitted(name, **how, engine="interpreter"), 1e-9)


@pytest.mark.parametrize("name", ["tags", "attention"])
def test_threads_change_no_bit(name: str) -> None:
    one = fitted(name, group_by_length=True, threads=1)
    for threads in (2, 3):
        assert_same(one, fitted(name, group_by_length=True, threads=threads))


@pytest.mark.parametrize("grouped", [False, True])
def test_each_batch_has_the_room_of_its_longest_row(
    grouped: bool, forms: list[Any]
) -> None:
    fitted("tags", group_by_length=grouped)
    wanted: list[tuple[int, int]] = []
    for epoch in (1, 2):
        order = shuffled_order(len(LENGTHS), 3, epoch)
        if grouped:
            order = grouped_order(LENGTHS, 5, 3, epoch)
        for first in range(0, len(order), 5):
            batch = LENGTHS[order[first : first + 5]]
            needed = rooms.room(int(batch.max()), int(LENGTHS.max()))
            wanted.append((needed, len(batch)))
    assert forms == wanted


@pytest.mark.parametrize("kind", ["bytes", "class numbers"])
def test_bytes_and_class_numbers_have_room_too(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    rows: list[Any] = [rng.integers(0, 7, n) for n in LENGTHS]
    first: tw.Layer = tw.Embedding(7, 3)
    if kind == "bytes":
        rows = [rng.integers(0, 255, (n, 2)).astype(np.uint8) for n in LENGTHS]
        first = tw.Rescale(1 / 255)
    layers = [first, tw.GRU(3), tw.GlobalMean(), TWO]
    weights = rng.uniform(size=len(LENGTHS))
    how: dict[str, Any] = {**HOW, "sample_weight": weights, "dtype": "float64"}
    how["validation"] = 0.2
    found, whole = tw.Network(layers), tw.Network(layers)
    found.fit(rows, np.arange(len(LENGTHS)) % 2, **how)
    without_rooms(monkeypatch)
    whole.fit(rows, np.arange(len(LENGTHS)) % 2, **how)
    assert_same(found, whole, 1e-9)


@pytest.mark.parametrize("name", ["tags", "attention"])
def test_rows_are_scored_with_room_for_their_own_times(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets, _ = STACKS[name]
    X, network = sequences(np.float64), fitted(name, dtype="float64")
    y, weights = targets(X), np.arange(len(X)) / 7
    seen: dict[int, list[int]] = {}
    by_times = rooms.Rooms.by_times

    def noting(own: rooms.Rooms) -> Any:
        for each in by_times(own):
            lengths: Any = each.rows.lengths
            seen[each.rows.X.shape[1]] = sorted(lengths.tolist())
            yield each

    monkeypatch.setattr(rooms.Rooms, "by_times", noting)
    found = network.evaluate(X, y, weights)
    wanted: dict[int, list[int]] = {}
    for n in sorted(LENGTHS.tolist()):
        wanted.setdefault(rooms.room(n, int(LENGTHS.max())), []).append(n)
    assert seen == wanted
    without_rooms(monkeypatch)
    whole = network.evaluate(X, y, weights)
    assert seen[int(LENGTHS.max())] == sorted(LENGTHS.tolist())
    assert found == pytest.approx(whole, rel=1e-12)


# Layers for all times only ------------------------------------------------------------


@dataclass(frozen=True)
class Twice(tw.Layer):
    """A layer of one's own."""

    def forward(self, x: Any, p: Any) -> Any:
        return tw.tanh(2 * x)


def distance(predictions: Any, targets: Any) -> Any:
    """A loss of one's own."""
    return tw.sum((predictions - targets) ** 2, axis=-1)


@pytest.mark.parametrize(
    "layers",
    [
        [tw.Positions(), tw.GlobalMean(), TWO],
        [Twice(), tw.GlobalMean(), TWO],
        [tw.Dense(3, partial(tw.leaky_relu, slope=0.1)), tw.Last(), TWO],
        [tw.Residual([tw.Dense(FEATURES, lambda z: z * z)]), tw.Last(), TWO],
    ],
    ids=["learned positions", "own layer", "own activation", "inside another"],
)
def test_layers_that_go_with_all_times_only_get_them(
    layers: list[Any], forms: list[Any]
) -> None:
    X = sequences()
    tw.Network(layers).fit(X, classes(X), **HOW, group_by_length=True)
    assert {times for times, _ in forms} == {max(LENGTHS)}


def test_a_run_with_formulas_of_ones_own_goes_on_as_if_it_never_stopped(
    tmp_path: Any,
) -> None:
    X = sequences()
    y = [x[:, :1] * 3 for x in X]
    layers = [Twice(), tw.Recurrent(Leaky(4)), tw.Dense(1)]
    how: dict[str, Any] = {**HOW, "loss": distance, "group_by_length": True}
    whole = tw.Network(layers)
    whole.fit(X, y, **how)
    tw.Network(layers).fit(
        X, y, **how, checkpoint=tw.Checkpoint(tmp_path), callback=stop_after_one
    )
    assert_same(whole, tw.resume(tmp_path, X, y))  # pyright: ignore[reportArgumentType]


# A run --------------------------------------------------------------------------------


def stop_after_one(record: Any) -> None:
    if record.epoch == 1:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("engine", "stop"),
    [("native", 1), ("native", 4), ("native", 7), ("interpreter", 7)],
)
def test_a_run_stopped_in_any_step_goes_on_as_if_it_never_was(
    stop: int, engine: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = sequences()
    how: dict[str, Any] = {**HOW, "group_by_length": True, "engine": engine}
    whole = fitted("tags", **how)
    kind = {"native": steps.NativeSteps, "interpreter": steps.InterpretedSteps}[engine]
    train, taken = kind.train, 0

    def stopped(own: Any, *arguments: Any) -> Any:
        nonlocal taken
        before = arguments[0].done
        for done in train(own, *arguments):
            taken, before = taken + done - before, done
            yield done
            if taken >= stop:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kind, "train", stopped)
        fitted("tags", **how, checkpoint=tw.Checkpoint(tmp_path))
    assert stop <= taken < 10
    resumed: Any = tw.resume(tmp_path, sequences(np.float64), tags(X), threads=2)
    assert_same(whole, resumed)
    assert resumed.history.settings["group_by_length"] is True


def test_rows_that_all_have_the_same_times_are_shuffled() -> None:
    X = np.random.default_rng(0).normal(size=(20, 4, FEATURES))
    y = np.arange(20) % 2
    how: dict[str, Any] = {**HOW, "epochs": 1}
    layers = [tw.GRU(3), tw.Last(), TWO]
    grouped, plain = tw.Network(layers), tw.Network(layers)
    grouped.fit(X, y, **how, group_by_length=True)
    plain.fit(X, y, **how)
    assert_same(grouped, plain)


def test_what_cannot_be_asked_for_is_refused() -> None:
    X = sequences()
    network = tw.Network([tw.GRU(3), tw.Last(), TWO])
    with pytest.raises(tw.ArgumentError, match="group_by_length must be False where"):
        network.fit(X, classes(X), shuffle=False, group_by_length=True)
    with pytest.raises(tw.ArgumentError, match="must be True or False, got 'yes'"):
        network.fit(X, classes(X), group_by_length="yes")  # pyright: ignore[reportArgumentType]
