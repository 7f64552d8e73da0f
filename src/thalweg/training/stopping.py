"""When to stop: the validation loss chooses the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import thalweg.defaults as defaults
from thalweg.checks import require_non_negative, require_whole
from thalweg.formulas.running_losses import fold


@dataclass(frozen=True)
class EarlyStopping:
    """Stop when the validation loss has stopped improving, and go back to its best.

    stop after epoch t  if  t − s ≥ patience, where s is the last epoch that improved:
    L_s < L_r − δ, with r the one that improved before it (the first epoch always does)

    The epoch to go back to is the one with the lowest loss, whatever δ is.

    Arguments:
        patience: how many epochs without improvement are allowed.
        min_delta: δ, the improvement of the loss below which it doesn't count.

    Raises:
        ArgumentError: an argument is out of its range.

    Example:
        >>> rule = EarlyStopping(patience=2)
        >>> rule.should_stop([0.9, 0.5, 0.6]), rule.should_stop([0.9, 0.5, 0.6, 0.7])
        (False, True)

    Source: Prechelt, "Early stopping — but when?", 1998.
    """

    patience: int = defaults.FIT_PATIENCE
    min_delta: float = defaults.MIN_DELTA

    def __post_init__(self) -> None:
        require_whole("patience", self.patience, least=1)
        require_non_negative("min_delta", self.min_delta)

    def last_improvement(self, losses: Sequence[float]) -> int:
        """The epoch, from 1, of the last loss lower by more than δ than any before."""
        _, _, epoch = fold(self._after, losses, (math.inf, 0, 0))
        return epoch

    def _after(
        self, state: tuple[float, int, int], loss: float
    ) -> tuple[float, int, int]:
        """The best loss, the epoch, and the last that improved, after another loss."""
        best, before, improved = state
        if loss < best - self.min_delta:
            return loss, before + 1, before + 1
        return best, before + 1, improved

    def should_stop(self, losses: Sequence[float]) -> bool:
        """Whether the patience is used up after these epochs."""
        return len(losses) - self.last_improvement(losses) >= self.patience

    def reason(self, losses: Sequence[float]) -> str:
        """Why training stops after these epochs, as a sentence."""
        enough = f" by more than {self.min_delta:g}" if self.min_delta else ""
        return (
            f"the validation loss did not improve{enough} for {self.patience} epochs "
            f"after epoch {self.last_improvement(losses)}"
        )
