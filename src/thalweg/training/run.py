"""A network goes through a run of training."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from thalweg.errors import DivergenceError
from thalweg.training.callbacks import Callbacks, Run
from thalweg.training.fit import Trainer
from thalweg.training.history import History
from thalweg.training.stack import Shapes

if TYPE_CHECKING:
    from thalweg.training.keeper import Keeper
    from thalweg.training.network import Network


def run(
    network: Network,
    trainer: Trainer,
    shapes: Shapes,
    callbacks: Callbacks,
    keeper: Keeper | None = None,
) -> History:
    """Train: all arguments were found to be right, so that now the old may go.

    It stays if a first checkpoint can't be written or a callback can't start.
    """
    before, history = dict(vars(network)), trainer.state.history
    adopt(network, trainer, shapes)
    with ExitStack() as ends:
        try:
            if keeper is not None:
                keeper.begin(network, trainer.state)
            start = Run(network, history.settings, history.stopped_epoch)
            ends.enter_context(callbacks.around(start, history))
        except BaseException:
            vars(network).update(before)
            raise
        try:
            trainer.run(callbacks, keeper)
        except DivergenceError:
            network.optimizer_state = None  # its slots may hold NaN
            raise
        finally:
            network.interrupted = trainer.interrupted
    return history


def adopt(network: Network, trainer: Trainer, shapes: Shapes) -> None:
    """What is trained becomes the network's own."""
    state, task = trainer.state, trainer.plan.task
    network.take(shapes, state.memory, state.memory.dtype)
    network.loss, network.optimizer = task.loss, task.optimizer
    network.penalty, network.history = task.penalty, state.history
    network.optimizer_state = state.optimizer
