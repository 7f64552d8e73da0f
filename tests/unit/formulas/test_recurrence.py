"""Cells over the times of a row: thalweg's own, and a user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.cells import (
    CELLS,
    FEATURES,
    ROWS,
    TIMES,
    WAYS,
    NormedLSTM,
    every_cell,
    every_way,
    fitted,
    network_of,
    series,
)
from thalweg.errors import ArgumentError, ModelFileError, ShapeError, TracingError
from thalweg.files.modelfile import read_model, write_model
from thalweg.formulas.chain import LayerValues
from thalweg.model.traced import TracedCell

RANDOM = np.random.default_rng(0)


@dataclass(frozen=True)
class Weighed(tw.Cell):
    """Two states of other shapes, one with no axis of its own, and a constant."""

    def states(self, input_shape: Any) -> Any:
        return {"mean": (2, input_shape[-1]), "count": ()}

    def step(self, x: Any, state: Any, p: Any) -> Any:
        mean, count = state
        count = count + 1
        share = tw.reshape(1 / count, (-1, 1, 1))
        shifted = tw.stack([x, x + np.arange(FEATURES)], axis=1)
        return mean + share * (shifted - mean), count


def drawn(layer: tw.Layer, shape: tuple[int, ...], seed: int = 1) -> dict[str, Any]:
    """Any values of a layer's parameters."""
    random = np.random.default_rng(seed)
    declared = layer.parameters(shape)
    return {name: random.normal(size=p.shape) for name, p in declared.items()}


# What they compute --------------------------------------------------------------------


def by_hand(cell: tw.Cell, x: Any, values: dict[str, Any], reverse: bool) -> Any:
    """Time after time, on arrays."""
    p = LayerValues("", values)
    shapes = cell.states(x.shape[1:])
    states: Any = tuple(np.zeros((len(x), *shape)) for shape in shapes.values())
    found = [np.zeros(0)] * x.shape[1]
    order = range(x.shape[1])
    for time in reversed(order) if reverse else order:
        new = cell.step(x[:, time], states if len(states) > 1 else states[0], p)
        states = new if len(states) > 1 else (new,)
        found[time] = states[0]
    return np.stack(found, axis=1)


@every_cell
def test_a_cell_goes_through_the_times(cell: str) -> None:
    """As a layer, in either direction, the last turn alone, and both side by side."""
    own, x = CELLS[cell], RANDOM.normal(size=(4, TIMES, FEATURES))
    values = drawn(own, x.shape[1:])
    p = LayerValues("", values)
    ahead, back = (by_hand(own, x, values, reverse) for reverse in (False, True))
    assert_allclose(own.forward(x, p), ahead, 1e-12)
    assert_allclose(tw.Recurrent(own).forward(x, p), ahead, 1e-12)
    assert_allclose(tw.Recurrent(own, True).forward(x, p), back, 1e-12)
    last = tw.Recurrent(own, sequences=False).forward(x, p)
    assert_allclose(last, ahead[:, -1], 1e-12)
    last = tw.Recurrent(own, True, sequences=False).forward(x, p)
    assert_allclose(last, back[:, 0], 1e-12)
    other = drawn(own, x.shape[1:], 2)
    back = by_hand(own, x, other, True)
    each = {"forward": values, "backward": other}
    both = LayerValues(
        "", {f"{way}.{n}": a for way, own in each.items() for n, a in own.items()}
    )
    side_by_side = np.concatenate([ahead, back], axis=-1)
    assert_allclose(tw.Bidirectional(own).forward(x, both), side_by_side, 1e-12)
    ends = tw.Bidirectional(tw.Recurrent(own, sequences=False)).forward(x, both)
    ends_by_hand = np.concatenate([ahead[:, -1], back[:, 0]], axis=-1)
    assert_allclose(ends, ends_by_hand, 1e-12)


def test_the_gates_of_an_lstm_are_the_papers() -> None:
    """Each gate by its own matrices, number by number."""
    units, x = 2, RANDOM.normal(size=(3, 4, FEATURES))
    values = drawn(tw.LSTM(units), x.shape[1:])
    w, u, b = (np.split(values[n], 4, -1) for n in ("weights", "recurrent", "bias"))

    def of(gate: int, x: Any, h: Any) -> Any:
        z = x @ w[gate] + h @ u[gate] + b[gate]
        return np.tanh(z) if gate == 2 else 1 / (1 + np.exp(-z))

    h = c = np.zeros((3, units))
    found = tw.LSTM(units).forward(x, LayerValues("", values))
    for time in range(4):
        i, f, g, o = (of(gate, x[:, time], h) for gate in range(4))
        c = f * c + i * g
        h = o * np.tanh(c)
        assert_allclose(found[:, time], h, 1e-12)


@pytest.mark.parametrize("engine", ["native", "interpreter"])
def test_states_may_have_any_shapes(engine: Any) -> None:
    X, y = series()
    network = network_of(Weighed())
    network.fit(X, y, epochs=1, validation=None, engine=engine, dtype="float64")
    found = network.predict(X)
    means = np.cumsum(X, axis=1) / np.arange(1, TIMES + 1)[:, None]
    shifted = np.stack([means, means + np.arange(FEATURES)], axis=2)
    dense = network.parameters
    z = shifted.reshape(ROWS, -1) @ dense["3.weights"] + dense["3.bias"]
    assert_allclose(found, np.exp(z) / np.exp(z).sum(1, keepdims=True), 1e-9)


def test_a_cell_may_look_at_images() -> None:
    """A state of pixels, with a convolution in the step."""

    @dataclass(frozen=True)
    class ConvRNN(tw.Cell):
        filters: int

        def states(self, input_shape: Any) -> Any:
            return {"h": (*input_shape[1:-1], self.filters)}

        def parameters(self, input_shape: Any) -> Any:
            conv = tw.Conv(self.filters, 3, padding="same")
            channels = input_shape[-1] + self.filters
            return conv.parameters((*input_shape[1:-1], channels))

        def step(self, x: Any, state: Any, p: Any) -> Any:
            seen = tw.concatenate([x, state], axis=-1)
            return tw.tanh(tw.Conv(self.filters, 3, padding="same").forward(seen, p))

    X, y = RANDOM.normal(size=(20, 3, 5, 4, 2)), np.arange(20) % 2
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = network_of(tw.Recurrent(ConvRNN(3), sequences=False), tw.Flatten())
        network.fit(X, y, epochs=2, validation=None, engine=engine, dtype="float64")
        found.append([*network.parameters.values(), network.predict(X)])
    for one, another in zip(*found, strict=True):
        assert_allclose(one, another, 1e-9, 1e-11)


def test_the_last_time() -> None:
    x = RANDOM.normal(size=(2, 3, 4, 5))
    assert_array_equal(tw.Last().forward(x, LayerValues("", {})), x[:, -1])


# How they learn -----------------------------------------------------------------------


@every_way
@every_cell
def test_gradients_are_differences(cell: str, way: str) -> None:
    layer, x = WAYS[way](CELLS[cell]), RANDOM.normal(size=(3, TIMES, FEATURES))
    values = drawn(layer, x.shape[1:])
    names = list(values)

    def loss(*at: Any) -> Any:
        p = LayerValues("", dict(zip(names, at[1:], strict=True)))
        return tw.sum(tw.square(layer.forward(at[0], p)))

    at = [x, *values.values()]
    for number, array in enumerate(at):
        slope = tw.gradient(loss, argument=number)(*at)
        direction = RANDOM.normal(size=array.shape)
        ahead, back = (
            loss(*at[:number], array + sign * 1e-5 * direction, *at[number + 1 :])
            for sign in (1, -1)
        )
        difference = (ahead - back) / 2e-5
        assert_allclose(np.sum(slope * direction), difference, 1e-6, 1e-8)


@given(st.sampled_from([*CELLS]), st.sampled_from([*WAYS]), st.integers(1, 9))
@settings(deadline=None, max_examples=20)
def test_the_engine_learns_as_the_interpreter(cell: str, way: str, times: int) -> None:
    X, y = RANDOM.normal(size=(11, times, FEATURES)), np.arange(11) % 2
    layer = WAYS[way](CELLS[cell])
    found: list[Any] = []
    for engine in ("native", "interpreter"):
        network = network_of(layer)
        network.fit(
            *(X, y),
            epochs=3,
            batch_size=4,
            validation=None,
            dtype="float64",
            engine=engine,
        )
        found.append([*network.parameters.values(), network.predict(X)])
    for one, another in zip(*found, strict=True):
        assert_allclose(one, another, 1e-9, 1e-11)


@every_way
@every_cell
def test_the_same_bits_on_any_number_of_threads(cell: str, way: str) -> None:
    layer, (X, _) = WAYS[way](CELLS[cell]), series()
    each = [fitted(layer, threads=threads) for threads in (1, 2, 3, 8)]
    bits = {
        b"".join(array.tobytes() for array in [*n.parameters.values(), n.predict(X)])
        for n in each
    }
    assert len(bits) == 1


@every_cell
def test_a_run_goes_on_to_the_same_bits(cell: str, tmp_path: Path) -> None:
    layer, (X, y) = tw.Bidirectional(CELLS[cell]), series()

    def stop(record: tw.EpochRecord) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    how: dict[str, Any] = {"epochs": 5, "batch_size": 10}
    checkpoint = tw.Checkpoint(tmp_path / "run")
    network_of(layer).fit(X, y, checkpoint=checkpoint, callback=stop, **how)
    resumed = tw.resume(tmp_path / "run", X, y)
    assert isinstance(resumed, tw.Network)
    whole = network_of(layer)
    whole.fit(X, y, **how)
    for name, array in whole.parameters.items():
        assert resumed.parameters[name].tobytes() == array.tobytes(), name


def test_it_remembers_what_was_first() -> None:
    """A bit shown at the first of 30 times, and then noise."""
    random = np.random.default_rng(5)
    X = 0.1 * random.normal(size=(400, 30, 2))
    y = random.integers(0, 2, 400)
    X[:, 0, 0] = 2 * y - 1
    for cell in (tw.LSTM(8), tw.GRU(8)):
        network = network_of(cell, tw.Last())
        network.fit(X[:300], y[:300], optimizer=tw.Adam(0.02), epochs=60)
        assert network.evaluate(X[300:], y[300:])["accuracy"] == 1


# First values -------------------------------------------------------------------------


def test_first_values() -> None:
    start = tw.Network([tw.LSTM(5)]).initialize((4, 3), dtype="float64").parameters
    for gate in np.split(start["1.recurrent"], 4, axis=1):
        assert_allclose(gate @ gate.T, np.eye(5), atol=1e-12)
    gates = np.split(start["1.weights"], 4, axis=1)
    assert np.abs(gates).max() < np.sqrt(6 / 8)
    assert np.abs(gates).max() > np.sqrt(6 / 23)  # as if all gates were one
    assert_array_equal(start["1.bias"].reshape(4, 5)[:, 0], [0, 1, 0, 0])
    assert len({gate.tobytes() for gate in gates}) == 4
    relu = tw.RNN(5, "relu").parameters((4, 3))
    assert relu["weights"].initializer is tw.initializers.he_uniform
    for cell in (tw.RNN(5), tw.LSTM(5), tw.GRU(5)):
        counted = {n for n, p in cell.parameters((4, 3)).items() if p.penalized}
        assert counted == {"weights", "recurrent"}


# Files, explanations ----------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_own_cells_go_on_learning_from_a_file(tmp_path: Path, dtype: Any) -> None:
    """Inside others too; each keeps its constants."""
    X, y = series()
    inner = tw.Parallel([tw.Bidirectional(NormedLSTM(2)), Blending(4)])
    network = tw.Network([NormedLSTM(4), tw.Residual(inner, tw.Dense(8)), tw.Last()])
    network = tw.Network([*network.layers, tw.Dense(2, "softmax")])
    how: dict[str, Any] = {"epochs": 2, "validation": None, "dtype": dtype}
    network.fit(X, y, **how)
    network.save(tmp_path / "network.thalweg")
    loaded = tw.load(tmp_path / "network.thalweg")
    assert isinstance(loaded, tw.Network)
    assert isinstance(loaded.layers[0], TracedCell)
    assert_array_equal(loaded.predict(X), network.predict(X))
    same = tw.Network(network.layers).initialize(X.shape[1:], dtype=dtype)
    same.set_parameters(network.parameters)
    for each in (loaded, same):
        each.fit(X, y, warm_start=True, **how)
    assert_allclose(loaded.predict(X), same.predict(X), 1e-4)


@dataclass(frozen=True)
class Blending(tw.Cell):
    """A cell with a constant array of its own."""

    units: int

    def step(self, x: Any, state: Any, p: Any) -> Any:
        return tw.tanh(state / 2 + x @ np.arange(16.0).reshape(4, 4) / 16)


def test_explain_names_the_states() -> None:
    text = str(fitted(NormedLSTM(4)).explain())
    assert "h, c = new_h, new_c" in text
    assert "h = tanh(x[:, t] @ weights + bias + h @ recurrent)" in str(
        fitted(tw.RNN(4)).explain()
    )


def test_what_is_shown() -> None:
    both = tw.Bidirectional(tw.Recurrent(tw.LSTM(4), sequences=False))
    network = tw.Network([both, tw.Dense(1)]).initialize((5, 3))
    assert "Bidirectional(Recurrent(LSTM(4), sequences=False))" in repr(network)
    assert "(rows, 8)" in network.summary()


# What is refused ----------------------------------------------------------------------


@dataclass(frozen=True)
class Odd(tw.Cell):
    """A cell that gives what it shouldn't."""

    what: Any = None
    named: Any = None

    def states(self, input_shape: Any) -> Any:
        return super().states(input_shape) if self.named is None else self.named

    def step(self, x: Any, state: Any, p: Any) -> Any:
        return self.what(x, state)


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: tw.LSTM(0), ArgumentError, "units must be"),
    (lambda: tw.RNN(3, "thanh"), ArgumentError, "did you mean"),
    (lambda: tw.Recurrent(tw.Dense(3)), ArgumentError, "cell must be a cell"),  # pyright: ignore[reportArgumentType]
    (lambda: tw.Bidirectional(tw.Last()), ArgumentError, "layer must be a cell"),  # pyright: ignore[reportArgumentType]
    (
        lambda: tw.Bidirectional(tw.Recurrent(tw.GRU(2), reverse=True)),
        ArgumentError,
        "without reverse",
    ),
    (lambda: built(tw.LSTM(2), (3,)), ShapeError, r"LSTM must be .* got \(rows, 3\)"),
    (lambda: built(tw.Last(), (3,)), ShapeError, r"Last must be given x of shape"),
    (lambda: built(Odd(), (3, 2)), ArgumentError, "units of Odd must be how many"),
    (lambda: built(Odd(named={}), (3, 2)), ArgumentError, "what Odd.states gives"),
    (lambda: built(Odd(named={"x": (2,)}), (3, 2)), ArgumentError, "Odd.states"),
    (lambda: built(Odd(named={"h": 2}), (3, 2)), ArgumentError, "Odd.states"),
    (
        lambda: built(Odd(lambda x, h: (h, h), {"h": (2,)}), (3, 2)),
        ShapeError,
        "must give one state",
    ),
    (
        lambda: built(Odd(lambda x, s: s[0], {"h": (2,), "c": (2,)}), (3, 2)),
        ShapeError,
        "must give a tuple of 2 states",
    ),
    (
        lambda: built(Odd(lambda x, h: h[:, :1], {"h": (2,)}), (3, 2)),
        ShapeError,
        r"layer 1, Odd",
    ),
]


def built(layer: tw.Layer, shape: Any) -> tw.Network:
    return tw.Network([layer]).initialize(shape)


@pytest.mark.parametrize(("make", "error", "said"), REFUSED)
def test_what_is_no_cell_is_refused(make: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        make()


@pytest.mark.parametrize(
    "layer", [tw.LSTM(256), tw.Bidirectional(tw.LSTM(128)), NormedLSTM(256)]
)
def test_a_file_holds_cells_of_bounded_size(layer: tw.Layer, tmp_path: Path) -> None:
    """Of a row all times are there together: states, and what is ready before them."""

    def made(times: int) -> tw.Network:
        return tw.Network([layer, tw.Last()]).initialize((times, 1))

    path = tmp_path / "network.thalweg"
    made(2**13).save(path)
    assert isinstance(tw.load(path), tw.Network)
    with pytest.raises(ModelFileError, match="all layers together may give"):
        made(2**14).save(tmp_path / "long.thalweg")
    tensors, document = read_model(path)
    document["network"]["input_shape"] = [2**14, 1]
    write_model(path, tensors, document)
    with pytest.raises(ModelFileError, match="all layers together may give"):
        tw.load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"states": {}},
        {"states": {"h": [3]}},
        {"states": {"h": [4], "c": [4, 1]}},
        {"states": {"h": 4, "c": [4]}},
        {"states": {"c": [4], "d": [4]}},
        {"states": {"h": [-4], "c": [4]}},
        {"place": 7},
        {"prediction": None},
        {"type": "traced"},
        {"type": "Recurrent"},
        {"type": "LSTM"},
    ],
)
def test_a_damaged_cell_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    built(tw.Recurrent(NormedLSTM(4)), (5, 3)).save(tmp_path / "network.thalweg")
    tensors, document = read_model(tmp_path / "network.thalweg")
    cell = document["network"]["layers"][0]["cell"]["object"]
    assert cell["type"] == "traced cell"
    cell.update(change)
    write_model(tmp_path / "odd.thalweg", tensors, document)
    with pytest.raises(ModelFileError):
        tw.load(tmp_path / "odd.thalweg")


def test_a_step_draws_no_random_numbers() -> None:
    """Noise inside would be the same at each time."""

    @dataclass(frozen=True)
    class Noisy(tw.Cell):
        units: int
        random: Any = None

        def training_forward(self, x: Any, p: Any, random: Any) -> Any:
            return Noisy(self.units, random).forward(x, p), {}

        def step(self, x: Any, state: Any, p: Any) -> Any:
            noise = 0.0 if self.random is None else self.random.uniform(state.shape)
            return tw.tanh(state + x[:, :1] + noise)

    with pytest.raises(TracingError, match="can't draw random numbers"):
        fitted(Noisy(2))
