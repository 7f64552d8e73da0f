"""A learning rate for the network that a table would be trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg.kinds.own import NO_SOURCES, Sources
from thalweg.kinds.usual import USUAL
from thalweg.network import Network
from thalweg.search.learning_rate import RangeTest, find_learning_rate
from thalweg.tables.read import read
from thalweg.tables.table import Table
from thalweg.tabular.learn import build, prepared_by
from thalweg.tabular.own import Own
from thalweg.tabular.prepared import Prepared
from thalweg.tabular.settings import Settings
from thalweg.training.execution import Execution


def find_for_table(
    source: Any,
    target: str,
    settings: Settings,
    execution: Execution = USUAL,
    announce: Callable[[Table, Prepared, Network], object] | None = None,
    own: Sources = NO_SOURCES,
) -> RangeTest:
    """Test the network that `learn` would train, on the rows that it would train on.

    Arguments:
        source: a file's path, or a frame of pandas, polars or pyarrow.
        target: the column to predict.
        settings: of the network and its training; the learning rate isn't used.
        execution: what runs the network, and on how many threads.
        announce: called with the table, what was found in it, and the network.
        own: tables of one's own to validate and to test on, as `learn` takes them.

    Raises:
        FileError, DataError: the table can't be used.
        ArgumentError: a setting can't be used with this table, or the loss fell at no
            learning rate.
    """
    table = read(source, settings.dialect)
    prepared = prepared_by(table, target, settings, Own.read(own, settings.dialect))
    network = build(prepared, settings)
    if announce is not None:
        announce(table, prepared, network)
    rows = prepared.training
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
