"""Learning curves read in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from thalweg.model.history import DIVERGED, History, Rise
from thalweg.words import counted

Verdict = Literal[
    "fits",
    "underfit",
    "worse than a constant guess",
    "overfit",
    "still improving",
    "diverging",
    "too few epochs",
]
RISE = 0.02  # a validation loss this much above its best has risen
GAIN = 0.1  # a loss less than this share below the constant guess's was hardly learned
FEWEST = 3  # epochs that say something
LATE = 0.95  # a best epoch after this share of all epochs is at the very end


@dataclass(frozen=True)
class CurveReading:
    """What the curves show, in a word and in a sentence.

    Arguments:
        verdict: one of `Verdict`.
        text: a sentence with the epochs and losses that say so.
    """

    verdict: Verdict
    text: str


def read_curves(history: History) -> CurveReading:
    """Read a history's curves.

    A network that loses hardly less than the best constant guess has underfitted. One
    overfits where its validation loss rose by more than chance explains, by twice the
    standard error of the mean over rows of how much more each loses, and some rows are
    wrong.

    Arguments:
        history: with validation losses.

    Returns:
        The verdict and why.

    Example:
        >>> from thalweg.model.history import EpochRecord
        >>> losses = [(0.9, 0.8), (0.5, 0.4), (0.3, 0.7), (0.2, 0.8)]
        >>> epochs = [EpochRecord(i, t, v, {}, {}, 0.1, 0.1) for i, (t, v) in
        ...           enumerate(losses, 1)]
        >>> settings = {"validation_rows": 500}
        >>> read_curves(History(epochs, best_epoch=2, settings=settings)).verdict
        'overfit'

    Source: Goodfellow, Bengio and Courville, "Deep learning", section 5.2, 2016.
    """
    if history.stopped_because == DIVERGED:
        return CurveReading("diverging", diverging(history))
    if history.worse_than_constant:
        return CurveReading("worse than a constant guess", worse(history))
    if len(history.validation_loss) < FEWEST:
        return CurveReading(
            "too few epochs", "too few epochs with validation rows to say"
        )
    if is_hardly_better(history):
        return CurveReading("underfit", underfit(history))
    best, last = history.best_epoch, history.stopped_epoch
    if best > LATE * last and "improve" not in history.stopped_because:
        return CurveReading(
            "still improving",
            f"still improving when it stopped: epoch {best} of {last} was the best; "
            "more epochs may help",
        )
    low = history.validation_loss[best - 1]
    fits = f"fits: the validation loss got to {low:.4g} in epoch {best} and"
    if not has_risen(history):
        return CurveReading("fits", f"{fits} did not rise again by epoch {last}")
    rose = f"rose to {history.validation_loss[-1]:.4g}"
    if not may_overfit(history):
        return CurveReading(
            "fits", f"{fits} {rose} together with the training loss by epoch {last}"
        )
    if all_right(history):
        rows = history.settings.get("validation_rows", 0)
        return CurveReading(
            "fits",
            f"{fits} {rose} by epoch {last}, but all of its {counted(rows, 'row')} are "
            "right in both",
        )
    sure, evidence = weighed(history)
    if not sure:
        return CurveReading(
            "fits", f"{fits} {rose} by epoch {last}, which may be chance: {evidence}"
        )
    return CurveReading("overfit", overfit(history, evidence))


# Sentences ----------------------------------------------------------------------------


def diverging(history: History) -> str:
    """When it ended, and what is left."""
    kept = history.worse_than_constant
    return (
        f"diverging: the loss became NaN or infinite after epoch "
        f"{history.stopped_epoch}; try a smaller learning rate"
        f"{f'. The weights that were kept are {kept}' if kept else ''}"
    )


def worse(history: History) -> str:
    """What is lost against a guess that looks at nothing."""
    return (
        f"{history.worse_than_constant}; the inputs may say little about the target, "
        "or the learning rate is too large"
    )


def underfit(history: History) -> str:
    """How near to a guess the network stayed."""
    low, guessed = (
        history.validation_loss[history.best_epoch - 1],
        history.constant_loss,
    )
    assert guessed is not None
    how = "hardly below" if low < guessed else "no better than"
    return (
        f"underfit: the validation loss got to {low:.4g}, {how} the "
        f"{guessed:.4g} of a constant guess; the inputs may say little "
        "about the target, or the network is too small or learned too little"
    )


def overfit(history: History, evidence: str) -> str:
    """How the losses part."""
    training, validation = history.training_loss, history.validation_loss
    best = history.best_epoch
    return (
        f"overfits from epoch {best + 1}: the training loss went on falling, from "
        f"{training[best - 1]:.4g} to {training[-1]:.4g}, while the validation loss "
        f"rose from {validation[best - 1]:.4g} to {validation[-1]:.4g}, {evidence}; "
        f"the weights of epoch {history.kept_epoch} were kept"
    )


# Evidence -----------------------------------------------------------------------------


def is_hardly_better(history: History) -> bool:
    """Whether the lowest validation loss is near that of a constant guess."""
    low, guessed = (
        history.validation_loss[history.best_epoch - 1],
        history.constant_loss,
    )
    return guessed is not None and low > guessed - GAIN * abs(guessed)


def has_risen(history: History) -> bool:
    """Whether the last validation loss is clearly above the lowest."""
    low = history.validation_loss[history.best_epoch - 1]
    return history.validation_loss[-1] > low + RISE * abs(low)


def may_overfit(history: History) -> bool:
    """Whether the validation loss rose while the training loss went on falling."""
    if len(history.validation_loss) < FEWEST or not has_risen(history):
        return False
    training = history.training_loss
    return training[-1] < training[history.best_epoch - 1]


def all_right(history: History) -> bool:
    """Whether no validation row gets a wrong class, in the best epoch and the last."""
    accuracy = history.validation_metrics.get("accuracy")
    return (
        accuracy is not None and accuracy[history.best_epoch - 1] == accuracy[-1] == 1
    )


def weighed(history: History) -> tuple[bool, str]:
    """Whether the rise is more than chance, and by what.

    Where the rows' own losses weren't compared, they are taken to differ by as much as
    they lose on average, as waiting times do.
    """
    rise, rows = history.rise, history.settings.get("validation_rows", 0)
    how = "with a standard error of"
    if rise is None:
        low, end = (
            history.validation_loss[history.best_epoch - 1],
            history.validation_loss[-1],
        )
        error = abs(end) / math.sqrt(max(rows, 1))
        rise, how = Rise(end - low, error), "with a standard error of about"
    text = f"{rise.mean:.2g} on average over {counted(rows, 'row')}, {how}"
    return rise.is_sure, f"{text} {rise.standard_error:.2g}"
