"""Fit a network to rows in parts, anew or from a checkpoint, as settings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from thalweg.errors import DivergenceError
from thalweg.kinds.parts import Parts
from thalweg.kinds.regimen import Regimen
from thalweg.network import Network
from thalweg.training.callbacks import AfterEpoch, Callback, callbacks_from
from thalweg.training.checkpoint import Checkpoint
from thalweg.training.execution import Execution

if TYPE_CHECKING:
    from thalweg.checkpoints.run_codec import Saved
    from thalweg.checkpoints.store import Store


@dataclass(frozen=True)
class RunContext:
    """What accompanies a run, and leaves its result as it is.

    Arguments:
        callback: called after every epoch.
        callbacks: follow the run.
        execution: what runs the network, and on how many threads.
        checkpoint: where and how often the run is written down.
        resumed: the run to go on with, and the folder that it is in.
    """

    callback: AfterEpoch | None
    callbacks: Sequence[Callback]
    execution: Execution
    checkpoint: Checkpoint | None
    resumed: tuple[Store, Saved[Network]] | None


def train_network(
    network: Network, parts: Parts, settings: Regimen, context: RunContext
) -> str:
    """Fit the network; why it diverged, if it did after a first whole epoch."""
    fit = fit_anew if context.resumed is None else fit_on
    try:
        fit(network, parts, settings, context)
    except DivergenceError as error:
        if not network.history.epochs:
            raise
        return str(error)
    return ""


def fit_anew(
    network: Network, parts: Parts, settings: Regimen, context: RunContext
) -> None:
    """Fit the network to the training rows."""
    training, validation = parts.training, parts.validation
    network.fit(
        training.X,
        training.y,
        loss=settings.loss,
        optimizer=settings.rule(len(training.X)),
        epochs=settings.most_epochs(len(training.X)),
        batch_size=settings.rows_a_step(len(training.X)),
        validation=(validation.X, validation.y, validation.weights),
        early_stopping=settings.early_stopping(),
        seed=settings.seed,
        sample_weight=training.weights,
        penalty=settings.penalty(),
        clip_norm=settings.clip_norm,
        callback=context.callback,
        callbacks=context.callbacks,
        checkpoint=context.checkpoint,
        engine=context.execution.engine,
        threads=context.execution.threads,
        group_by_length=settings.group_by_length,
    )


def fit_on(
    network: Network, parts: Parts, settings: Regimen, context: RunContext
) -> None:
    """Go on fitting the network to the same rows."""
    from thalweg.checkpoints.resume import go_on

    assert context.resumed is not None
    training, validation = parts.training, parts.validation
    callback, callbacks = context.callback, context.callbacks
    epochs = settings.most_epochs(len(training.X))
    go_on(
        *context.resumed,
        training.X,
        training.y,
        sample_weight=training.weights,
        validation=(validation.X, validation.y, validation.weights),
        callbacks=callbacks_from(callback, callbacks, False, epochs),
        threads=context.execution.threads,
    )
