from typing import Any

import pytest

from thalweg.model.history import EpochRecord, History, Rise
from thalweg.training.curves import read_curves
from thalweg.training.stopping import EarlyStopping


def history(
    training: list[float],
    validation: list[float],
    stopped_because: str = "all epochs were done",
    constant_loss: float | None = None,
    rise: Rise | None = None,
    accuracy: list[float] | None = None,
    validation_rows: int = 1_000,
    **settings: Any,
) -> History:
    """A history as `fit` would have left it."""
    epochs = [
        EpochRecord(
            *(number, t, v, {}, {"accuracy": accuracy[number - 1]} if accuracy else {}),
            *(0.1, 0.1),
        )
        for number, (t, v) in enumerate(zip(training, validation, strict=True), 1)
    ]
    settings |= {"validation_rows": validation_rows, "loss": "cross_entropy"}
    best = 1 + validation.index(min(validation)) if validation else 0
    return History(epochs, best, stopped_because, settings, constant_loss, rise)


FALLING = [1 / epoch for epoch in range(1, 31)]
VALLEY = [abs(epoch - 10) / 20 + 0.4 for epoch in range(1, 31)]
SETTLED = [max(0.3, 1 / epoch) + 0.001 * (epoch > 12) for epoch in range(1, 31)]
STOPPED = EarlyStopping(20).reason(VALLEY)


def test_a_validation_loss_that_rises_while_training_goes_on_falling() -> None:
    reading = read_curves(history(FALLING, VALLEY, STOPPED, early_stopping="yes"))
    assert reading.verdict == "overfit"
    assert "from epoch 11" in reading.text
    assert "rose from 0.4 to 1.4" in reading.text
    assert "weights of epoch 10 were kept" in reading.text


def test_without_early_stopping_the_last_weights_were_kept() -> None:
    reading = read_curves(history(FALLING, VALLEY, early_stopping=None))
    assert "weights of epoch 30 were kept" in reading.text


def test_both_losses_rising_is_no_overfitting() -> None:
    reading = read_curves(history(VALLEY, VALLEY, STOPPED))
    assert reading.verdict == "fits"
    assert "rose to 1.4 together with the training loss" in reading.text


def test_a_best_epoch_at_the_very_end_is_still_improving() -> None:
    reading = read_curves(history(FALLING, FALLING))
    assert reading.verdict == "still improving"
    assert "epoch 30 of 30" in reading.text


def test_a_loss_that_settled_fits() -> None:
    reading = read_curves(history(FALLING, SETTLED, EarlyStopping().reason(SETTLED)))
    assert reading.verdict == "fits"
    assert "got to 0.3 in epoch 4 and did not rise again by epoch 30" in reading.text


def test_a_loss_near_the_constant_guess_is_underfit_whatever_the_curves_do() -> None:
    for curve in (FALLING, VALLEY, SETTLED):
        low = min(curve)
        underfit = read_curves(history(FALLING, curve, constant_loss=low * 1.05))
        assert underfit.verdict == "underfit"
        assert f"{low * 1.05:.4g} of a constant guess" in underfit.text
        other = read_curves(history(FALLING, curve, constant_loss=low * 2))
        assert other.verdict != "underfit"


def test_a_loss_above_the_constant_guesss_is_said_before_all_else() -> None:
    reading = read_curves(history(FALLING, VALLEY, constant_loss=0.39))
    assert reading.verdict == "worse than a constant guess"
    words = "worse than always giving the classes' shares: 0.400 against 0.390; "
    assert reading.text.startswith(words)
    # Without early stopping the last weights count.
    last = read_curves(history(FALLING, VALLEY, constant_loss=1.0, early_stopping=None))
    assert "1.40 against 1.00" in last.text
    short = read_curves(history([3.0], [2.6], constant_loss=0.69))
    assert "2.60 against 0.690" in short.text


def test_a_rise_within_the_noise_of_its_rows_is_no_overfitting() -> None:
    few = read_curves(history(FALLING, VALLEY, STOPPED, rise=Rise(1.0, 0.6)))
    assert few.verdict == "fits"
    assert (
        "rose to 1.4 by epoch 30, which may be chance: 1 on average over 1,000 rows, "
        "with a standard error of 0.6" in few.text
    )
    many = read_curves(history(FALLING, VALLEY, STOPPED, rise=Rise(1.0, 0.4)))
    assert many.verdict == "overfit"
    assert "1 on average over 1,000 rows, with a standard error of 0.4" in many.text


@pytest.mark.parametrize(
    ("rows", "verdict"), [(0, "fits"), (4, "fits"), (9, "overfit"), (1_000, "overfit")]
)
def test_unknown_noise_is_taken_to_be_large(rows: int, verdict: str) -> None:
    reading = read_curves(history(FALLING, VALLEY, STOPPED, validation_rows=rows))
    assert reading.verdict == verdict
    assert "a standard error of about" in reading.text


def test_rows_that_are_all_right_do_not_overfit() -> None:
    right = [0.5] * 5 + [1.0] * 25
    sure = Rise(1.0, 0.1)
    reading = read_curves(history(FALLING, VALLEY, STOPPED, rise=sure, accuracy=right))
    assert reading.verdict == "fits"
    assert "all of its 1,000 rows are right in both" in reading.text
    for wrong in ([*right[:-1], 0.999], [0.999] * 30):
        some = history(FALLING, VALLEY, STOPPED, rise=sure, accuracy=wrong)
        assert read_curves(some).verdict == "overfit"


@pytest.mark.parametrize(
    ("low", "verdict"),
    [(-9.0, "worse than a constant guess"), (-10.5, "underfit"), (-20.0, "fits")],
)
def test_losses_below_zero_as_poissons_are_compared_rightly(
    low: float, verdict: str
) -> None:
    validation = [low + max(0.0, 3 - epoch) for epoch in range(30)]
    read = read_curves(history(FALLING, validation, constant_loss=-10.0))
    assert read.verdict == verdict


def test_a_run_that_diverged_says_so_first() -> None:
    reading = read_curves(history([1.0, 2.0], [1.0, 3.0], "diverged"))
    assert reading.verdict == "diverging"
    assert reading.text.endswith("after epoch 2; try a smaller learning rate")
    lost = read_curves(history([1.0, 2.0], [1.0, 3.0], "diverged", 0.7))
    words = "kept are worse than always giving the classes' shares: 1.00 against 0.700"
    assert lost.text.endswith(words)


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_few_epochs_say_nothing(epochs: int) -> None:
    reading = read_curves(history(FALLING[:epochs], FALLING[:epochs]))
    assert reading.verdict == "too few epochs"


def test_no_validation_rows_say_nothing() -> None:
    epochs = [EpochRecord(i, 0.5, None, {}, {}, 0.1, 0.1) for i in range(1, 9)]
    assert read_curves(History(epochs, 8, "done")).verdict == "too few epochs"
