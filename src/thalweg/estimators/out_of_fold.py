"""Held-out rows that are to show what new rows will, although they chose the epoch."""

from __future__ import annotations

import numpy as np

from thalweg.estimators.rows import WeightedRows
from thalweg.formulas.losses import Loss
from thalweg.model.history import EpochRecord
from thalweg.network import Network
from thalweg.program.types import NumpyArray
from thalweg.training.callbacks import Callback, Run

FOLDS = 5

FEW_ROWS = 1_000
"""Up to so many held-out rows it shows that they chose the epoch.

What they look better by falls as one over their number: intervals of 90% held 1.3% too
few new rows with 40 of them, and 0.3% with 400. Following takes time in every epoch.
"""


class OutOfFold(Callback):
    """Held-out rows, and what the network gives for them.

    If they follow the training, each is seen at the epoch that would have been chosen
    without it: ŷᵢ = f(xᵢ; eᵢ), where eᵢ minimizes the validation loss of all folds but
    that of i. Rows that had no say in their epoch are as good as new ones; at the one
    that all chose together they look better than new rows will.

    Arguments:
        rows: held out; inputs as the network takes them.
        targets: of the rows, as the network learns them.
        loss: by which the epoch is chosen.
        threads: at most.

    Source: Stone, "Cross-validatory choice and assessment of statistical predictions",
    1974.
    """

    def __init__(
        self, rows: WeightedRows, targets: NumpyArray, loss: Loss, threads: int | None
    ) -> None:
        self.rows = rows
        self._targets, self._loss, self._threads = targets, loss, threads
        count, weights = len(rows.X), rows.weights
        self._shares = (
            np.ones(count) / count if weights is None else weights / weights.sum()
        )
        self._fold = folds(count, rows.together)
        self._lowest = np.full(count, np.inf)
        self._outputs: NumpyArray | None = None

    def outputs(self, network: Network) -> NumpyArray:
        """For each row, shape (rows, outputs); what it gives now, if none followed."""
        if self._outputs is None:
            return network.predict(self.rows.X, threads=self._threads)
        return self._outputs

    def on_start(self, run: Run) -> None:
        """Keep the network at hand."""
        self._network = run.network

    def on_epoch(self, record: EpochRecord) -> None:
        """Keep the outputs of the folds for which this epoch is the best so far."""
        assert record.validation_loss is not None
        outputs = self._network.predict(self.rows.X, threads=self._threads)
        if self._outputs is None:
            self._outputs = outputs.copy()
        of_others = record.validation_loss - self._of_folds(outputs)[self._fold]
        better = of_others < self._lowest
        self._lowest[better] = of_others[better]
        self._outputs[better] = outputs[better]

    def _of_folds(self, outputs: NumpyArray) -> NumpyArray:
        """Each fold's part of the validation loss, shape (folds,)."""
        with np.errstate(all="ignore"):
            losses = np.asarray(self._loss.per_row(outputs, self._targets))
        # A formula by itself is not as safe as the program that is made of it.
        finite = np.where(np.isfinite(losses), losses, 0.0)
        return np.bincount(self._fold, self._shares * finite, FOLDS)


def folds(rows: int, together: NumpyArray | None) -> NumpyArray:
    """The fold of each row; that of rows that stay together is the same.

    Arguments:
        rows: how many there are.
        together: a number a row, or None.
    """
    # Drawn, as rows in order can have a period.
    random = np.random.default_rng(0)
    if together is not None:
        found, numbers = np.unique(together, return_inverse=True)
        if len(found) > 1:  # one by itself would have no others to choose its epoch
            return random.permutation(len(found))[numbers] % FOLDS
    return random.permutation(rows) % FOLDS
