import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thalweg.errors import ArgumentError
from thalweg.training.stopping import EarlyStopping

LOSSES = st.lists(st.floats(-5, 5), min_size=1, max_size=40)
DELTAS = st.sampled_from([0.0, 0.1, 1.0])


def improvements(losses: list[float], min_delta: float) -> list[int]:
    """The epochs that improved, from the definition: each on the one before it."""
    found = [1]
    while True:
        bar = losses[found[-1] - 1] - min_delta
        later = [
            e for e in range(found[-1] + 1, len(losses) + 1) if losses[e - 1] < bar
        ]
        if not later:
            return found
        found.append(later[0])


@given(LOSSES, st.integers(1, 10), DELTAS)
def test_stops_when_the_last_improvement_is_patience_epochs_ago(
    losses: list[float], patience: int, min_delta: float
) -> None:
    rule = EarlyStopping(patience, min_delta)
    last = improvements(losses, min_delta)[-1]
    assert rule.last_improvement(losses) == last
    assert rule.should_stop(losses) == (len(losses) - last >= patience)


@given(LOSSES, st.integers(1, 10))
def test_without_min_delta_the_last_improvement_is_the_lowest_loss(
    losses: list[float], patience: int
) -> None:
    assert EarlyStopping(patience).last_improvement(losses) == 1 + losses.index(
        min(losses)
    )


@given(st.integers(1, 20))
def test_steady_losses_stop_after_patience_epochs_more(patience: int) -> None:
    rule = EarlyStopping(patience)
    stops = [e for e in range(1, 30) if rule.should_stop([0.5] * e)]
    assert stops[0] == patience + 1


def test_small_steps_down_add_up_to_an_improvement() -> None:
    rule = EarlyStopping(patience=3, min_delta=0.1)
    assert rule.last_improvement([1.0, 0.95, 0.92, 0.89]) == 4
    assert not rule.should_stop([1.0, 0.95, 0.92, 0.89])
    assert rule.should_stop([1.0, 0.95, 0.92, 0.91])


def test_no_losses_no_stop() -> None:
    assert not EarlyStopping(1).should_stop([])


def test_the_reason_names_the_epoch_and_what_counts() -> None:
    assert EarlyStopping(2).reason([0.5, 0.4, 0.6, 0.7]) == (
        "the validation loss did not improve for 2 epochs after epoch 2"
    )
    assert "by more than 0.2 for 2 epochs after epoch 1" in (
        EarlyStopping(2, 0.2).reason([0.5, 0.4, 0.6])
    )


@pytest.mark.parametrize("patience", [0, -1, 2.5, True, "ten", None, math.inf])
def test_patience_is_a_count(patience: int) -> None:
    with pytest.raises(ArgumentError, match="patience must be a whole number, 1 or"):
        EarlyStopping(patience)


@pytest.mark.parametrize("min_delta", [-0.1, math.nan, math.inf, "0", None])
def test_min_delta_is_0_or_more(min_delta: float) -> None:
    with pytest.raises(ArgumentError, match="min_delta must be a number, 0 or more"):
        EarlyStopping(min_delta=min_delta)
