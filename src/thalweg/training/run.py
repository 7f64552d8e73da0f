"""A network goes through a run of training."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

from thalweg.errors import DivergenceError
from thalweg.formulas.chain import Shapes
from thalweg.model.history import History
from thalweg.model.record import NetworkRecord
from thalweg.training.callbacks import Callbacks, Run
from thalweg.training.checkpoint import CheckpointWriter
from thalweg.training.fit import Trainer


def run(
    network: NetworkRecord,
    trainer: Trainer,
    shapes: Shapes,
    callbacks: Callbacks,
    writer: CheckpointWriter | None = None,
) -> History:
    """Train: all arguments were found to be right, so that now the old may go.

    It stays if a first checkpoint can't be written or a callback can't start.
    """
    before, history = network.as_it_is(), trainer.state.history
    adopt(network, trainer, shapes)
    with ExitStack() as ends:
        try:
            if writer is not None:
                writer.begin(network, trainer.state)
            start = Run(cast(Any, network), history.settings, history.stopped_epoch)
            ends.enter_context(callbacks.around(start, history))
        except BaseException:
            network.back(before)
            raise
        try:
            trainer.run(callbacks, writer)
        except DivergenceError:
            network.optimizer_state = None  # its slots may hold NaN
            raise
        finally:
            network.interrupted = trainer.interrupted
    return history


def adopt(network: NetworkRecord, trainer: Trainer, shapes: Shapes) -> None:
    """What is trained becomes the network's own."""
    state, objective = trainer.state, trainer.regime.objective
    network.layers = trainer.layers
    network.take(shapes, state.memory, state.memory.dtype)
    network.input_dtype = trainer.input_dtype
    network.takes_lengths = trainer.takes_lengths
    network.loss, network.optimizer = objective.loss, objective.optimizer
    network.penalty, network.history = objective.penalty, state.history
    network.optimizer_state = state.optimizer
