"""Every character of a text is guessed once, by what stands before it alone."""

from __future__ import annotations

import numpy as np
import pytest

import thalweg as tw
from thalweg.language.network import build
from thalweg.language.scores import bits_by_place, guesses_of, scores_of, text_scores
from thalweg.language.settings import TextSettings
from thalweg.program.types import NumpyArray
from thalweg.text import Characters
from thalweg.training.execution import Execution

LENGTH, CLASSES = 7, 6
LETTERS = Characters(tuple(range(97, 97 + CLASSES - 1)))


@pytest.fixture(params=["gru", "lstm", "rnn", "transformer"])
def network(request: pytest.FixtureRequest) -> tw.Network:
    settings = TextSettings(cell=request.param, layers=(8,), length=LENGTH, dropout=0.1)
    return build(LETTERS, settings).initialize((LENGTH,), seed=3)


def joined(network: tw.Network, numbers: NumpyArray) -> tuple[NumpyArray, NumpyArray]:
    found = list(guesses_of(network, numbers, Execution()))
    bits = np.concatenate([each.bits for each in found])
    return bits, np.concatenate([each.likeliest for each in found])


@pytest.mark.parametrize("count", [2, 5, 7, 8, 9, 13, 30])
def test_each_character_is_guessed_by_a_window_that_ends_before_it(
    network: tw.Network, count: int
) -> None:
    numbers = np.random.default_rng(count).integers(0, CLASSES, count).astype(np.uint8)
    bits, likeliest = joined(network, numbers)
    assert len(bits) == count - 1
    step = LENGTH // 2
    for at in range(1, count):
        # The window that says it first is the earliest that reaches so far.
        start = max(-(-(at - LENGTH) // step) * step, 0)
        window = np.zeros((1, LENGTH), np.uint8)
        seen = numbers[start:at]
        window[0, : len(seen)] = seen
        given = network.predict(window)[0, len(seen) - 1]
        assert bits[at - 1] == pytest.approx(-np.log2(given[numbers[at]]), rel=1e-4)
        assert len(seen) >= min(at, step)
        assert given[likeliest[at - 1]] == pytest.approx(given.max(), rel=1e-4)


def test_scores_are_means(network: tw.Network) -> None:
    numbers = np.random.default_rng(1).integers(0, CLASSES, 50).astype(np.uint8)
    bits, likeliest = joined(network, numbers)
    found = text_scores(network, numbers, "bytes", Execution())
    assert found == {
        "bits_per_byte": pytest.approx(bits.mean(), rel=1e-6),
        "perplexity": pytest.approx(2 ** bits.mean(), rel=1e-5),
        "accuracy": (likeliest == numbers[1:]).mean(),
    }


def test_places_are_those_of_windows(network: tw.Network) -> None:
    numbers = np.random.default_rng(1).integers(0, CLASSES, 3 * LENGTH + 4)
    numbers = numbers.astype(np.uint8)
    rows = [numbers[i : i + LENGTH + 1] for i in range(len(numbers) - LENGTH)]
    every = [joined(network, row)[0] for row in rows]
    found = bits_by_place(network, numbers, Execution())
    assert found == pytest.approx(np.mean(every, axis=0), rel=1e-4)


def test_a_network_without_a_clue_has_the_perplexity_of_its_classes() -> None:
    assert scores_of(np.full(9, 3.0), "characters")["perplexity"] == 8
