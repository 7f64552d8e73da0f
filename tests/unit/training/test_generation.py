"""Classes that go on with a sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import thalweg as tw
from support.streams import TIMES, drawn
from thalweg.backends.numpy.interpret import interpret
from thalweg.model.sampling import DRAW, LEAST, among_largest, sampling_program
from thalweg.program.random import random_bits

CLASSES = 9
START = [3, 1, 4]


def writer(*layers: tw.Layer) -> tw.Network:
    """A network of sharp probabilities, so that its choices show what it has seen."""
    ends = tw.Embedding(CLASSES, 4), tw.Dense(CLASSES, "softmax")
    network = drawn([ends[0], *layers, ends[1]], (TIMES,))
    name = f"{len(network.layers)}.weights"
    for each, size in ((name, 6.0), ("1.table", 3.0)):
        shape = network.parameters[each].shape
        waves = size * np.sin(np.arange(1, 1 + np.prod(shape)) ** 2)
        network.set_parameters({each: waves.reshape(shape)})
    return network


WRITERS: dict[str, list[tw.Layer]] = {
    "gru": [tw.GRU(4)],
    "last": [tw.GRU(4), tw.Last()],
    "attention": [tw.Positions(), tw.Attention(2, causal=True)],
}
every_writer = pytest.mark.parametrize("name", WRITERS)


def last_of(network: tw.Network, known: list[int]) -> Any:
    """What the network gives for whole rows, at the last time of some classes."""
    seen = known[-TIMES:]
    if network.shapes.outputs[-1] == (CLASSES,):
        shorter = tw.Network(network.layers).initialize(len(seen))
        shorter.set_parameters(network.parameters)
        return shorter.predict([seen])[0]
    row = [*seen, *[0] * (TIMES - len(seen))]  # what comes later isn't seen
    return network.predict([row])[0, len(seen) - 1]


def by_hand(
    network: tw.Network, length: int, temperature: float, top_k: int | None, seed: int
) -> list[int]:
    """The same by whole rows, one longer than the other, and NumPy."""
    known = list(START)
    for _ in range(length):
        p = last_of(network, known).astype(np.float64)
        bits = random_bits(seed, len(known), DRAW, (CLASSES,))
        u = np.maximum((bits >> 8) * 2.0**-24, LEAST)
        with np.errstate(divide="ignore"):
            scores = np.log(p)
        if top_k is not None:
            scores[p < np.sort(p)[-top_k]] = -np.inf
        known.append(int(np.argmax(scores - temperature * np.log(-np.log(u)))))
    return known[len(START) :]


@every_writer
@pytest.mark.parametrize(
    ("temperature", "top_k", "seed"), [(1.0, None, 0), (0.5, 3, 7), (0.0, None, 1)]
)
def test_each_class_follows_from_those_before_it(
    name: str, temperature: float, top_k: int | None, seed: int
) -> None:
    network = writer(*WRITERS[name])
    length = TIMES + 4 if name == "attention" else TIMES - len(START)
    found = network.generate(
        START, length, temperature=temperature, top_k=top_k, seed=seed
    )
    assert found.tolist() == by_hand(network, length, temperature, top_k, seed)


@every_writer
def test_going_on_is_the_same_as_going_far(name: str) -> None:
    network = writer(*WRITERS[name])
    far = network.generate(START, 3 * TIMES, temperature=2.0, seed=5)
    for done in (1, TIMES - 3, TIMES + 2):
        start = [*START, *far[:done]]
        on = network.generate(start, 3 * TIMES - done, temperature=2.0, seed=5)
        assert_array_equal(on, far[done:])


def test_seeds_draw_apart_and_the_likeliest_needs_none() -> None:
    network = writer(tw.GRU(4))
    one, two = (network.generate(START, 40, temperature=3.0, seed=s) for s in (0, 1))
    assert (one != two).any()
    likeliest = [network.generate(START, 40, temperature=0, seed=s) for s in (0, 1)]
    assert_array_equal(likeliest[0], likeliest[1])
    only = network.generate(START, 40, top_k=1)
    assert_array_equal(only, likeliest[0])


def test_threads_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    network = writer(tw.GRU(4))
    found: list[Any] = []
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("THALWEG_THREADS", threads)
        found.append(network.generate(START, 20, temperature=2.0))
    assert all((each == found[0]).all() for each in found)


def test_a_loaded_network_draws_the_same(tmp_path: Path) -> None:
    network = writer(tw.GRU(4))
    network.save(tmp_path / "writer.thalweg")
    loaded: Any = tw.load(tmp_path / "writer.thalweg")
    assert_array_equal(loaded.generate(START, 20), network.generate(START, 20))


def test_nothing_more_is_nothing() -> None:
    assert writer(tw.GRU(4)).generate(START, 0).shape == (0,)


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        ({"start": []}, tw.ArgumentError, "start must be one class number or more"),
        ({"start": [[1]]}, tw.ShapeError, r"start must have shape \(times,\)"),
        ({"start": [9]}, tw.ArgumentError, "whole numbers from 0 to 8, got 9"),
        ({"start": [-1]}, tw.ArgumentError, "whole numbers from 0 to 8, got -1"),
        ({"start": [1.5]}, tw.ArgumentError, "from 0 to 8, got 1.5"),
        ({"start": "text"}, tw.DtypeError, "start must hold numbers"),
        ({"length": -1}, tw.ArgumentError, "length must be a whole number, 0"),
        ({"temperature": -1}, tw.ArgumentError, "temperature must be a number, 0"),
        ({"temperature": np.nan}, tw.ArgumentError, "temperature"),
        ({"top_k": 0}, tw.ArgumentError, "top_k must be a whole number, 1"),
        ({"seed": -1}, tw.ArgumentError, "seed"),
    ],
)
def test_arguments_are_checked(
    wrong: dict[str, Any], error: type[Exception], text: str
) -> None:
    given: dict[str, Any] = {"start": START, "length": 3, **wrong}
    with pytest.raises(error, match=text):
        writer(tw.GRU(4)).generate(**given)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([tw.GRU(4), tw.Dense(3, "softmax")], (TIMES, 4)),
        ([tw.Embedding(3, 4), tw.GRU(4), tw.Dense(3)], (TIMES,)),
        ([tw.Embedding(3, 4), tw.Dense(1, "sigmoid")], (TIMES,)),
    ],
)
def test_other_networks_are_no_writers(
    layers: list[tw.Layer], shape: tuple[int, ...]
) -> None:
    network = tw.Network(layers).initialize(shape)
    with pytest.raises(tw.ArgumentError, match="to generate classes, a network must"):
        network.generate([0], 3)


# Drawing ------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0]), min_size=8, max_size=9),
    st.integers(1, 8),
)
@settings(max_examples=40, deadline=None)
def test_the_smallest_of_the_largest(numbers: list[float], count: int) -> None:
    assert among_largest(np.array(numbers), count) == np.sort(numbers)[-count]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("top_k", [None, 2])
def test_classes_are_drawn_as_often_as_they_should(
    temperature: float, top_k: int | None
) -> None:
    p = np.array([[0.5, 0.0, 0.2, 0.3]])
    program = sampling_program(4, top_k, "float64")
    inputs = {"predictions": p, "temperature": temperature, "seed": 3}
    steps = 500
    drawn = [
        int(interpret(program, {**inputs, "step": t})["X"][0]) for t in range(steps)
    ]
    share = p[0] ** (1 / temperature)
    if top_k:
        share[share < np.sort(share)[-top_k]] = 0
    found = np.bincount(drawn, minlength=4) / steps
    assert_allclose(found, share / share.sum(), atol=4 / np.sqrt(steps) / 2)
