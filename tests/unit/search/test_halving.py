"""Successive halving, the space and the budget, each a pure function."""

import math
import random
from itertools import islice

import numpy as np
import pytest

from support.spaces import space_for
from thalweg.errors import ArgumentError
from thalweg.search.budget import in_words, seconds_of
from thalweg.search.halving import Bracket, Outcome, brackets, outcome
from thalweg.search.space import (
    Choice,
    LogRange,
    batch_sizes,
    drawn,
    settings_at,
    units_of,
)
from thalweg.tabular.settings import Settings


def played(bracket: Bracket, losses: dict[int, float], shuffle: random.Random):
    """A whole bracket, its runs done in any order; the runs in that order."""
    known: dict[int, dict[int, Outcome]] = {}
    done = []
    while missing := bracket.missing(known):
        number, epochs = shuffle.choice(missing)
        done.append((number, epochs))
        known.setdefault(number, {})[epochs] = Outcome(losses[number], False)
    return done, known


# Successive halving -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_best_climb_whatever_ends_first(seed: int) -> None:
    bracket = Bracket(1, ((9, 3), (3, 9), (1, 27)))
    losses = {n: float(abs(n - 4.4)) for n in range(1, 10)}  # 4, then 5, then 3
    done, known = played(bracket, losses, random.Random(seed))
    assert sorted(n for n, e in done if e == 3) == list(range(1, 10))
    assert sorted(n for n, e in done if e == 9) == [3, 4, 5]
    assert [n for n, e in done if e == 27] == [4]
    assert len(done) == 13
    assert bracket.dropped(known) == set(range(1, 10))


def test_a_rung_begins_when_the_one_below_is_complete() -> None:
    bracket = Bracket(1, ((3, 1), (1, 3)))
    known = {1: {1: Outcome(0.5, False)}, 2: {1: Outcome(0.1, False)}}
    assert bracket.missing(known) == [(3, 1)]
    assert bracket.dropped(known) == set()
    known[3] = {1: Outcome(0.3, False)}
    assert bracket.missing(known) == [(2, 3)]
    assert bracket.dropped(known) == {1, 3}


def test_training_that_ended_by_itself_isnt_repeated() -> None:
    bracket = Bracket(1, ((3, 1), (1, 3)))
    known = {n: {1: Outcome(1.0 / n, n == 3)} for n in (1, 2, 3)}
    assert bracket.missing(known) == []
    assert outcome(known, 3, 3) == Outcome(1 / 3, True)
    assert outcome(known, 1, 3) is None


def test_settings_that_diverged_come_last_and_equal_ones_by_their_number() -> None:
    bracket = Bracket(1, ((4, 1), (2, 3)))
    losses = [math.inf, 0.5, 0.5, 0.5]
    known = {n: {1: Outcome(loss, False)} for n, loss in enumerate(losses, 1)}
    assert bracket.missing(known) == [(2, 3), (3, 3)]


def test_brackets_are_hyperbands() -> None:
    """Table 1 of Li and others (2018), for R = 81 and η = 3, without its last rung."""
    rungs = [b.rungs for b in islice(brackets(81), 4)]
    assert rungs[0] == ((27, 3), (9, 9), (3, 27), (1, 81))
    assert [r[0][1] for r in rungs] == [3, 9, 27, 81]
    assert all(r[-1][1] == 81 for r in rungs)
    assert [r[0][0] for r in rungs] == [27, 12, 6, 4]


@pytest.mark.parametrize("epochs", [1, 2, 3, 10, 200, 1000])
@pytest.mark.parametrize("most", [1, 5, 27, 100])
def test_brackets_number_all_settings_once(epochs: int, most: int) -> None:
    every = list(brackets(epochs, most))
    numbers = [n for bracket in every for n in bracket.numbers]
    assert numbers == list(range(1, most + 1))
    for bracket in every:
        counts = [count for count, _ in bracket.rungs]
        rungs = [each for _, each in bracket.rungs]
        assert counts == sorted(counts, reverse=True)
        assert rungs == sorted(set(rungs))
        assert rungs[-1] == epochs


# The space ----------------------------------------------------------------------------


def test_every_point_gives_settings_that_can_be_used() -> None:
    space = space_for(Settings(), 5000)
    chosen = [settings_at(Settings(), drawn(space, 0, n)) for n in range(300)]
    assert {len(each.layers) for each in chosen} == {1, 2, 3}
    assert {each.activation for each in chosen} == {"silu", "relu", "gelu", "tanh"}
    assert {each.batch_size for each in chosen} == {64, 128, 256, 512}
    rates = np.array([each.learning_rate for each in chosen])
    assert 0.0003 <= rates.min() < 0.0005
    assert 0.02 < rates.max() <= 0.03
    assert 0.4 < np.mean(rates < 0.003) < 0.6  # as much below the middle as above
    assert {each.dropout > 0 for each in chosen} == {True, False}
    assert {each.l2 > 0 for each in chosen} == {True, False}


def test_a_point_depends_on_seed_and_number_alone() -> None:
    space = space_for(Settings(), 5000)
    assert drawn(space, 3, 7) == drawn(space, 3, 7)
    assert drawn(space, 3, 7) != drawn(space, 3, 8)
    assert drawn(space, 3, 7) != drawn(space, 4, 7)


def test_what_is_given_isnt_chosen() -> None:
    fixed = {"layers", "learning_rate", "dropout"}
    base = Settings.by_name({"layers": (7,), "learning_rate": 0.5, "dropout": 0.05})
    space = space_for(base, 5000, fixed)
    for number in range(20):
        chosen = settings_at(base, drawn(space, 0, number))
        given = chosen.layers, chosen.learning_rate, chosen.dropout
        assert given == ((7,), 0.5, 0.05)
    everything = {*fixed, "activation", "batch_size", "l2"}
    with pytest.raises(ArgumentError, match="setting left to tune"):
        space_for(base, 5000, everything)


def test_plain_gradient_descent_gets_higher_rates() -> None:
    space = space_for(Settings(optimizer="sgd"), 5000)
    assert space["learning_rate"] == LogRange(0.003, 0.3)


def test_batches_arent_larger_than_the_table() -> None:
    assert batch_sizes(Settings(), 10_000) == Choice((64, 128, 256, 512))
    assert batch_sizes(Settings(), 70) == Choice((16, 32, 64))
    assert batch_sizes(Settings(), 9) == Choice((16,))
    assert batch_sizes(Settings(batch_size=7), 9) == Choice((16,))


def test_layers_narrow_but_not_to_nothing() -> None:
    assert units_of(64, 3, 1) == (64, 64, 64)
    assert units_of(64, 3, 2) == (64, 32, 16)
    assert min(units_of(4, 3, 2)) == 4


# The budget ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("0.5h", 1800), (" 2 M ", 120), (7, 7)],
)
def test_a_budget_is_a_number_and_its_unit(text, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "m", "5min", "-5m", "0s", "5m30s", "1e3s", "٣s", 0, -1, True, math.inf],
)
def test_any_other_budget_is_refused_with_examples(text) -> None:
    with pytest.raises(ArgumentError, match="such as 30s, 5m or 1h, got"):
        seconds_of(text)


def test_times_read_as_a_person_says_them() -> None:
    assert [in_words(s) for s in (0.4, 59.6, 61, 3600)] == [
        *("0 s", "1 min 0 s", "1 min 1 s"),
        "1 h 0 min",
    ]
