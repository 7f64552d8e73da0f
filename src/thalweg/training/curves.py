"""Learning curves read in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thalweg.model.history import DIVERGED, History

Verdict = Literal[
    "fits", "underfit", "overfit", "still improving", "diverging", "too few epochs"
]
RISE = 0.02  # a validation loss this much above its best has risen
GAIN = 0.1  # a loss less than this share below the constant guess's was hardly learned
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


def read_curves(history: History, constant_loss: float | None = None) -> CurveReading:
    """Read a history's curves.

    Arguments:
        history: with validation losses.
        constant_loss: the validation loss of the best constant guess, if known: a
            network that is hardly better has underfitted.

    Returns:
        The verdict and why.

    Example:
        >>> from thalweg.model.history import EpochRecord
        >>> losses = [(0.9, 0.8), (0.5, 0.6), (0.3, 0.7), (0.2, 0.8)]
        >>> epochs = [EpochRecord(i, t, v, {}, {}, 0.1, 0.1) for i, (t, v) in
        ...           enumerate(losses, 1)]
        >>> read_curves(History(epochs, best_epoch=2)).verdict
        'overfit'

    Source: Goodfellow, Bengio and Courville, "Deep learning", section 5.2, 2016.
    """
    validation, training = history.validation_loss, history.training_loss
    if history.stopped_because == DIVERGED:
        return CurveReading(
            "diverging",
            f"diverging: the loss became NaN or infinite after epoch "
            f"{history.stopped_epoch}; try a smaller learning rate",
        )
    if len(validation) < 3:
        return CurveReading(
            "too few epochs", "too few epochs with validation rows to say"
        )
    best, last = history.best_epoch, history.stopped_epoch
    low, end = validation[best - 1], validation[-1]
    kept = best if history.settings.get("early_stopping", True) else last
    if constant_loss is not None and low > constant_loss - GAIN * abs(constant_loss):
        how = "hardly below" if low < constant_loss else "no better than"
        return CurveReading(
            "underfit",
            f"underfit: the validation loss got to {low:.4g}, {how} the "
            f"{constant_loss:.4g} of a constant guess; the inputs may say little "
            "about the target, or the network is too small or learned too little",
        )
    if best > LATE * last and "improve" not in history.stopped_because:
        return CurveReading(
            "still improving",
            f"still improving when it stopped: epoch {best} of {last} was the best; "
            "more epochs may help",
        )
    rose = end > low + RISE * abs(low)
    if rose and training[-1] < training[best - 1]:
        return CurveReading(
            "overfit",
            f"overfits from epoch {best + 1}: the training loss went on falling, from "
            f"{training[best - 1]:.4g} to {training[-1]:.4g}, while the validation "
            f"loss rose from {low:.4g} to {end:.4g}; the weights of epoch {kept} were "
            "kept",
        )
    after = (
        f"rose to {end:.4g} together with the training loss"
        if rose
        else "did not rise again"
    )
    return CurveReading(
        "fits",
        f"fits: the validation loss got to {low:.4g} in epoch {best} and {after} by "
        f"epoch {last}",
    )
