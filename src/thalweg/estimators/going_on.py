"""A fit that failed leaves what was; one that goes on counts on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from thalweg.errors import DivergenceError
from thalweg.training.history import EpochRecord, History
from thalweg.training.network import Network

OF_CALLBACKS = ("_skl_", "_callback_", "_parent_")
"""How the names begin that scikit-learn's callbacks come and go by."""


@contextmanager
def restoring(estimator: Any) -> Generator[None]:
    """Whatever goes wrong, the estimator is as it was before.

    If it diverges, the best weights are kept, if there was an epoch before.
    """
    attributes: dict[str, Any] = estimator.__dict__
    before = dict(attributes)
    try:
        yield
    except BaseException as error:
        network: Network | None = attributes.get("network_")
        diverged = isinstance(error, DivergenceError)
        if diverged and network is not None and network.history.epochs:
            estimator.history_ = network.history
            raise
        for name in [n for n in attributes if not n.startswith(OF_CALLBACKS)]:
            del attributes[name]
        attributes.update(before)
        raise


def with_more(before: History, after: History) -> History:
    """Two histories as one, the epochs counted on."""
    done = before.stopped_epoch
    more = [renumbered(record, done + record.epoch) for record in after.epochs]
    epochs = [*before.epochs, *more]
    return History(epochs, len(epochs), after.stopped_because, after.settings)


def renumbered(record: EpochRecord, epoch: int) -> EpochRecord:
    """The record under another number."""
    return replace(record, epoch=epoch)
