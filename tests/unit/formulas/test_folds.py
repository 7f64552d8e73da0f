"""Rules over losses that come one at a time say what they say of the whole list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.formulas.running_losses import Losses, fold
from thalweg.formulas.schedules import ReduceOnPlateau
from thalweg.training.stopping import EarlyStopping

LOSSES = st.lists(st.floats(-5, 5), max_size=40)


def test_each_loss_is_taken_once() -> None:
    taken: list[float] = []

    def step(state: int, loss: float) -> int:
        taken.append(loss)
        return state + 1

    losses = Losses([3.0, 2.0])
    for loss in range(50):
        losses.append(loss)
        assert fold(step, losses, 0) == len(losses) == fold(step, losses, 0)
    assert taken == losses


@given(LOSSES, st.integers(1, 4), st.sampled_from([0.0, 0.1, 1.0]))
def test_losses_one_at_a_time_are_as_the_whole_list(
    losses: list[float], patience: int, min_delta: float
) -> None:
    rule = EarlyStopping(patience, min_delta)
    plateau = ReduceOnPlateau(1.0, patience=patience, min_delta=min_delta)
    sharper = ReduceOnPlateau(1.0, patience=patience + 1, min_delta=min_delta)
    growing = Losses()
    for loss in losses:
        growing.append(loss)
        before = list(growing)
        assert rule.last_improvement(growing) == rule.last_improvement(before)
        assert plateau.plateaus(growing) == plateau.plateaus(before)
        assert sharper.plateaus(growing) == sharper.plateaus(before)


@pytest.mark.parametrize("losses", [[], (), Losses()])
def test_no_losses_lead_nowhere(losses: list[float]) -> None:
    assert fold(min, losses, 7.0) == 7.0
