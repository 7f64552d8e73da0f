"""A learning rate for the network that any data would be trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg.kinds.kind import Kind, SettingsT
from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.trained import PartsT
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.search.learning_rate import RangeTest, find_learning_rate
from thalweg.training.execution import Execution


def rate_for(
    kind: Kind[SettingsT, Any, PartsT, Any, Any],
    source: Any,
    target: str,
    settings: SettingsT,
    execution: Execution = USUAL,
    announce: Callable[[PartsT, Network], object] | None = None,
    own: Sources = NO_SOURCES,
) -> RangeTest:
    """Test the network that `learn` would train, on the rows that it would train on.

    Arguments:
        kind: of data.
        source: where it is, or what was read.
        target: the column to predict; nothing for a kind without one.
        settings: of the network and its training; the learning rate isn't used.
        execution: what runs the network, and on how many threads.
        announce: called with what was found in the data, and the network.
        own: data of one's own to validate and to test on, as `learn` takes it.

    Raises:
        FileError, DataError: the data can't be used.
        ArgumentError: a setting can't be used with it, or the loss fell at no learning
            rate.
    """
    parts = kind.prepare(kind.read(source, settings, own), target, settings)
    network = kind.build(parts, settings)
    if announce is not None:
        announce(parts, network)
    rows = parts.training
    return find_learning_rate(
        network,
        rows.X,
        rows.y,
        loss=settings.loss,
        optimizer=settings.rule(len(rows.X)),
        batch_size=settings.rows_a_step(len(rows.X)),
        seed=settings.seed,
        sample_weight=rows.weights,
        penalty=settings.penalty(),
        clip_norm=settings.clip_norm,
        engine=execution.engine,
        threads=execution.threads,
    )
