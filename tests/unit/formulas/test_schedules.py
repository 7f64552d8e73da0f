import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from thalweg.errors import ArgumentError
from thalweg.formulas.schedules import (
    Constant,
    CosineWithWarmup,
    ExponentialDecay,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    schedule,
)


def rates(chosen: Schedule, steps: int) -> list[float]:
    return [chosen.learning_rate(step, steps, []) for step in range(steps)]


def test_constant() -> None:
    assert rates(Constant(0.1), 5) == [0.1] * 5


def test_step_decay_is_a_stair() -> None:
    expected = [0.8] * 3 + [0.4] * 3 + [0.2] * 2
    assert_allclose(rates(StepDecay(0.8, every=3, factor=0.5), 8), expected)


def test_exponential_decay_falls_by_the_same_part() -> None:
    found = np.array(rates(ExponentialDecay(0.8, factor=0.5, every=10), 31))
    assert_allclose(found[10::10] / found[:-10:10], 0.5)
    assert_allclose(found[1:] / found[:-1], 0.5**0.1)


def test_warmup_is_a_line_and_the_rest_half_a_cosine() -> None:
    found = rates(CosineWithWarmup(peak=0.8, warmup=0.2, final=0.2), 50)
    assert_allclose(found[:10], 0.8 * np.arange(1, 11) / 10)
    progress = np.arange(40) / 40
    assert_allclose(found[10:], 0.2 + 0.3 * (1 + np.cos(np.pi * progress)))


def test_a_cosine_stays_at_its_end_beyond_the_last_step() -> None:
    assert CosineWithWarmup(peak=0.8, final=0.2).learning_rate(99, 50, []) == 0.2


def test_one_cycle_rises_once_and_falls_once() -> None:
    found = np.array(rates(OneCycle(peak=0.5, warmup=0.4), 100))
    assert found[0] == pytest.approx(0.5 / 25)
    assert found.argmax() == 39
    assert found.max() == 0.5
    assert found[-1] == pytest.approx(0.5 / 25 / 10000)
    assert (np.diff(found[:40]) > 0).all()
    assert (np.diff(found[39:]) < 0).all()


every_schedule = pytest.mark.parametrize(
    "chosen",
    [
        Constant(0.1),
        StepDecay(0.1, every=10),
        ExponentialDecay(0.1, factor=0.9),
        CosineWithWarmup(0.1),
        CosineWithWarmup(0.1, warmup=0.0),
        OneCycle(0.1),
        OneCycle(0.1, warmup=0.0),
        ReduceOnPlateau(0.1),
    ],
)


@every_schedule
@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_rates_stay_between_0_and_the_largest(chosen: Schedule, steps: int) -> None:
    found = rates(chosen, steps)
    assert all(0 <= rate <= 0.1 + 1e-15 for rate in found)
    assert max(found) > 0 or steps == 1


@every_schedule
def test_a_schedule_forgets_nothing_and_remembers_nothing(chosen: Schedule) -> None:
    forwards = rates(chosen, 20)
    backwards = [chosen.learning_rate(step, 20, []) for step in reversed(range(20))]
    assert forwards == backwards[::-1]


def test_plateau_waits_for_more_than_its_patience() -> None:
    plateau = ReduceOnPlateau(initial=1.0, factor=0.5, patience=2)
    losses = [3.0, 2.0, 2.0, 2.1]
    assert plateau.learning_rate(0, 1, losses) == 1.0
    assert plateau.learning_rate(0, 1, [*losses, 2.5]) == 0.5
    assert plateau.learning_rate(0, 1, [*losses, 2.5, 2.5, 2.5]) == 0.5
    assert plateau.learning_rate(0, 1, [*losses, 2.5, 2.5, 2.5, 2.5]) == 0.25
    assert plateau.learning_rate(0, 1, [*losses, 1.9, 2.5, 2.5]) == 1.0


def test_too_small_an_improvement_is_none() -> None:
    losses = [1.0, 0.95, 0.94]
    strict = ReduceOnPlateau(1.0, factor=0.5, patience=1, min_delta=0.1)
    lenient = ReduceOnPlateau(1.0, factor=0.5, patience=1)
    assert strict.learning_rate(0, 1, losses) == 0.5
    assert lenient.learning_rate(0, 1, losses) == 1.0


def test_nan_is_no_improvement() -> None:
    plateau = ReduceOnPlateau(1.0, factor=0.5, patience=0)
    assert plateau.learning_rate(0, 1, [1.0, float("nan")]) == 0.5
    assert plateau.learning_rate(0, 1, [1.0, float("nan"), 0.5]) == 0.5


@given(st.lists(st.floats(0, 10), max_size=40))
def test_a_plateaus_rate_never_rises_nor_falls_below_the_least(losses: Any) -> None:
    plateau = ReduceOnPlateau(1.0, factor=0.1, patience=1, least=0.01)
    found = [
        plateau.learning_rate(0, 1, losses[:epoch]) for epoch in range(len(losses) + 1)
    ]
    assert found[0] == 1.0
    assert all(after <= before for before, after in itertools.pairwise(found))
    assert min(found) >= 0.01


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Constant(0), "value must be a number greater than 0, got 0"),
        (lambda: schedule("fast"), "greater than 0, got 'fast'"),  # pyright: ignore
        (lambda: StepDecay(0.1, every=0), "every must be a whole number, 1 or more"),
        (lambda: ExponentialDecay(0.1, factor=1.1), r"factor must be in \(0, 1\]"),
        (lambda: CosineWithWarmup(0.1, warmup=1), r"warmup must be in \[0, 1\), got 1"),
        (
            lambda: CosineWithWarmup(0.1, final=0.2),
            "final must be at most 0.1, got 0.2",
        ),
        (lambda: OneCycle(0.1, start_divisor=0.5), "start_divisor must be 1 or more"),
        (lambda: ReduceOnPlateau(0.1, factor=0), r"factor must be in \(0, 1\]"),
        (lambda: OneCycle(0.1, final_divisor="big"), "final_divisor must be 1 or more"),  # pyright: ignore
        (lambda: ReduceOnPlateau(0.1, patience=-1), "patience must be a whole number"),
    ],
)
def test_arguments_that_cannot_be(build: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        build()


def test_a_number_becomes_a_constant_schedule() -> None:
    assert schedule(0.1) == Constant(0.1)
    assert schedule(OneCycle(0.1)) == OneCycle(0.1)
