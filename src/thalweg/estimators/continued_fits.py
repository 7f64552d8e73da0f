"""A fit that failed leaves what was; one that goes on counts on; Ctrl-C ends both."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from thalweg.errors import DivergenceError
from thalweg.estimators.scikit import FITS_ARE_WRAPPED
from thalweg.model.history import EpochRecord, History
from thalweg.training.callbacks import Callback, NetworkInTraining, Run

DEPTH = 5 + FITS_ARE_WRAPPED
"""How far up a warning from `restoring` finds who called `fit`."""

OF_CALLBACKS = ("_skl_", "_callback_", "_parent_")
"""How the names begin that scikit-learn's callbacks come and go by."""


@contextmanager
def restoring(estimator: Any) -> Generator[None]:
    """Whatever goes wrong, the estimator is as it was before.

    If it diverges, the best weights are kept, if there was an epoch before; and if
    Ctrl-C ends it, what its steps learned, with a warning.
    """
    attributes: dict[str, Any] = estimator.__dict__
    before = dict(attributes)
    try:
        yield
    except BaseException as error:
        learned = attributes.get("history_") is not before.get("history_")
        if learned and isinstance(error, KeyboardInterrupt):
            warn_of_interrupt(estimator)
            raise
        if learned and isinstance(error, DivergenceError):
            raise
        for name in [n for n in attributes if not n.startswith(OF_CALLBACKS)]:
            del attributes[name]
        attributes.update(before)
        raise


def warn_of_interrupt(estimator: Any) -> None:
    """Say that what was learned until Ctrl-C is there."""
    words = (
        f"Ctrl-C ended the training of {type(estimator).__name__}: "
        f"{estimator.history_.stopped_because}. What it had learned is kept, so that "
        "it can predict"
    )
    # As an error it would take the place of the interrupt, and tools would go on.
    with suppress(UserWarning):
        warnings.warn(words, stacklevel=DEPTH)


class Keeping(Callback):
    """Gives an estimator the history of what it learned, however training ends.

    Without an epoch or at least a step it has learned nothing.

    Arguments:
        estimator: its ``history_`` is set.
        before: what was trained before, where epochs count on, as in partial_fit.
    """

    def __init__(self, estimator: Any, before: History | None = None) -> None:
        self._estimator, self._before = estimator, before

    def on_start(self, run: Run) -> None:
        """See how far the optimizer had come."""
        self._network, self._steps = run.network, steps_of(run.network)

    def on_end(self, history: History) -> None:
        """Keep the history, if there is anything in it or behind it."""
        if history.epochs or steps_of(self._network) > self._steps:
            if self._before is not None:
                history = with_more(self._before, history)
            self._estimator.history_ = history


def steps_of(network: NetworkInTraining) -> int:
    """The steps that its optimizer has taken in all."""
    state = network.optimizer_state
    return 0 if state is None else state.steps


def with_more(before: History, after: History) -> History:
    """Two histories as one, the epochs counted on."""
    done, epochs = before.stopped_epoch, before.epochs.copy()
    for record in after.epochs:
        epochs.append(renumbered(record, done + record.epoch))
    because, guessed = after.stopped_because, after.constant_loss
    return History(epochs, len(epochs), because, after.settings, guessed)


def renumbered(record: EpochRecord, epoch: int) -> EpochRecord:
    """The record under another number."""
    return replace(record, epoch=epoch)
